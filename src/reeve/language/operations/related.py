"""RELATED_LIST_HAS, RELATED_LIST_HAS_NO, RELATED_LIST_COUNT: the statuses of an object's children."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from reeve.language.arguments import one_of, string
from reeve.language.codes import ERROR
from reeve.language.columns import Column, Columns, Guard
from reeve.language.evaluation import Evaluate, Gone, Moment, Row
from reeve.language.names import Names
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, Reads
from reeve.language.types import BOOLEAN, NUMBER, Type
from reeve.language.values import Value
from reeve.model import Status

_METHODS = {"RELATED_LIST_HAS": "has", "RELATED_LIST_HAS_NO": "hasNo", "RELATED_LIST_COUNT": "count"}


@dataclass(frozen=True, slots=True)
class RelatedList:
    """How many children in a related list have a status, or whether some or none has; a missing list is empty."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "RELATED_LIST_HAS": "Whether some child in a related list has a status.",
        "RELATED_LIST_HAS_NO": "Whether no child in a related list has a status.",
        "RELATED_LIST_COUNT": "The number of children in a related list that have a status.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "RELATED_LIST_HAS": Example(
            "RELATED_LIST_HAS: {status: INCOMPLIANT, relationshipName: rules}", {"rules": [{"open": True}]}, True
        ),
        "RELATED_LIST_HAS_NO": Example(
            "RELATED_LIST_HAS_NO: {status: INCOMPLIANT, relationshipName: rules}", {"rules": []}, True
        ),
        "RELATED_LIST_COUNT": Example(
            "RELATED_LIST_COUNT: {status: COMPLIANT, relationshipName: rules}", {"rules": [{"open": False}]}, 1
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(
            Method(method, name, (Part("status", How.PATH),), Part("relationshipName", How.PATH))
            for name, method in _METHODS.items()
        ),
    )
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    status: str = one_of(*Status)
    relationship_name: str = string()
    gone: Gone = ()

    @property
    def type(self) -> Type:
        """Number for the count, Boolean otherwise."""
        return NUMBER if self.operation == "RELATED_LIST_COUNT" else BOOLEAN

    def text(self) -> str:
        return f"{self.relationship_name}.{_METHODS[self.operation]}({self.status})"

    def resolve(self, names: Names) -> Expression | None:
        return replace(self, gone=names.related_list(self.relationship_name, "relationshipName"))

    def reads(self) -> Reads:
        return Reads(related_lists=(self.relationship_name,))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        status, operation = self.status, self.operation
        classify = compiler.classifier(self.relationship_name, status, self.gone)

        def evaluate(row: Row, moment: Moment) -> Value:
            children = classify(row, moment)
            count = children.counts.get(status, 0)
            # What was not read can't undo what was: a child that has the status is one that has it.
            if children.unread is not None and (count == 0 or operation == "RELATED_LIST_COUNT"):
                moment.unread.append(f"{self.relationship_name} was not collected: {children.unread}")
            if status == Status.UNDETERMINED:
                count += children.unseen
            return count if operation == "RELATED_LIST_COUNT" else (count > 0) is (operation == "RELATED_LIST_HAS")

        return evaluate

    def column(self, table: Columns) -> Column:
        count, unseen, unread = table.count(self.relationship_name, self.status)
        counting = self.operation == "RELATED_LIST_COUNT"
        count = count.then(count.value, Guard(unread if counting else unread & (count.value == 0), ERROR, doubt=True))
        if self.status == Status.UNDETERMINED:
            count = count.then(count.value + unseen)
        if counting:
            return count.then(count.value.cast("float64"))
        return count.then(count.value > 0 if self.operation == "RELATED_LIST_HAS" else count.value == 0)
