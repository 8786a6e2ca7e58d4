"""Writes a part of a snapshot: a directory with a Parquet file for each type and account, and a manifest.

A kill at any moment leaves the old snapshot or the new one: tables get names of their own in each run, the manifest that
names them is put in place last, in one step, and only then the tables that it no longer names are removed.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve import __version__
from reeve.files import inside
from reeve.inventory.columns import kinds_of
from reeve.inventory.directory import replace_file, sha256, sync, why
from reeve.inventory.identity import identified
from reeve.inventory.lines import LINES, write_rows
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
from reeve.inventory.tables import ACCOUNT, ARN, AS_OF, REGION, SOURCE, connection
from reeve.language.kinds import FORMS
from reeve.language.unread import NOT_COLLECTED
from reeve.masking import masked
from reeve.model import ObjectType

Tables = Iterable[tuple[ObjectType, Iterable[Record]]]
"""The records of each type."""


def write_snapshot(
    directory: Path,
    parts: Sequence[tuple[Part, Tables]],
    keep_others: bool = False,
    replacing: Callable[[], None] = lambda: None,
) -> Manifest:
    """Write the parts of one account, or of several, into a directory that is held by `writing`, in one step.

    Args:
        directory: where to.
        parts: one at least: what there is to say of each account, and its records; no two of one account.
        keep_others: keep the parts of other accounts in the snapshot that is there; else that is replaced as a whole.
        replacing: called when the new one is about to take the old one's place, to remove what was made of that.

    Returns:
        The manifest as written.

    Raises:
        SnapshotError: something could not be written, or can't be added to what is there; that is still whole.
    """
    others = [others_in(directory, part.account, part.provider) for part, _ in parts] if keep_others else [None]
    before = {path.name for path in directory.iterdir()}
    try:
        done = others[0] or Manifest(SCHEMA, __version__, (), {})
        with connection() as opened:
            for part, tables in parts:
                done = _together(done, *_write_part(opened, directory, part, tables))
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


def others_in(directory: Path, account: str | None = None, provider: str | None = None) -> Manifest | None:
    """Return the snapshot that an account can be added to; None where there is none yet.

    Args:
        directory: where it is.
        account: the account that is to be added, None where that is not known yet.
        provider: whose account it is, if that is known.

    Raises:
        SnapshotError: it can't be read; or the account has no number, here or there, and may be one of the others; or it has
            the number of another provider's.
    """
    if not (directory / MANIFEST).exists():
        return None
    found = read_manifest(directory)
    if account == "" or any(not part.account for part in found.parts):
        whose = "of this account" if account == "" else f"of the account in {directory}"
        message = f"the number {whose} could not be read, so that it can't be told from others"
        raise SnapshotError(f"{message}; collect into a directory of its own, without --add")
    if provider is not None and any(part.account == account and part.provider != provider for part in found.parts):
        message = f"{directory} holds an account {account} of another provider, from which this one can't be told"
        raise SnapshotError(f"{message}; collect into a directory of its own, without --add")
    return found


def _together(others: Manifest, part: Part, written: Mapping[str, Table]) -> Manifest:
    """Return the manifest of a part, beside the parts of other accounts."""
    parts = [other for other in others.parts if other.account != part.account]
    tables: dict[str, tuple[Table, ...]] = {}
    for type_id, files in others.tables.items():
        tables[type_id] = tuple(file for file in files if file.account != part.account)
    for type_id, file in written.items():
        tables[type_id] = (*tables.get(type_id, ()), file)
    return Manifest(SCHEMA, __version__, (*parts, part), {type_id: files for type_id, files in tables.items() if files})


_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]")
"""What of a type's id the name of its table (`TABLE_FILE`) does not hold."""


def _write_part(
    opened: duckdb.DuckDBPyConnection, directory: Path, part: Part, tables: Tables
) -> tuple[Part, dict[str, Table]]:
    """Write the tables of an account; return what there is to say of it then, and the files by type."""
    written: dict[str, Table] = {}
    for object_type, records in tables:
        own, errors = identified(object_type, records)
        part = msgspec.structs.replace(part, errors=(*part.errors, *errors))
        written[object_type.id] = _write_table(opened, directory, object_type, part.account, own)
    return _without_secrets(normal(part)), written


def _write_table(
    opened: duckdb.DuckDBPyConnection, directory: Path, object_type: ObjectType, account: str, records: Iterable[Record]
) -> Table:
    """Write an account's table."""
    stem = f"{_UNUSUAL.sub('_', object_type.id)[:100]}-{os.urandom(6).hex()}.parquet"
    target, part = inside(directory, stem), inside(directory, f"{stem}.part")
    columns, lined = columns_of(object_type), {name: FORMS[kind].to_line for name, kind in kinds_of(object_type).items()}
    rows = write_rows(opened, part, columns, (_flat(record, lined) for record in records))
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
        if path.name not in keep and (TABLE_FILE.fullmatch(path.name) or path.name.startswith(LINES)):
            path.unlink(missing_ok=True)
