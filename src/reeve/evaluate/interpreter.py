"""The interpreter: one object at a time, the definition of what a policy means (policy language, section 2)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

from reeve.language import codes
from reeve.language.evaluation import Checks, Children, Evaluate, EvaluationError, FiredError, Gone, Moment, Row
from reeve.language.logic import Body, Condition
from reeve.language.operations.base import Expression
from reeve.language.rows import disappearance_field, follow
from reeve.language.scopes import disappearance_name
from reeve.language.types import BOOLEAN
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.language.values import Value, WrongTypeError, as_boolean, describe
from reeve.model import Meaning, Outcome, Status

FAILURES = (EvaluationError, WrongTypeError, RecursionError, OverflowError)
"""What evaluating may raise for an error that no check declares."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A sub-expression of a condition was evaluated: the condition's number, its depth there, its value or what it raised."""

    condition: int
    depth: int
    expression: Expression
    value: Value | Exception


@dataclass(frozen=True, slots=True)
class Classified:
    """The objects of a related list were judged, for an operation of a condition that asks for those of a status.

    `unread` says why the list may hold more than was judged; None if it was read whole.
    """

    condition: int
    relationship: str
    status: str
    judged: tuple[tuple[Row, Outcome], ...]
    unread: str | None


Event = Evaluated | Classified
Observer = Callable[[Event], None]
"""Told of each step of judging, when it is done: an operation after its operands."""


