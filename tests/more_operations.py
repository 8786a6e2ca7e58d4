"""Two operations that are not ours, as `test_more_operations` adds them: all that is known of them stands in this file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar

from reeve.language.arguments import integer, operand, string
from reeve.language.codes import ERROR
from reeve.language.columns import Column, Columns, Guard
from reeve.language.evaluation import Evaluate, EvaluationError, Gone, Timing
from reeve.language.kinds import microseconds
from reeve.language.names import Names
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, Reads, inner
from reeve.language.rows import follow
from reeve.language.types import BOOLEAN, STRINGS, Type
from reeve.language.unread import NotCollected
from reeve.language.values import as_date_time


@dataclass(frozen=True, slots=True)
class Fresh:
    """Reads a field of its own, by a name that is resolved; measures time; has columns, and a method in texts."""

    NAMES: ClassVar[Mapping[str, str]] = {"IS_FRESH": "Whether an instant in a field lies less than some hours back."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "IS_FRESH": Example("IS_FRESH: {path: a, hours: 2}", {"a": "2026-01-31T11:00:00Z"}, True)
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("fresh", "IS_FRESH", (Part("hours", How.NUMBER),), Part("path", How.PATH)),)
    TIMING: ClassVar[Timing] = Timing.MOMENT
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    path: str = string()
    hours: int = integer()
    prefix: str = ""
    gone: Gone = ()

    def text(self) -> str:
        return f"{self.path}.fresh({self.hours})"

    def resolve(self, names: Names) -> Expression | None:
        found = names.field(self.path)
        return found and replace(self, prefix=names.prefix, gone=found[1])

    def reads(self) -> Reads:
        return Reads((self.prefix + self.path,))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, length = follow(self.prefix + self.path, self.gone), timedelta(hours=self.hours)

        def fresh(row, moment):
            value = read(row)
            if isinstance(value, NotCollected):
                raise EvaluationError(f"{self.path} was not collected: {value.reason}")
            time = as_date_time(value)
            return time is not None and moment.now - time < length

        return fresh

    def column(self, table: Columns) -> Column:
        value, missing, _ = table.field(self.prefix + self.path)
        least = microseconds(table.moment.now - timedelta(hours=self.hours))
        guards = () if missing is None else (Guard(missing, ERROR),)
        return Column((value > least).fill_null(False), guards, nullable=False)


@dataclass(frozen=True, slots=True)
class Shouted:
    """Of an operand; no columns, and written in YAML only."""

    NAMES: ClassVar[Mapping[str, str]] = {"IS_SHOUTED": "Whether a text is in capital letters."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {"IS_SHOUTED": Example("IS_SHOUTED: {arg: {TEXT: HO}}", {}, True)}
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)

    def text(self) -> str:
        return f"{inner(self.arg)}.isShouted()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = compiler.compile(self.arg)
        return lambda row, moment: str(read(row, moment) or "").isupper()
