"""AWS_LOG_FILTER_MATCHES: whether a metric filter's pattern matches events: judged by what it says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from reeve.language.columns import Column, Columns, NotInSqlError
from reeve.language.log_filters import PatternError, read_pattern
from reeve.language.operations.base import (
    Compiler,
    Evaluate,
    EvaluationError,
    Expression,
    Moment,
    Precedence,
    Row,
    anything,
    inner,
    operand,
)
from reeve.language.operations.conversions import string_reader
from reeve.language.types import BOOLEAN, STRINGS, Type
from reeve.language.values import quoted


@dataclass(frozen=True, slots=True)
class AwsLogFilterMatches:
    """Whether the filter pattern of CloudWatch Logs in a text matches each of some events."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "AWS_LOG_FILTER_MATCHES": "Whether a CloudWatch Logs filter pattern matches each of some events (a list of objects)."
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    events: Any = anything()

    def __post_init__(self) -> None:
        """Refuse events that are none.

        Raises:
            ValueError: `events` is no list of objects, nor a text of JSON that is.
        """
        self._events()

    def _events(self) -> list[Mapping[str, Any]]:
        given = json.loads(self.events) if isinstance(self.events, str) else self.events
        items = cast("list[Any]", given) if isinstance(given, list) else []
        if not items or not all(isinstance(item, dict) for item in items):
            raise ValueError("events must be a list of objects, such as [{eventName: DeleteTrail}]")
        return cast("list[Mapping[str, Any]]", items)

    def text(self) -> str:
        events = json.dumps(self._events(), ensure_ascii=False, separators=(",", ":"))
        return f"{inner(self.arg)}.logFilterMatches({quoted(events)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, events = string_reader(self.arg, compiler), self._events()

        def matches(row: Row, moment: Moment) -> bool:
            pattern = read(row, moment)
            if pattern is None:
                return False
            try:
                test = read_pattern(pattern)
            except PatternError as error:
                raise EvaluationError(str(error)) from None
            return all(test(event) for event in events)

        return matches

    def column(self, table: Columns) -> Column:
        raise NotInSqlError
