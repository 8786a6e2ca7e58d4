"""Expressions that no engine's language can say: the interpreter's own functions, called once per distinct input.

An expression becomes a `Mapping`: the columns that it reads, and a function from their values to (fired check, value). The
function is what `interpreter` compiles, so the result is the interpreter's by construction.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from reeve.evaluate.interpreter import FAILURES, Compiler, Program, compile_body
from reeve.language.codes import ERROR
from reeve.language.columns import DEFERRED, Columns, Expr
from reeve.language.evaluation import Evaluate, EvaluationError, FiredError, Moment, Row
from reeve.language.kinds import from_column, to_column
from reeve.language.logic import Body
from reeve.language.operations.base import Expression, leaves, reads_of
from reeve.language.types import Kind
from reeve.language.unread import NotCollected
from reeve.language.values import Value

DOUBTED = -2
"""Stands for the number of a check that fired, where there is a value, which may be another one if all could have been read."""

Evaluated = tuple[int, Any]
"""The number of the check that fired (0: none) and the value, as a column holds it."""


@dataclass(frozen=True, slots=True)
class _Given:
    """The value of an operation that the columns have computed, and whether it may be another one."""

    value: Value
    doubted: bool


class Maker(Protocol):
    """What a mapping's function is made from; it can be sent to another process, where a function could not."""

    def function(self) -> Callable[[Sequence[Any]], Evaluated]:
        """Return the function of the inputs' values."""
        ...


@dataclass(frozen=True, slots=True)
class DistinctMapping:
    """A function over the distinct values of some columns of a table; `declared` checks may fire.

    `deferred` says for which objects these columns can't give the inputs.
    """

    inputs: tuple[Expr, ...]
    maker: Maker
    declared: int
    deferred: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class _FieldInput:
    path: str
    kind: Kind
    at: int
    missing_at: int | None

    def put(self, row: dict[str, Any], values: Sequence[Any]) -> None:
        uncollected = self.missing_at is not None and values[self.missing_at]
        _put(row, self.path, NotCollected("not collected") if uncollected else from_column(self.kind, values[self.at]))


@dataclass(frozen=True, slots=True)
class _IdentityInput:
    at: int

    def put(self, row: dict[str, Any], values: Sequence[Any]) -> None:
        row["id"] = values[self.at]


@dataclass(frozen=True, slots=True)
class _GivenInput:
    name: str
    at: int
    guards: tuple[int, ...]
    doubts: tuple[int, ...]

    def put(self, row: dict[str, Any], values: Sequence[Any]) -> None:
        if any(values[guard] for guard in self.guards):
            row[self.name] = NotCollected("not collected")
        else:
            row[self.name] = _Given(values[self.at], any(values[doubt] for doubt in self.doubts))


@dataclass(slots=True)
class _Inputs:
    """The columns that an expression reads, each with how it gets into the row that the interpreter is given."""

    table: Columns
    columns: list[Expr] = field(default_factory=list[Expr])
    places: list[_FieldInput | _IdentityInput | _GivenInput] = field(default_factory=list[Any])
    deferred: list[Expr] = field(default_factory=list[Expr])

    def add(self, column: Expr) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def add_field(self, path: str) -> None:
        value, missing, static = self.table.field(path)
        at = self.add(value)
        self.places.append(_FieldInput(path, static.kind, at, None if missing is None else self.add(missing)))

    def add_identity(self) -> None:
        self.places.append(_IdentityInput(self.add(self.table.identity())))

    def add_given(self, expression: Expression, name: str) -> None:
        column = self.table.column(expression)
        at = self.add(column.value)
        self.deferred += [guard.when for guard in column.guards if guard.number == DEFERRED]
        known = [guard for guard in column.guards if guard.number != DEFERRED]
        ends, doubts = (tuple(self.add(guard.when) for guard in known if guard.doubt is doubt) for doubt in (False, True))
        self.places.append(_GivenInput(name, at, ends, doubts))


def _put(row: dict[str, Any], path: str, value: Value) -> None:
    *lookups, last = path.split(".")
    for lookup in lookups:
        row = row.setdefault(lookup, {})
    row[last] = value


