"""Snapshots of any size for benchmarks, made by DuckDB in the form that `reeve collect` writes."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from reeve import __version__
from reeve.inventory.columns import sql_name
from reeve.inventory.manifest import MANIFEST, SCHEMA, Manifest, Part, Table
from reeve.inventory.records import columns_of
from reeve.inventory.tables import ROW_GROUP, kinds_of_columns
from reeve.language.rows import says_disappeared
from reeve.language.types import Kind
from reeve.model import ObjectType

STARTED = datetime(2026, 1, 31, 12, tzinfo=UTC)
_STATEMENT = '{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::'
_POLICY = f"""'{{"Version":"2012-10-17","Statement":[{_STATEMENT}' || i % 50 || '/*"}}]}}'"""
VALUES = {
    "VARCHAR": "'value ' || i % 7",
    "VARCHAR[]": "['value ' || i % 7]",
    "BOOLEAN": "i % 3 = 0",
    "DOUBLE": "(i % 9)::DOUBLE",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ '2026-01-31 12:00:00+00' - to_days((i % 400)::INTEGER)",
}
"""What a column of a type of DuckDB holds, where nothing else is said, of the object of number `i`."""


def identifier(type_id: str, number: str) -> str:
    """Return the SQL of the id of the object of some number."""
    return f"'{type_id.rpartition('.')[2].lower()}-' || lpad(({number})::VARCHAR, 9, '0')"


def write_snapshot(
    directory: Path,
    object_types: Iterable[ObjectType],
    accounts: int,
    rows: Mapping[str, int],
    values: Mapping[str, Mapping[str, str]],
) -> None:
    """Write a snapshot of accounts with the same number of objects.

    Args:
        directory: where to; it is new.
        object_types: the types.
        accounts: how many accounts.
        rows: by the id of a type, how many objects of it an account has.
        values: by the id of a type and the name of a field, the SQL of its value; `i` is the object's number, from 0 on.
    """
    directory.mkdir(parents=True)
    types = {one.id: one for one in object_types}
    keys = _foreign_keys(types.values())
    tables: dict[str, tuple[Table, ...]] = {}
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for type_id, object_type in types.items():
            found: list[Table] = []
            for account in range(accounts):
                own = dict(values.get(type_id, {}))
                for name, parent in keys.get(type_id, {}).items():
                    if parent in rows:
                        own.setdefault(name, identifier(parent, f"{account * rows[parent]} + i % {rows[parent]}"))
                path = directory / f"{type_id}-{account:012x}.parquet"
                first, last = account * rows[type_id], (account + 1) * rows[type_id]
                connection.execute(
                    f"COPY (SELECT {_columns(object_type, f'{account + 1:012}', own)} FROM range({first}, {last}) t(i)) "
                    f"TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
                )
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found.append(Table(path.name, rows[type_id], digest, f"{account + 1:012}"))
            tables[type_id] = tuple(found)
    parts = tuple(
        Part("aws", f"{account + 1:012}", None, "aws", STARTED, STARTED, {"iam:ListUsers": 1}, (), ())
        for account in range(accounts)
    )
    (directory / MANIFEST).write_bytes(msgspec.json.encode(Manifest(SCHEMA, __version__, parts, tables)))


def _foreign_keys(types: Iterable[ObjectType]) -> dict[str, dict[str, str]]:
    """Return, by the id of a type and the name of a field, the type whose ids it holds."""
    found: dict[str, dict[str, str]] = {}
    for one in types:
        for lookup in one.lookups.values():
            found.setdefault(one.id, {})[lookup.foreign_key] = lookup.type
        for related in one.related_lists.values():
            if related.foreign_key:
                found.setdefault(related.type, {})[related.foreign_key] = one.id
    return found


def _columns(object_type: ObjectType, account: str, values: Mapping[str, str]) -> str:
    known = {
        **{name: "NULL" for name in object_type.fields if says_disappeared(name)},
        object_type.id_field: identifier(object_type.id, "i"),
        **values,
        "_account": f"'{account}'",
        "_region": "'eu-central-1'",
        "_arn": f"'arn:aws:bench:eu-central-1:{account}:' || {identifier(object_type.id, 'i')}",
        "_asOf": "TIMESTAMPTZ '2026-01-31 12:00:00+00'",
        "_source": "'iam:ListUsers'",
        "_notCollected": "NULL",
    }
    kinds = kinds_of_columns(object_type)
    return ", ".join(
        f"({known.get(name) or (_POLICY if kinds[name] is Kind.JSON else VALUES[stored])})::{stored} AS {sql_name(name)}"
        for name, stored in columns_of(object_type).items()
    )
