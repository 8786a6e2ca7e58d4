"""The objects of a snapshot: the columns of a type's table, and reading them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.inventory.columns import quoted, read_as, wrong_column
from reeve.inventory.manifest import Manifest, SnapshotError
from reeve.inventory.tables import (
    AS_OF,
    SOURCE,
    checked_table,
    connection,
    described,
    kinds_of_columns,
    parquet,
    table_path,
    unreadable,
)
from reeve.language.columns import instant
from reeve.language.types import Kind
from reeve.language.unread import NOT_COLLECTED, NotCollected
from reeve.model import ObjectType

_COLUMN_TYPES = {
    "Text": "VARCHAR",
    "Bytes": "VARCHAR",
    "Number": "DOUBLE",
    "Boolean": "BOOLEAN",
    "DateTime": "TIMESTAMPTZ",
    "Json": "VARCHAR",
}
PROVENANCE = {AS_OF: "TIMESTAMPTZ", SOURCE: "VARCHAR", NOT_COLLECTED: "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Record:
    """One object as it was collected.

    `fields` by name, `as_of` when they were so, `source` the API call that said it, `not_collected` the reasons for the
    fields that could not be read.
    """

    fields: Mapping[str, Any]
    as_of: datetime
    source: str
    not_collected: Mapping[str, str]

    def name(self, object_type: ObjectType) -> str | None:
        """Return the name that a person knows the object by; None where it has none, or it could not be read."""
        found = self.fields.get(object_type.name_field)
        return str(found) if found and not isinstance(found, NotCollected) else None


def columns_of(object_type: ObjectType) -> dict[str, str]:
    """Return the columns of a type's table, each with its type in DuckDB."""
    declared = {name: _COLUMN_TYPES.get(field.type, "VARCHAR[]") for name, field in object_type.fields.items()}
    return {**declared, **PROVENANCE}


def read_records(
    directory: Path, manifest: Manifest, object_type: ObjectType, ids: Sequence[str] | None = None
) -> Iterator[Record]:
    """Yield the objects of a type in a snapshot; fields that could not be read are `NotCollected`.

    Args:
        directory: the snapshot's.
        manifest: what it says of itself.
        object_type: the type.
        ids: only the objects of these ids.

    Raises:
        SnapshotError: the table is missing, damaged, or of other columns than the type declares.
    """
    # Ids come from outcomes, which are of the whole table: whoever made them has looked at it.
    path = checked_table(directory, manifest, object_type) if ids is None else table_path(directory, manifest, object_type.id)
    try:
        yield from _rows(path, object_type, ids)
    except duckdb.Error as error:
        raise unreadable(path, error) from None


def _rows(path: Path, object_type: ObjectType, ids: Sequence[str] | None) -> Iterator[Record]:
    kinds, source = kinds_of_columns(object_type), parquet([path])
    readers = {name: _READERS[kind] for name, kind in kinds.items() if kind in _READERS}
    with connection() as opened:
        found = described(opened, source)
        shown = ", ".join(_shown(path, name, kind, found.get(name)) for name, kind in kinds.items())
        query = f"SELECT {shown} FROM {source}"  # noqa: S608 - names are quoted
        if ids is not None:
            query += f" WHERE {quoted(object_type.id_field)} IN (SELECT unnest(?::VARCHAR[]))"
        result: Any = opened.execute(query, None if ids is None else [list(ids)])
        while rows := result.fetchmany(2000):
            for row in rows:
                values = dict(zip(kinds, row, strict=True))
                for name, read in readers.items():
                    if values[name] is not None:
                        values[name] = read(values[name])
                yield _record(values)


def _shown(path: Path, name: str, kind: Kind, found: str | None) -> str:
    read = read_as(name, kind, found)
    if read is None:
        raise SnapshotError(wrong_column(str(path), name, kind, found))
    return read


_READERS: Mapping[Kind, Callable[[Any], Any]] = {Kind.DATE_TIME: instant, Kind.JSON: json.loads}
"""What makes of a column's values those that the interpreter takes, by kind."""


def _record(row: dict[str, Any]) -> Record:
    as_of, source, missing = row.pop(AS_OF), row.pop(SOURCE), row.pop(NOT_COLLECTED)
    reasons = msgspec.json.decode(missing, type=dict[str, str]) if missing else {}
    for name, reason in reasons.items():
        row[name] = NotCollected(reason)
    return Record(row, as_of, source, reasons)
