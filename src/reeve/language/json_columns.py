"""Simple JMESPath over columns of JSON texts: paths, indexes, to_string, to_number, type and length of them, equality filters.

An engine's JSON functions must give what JMESPath gives, or defer the object. What is not simple raises `NotInSqlError`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from reeve.language.columns import DEFERRED, Columns, Expr, Guard, JsonFunctions, NotInSqlError, Path, PathPart
from reeve.language.types import Kind

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ :/.-]*")
_USUAL_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"
_FUNCTIONS = ("to_string", "to_number", "type", "length")


@dataclass(frozen=True, slots=True)
class Filter:
    """An equality filter: the array's path, the path and the value compared, what is taken of each item, and which item."""

    array: Path
    left: Path
    right: str | bool
    taken: Path
    index: int | None = None
    rest: Path = ()


@dataclass(frozen=True, slots=True)
class Simple:
    """A query that columns can say: a function or none, of what is at a path or passes a filter."""

    function: str | None
    source: Path | Filter


@dataclass(frozen=True, slots=True)
class Found:
    """What a query finds: the value, whether it is of another type than is wanted, whether the query fails, what defers."""

    value: Expr
    mismatch: Expr
    failed: Expr | None
    guards: tuple[Guard, ...]


def simple_query(parsed: Any) -> Simple:
    """Return a parsed JMESPath expression as a simple query.

    Raises:
        NotInSqlError: it is not simple.
    """
    if parsed["type"] == "function_expression":
        if parsed["value"] not in _FUNCTIONS:
            raise NotInSqlError
        return Simple(parsed["value"], _source(parsed["children"][0]))
    return Simple(None, _source(parsed))


def _source(node: Any) -> Path | Filter:
    first, *rest = _chain(node) or ((),)
    if not isinstance(first, Filter):
        return _path(node)
    if not rest:
        return first
    # What follows a filter follows `|`, or stands behind parentheses: it is about the list of what passes.
    index, *after = _steps(rest)
    if not isinstance(index, int):
        raise NotInSqlError
    return replace(first, index=index, rest=tuple(after))


def _chain(node: Any) -> list[PathPart | Filter]:
    """Return the steps of an expression in order.

    Raises:
        NotInSqlError: it is made of more than steps and filters.
    """
    match node["type"]:
        case "field":
            if not _NAME.fullmatch(node["value"]):
                raise NotInSqlError
            return [str(node["value"])]
        case "index":
            return [int(node["value"])]
        case "identity" | "current":
            return []
        case "filter_projection":
            return [_filter(node)]
        case "subexpression" | "index_expression" | "pipe":
            return [step for child in cast("Sequence[Any]", node["children"]) for step in _chain(child)]
        case _:
            raise NotInSqlError


def _path(node: Any) -> Path:
    return _steps(_chain(node))


def _steps(chain: Sequence[PathPart | Filter]) -> Path:
    steps = tuple(step for step in chain if not isinstance(step, Filter))
    if len(steps) < len(chain):
        raise NotInSqlError
    return steps


def _filter(node: Any) -> Filter:
    array, taken, test = node["children"]
    if test["type"] != "comparator" or test["value"] != "eq" or test["children"][1]["type"] != "literal":
        raise NotInSqlError
    right = test["children"][1]["value"]
    if not isinstance(right, str | bool):
        raise NotInSqlError
    return Filter(_path(array), _path(test["children"][0]), right, _path(taken))


def find(table: Columns, json: JsonFunctions, document: Expr, query: Simple, kind: Kind) -> Found:
    """Return what a simple query finds in a column of JSON texts, as a value of a kind."""
    if query.function == "length" and isinstance(query.source, Filter) and query.source.index is None:
        passing = _passing(json, document, query.source)
        return _made(table, kind, Kind.NUMBER, passing.length().cast("float64"), passing.isnull())
    if isinstance(query.source, Filter):
        if query.source.index is None:
            raise NotInSqlError
        passing = _passing(json, document, query.source)
        part = json.part(passing[query.source.index], query.source.rest) if query.source.rest else passing[query.source.index]
    else:
        part = json.part(document, query.source)
    return _of_part(table, json, table.share(part), query.function, kind)


