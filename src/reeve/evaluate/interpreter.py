"""The interpreter: one object at a time, the definition of what a policy means (policy language, section 2)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from reeve.language.expressions import disappearance_name
from reeve.language.logic import Body, Condition
from reeve.language.operations.base import (
    Checks,
    Children,
    Evaluate,
    EvaluationError,
    Expression,
    FiredError,
    Moment,
    NotCollected,
    PartlyCollected,
    Row,
)
from reeve.language.operations.fields import disappearance_field, follow
from reeve.language.values import Value, WrongTypeError, describe
from reeve.model import Meaning, Outcome, Status

DISAPPEARED_CODE = 99
TRUE, ERROR = 99, 98
"""What is added to n·100 when condition n's check is true, and when an error occurs that no check declares."""

Observer = Callable[[Expression, int, Value | Exception], None]
"""Told of each evaluated sub-expression: the expression, its depth, and its value or what it raised."""


@dataclass(frozen=True, slots=True)
class Program:
    """A body ready to judge objects: its conditions as functions, what each code means, and its related lists' programs."""

    body: Body
    checks: tuple[Evaluate, ...]
    meanings: Mapping[int, Meaning]
    children: Mapping[str, "Program"]

    def judge(self, row: Row, moment: Moment) -> Outcome:
        """Judge one object.

        Args:
            row: the object's fields; lookups are nested objects, related lists nested arrays of objects.
            moment: when it is judged, the snapshot's time.

        Returns:
            The outcome; `meanings` says what its code stands for.
        """
        if disappearance_field(row, self.body.object_type.disappearance_field) is not None:
            return Outcome(DISAPPEARED_CODE)
        if not self.children:
            return self._decided(row, moment)[0]
        heard = replace(moment, unread=[])
        outcome, doubted = self._decided(row, heard)
        if not heard.unread:
            return outcome
        if self.meanings[outcome.code].status is Status.UNDETERMINED:
            return replace(outcome, unseen=True)
        return Outcome(doubted + ERROR, heard.unread[0], unseen=True)

    def _decided(self, row: Row, moment: Moment) -> tuple[Outcome, int]:
        """Return what the conditions say, and the base of the first one whose value may be another one (else of the last)."""
        base, doubted = 100, 0
        try:
            for check in self.checks:
                if check(row, moment):
                    return Outcome(base + TRUE), doubted or base
                if moment.unread and not doubted:
                    doubted = base
                base += 100
        except FiredError as fired:
            return Outcome(base + fired.number, fired.runtime_error, fired.unseen), doubted or base
        except (EvaluationError, WrongTypeError, RecursionError, OverflowError) as error:
            return Outcome(base + ERROR, str(error) or type(error).__name__, unseen=True), doubted or base
        return Outcome(base), doubted or base

    def meaning(self, outcome: Outcome, row: Row) -> Meaning:
        """Return what an outcome means; of a disappeared object the text names the field that says so."""
        found = self.meanings[outcome.code]
        if outcome.code != DISAPPEARED_CODE:
            return found
        name = disappearance_field(row, self.body.object_type.disappearance_field)
        return Meaning(found.code, found.status, found.message, None, f"isDisappeared({name})")


def by_type(programs: Mapping[str, Program]) -> dict[str, dict[str, Program]]:
    """Return programs by the id of the type that they are about, then by their own names."""
    found: dict[str, dict[str, Program]] = {}
    for name, program in programs.items():
        found.setdefault(program.body.object_type.id, {})[name] = program
    return found


