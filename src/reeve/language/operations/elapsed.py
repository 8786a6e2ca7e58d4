"""DURATION_SINCE, DURATION_UNTIL (ours): how long an instant lies back, or ahead, to the moment and not by whole days."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from reeve.language.arguments import operand
from reeve.language.columns import Column, Columns
from reeve.language.evaluation import Evaluate, Moment, Row, Timing
from reeve.language.kinds import microseconds
from reeve.language.notation import Form, Method
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.types import DURATION, Kind, Type
from reeve.language.values import as_date_time


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The length from an instant to the snapshot's time, or from that to the instant; never negative; of null: null."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "DURATION_SINCE": "How long before the snapshot's time an instant was, to the moment; zero when it was after; null:"
        " null. Ours.",
        "DURATION_UNTIL": "How long after the snapshot's time an instant is, to the moment; zero when it was before; null:"
        " null. Ours.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "DURATION_SINCE": Example(
            "GREATER_THAN_EQUAL: {left: {DURATION_SINCE: {arg: {FIELD: {path: a}}}}, right: {DURATION: P30D}}",
            {"a": "2026-01-01T12:00:00Z"},
            True,
        ),
        "DURATION_UNTIL": Example(
            "LESS_THAN: {left: {DURATION_UNTIL: {arg: {FIELD: {path: a}}}}, right: {DURATION: P7D}}",
            {"a": "2026-02-07T11:59:59Z"},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("durationSince", "DURATION_SINCE"),
        Method("durationUntil", "DURATION_UNTIL"),
    )
    TIMING: ClassVar[Timing] = Timing.MOMENT
    type: Type = field(default=DURATION, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.DATE_TIME)

    def text(self) -> str:
        return f"{inner(self.arg)}.{'durationSince' if self.operation == 'DURATION_SINCE' else 'durationUntil'}()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, since = compiler.compile(self.arg), self.operation == "DURATION_SINCE"

        def length(row: Row, moment: Moment) -> timedelta | None:
            time = as_date_time(evaluate(row, moment))
            if time is None:
                return None
            return max(moment.now - time if since else time - moment.now, timedelta())

        return length

    def column(self, table: Columns) -> Column:
        arg, now = table.column(self.arg), table.literal(microseconds(table.moment.now), Kind.DATE_TIME)
        length = now - arg.value if self.operation == "DURATION_SINCE" else arg.value - now
        zero = table.literal(0, Kind.DURATION)
        return arg.then(table.cases((length < zero, zero), otherwise=length), nullable=arg.nullable)
