"""Where policies look beyond the objects that they judge: the tables that they read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from reeve.evaluate.interpreter import Program
from reeve.language.operations.base import leaves, reads_of
from reeve.model import ObjectType, Relation

Types = Callable[[str], ObjectType]


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a policy looks beyond its object: the paths of lookups, and by related list the reach of its policy."""

    object_type: ObjectType
    lookups: frozenset[str]
    lists: Mapping[str, "Reach"]

    @classmethod
    def of(cls, program: Program) -> "Reach":
        """Return the reach of a compiled policy."""
        found: set[str] = set()
        for condition in program.body.conditions:
            for leaf in leaves(condition.check):
                found.update(path.rpartition(".")[0] for path in reads_of(leaf).paths)
        lists = {name: cls.of(child) for name, child in program.children.items()}
        found.update(name.rpartition(".")[0] for name in lists)
        every = {".".join(path.split(".")[: n + 1]) for path in found if path for n in range(path.count(".") + 1)}
        return cls(program.body.object_type, frozenset(every), lists)

    def types(self, object_type: Types) -> Iterator[str]:
        """Yield the ids of the types whose tables the policy reads."""
        yield self.object_type.id
        for path in self.lookups:
            relation, before = follow_lookup(self.object_type, path, object_type)
            if all(step.foreign_key for step in (*before, relation)):
                yield relation.type
        for child in self.lists.values():
            yield from child.types(object_type)


def follow_lookup(start: ObjectType, path: str, object_type: Types) -> tuple[Relation, tuple[Relation, ...]]:
    """Return the last lookup of a path, and those before it."""
    steps: list[Relation] = []
    here = start
    for name in path.split("."):
        steps.append(here.lookups[name])
        here = object_type(steps[-1].type)
    return steps[-1], tuple(steps[:-1])


def types_read(programs: Iterable[Program], object_type: Types) -> tuple[str, ...]:
    """Return the ids of the types whose tables some programs read."""
    return tuple(dict.fromkeys(name for program in programs for name in Reach.of(program).types(object_type)))
