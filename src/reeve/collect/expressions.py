"""JMESPath over API answers: compiled once, and answers as plain JSON.

What an expression of a type sees (docs/types.md): the item of the list, by name the answer of each call for the object, and
`_account`, `_partition`, `_region`, `_parent` (the fields of the object that a source is for) and `_item` (an item that is
no mapping).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from reeve.collect.secrets import is_secret_name
from reeve.language.kinds import FORMS
from reeve.language.queries import DatedFunctions, Query, QueryError, compile_query
from reeve.language.types import Kind, Type
from reeve.language.values import WrongTypeError, describe


class ExpressionError(Exception):
    """An expression fails on an answer, or gives a value of another type than its field has; the message says which."""


FUNCTIONS: Mapping[str, Any] = DatedFunctions.FUNCTION_TABLE  # pyright: ignore[reportUnknownMemberType]
"""The functions by name, with the types of their arguments."""


@cache
def compiled(expression: str) -> Query:
    """Return a compiled JMESPath expression.

    Raises:
        ExpressionError: it is not JMESPath.
    """
    try:
        return compile_query(expression, more=True)
    except ValueError as error:
        raise ExpressionError(f"{expression!r}: {error}") from None


def search(expression: str, data: Any) -> Any:
    """Return what an expression finds in plain data.

    Raises:
        ExpressionError: it is not JMESPath, or fails on this data.
    """
    try:
        found = compiled(expression)
        if found.parsed["type"] == "field" and isinstance(data, dict):  # most are a mere name; a visitor would take its time
            return cast("dict[str, Any]", data).get(found.parsed["value"])
        return found.search(data)
    except QueryError as error:
        raise ExpressionError(f"{expression}: {' '.join(str(error).split())}") from None


def items_of(expression: str, data: Any) -> list[Any]:
    """Return the list that an expression finds in plain data; null is an empty one.

    Raises:
        ExpressionError: as `search`, or it finds something else.
    """
    found = search(expression, data)
    if found is not None and not isinstance(found, list):
        raise ExpressionError(f"{expression}: a list was wanted, {describe(found)} was found")
    return cast("list[Any]", found) if found else []


def key_of(expression: str, data: Any) -> Any:
    """Return the value that an expression finds in plain data to tell items apart by.

    Raises:
        ExpressionError: as `search`, or it finds a list or an object.
    """
    found = search(expression, data)
    if isinstance(found, (dict, list)):
        raise ExpressionError(f"{expression}: a text was wanted, {describe(cast('Any', found))} was found")
    return found


@cache
def members(expression: str) -> frozenset[str]:
    """Return the names of the members of the object that an expression makes, if it makes one: `{a: b}` has a."""
    parsed = compiled(expression).parsed
    pairs = parsed["children"] if parsed["type"] == "multi_select_dict" else ()
    return frozenset(str(pair["value"]) for pair in pairs)


def as_json(answer: Any) -> Any:
    """Return an answer as plain JSON: instants as ISO 8601 texts in UTC, bytes and texts of a secret's name left out.

    Raises:
        ValueError: a text holds half a surrogate pair, or an instant is beyond those that there are.
        RecursionError: it is nested too deeply.
    """
    if isinstance(answer, str):
        if not answer.isascii():
            answer.encode()  # raises on half a surrogate pair, of which no file and no terminal could be told
        return answer
    if isinstance(answer, dict):
        entries = cast("dict[str, Any]", answer).items()
        return {key: as_json(value) for key, value in entries if not _is_left_out(key, value)}
    if isinstance(answer, list):
        return [as_json(value) for value in cast("list[Any]", answer)]
    if isinstance(answer, datetime):
        return answer.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return answer


def _is_left_out(name: str, value: Any) -> bool:
    return isinstance(value, bytes) or (isinstance(value, str) and is_secret_name(name))


def typed(declared: Type, value: Any) -> Any:
    """Return a plain value as a field of a type holds it; what reports say in place of an instant is null.

    Raises:
        ExpressionError: it can't be.
    """
    if value is None or (declared.kind is Kind.DATE_TIME and value in _NO_INSTANT):
        return None
    try:
        return FORMS[declared.kind].collected(value)
    except WrongTypeError as error:
        raise ExpressionError(f"{error}; the field is {declared}") from None


_NO_INSTANT = ("", "N/A", "no_information", "not_supported")
"""What reports have where there is no instant."""
