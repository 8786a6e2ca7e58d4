"""The manifest of a snapshot: whose it is, when it was taken, which calls were made, what could not be read."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from reeve.files import read_plain

SCHEMA = "reeve.snapshot/1"
MANIFEST = "manifest.json"
TABLE_FILE = re.compile(r"[A-Za-z0-9._-]+-[0-9a-f]{12}\.parquet(\.part)?")
"""The names of a snapshot's tables, and of those that are being written."""

Count = Annotated[int, msgspec.Meta(ge=0)]

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A date-time with its zone; one without is refused, as it would mean another moment on each machine."""


class SnapshotError(Exception):
    """A snapshot, or outcomes, can't be read or written; the message says why and what to do."""


class CollectionError(msgspec.Struct, frozen=True, rename="camel"):
    """Calls that failed in the same way.

    `subjects` are some of the objects they were about, `count` how many calls. `affects` says what was not seen for it: by the
    id of a type, the names of the fields and related lists that could not be read of some objects; none of a type stands for
    the whole type, of which objects may be missing. Without `affects`, as in snapshots of earlier versions, it may be anything.
    """

    call: str
    code: str
    message: str
    advice: str
    count: int = 1
    request_id: str | None = None
    subjects: tuple[str, ...] = ()
    affects: dict[str, tuple[str, ...]] = {}


class Table(msgspec.Struct, frozen=True, rename="camel"):
    """A table of a snapshot: its file beside the manifest, its number of rows, the file's SHA-256."""

    file: str
    rows: Count
    sha256: str


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What a snapshot says of itself.

    Objects are judged as of `started_at`; `calls` counts requests by action, retries included. `policies` are those that it
    was collected for; none in a snapshot that was not collected by reeve, which any policy may judge.
    """

    schema: str
    reeve_version: str
    account: str
    partition: str
    started_at: Instant
    finished_at: Instant
    calls: dict[str, Count]
    errors: tuple[CollectionError, ...]
    notes: tuple[str, ...]
    tables: dict[str, Table]
    policies: tuple[str, ...] = ()

    @property
    def calls_by_service(self) -> dict[str, int]:
        """The number of requests to each service."""
        found: dict[str, int] = {}
        for call, count in self.calls.items():
            service = call.partition(":")[0]
            found[service] = found.get(service, 0) + count
        return found


class _Head(msgspec.Struct, frozen=True):
    """What a manifest of any kind says first."""

    schema: str


D = TypeVar("D")


def decoded(path: Path, kind: type[D], schema: str, what: str, make: str, again: str) -> D:
    """Read a manifest of some kind.

    Args:
        path: the file.
        kind: the class of what it holds.
        schema: the schema that this version reads.
        what: what is not there, when there is no manifest.
        make: how to make it.
        again: what to do about a damaged one.

    Raises:
        SnapshotError: there is none, or it is not one that this version reads.
    """
    try:
        content = read_plain(path)
        head = msgspec.json.decode(content, type=_Head)
        if head.schema != schema:
            raise SnapshotError(f"{path} has the schema {head.schema!r}; this version of reeve reads {schema!r}")
        return msgspec.json.decode(content, type=kind)
    except OSError as error:
        raise SnapshotError(f"no {what} in {path.parent}: {(error.strerror or '').lower()}; {make}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SnapshotError(f"{path} is damaged: {error}; {again}") from None


def read_manifest(directory: Path) -> Manifest:
    """Read a snapshot's manifest, its times in UTC.

    Raises:
        SnapshotError: there is none, or it is not one that this version reads.
    """
    path = directory / MANIFEST
    manifest = decoded(path, Manifest, SCHEMA, "snapshot", "make one with `reeve collect --out DIR`", "collect again")
    for table in manifest.tables.values():
        if not TABLE_FILE.fullmatch(table.file):
            raise SnapshotError(f"{path} names the file {table.file!r}, which is none of a snapshot's")
    try:
        started_at, finished_at = manifest.started_at.astimezone(UTC), manifest.finished_at.astimezone(UTC)
    except OverflowError:
        raise SnapshotError(f"{path} is damaged: its times lie outside the calendar; collect again") from None
    return msgspec.structs.replace(manifest, started_at=started_at, finished_at=finished_at)
