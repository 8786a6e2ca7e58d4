"""GCP_LOGGING_QUERY_MATCH: whether a filter of Google Cloud's logging says the same as another one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from reeve.language.arguments import operand, string
from reeve.language.evaluation import Evaluate, Moment, Row
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.operations.conversions import string_reader
from reeve.language.types import BOOLEAN, STRINGS, Type
from reeve.language.values import quoted

_TOKEN = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\w+|[^\w\s])""", re.DOTALL)


def tokens(query: str) -> list[str]:
    """Return the tokens of a filter: texts in quotes as they are, words and signs in lower case."""
    return [found[1] or found[2].lower() for found in _TOKEN.finditer(query)]


@dataclass(frozen=True, slots=True)
class GcpLoggingQueryMatch:
    """Whether a filter is a given one: white space and the case of words outside quotes don't count."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "GCP_LOGGING_QUERY_MATCH": "Whether a filter of Google Cloud's logging is a given one, but for white space and the case"
        " of words outside quotes."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "GCP_LOGGING_QUERY_MATCH": Example(
            "GCP_LOGGING_QUERY_MATCH: {arg: {FIELD: {path: a}}, value: 'protoPayload.methodName=\"SetIamPolicy\"'}",
            {"a": 'protoPayload.methodName = "SetIamPolicy"'},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("gcpLoggingQueryMatch", "GCP_LOGGING_QUERY_MATCH", (Part("value", How.QUOTED),)),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    value: str = string()

    def text(self) -> str:
        return f"{inner(self.arg)}.gcpLoggingQueryMatch({quoted(self.value)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, wanted = string_reader(self.arg, compiler), tokens(self.value)

        def matches(row: Row, moment: Moment) -> bool:
            return tokens(read(row, moment) or "") == wanted

        return matches
