"""Writes a snapshot: a directory with one Parquet file per type and a manifest.

A kill at any moment leaves the old snapshot or the new one: tables get names of their own in each run, the manifest that
names them is put in place last, in one step, and only then the old tables are removed.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.files import inside
from reeve.inventory.directory import replace_file, sha256, sync, why
from reeve.inventory.identity import identified
from reeve.inventory.manifest import MANIFEST, TABLE_FILE, Manifest, SnapshotError, Table, read_manifest
from reeve.inventory.records import PROVENANCE, Record, columns_of
from reeve.inventory.tables import AS_OF, SOURCE, connection, exact
from reeve.language.unread import NOT_COLLECTED
from reeve.masking import masked
from reeve.model import ObjectType


def write_snapshot(
    directory: Path,
    manifest: Manifest,
    tables: Iterable[tuple[ObjectType, Iterable[Record]]],
    replacing: Callable[[], None] = lambda: None,
) -> Manifest:
    """Write a snapshot into a directory that is held by `writing`; the one that was there is replaced in one step.

    Args:
        directory: where to.
        manifest: everything but `tables`, which is filled in here.
        tables: the records of each type.
        replacing: called when the new one is about to take the old one's place, to remove what was made of that.

    Returns:
        The manifest as written.

    Raises:
        SnapshotError: something could not be written; what was there before is still whole.
    """
    try:
        written: dict[str, Table] = {}
        with connection() as opened:
            for object_type, records in tables:
                own, errors = identified(object_type, records)
                manifest = msgspec.structs.replace(manifest, errors=(*manifest.errors, *errors))
                written[object_type.id] = _write_table(opened, directory, object_type, own)
        done = msgspec.structs.replace(_without_secrets(manifest), tables=written)
        replacing()
        replace_file(directory / MANIFEST, msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n")
    except (OSError, duckdb.Error) as error:
        _remove_tables(directory, keep=_named(directory))
        reason = why(error) if isinstance(error, OSError) else str(error).splitlines()[0]
        raise SnapshotError(
            f"can't write the snapshot to {directory}: {reason}; free some space or choose another --out"
        ) from None
    except BaseException:
        _remove_tables(directory, keep=_named(directory))
        raise
    _remove_tables(directory, keep={table.file for table in written.values()})
    return done


_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]")
"""What of a type's id the name of its table (`TABLE_FILE`) does not hold."""
_USUAL_LINE = 1 << 24
"""DuckDB reads lines of this many bytes; a longer one, of a single large object, must be announced."""


def _write_table(
    opened: duckdb.DuckDBPyConnection, directory: Path, object_type: ObjectType, records: Iterable[Record]
) -> Table:
    """Write one table by way of lines of JSON, which DuckDB turns into Parquet without holding all of them."""
    encoder, rows, longest = msgspec.json.Encoder(), 0, _USUAL_LINE
    stem = f"{_UNUSUAL.sub('_', object_type.id)[:100]}-{os.urandom(6).hex()}.parquet"
    target, part = inside(directory, stem), inside(directory, f"{stem}.part")
    columns = columns_of(object_type)
    in_json = [name for name, field in object_type.fields.items() if field.type == "Json"]
    lines = inside(directory, f".rows-{stem}.ndjson")
    try:
        with lines.open("wb", buffering=0) as file:
            for record in records:
                line = encoder.encode(_flat(record, columns, in_json)) + b"\n"
                file.write(line)
                rows, longest = rows + 1, max(longest, len(line))
        relation: Any = opened
        size = {"maximum_object_size": longest + 1}
        found = relation.read_json(exact(lines), columns=columns, format="newline_delimited", hive_partitioning=False, **size)
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
    reasons = {name: masked(reason) for name, reason in record.not_collected.items()}
    missing = msgspec.json.encode(reasons).decode() if reasons else None
    return {**row, AS_OF: record.as_of, SOURCE: record.source, NOT_COLLECTED: missing}


def _without_secrets(manifest: Manifest) -> Manifest:
    errors = (msgspec.structs.replace(one, message=masked(one.message), advice=masked(one.advice)) for one in manifest.errors)
    return msgspec.structs.replace(manifest, errors=tuple(errors), notes=tuple(map(masked, manifest.notes)))


def _named(directory: Path) -> set[str]:
    """Return the table files of the snapshot that is in place, none when there is none or it can't be read."""
    try:
        return {table.file for table in read_manifest(directory).tables.values()}
    except SnapshotError:
        return set()


def _remove_tables(directory: Path, keep: set[str]) -> None:
    for path in directory.iterdir():
        if path.name not in keep and (TABLE_FILE.fullmatch(path.name) or path.name.startswith(".rows-")):
            path.unlink(missing_ok=True)
