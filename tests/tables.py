"""Objects of tests as tables of Parquet, engines' codes for them, and the interpreter's objects."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from reeve.evaluate.estate import EstateTables
from reeve.evaluate.judge_tables import judge_tables
from reeve.evaluate.objects import Objects
from reeve.inventory.records import Record
from reeve.language.kinds import FORMS, microseconds
from reeve.language.times import parse_date_time
from reeve.language.types import NAMED, Kind

ACCOUNT = "111111111111"
"""The account of objects that name none."""
READ = datetime(2026, 1, 31, 12, tzinfo=UTC)


def in_accounts(rows):
    """Return rows by the account that they are of."""
    found = {}
    for row in rows:
        found.setdefault(row.get("_account", ACCOUNT), []).append(row)
    return found


def write_table(path, object_type, rows, provenance=False):
    """Write rows (fields as in test data; for an untyped type any JSON; `_account`) as a file of Parquet."""
    kinds = {name: NAMED[field.type].kind for name, field in object_type.fields.items()}
    if object_type.untyped:
        own = object_type.id_field
        kinds = dict.fromkeys([own, *(name for row in rows for name in row)], Kind.TEXT)
        rows = [{name: value if name == own else json.dumps(value) for name, value in row.items()} for row in rows]
    rows = [{"_account": ACCOUNT, "_region": "global", **row} for row in rows]
    kinds |= dict.fromkeys(("_account", "_region", "_arn"), Kind.TEXT)
    columns = {name: FORMS[kind].stored for name, kind in kinds.items()} | ({"_notCollected": "VARCHAR"} if provenance else {})
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in columns}
    # By way of lines of JSON, which DuckDB reads many of at once; numbers as text, because JSON knows no NaN.
    forms = {FORMS[Kind.DATE_TIME].stored: ("BIGINT", "make_timestamptz({})"), "DOUBLE": ("VARCHAR", "{}::DOUBLE")}
    read = {name: forms.get(kind, (kind, "{}")) for name, kind in columns.items()}
    lines = Path(f"{path}.ndjson")
    lines.write_text("".join(json.dumps({n: _value(columns[n], row.get(n)) for n in columns}) + "\n" for row in rows))
    with duckdb.connect() as connection:
        source = connection.read_json(
            str(lines), columns={name: kind for name, (kind, _) in read.items()}, format="newline_delimited"
        )
        shown = ", ".join(f"{form.format(quoted[name])} AS {quoted[name]}" for name, (_, form) in read.items())
        source.project(shown).write_parquet(str(path))
    lines.unlink()
    return str(path)


def _value(kind, value):
    if kind == FORMS[Kind.DATE_TIME].stored and isinstance(value, str):
        return microseconds(parse_date_time(value))
    return repr(float(value)) if kind == "DOUBLE" and value is not None else value


def codes_of(engine, files, programs, object_type, moment):
    """Return {policy: {object id: code}} as an engine gives them for objects of one account."""
    found = codes_in(engine, EstateTables(files), programs, object_type, moment)
    return {policy: {identifier: code for (_, identifier), code in codes.items()} for policy, codes in found.items()}


def codes_in(engine, tables, programs, object_type, moment):
    """Return {policy: {(account, object id): code}} as an engine gives them."""
    with tempfile.TemporaryDirectory() as out:
        judged = judge_tables(engine, tables, programs, object_type, moment, f"{out}/outcomes")
        return {policy: codes for of in judged.values() for policy, codes in codes_written(of).items()}


def codes_written(judged):
    """Return {policy: {(account, object id): code}} of a type's outcomes."""
    found = {policy: {} for policy in judged.codes}
    for row in rows_written(judged):
        for policy, code in judged.codes.items():
            found[policy][row["account"], row["id"]] = row[code]
    return found


def rows_written(judged):
    """Return the rows of a type's outcomes, by the names of their columns."""
    found = duckdb.read_parquet([f"{folder}/*.parquet" for folder in judged.folders])
    names, rows = found.columns, found.fetchall()
    assert len(rows) == judged.objects
    return [dict(zip(names, row, strict=True)) for row in rows]


class Given:
    """Objects given as fields by type, with their `_account`, as the interpreter's source; the others as in `EstateTables`."""

    def __init__(self, fields, without=None, partly=None):
        self.given, self.unread, self.lacking = fields, without or {}, partly or {}

    def size(self, type_id):
        return len(self.given[type_id])

    def without(self, type_id):
        return self.unread.get(type_id, ())

    def partly(self, type_id):
        return self.lacking.get(type_id, ())

    def records(self, object_type, wanted=None):
        for one in self.given[object_type.id]:
            fields = dict(one)
            account = fields.pop("_account", ACCOUNT)
            there = wanted is None or wanted.accounts is None or account in wanted.accounts
            if there and (wanted is None or fields.get(wanted.field) in wanted.values):
                yield Record(fields, account, "global", None, READ, "test", {})


def objects_of(object_type, given, type_id):
    """Return a type's objects as the interpreter takes them, each with its record."""
    own = object_type(type_id)
    records = list(given.records(own))
    return list(zip(records, Objects(object_type, given).rows(own, records), strict=True))
