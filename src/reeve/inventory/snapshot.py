"""Writes and reads a snapshot: a directory with one Parquet file per type and a manifest.

A kill at any moment leaves the old snapshot or the new one: tables get names of their own in each run, the manifest that
names them is put in place last, in one step, and only then the old tables are removed.
"""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.inventory.manifest import SCHEMA, Manifest, Table
from reeve.language.operations.base import NotCollected
from reeve.model import ObjectType

MANIFEST = "manifest.json"
LOCK = ".lock"
AS_OF, SOURCE, NOT_COLLECTED = "_asOf", "_source", "_notCollected"

_COLUMN_TYPES = {
    "Text": "VARCHAR",
    "Bytes": "VARCHAR",
    "Number": "DOUBLE",
    "Boolean": "BOOLEAN",
    "DateTime": "TIMESTAMPTZ",
    "Json": "VARCHAR",
}
_PROVENANCE = {AS_OF: "TIMESTAMPTZ", SOURCE: "VARCHAR", NOT_COLLECTED: "VARCHAR"}
_TABLE_FILE = re.compile(r"[A-Za-z0-9._-]+-[0-9a-f]{12}\.parquet(\.part)?")


class SnapshotError(Exception):
    """A snapshot can't be read or written; the message says why and what to do."""


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


def _columns(object_type: ObjectType) -> dict[str, str]:
    declared = {name: _COLUMN_TYPES.get(field.type, "VARCHAR[]") for name, field in object_type.fields.items()}
    return {**declared, **_PROVENANCE}


@contextmanager
def _connection() -> Generator[duckdb.DuckDBPyConnection]:
    config: dict[str, Any] = {"threads": 2, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


@contextmanager
def writing(directory: Path) -> Generator[None]:
    """Hold a directory for writing a snapshot, made if it is not there; one process at a time.

    Raises:
        SnapshotError: it can't be made or written, or another process is writing to it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SnapshotError(f"can't write to {directory}: {(error.strerror or '').lower()}; choose another --out") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another reeve is writing to {directory}; wait for it, or choose another --out"
            raise SnapshotError(message) from None
        yield
    finally:
        os.close(handle)


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
        with _connection() as connection:
            for object_type, records in tables:
                written[object_type.id] = _write_table(connection, directory, object_type, records)
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
    connection: duckdb.DuckDBPyConnection, directory: Path, object_type: ObjectType, records: Iterable[Record]
) -> Table:
    """Write one table by way of lines of JSON, which DuckDB turns into Parquet without holding all of them."""
    encoder, rows = msgspec.json.Encoder(), 0
    stem = f"{object_type.id}-{os.urandom(6).hex()}.parquet"
    target, part = directory / stem, directory / f"{stem}.part"
    columns = _columns(object_type)
    lines = directory / f".rows-{stem}.ndjson"
    try:
        with lines.open("wb", buffering=0) as file:
            for record in records:
                file.write(encoder.encode(_flat(record, columns)) + b"\n")
                rows += 1
        relation: Any = connection
        found = relation.read_json(str(lines), columns=columns, format="newline_delimited")
        found.write_parquet(str(part), compression="zstd")
    finally:
        lines.unlink(missing_ok=True)
    _sync(part)
    part.rename(target)
    return Table(stem, rows, _sha256(target))


def _flat(record: Record, columns: Mapping[str, str]) -> dict[str, Any]:
    row = {name: record.fields.get(name) for name in columns if name not in _PROVENANCE}
    missing = msgspec.json.encode(record.not_collected).decode() if record.not_collected else None
    return {**row, AS_OF: record.as_of, SOURCE: record.source, NOT_COLLECTED: missing}


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill, finds the old content or the new one.

    Raises:
        OSError: it could not be written; the old content is still there.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _named(directory: Path) -> set[str]:
    """Return the table files of the snapshot that is in place, none when there is none or it can't be read."""
    try:
        return {table.file for table in read_manifest(directory).tables.values()}
    except SnapshotError:
        return set()


def _remove_tables(directory: Path, keep: set[str]) -> None:
    for path in directory.iterdir():
        if path.name not in keep and (_TABLE_FILE.fullmatch(path.name) or path.name.startswith((".rows-", ".manifest.json-"))):
            path.unlink(missing_ok=True)


def read_manifest(directory: Path) -> Manifest:
    """Read a snapshot's manifest.

    Raises:
        SnapshotError: there is none, or it is not one that this version reads.
    """
    path = directory / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise SnapshotError(f"no snapshot in {directory}: {reason}; make one with `reeve collect --out DIR`") from None
    except msgspec.DecodeError as error:
        raise SnapshotError(f"{path} is damaged: {error}; collect again") from None
    if manifest.schema != SCHEMA:
        raise SnapshotError(f"{path} has the schema {manifest.schema!r}; this version of reeve reads {SCHEMA!r}")
    for table in manifest.tables.values():
        if not _TABLE_FILE.fullmatch(table.file):
            raise SnapshotError(f"{path} names the file {table.file!r}, which is none of a snapshot's")
    return manifest


def read_records(directory: Path, manifest: Manifest, object_type: ObjectType) -> Iterator[Record]:
    """Yield the objects of a type in a snapshot; fields that could not be read are `NotCollected`.

    Raises:
        SnapshotError: the table is missing, damaged, or of other columns than the type declares.
    """
    table = manifest.tables.get(object_type.id)
    if table is None:
        return
    path = directory / table.file
    try:
        if _sha256(path) != table.sha256:
            raise SnapshotError(f"{path} is damaged: its checksum is not the one in the manifest; collect again")
        yield from _rows(path, object_type)
    except FileNotFoundError:
        raise SnapshotError(f"{path} is missing; collect again") from None
    except (OSError, duckdb.Error) as error:
        raise SnapshotError(f"{path} can't be read: {str(error).splitlines()[0]}; collect again") from None


def _rows(path: Path, object_type: ObjectType) -> Iterator[Record]:
    columns = _columns(object_type)
    names = list(columns)
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    shown = ", ".join(
        f"epoch_us({column})" if columns[name] == "TIMESTAMPTZ" else column for name, column in zip(names, quoted, strict=True)
    )
    instants = [index for index, name in enumerate(names) if columns[name] == "TIMESTAMPTZ"]
    with _connection() as connection:
        result: Any = connection.execute(f"SELECT {shown} FROM read_parquet(?)", [str(path)])  # noqa: S608 - names are quoted
        while rows := result.fetchmany(2000):
            for row in rows:
                values = list(row)
                for index in instants:
                    if values[index] is not None:
                        values[index] = datetime.fromtimestamp(values[index] // 1_000_000, UTC).replace(
                            microsecond=values[index] % 1_000_000
                        )
                yield _record(dict(zip(names, values, strict=True)))


def _record(row: dict[str, Any]) -> Record:
    as_of, source, missing = row.pop(AS_OF), row.pop(SOURCE), row.pop(NOT_COLLECTED)
    reasons = msgspec.json.decode(missing, type=dict[str, str]) if missing else {}
    for name, reason in reasons.items():
        row[name] = NotCollected(reason)
    return Record(row, as_of, source, reasons)
