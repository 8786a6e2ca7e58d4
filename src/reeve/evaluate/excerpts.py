"""Values of an object as they can be shown: plain JSON, and no more of a long one than a person reads."""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from reeve.language.unread import NotCollected, PartlyCollected
from reeve.language.values import Value, describe

LONGEST_TEXT = 300
"""How much is shown of a text, and of a document as JSON, in characters."""
MOST_ITEMS = 10
"""How many items are shown of a list."""
CUT = "…"
"""Ends what was cut."""


def excerpt(value: Value) -> tuple[Any, int]:
    """Return a value as JSON that is not long, and how many more items it has, if it is a list.

    A long text is cut, and so is a long document, of which the beginning of its text is shown; instants are ISO 8601 texts.
    """
    if isinstance(value, (list, tuple)):
        items = cast("list[Value]", value)
        return [_excerpt(item) for item in items[:MOST_ITEMS]], max(0, len(items) - MOST_ITEMS)
    return _excerpt(value), 0


def cut(text: str) -> str:
    """Return a text, cut if it is long."""
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + CUT


def _excerpt(value: Value) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return cut(value)
        case int() | float():
            if not _is_plain(value):
                return describe(value)
            return int(value) if value == int(value) else value
        case Mapping() | list() | tuple():
            return _document(cast("Value", value))
        case _:
            return cut(_text(value))


def _is_plain(number: float) -> bool:
    return abs(number) < 2**63 and not math.isnan(number)


def _document(value: Value) -> Any:
    """Return a document whole if it is short; else the beginning of its text, without making the rest."""
    text = ""
    try:
        for part in json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_inside).iterencode(value):
            text += part
            if len(text) > LONGEST_TEXT:
                return cut(text)
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):  # no JSON: an object of untyped test data that is within itself, say
        return cut(text) + CUT


def _inside(value: Any) -> Any:
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else _text(value)


def _text(value: Value) -> str:
    """Return a value that JSON has no form for as a text."""
    return str(value) if isinstance(value, (NotCollected, PartlyCollected)) else describe(value)
