"""What values mean: normalisation, emptiness, equality, order and printed form (policy language, section 3).

A value is a plain Python object: `str` for Text and Bytes, `int`/`float`, `bool`, an aware `datetime`, `timedelta`,
a tuple of texts for sets and lists, decoded JSON for Json, a tuple of (key, value) for Attributes, `None` for null.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from reeve.language.times import parse_date_time
from reeve.language.types import (
    ANY,
    BOOLEAN,
    DATE_TIME,
    DURATION,
    JSON,
    NUMBER,
    TEXT,
    Kind,
    Type,
    list_of,
)

Value = Any

_WHITE_SPACE = re.compile(r"[ \t\n\r\f\v]+")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)


class WrongTypeError(Exception):
    """A value that is not of the type an operation wants; only fields without a declared type can raise it."""


_KEPT_TEXT = 256
"""The longest text whose normalised form is kept, in characters: the cache stays under some 60 MB, whatever it is given."""


def normalise(text: str) -> str:
    """Return a text as Text compares it: trimmed, runs of white space collapsed, in lower case."""
    return _normalised(text) if len(text) <= _KEPT_TEXT else _normalise(text)


def _normalise(text: str) -> str:
    return _WHITE_SPACE.sub(" ", text).strip(" ").lower()


_normalised = lru_cache(maxsize=65536)(_normalise)


def type_of(value: Value) -> Type:
    """Return the type that a value of an undeclared field has by itself (section 3)."""
    match value:
        case None:
            return ANY
        case bool():
            return BOOLEAN
        case int() | float():
            return NUMBER
        case str():
            return TEXT
        case datetime():
            return DATE_TIME
        case timedelta():
            return DURATION
        case tuple():
            return list_of(Kind.TEXT)
        case _:
            return JSON


def resolved(static: Type, value: Value) -> Type:
    """Return the type to treat a value as: the declared one, or the value's own where none is declared."""
    return type_of(value) if static.kind is Kind.ANY else static


# What untyped fields are where a type is wanted ----------------------------------------------------------------------


def as_type(kind: Kind, value: Value) -> Value:
    """Return a value of an undeclared field as one of the kind that it meets; an empty text is null there (section 3).

    Raises:
        WrongTypeError: it can't be.
    """
    match kind:
        case Kind.NUMBER:
            return as_number(value)
        case Kind.BOOLEAN:
            return as_boolean(value)
        case Kind.DATE_TIME:
            return as_date_time(value)
        case Kind.TEXT | Kind.BYTES if not isinstance(value, (list, tuple, dict)):
            return value
        case Kind.JSON:
            return cast("Value", list(cast("tuple[Value, ...]", value)) if isinstance(value, tuple) else value)
        case Kind.ITEMS if isinstance(value, (list, tuple)):
            return cast("Value", value)
        case Kind.DURATION if isinstance(value, timedelta):
            return value
        case _ if value is None or value == "":
            return None
        case _:
            raise WrongTypeError(f"{kind} was wanted, {describe(value)} was found")


def as_number(value: Value) -> float | None:
    """Return a value as a number; a text counts when it is a decimal number.

    Raises:
        WrongTypeError: it is none.
    """
    if isinstance(value, str):
        text = normalise(value)
        if not text:
            return None
        if _NUMBER.fullmatch(text):
            return float(text)
    elif value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return as_double(value)
    raise WrongTypeError(f"a Number was wanted, {describe(value)} was found")


_BOOLEANS: Mapping[Value, bool | None] = {"true": True, "false": False, "": None}


def as_boolean(value: Value) -> bool | None:
    """Return a value as a Boolean; the texts `true` and `false` count.

    Raises:
        WrongTypeError: it is none.
    """
    if value is None or isinstance(value, bool):
        return value
    text = normalise(value) if isinstance(value, str) else None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    raise WrongTypeError(f"a Boolean was wanted, {describe(value)} was found")


# Emptiness -----------------------------------------------------------------------------------------------------------


def emptiness(static: Type) -> Callable[[Value], bool]:
    """Return the function that says whether a value of a type is empty (section 3, third column)."""
    match static.kind:
        case Kind.TEXT:
            return lambda value: value is None or not normalise(_text(value))
        case Kind.BYTES:
            return lambda value: value is None or value == ""
        case Kind.ITEMS:
            return lambda value: value is None or not items_of(static, value)
        case Kind.JSON:
            return _is_empty_json
        case Kind.ANY:
            return lambda value: value is None or emptiness(type_of(value))(value)
        case _:
            return lambda value: value is None


def _is_empty_json(value: Value) -> bool:
    if isinstance(value, dict):
        members = cast("dict[str, Value]", value)
        return all(member is None for member in members.values())
    return value is None or value in ([], "")


# Equality ------------------------------------------------------------------------------------------------------------


