"""AWS_LOG_FILTER_MATCHES: whether a metric filter's pattern matches events: judged by what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from reeve.language.arguments import anything, given_items, operand, optional_operand
from reeve.language.evaluation import Evaluate, EvaluationError, Moment, Row
from reeve.language.log_filters import PatternError, all_of, read_pattern
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.operations.conversions import string_reader
from reeve.language.trail_events import Event, whole
from reeve.language.types import BOOLEAN, STRINGS, Type
from reeve.language.values import json_text, quoted


@dataclass(frozen=True, slots=True)
class AwsLogFilterMatches:
    """Whether the filter pattern of CloudWatch Logs in a text matches each of some events of CloudTrail."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "AWS_LOG_FILTER_MATCHES": "Whether a CloudWatch Logs filter pattern matches each of some events of CloudTrail. An event"
        " is a list's object with the members that matter; it stands for the whole records with these members, one by each"
        " kind of caller (root, users, roles, sessions), in several regions. `account` gives the number of their account."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "AWS_LOG_FILTER_MATCHES": Example(
            "AWS_LOG_FILTER_MATCHES: {arg: {FIELD: {path: a}}, events: [{eventName: StopLogging}, {eventName: DeleteTrail}]}",
            {"a": '{ ($.eventName = DeleteTrail) || $.eventName = "Stop*" }'},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("logFilterMatches", "AWS_LOG_FILTER_MATCHES", (Part("events", How.QUOTED), Part("account", optional=True))),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    events: Any = anything()
    account: Expression | None = optional_operand(*STRINGS)

    def __post_init__(self) -> None:
        """Refuse events that are none.

        Raises:
            ValueError: `events` is no list of objects, nor a text of JSON that is, or there are no such events.
        """
        for event in self._events():
            whole(event)

    def _events(self) -> list[Event]:
        items = given_items(self.events)
        if not items or not all(isinstance(item, dict) for item in items):
            raise ValueError("events must be a list of objects, such as [{eventName: DeleteTrail}]")
        return items

    def text(self) -> str:
        events = quoted(json_text(self._events()))
        account = "" if self.account is None else f", {self.account.text()}"
        return f"{inner(self.arg)}.logFilterMatches({events}{account})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, given = string_reader(self.arg, compiler), self._events()
        account = None if self.account is None else string_reader(self.account, compiler)

        @lru_cache(maxsize=64)
        def events(number: str | None) -> list[Event]:
            return [one for event in given for one in whole(event, number)]

        def matches(row: Row, moment: Moment) -> bool:
            pattern = read(row, moment)
            if pattern is None:
                return False
            try:
                matched = read_pattern(pattern)
            except PatternError as error:
                raise EvaluationError(str(error)) from None
            found = all_of(matched(event) for event in events(account and account(row, moment)))
            if found is None:
                raise EvaluationError("it is not known whether the filter pattern matches the events")
            return found

        return matches
