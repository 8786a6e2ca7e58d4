"""What is known of a JSON value before it is there: from botocore's shapes, and from what expressions make of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, cast

from reeve.language.query_reads import Path


class Kind(StrEnum):
    """What a value is; TIME is an instant, which plain answers hold as a text, and UNKNOWN may be anything."""

    UNKNOWN = "anything"
    NULL = "null"
    BOOLEAN = "true or false"
    NUMBER = "a number"
    STRING = "a text"
    TIME = "an instant"
    LIST = "a list"
    OBJECT = "an object"
    BYTES = "bytes"


NO_CONSTANT: Final = object()
"""Stands where a value is not the same for all objects."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a value.

    `shape` is botocore's, of an object, a list or a text; `members` are those of an object that has none (and `rest`, if given,
    any other member), `items` what such a list holds. `choices` are the texts that the model allows, `origins` where it was
    read, `constant` its value if it is one.
    """

    kind: Kind
    shape: Any = None
    members: Mapping[str, "Value"] | None = None
    rest: "Value | None" = None
    items: "Value | None" = None
    choices: tuple[str, ...] = ()
    origins: frozenset[Path] = frozenset()
    constant: Any = field(default=NO_CONSTANT)

    @property
    def is_text(self) -> bool:
        """Whether plain answers hold it as a text."""
        return self.kind in (Kind.STRING, Kind.TIME)


UNKNOWN, NULL = Value(Kind.UNKNOWN), Value(Kind.NULL, constant=None)
BOOLEAN, NUMBER, STRING, TIME = (Value(kind) for kind in (Kind.BOOLEAN, Kind.NUMBER, Kind.STRING, Kind.TIME))

_KINDS = {
    **dict.fromkeys(("structure", "map"), Kind.OBJECT),
    **dict.fromkeys(("integer", "long", "float", "double"), Kind.NUMBER),
    **dict.fromkeys(("string", "character"), Kind.STRING),
    "list": Kind.LIST,
    "boolean": Kind.BOOLEAN,
    "timestamp": Kind.TIME,
    "blob": Kind.BYTES,
}
DOCUMENTS = ("policyDocumentType",)
"""Shapes of texts that botocore gives parsed: IAM's policy documents."""


def of_shape(shape: Any, origins: frozenset[Path] = frozenset()) -> Value:
    """Return what a shape of botocore's says of a value."""
    if shape is None or shape.name in DOCUMENTS or getattr(shape, "is_document_type", False):
        return replace(UNKNOWN, origins=origins)
    return Value(_KINDS[shape.type_name], shape, choices=tuple(getattr(shape, "enum", ())), origins=origins)


def listing(items: Value) -> Value:
    """Return a list of values."""
    return Value(Kind.LIST, items=items, origins=items.origins)


def items_of(value: Value) -> Value:
    """Return what is known of a list's items."""
    if value.items is not None:
        return value.items
    if value.kind is Kind.LIST and value.shape is not None:
        return of_shape(value.shape.member, value.origins)
    return NULL if value.kind is Kind.NULL else replace(UNKNOWN, origins=value.origins)


def member_of(value: Value, name: str) -> Value | None:
    """Return what is known of an object's member; None if there is none of that name."""
    origins = frozenset((*path, name) for path in value.origins)
    if value.kind is Kind.UNKNOWN:
        return replace(UNKNOWN, origins=origins)
    if value.members is not None:
        return value.members.get(name, value.rest)
    if value.shape.type_name == "map":
        known: Iterable[str] = getattr(value.shape.key, "enum", ())
        return of_shape(value.shape.value, origins) if not known or name in known else None
    members: Mapping[str, Any] = value.shape.members
    return of_shape(members[name], origins) if name in members else None


def names_in(value: Value) -> Iterable[str]:
    """Return the names of an object's members, as far as they are known."""
    if value.members is not None:
        return value.members
    if value.shape is None:
        return ()
    return getattr(value.shape.key, "enum", ()) if value.shape.type_name == "map" else value.shape.members


def of_constant(value: Any) -> Value:
    """Return what is known of a constant: all of it."""
    match value:
        case None:
            return NULL
        case bool():
            return replace(BOOLEAN, constant=value)
        case int() | float():
            return replace(NUMBER, constant=value)
        case str():
            return replace(STRING, constant=value)
        case list():
            found = either([of_constant(item) for item in cast("list[Any]", value)])
            return Value(Kind.LIST, items=found, constant=cast("Any", value))
        case _:
            members = {name: of_constant(item) for name, item in cast("dict[str, Any]", value).items()}
            return Value(Kind.OBJECT, members=members, constant=value)


def either(values: Iterable[Value]) -> Value:
    """Return what is known of a value that is one of some."""
    found = [value for value in values if value.kind is not Kind.NULL]
    if not found:
        return NULL
    first, origins = found[0], frozenset(path for value in found for path in value.origins)
    if len(found) == 1:
        return first
    if any(value.kind is not first.kind for value in found):
        text = all(value.is_text for value in found)
        return Value(Kind.STRING if text else Kind.UNKNOWN, origins=origins)
    if first.kind is Kind.LIST:
        return Value(Kind.LIST, items=either([items_of(value) for value in found]), origins=origins)
    if first.kind is Kind.OBJECT:
        return _either_object(found, origins)
    choices = tuple(dict.fromkeys(name for value in found for name in value.choices))
    return Value(first.kind, choices=choices if all(value.choices for value in found) else (), origins=origins)


def _either_object(found: list[Value], origins: frozenset[Path]) -> Value:
    if all(value.shape is not None and value.shape == found[0].shape for value in found):
        return replace(found[0], origins=origins)
    if not all(names_in(value) for value in found):
        return replace(UNKNOWN, origins=origins)
    names = dict.fromkeys(name for value in found for name in names_in(value))
    each = {name: [one for value in found if (one := member_of(value, name)) is not None] for name in names}
    return Value(Kind.OBJECT, members={name: either(values) for name, values in each.items()}, origins=origins)
