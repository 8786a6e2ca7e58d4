"""Objects of tests as tables of Parquet, and engines' codes for them."""

import json
import shutil
import tempfile
from pathlib import Path

import duckdb

from reeve.evaluate.judging import judge_tables
from reeve.language.types import NAMED, Kind
from reeve.language.values import parse_date_time

COLUMNS = {
    Kind.TEXT: "VARCHAR",
    Kind.BYTES: "VARCHAR",
    Kind.JSON: "VARCHAR",
    Kind.NUMBER: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE_TIME: "TIMESTAMPTZ",
    Kind.ITEMS: "VARCHAR[]",
}


def write_table(path, object_type, rows, provenance=False):
    """Write rows (fields as in test data; for an untyped type any JSON) as a file of Parquet."""
    kinds = {name: NAMED[field.type].kind for name, field in object_type.fields.items()}
    if object_type.untyped:
        own = object_type.id_field
        kinds = dict.fromkeys([own, *(name for row in rows for name in row)], Kind.TEXT)
        rows = [{name: value if name == own else json.dumps(value) for name, value in row.items()} for row in rows]
    columns = {name: COLUMNS[kind] for name, kind in kinds.items()} | ({"_notCollected": "VARCHAR"} if provenance else {})
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in columns}
    # By way of lines of JSON, which DuckDB reads many of at once; numbers as text, because JSON knows no NaN.
    forms = {"TIMESTAMPTZ": ("BIGINT", "make_timestamptz({})"), "DOUBLE": ("VARCHAR", "{}::DOUBLE")}
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
    if kind == "TIMESTAMPTZ" and isinstance(value, str):
        instant = parse_date_time(value)
        delta = instant - parse_date_time("1970-01-01")
        return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
    return repr(float(value)) if kind == "DOUBLE" and value is not None else value


def codes_of(engine, tables, programs, object_type, moment, directory=None):
    """Return {policy: {object id: code}} as an engine gives them."""
    out = Path(directory or tempfile.mkdtemp())
    try:
        judged = judge_tables(engine, tables, programs, object_type, moment, str(out / "outcomes"))
        found = {}
        for outcome in judged.values():
            rows = duckdb.read_parquet([f"{folder}/*.parquet" for folder in outcome.folders])
            names, found_rows = rows.columns, rows.fetchall()
            assert len(found_rows) == outcome.objects
            for row in found_rows:
                values = dict(zip(names, row, strict=True))
                for policy, code in outcome.codes.items():
                    found.setdefault(policy, {})[values["id"]] = values[code]
        return found
    finally:
        if directory is None:
            shutil.rmtree(out)
