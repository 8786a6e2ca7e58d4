"""Which calls collect what some policies need: a type's declaration, cut down to them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reeve.collect.aws.expressions import references
from reeve.collect.collection import Affects
from reeve.model import Call, Collect, ObjectType

Needs = Mapping[str, frozenset[str]]
"""By the id of a type, the names of the fields that are needed of it."""

PARENT = "_parent."
REGIONS = Call("ec2", "DescribeRegions", ("ec2:DescribeRegions",))
"""Says which regions the account has enabled; regional types are listed there."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to collect the objects of a type.

    `uses` are the calls whose answers each field is picked from, by its name, `earlier` those that each call's arguments and
    conditions are picked from. `needed` are the fields that policies read,
    `lists` the related lists. `calls` are those that are needed, `confirming` the ones among them that are made only where
    provisional values don't do.
    """

    object_type: ObjectType
    collect: Collect
    uses: Mapping[str, frozenset[str]]
    earlier: Mapping[str, frozenset[str]]
    needed: frozenset[str]
    lists: frozenset[str]
    calls: frozenset[str] = frozenset()
    confirming: frozenset[str] = frozenset()

    def calls_for(self, names: Iterable[str]) -> frozenset[str]:
        """Return the calls that some fields need, with those that they build on."""
        found: set[str] = set()
        pending = [call for name in names for call in self.uses[name]]
        while pending:
            call = pending.pop()
            if call not in found:
                found.add(call)
                pending.extend(self.earlier[call])
        return frozenset(found)

    def affects(self, call: str) -> Affects:
        """Return what is not seen of the type when a call for its objects fails."""
        names = {name for name in self.needed if call in self.calls_for([name])}
        provisional = self.collect.provisional
        if provisional is not None and provisional.call == call:
            names |= {name for name in self.needed if self.object_type.fields[name].hint}
        return {self.object_type.id: tuple(sorted(names))}


def recipes(needs: Needs, object_type: Callable[[str], ObjectType]) -> dict[str, Recipe]:
    """Return how to collect the types that are needed, and those whose objects their lists are about, by id.

    Types that don't say how they are collected are left out.
    """
    wanted = {type_id: set(names) for type_id, names in needs.items()}
    pending, found = list(wanted), dict[str, Recipe]()
    while pending:
        type_id = pending.pop()
        declared = object_type(type_id)
        if declared.collect is None:
            continue
        found[type_id] = recipe = _recipe(declared, declared.collect, frozenset(wanted[type_id]))
        for parent in {source.parent for source in declared.collect.sources if source.parent}:
            names = _parent_fields(recipe) & object_type(parent).fields.keys()
            if parent not in wanted or not names <= wanted[parent]:
                wanted.setdefault(parent, set()).update(names)
                pending.append(parent)
    return found


def _recipe(declared: ObjectType, collect: Collect, needed: frozenset[str]) -> Recipe:
    identity = {declared.id_field, declared.name_field}
    fields = [declared.fields[name] for name in needed | identity if name in declared.fields]
    lists = needed & declared.related_lists.keys()
    uses = {
        field.name: references(field.source) & collect.calls.keys() if field.source else frozenset[str]()
        for field in declared.fields.values()
    }
    earlier = {
        name: frozenset(reference for text in _expressions(call) for reference in references(text)) & collect.calls.keys()
        for name, call in collect.calls.items()
    }
    recipe = Recipe(declared, collect, uses, earlier, frozenset(field.name for field in fields), lists)
    calls = recipe.calls_for(recipe.needed)
    hinted = [field.name for field in fields if field.hint] if collect.provisional else []
    confirming = recipe.calls_for(hinted)
    if hinted and collect.provisional:
        calls |= {collect.provisional.call}
    return replace(recipe, calls=calls, confirming=confirming)


def _expressions(call: Call) -> Iterator[str]:
    yield from call.arguments.values()
    yield from (text for text in (call.when, call.match[1] if call.match else None) if text)


def _parent_fields(recipe: Recipe) -> frozenset[str]:
    texts: list[str] = [field.source for field in recipe.object_type.fields.values() if field.source]
    for source in recipe.collect.sources:
        texts += [text for text in (source.items, source.when, source.where) if text]
        texts += _expressions(source.call) if source.call else ()
    for call in recipe.collect.calls.values():
        texts += _expressions(call)
    used = {reference for text in texts for reference in references(text)}
    return frozenset(name.removeprefix(PARENT) for name in used if name.startswith(PARENT))


def permissions(chosen: Iterable[Recipe]) -> tuple[str, ...]:
    """Return the IAM actions that collecting needs, in order."""
    found: set[str] = set()
    for recipe in chosen:
        collect = recipe.collect
        if collect.regional and any(source.parent is None for source in collect.sources):
            found.update(REGIONS.permissions)
        for source in collect.sources:
            found.update(source.call.permissions if source.call else ())
        for name in recipe.calls | recipe.confirming:
            found.update(collect.calls[name].permissions)
    return tuple(sorted(found))