class _GivenCompiler(Compiler):
    """Compiles as the interpreter does, but reads from the row the values that the columns give."""

    __slots__ = ("given",)

    def __init__(self, given: Mapping[int, str]) -> None:
        super().__init__({})
        self.given = given

    def compile(self, expression: Expression) -> Evaluate:
        name = self.given.get(id(expression))
        if name is None:
            return expression.evaluator(self)

        def read(row: Row, moment: Moment) -> Value:
            given = row[name]
            if isinstance(given, NotCollected):
                raise EvaluationError(given.reason)
            if given.doubted:
                moment.unread.append("not collected")
            return given.value

        return read


@dataclass(frozen=True, slots=True)
class _ExpressionMaker:
    """An expression, and how the inputs' values get into the row that it reads."""

    expression: Expression
    places: tuple[_FieldInput | _IdentityInput | _GivenInput, ...]
    moment: Moment
    for_parent: bool

    def compiled(self) -> tuple[Evaluate, int]:
        """Return the interpreter's function, and how many checks it declares."""
        compiler = _GivenCompiler({id(leaf): name for leaf, name in _given_leaves(self.expression)})
        return compiler.compile(self.expression), len(compiler.declared)

    def function(self) -> Callable[[Sequence[Any]], Evaluated]:
        """Return the function of the inputs' values (`Maker.function`)."""
        (evaluate, _), moment, puts = self.compiled(), replace(self.moment, unread=[]), [place.put for place in self.places]
        for_parent, kind = self.for_parent, self.expression.type.kind

        def function(values: Sequence[Any]) -> Evaluated:
            row: dict[str, Any] = {}
            for put in puts:
                put(row, values)
            moment.unread.clear()
            try:
                value = to_column(kind, evaluate(row, moment))
            except FiredError as fired:
                return ERROR if for_parent and (fired.unseen or moment.unread) else fired.number, None
            except FAILURES:
                return ERROR, None
            return DOUBTED if moment.unread else 0, value

        return function


def mapping_of(expression: Expression, table: Columns) -> DistinctMapping:
    """Return an expression as a mapping over the distinct values of what it reads."""
    inputs = _Inputs(table)
    for leaf, name in _given_leaves(expression):
        inputs.add_given(leaf, name)
    reads = [reads_of(leaf) for leaf in leaves(expression)]
    if any(one.identity for one in reads):
        inputs.add_identity()
    for path in dict.fromkeys(path for one in reads for path in one.fields):
        inputs.add_field(path)
    maker = _ExpressionMaker(expression, tuple(inputs.places), table.moment, table.for_parent)
    return DistinctMapping(tuple(inputs.columns), maker, maker.compiled()[1], tuple(inputs.deferred))


def _given_leaves(expression: Expression) -> Iterator[tuple[Expression, str]]:
    """Yield the parts whose values the columns give, as no row of fields can: each with its name in the row."""
    found = (leaf for leaf in leaves(expression) if reads_of(leaf).objects)
    return ((leaf, f"\0{number}") for number, leaf in enumerate(found))


@dataclass(frozen=True, slots=True)
class _ProgramMaker:
    """A policy over objects of an untyped type, whose columns hold JSON; but for the id, which is a text."""

    body: Body
    names: tuple[str, ...]
    moment: Moment

    def function(self) -> Callable[[Sequence[Any]], Evaluated]:
        """Return the function from the columns' values to (0, code) (`Maker.function`)."""
        program, names, moment, id_field = compile_body(self.body), self.names, self.moment, self.body.object_type.id_field

        def function(values: Sequence[Any]) -> Evaluated:
            found = zip(names, values, strict=True)
            row = {name: value if name == id_field else json.loads(value) for name, value in found if value is not None}
            return 0, program.judge(row, moment).code

        return function


def whole_program(program: Program, names: Sequence[str], columns: Sequence[Expr], moment: Moment) -> DistinctMapping:
    """Return a program over objects of an untyped type, whose columns hold JSON, as one mapping to its codes."""
    return DistinctMapping(tuple(columns), _ProgramMaker(program.body, tuple(names), moment), 0)
