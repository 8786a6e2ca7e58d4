"""JMESPath over API answers: compiled once, what it refers to, and answers as plain JSON.

What an expression of a type sees (docs/types.md): the item of the list, by name the answer of each call for the object, and
`_account`, `_partition`, `_region`, `_parent` (the fields of the object that a source is for) and `_item` (an item that is
no mapping).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import jmespath
import jmespath.exceptions
import jmespath.functions

from reeve.language.operations.documents import parse_json
from reeve.language.types import Kind, Type
from reeve.language.values import describe, parse_date_time


class ExpressionError(Exception):
    """An expression fails on an answer, or gives a value of another type than its field has; the message says which."""


class _Functions(jmespath.functions.Functions):  # pyright: ignore[reportUntypedBaseClass] - the way to add one
    """The functions of JMESPath, and `split(separator, text)`, which ARNs ask for."""

    @jmespath.functions.signature({"types": ["string"]}, {"types": ["string"]})  # pyright: ignore
    def _func_split(self, separator: str, text: str) -> list[str]:
        return text.split(separator)


_OPTIONS: Any = jmespath.Options(custom_functions=_Functions())


@cache
def compiled(expression: str) -> Any:
    """Return a compiled JMESPath expression.

    Raises:
        ExpressionError: it is not JMESPath.
    """
    try:
        return jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ExpressionError(f"invalid JMESPath {expression!r}: {str(error).splitlines()[0]}") from None


def search(expression: str, data: Any) -> Any:
    """Return what an expression finds in plain data.

    Raises:
        ExpressionError: it is not JMESPath, or fails on this data.
    """
    try:
        found = compiled(expression)
        if found.parsed["type"] == "field" and isinstance(data, dict):  # most are a mere name; a visitor would take its time
            return cast("dict[str, Any]", data).get(found.parsed["value"])
        return found.search(data, options=_OPTIONS)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError) as error:
        raise ExpressionError(f"{expression}: {' '.join(str(error).split())}") from None


@cache
def references(expression: str) -> frozenset[str]:
    """Return the names that an expression reads from the top of its data, and `_parent.name` for a parent's fields."""
    return frozenset(_references(compiled(expression).parsed))


def _references(node: Mapping[str, Any]) -> Iterator[str]:
    kind, children = str(node["type"]), cast("list[Any]", node.get("children", []))
    if kind == "field":
        yield str(node["value"])
        return
    if kind == "subexpression" and children[0].get("type") == "field" and children[0]["value"] == "_parent":
        yield from (f"_parent.{name}" for name in _references(children[1]))
        return
    # What stands right of a dot or an arrow reads from the left side's value, in which no name is the top's. That a
    # projection's or filter's names are taken for the top's too does no harm: a call more is named, never one less.
    for child in children:
        if isinstance(child, Mapping):
            yield from _references(cast("Mapping[str, Any]", child))


def plain(answer: Any) -> Any:
    """Return an answer as plain JSON: instants as ISO 8601 texts in UTC, bytes left out."""
    if isinstance(answer, dict):
        entries = cast("dict[str, Any]", answer).items()
        return {key: plain(value) for key, value in entries if key != "ResponseMetadata" and not isinstance(value, bytes)}
    if isinstance(answer, list):
        return [plain(value) for value in cast("list[Any]", answer)]
    if isinstance(answer, datetime):
        return answer.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return answer


def typed(declared: Type, value: Any) -> Any:
    """Return a plain value as a field of a type holds it; a text that is no instant is null, as `N/A` is.

    Raises:
        ExpressionError: it can't be.
    """
    if value is None:
        return value
    if declared.kind is Kind.JSON:
        return _json(value) if isinstance(value, str) else value
    match declared.kind:
        case Kind.BOOLEAN if value in (True, False, "true", "false"):
            return value in (True, "true")
        case Kind.NUMBER if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        case Kind.DATE_TIME if isinstance(value, str):
            return parse_date_time(value)
        case Kind.TEXT | Kind.BYTES if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)
        case Kind.ITEMS if isinstance(value, list):
            return [str(item) for item in cast("list[Any]", value) if item is not None]
        case _:
            raise ExpressionError(f"{declared} was wanted, {describe(value)} was found")


def _json(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise ExpressionError(f"JSON was wanted: {error}") from None
