"""A policy that is watched while it judges: what its operations looked at, and how the objects of related lists were judged."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Any

from reeve.evaluate.interpreter import Classified, Event, Program, compile_body
from reeve.language.evaluation import Moment, Row
from reeve.language.logic import Body
from reeve.language.operations.base import Reads, reads_of, walk
from reeve.language.rows import ID_FIELDS
from reeve.language.unread import NotCollected
from reeve.language.values import Value, describe
from reeve.model import Meaning, ObjectType, Outcome, Status


@dataclass(frozen=True, slots=True)
class Observation:
    """One object as it was judged, and what happened meanwhile, in order; `debugged` is what DEBUG recorded."""

    row: Row
    moment: Moment
    outcome: Outcome
    meaning: Meaning
    events: tuple[Event, ...]
    debugged: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ObservedProgram:
    """A policy, compiled once, that judges one object at a time and tells what it did.

    `reads` are what each operation looks at, by its identity (`id`); `lists` judge the related lists' objects likewise.
    """

    program: Program
    reads: Mapping[int, Reads]
    lists: Mapping[str, "ObservedProgram"]
    events: list[Event]

    @classmethod
    def of(cls, body: Body) -> "ObservedProgram":
        """Compile a body, and those of its related lists."""
        events: list[Event] = []
        every = [part for condition in body.conditions for part in walk(condition.check)]
        reads = {id(part): found for part in every if (found := reads_of(part))}
        lists = {name: cls.of(child) for name, child in body.related_lists.items()}
        return cls(compile_body(body, events.append), reads, lists, events)

    @property
    def object_type(self) -> ObjectType:
        """The type of the objects that are judged."""
        return self.program.body.object_type

    def observe(self, row: Row, moment: Moment) -> Observation:
        """Judge one object as `Program.judge` does."""
        self.events.clear()
        debugged: list[tuple[str, Value]] = []
        outcome = self.program.judge(row, replace(moment, debugged=debugged, unread=[]))
        meaning = self.program.meaning(outcome, row, moment)
        return Observation(row, moment, outcome, meaning, tuple(self.events), tuple(debugged))


@dataclass(frozen=True, slots=True)
class Member:
    """An object of a related list: its number there, from 1, its id (empty without one), a name of it, and its outcome."""

    number: int
    id: str
    name: str
    row: Row
    outcome: Outcome

    @classmethod
    def of(cls, number: int, object_type: ObjectType, row: Row, outcome: Outcome) -> "Member":
        """Return a related list's object."""
        ids = (_text(row.get(name)) for name in (object_type.id_field, *ID_FIELDS))
        found = next(filter(None, ids), "")
        return cls(number, found, _text(row.get(object_type.name_field)) or found or f"#{number}", row, outcome)


def members(
    classified: Classified, object_type: ObjectType, wanted: Callable[[Outcome], bool], most: int
) -> tuple[Sequence[Member], int]:
    """Return the first objects of a related list, by name, whose outcome is wanted, and how many more there are.

    Args:
        classified: the judged list.
        object_type: its objects' type.
        wanted: which of them.
        most: how many are returned at most.
    """
    judged = enumerate(classified.judged, start=1)
    found = [Member.of(number, object_type, row, outcome) for number, (row, outcome) in judged if wanted(outcome)]
    return nsmallest(most, found, key=lambda one: (one.name, one.id, one.number)), max(0, len(found) - most)


def statuses(classified: Classified, program: Program) -> dict[Status, int]:
    """Return how many objects of a related list have each status; none of those that could not be seen as they are."""
    found = Counter(program.meanings[outcome.code].status for _, outcome in classified.judged if not outcome.unseen)
    return {status: found[status] for status in Status if found[status]}


def _text(value: Value) -> str | None:
    if value is None or isinstance(value, NotCollected):
        return None
    return value if isinstance(value, str) else describe(value)
