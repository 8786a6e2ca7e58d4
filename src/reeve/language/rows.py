"""Reads the row of an object: a path in it, its id, and whether it says that the object is gone."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from reeve.language.evaluation import Gone, Row
from reeve.language.unread import NotCollected
from reeve.language.values import Value, WrongTypeError, describe, normalise

ID_FIELDS = ("Id", "id")
DISAPPEARANCE_SUFFIX = "__disappearanceTime__c"
DISAPPEARANCE_FIELDS = ("disappearanceTime", "CA10__deletedAt__c")


def follow(path: str, gone: Gone = ()) -> Callable[[Row], Value]:
    """Return the reader of a dotted path.

    Null on the way gives null, and so does an object on the way that has disappeared; `NotCollected` stays what it is.

    Args:
        path: lookups, then a field or a lookup.
        gone: for each lookup before the last part, how to tell that the object behind it has disappeared.
    """
    *lookups, last = path.split(".")
    if not lookups:
        return lambda row: row.get(last)
    steps = [(lookup, gone[number] if number < len(gone) else None) for number, lookup in enumerate(lookups)]

    def walk(row: Row) -> Value:
        current: Any = row
        for lookup, says in steps:
            current = cast("Row", current).get(lookup)
            if current is None or isinstance(current, NotCollected):
                return current
            if not isinstance(current, Mapping):
                raise WrongTypeError(f"{path}: {lookup} is {describe(current)}, not an object")
            if says != "" and disappearance_field(cast("Row", current), says) is not None:
                return None
        return cast("Row", current).get(last)

    return walk


def disappearance_field(row: Row, declared: str | None) -> str | None:
    """Return the name of the field that says an object has disappeared, or None while it is there (section 2, rule 1)."""
    if declared is not None:
        return declared if _is_filled(row.get(declared)) else None
    for key, value in row.items():
        if value is not None and says_disappeared(key) and _is_filled(value):
            return key
    return None


def _is_filled(value: Value) -> bool:
    return value is not None and not isinstance(value, NotCollected) and not (isinstance(value, str) and not normalise(value))


def says_disappeared(name: str) -> bool:
    """Return whether a field of this name says that an object is gone, where its type doesn't declare which one does."""
    return name.endswith(DISAPPEARANCE_SUFFIX) or name in DISAPPEARANCE_FIELDS


def object_id(row: Row) -> str | None:
    """Return an object's id, from `Id` in test data or `id` in a snapshot."""
    return next((str(row[key]) for key in ID_FIELDS if row.get(key) is not None), None)
