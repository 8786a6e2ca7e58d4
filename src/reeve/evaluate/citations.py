"""Which API calls the fields of objects come from, by what their types declare and what their records say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from reeve.language.evaluation import Gone, Row
from reeve.language.query_reads import PARENT, names_read
from reeve.language.rows import ID_FIELDS, disappearance_field, follow
from reeve.language.scopes import behind
from reeve.language.values import Value
from reeve.model import Collect, ObjectType

Types = Callable[[str], ObjectType]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a record says beside the fields of its object: where it is, and the calls that told of it (`service:Operation`)."""

    account: str | None = None
    region: str | None = None
    arn: str | None = None
    calls: frozenset[str] = frozenset()

    @classmethod
    def of(cls, source: str, account: str | None = None, region: str | None = None, arn: str | None = None) -> "Origin":
        """Return the origin of an object by its record's source, which names calls, or, where none lists it, its type."""
        return cls(account, region, arn, frozenset(call for call in source.split(", ") if ":" in call))


Origins = Callable[[Row], Origin | None]
"""Gives the origin of an object; None where it has none, as in test data."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls that a field is declared to come from: those for each object, those that list objects, the provisional one."""

    own: tuple[str, ...] = ()
    listing: tuple[str, ...] = ()
    provisional: str | None = None

    def of(self, origin: Origin | None) -> tuple[str, ...]:
        """Return those of the calls that told of an object, as far as its record names them; else all."""
        made = origin.calls if origin else frozenset[str]()
        own = _among(self.own, made)
        if not own and self.provisional in made:
            return _among((self.provisional or "",), made)
        if not self.own and not self.listing:
            return tuple(sorted(made))
        if not own and not (made and self.listing):  # else the call was not made for this object, of which the list said it
            own = self.own
        return (*own, *(_among(self.listing, made) or self.listing))


def _among(calls: tuple[str, ...], made: frozenset[str]) -> tuple[str, ...]:
    return tuple(call for call in calls if call in made)


@dataclass(frozen=True, slots=True)
class _Field:
    """A field behind a path of lookups: how it is read, how the object that has it is found, and where it comes from."""

    read: Callable[[Row], Value]
    owner: Callable[[Row], Value]
    calls: Calls


@dataclass(frozen=True, slots=True)
class Citations:
    """Reads fields of objects, and says which calls they come from; `object_type` gives a type by its id.

    What paths lead to is kept in `fields`, by the type and the path.
    """

    object_type: Types
    origin: Origins
    fields: dict[tuple[str, str], _Field] = field(default_factory=dict[tuple[str, str], _Field], repr=False)

    def read(self, own: ObjectType, path: str, row: Row) -> tuple[Value, tuple[str, ...]]:
        """Return what stands behind a path from an object, as a policy reads it, and the calls that said it.

        Args:
            own: the object's type.
            path: lookups, then a field; or nothing, for the id of the object that the lookups lead to.
            row: the object.

        Raises:
            WrongTypeError: a lookup leads to something that is no object.
        """
        key = (own.id, path)
        if key not in self.fields:
            self.fields[key] = self._field(own, path)
        found = self.fields[key]
        value, owner = found.read(row), found.owner(row)
        return value, found.calls.of(self.origin(cast("Row", owner)) if isinstance(owner, Mapping) else None)

    def listing(self, of: ObjectType) -> tuple[str, ...]:
        """Return the calls that list a type's objects."""
        return _listing(of, self.object_type, frozenset())

    def _field(self, own: ObjectType, path: str) -> _Field:
        lookups, _, name = path.rpartition(".")
        # The logic was read by the same types: it names no lookup that they lack.
        there, gone = cast("tuple[ObjectType, Gone]", behind(own, lookups, self.object_type))
        owner = follow(lookups, gone) if lookups else _itself
        if name:
            return _Field(follow(path, gone), owner, _calls(there, name, self.object_type, frozenset()))
        return _Field(_identity(owner, there, gone[-1] if gone else None), owner, Calls(listing=self.listing(there)))


def _itself(row: Row) -> Value:
    return row


def _identity(owner: Callable[[Row], Value], of: ObjectType, says_gone: str | None) -> Callable[[Row], Value]:
    """Return the reader of the id of the object behind lookups; null where there is none, or it has disappeared."""

    def read(row: Row) -> Value:
        found = owner(row)
        if not isinstance(found, Mapping):
            return found
        there = cast("Row", found)
        if says_gone != "" and disappearance_field(there, says_gone) is not None:
            return None
        ids = (there.get(name) for name in (of.id_field, *ID_FIELDS))
        return next((one for one in ids if one is not None), None)

    return read


Seen = frozenset[tuple[str, str]]
"""Fields of types on the way from a child to its parents, which may be in a circle."""


def _calls(of: ObjectType, name: str, object_type: Types, seen: Seen) -> Calls:
    collect, declared = of.collect, of.fields.get(name)
    if collect is None or (of.id, name) in seen:
        return Calls()
    seen |= {(of.id, name)}
    if declared is None or declared.source is None:
        return Calls(listing=_listing(of, object_type, seen))
    read = names_read(declared.source)
    own = [call.name for key, call in collect.calls.items() if key in read]
    own += _from_parents(collect, read, object_type, seen)
    is_listed = not own or any(not member.startswith("_") and member not in collect.calls for member in read)
    hinted = declared.hint is not None and collect.provisional is not None
    return Calls(
        tuple(dict.fromkeys(own)),
        _listing(of, object_type, seen) if is_listed else (),
        collect.calls[collect.provisional.call].name if hinted and collect.provisional else None,
    )


def _listing(of: ObjectType, object_type: Types, seen: Seen) -> tuple[str, ...]:
    """Return the calls that list a type's objects; of those that are a part of their parents, the calls that it is from."""
    if of.collect is None:
        return ()
    found: list[str] = []
    for source in of.collect.sources:
        if source.call is not None:
            found.append(source.call.name)
        else:
            found += _from_parents(of.collect, names_read(source.items), object_type, seen)
    return tuple(dict.fromkeys(found))


def _from_parents(collect: Collect, read: frozenset[str], object_type: Types, seen: Seen) -> Iterator[str]:
    """Yield the calls that those fields of an object's parents come from that are read for the object."""
    names = sorted(name.removeprefix(PARENT) for name in read if name.startswith(PARENT))
    for parent in dict.fromkeys(source.parent for source in collect.sources if source.parent):
        for name in names:
            calls = _calls(object_type(parent), name, object_type, seen)
            yield from (*calls.own, *calls.listing)
