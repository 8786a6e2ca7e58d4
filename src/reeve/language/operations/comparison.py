"""IS_EQUAL, NOT_EQUAL, IS_EMPTY, NOT_EMPTY, the four orderings and BETWEEN."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from reeve.language.arguments import boolean, operand
from reeve.language.columns import Column, Columns, NotInSqlError, joined
from reeve.language.evaluation import Evaluate, Moment, Row
from reeve.language.names import Names
from reeve.language.notation import Form, How, Method, Part, Sign
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, checks_of, inner, walk
from reeve.language.operations.constants import (
    BooleanConstant,
    Collection,
    DateTimeConstant,
    DurationConstant,
    JsonConstant,
    TextConstant,
)
from reeve.language.operations.fields import Field
from reeve.language.operations.testing import RETURN_TYPES, NullConstant
from reeve.language.types import BOOLEAN, EVERY, ORDERED, Kind, Type, comparable
from reeve.language.value_columns import emptiness as emptiness_column
from reeve.language.value_columns import equality as equality_column
from reeve.language.value_columns import relation
from reeve.language.values import Value, as_double, as_number, as_type, emptiness, equality


def _compare(operation: str, left: Expression, right: Expression, names: Names) -> bool:
    """Return whether two operands, which each fit, may be compared with each other; if not, that is noted."""
    if comparable(left.type, right.type):
        return True
    sides = f"{left.type} ({left.operation}) with {right.type} ({right.operation})"
    names.report(f"{operation} can't compare {sides}", "wrong-type")
    return False


def _like(expression: Expression, other: Type) -> Expression:
    """Return a constant as the DATE_TIME, DURATION, JSON or null that it prints like, where the other side is one."""
    if isinstance(expression, TextConstant):
        try:
            if other.kind is Kind.DATE_TIME:
                return DateTimeConstant("DATE_TIME", expression.value)
            if other.kind is Kind.DURATION:
                return DurationConstant("DURATION", expression.value)
        except ValueError:
            return expression
    if isinstance(expression, BooleanConstant) and other.kind is Kind.JSON:
        return JsonConstant("JSON", expression.value)
    if isinstance(expression, Collection) and not expression.items and other.kind is Kind.JSON:
        return JsonConstant("JSON", [])
    if isinstance(expression, JsonConstant) and expression.value is None and other.kind is not Kind.JSON:
        named = (name for name, of in RETURN_TYPES.items() if of == other)
        return NullConstant("UNIT_TEST_NULL", next(named, "JSON"))
    return expression


@dataclass(frozen=True, slots=True)
class Equal:
    """Whether two values are equal, as section 3 says for their types."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "IS_EQUAL": "Whether two values are equal, as their types say.",
        "NOT_EQUAL": "The exact negation of IS_EQUAL.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "IS_EQUAL": Example("IS_EQUAL: {left: {FIELD: {path: a}}, right: {TEXT: on}}", {"a": " ON"}, True),
        "NOT_EQUAL": Example("NOT_EQUAL: {left: {FIELD: {path: a}}, right: {BYTES: on}}", {"a": "ON"}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Sign("==", "IS_EQUAL"),
        Sign("!=", "NOT_EQUAL"),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.COMPARISON, init=False)
    operation: str
    left: Expression = operand(*EVERY)
    right: Expression = operand(*EVERY)

    def text(self) -> str:
        return f"{inner(self.left)} {'==' if self.operation == 'IS_EQUAL' else '!='} {inner(self.right)}"

    def resolve(self, names: Names) -> Expression | None:
        """Return the comparison, or None when its sides don't compare; a text's constants are what they print like."""
        sides = self.left, self.right
        if names.in_text:
            left, right = self.left, self.right
            sides = _like(left, right.type), _like(right, left.type)
        return replace(self, left=sides[0], right=sides[1]) if _compare(self.operation, *sides, names) else None

    def always(self) -> bool | None:
        left, same = self.left, self.left == self.right
        knowable = left.type.kind is not Kind.NUMBER and not any(map(checks_of, walk(left))) and not isinstance(left, Field)
        return self.operation == "IS_EQUAL" if same and knowable else None

    def evaluator(self, compiler: Compiler) -> Evaluate:
        left, right = compiler.compile(self.left), compiler.compile(self.right)
        equal = equality(self.left.type, self.right.type)
        if self.operation == "NOT_EQUAL":
            return lambda row, moment: not equal(left(row, moment), right(row, moment))
        return lambda row, moment: equal(left(row, moment), right(row, moment))

    def column(self, table: Columns) -> Column:
        equal = equality_column(table, table.column(self.left), self.left.type, table.column(self.right), self.right.type)
        return equal if self.operation == "IS_EQUAL" else replace(equal, value=~equal.value)


