"""The objects of a snapshot: the columns of a type's table, and reading them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.inventory.columns import quoted, read_as
from reeve.inventory.manifest import Manifest
from reeve.inventory.tables import (
    ACCOUNT,
    ARN,
    AS_OF,
    REGION,
    SOURCE,
    checked_tables,
    columns_in,
    kinds_of_columns,
    parquet,
    unreadable,
)
from reeve.language.kinds import FORMS, unchanged
from reeve.language.types import Kind
from reeve.language.unread import NOT_COLLECTED, NotCollected
from reeve.model import ObjectType

GLOBAL = "global"
"""The region of what is in none."""


@dataclass(frozen=True, slots=True)
class Record:
    """One object as it was collected.

    `fields` by name; `account` its number, empty where it is not known, `region` where it is, or `GLOBAL`, `arn` its full name,
    None where it could not be read; `as_of` when the fields were so, `source` the API call that said it, `not_collected` the
    reasons for the fields that could not be read. Account and id together tell it from every other object of its type.
    """

    fields: Mapping[str, Any]
    account: str
    region: str
    arn: str | None
    as_of: datetime
    source: str
    not_collected: Mapping[str, str]

    def name(self, object_type: ObjectType) -> str | None:
        """Return the name that a person knows the object by; None where it has none, or it could not be read."""
        found = self.fields.get(object_type.name_field)
        return str(found) if found and not isinstance(found, NotCollected) else None


def columns_of(object_type: ObjectType) -> dict[str, str]:
    """Return the columns of a type's table, each with its type in DuckDB."""
    return {name: FORMS[kind].stored for name, kind in kinds_of_columns(object_type).items()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objects of a type are to be read: those whose `field` has one of some texts, in some accounts or (None) in all."""

    field: str
    values: Collection[str]
    accounts: Collection[str] | None = None


class Reader:
    """Reads the objects of a snapshot by one connection; a type's files are looked at once, before they are read."""

    def __init__(self, directory: Path, manifest: Manifest, opened: duckdb.DuckDBPyConnection) -> None:
        self._directory, self._manifest, self._opened = directory, manifest, opened
        self._files: dict[str, list[Path]] = {}
        self._shown: dict[str, str] = {}
        self._without: dict[str, frozenset[str]] = {}
        self._partly: dict[str, frozenset[str]] = {}

    def size(self, type_id: str) -> int:
        """Return how many objects of a type there are."""
        return self._manifest.rows(type_id)

    def without(self, type_id: str) -> frozenset[str]:
        """Return the accounts in which the objects of a type were not read."""
        if type_id not in self._without:
            self._without[type_id] = frozenset(self._manifest.without(type_id))
        return self._without[type_id]

    def partly(self, type_id: str) -> frozenset[str]:
        """Return the accounts whose tables of a type may lack some objects."""
        if type_id not in self._partly:
            self._partly[type_id] = frozenset(self._manifest.partly(type_id))
        return self._partly[type_id]

    def files(self, object_type: ObjectType, distinct: bool = False) -> list[Path]:
        """Return a type's files, after a look at what must hold in them (`checked_tables`).

        Raises:
            SnapshotError: there are none, or something does not hold.
        """
        if object_type.id not in self._files:
            self._files[object_type.id] = checked_tables(self._directory, self._manifest, object_type, distinct)
        return self._files[object_type.id]

    def records(self, object_type: ObjectType, wanted: Wanted | None = None) -> Iterator[Record]:
        """Yield the objects of a type, of all accounts, or the wanted ones; fields that could not be read are `NotCollected`.

        Raises:
            SnapshotError: a table is missing, damaged, or of other columns than the type declares.
        """
        files = self.files(object_type)
        if wanted is not None and wanted.accounts is not None:
            tables = self._manifest.tables[object_type.id]
            files = [path for path, table in zip(files, tables, strict=True) if table.account in wanted.accounts]
        if not files:
            return
        kinds = kinds_of_columns(object_type)
        decoders = {name: FORMS[kind].from_column for name, kind in kinds.items()}
        readers = {name: read for name, read in decoders.items() if read is not unchanged}
        try:
            for row in self._rows(object_type, files, kinds, wanted):
                values = dict(zip(kinds, row, strict=True))
                for name, read in readers.items():
                    if values[name] is not None:
                        values[name] = read(values[name])
                yield _record(values)
        except duckdb.Error as error:
            raise unreadable(files, error) from None

    def _rows(
        self, object_type: ObjectType, files: Sequence[Path], kinds: Mapping[str, Kind], wanted: Wanted | None
    ) -> Iterator[tuple[Any, ...]]:
        # A connection's next query ends the one before; a cursor's doesn't.
        with self._opened.cursor() as cursor:
            if object_type.id not in self._shown:
                found = columns_in(cursor, files, kinds)
                self._shown[object_type.id] = ", ".join(read_as(name, kind, found[name]) or "" for name, kind in kinds.items())
            query = f"SELECT {self._shown[object_type.id]} FROM {parquet(files)}"  # noqa: S608 - names are quoted
            given: list[Any] = []
            if wanted is not None:
                query, given = f"{query} WHERE {quoted(wanted.field)} IN (SELECT unnest(?::VARCHAR[]))", [list(wanted.values)]
            cursor.execute(query, given)
            while rows := cursor.fetchmany(_FETCHED):
                yield from rows


_FETCHED = 2000


def _record(row: dict[str, Any]) -> Record:
    account, region, arn = row.pop(ACCOUNT), row.pop(REGION), row.pop(ARN)
    as_of, source, missing = row.pop(AS_OF), row.pop(SOURCE), row.pop(NOT_COLLECTED)
    reasons = msgspec.json.decode(missing, type=dict[str, str]) if missing else {}
    for name, reason in reasons.items():
        row[name] = NotCollected(reason)
    return Record(row, account, region, arn, as_of, source, reasons)
