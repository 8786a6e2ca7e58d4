"""AWS_TRAIL_RECORDS: whether a trail's event selectors record all events of some kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reeve.language.arguments import anything, given_items, operand
from reeve.language.evaluation import Evaluate, EvaluationError, Moment, Row
from reeve.language.event_selectors import Kind as EventKind
from reeve.language.event_selectors import SelectorsError, read_kind, records
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.types import BOOLEAN, Kind, Type
from reeve.language.values import json_text, quoted


@dataclass(frozen=True, slots=True)
class AwsTrailRecords:
    """Whether the event selectors of a trail, together, record every event of some kinds."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "AWS_TRAIL_RECORDS": "Whether the event selectors of a CloudTrail trail (Json, as GetEventSelectors answers) record"
        " every event of each kind. A kind is a mapping of fields to a text, true, false, or `{not: [texts]}`; a field that"
        " it doesn't name has any value."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "AWS_TRAIL_RECORDS": Example(
            "AWS_TRAIL_RECORDS: {arg: {JSON_FROM: {arg: {FIELD: {path: a}}, "
            "undeterminedIf: {isInvalid: Not JSON.}}}, events: [{eventCategory: Management, "
            "eventSource: {not: [kms.amazonaws.com]}}]}",
            {
                "a": '{"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,'
                ' "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}'
            },
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("trailRecords", "AWS_TRAIL_RECORDS", (Part("events", How.QUOTED),)),)
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.JSON)
    events: Any = anything()

    def __post_init__(self) -> None:
        """Refuse kinds that are none.

        Raises:
            ValueError: `events` is no list of kinds, nor a text of JSON that is.
        """
        self._kinds()

    def _given(self) -> list[Any]:
        given = given_items(self.events)
        if not given:
            raise ValueError("events must be a list of kinds, such as [{eventCategory: Management}]")
        return given

    def _kinds(self) -> list[EventKind]:
        return [read_kind(one) for one in self._given()]

    def text(self) -> str:
        return f"{inner(self.arg)}.trailRecords({quoted(json_text(self._given()))})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, kinds = compiler.compile(self.arg), self._kinds()

        def recorded(row: Row, moment: Moment) -> bool:
            selectors: Any = evaluate(row, moment)
            try:
                return all(records(selectors, kind) for kind in kinds)
            except SelectorsError as error:
                raise EvaluationError(str(error)) from None

        return recorded
