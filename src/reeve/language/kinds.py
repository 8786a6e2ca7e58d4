"""The one table of kinds: how values of each kind look wherever they are held, in `FORMS`.

In Python a value is what `values` says. In test data and in YAML it is plain JSON; in a snapshot a line of JSON on its way to
a column of Parquet; in a query a column, which Ibis, DuckDB and Spark name each in their way. A kind is added here, and in
`types`; what reads or writes values asks this table. The table is data only: it names engines' types and knows no engine.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from reeve.language.json_texts import parse_json
from reeve.language.times import parse_date_time, parse_duration
from reeve.language.types import Kind
from reeve.language.values import Value, WrongTypeError, as_double, describe

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type of columns that queries compute with, as Ibis, DuckDB and Spark name it."""

    ibis: str
    duckdb: str
    spark: str


STRING = ColumnType("string", "VARCHAR", "string")
DOUBLE = ColumnType("float64", "DOUBLE", "double")
INTEGER = ColumnType("int64", "BIGINT", "bigint")
TRUTH = ColumnType("boolean", "BOOLEAN", "boolean")
STRINGS = ColumnType("array<string>", "VARCHAR[]", "array<string>")
COLUMN_TYPES = (STRING, DOUBLE, INTEGER, TRUTH, STRINGS)
"""All of them."""


def unchanged(value: Value) -> Value:
    """Return a value as it is: where it looks the same in both places."""
    return value


@dataclass(frozen=True, slots=True)
class Form:
    """How values of a kind look; null is null everywhere, and no function here is given it.

    A kind without `stored` is none that a field can have: logic reads its values out of texts. What a field of an object
    holds in test data is of one of `python`, or a text that `parse` reads.
    """

    json: str
    """What it is in test data and in YAML, in words."""
    python: tuple[type, ...]
    """The classes of its values; true and false are no Numbers, though Python has them among its `int`s."""
    column: ColumnType | None = None
    """The columns of queries that hold it; None: only the interpreter has such values."""
    mapped: bool = True
    """Whether what the interpreter's functions give may fill such a column; Json is handed on within them only."""
    stored: str = ""
    """The column of Parquet that a snapshot is written with, as DuckDB names it."""
    duckdb: Mapping[str, str] = field(default_factory=dict[str, str])
    """The columns of Parquet that are read, as DuckDB names their types, each with the SQL of `column`; `{}` is its name."""
    spark: Mapping[str, str] = field(default_factory=dict[str, str])
    """The same, as Spark names them and has them in its SQL."""
    to_column: Callable[[Value], Any] = unchanged
    """From a value to what a column of queries holds."""
    from_column: Callable[[Any], Value] = unchanged
    """From there to a value."""
    to_line: Callable[[Value], Any] = unchanged
    """From a value to what msgspec writes into a line of JSON, which DuckDB makes a `stored` column of."""
    parse: Callable[[str], Value] | None = None
    """From a text of test data or YAML to a value, None if it is none; for kinds of which JSON has no values of their own."""
    collected: Callable[[Any], Value] = unchanged
    """From plain JSON that an API answered to the value of a field; raises `WrongTypeError` if it is none."""


