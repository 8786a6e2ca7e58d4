"""Writes the site: pages that have changed since the last time, styles, scripts, the search's index, a map of the site."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import msgspec

from reeve import __version__
from reeve.files import inside, read_plain
from reeve.report.escaping import as_json, visible
from reeve.report.markdown import is_link
from reeve.report.pages import COLORS, VERDICT_COLORS, environment
from reeve.site import markdown
from reeve.site.addresses import absolute, path_of, relative
from reeve.site.catalogue import Catalogue
from reeve.site.flags import FLAGS, flag_counts
from reeve.site.pages import Page, all_pages, rule_address
from reeve.site.swap import BusyError, beside, carried, swap

MANIFEST = ".reeve-site.json"
ASSETS = ("site.css", "site.js", "icon.svg")
MOST_IN_PLACE = 300
"""How many files are moved into a site one by one, in a few thousandths of a second; for more it is swapped as a whole."""
MOVED = "moved.json"
"""In a repository's root: {"/old/id": "/new/id"}, for pages that have moved."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to build: where sources can be opened, where the site will be, and whether pages reload when they change."""

    source_url: str | None = None
    address: str = "http://127.0.0.1:8000"
    live: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What was done: how many pages the site has, how many were written, how many removed."""

    pages: int
    written: int
    removed: int


class SiteError(Exception):
    """The site can't be written; the message says why and what to do."""


def build(catalogue: Catalogue, out: Path, options: Options, tell: Callable[[str, int, int | None], None]) -> Built:
    """Write the site of a repository into a directory.

    Args:
        catalogue: what to show.
        out: where to; files of an earlier build that are no more are removed, nothing else.
        options: how.
        tell: told what is being done.

    Raises:
        InvalidRepositoryError: a file of the repository has errors; all of them are named.
        SiteError: something could not be written, or the directory holds other things.
        KeyboardInterrupt: the user interrupted; a note on it says in what state the site is left.
    """
    out, writing = Path(os.path.realpath(out)), None
    if not out.name:
        raise SiteError(f"{out} holds other files; choose an empty directory with --out")
    try:
        with beside(out) as directory:
            writing = _Writing(out, directory, _before(out))
            return writing.all(catalogue, options, tell)
    except KeyboardInterrupt as error:
        error.add_note(writing.left if writing else "nothing was written")
        raise
    except BusyError:
        raise SiteError(f"another reeve is building {out}; wait for it, or choose another --out") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SiteError(f"can't write the site to {out}: {reason}; free some space or choose another --out") from None


