"""The six operations on whole days, counted from the UTC midnight of the snapshot's day; how long ago is `elapsed`'s."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from reeve.language.arguments import integer, operand
from reeve.language.columns import Column, Columns
from reeve.language.evaluation import Evaluate, Moment, Row, Timing
from reeve.language.kinds import microseconds
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.types import BOOLEAN, Kind, Type
from reeve.language.values import as_date_time

_TODAY: dict[str, tuple[str, Callable[[datetime, Moment], bool]]] = {
    "IS_BEFORE_TODAY": ("beforeToday", lambda time, moment: time < moment.midnight),
    "IS_AFTER_TODAY": ("afterToday", lambda time, moment: time >= moment.day(1)),
}
_DAYS: dict[str, tuple[str, Callable[[datetime, Moment, int], bool]]] = {
    "IS_BEYOND_LAST_DAYS": ("beyondLastDays", lambda time, moment, days: time < moment.day(-days)),
    "IS_WITHIN_LAST_DAYS": (
        "withinLastDays",
        lambda time, moment, days: moment.day(-days) <= time < moment.day(1),
    ),
    "IS_BEYOND_NEXT_DAYS": ("beyondNextDays", lambda time, moment, days: time >= moment.day(days + 1)),
    "IS_WITHIN_NEXT_DAYS": (
        "withinNextDays",
        lambda time, moment, days: moment.midnight <= time < moment.day(days + 1),
    ),
}


@dataclass(frozen=True, slots=True)
class Today:
    """Whether an instant lies before or after the snapshot's day; null: false."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "IS_BEFORE_TODAY": "Whether an instant is earlier than today's UTC midnight; null: false.",
        "IS_AFTER_TODAY": "Whether an instant is not earlier than tomorrow's UTC midnight; null: false.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "IS_BEFORE_TODAY": Example("IS_BEFORE_TODAY: {arg: {FIELD: {path: a}}}", {"a": "2026-01-30T23:59:59Z"}, True),
        "IS_AFTER_TODAY": Example("IS_AFTER_TODAY: {arg: {FIELD: {path: a}}}", {"a": "2026-02-01"}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(Method(method, name, subject=Part("arg", How.INSTANT)) for name, (method, _) in _TODAY.items()),
    )
    TIMING: ClassVar[Timing] = Timing.DAY
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.DATE_TIME)

    def text(self) -> str:
        return f"{inner(self.arg)}.{_TODAY[self.operation][0]}()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, relation = compiler.compile(self.arg), _TODAY[self.operation][1]

        def holds(row: Row, moment: Moment) -> bool:
            time = as_date_time(evaluate(row, moment))
            return time is not None and relation(time, moment)

        return holds

    def column(self, table: Columns) -> Column:
        arg, moment = table.column(self.arg), table.moment
        if self.operation == "IS_BEFORE_TODAY":
            return arg.then((arg.value < microseconds(moment.midnight)).fill_null(False))
        return arg.then((arg.value >= microseconds(moment.day(1))).fill_null(False))


@dataclass(frozen=True, slots=True)
class Days:
    """Whether an instant lies within or beyond a number of days before or after the snapshot's day; null: false."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "IS_BEYOND_LAST_DAYS": "Whether an instant is earlier than today's midnight less n days; null: false.",
        "IS_WITHIN_LAST_DAYS": "Whether an instant is from today's midnight less n days to the end of today; null: false.",
        "IS_BEYOND_NEXT_DAYS": "Whether an instant is later than the end of today plus n days; null: false.",
        "IS_WITHIN_NEXT_DAYS": "Whether an instant is from today's midnight to the end of today plus n days; null: false.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "IS_BEYOND_LAST_DAYS": Example(
            "IS_BEYOND_LAST_DAYS: {arg: {FIELD: {path: a}}, offsetDays: 30}", {"a": "2025-12-31T23:59:59Z"}, True
        ),
        "IS_WITHIN_LAST_DAYS": Example(
            "IS_WITHIN_LAST_DAYS: {arg: {FIELD: {path: a}}, offsetDays: 30}", {"a": "2026-01-01"}, True
        ),
        "IS_BEYOND_NEXT_DAYS": Example(
            "IS_BEYOND_NEXT_DAYS: {arg: {FIELD: {path: a}}, offsetDays: 7}", {"a": "2026-02-08"}, True
        ),
        "IS_WITHIN_NEXT_DAYS": Example(
            "IS_WITHIN_NEXT_DAYS: {arg: {FIELD: {path: a}}, offsetDays: 7}", {"a": "2026-02-07"}, True
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(
            Method(method, name, (Part("offsetDays", How.NUMBER),), Part("arg", How.INSTANT))
            for name, (method, _) in _DAYS.items()
        ),
    )
    TIMING: ClassVar[Timing] = Timing.DAY
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.DATE_TIME)
    offset_days: int = integer()

    def text(self) -> str:
        return f"{inner(self.arg)}.{_DAYS[self.operation][0]}({self.offset_days})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, relation, days = compiler.compile(self.arg), _DAYS[self.operation][1], self.offset_days

        def holds(row: Row, moment: Moment) -> bool:
            time = as_date_time(evaluate(row, moment))
            return time is not None and relation(time, moment, days)

        return holds

    def column(self, table: Columns) -> Column:
        arg, moment, days = table.column(self.arg), table.moment, self.offset_days
        first, end = {
            "IS_BEYOND_LAST_DAYS": (None, moment.day(-days)),
            "IS_WITHIN_LAST_DAYS": (moment.day(-days), moment.day(1)),
            "IS_BEYOND_NEXT_DAYS": (moment.day(days + 1), None),
            "IS_WITHIN_NEXT_DAYS": (moment.midnight, moment.day(days + 1)),
        }[self.operation]
        bounds = [] if first is None else [arg.value >= microseconds(first)]
        bounds += [] if end is None else [arg.value < microseconds(end)]
        return arg.then((bounds[0] & bounds[-1] if len(bounds) > 1 else bounds[0]).fill_null(False))
