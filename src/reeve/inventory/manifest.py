"""The manifest of a snapshot: which accounts it is of, when they were read, which calls were made, what could not be read."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from reeve.files import read_plain
from reeve.model import ObjectType, Place

SCHEMA = "reeve.snapshot/2"
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
    the whole type, of which objects may be missing. Without `affects` it may be anything. `account` is that of the part.
    """

    call: str
    code: str
    message: str
    advice: str
    count: int = 1
    request_id: str | None = None
    subjects: tuple[str, ...] = ()
    affects: dict[str, tuple[str, ...]] = {}
    account: str = ""


class Table(msgspec.Struct, frozen=True, rename="camel"):
    """A file of a type's table: its name beside the manifest, its number of rows, its SHA-256, the account all rows are of."""

    file: str
    rows: Count
    sha256: str
    account: str


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """What a snapshot says of one account: how and when it was read.

    `provider` is the first part of its types' ids, `account` the number, empty where it could not be read, `account_name` what
    people call it, None where it has no name or that could not be read. `calls` counts requests by action, retries included.
    `policies` are those that it was collected for; none where it was not collected by reeve: any policy may judge it.
    """

    provider: str
    account: str
    account_name: str | None
    partition: str
    started_at: Instant
    finished_at: Instant
    calls: dict[str, Count]
    errors: tuple[CollectionError, ...]
    notes: tuple[str, ...]
    policies: tuple[str, ...] = ()

    def place(self, object_type: ObjectType, region: str, arn: str | None) -> Place:
        """Return the place of an object of this account, of which its record says the region and the ARN."""
        return Place(self.provider, self.account, self.account_name, self.partition, region, object_type.service, arn)


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What a snapshot says of itself: a part for each account, no two of one number, and the files of each type's table."""

    schema: str
    reeve_version: str
    parts: tuple[Part, ...]
    tables: dict[str, tuple[Table, ...]]

    @property
    def moment(self) -> datetime:
        """When all objects are judged: when the reading of the latest part began, in UTC."""
        return max(part.started_at for part in self.parts)

    @property
    def finished_at(self) -> datetime:
        """When the reading of the last part ended, in UTC."""
        return max(part.finished_at for part in self.parts)

    @property
    def accounts(self) -> str:
        """The numbers of the accounts, for whoever reads it."""
        return ", ".join(part.account or "unknown" for part in self.parts)

    @property
    def errors(self) -> tuple[CollectionError, ...]:
        """What could not be read, of all accounts."""
        return tuple(error for part in self.parts for error in part.errors)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of how accounts were read, each thing once."""
        return tuple(dict.fromkeys(note for part in self.parts for note in part.notes))

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies that some account was collected for; none where any policy may judge some account."""
        if not all(part.policies for part in self.parts):
            return ()
        return tuple(dict.fromkeys(policy for part in self.parts for policy in part.policies))

    @property
    def calls(self) -> dict[str, int]:
        """The number of requests by action, of all accounts."""
        return _summed(entry for part in self.parts for entry in part.calls.items())

    @property
    def calls_by_service(self) -> dict[str, int]:
        """The number of requests to each service."""
        return _summed((call.partition(":")[0], count) for call, count in self.calls.items())

    def rows(self, type_id: str) -> int:
        """Return how many objects of a type there are."""
        return sum(table.rows for table in self.tables.get(type_id, ()))

    def part(self, account: str) -> Part:
        """Return the part of an account.

        Raises:
            KeyError: there is none.
        """
        found = next((part for part in self.parts if part.account == account), None)
        if found is None:
            raise KeyError(account)
        return found

    def without(self, type_id: str) -> tuple[str, ...]:
        """Return the accounts of a type's providers that have no table of the type: its objects there were not read.

        Its provider is the first part of its id; and as not all ids begin with one, whoever's accounts have objects of it.
        """
        known = {table.account for table in self.tables.get(type_id, ())}
        providers = {type_id.partition(".")[0], *(part.provider for part in self.parts if part.account in known)}
        return tuple(part.account for part in self.parts if part.provider in providers and part.account not in known)

    def partly(self, type_id: str) -> tuple[str, ...]:
        """Return the accounts that may have objects of a type which their tables lack, as a list of them could not be read."""
        known = {table.account for table in self.tables.get(type_id, ())}
        return tuple(part.account for part in self.parts if part.account in known and _lacks(part.errors, type_id))


def _lacks(errors: Iterable[CollectionError], type_id: str) -> bool:
    return any(not error.affects or error.affects.get(type_id) == () for error in errors)


def _summed(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in counts:
        found[name] = found.get(name, 0) + count
    return dict(sorted(found.items()))


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
            message = f"{path} has the schema {head.schema!r}, which this version of reeve doesn't read: it reads {schema!r}"
            raise SnapshotError(f"{message}; {again}")
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
    for table in (table for tables in manifest.tables.values() for table in tables):
        if not TABLE_FILE.fullmatch(table.file):
            raise SnapshotError(f"{path} names the file {table.file!r}, which is none of a snapshot's")
    if wrong := _damage(manifest):
        raise SnapshotError(f"{path} is damaged: {wrong}; collect again")
    try:
        return msgspec.structs.replace(manifest, parts=tuple(map(normal, manifest.parts)))
    except OverflowError:
        raise SnapshotError(f"{path} is damaged: its times lie outside the calendar; collect again") from None


def normal(part: Part) -> Part:
    """Return a part with its times in UTC, whose errors say which account they are of.

    Raises:
        OverflowError: a time lies outside the calendar.
    """
    errors = tuple(msgspec.structs.replace(error, account=part.account) for error in part.errors)
    started_at, finished_at = part.started_at.astimezone(UTC), part.finished_at.astimezone(UTC)
    return msgspec.structs.replace(part, started_at=started_at, finished_at=finished_at, errors=errors)


def _damage(manifest: Manifest) -> str | None:
    """Return what is wrong with what a manifest says of accounts, if something is."""
    accounts = [part.account for part in manifest.parts]
    if not accounts:
        return "it is of no account"
    repeated = next((account for account in accounts if accounts.count(account) > 1), None)
    if repeated is not None:
        return f"it has several parts for the account {repeated!r}"
    if len(accounts) > 1 and "" in accounts:
        return "it has a part without an account's number beside others"
    files = [table.file for tables in manifest.tables.values() for table in tables]
    if len(files) != len(set(files)):
        return "it names a file twice"
    known = set(accounts)
    strange = (table.account for tables in manifest.tables.values() for table in tables if table.account not in known)
    return next((f"it has a table of the account {account!r}, but no part" for account in strange), None)
