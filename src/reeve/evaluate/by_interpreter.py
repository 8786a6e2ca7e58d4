"""Expressions that no engine's language can say: the interpreter's own functions, called once per distinct input.

An expression becomes a `Mapping`: the columns that it reads, and a function from their values to (fired check, value). The
function is what `interpreter` compiles, so the result is the interpreter's by construction.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reeve.evaluate.interpreter import Compiler, Program
from reeve.language.columns import ERROR, Columns, Expr, microseconds
from reeve.language.expressions import operands_of
from reeve.language.operations.aws_policy import AwsPolicyAllows
from reeve.language.operations.base import (
    Evaluate,
    EvaluationError,
    Expression,
    FiredError,
    Moment,
    NotCollected,
    Row,
)
from reeve.language.operations.fields import EmptyLookup, Field, IsDisappeared
from reeve.language.operations.related import RelatedList
from reeve.language.operations.tags import Tag
from reeve.language.operations.testing import UnitTest
from reeve.language.types import Kind
from reeve.language.values import Value, WrongTypeError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NATIVE = (EmptyLookup, IsDisappeared, RelatedList)
"""Operations that columns can always say; to the interpreter's function their values are given."""

Evaluated = tuple[int, Any]
"""The number of the check that fired (0: none) and the value, as a column holds it."""


@dataclass(frozen=True, slots=True)
class DistinctMapping:
    """A function over the distinct values of some columns of a table; `declared` checks may fire."""

    inputs: tuple[Expr, ...]
    evaluate: Callable[[Sequence[Any]], Evaluated]
    declared: int


@dataclass(slots=True)
class _Inputs:
    """The columns that an expression reads, each with how it gets into the row that the interpreter is given."""

    table: Columns
    columns: list[Expr] = field(default_factory=list[Expr])
    places: list[Callable[[dict[str, Any], Sequence[Any]], None]] = field(default_factory=list[Any])
    given: dict[int, str] = field(default_factory=dict[int, str])

    def add(self, column: Expr) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def add_field(self, path: str) -> None:
        value, missing, static = self.table.field(path)
        at = self.add(value)
        missing_at = None if missing is None else self.add(missing)

        def put(row: dict[str, Any], values: Sequence[Any]) -> None:
            uncollected = missing_at is not None and values[missing_at]
            _put(row, path, NotCollected("not collected") if uncollected else from_column(static.kind, values[at]))

        self.places.append(put)

    def add_identity(self) -> None:
        at = self.add(self.table.identity())
        self.places.append(lambda row, values: row.update(id=values[at]))

    def add_given(self, expression: Expression) -> None:
        column = self.table.column(expression)
        name = f"\0{len(self.given)}"
        at, guards = self.add(column.value), [self.add(guard.when) for guard in column.guards]

        def put(row: dict[str, Any], values: Sequence[Any]) -> None:
            row[name] = NotCollected("not collected") if any(values[guard] for guard in guards) else values[at]

        self.given[id(expression)] = name
        self.places.append(put)


def _put(row: dict[str, Any], path: str, value: Value) -> None:
    *lookups, last = path.split(".")
    for lookup in lookups:
        row = row.setdefault(lookup, {})
    row[last] = value


def from_column(kind: Kind, value: Any) -> Value:
    """Return a column's value as the interpreter has it."""
    if value is None:
        return None
    match kind:
        case Kind.DATE_TIME:
            return EPOCH + timedelta(microseconds=value)
        case Kind.DURATION:
            return timedelta(microseconds=value)
        case Kind.JSON:
            return json.loads(value)
        case _:
            return value


def to_column(value: Value) -> Any:
    """Return an interpreter's value as a column holds it."""
    if isinstance(value, (datetime, timedelta)):
        return microseconds(value)
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


class _GivenCompiler(Compiler):
    """Compiles as the interpreter does, but reads the values of native operations from the row."""

    __slots__ = ("given",)

    def __init__(self, given: Mapping[int, str]) -> None:
        super().__init__({})
        self.given = given

    def compile(self, expression: Expression) -> Evaluate:
        name = self.given.get(id(expression))
        if name is None:
            return expression.evaluator(self)

        def read(row: Row, moment: Moment) -> Value:
            value = row[name]
            if isinstance(value, NotCollected):
                raise EvaluationError(value.reason)
            return value

        return read


def mapping_of(expression: Expression, table: Columns) -> DistinctMapping:
    """Return an expression as a mapping over the distinct values of what it reads."""
    inputs = _Inputs(table)
    seen: set[str] = set()
    for leaf in _leaves(expression):
        if isinstance(leaf, NATIVE):
            inputs.add_given(leaf)
        elif isinstance(leaf, UnitTest):
            inputs.add_identity()
        for path in _paths(leaf):
            if path not in seen:
                seen.add(path)
                inputs.add_field(path)
    compiler = _GivenCompiler(inputs.given)
    evaluate, moment, places = compiler.compile(expression), table.moment, tuple(inputs.places)

    def function(values: Sequence[Any]) -> Evaluated:
        row: dict[str, Any] = {}
        for put in places:
            put(row, values)
        try:
            return 0, to_column(evaluate(row, moment))
        except FiredError as fired:
            return fired.number, None
        except (EvaluationError, WrongTypeError, RecursionError, OverflowError):
            return ERROR, None

    return DistinctMapping(tuple(inputs.columns), function, len(compiler.declared))


def _leaves(expression: Expression) -> Iterator[Expression]:
    """Yield what reads the object, in an expression."""
    if isinstance(expression, (Field, Tag, AwsPolicyAllows, UnitTest, *NATIVE)):
        yield expression
    if not isinstance(expression, NATIVE):
        for operand in operands_of(expression):
            yield from _leaves(operand)


def _paths(leaf: Expression) -> Iterator[str]:
    match leaf:
        case Field():
            yield leaf.prefix + leaf.path
            delegate = leaf.undetermined_if.get("noAccessDelegate")
            if delegate:
                yield leaf.prefix + (delegate.path or "")
        case Tag():
            yield leaf.prefix + leaf.field
        case AwsPolicyAllows():
            yield leaf.prefix + leaf.policy_ext_field
        case _:
            return


def whole_program(program: Program, names: Sequence[str], columns: Sequence[Expr], moment: Moment) -> DistinctMapping:
    """Return a program over objects of an untyped type, whose columns hold JSON, as one mapping to its codes."""

    def function(values: Sequence[Any]) -> Evaluated:
        row = {name: json.loads(value) for name, value in zip(names, values, strict=True) if value is not None}
        return 0, program.judge(row, moment).code

    return DistinctMapping(tuple(columns), function, 0)