def equality(left: Type, right: Type) -> Callable[[Value, Value], bool]:
    """Return the function that compares values of two types for equality (section 3, second column)."""
    kinds = {left.kind, right.kind}
    if Kind.ANY in kinds:
        return lambda a, b: _equal_resolved(left, a, right, b)
    if Kind.BYTES in kinds:
        return lambda a, b: text_form(a) == text_form(b)
    if Kind.TEXT in kinds:
        return lambda a, b: normalise(text_form(a)) == normalise(text_form(b))
    if kinds == {Kind.ITEMS}:
        merged = merge_items(left, right)
        return lambda a, b: items_of(merged, a) == items_of(merged, b)
    if kinds == {Kind.JSON}:
        return lambda a, b: canonical_json(a) == canonical_json(b)
    if kinds == {Kind.ATTRIBUTES}:
        return lambda a, b: _as_map(a) == _as_map(b)
    if kinds == {Kind.NUMBER}:
        return lambda a, b: as_double(a) == as_double(b)
    return lambda a, b: a == b


def as_double(value: Value) -> float | None:
    """Return a number as the IEEE double that a Number is (section 3); what is too large is infinite."""
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _equal_resolved(left: Type, a: Value, right: Type, b: Value) -> bool:
    """Compare when a side has no declared type: it takes the other's, and two such sides their values' (section 3)."""
    if left.kind is not right.kind:
        if left.kind is Kind.ANY:
            return equality(right, right)(as_type(right.kind, a), b)
        return equality(left, left)(a, as_type(left.kind, b))
    if any(isinstance(side, (dict, list)) for side in (a, b)):
        return canonical_json(a) == canonical_json(b)
    if all(isinstance(side, bool) for side in (a, b)) or all(_is_number(side) for side in (a, b)):
        return bool(a == b)
    if None in (a, b) and not any(isinstance(side, str) for side in (a, b)):
        return a is b
    return normalise(text_form(a)) == normalise(text_form(b))


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text_form(value: Value) -> str:
    """Return the text that a value of an undeclared field is compared by when it meets a Text; null is the empty text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e16:
            return str(int(value))
        case _:
            return _text(value)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else str(value)


def items_of(static: Type, value: Value) -> tuple[str, ...]:
    """Return the items of a set or list as they count: normalised or exact, dropped and ordered as its type says."""
    if value is None:
        return ()
    if not isinstance(value, (tuple, list)):
        raise WrongTypeError(f"a list was wanted, {describe(value)} was found")
    sequence = cast("Sequence[Value]", value)
    items = [("" if item is None else _text(item)) for item in sequence]
    keys = [normalise(item) for item in items] if static.item is Kind.TEXT else items
    if static.skip_empty:
        keys = [key for key in keys if key]
    if static.skip_duplicates:
        keys = list(dict.fromkeys(keys))
    return tuple(sorted(keys)) if static.sort else tuple(keys)


def merge_items(left: Type, right: Type) -> Type:
    """Return the type by which two collections are compared: Bytes wins over Text, a set's rules over a list's."""
    return Type(
        Kind.ITEMS,
        Kind.BYTES if Kind.BYTES in (left.item, right.item) else Kind.TEXT,
        left.skip_empty or right.skip_empty,
        left.skip_duplicates or right.skip_duplicates,
        left.sort or right.sort,
    )


def canonical_json(value: Value) -> Value:
    """Return JSON in a form that `==` compares as section 3 does: null members absent, null as {}, true apart from 1."""
    return _canonical({} if value is None else value)


def _canonical(value: Value) -> Value:
    match value:
        case dict():
            members = cast("dict[str, Value]", value)
            return ("object", {key: _canonical(item) for key, item in members.items() if item is not None})
        case list():
            return ("array", [_canonical(item) for item in cast("list[Value]", value)])
        case bool():
            return ("boolean", value)
        case _:
            return value


def _as_map(value: Value) -> Value:
    return value if value is None else dict(value)


# Dates and durations -------------------------------------------------------------------------------------------------


def as_date_time(value: Value) -> datetime | None:
    """Return a value as an instant; a text counts when it is an ISO 8601 date or date-time, and an empty one is null.

    Raises:
        WrongTypeError: the value is neither.
    """
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, str) and not normalise(value):
        return None
    parsed = parse_date_time(value) if isinstance(value, str) else None
    if parsed is None:
        raise WrongTypeError(f"a date-time was wanted, {describe(value)} was found")
    return parsed


# Printed forms -------------------------------------------------------------------------------------------------------

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def quoted(text: str) -> str:
    """Return a text in quotes as condition texts print it (section 4)."""
    return f"'{text.translate(_ESCAPES)}'"


def json_text(value: Value) -> str:
    """Return JSON as one compact line, its members in order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def describe(value: Value) -> str:
    """Return a value for an error message or a trace: short, one line."""
    try:
        shown = _described(value)
    except ValueError:
        shown = "a number of thousands of digits"
    return shown if len(shown) <= 200 else shown[:197] + "…"


def _described(value: Value) -> str:
    match value:
        case None:
            return "null"
        case str():
            return quoted(value)
        case bool():
            return text_form(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case tuple():
            return "[" + ", ".join(describe(item) for item in cast("tuple[Value, ...]", value)) + "]"
        case Mapping() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)
