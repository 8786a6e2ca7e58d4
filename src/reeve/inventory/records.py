"""The objects of a snapshot: the columns of a type's table, and reading them."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
    connection,
    kinds_of_columns,
    parquet,
    table_files,
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
PROVENANCE = {
    ACCOUNT: "VARCHAR",
    REGION: "VARCHAR",
    ARN: "VARCHAR",
    AS_OF: "TIMESTAMPTZ",
    SOURCE: "VARCHAR",
    NOT_COLLECTED: "VARCHAR",
}
"""The columns that every table has, each with its type in DuckDB: where an object is, and how it was read."""
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
    declared = {name: _COLUMN_TYPES.get(field.type, "VARCHAR[]") for name, field in object_type.fields.items()}
    return {**declared, **PROVENANCE}


def read_records(
    directory: Path, manifest: Manifest, object_type: ObjectType, keys: Collection[tuple[str, str]] | None = None
) -> Iterator[Record]:
    """Yield the objects of a type in a snapshot, of all accounts; fields that could not be read are `NotCollected`.

    Args:
        directory: the snapshot's.
        manifest: what it says of itself.
        object_type: the type.
        keys: only the objects of these accounts and ids.

    Raises:
        SnapshotError: a table is missing, damaged, or of other columns than the type declares.
    """
    # Keys come from outcomes, which are of the whole table: whoever made them has looked at it.
    whole = keys is None
    files = checked_tables(directory, manifest, object_type) if whole else table_files(directory, manifest, object_type.id)
    try:
        yield from _rows(files, object_type, keys)
    except duckdb.Error as error:
        raise unreadable(files, error) from None


def _rows(files: Sequence[Path], object_type: ObjectType, keys: Collection[tuple[str, str]] | None) -> Iterator[Record]:
    kinds = kinds_of_columns(object_type)
    readers = {name: _READERS[kind] for name, kind in kinds.items() if kind in _READERS}
    with connection() as opened:
        found = columns_in(opened, files, kinds)
        shown = ", ".join(read_as(name, kind, found[name]) or "" for name, kind in kinds.items())
        query = f"SELECT {shown} FROM {parquet(files)}"  # noqa: S608 - names are quoted
        if keys is not None:
            own = f"({quoted(ACCOUNT)}, {quoted(object_type.id_field)})"
            query += f" WHERE {own} IN (SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]))"
        result: Any = opened.execute(query, None if keys is None else [[key[0] for key in keys], [key[1] for key in keys]])
        while rows := result.fetchmany(2000):
            for row in rows:
                values = dict(zip(kinds, row, strict=True))
                for name, read in readers.items():
                    if values[name] is not None:
                        values[name] = read(values[name])
                yield _record(values)


_READERS: Mapping[Kind, Callable[[Any], Any]] = {Kind.DATE_TIME: instant, Kind.JSON: json.loads}
"""What makes of a column's values those that the interpreter takes, by kind."""


def _record(row: dict[str, Any]) -> Record:
    account, region, arn = row.pop(ACCOUNT), row.pop(REGION), row.pop(ARN)
    as_of, source, missing = row.pop(AS_OF), row.pop(SOURCE), row.pop(NOT_COLLECTED)
    reasons = msgspec.json.decode(missing, type=dict[str, str]) if missing else {}
    for name, reason in reasons.items():
        row[name] = NotCollected(reason)
    return Record(row, account, region, arn, as_of, source, reasons)