def microseconds(value: datetime | timedelta) -> int:
    """Return an instant as the microseconds since 1970 in UTC, or a length as its microseconds."""
    length = value if isinstance(value, timedelta) else value - _EPOCH
    return (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds


def instant(microseconds: int) -> datetime:
    """Return the instant that a column holds as microseconds since 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _length(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


def _json_line(value: Value) -> str:
    return msgspec.json.encode(value).decode()


# What APIs answer, as fields hold it ---------------------------------------------------------------------------------

_LARGEST = 2**63
"""Numbers beyond are no facts of a cloud; NaN and the infinities are not below it either."""


def _unfit(wanted: str, value: Any) -> WrongTypeError:
    return WrongTypeError(f"{wanted} was wanted, {describe(value)} was found")


def _collected_text(value: Any) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    raise _unfit("a text", value)


def _collected_number(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    raise _unfit("a number", value)


def _collected_boolean(value: Any) -> bool:
    if value in (True, False, "true", "false"):
        return value in (True, "true")
    raise _unfit("true or false", value)


def _collected_instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise _unfit("an instant", value)
    found = parse_date_time(value)
    if found is None:
        raise WrongTypeError("an instant was wanted, another text was found")
    return found


def _collected_items(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in cast("list[Any]", value) if item is not None]
    raise _unfit("a list", value)


def _collected_json(value: Any) -> Value:
    try:
        found = parse_json(value) if isinstance(value, str) else value
        msgspec.json.encode(found)  # as a snapshot holds it
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WrongTypeError(f"JSON was wanted: {error}") from None
    return found


# The table -----------------------------------------------------------------------------------------------------------

_AS_IT_IS = "{}"
_DUCKDB_NUMBERS = ("FLOAT", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "USMALLINT", "UINTEGER", "UBIGINT")
_SPARK_NUMBERS = ("float", "tinyint", "smallint", "int", "bigint")
_TEXT = Form(
    json="a text",
    python=(str,),
    column=STRING,
    stored="VARCHAR",
    duckdb={"VARCHAR": _AS_IT_IS},
    spark={"string": _AS_IT_IS},
    collected=_collected_text,
)

FORMS: Mapping[Kind, Form] = {
    Kind.TEXT: _TEXT,
    Kind.BYTES: _TEXT,
    Kind.NUMBER: Form(
        json="a number",
        python=(int, float),
        column=DOUBLE,
        stored="DOUBLE",
        duckdb={"DOUBLE": _AS_IT_IS, **dict.fromkeys(_DUCKDB_NUMBERS, "{}::DOUBLE")},
        spark={"double": _AS_IT_IS, **dict.fromkeys(_SPARK_NUMBERS, "CAST({} AS DOUBLE)")},
        to_column=as_double,
        collected=_collected_number,
    ),
    Kind.BOOLEAN: Form(
        json="true or false",
        python=(bool,),
        column=TRUTH,
        stored="BOOLEAN",
        duckdb={"BOOLEAN": _AS_IT_IS},
        spark={"boolean": _AS_IT_IS},
        collected=_collected_boolean,
    ),
    Kind.DATE_TIME: Form(
        json="a text, ISO 8601",
        python=(datetime,),
        column=INTEGER,
        stored="TIMESTAMP WITH TIME ZONE",
        duckdb=dict.fromkeys(("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_NS"), "epoch_us({})"),
        spark=dict.fromkeys(("timestamp", "timestamp_ntz"), "unix_micros(CAST({} AS TIMESTAMP))"),
        to_column=microseconds,
        from_column=instant,
        parse=parse_date_time,
        collected=_collected_instant,
    ),
    Kind.DURATION: Form(
        json="a text, ISO 8601",
        python=(timedelta,),
        column=INTEGER,
        to_column=microseconds,
        from_column=_length,
        parse=parse_duration,
    ),
    Kind.ITEMS: Form(
        json="an array of texts",
        python=(list, tuple),
        column=STRINGS,
        stored="VARCHAR[]",
        duckdb={"VARCHAR[]": _AS_IT_IS},
        spark={"array<string>": _AS_IT_IS},
        to_column=list,
        collected=_collected_items,
    ),
    Kind.JSON: Form(
        json="anything",
        python=(dict, list, str, int, float, bool),
        column=STRING,
        mapped=False,
        stored="VARCHAR",
        duckdb={"VARCHAR": _AS_IT_IS, "JSON": "{}::VARCHAR"},
        spark={"string": _AS_IT_IS},
        to_column=_json_line,
        from_column=json.loads,
        to_line=_json_line,
        collected=_collected_json,
    ),
    Kind.ATTRIBUTES: Form(json="a text, lines of `key: value`", python=(tuple,), mapped=False),
    Kind.ANY: Form(json="anything", python=(object,), mapped=False),
}
"""The form of every kind. Fields of no declared kind (`ANY`) are the kind that their values are; a whole object of them is one
column of JSON for each name, which `by_interpreter` reads."""


def to_column(kind: Kind, value: Value) -> Any:
    """Return a value as a column of queries holds it."""
    return None if value is None else FORMS[kind].to_column(value)


def from_column(kind: Kind, value: Any) -> Value:
    """Return the value that a column of queries holds."""
    return None if value is None else FORMS[kind].from_column(value)
