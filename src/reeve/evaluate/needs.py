"""Which fields, lookups and related lists policies read, by type: only those are collected."""

from collections.abc import Callable, Iterable, Mapping

from reeve.evaluate.interpreter import Program
from reeve.language.operations.base import leaves, reads_of
from reeve.model import ObjectType

Types = Callable[[str], ObjectType]


def needs(programs: Iterable[Program], object_type: Types) -> dict[str, frozenset[str]]:
    """Return the names that compiled policies read of each type, by the type's id.

    Args:
        programs: the policies.
        object_type: gives a type by its id.
    """
    found: dict[str, set[str]] = {}
    for program in programs:
        _program(program, object_type, found)
    return {type_id: frozenset(names) for type_id, names in found.items()}


def _program(program: Program, object_type: Types, found: dict[str, set[str]]) -> None:
    own = program.body.object_type
    _path(own, "", object_type, found)
    for condition in program.body.conditions:
        for leaf in leaves(condition.check):
            for path in reads_of(leaf).paths:
                _path(own, path, object_type, found)
    for relationship, child in program.children.items():
        parent = _path(own, relationship, object_type, found)
        relation = parent.related_lists.get(relationship.rpartition(".")[2]) if parent else None
        if relation is not None and relation.foreign_key:
            found.setdefault(relation.type, set()).add(relation.foreign_key)
        _program(child, object_type, found)


def _path(own: ObjectType, path: str, object_type: Types, found: dict[str, set[str]]) -> ObjectType | None:
    """Note the last part of a path, and the fields that its lookups go by; return the type that the last part is of."""
    *lookups, last = path.split(".")
    here = own
    for name in lookups:
        relation = here.lookups.get(name)
        if relation is None:
            return None
        found.setdefault(here.id, set()).add(relation.foreign_key or "")
        here = object_type(relation.type)
        identity = (here.id_field, here.disappearance_field)
        found.setdefault(here.id, set()).update(field for field in identity if field)
    found.setdefault(here.id, set()).update([last] if last else [])
    return here


def suspect_of(
    programs: Mapping[str, Program], incompliant: Callable[[Program, Mapping[str, object]], bool], object_type: Types
) -> Callable[[Mapping[str, object]], frozenset[str]]:
    """Return the function that says which fields make an object INCOMPLIANT: all that the policies read that find it so.

    Args:
        programs: the policies of one type.
        incompliant: whether a policy finds an object, given as its fields, INCOMPLIANT.
        object_type: gives a type by its id.
    """
    read = [
        (program, needs([program], object_type).get(program.body.object_type.id, frozenset())) for program in programs.values()
    ]

    def suspect(fields: Mapping[str, object]) -> frozenset[str]:
        return frozenset(name for program, names in read if incompliant(program, fields) for name in names)

    return suspect
