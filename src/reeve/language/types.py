"""The types of the policy language (section 3) and which of them an operation takes."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a value is; `ANY` is a field that no type file describes, checked when it meets a value."""

    TEXT = "Text"
    BYTES = "Bytes"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    DATE_TIME = "DateTime"
    DURATION = "Duration"
    JSON = "Json"
    ATTRIBUTES = "Attributes"
    ITEMS = "Items"
    ANY = "Any"


@dataclass(frozen=True, slots=True)
class Type:
    """A type. For sets, lists and legacy collections (`Kind.ITEMS`): what their items are and how they count.

    A set drops empty items and duplicates and has no order; a list keeps all three (section 3). A `collection` of the older
    dialects is one or the other, and may be compared with both.
    """

    kind: Kind
    item: Kind = Kind.TEXT
    skip_empty: bool = False
    skip_duplicates: bool = False
    sort: bool = False
    collection: bool = False

    def __str__(self) -> str:
        if self.kind is not Kind.ITEMS:
            return self.kind.value
        return f"{'Collection' if self.collection else 'Set' if self.sort else 'List'} of {self.item}"


TEXT = Type(Kind.TEXT)
BYTES = Type(Kind.BYTES)
NUMBER = Type(Kind.NUMBER)
BOOLEAN = Type(Kind.BOOLEAN)
DATE_TIME = Type(Kind.DATE_TIME)
DURATION = Type(Kind.DURATION)
JSON = Type(Kind.JSON)
ATTRIBUTES = Type(Kind.ATTRIBUTES)
ANY = Type(Kind.ANY)


def set_of(item: Kind) -> Type:
    """Return the type of sets of Text or of Bytes."""
    return Type(Kind.ITEMS, item, skip_empty=True, skip_duplicates=True, sort=True)


def list_of(item: Kind) -> Type:
    """Return the type of lists of Text or of Bytes."""
    return Type(Kind.ITEMS, item)


def collection_of(item: Kind, is_list: bool = False) -> Type:
    """Return the type of collections of the older dialects, which count as a set unless they have options of their own."""
    return replace(list_of(item) if is_list else set_of(item), collection=True)


NAMED: dict[str, Type] = {
    str(named): named
    for named in (
        *(TEXT, BYTES, NUMBER, BOOLEAN, DATE_TIME, JSON),
        *(set_of(Kind.TEXT), set_of(Kind.BYTES), list_of(Kind.TEXT), list_of(Kind.BYTES)),
    )
}
"""The types by the names that `type.yaml` uses for fields; lengths and attributes are read out of texts by logic."""

STRINGS = (Kind.TEXT, Kind.BYTES)
ORDERED = (Kind.NUMBER, Kind.DURATION)
SEARCHABLE = (Kind.TEXT, Kind.BYTES, Kind.ITEMS)
EVERY = tuple(kind for kind in Kind if kind is not Kind.ANY)


def accepts(kinds: tuple[Kind, ...], given: Type) -> bool:
    """Return whether an operand of the type `given` fits where one of `kinds` is wanted."""
    return given.kind is Kind.ANY or given.kind in kinds


def comparable(left: Type, right: Type) -> bool:
    """Return whether `IS_EQUAL` may compare two types: one type, or Text with Bytes (section 4)."""
    if Kind.ANY in (left.kind, right.kind) or {left.kind, right.kind} == {Kind.TEXT, Kind.BYTES}:
        return True
    if left.kind is not right.kind or left.item is not right.item:
        return False
    return left.sort is right.sort or left.collection or right.collection
