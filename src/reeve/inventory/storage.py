"""Snapshots and outcomes at an address: fetched to this machine to be read, and put there when they are whole."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from reeve.files import inside, read_plain
from reeve.inventory.directory import OUTCOMES, OUTCOMES_FOLDER, REPORT, RUN, SNAPSHOT_FOLDER, why
from reeve.inventory.manifest import MANIFEST, TABLE_FILE, SnapshotError
from reeve.inventory.stores import Store, is_address, shown
from reeve.inventory.temporary import kept, temporary

_OUTCOMES = f"{OUTCOMES_FOLDER}/{OUTCOMES}"
_MANIFESTS = (MANIFEST, f"{SNAPSHOT_FOLDER}/{MANIFEST}", _OUTCOMES)
"""Where manifests are below an address: a snapshot's, a scan's, those of outcomes."""
_RUN = re.compile(f"{OUTCOMES_FOLDER}/{RUN.pattern}/.+", re.DOTALL)


@contextmanager
def reading(given: Path) -> Generator[Path]:
    """Give a directory that can be read here: the one given, or a copy of the snapshot and outcomes at an address.

    Raises:
        SnapshotError: there is nothing at the address, or it can't be read.
    """
    if not is_address(given):
        yield given
        return
    with temporary() as copy:
        _fetch(Store.open(given), copy)
        yield copy


@contextmanager
def putting(
    out: Path | None, profile: str | None = None, note: Callable[[str], None] = lambda message: None
) -> Generator[Path | None]:
    """Give a directory to write to: the one given, or one whose files are put at an address if the context ends well.

    Args:
        out: a directory or an address.
        profile: the profile of the AWS configuration that is used for an address.
        note: told of what was there before and could not be removed.

    Raises:
        SnapshotError: the address can't be used; or a file can't be put there, and then the message says where it is here.
    """
    if out is None or not is_address(out):
        yield out
        return
    store = Store.open(out, profile)
    with temporary() as made:
        yield made
        try:
            _put(store, made, note)
        except BaseException as error:
            hint = f"what was made is in {kept(made)}"
            if isinstance(error, SnapshotError):
                raise SnapshotError(f"{error}; {hint}") from None
            error.add_note(f"{hint}, and not at {shown(out)}")
            raise


def _fetch(store: Store, into: Path) -> None:
    """Copy manifests, and the files that they name, into a directory; nothing else that is there matters."""
    found = [name for name in _MANIFESTS if _copy(store, name, into)]
    if not found:
        raise SnapshotError(f"no snapshot in {store.address}; put one there with `reeve collect --out {store.address}`")
    for manifest in found:
        folder = manifest.rpartition("/")[0]
        for name in _named(read_plain(inside(into, manifest))):
            # One that is not there is missed by whoever reads the copy.
            _copy(store, f"{folder}/{name}" if folder else name, into)


def _copy(store: Store, name: str, into: Path) -> bool:
    """Copy an object into a directory; return whether it is there."""
    try:
        path = inside(into, name)
    except OSError as error:
        raise SnapshotError(f"{store.address}: a manifest names the file {name!r}: {why(error)}") from None
    pieces = store.read(name)
    if pieces is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    return True


def _named(manifest: bytes) -> Iterator[str]:
    """Yield the files that a manifest names."""
    try:
        found: Any = msgspec.json.decode(manifest)
        yield from (str(table["file"]) for tables in found.get("tables", {}).values() for table in tables)
        yield from (str(file) for of in found.get("types", {}).values() for file in of["files"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError, KeyError, TypeError):
        return  # whoever reads the copy says what is wrong with it


def _put(store: Store, made: Path, note: Callable[[str], None]) -> None:
    """Put a directory's files at an address, so that what is there is the old result or the new one.

    Tables come first, under names of their own; then old reports go, manifests are put, and what is said of them. Last goes
    what no manifest names any more.
    """
    paths = (path for path in sorted(made.rglob("*")) if path.is_file() and not path.name.startswith("."))
    files = {path.relative_to(made).as_posix(): path for path in paths}
    manifests = [name for name in _MANIFESTS if name in files]
    reports = [name for name in files if REPORT.fullmatch(name)]
    for name in files:
        if name not in manifests and name not in reports:
            store.put(name, files[name])
    stale = _stale(store, files, manifests, note)
    _delete(store, [name for name in stale if name in _MANIFESTS or REPORT.fullmatch(name)], note)
    for name in (*manifests, *reports):
        store.put(name, files[name])
    _delete(store, [name for name in stale if name not in _MANIFESTS and not REPORT.fullmatch(name)], note)


def _stale(store: Store, files: Iterable[str], manifests: Sequence[str], note: Callable[[str], None]) -> list[str]:
    """Return what is at an address and belongs to the result that is replaced: reports, tables, runs of outcomes."""
    if not manifests:
        return []
    scanned = _MANIFESTS[1] in manifests
    try:
        found = store.names("", deep=False) + (store.names(SNAPSHOT_FOLDER, deep=False) if scanned else [])
        found += store.names(OUTCOMES_FOLDER, deep=True)
    except SnapshotError as error:
        note(f"{error}; what was there before is not removed")
        return []
    mine = set(files)
    folders = [name.rpartition("/")[0] for name in manifests if name != _OUTCOMES]
    return [name for name in found if name not in mine and _replaced(name, folders, _OUTCOMES in manifests)]


def _replaced(name: str, folders: Sequence[str], outcomes: bool) -> bool:
    """Return whether an object belongs to what new snapshots in some folders, or new outcomes, take the place of."""
    folder, _, last = name.rpartition("/")
    if _RUN.fullmatch(name) or name == _OUTCOMES:
        return outcomes or SNAPSHOT_FOLDER in folders
    if REPORT.fullmatch(name):
        return SNAPSHOT_FOLDER in folders
    return folder in folders and TABLE_FILE.fullmatch(last) is not None


def _delete(store: Store, names: Sequence[str], note: Callable[[str], None]) -> None:
    try:
        store.delete(names)
    except SnapshotError as error:
        note(f"{error}; what was there before is not removed")
