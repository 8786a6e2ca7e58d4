"""Writes a snapshot: a directory with one Parquet file per type and a manifest.

A kill at any moment leaves the old snapshot or the new one: tables get names of their own in each run, the manifest that
names them is put in place last, in one step, and only then the old tables are removed.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.inventory.directory import replace_file, sha256, sync
from reeve.inventory.manifest import MANIFEST, TABLE_FILE, Manifest, SnapshotError, Table, read_manifest
from reeve.inventory.records import AS_OF, PROVENANCE, SOURCE, Record, columns_of, connection
from reeve.language.operations.base import NOT_COLLECTED
from reeve.model import ObjectType


def write_snapshot(directory: Path, manifest: Manifest, tables: Iterable[tuple[ObjectType, Iterable[Record]]]) -> Manifest:
    """Write a snapshot into a directory that is held by `writing`; the one that was there is replaced in one step.

    Args:
        directory: where to.
        manifest: everything but `tables`, which is filled in here.
        tables: the records of each type.

    Returns:
        The manifest as written.

    Raises:
        SnapshotError: something could not be written; what was there before is still whole.
    """
    try:
        written: dict[str, Table] = {}
        with connection() as opened:
            for object_type, records in tables:
                written[object_type.id] = _write_table(opened, directory, object_type, records)
        done = msgspec.structs.replace(manifest, tables=written)
        replace_file(directory / MANIFEST, msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n")
    except (OSError, duckdb.Error) as error:
        _remove_tables(directory, keep=_named(directory))
        reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise SnapshotError(
            f"can't write the snapshot to {directory}: {reason}; free some space or choose another --out"
        ) from None
    except BaseException:
        _remove_tables(directory, keep=_named(directory))
        raise
    _remove_tables(directory, keep={table.file for table in written.values()})
    return done


def _write_table(
    opened: duckdb.DuckDBPyConnection, directory: Path, object_type: ObjectType, records: Iterable[Record]
) -> Table:
    """Write one table by way of lines of JSON, which DuckDB turns into Parquet without holding all of them."""
    encoder, rows = msgspec.json.Encoder(), 0
    stem = f"{object_type.id}-{os.urandom(6).hex()}.parquet"
    target, part = directory / stem, directory / f"{stem}.part"
    columns = columns_of(object_type)
    in_json = [name for name, field in object_type.fields.items() if field.type == "Json"]
    lines = directory / f".rows-{stem}.ndjson"
    try:
        with lines.open("wb", buffering=0) as file:
            for record in records:
                file.write(encoder.encode(_flat(record, columns, in_json)) + b"\n")
                rows += 1
        relation: Any = opened
        found = relation.read_json(str(lines), columns=columns, format="newline_delimited")
        found.write_parquet(str(part), compression="zstd")
    finally:
        lines.unlink(missing_ok=True)
    sync(part)
    part.rename(target)
    return Table(stem, rows, sha256(target))


def _flat(record: Record, columns: Mapping[str, str], in_json: Iterable[str]) -> dict[str, Any]:
    row = {name: record.fields.get(name) for name in columns if name not in PROVENANCE}
    for name in in_json:
        if row[name] is not None:
            row[name] = msgspec.json.encode(row[name]).decode()
    missing = msgspec.json.encode(record.not_collected).decode() if record.not_collected else None
    return {**row, AS_OF: record.as_of, SOURCE: record.source, NOT_COLLECTED: missing}


def _named(directory: Path) -> set[str]:
    """Return the table files of the snapshot that is in place, none when there is none or it can't be read."""
    try:
        return {table.file for table in read_manifest(directory).tables.values()}
    except SnapshotError:
        return set()


def _remove_tables(directory: Path, keep: set[str]) -> None:
    for path in directory.iterdir():
        if path.name not in keep and (TABLE_FILE.fullmatch(path.name) or path.name.startswith((".rows-", ".manifest.json-"))):
            path.unlink(missing_ok=True)
