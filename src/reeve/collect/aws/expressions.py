"""JMESPath over API answers: compiled once, and answers as plain JSON.

What an expression of a type sees (docs/types.md): the item of the list, by name the answer of each call for the object, and
`_account`, `_partition`, `_region`, `_parent` (the fields of the object that a source is for) and `_item` (an item that is
no mapping).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import msgspec

from reeve.collect.aws.reading import is_secret_name
from reeve.language.json_texts import parse_json
from reeve.language.queries import MoreFunctions, Query, QueryError, compile_query
from reeve.language.types import Kind, Type
from reeve.language.values import describe, parse_date_time


class ExpressionError(Exception):
    """An expression fails on an answer, or gives a value of another type than its field has; the message says which."""


FUNCTIONS: Mapping[str, Any] = MoreFunctions.FUNCTION_TABLE  # pyright: ignore[reportUnknownMemberType]
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
        return {key: as_json(value) for key, value in entries if key != "ResponseMetadata" and not _is_left_out(key, value)}
    if isinstance(answer, list):
        return [as_json(value) for value in cast("list[Any]", answer)]
    if isinstance(answer, datetime):
        return answer.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return answer


def _is_left_out(name: str, value: Any) -> bool:
    return isinstance(value, bytes) or (isinstance(value, str) and is_secret_name(name))


def typed(declared: Type, value: Any) -> Any:
    """Return a plain value as a field of a type holds it; what the credential report says in place of an instant is null.

    Raises:
        ExpressionError: it can't be.
    """
    if value is None:
        return value
    if declared.kind is Kind.JSON:
        return _json(value)
    match declared.kind:
        case Kind.BOOLEAN if value in (True, False, "true", "false"):
            return value in (True, "true")
        case Kind.NUMBER if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST:
            return value
        case Kind.DATE_TIME if isinstance(value, str):
            return _instant(value)
        case Kind.TEXT | Kind.BYTES if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)
        case Kind.ITEMS if isinstance(value, list):
            return [str(item) for item in cast("list[Any]", value) if item is not None]
        case _:
            raise ExpressionError(f"{declared} was wanted, {describe(value)} was found")


_NO_INSTANT = ("", "N/A", "no_information", "not_supported")
"""What the credential report has where there is no instant."""


def _instant(text: str) -> datetime | None:
    found = parse_date_time(text)
    if found is None and text not in _NO_INSTANT:
        raise ExpressionError("an instant was wanted, another text was found")
    return found


_LARGEST = 2**63
"""Numbers beyond are no facts of AWS; NaN and the infinities are not below it either."""


def _json(value: Any) -> Any:
    try:
        found = parse_json(value) if isinstance(value, str) else value
        msgspec.json.encode(found)  # as a snapshot holds it
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ExpressionError(f"JSON was wanted: {error}") from None
    return found