def compile_body(body: Body, observer: Observer | None = None) -> Program:
    """Compile a body, and those of its related lists, into a program.

    Args:
        body: the conditions and related lists of a logic file.
        observer: told of every evaluated sub-expression, for `reeve explain`.

    Returns:
        The program; compiling gives the undetermined checks their numbers.
    """
    children = {name: compile_body(child) for name, child in body.related_lists.items()}
    meanings = {
        DISAPPEARED_CODE: Meaning(
            DISAPPEARED_CODE,
            Status.DISAPPEARED,
            "The object is gone from the cloud.",
            None,
            f"isDisappeared({disappearance_name(body.object_type)})",
        )
    }
    checks: list[Evaluate] = []
    for number, condition in enumerate(body.conditions, start=1):
        compiler = Compiler(children, observer)
        check = compiler.compile(condition.check)
        checks.append(_boolean(check, condition))
        meanings.update(_meanings(number, condition, compiler.declared))
    last = (len(body.conditions) + 1) * 100
    meanings[last] = Meaning(last, body.otherwise_status, body.otherwise_message, body.otherwise_remediation, "otherwise")
    return Program(body, tuple(checks), meanings, children)


def _boolean(check: Evaluate, condition: Condition) -> Evaluate:
    if str(condition.check.type) == "Boolean":
        return check

    def checked(row: Row, moment: Moment) -> Value:
        value = check(row, moment)
        if value is None or isinstance(value, bool):
            return value
        raise WrongTypeError(f"{condition.check.text()}: a Boolean was wanted, {describe(value)} was found")

    return checked


def _meanings(number: int, condition: Condition, declared: Sequence[tuple[str, str]]) -> dict[int, Meaning]:
    base, text = number * 100, condition.check.text()
    found = {
        base + k: Meaning(base + k, Status.UNDETERMINED, message, None, fired)
        for k, (message, fired) in enumerate(declared, start=1)
    }
    error = "The condition could not be evaluated for this object."
    found[base + ERROR] = Meaning(base + ERROR, Status.UNDETERMINED, error, None, text)
    found[base + TRUE] = Meaning(base + TRUE, condition.status, condition.message, condition.remediation, text)
    return found


@dataclass(slots=True)
class Compiler:
    """Compiles one condition; `declared` collects (message, text) of its undetermined checks in numbering order."""

    children: Mapping[str, Program]
    observer: Observer | None = None
    declared: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    depth: int = 0

    def compile(self, expression: Expression) -> Evaluate:
        """Return the function that evaluates an expression."""
        if self.observer is None:
            return expression.evaluator(self)
        depth, observe = self.depth, self.observer
        self.depth += 1
        evaluate = expression.evaluator(self)
        self.depth -= 1

        def observed(row: Row, moment: Moment) -> Value:
            try:
                value = evaluate(row, moment)
            except (FiredError, EvaluationError, WrongTypeError) as error:
                observe(expression, depth, error)
                raise
            observe(expression, depth, value)
            return value

        return observed

    def declare(self, checks: Checks, kind: str, text: str) -> int | None:
        """Give a declared check the next number."""
        check = checks.get(kind)
        if check is None:
            return None
        self.declared.append((check.message, text))
        return len(self.declared)

    def classifier(self, relationship: str) -> Callable[[Row, Moment], Children]:
        """Return the function that counts the children of a related list by status."""
        program, read = self.children[relationship], follow(relationship)

        def count(row: Row, moment: Moment) -> Children:
            found, unread = read(row), None
            if isinstance(found, NotCollected):
                return Children({}, unread=found.reason)
            if isinstance(found, PartlyCollected):
                found, unread = found.rows, found.reason
            if found is None:
                return Children({})
            if not isinstance(found, (list, tuple)) or not all(
                isinstance(child, Mapping) for child in cast("list[Any]", found)
            ):
                raise WrongTypeError(f"{relationship}: a list of objects was wanted, {describe(found)} was found")
            outcomes = [program.judge(child, moment) for child in cast("list[Row]", found)]
            counts = Counter[str](program.meanings[outcome.code].status for outcome in outcomes if not outcome.unseen)
            unseen = [outcome.runtime_error or "a child could not be judged" for outcome in outcomes if outcome.unseen]
            return Children(counts, len(unseen), unread or next(iter(unseen), None))

        return count