def _before(out: Path) -> Mapping[str, str]:
    """Return what an earlier build wrote, with what it was made from and the state of the file."""
    manifest = out / MANIFEST
    if not manifest.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise SiteError(f"{out} holds other files; choose an empty directory with --out")
        return {}
    try:
        return msgspec.json.decode(read_plain(manifest), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SiteError(f"{manifest} is damaged; remove {out} and build again") from None


class _Writing:
    """One build: what the site in `out` was made from is known; in `beside`, on the same disk, the new one is prepared."""

    def __init__(self, out: Path, beside: Path, before: Mapping[str, str]) -> None:
        self.out, self.beside, self.before = out, beside, before
        self.contents: dict[str, str] = {}
        self.stale: dict[str, tuple[str, Callable[[], bytes]]] = {}
        self.left = "nothing was written"
        """In what state the site is left when the build is interrupted now."""

    def all(self, catalogue: Catalogue, options: Options, tell: Callable[[str, int, int | None], None]) -> Built:
        """Write the whole site."""
        pages, renderer = list(all_pages(catalogue)), _Renderer(options, catalogue.results is not None)
        for page in pages:
            self._add(path_of(page.address), renderer.fingerprint(page), partial(renderer.render, page), page.address)
        written = len(self.stale)
        for path, content in _extras(catalogue, pages, options, renderer):
            self._add(path, hashlib.sha256(content).hexdigest(), partial(bytes, content), path)
        vanished = [
            path
            for path in self.before.keys() - self.contents.keys()
            if _is_inside(self.out, path) and _size(self.out / path) is not None
        ]
        if self.stale or vanished:
            in_place = self.before and len(self.stale) + len(vanished) <= MOST_IN_PLACE
            for number, (path, (made_from, make)) in enumerate(self.stale.items()):
                if number % 100 == 0:
                    tell("writing pages", number, len(self.stale))
                self.contents[path] = _state(made_from, _write(self.beside / path, make()))
            self._in_place(vanished) if in_place else self._whole()
        return Built(len(pages), written, len(vanished))

    def _add(self, path: str, made_from: str, make: Callable[[], bytes], address: str) -> None:
        """Note a file of the site; it is stale unless the last build made it of the same and it still has that size."""
        if path in self.contents:
            raise SiteError(f"{visible(address)} has the same address as another page; rename one")
        known = self.before.get(path)
        size = _size(self.out / path) if known else None
        if known is None or size is None or known != _state(made_from, size):
            self.stale[path] = (made_from, make)
        self.contents[path] = known or ""

    def _whole(self) -> None:
        """Swap the site for one made of what is new, what has stayed, and files that somebody else put there."""
        theirs = {path for path in _files(self.out) if path not in self.before and path != MANIFEST}
        for path in (self.contents.keys() | theirs) - self.stale.keys():
            carried(self.out / path, self.beside / path)
        _write(self.beside / MANIFEST, _manifest(self.contents))
        self.left = f"{self.out} is as it was, or is replaced as a whole"
        swap(self.beside, self.out)

    def _in_place(self, vanished: Iterable[str]) -> None:
        """Move the few new files into the site; the manifest says so first, so that after a kill they are made anew."""
        targets = {path: inside(self.out, path) for path in self.stale}
        begun = {path: "" if path in self.stale else state for path, state in {**self.before, **self.contents}.items()}
        for name, contents in (("begun", begun), ("done", self.contents)):
            _write(self.beside / f"{MANIFEST}.{name}", _manifest(contents))
        self.left = f"{self.out} was being changed; build it again"
        (self.beside / f"{MANIFEST}.begun").replace(self.out / MANIFEST)
        for path, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            (self.beside / path).replace(target)
        _remove(self.out, vanished)
        (self.beside / f"{MANIFEST}.done").replace(self.out / MANIFEST)


def _manifest(contents: Mapping[str, str]) -> bytes:
    return json.dumps(contents, indent=0, sort_keys=True).encode()


def _state(made_from: str, size: int) -> str:
    return f"{made_from} {size}"


def _size(path: Path) -> int | None:
    """Return the size of a plain file, None where there is none."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _is_inside(out: Path, path: str) -> bool:
    try:
        inside(out, path)
    except OSError:
        return False
    return True


def _files(top: Path) -> Iterable[str]:
    """Yield the paths of what is no directory below one, links as they are."""
    pending = [""] if top.is_dir() else []
    while pending:
        directory = pending.pop()
        for entry in os.scandir(top / directory):
            if entry.is_dir(follow_symlinks=False):
                pending.append(f"{directory}{entry.name}/")
            else:
                yield f"{directory}{entry.name}"


def _remove(out: Path, paths: Iterable[str]) -> None:
    for path in paths:
        target = inside(out, path)
        target.unlink()
        for folder in target.parents:
            if folder == out or any(folder.iterdir()):
                break
            folder.rmdir()


def _write(path: Path, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(content)


def _extras(
    catalogue: Catalogue, pages: Collection[Page], options: Options, renderer: "_Renderer"
) -> Iterable[tuple[str, bytes]]:
    for name in ASSETS:
        yield f"assets/{name}", _asset(name)
    text = as_json([_indexed(page) for page in pages], indent=None).replace("<", "\\u003c")
    yield "assets/search-index.js", f"window.REEVE_INDEX={text};\n".encode("utf-8", "replace")
    base = options.address.rstrip("/")
    places = "".join(f"<url><loc>{escape(absolute(base, page.address))}</loc></url>\n" for page in pages)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    yield "sitemap.xml", (head + places + "</urlset>\n").encode("utf-8", "replace")
    missing = Page("/404.html", "missing", "There is no such page", "", (("/", "Home"),), {})
    yield "404.html", renderer.render(missing)
    for page in _moved(catalogue, {path_of(page.address) for page in pages}):
        yield path_of(page.address), renderer.render(page)


def _indexed(page: Page) -> list[str]:
    """Return what the search knows of a page; its link too, where that is not its address."""
    entry = [page.address, page.title, page.kind, " ".join(page.words.split())[:600]]
    link, plain = relative("/", page.address), "/".join(quote(part) for part in page.address.strip("/").split("/"))
    return entry if link in (f"{plain}/", "./") else [*entry, link]


def _moved(catalogue: Catalogue, known: Set[str]) -> Iterable[Page]:
    """Yield the pages that lead from old addresses to new ones; `known` are the paths of the pages that there are."""
    text = catalogue.repository.files.text(f"/{MOVED}")
    try:
        moved = {} if text is None else msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, RecursionError) as error:
        raise SiteError(f"/{MOVED} must be an object of old ids to new ones: {error}") from None
    for old, new in moved.items():
        address, target = f"{old.rstrip('/')}/", f"{new.rstrip('/')}/"
        if path_of(address) in known:
            raise SiteError(f"/{MOVED}: {visible(old)} has a page of its own; take it out")
        if path_of(target) not in known:
            raise SiteError(f"/{MOVED}: there is no page {visible(new)} for {visible(old)} to lead to; name one that there is")
        yield Page(address, "moved", "This page has moved", "", (("/", "Home"),), {"target": target})


@cache
def _asset(name: str) -> bytes:
    return files("reeve.site").joinpath("assets", name).read_bytes()


class _Renderer:
    """Renders pages; what a page's text depends on beside its data is the same for all of a build."""

    def __init__(self, options: Options, judged: bool) -> None:
        self.options = options
        self.environment = environment("reeve.site")
        filters: dict[str, Any] = self.environment.filters  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        filters.update(markdown=markdown.render)
        names: dict[str, Any] = self.environment.globals  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        names.update(
            version=__version__,
            live=options.live,
            judged=judged,
            rule_address=rule_address,
            source=self._source,
            all_flags=FLAGS,
            flag_counts=flag_counts,
            is_link=is_link,
            status_colors={str(status): color for status, color in COLORS.items()},
            verdict_colors={str(verdict): color for verdict, color in VERDICT_COLORS.items()},
        )
        loader: Any = self.environment.loader
        every = "".join(loader.get_source(self.environment, name)[0] for name in self.environment.list_templates())
        self.common = hashlib.sha256(every.encode() + repr((options, judged, __version__)).encode()).hexdigest()

    def _source(self, path: str) -> str | None:
        base = self.options.source_url
        return None if base is None else absolute(base, path)

    def fingerprint(self, page: Page) -> str:
        """Return what a page is made from, as a digest."""
        made_from = repr((self.common, page.title, page.crumbs, dict(page.data)))
        return hashlib.sha256(made_from.encode("utf-8", "replace")).hexdigest()

    def render(self, page: Page) -> bytes:
        """Return a page as HTML, UTF-8."""
        at = "/" if page.address == "/404.html" else page.address

        def to(target: str) -> str:
            return relative(at, target) if page.address != "/404.html" else absolute("", target)

        template = self.environment.get_template(f"{page.template}.html.j2")
        return template.render(page=page, to=to, **page.data).encode("utf-8", "replace")
