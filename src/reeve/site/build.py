"""Writes the site: pages that have changed since the last time, styles, scripts, the search's index, a map of the site."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import msgspec

from reeve import __version__
from reeve.inventory.directory import replace_file
from reeve.report.escaping import visible
from reeve.report.html import COLORS, VERDICT_COLORS, environment
from reeve.site import markdown
from reeve.site.addresses import absolute, path_of, relative
from reeve.site.catalogue import Catalogue
from reeve.site.pages import Page, all_pages, rule_address

MANIFEST = ".reeve-site.json"
ASSETS = ("site.css", "site.js", "icon.svg")
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
    """
    try:
        before = _before(out)
        pages = list(all_pages(catalogue))
        contents: dict[str, str] = {}
        renderer, written = _Renderer(options, catalogue.results is not None), 0
        for number, page in enumerate(pages):
            path, print_ = path_of(page.address), renderer.fingerprint(page)
            contents[path] = print_
            if before.get(path) != print_ or not (out / path).is_file():
                tell("writing pages", number, len(pages))
                _write(out / path, renderer.render(page).encode("utf-8", "replace"))
                written += 1
        for path, content in _extras(catalogue, pages, options, renderer):
            contents[path] = hashlib.sha256(content).hexdigest()
            if before.get(path) != contents[path] or not (out / path).is_file():
                _write(out / path, content)
        removed = _remove(out, before.keys() - contents.keys())
        _write(out / MANIFEST, json.dumps(contents, indent=0, sort_keys=True).encode())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SiteError(f"can't write the site to {out}: {reason}; free some space or choose another --out") from None
    return Built(len(pages), written, removed)


def _before(out: Path) -> Mapping[str, str]:
    """Return what an earlier build wrote, with what it was made from."""
    manifest = out / MANIFEST
    if not manifest.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise SiteError(f"{out} holds other files; choose an empty directory with --out")
        return {}
    try:
        return msgspec.json.decode(manifest.read_bytes(), type=dict[str, str])
    except msgspec.DecodeError:
        raise SiteError(f"{manifest} is damaged; remove {out} and build again") from None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content) if path.name == MANIFEST else path.write_bytes(content)


def _remove(out: Path, paths: Iterable[str]) -> int:
    count = 0
    for path in paths:
        target = out / path
        if not target.resolve().is_relative_to(out.resolve()) or not target.is_file():
            continue
        target.unlink()
        count += 1
        for folder in target.parents:
            if folder == out or any(folder.iterdir()):
                break
            folder.rmdir()
    return count


def _extras(
    catalogue: Catalogue, pages: Collection[Page], options: Options, renderer: "_Renderer"
) -> Iterable[tuple[str, bytes]]:
    for name in ASSETS:
        yield f"assets/{name}", _asset(name)
    index = [[page.address, page.title, page.kind, " ".join(page.words.split())[:600]] for page in pages]
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    yield "assets/search-index.js", f"window.REEVE_INDEX={text};\n".encode("utf-8", "replace")
    base = options.address.rstrip("/")
    places = "".join(f"<url><loc>{escape(absolute(base, page.address))}</loc></url>\n" for page in pages)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    yield "sitemap.xml", (head + places + "</urlset>\n").encode("utf-8", "replace")
    missing = Page("/404.html", "missing", "There is no such page", "", (("/", "Home"),), {})
    yield "404.html", renderer.render(missing).encode()
    for page in _moved(catalogue, {path_of(page.address) for page in pages}):
        yield path_of(page.address), renderer.render(page).encode("utf-8", "replace")


def _moved(catalogue: Catalogue, known: Set[str]) -> Iterable[Page]:
    """Yield the pages that lead from old addresses to new ones; `known` are the paths of the pages that there are."""
    text = catalogue.repository.files.text(f"/{MOVED}")
    try:
        moved = {} if text is None else msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as error:
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


@cache
def _template(name: str) -> str:
    return files("reeve.site").joinpath("templates", name).read_text("utf-8")


class _Renderer:
    """Renders pages; what a page's text depends on beside its data is the same for all of a build."""

    def __init__(self, options: Options, judged: bool) -> None:
        self.options = options
        self.environment = environment(_template, markdown=markdown.render)
        names: dict[str, Any] = self.environment.globals  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        names.update(
            version=__version__,
            live=options.live,
            judged=judged,
            rule_address=rule_address,
            source=self._source,
            status_colors={str(status): color for status, color in COLORS.items()},
            verdict_colors={str(verdict): color for verdict, color in VERDICT_COLORS.items()},
        )
        every = b"".join(_template(path.name).encode() for path in _templates())
        self.common = hashlib.sha256(every + repr((options, judged, __version__)).encode()).hexdigest()

    def _source(self, path: str) -> str | None:
        base = self.options.source_url
        return None if base is None else absolute(base, path)

    def fingerprint(self, page: Page) -> str:
        """Return what a page is made from, as a digest."""
        made_from = repr((self.common, page.title, page.crumbs, dict(page.data)))
        return hashlib.sha256(made_from.encode("utf-8", "replace")).hexdigest()

    def render(self, page: Page) -> str:
        """Return a page as HTML."""
        at = "/" if page.address == "/404.html" else page.address

        def to(target: str) -> str:
            return relative(at, target) if page.address != "/404.html" else absolute("", target)

        template = self.environment.get_template(f"{page.template}.html.j2")
        return template.render(page=page, to=to, **page.data)


@cache
def _templates() -> tuple[Any, ...]:
    return tuple(sorted(files("reeve.site").joinpath("templates").iterdir(), key=lambda path: path.name))
