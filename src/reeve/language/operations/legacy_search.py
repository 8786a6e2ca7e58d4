"""CONTAINS, STARTS_WITH, ENDS_WITH with the keys of the older dialects, and their forms that ignore case."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from reeve.language.arguments import operand
from reeve.language.columns import Column, Columns, joined
from reeve.language.evaluation import Evaluate, Moment, Row
from reeve.language.names import Names
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.operations.search import IN_TEXT, METHODS, plain_text, search_in
from reeve.language.operations.search_columns import search_plain, search_text
from reeve.language.types import BOOLEAN, STRINGS, Type
from reeve.language.value_columns import normalised, text_column
from reeve.language.values import normalise


def _legacy_text(node: "OldSearch", search: Expression) -> str:
    name, ignore_case = _plain_name(node)
    kind = "IgnoreCase" if ignore_case else "CaseSensitive" if node.legacy else ""
    return f"{inner(node.arg)}.{METHODS[name]}{kind}({search.text()})"


def _plain_name(node: "OldSearch") -> tuple[str, bool]:
    return node.operation.removesuffix("_IGNORE_CASE"), node.operation.endswith("_IGNORE_CASE")


def _legacy_evaluator(node: "OldSearch", search: Expression, compiler: Compiler) -> Evaluate:
    evaluate, wanted = compiler.compile(node.arg), compiler.compile(search)
    (name, ignore_case), arg_type, search_type = _plain_name(node), node.arg.type, search.type
    if not ignore_case and not node.legacy:
        return lambda row, moment: search_in(name, arg_type, evaluate(row, moment), search_type, wanted(row, moment))
    predicate = IN_TEXT[name]

    def found(row: Row, moment: Moment) -> bool:
        value, search = evaluate(row, moment), wanted(row, moment)
        text, part = plain_text(arg_type, value) or "", plain_text(search_type, search) or ""
        return predicate(normalise(text), normalise(part)) if ignore_case else predicate(text, part)

    return found


def _legacy_column(node: "OldSearch", search: Expression, table: Columns) -> Column:
    name, ignore_case = _plain_name(node)
    arg, wanted = table.column(node.arg), table.column(search)
    if not ignore_case and not node.legacy:
        return search_text(table, name, arg, node.arg.type, wanted, search.type)
    form = normalised if ignore_case else text_column
    text, part = form(table, arg, node.arg.type), form(table, wanted, search.type)
    guards, declared = joined((text, part))
    return Column(search_plain(name, text.value, part.value), guards, declared, nullable=False)


@dataclass(frozen=True, slots=True)
class LegacyContains:
    """Whether a text holds another: to the letter in a file of the legacy dialect, else normalised as its types say."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "CONTAINS": "Whether a text holds another; in a file of the legacy dialect to the letter.",
        "CONTAINS_IGNORE_CASE": "Whether a text holds another, both normalised (legacy).",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "CONTAINS_IGNORE_CASE": Example(
            "CONTAINS_IGNORE_CASE: {arg: {FIELD: {path: a}}, substring: {TEXT: B}}", {"a": "abc"}, True
        ),
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    substring: Expression = operand(*STRINGS)
    legacy: bool = False

    def text(self) -> str:
        return _legacy_text(self, self.substring)

    def resolve(self, names: Names) -> Expression | None:
        return replace(self, legacy=names.scope.legacy)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return _legacy_evaluator(self, self.substring, compiler)

    def column(self, table: Columns) -> Column:
        return _legacy_column(self, self.substring, table)


@dataclass(frozen=True, slots=True)
class LegacyStartsWith:
    """Whether a text begins with another: to the letter in a file of the legacy dialect, else normalised as its types say."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "STARTS_WITH": "Whether a text begins with another; in a file of the legacy dialect to the letter.",
        "STARTS_WITH_IGNORE_CASE": "Whether a text begins with another, both normalised (legacy).",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "STARTS_WITH_IGNORE_CASE": Example(
            "STARTS_WITH_IGNORE_CASE: {arg: {FIELD: {path: a}}, prefix: {TEXT: A}}", {"a": "abc"}, True
        ),
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    prefix: Expression = operand(*STRINGS)
    legacy: bool = False

    def text(self) -> str:
        return _legacy_text(self, self.prefix)

    def resolve(self, names: Names) -> Expression | None:
        return replace(self, legacy=names.scope.legacy)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return _legacy_evaluator(self, self.prefix, compiler)

    def column(self, table: Columns) -> Column:
        return _legacy_column(self, self.prefix, table)


@dataclass(frozen=True, slots=True)
class LegacyEndsWith:
    """Whether a text ends with another: to the letter in a file of the legacy dialect, else normalised as its types say."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "ENDS_WITH": "Whether a text ends with another; in a file of the legacy dialect to the letter.",
        "ENDS_WITH_IGNORE_CASE": "Whether a text ends with another, both normalised (legacy).",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "ENDS_WITH_IGNORE_CASE": Example(
            "ENDS_WITH_IGNORE_CASE: {arg: {FIELD: {path: a}}, suffix: {TEXT: C}}", {"a": "abc"}, True
        ),
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    suffix: Expression = operand(*STRINGS)
    legacy: bool = False

    def text(self) -> str:
        return _legacy_text(self, self.suffix)

    def resolve(self, names: Names) -> Expression | None:
        return replace(self, legacy=names.scope.legacy)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return _legacy_evaluator(self, self.suffix, compiler)

    def column(self, table: Columns) -> Column:
        return _legacy_column(self, self.suffix, table)


OldSearch = LegacyContains | LegacyStartsWith | LegacyEndsWith
"""The searches with the keys of the older dialects."""