@dataclass(frozen=True, slots=True)
class Program:
    """A body ready to judge objects: its conditions as functions, what each code means, and its related lists' programs.

    `observed` are the conditions, by number, of which it was asked what failed.
    """

    body: Body
    checks: tuple[Evaluate, ...]
    meanings: Mapping[int, Meaning]
    children: Mapping[str, "Program"]
    observed: "dict[int, _ObservedCheck]" = field(default_factory=dict[int, "_ObservedCheck"], repr=False, compare=False)

    def judge(self, row: Row, moment: Moment) -> Outcome:
        """Judge one object.

        Args:
            row: the object's fields; lookups are nested objects, related lists nested arrays of objects.
            moment: when it is judged, the snapshot's time.

        Returns:
            The outcome; `meanings` says what its code stands for.
        """
        if disappearance_field(row, self.body.object_type.disappearance_field) is not None:
            return Outcome(codes.DISAPPEARED)
        if not self.children:
            return self._decided(row, moment)[0]
        heard = replace(moment, unread=[])
        outcome, doubted = self._decided(row, heard)
        if not heard.unread:
            return outcome
        if self.meanings[outcome.code].status is Status.UNDETERMINED:
            return replace(outcome, unseen=True)
        return Outcome(codes.error(doubted), heard.unread[0], unseen=True)

    def _decided(self, row: Row, moment: Moment) -> tuple[Outcome, int]:
        """Return what the conditions say, and the number of the first whose value may be another one (else of the last)."""
        number = doubted = 0
        try:
            for number, check in enumerate(self.checks, start=1):
                if check(row, moment):
                    return Outcome(codes.true(number)), doubted or number
                if moment.unread and not doubted:
                    doubted = number
        except FiredError as fired:
            return Outcome(codes.fired(number, fired.number), fired.runtime_error, fired.unseen), doubted or number
        except FAILURES as error:
            return Outcome(codes.error(number), str(error) or type(error).__name__, unseen=True), doubted or number
        return Outcome(codes.otherwise(number)), doubted or number

    def meaning(self, outcome: Outcome, row: Row, moment: Moment | None = None) -> Meaning:
        """Return what an outcome means.

        Of a disappeared object the text names the field that says so. Of an error that no check declares it is that of the
        operation that failed, if the `moment` of judging is given; else of the whole condition.
        """
        found = self.meanings[outcome.code]
        if outcome.code == codes.DISAPPEARED:
            name = disappearance_field(row, self.body.object_type.disappearance_field)
            return replace(found, text=f"isDisappeared({name})")
        if moment is None or not codes.is_error(outcome.code):
            return found
        number = codes.condition_of(outcome.code)
        if number not in self.observed:
            self.observed[number] = _ObservedCheck.of(self.body.conditions[number - 1].check, self.children)
        return replace(found, text=self.observed[number].failing(row, moment) or found.text)


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
        observer: told of every step of judging; not of those inside the related lists' own bodies.

    Returns:
        The program; compiling gives the undetermined checks their numbers.
    """
    children = {name: compile_body(child) for name, child in body.related_lists.items()}
    meanings: dict[int, Meaning] = {
        codes.DISAPPEARED: Meaning(
            codes.DISAPPEARED,
            Status.DISAPPEARED,
            "The object is gone from the cloud.",
            None,
            f"isDisappeared({disappearance_name(body.object_type)})",
        )
    }
    checks: list[Evaluate] = []
    for number, condition in enumerate(body.conditions, start=1):
        compiler = Compiler(children, observer, number)
        check = compiler.compile(condition.check)
        checks.append(_boolean(check, condition))
        meanings.update(_meanings(number, condition, compiler.declared))
    last = codes.otherwise(len(body.conditions))
    meanings[last] = Meaning(last, body.otherwise_status, body.otherwise_message, body.otherwise_remediation, "otherwise")
    return Program(body, tuple(checks), meanings, children)


def _boolean(check: Evaluate, condition: Condition) -> Evaluate:
    return check if condition.check.type is BOOLEAN else lambda row, moment: as_boolean(check(row, moment))


def _meanings(number: int, condition: Condition, declared: Sequence[tuple[str, str]]) -> dict[int, Meaning]:
    text, error = condition.check.text(), "The condition could not be evaluated for this object."
    found = [
        Meaning(codes.fired(number, k), Status.UNDETERMINED, message, None, fired)
        for k, (message, fired) in enumerate(declared, start=1)
    ]
    found.append(Meaning(codes.error(number), Status.UNDETERMINED, error, None, text))
    found.append(Meaning(codes.true(number), condition.status, condition.message, condition.remediation, text))
    return {meaning.code: meaning for meaning in found}


@dataclass(frozen=True, slots=True)
class _ObservedCheck:
    """A condition that says which of its operations fails."""

    evaluate: Evaluate
    failed: list[Expression]

    @classmethod
    def of(cls, check: Expression, children: Mapping[str, Program]) -> "_ObservedCheck":
        failed: list[Expression] = []

        def observe(event: Event) -> None:
            if isinstance(event, Evaluated) and isinstance(event.value, FAILURES):
                failed.append(event.expression)

        return cls(Compiler(children, observe).compile(check), failed)

    def failing(self, row: Row, moment: Moment) -> str | None:
        """Return the text of the innermost operation that fails; None if it is no operation of the condition that does."""
        self.failed.clear()
        with suppress(FiredError, *FAILURES):
            self.evaluate(row, replace(moment, unread=[], debugged=None))
        return self.failed[0].text() if self.failed else None


@dataclass(slots=True)
class Compiler:
    """Compiles one condition, the one of a number.

    `declared` collects (message, text) of its undetermined checks in numbering order.
    """

    children: Mapping[str, Program]
    observer: Observer | None = None
    condition: int = 0
    declared: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    depth: int = 0

    def compile(self, expression: Expression) -> Evaluate:
        """Return the function that evaluates an expression."""
        if self.observer is None:
            return expression.evaluator(self)
        condition, depth, observe = self.condition, self.depth, self.observer
        self.depth += 1
        evaluate = expression.evaluator(self)
        self.depth -= 1

        def observed(row: Row, moment: Moment) -> Value:
            try:
                value = evaluate(row, moment)
            except (FiredError, *FAILURES) as error:
                observe(Evaluated(condition, depth, expression, error))
                raise
            observe(Evaluated(condition, depth, expression, value))
            return value

        return observed

    def declare(self, checks: Checks, kind: str, text: str) -> int | None:
        """Give a declared check the next number."""
        check = checks.get(kind)
        if check is None:
            return None
        self.declared.append((check.message, text))
        return len(self.declared)

    def classifier(self, relationship: str, status: str, gone: Gone) -> Callable[[Row, Moment], Children]:
        """Return the function that counts the children of a related list by status; `status` is the one that is asked for."""
        program, read = self.children[relationship], follow(relationship, gone)
        condition, observe = self.condition, self.observer

        def count(row: Row, moment: Moment) -> Children:
            children, unread = _listed(relationship, read(row))
            outcomes = [program.judge(child, moment) for child in children]
            if observe is not None:
                observe(Classified(condition, relationship, status, tuple(zip(children, outcomes, strict=True)), unread))
            counts = Counter[str](program.meanings[outcome.code].status for outcome in outcomes if not outcome.unseen)
            unseen = [outcome.runtime_error or "a child could not be judged" for outcome in outcomes if outcome.unseen]
            return Children(counts, len(unseen), unread or next(iter(unseen), None))

        return count


def _listed(relationship: str, found: Value) -> tuple[Sequence[Row], str | None]:
    """Return the objects of a related list as far as they were read, and why there may be more."""
    unread = None
    if isinstance(found, NotCollected):
        return [], found.reason
    if isinstance(found, PartlyCollected):
        found, unread = found.rows, found.reason
    if found is None:
        return [], None
    if not isinstance(found, (list, tuple)) or not all(isinstance(child, Mapping) for child in cast("list[Any]", found)):
        raise WrongTypeError(f"{relationship}: a list of objects was wanted, {describe(found)} was found")
    return cast("Sequence[Row]", found), unread
