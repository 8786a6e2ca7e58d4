"""Which calls collect what some policies need: a type's declaration, cut down to them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reeve.collect.answers import optional_paths
from reeve.language.query_reads import PARENT, Path, names_read
from reeve.language.templates import names_in
from reeve.model import Call, Collect, ObjectType, Source

Needs = Mapping[str, frozenset[str]]
"""By the id of a type, the names of the fields that are needed of it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to collect the objects of a type.

    `reads` are the names that each field is picked from, by its name: members of the listed item, calls, `_account` and the
    like; `uses` are the calls among them. `earlier` are the names that each call's arguments and conditions are picked from.
    `needed` are the fields that policies read, `lists` the related lists. `calls` are those that are needed, `confirming` the
    ones among them that are made only where provisional values don't do. `optional` are the members that answers may lack.
    """

    object_type: ObjectType
    collect: Collect
    reads: Mapping[str, frozenset[str]]
    uses: Mapping[str, frozenset[str]]
    earlier: Mapping[str, frozenset[str]]
    needed: frozenset[str]
    lists: frozenset[str]
    calls: frozenset[str] = frozenset()
    confirming: frozenset[str] = frozenset()
    optional: frozenset[Path] = frozenset()

    def calls_for(self, names: Iterable[str]) -> frozenset[str]:
        """Return the calls that some fields need, with those that they build on."""
        found: set[str] = set()
        pending = [call for name in names for call in self.uses[name]]
        while pending:
            call = pending.pop()
            if call not in found:
                found.add(call)
                pending.extend(self.earlier[call] & self.collect.calls.keys())
        return frozenset(found)

    @property
    def hinted(self) -> frozenset[str]:
        """The needed fields whose values are provisional until calls confirm them."""
        fields = self.object_type.fields
        return frozenset(name for name in self.needed if fields[name].hint and self.calls_for((name,)) & self.confirming)

    @property
    def members(self) -> frozenset[str]:
        """The names of members of a listed item that fields and calls are picked from."""
        read = frozenset[str]().union(*self.reads.values(), *self.earlier.values())
        return frozenset(name for name in read - self.collect.calls.keys() if not name.startswith("_"))

    def lacks(self, source: Source, unknown: Collection[str]) -> str | None:
        """Return one of some names that a source's list can't be asked for, or picked out, without, if there is one."""
        read = frozenset[str]().union(*(names_read(text) for text in _texts(source)))
        return next((name for name in unknown if name in read), None)


def recipes(needs: Needs, object_type: Callable[[str], ObjectType]) -> dict[str, Recipe]:
    """Return how to collect the types that are needed, and those whose objects their lists are about, by id.

    Types that don't say how they are collected are left out.
    """
    wanted = {type_id: set(fields) for type_id, fields in needs.items()}
    pending, found = list(wanted), dict[str, Recipe]()
    while pending:
        type_id = pending.pop()
        declared = object_type(type_id)
        if declared.collect is None:
            continue
        found[type_id] = recipe = _recipe(declared, declared.collect, frozenset(wanted[type_id]))
        for parent in {source.parent for source in declared.collect.sources if source.parent}:
            read = _parent_fields(recipe) & object_type(parent).fields.keys()
            if parent not in wanted or not read <= wanted[parent]:
                wanted.setdefault(parent, set()).update(read)
                pending.append(parent)
    return found


def _recipe(declared: ObjectType, collect: Collect, needed: frozenset[str]) -> Recipe:
    identity = {declared.id_field, declared.name_field, *(names_in(declared.arn) if declared.arn else ())}
    fields = [declared.fields[name] for name in needed | identity if name in declared.fields]
    lists = needed & declared.related_lists.keys()
    reads = {field.name: names_read(field.source) if field.source else frozenset[str]() for field in declared.fields.values()}
    uses = {name: read & collect.calls.keys() for name, read in reads.items()}
    earlier = {
        name: frozenset(read for text in _expressions(call) for read in names_read(text))
        for name, call in collect.calls.items()
    }
    recipe = Recipe(declared, collect, reads, uses, earlier, frozenset(field.name for field in fields), lists)
    calls = recipe.calls_for(recipe.needed)
    hinted = [field.name for field in fields if field.hint] if collect.provisional else []
    confirming = frozenset[str]()
    if hinted and collect.provisional:
        given = frozenset({collect.provisional.call})
        calls |= given
        confirming = recipe.calls_for(hinted) - given - _for_every_object(recipe, frozenset(hinted), given)
    return replace(recipe, calls=calls, confirming=confirming, optional=optional_paths(collect))


def _for_every_object(recipe: Recipe, hinted: frozenset[str], given: frozenset[str]) -> frozenset[str]:
    """Return the calls that a field without a hint needs, and what is of one piece with them: nothing is provisional there."""
    made = recipe.calls_for(recipe.needed - hinted)
    while more := frozenset(name for name in hinted if (recipe.calls_for((name,)) - given) & made):
        hinted -= more
        made |= recipe.calls_for(more)
    return made


def _expressions(call: Call) -> Iterator[str]:
    yield from call.arguments.values()
    yield from (text for text in (call.when, call.match[1] if call.match else None) if text)


def _texts(source: Source) -> Iterator[str]:
    yield from (text for text in (source.items, source.when, source.where) if text)
    yield from _expressions(source.call) if source.call else ()


def _parent_fields(recipe: Recipe) -> frozenset[str]:
    texts: list[str] = [field.source for field in recipe.object_type.fields.values() if field.source]
    for source in recipe.collect.sources:
        texts += _texts(source)
    for call in recipe.collect.calls.values():
        texts += _expressions(call)
    used = {read for text in texts for read in names_read(text)}
    return frozenset(name.removeprefix(PARENT) for name in used if name.startswith(PARENT))
