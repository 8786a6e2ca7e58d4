"""RELATED_LIST_HAS, RELATED_LIST_HAS_NO, RELATED_LIST_COUNT: the statuses of an object's children."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from reeve.language.columns import Column, Columns
from reeve.language.operations.base import Compiler, Evaluate, Precedence, one_of, string
from reeve.language.types import BOOLEAN, NUMBER, Type
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
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    status: str = one_of(*Status)
    relationship_name: str = string()

    @property
    def type(self) -> Type:
        """Number for the count, Boolean otherwise."""
        return NUMBER if self.operation == "RELATED_LIST_COUNT" else BOOLEAN

    def text(self) -> str:
        return f"{self.relationship_name}.{_METHODS[self.operation]}({self.status})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        count, status = compiler.classifier(self.relationship_name), self.status
        if self.operation == "RELATED_LIST_COUNT":
            return lambda row, moment: count(row, moment).get(status, 0)
        wanted = self.operation == "RELATED_LIST_HAS"
        return lambda row, moment: (status in count(row, moment)) is wanted

    def column(self, table: Columns) -> Column:
        count = table.count(self.relationship_name, self.status)
        if self.operation == "RELATED_LIST_COUNT":
            return count.then(count.value.cast("float64"))
        return count.then(count.value > 0 if self.operation == "RELATED_LIST_HAS" else count.value == 0)
