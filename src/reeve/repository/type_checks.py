"""Whether what a type declares leads anywhere: fields that are named, relations and their keys, the types it is listed for.

A key that names no field matches nothing, and a list that is always empty reads like a list without offenders: so that a
wrong declaration is an error wherever a type is used, before anything is judged.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from reeve.language.errors import nearest
from reeve.language.templates import ARN, FILLING, HOST, PLACE, names_in, unknown_name
from reeve.language.types import NAMED, Kind
from reeve.model import Collect, ObjectType, Relation, Source

Steps = tuple[str | int, ...]
"""The keys and positions that lead from a file's root to a value."""

_SAFE_ADDRESS = re.compile(r"https://(\{host\}|[A-Za-z0-9.-]+)/")
_IDS = (Kind.TEXT, Kind.BYTES)
_TAGS = (Kind.TEXT, Kind.BYTES, Kind.JSON, Kind.ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a declaration: where in its file, what, and the kind of error."""

    steps: Steps
    message: str
    code: str = "unknown-value"


CheckCollect = Callable[[ObjectType, Callable[[str], ObjectType]], Iterable[Finding]]
"""Says what is wrong with how a type is collected, as its provider knows; it is given the other types by id."""


def check_type(own: ObjectType, declared: Callable[[str], ObjectType], ids: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with a type's declaration.

    Args:
        own: the type.
        declared: gives another type by its id.
        ids: the ids of all types that are declared.
    """
    yield from _named_fields(own)
    yield from _reserved(own)
    yield from _templates(own)
    for key, relations in (("lookups", own.lookups), ("relatedLists", own.related_lists)):
        for relation in relations.values():
            steps = (key, relation.name)
            if relation.name in own.fields:
                yield Finding(steps, f"{relation.name!r} is a field too", "duplicate-key")
            if relation.type not in ids:
                yield Finding((*steps, "type"), f"there is no type {relation.type!r}{nearest(relation.type, ids)}")
            elif key == "lookups":
                yield from _key(steps, relation, own, declared(relation.type), own)
            else:
                yield from _key(steps, relation, declared(relation.type), own, own)
    if own.collect is not None:
        yield from _collect(own, own.collect, declared, ids)


def _named_fields(own: ObjectType) -> Iterator[Finding]:
    for key, name, kinds in (
        ("idField", own.id_field, _IDS),
        ("nameField", own.name_field, _IDS),
        ("disappearanceField", own.disappearance_field, (Kind.DATE_TIME,)),
        ("tagsField", own.tags_field, _TAGS),
    ):
        if name is not None and not (key == "nameField" and name == own.id_field):
            yield from _field((key,), name, own, kinds)


def _reserved(own: ObjectType) -> Iterator[Finding]:
    """Yield the fields whose names are kept for what every table has beside fields, such as `_region`."""
    for name in own.fields:
        if name.startswith("_"):
            yield Finding(("fields", name), f"the name {name!r} begins with an underscore, as only names of ours do")


def _templates(own: ObjectType) -> Iterator[Finding]:
    """Yield what is wrong with the names in a type's templates."""
    known = {*own.fields, *PLACE}
    for key, template, more in (
        ("arn", own.arn, ()),
        ("console", own.console, (ARN, HOST)),
        ("summary", own.summary, (ARN,)),
    ):
        if template is None:
            continue
        if wrong := unknown_name(template, {*known, *more}):
            yield Finding((key,), wrong)
        for name in sorted(names_in(template) & own.fields.keys() - {*PLACE, *more}):
            yield from _field((key,), name, own, FILLING)
    if own.console is not None and not _SAFE_ADDRESS.match(own.console.text):
        yield Finding(("console",), "the address must begin with https:// and a host that no object says, {host} or its name")


def _field(steps: Steps, name: str, of: ObjectType, kinds: Collection[Kind] = tuple(Kind)) -> Iterator[Finding]:
    """Yield what is wrong with a field that is named: it doesn't exist, or is of another kind."""
    found = of.fields.get(name)
    if found is None:
        yield Finding(steps, f"there is no field {name!r} in {of.id}{nearest(name, of.fields)}")
    elif NAMED[found.type].kind not in kinds:
        wanted = " or ".join(kind.value for kind in kinds)
        yield Finding(steps, f"the field {name!r} of {of.id} is {found.type}; {wanted} is needed here", "wrong-type")


def _key(steps: Steps, relation: Relation, holder: ObjectType, target: ObjectType, own: ObjectType) -> Iterator[Finding]:
    """Yield what is wrong with a relation's key: a field of `holder` that holds the id of `target`."""
    if relation.foreign_key is None:
        if own.collect is not None:
            yield Finding(steps, "a relation of a type that is collected needs the key 'foreignKey', a text", "missing-key")
        return
    yield from _field((*steps, "foreignKey"), relation.foreign_key, holder, _IDS)
    if target.id_field in target.fields:  # else that is said where it is declared
        yield from (Finding((*steps, "foreignKey"), one.message, one.code) for one in _field((), target.id_field, target, _IDS))


def _collect(
    own: ObjectType, collect: Collect, declared: Callable[[str], ObjectType], ids: Collection[str]
) -> Iterator[Finding]:
    for number, source in enumerate(collect.sources):
        yield from _source(own, source, ("collect", "sources", number), declared, ids)
    if collect.gone and own.disappearance_field is None:
        yield Finding(("collect", "gone"), "a type whose objects can be gone needs the key 'disappearanceField'", "missing-key")
    for field in own.fields.values():
        if field.source is None and field.name != own.disappearance_field:
            yield Finding(
                ("fields", field.name), f"the field {field.name!r} needs the key 'from': nothing fills it", "missing-key"
            )
        if field.hint is not None and collect.provisional is None:
            yield Finding(("fields", field.name, "hint"), "a hint needs the key 'provisional' in 'collect'", "missing-key")


def _source(
    own: ObjectType, source: Source, steps: Steps, declared: Callable[[str], ObjectType], ids: Collection[str]
) -> Iterator[Finding]:
    if source.parent is None:
        if source.for_suspects:
            yield Finding(
                (*steps, "forSuspects"), "'forSuspects' is about the objects of a type: it needs the key 'of'", "missing-key"
            )
        return
    if source.parent not in ids:
        yield Finding((*steps, "of"), f"there is no type {source.parent!r}{nearest(source.parent, ids)}")
        return
    parent = declared(source.parent)
    if parent.collect is None:
        yield Finding((*steps, "of"), f"the type {parent.id} doesn't say how it is collected")
    elif _is_below(source.parent, own.id, declared, ids):
        yield Finding(
            (*steps, "of"), f"{own.id} is listed for {source.parent}, which is listed for {own.id}: neither is ever read"
        )
    for number, name in enumerate(source.for_suspects):
        yield from _field((*steps, "forSuspects", number), name, parent)


def _is_below(below: str, above: str, declared: Callable[[str], ObjectType], ids: Collection[str]) -> bool:
    """Return whether a type is listed, in some steps, for the objects of another; or is that one."""
    pending, seen = [below], set[str]()
    while pending:
        here = pending.pop()
        if here == above:
            return True
        if here not in seen and here in ids:
            seen.add(here)
            collect = declared(here).collect
            pending.extend(source.parent for source in (collect.sources if collect else ()) if source.parent)
    return False