def _passing(json: JsonFunctions, document: Expr, query: Filter) -> Expr:
    def passes(item: Expr) -> Expr:
        there = json.part(item, query.left)
        if isinstance(query.right, bool):
            return (there == str(query.right).lower()).fill_null(False)
        return (there.startswith('"') & (json.string(there) == query.right)).fill_null(False)

    passing = json.parts(document, query.array).filter(passes)
    taken = passing.map(lambda item: json.part(item, query.taken)) if query.taken else passing  # pyright: ignore[reportUnknownLambdaType]
    return taken.filter(_is_something)


def _is_something(part: Expr) -> Expr:
    return part.notnull() & (part != "null")


def _of_part(table: Columns, json: JsonFunctions, part: Expr, function: str | None, kind: Kind) -> Found:
    is_null = part.isnull() | (part == "null")
    is_string, is_number = part.startswith('"'), part.re_search("^[-0-9]")
    word = (part == "true") | (part == "false")
    null, text = table.literal(None, Kind.TEXT), json.string(part)
    match function:
        case None:
            return _plain(table, part, kind, (is_null, is_string, is_number), text)
        case "type":
            kinds = [(is_null, "null"), (is_string, "string"), (is_number, "number"), (word, "boolean")]
            named = [(when, table.literal(name, Kind.TEXT)) for when, name in kinds]
            array = (part.startswith("["), table.literal("array", Kind.TEXT))
            value = table.cases(*named, array, otherwise=table.literal("object", Kind.TEXT))
            return _made(table, kind, Kind.TEXT, value)
        case "to_string":
            whole = part.re_search("^-?[0-9]+$") & (part != "-0")
            value = table.cases(
                (is_null, table.literal("null", Kind.TEXT)), (is_string, text), (whole | word, part), otherwise=null
            )
            return _made(table, kind, Kind.TEXT, value, None, ~is_null & ~is_string & ~whole & ~word)
        case "to_number":
            read = table.cases((is_string, text), (is_number, part), otherwise=null)
            value = table.cases((read.re_search(_USUAL_NUMBER), read), otherwise=null).try_cast("float64")
            return _made(table, kind, Kind.NUMBER, value, None, read.notnull() & value.isnull())
        case _:
            length = table.cases(
                (is_string, text.length()),
                (part.startswith("["), json.items(part)),
                (part.startswith("{"), json.members(part)),
                otherwise=table.literal(None, Kind.DURATION),
            )
            return _made(table, kind, Kind.NUMBER, length.cast("float64"), is_null | is_number | word)


def _plain(table: Columns, part: Expr, kind: Kind, is_a: tuple[Expr, Expr, Expr], text: Expr) -> Found:
    is_null, is_string, is_number = is_a
    match kind:
        case Kind.TEXT | Kind.BYTES:
            value = table.cases((is_string, text), otherwise=table.literal(None, kind))
            return Found(value, ~is_null & ~is_string, None, ())
        case Kind.NUMBER:
            value = table.cases((is_number, part), otherwise=table.literal(None, Kind.TEXT)).try_cast("float64")
            odd = Guard(is_number & (value.isnull() | value.isinf()), DEFERRED)
            return Found(value, ~is_null & ~is_number, None, (odd,))
        case _:
            true, false = table.literal(True, kind), table.literal(False, kind)
            value = table.cases((part == "true", true), (part == "false", false), otherwise=table.literal(None, kind))
            return Found(value, ~is_null & value.isnull(), None, ())


def _made(
    table: Columns, kind: Kind, made: Kind, value: Expr, failed: Expr | None = None, deferred: Expr | None = None
) -> Found:
    """Return what a function of a fixed type gives, where a kind is wanted."""
    guards = () if deferred is None else (Guard(deferred, DEFERRED),)
    fits = made is kind or {made, kind} == {Kind.TEXT, Kind.BYTES}
    never = table.literal(False, Kind.BOOLEAN)
    if fits:
        return Found(value, never, failed, guards)
    return Found(table.literal(None, kind), value.notnull(), failed, guards)
