"""What values mean: normalisation, emptiness, equality, order and printed form (policy language, section 3).

A value is a plain Python object: `str` for Text and Bytes, `int`/`float`, `bool`, an aware `datetime`, `timedelta`,
a tuple of texts for sets and lists, decoded JSON for Json, a tuple of (key, value) for Attributes, `None` for null.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from reeve.language.types import (
    ANY,
    BOOLEAN,
    BYTES,
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
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?", re.ASCII)
_DURATION = re.compile(
    r"([+-]?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_GCP_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)
_LONGEST = timedelta(microseconds=2**63 - 1)
_GCP_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class WrongTypeError(Exception):
    """A value that is not of the type an operation wants; only fields without a declared type can raise it."""


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """Return a text as Text compares it: trimmed, runs of white space collapsed, in lower case."""
    return _WHITE_SPACE.sub(" ", text).strip(" ").lower()


def type_of(value: Value) -> Type:
    """Return the type that a value of an undeclared field has by itself (section 5: an ISO date-time is a DateTime)."""
    match value:
        case None:
            return ANY
        case bool():
            return BOOLEAN
        case int() | float():
            return NUMBER
        case str():
            return DATE_TIME if _DATE_TIME.fullmatch(value) and parse_date_time(value) else TEXT
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
    """Compare when a side has no declared type: it takes its value's type, and null takes the other side's."""
    left_type, right_type = resolved(left, a), resolved(right, b)
    if left_type is ANY and right_type is ANY:
        return True
    left_type = right_type if left_type is ANY else left_type
    right_type = left_type if right_type is ANY else right_type
    kinds = {left_type.kind, right_type.kind}
    if Kind.DATE_TIME in kinds and kinds & {Kind.TEXT, Kind.BYTES}:
        textual = BYTES if Kind.BYTES in kinds else TEXT
        left_type = right_type = textual
    elif kinds == {Kind.DATE_TIME}:
        a, b = as_date_time(a), as_date_time(b)
    elif Kind.JSON in kinds and len(kinds) == 2 and not kinds & {Kind.ITEMS, Kind.ATTRIBUTES}:
        left_type = right_type = JSON
    elif len(kinds) == 2 and not kinds & {Kind.TEXT, Kind.BYTES}:
        return False
    return equality(left_type, right_type)(a, b)


def text_form(value: Value) -> str:
    """Return the text that a Number or Boolean is compared by when it meets a Text; null is the empty text."""
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


def parse_date_time(text: str) -> datetime | None:
    """Return the instant that an ISO 8601 text names (a date alone: its UTC midnight), or None if it is not one."""
    text = text.strip()
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        parsed = datetime.fromisoformat(text.replace(",", "."))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_date_time(value: Value) -> datetime | None:
    """Return a value as an instant; a text counts when it is an ISO 8601 date or date-time.

    Raises:
        WrongTypeError: the value is neither.
    """
    if value is None or isinstance(value, datetime):
        return value
    parsed = parse_date_time(value) if isinstance(value, str) else None
    if parsed is None:
        raise WrongTypeError(f"a date-time was wanted, {describe(value)} was found")
    return parsed


def parse_duration(text: str) -> timedelta | None:
    """Return the length of an ISO 8601 duration, a month being 30 days and a year 12 months, or None."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        return None
    sign, *numbers = found.groups()
    years, months, weeks, days, hours, minutes = (int(number or 0) for number in numbers[:6])
    try:
        length = timedelta(days=(years * 12 + months) * 30 + weeks * 7 + days, hours=hours, minutes=minutes)
        length += timedelta(seconds=float(numbers[6] or 0))
    except OverflowError:
        return None
    return _counted(-length if sign == "-" else length)


def _counted(length: timedelta) -> timedelta | None:
    """Return a length if its microseconds fit into 64 bits (292,000 years), as columns hold it; else None."""
    return length if abs(length) <= _LONGEST else None


def parse_gcp_duration(text: str) -> timedelta | None:
    """Return the length of a duration as Google Cloud writes it: a number with s, m, h or d; or None."""
    found = _GCP_DURATION.fullmatch(text.strip())
    if not found:
        return None
    try:
        return _counted(timedelta(**{_GCP_UNITS[found[2]]: float(found[1])}))
    except OverflowError:
        return None


# Printed forms -------------------------------------------------------------------------------------------------------

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def quoted(text: str) -> str:
    """Return a text in quotes as condition texts print it (section 4)."""
    return f"'{text.translate(_ESCAPES)}'"


def java_double(number: float) -> str:
    """Return a number as Java prints a double: 0.0, 1.0E7, 1.111E9, NaN, Infinity."""
    number = float(number)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return _plain_decimal(number)
    mantissa, _, exponent = f"{_shortest_scientific(number)}".partition("e")
    return f"{mantissa}E{int(exponent)}"


def _plain_decimal(number: float) -> str:
    text = repr(number)
    if "e" not in text:
        return text
    return f"{number:.20f}".rstrip("0")


def _shortest_scientific(number: float) -> str:
    for digits in range(1, 18):
        text = f"{number:.{digits}e}"
        if float(text) == number:
            return text
    return f"{number:.17e}"


def json_text(value: Value) -> str:
    """Return JSON as one compact line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def describe(value: Value) -> str:
    """Return a value for an error message or a trace: short, one line."""
    match value:
        case None:
            return "null"
        case str():
            shown = quoted(value)
        case bool():
            shown = text_form(value)
        case datetime():
            shown = value.isoformat().replace("+00:00", "Z")
        case tuple():
            shown = "[" + ", ".join(describe(item) for item in cast("tuple[Value, ...]", value)) + "]"
        case Mapping() | list():
            shown = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            shown = str(value)
    return shown if len(shown) <= 200 else shown[:197] + "…"
