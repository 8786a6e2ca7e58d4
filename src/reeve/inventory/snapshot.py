"""Writes a part of a snapshot: a directory with a Parquet file for each type and account, and a manifest.

A kill at any moment leaves the old snapshot or the new one: tables get names of their own in each run, the manifest that
names them is put in place last, in one step, and only then the tables that it no longer names are removed.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve import __version__
from reeve.files import inside
from reeve.inventory.columns import kinds_of
from reeve.inventory.directory import replace_file, sha256, sync, why
from reeve.inventory.identity import identified
from reeve.inventory.manifest import (
    MANIFEST,
    SCHEMA,
    TABLE_FILE,
    Manifest,
    Part,
    SnapshotError,
    Table,
    normal,
    read_manifest,
)
from reeve.inventory.records import Record, columns_of
from reeve.inventory.tables import ACCOUNT, ARN, AS_OF, REGION, SOURCE, connection, exact
from reeve.language.kinds import FORMS
from reeve.language.unread import NOT_COLLECTED
from reeve.masking import masked
from reeve.model import ObjectType


def write_snapshot(
    directory: Path,
    part: Part,
    tables: Iterable[tuple[ObjectType, Iterable[Record]]],
    keep_others: bool = False,
    replacing: Callable[[], None] = lambda: None,
) -> Manifest:
    """Write the part of an account into a directory that is held by `writing`, in one step.

    Args:
        directory: where to.
        part: what there is to say of the account.
        tables: the records of each type, all of that account.
        keep_others: keep the parts of other accounts in the snapshot that is there; else that is replaced as a whole.
        replacing: called when the new one is about to take the old one's place, to remove what was made of that.

    Returns:
        The manifest as written.

    Raises:
        SnapshotError: something could not be written, or can't be added to what is there; that is still whole.
    """
    others = others_in(directory, part.account) if keep_others else None
    before = {path.name for path in directory.iterdir()}
    try:
        written: dict[str, Table] = {}
        with connection() as opened:
            for object_type, records in tables:
                own, errors = identified(object_type, records)
                part = msgspec.structs.replace(part, errors=(*part.errors, *errors))
                written[object_type.id] = _write_table(opened, directory, object_type, part.account, own)
        done = _together(others, _without_secrets(normal(part)), written)
        replacing()
        replace_file(directory / MANIFEST, msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n")
    except (OSError, duckdb.Error) as error:
        _remove_tables(directory, keep=before)
        reason = why(error) if isinstance(error, OSError) else str(error).splitlines()[0]
        raise SnapshotError(
            f"can't write the snapshot to {directory}: {reason}; free some space or choose another --out"
        ) from None
    except BaseException:
        _remove_tables(directory, keep=before)
        raise
    _remove_tables(directory, keep=_files(done))
    return done


def others_in(directory: Path, account: str | None = None) -> Manifest | None:
    """Return the snapshot that an account can be added to; None where there is none yet.

    Args:
        directory: where it is.
        account: the account that is to be added, None where that is not known yet.

    Raises:
        SnapshotError: it can't be read; or the account has no number, here or there, and may be one of the others.
    """
    if not (directory / MANIFEST).exists():
        return None
    found = read_manifest(directory)
    if account == "" or any(not part.account for part in found.parts):
        whose = "of this account" if account == "" else f"of the account in {directory}"
        message = f"the number {whose} could not be read, so that it can't be told from others"
        raise SnapshotError(f"{message}; collect into a directory of its own, without --add")
    return found


def _together(others: Manifest | None, part: Part, written: Mapping[str, Table]) -> Manifest:
    """Return the manifest of a part, beside the parts of other accounts."""
    parts = [] if others is None else [other for other in others.parts if other.account != part.account]
    tables: dict[str, tuple[Table, ...]] = {}
    for type_id, files in () if others is None else others.tables.items():
        tables[type_id] = tuple(file for file in files if file.account != part.account)
    for type_id, file in written.items():
        tables[type_id] = (*tables.get(type_id, ()), file)
    return Manifest(SCHEMA, __version__, (*parts, part), {type_id: files for type_id, files in tables.items() if files})


_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]")
"""What of a type's id the name of its table (`TABLE_FILE`) does not hold."""
_USUAL_LINE = 1 << 24
"""DuckDB reads lines of this many bytes; a longer one, of a single large object, must be announced."""


def _write_table(
    opened: duckdb.DuckDBPyConnection, directory: Path, object_type: ObjectType, account: str, records: Iterable[Record]
) -> Table:
    """Write an account's table by way of lines of JSON, which DuckDB turns into Parquet without holding all of them."""
    encoder, rows, longest = msgspec.json.Encoder(), 0, _USUAL_LINE
    stem = f"{_UNUSUAL.sub('_', object_type.id)[:100]}-{os.urandom(6).hex()}.parquet"
    target, part = inside(directory, stem), inside(directory, f"{stem}.part")
    columns, lined = columns_of(object_type), {name: FORMS[kind].to_line for name, kind in kinds_of(object_type).items()}
    lines = inside(directory, f".rows-{stem}.ndjson")
    try:
        with lines.open("wb", buffering=0) as file:
            for record in records:
                line = encoder.encode(_flat(record, lined)) + b"\n"
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
    return Table(stem, rows, sha256(target), account)


def _flat(record: Record, lined: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    values = ((name, to_line, record.fields.get(name)) for name, to_line in lined.items())
    row = {name: None if value is None else to_line(value) for name, to_line, value in values}
    reasons = {name: masked(reason) for name, reason in record.not_collected.items()}
    missing = msgspec.json.encode(reasons).decode() if reasons else None
    place = {ACCOUNT: record.account, REGION: record.region, ARN: record.arn}
    return {**row, **place, AS_OF: record.as_of, SOURCE: record.source, NOT_COLLECTED: missing}


def _without_secrets(part: Part) -> Part:
    errors = (msgspec.structs.replace(one, message=masked(one.message), advice=masked(one.advice)) for one in part.errors)
    return msgspec.structs.replace(part, errors=tuple(errors), notes=tuple(map(masked, part.notes)))


def _files(manifest: Manifest) -> set[str]:
    return {table.file for tables in manifest.tables.values() for table in tables}


def _remove_tables(directory: Path, keep: set[str]) -> None:
    for path in directory.iterdir():
        if path.name not in keep and (TABLE_FILE.fullmatch(path.name) or path.name.startswith(".rows-")):
            path.unlink(missing_ok=True)
