"""How one verdict came about: each condition, each sub-expression with its value, and what decided."""

from dataclasses import dataclass
from typing import Any

from reeve.evaluate.interpreter import compile_body
from reeve.language import codes
from reeve.language.logic import Body
from reeve.language.operations.base import Expression, FiredError, Moment, Row
from reeve.language.operations.constants import (
    BooleanConstant,
    BytesConstant,
    Collection,
    DateTimeConstant,
    DurationConstant,
    ItemsConstant,
    JsonConstant,
    NumberConstant,
    TextConstant,
)
from reeve.model import Meaning, Outcome

_CONSTANTS = (
    *(TextConstant, BytesConstant, NumberConstant, BooleanConstant, ItemsConstant, Collection),
    *(DateTimeConstant, DurationConstant, JsonConstant),
)


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
class Trace:
    """The conditions that were looked at, what decided, and what DEBUG recorded."""

    conditions: tuple[ConditionTrace, ...]
    outcome: Outcome
    meaning: Meaning
    debugged: tuple[tuple[str, Any], ...]


def trace(body: Body, row: Row, moment: Moment) -> Trace:
    """Judge one object and keep every sub-expression's value.

    Args:
        body: the logic.
        row: the object.
        moment: when it is judged.

    Returns:
        The trace; operands of `AND` and `OR` that were not reached are not in it, nor are constants.
    """
    seen: list[tuple[Expression, Step]] = []

    def observe(expression: Expression, depth: int, value: Any) -> None:
        if not isinstance(expression, _CONSTANTS):
            raised = value if isinstance(value, Exception) else None
            seen.append((expression, Step(depth, expression.text(), None if raised else value, raised)))

    program = compile_body(body, observe)
    recording = Moment(moment.now, moment.midnight, [])
    outcome = program.judge(row, recording)
    conditions: list[ConditionTrace] = []
    remaining = seen
    for number, condition in enumerate(body.conditions, start=1):
        if number > codes.condition_of(outcome.code):
            break
        last = next((i for i, (found, step) in enumerate(remaining) if found is condition.check and step.depth == 0), None)
        steps = [step for _, step in remaining[: (last + 1 if last is not None else len(remaining))]]
        remaining = remaining[len(steps) :]
        conditions.append(ConditionTrace(number, program.meanings[codes.true(number)], tuple(_outermost_first(steps))))
    debugged = tuple(recording.debugged or ())
    return Trace(tuple(conditions), outcome, program.meaning(outcome, row, moment), debugged)


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
