"""How one verdict came about: conditions, sub-expressions with their values, the objects of related lists, what decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reeve.evaluate.interpreter import Classified, Evaluated, Event
from reeve.evaluate.observed import Observation, ObservedProgram, members, statuses
from reeve.language import codes
from reeve.language.evaluation import FiredError, Moment
from reeve.language.operations.base import is_traced
from reeve.model import Meaning, Outcome, Status

MOST_CHILDREN = 10
"""How many objects of a related list are told of."""


@dataclass(frozen=True, slots=True)
class Step:
    """An evaluated sub-expression: how deep it stands in its condition, its text, and its value or what it raised."""

    depth: int
    text: str
    value: Any
    raised: Exception | None


@dataclass(frozen=True, slots=True)
class ConditionTrace:
    """A condition that was looked at: its number, what it would mean, and the steps, outermost first."""

    number: int
    meaning: Meaning
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ListTrace:
    """A related list that was looked at: how many of its objects have each status, and the traces of some, by name.

    These are the first of those that have a status that was asked for, or where none has, of all; `more` is how many there are
    beside them. `unread` says why the list may hold others; None if it was read whole.
    """

    relationship: str
    counts: Mapping[Status, int]
    children: tuple[tuple[str, "Trace"], ...]
    more: int
    unread: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The conditions and related lists that were looked at, what decided, and what DEBUG recorded."""

    conditions: tuple[ConditionTrace, ...]
    lists: tuple[ListTrace, ...]
    outcome: Outcome
    meaning: Meaning
    debugged: tuple[tuple[str, Any], ...]


def trace(observed: ObservedProgram, observation: Observation) -> Trace:
    """Return how a policy came to its verdict on an object, and to those on the objects of its related lists.

    Operands of `AND` and `OR` that were not reached are not in it, nor are constants.
    """
    program, outcome, events = observed.program, observation.outcome, observation.events
    conditions: list[ConditionTrace] = []
    for number in range(1, min(codes.condition_of(outcome.code), len(program.checks)) + 1):
        steps = [step for event in events if event.condition == number and (step := _step(event))]
        conditions.append(ConditionTrace(number, program.meanings[codes.true(number)], tuple(_outermost_first(steps))))
    lists: dict[str, list[Classified]] = {}
    for event in events:
        if isinstance(event, Classified):
            lists.setdefault(event.relationship, []).append(event)
    told = tuple(_list(observed.lists[name], found, observation.moment) for name, found in lists.items())
    return Trace(tuple(conditions), told, outcome, observation.meaning, observation.debugged)


def _step(event: Event) -> Step | None:
    if not isinstance(event, Evaluated) or not is_traced(event.expression):
        return None
    raised = event.value if isinstance(event.value, Exception) else None
    return Step(event.depth, event.expression.text(), None if raised else event.value, raised)


def _list(observed: ObservedProgram, found: Sequence[Classified], moment: Moment) -> ListTrace:
    """Return the trace of a related list, which each of some operations looked at."""
    judged, program = found[0], observed.program
    asked = {event.status for event in found}

    def is_asked(outcome: Outcome) -> bool:
        return program.meanings[outcome.code].status in asked

    first, _ = members(judged, observed.object_type, is_asked, MOST_CHILDREN)
    if not first:
        first, _ = members(judged, observed.object_type, lambda outcome: True, MOST_CHILDREN)
    children = tuple((one.name, trace(observed, observed.observe(one.row, moment))) for one in first)
    more = len(judged.judged) - len(children)
    return ListTrace(judged.relationship, statuses(judged, program), children, more, judged.unread)


def _outermost_first(steps: list[Step]) -> list[Step]:
    """Turn steps in the order of their end (operands before operations) into the order of reading."""
    trees: list[list[Step]] = []
    for step in steps:
        first = len(trees)
        while first > 0 and trees[first - 1][0].depth > step.depth:
            first -= 1
        trees[first:] = [[step, *(inside for tree in trees[first:] for inside in tree)]]
    return [step for tree in trees for step in tree]


def fired(step: Step) -> bool:
    """Return whether a step ended the evaluation with an undetermined check."""
    return isinstance(step.raised, FiredError)
