"""How DuckDB reads the columns of a snapshot's tables: which types it takes for a kind, and how values come out."""

from reeve.language.kinds import FORMS
from reeve.language.types import NAMED, Kind
from reeve.model import ObjectType


def sql_name(name: str) -> str:
    """Return a name as DuckDB's SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def kinds_of(object_type: ObjectType) -> dict[str, Kind]:
    """Return the kinds of the columns that a type's table must have."""
    return {name: NAMED[field.type].kind for name, field in object_type.fields.items()}


def read_as(column: str, kind: Kind, found: str | None) -> str | None:
    """Return the SQL that reads a column of a type as a kind; None if it can't."""
    form = FORMS[kind].duckdb.get(found or "")
    return None if form is None else f"{form.format(sql_name(column))} AS {sql_name(column)}"


def wrong_column(file: str, column: str, kind: Kind, found: str | None) -> str:
    """Return what is wrong with a column that is missing, or of another type than it must be."""
    if found is None:
        return f"{file} has no column {column!r}, which its type declares; collect again"
    return f"{file}: the column {column!r} is {found}, which is no {kind}; collect again"
