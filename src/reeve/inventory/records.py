"""The objects of a snapshot: the columns of a type's table, and reading them."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.inventory.columns import kinds_of, quoted, reading, wrong_column
from reeve.inventory.directory import sha256
from reeve.inventory.manifest import Manifest, SnapshotError
from reeve.language.columns import instant
from reeve.language.operations.base import NOT_COLLECTED, NotCollected
from reeve.language.types import Kind
from reeve.model import ObjectType

AS_OF, SOURCE = "_asOf", "_source"

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


def columns_of(object_type: ObjectType) -> dict[str, str]:
    """Return the columns of a type's table, each with its type in DuckDB."""
    declared = {name: _COLUMN_TYPES.get(field.type, "VARCHAR[]") for name, field in object_type.fields.items()}
    return {**declared, **PROVENANCE}


@contextmanager
def connection() -> Generator[duckdb.DuckDBPyConnection]:
    """Open an engine for a table or two, with nothing that would be downloaded."""
    config: dict[str, Any] = {"threads": 2, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    opened = duckdb.connect(":memory:", config=config)
    try:
        opened.execute("SET enable_progress_bar = false")
        yield opened
    finally:
        opened.close()


def table_path(directory: Path, manifest: Manifest, type_id: str) -> Path:
    """Return where a type's table lies, whole.

    Raises:
        SnapshotError: the snapshot has no such table, or it is missing or damaged.
    """
    table = manifest.tables.get(type_id)
    if table is None:
        message = f"the snapshot in {directory} holds no {type_id}, which a policy reads"
        raise SnapshotError(f"{message}; collect again, or choose policies with --policy")
    path = directory / table.file
    try:
        if sha256(path) != table.sha256:
            raise SnapshotError(f"{path} is damaged: its checksum is not the one in the manifest; collect again")
    except FileNotFoundError:
        raise SnapshotError(f"{path} is missing; collect again") from None
    except OSError as error:
        raise SnapshotError(f"{path} can't be read: {(error.strerror or '').lower()}; collect again") from None
    return path


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
    path = table_path(directory, manifest, object_type.id)
    try:
        yield from _rows(path, object_type, ids)
    except duckdb.Error as error:
        raise SnapshotError(f"{path} can't be read: {str(error).splitlines()[0]}; collect again") from None


def _rows(path: Path, object_type: ObjectType, ids: Sequence[str] | None) -> Iterator[Record]:
    kinds = {**kinds_of(object_type), AS_OF: Kind.DATE_TIME, SOURCE: Kind.TEXT, NOT_COLLECTED: Kind.TEXT}
    readers = {name: _READERS[kind] for name, kind in kinds.items() if kind in _READERS}
    with connection() as opened:
        found = {row[0]: row[1] for row in opened.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()}
        shown = ", ".join(_shown(path, name, kind, found.get(name)) for name, kind in kinds.items())
        query, given = f"SELECT {shown} FROM read_parquet(?)", [str(path)]  # noqa: S608 - names are quoted
        if ids is not None:
            query += f" WHERE {quoted(object_type.id_field)} IN (SELECT unnest(?::VARCHAR[]))"
        result: Any = opened.execute(query, given if ids is None else [*given, list(ids)])
        while rows := result.fetchmany(2000):
            for row in rows:
                values = dict(zip(kinds, row, strict=True))
                for name, read in readers.items():
                    if values[name] is not None:
                        values[name] = read(values[name])
                yield _record(values)


def _shown(path: Path, name: str, kind: Kind, found: str | None) -> str:
    read = reading(name, kind, found)
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