@dataclass(frozen=True, slots=True)
class Empty:
    """Whether a value is empty, as section 3 says for its type."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "IS_EMPTY": "Whether a value is empty, as its type says.",
        "NOT_EMPTY": "The opposite of IS_EMPTY.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "IS_EMPTY": Example("IS_EMPTY: {arg: {FIELD: {path: a}}}", {"a": "  "}, True),
        "NOT_EMPTY": Example("NOT_EMPTY: {arg: {FIELD: {path: a}}}", {"a": "x"}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("isEmpty", "IS_EMPTY"),
        Method("isNotEmpty", "NOT_EMPTY"),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*EVERY)

    def text(self) -> str:
        return f"{inner(self.arg)}.{'isEmpty' if self.operation == 'IS_EMPTY' else 'isNotEmpty'}()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, is_empty = compiler.compile(self.arg), emptiness(self.arg.type)
        if self.operation == "NOT_EMPTY":
            return lambda row, moment: not is_empty(evaluate(row, moment))
        return lambda row, moment: is_empty(evaluate(row, moment))

    def column(self, table: Columns) -> Column:
        empty = emptiness_column(table, table.column(self.arg), self.arg.type)
        return empty if self.operation == "IS_EMPTY" else replace(empty, value=~empty.value)


def orderable(*operands: Expression) -> Callable[[Value], float | timedelta | None]:
    """Return the function that makes the values of operands ready for ordering, as what one of them is known to be."""
    if any(operand.type.kind is Kind.DURATION for operand in operands):
        return lambda value: as_type(Kind.DURATION, value)
    return as_double if all(operand.type.kind is Kind.NUMBER for operand in operands) else as_number


def compare(relation: Callable[[Any, Any], bool], left: Value, right: Value) -> bool:
    """Return whether an order relation holds; with null on either side it does not."""
    return left is not None and right is not None and relation(left, right)


def _common_kind(*operands: Expression) -> Kind:
    kinds = {operand.type.kind for operand in operands}
    if len(kinds) > 1 or Kind.ANY in kinds:
        raise NotInSqlError
    return kinds.pop()


_RELATIONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "GREATER_THAN": (">", operator.gt),
    "GREATER_THAN_EQUAL": (">=", operator.ge),
    "LESS_THAN": ("<", operator.lt),
    "LESS_THAN_EQUAL": ("<=", operator.le),
}


@dataclass(frozen=True, slots=True)
class Ordering:
    """Whether one number or length is on a side of another; with null on either side: false."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "GREATER_THAN": "Whether the left side is greater; null on either side: false.",
        "GREATER_THAN_EQUAL": "Whether the left side is greater or the same; null on either side: false.",
        "LESS_THAN": "Whether the left side is less; null on either side: false.",
        "LESS_THAN_EQUAL": "Whether the left side is less or the same; null on either side: false.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "GREATER_THAN": Example("GREATER_THAN: {left: {FIELD: {path: a}}, right: {NUMBER: 5}}", {"a": 6}, True),
        "GREATER_THAN_EQUAL": Example("GREATER_THAN_EQUAL: {left: {FIELD: {path: a}}, right: {NUMBER: 5}}", {"a": 5}, True),
        "LESS_THAN": Example("LESS_THAN: {left: {FIELD: {path: a}}, right: {NUMBER: 5}}", {"a": None}, False),
        "LESS_THAN_EQUAL": Example("LESS_THAN_EQUAL: {left: {FIELD: {path: a}}, right: {NUMBER: 5}}", {"a": 5}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (*(Sign(sign, name, How.INSTANT) for name, (sign, _) in _RELATIONS.items()),)
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.COMPARISON, init=False)
    operation: str
    left: Expression = operand(*ORDERED)
    right: Expression = operand(*ORDERED)

    def text(self) -> str:
        return f"{inner(self.left)} {_RELATIONS[self.operation][0]} {inner(self.right)}"

    def resolve(self, names: Names) -> Expression | None:
        return self if _compare(self.operation, self.left, self.right, names) else None

    def evaluator(self, compiler: Compiler) -> Evaluate:
        left, right = compiler.compile(self.left), compiler.compile(self.right)
        ready, relation = orderable(self.left, self.right), _RELATIONS[self.operation][1]

        def ordered(row: Row, moment: Moment) -> bool:
            first, second = left(row, moment), right(row, moment)
            return compare(relation, ready(first), ready(second))

        return ordered

    def column(self, table: Columns) -> Column:
        number = _common_kind(self.left, self.right) is Kind.NUMBER
        sides = table.column(self.left), table.column(self.right)
        guards, declared = joined(sides)
        holds = relation(_RELATIONS[self.operation][0], *sides, number=number)
        return Column(holds, guards, declared, nullable=False)


@dataclass(frozen=True, slots=True)
class Between:
    """Whether a value lies in a range, its ends included unless said otherwise; with null anywhere: false."""

    NAMES: ClassVar[Mapping[str, str]] = {"BETWEEN": "Whether a value lies in a range; null anywhere: false."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "BETWEEN": Example("BETWEEN: {arg: {FIELD: {path: a}}, rangeFrom: {NUMBER: 1}, rangeTo: {NUMBER: 5}}", {"a": 5}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("between", "BETWEEN", (Part("rangeFrom"), Part("rangeTo")), flags=("exclusiveFrom", "exclusiveTo")),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.NUMBER)
    range_from: Expression = operand(Kind.NUMBER)
    range_to: Expression = operand(Kind.NUMBER)
    exclusive_from: bool = boolean(default=False)
    exclusive_to: bool = boolean(default=False)

    def text(self) -> str:
        ends = (", exclusiveFrom" if self.exclusive_from else "") + (", exclusiveTo" if self.exclusive_to else "")
        return f"{inner(self.arg)}.between({self.range_from.text()}, {self.range_to.text()}{ends})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        operands = (self.arg, self.range_from, self.range_to)
        parts, ready = [compiler.compile(part) for part in operands], orderable(*operands)
        above = operator.gt if self.exclusive_from else operator.ge
        below = operator.lt if self.exclusive_to else operator.le

        def between(row: Row, moment: Moment) -> bool:
            value, start, end = map(ready, [evaluate(row, moment) for evaluate in parts])
            return compare(above, value, start) & compare(below, value, end)

        return between

    def column(self, table: Columns) -> Column:
        _common_kind(self.arg, self.range_from, self.range_to)
        arg, start, end = parts = [table.column(part) for part in (self.arg, self.range_from, self.range_to)]
        guards, declared = joined(parts)
        above = relation(">" if self.exclusive_from else ">=", arg, start, number=True)
        below = relation("<" if self.exclusive_to else "<=", arg, end, number=True)
        return Column(above & below, guards, declared, nullable=False)
