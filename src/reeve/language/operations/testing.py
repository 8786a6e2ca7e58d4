"""DEBUG, UNIT_TEST, UNIT_TEST_NULL, UNIT_TEST_RUNTIME_ERROR: what authors and self-tests use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reeve.language.arguments import ArgumentError, boolean, one_of, operand, record, string
from reeve.language.columns import Column, Columns, Guard, known_column
from reeve.language.evaluation import Check, Checks, Evaluate, FiredError, Moment, Row
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, Reads, SelfTest
from reeve.language.operations.boolean import truth
from reeve.language.operations.constants import constant
from reeve.language.rows import object_id
from reeve.language.syntax import Key, Keys, Shape
from reeve.language.times import parse_date_time
from reeve.language.types import BOOLEAN, EVERY, Kind, Type, collection_of, list_of, set_of
from reeve.language.values import Value, quoted
from reeve.model import Status

RETURN_TYPES: dict[str, Type] = {
    **{kind.name: Type(kind) for kind in Kind if kind not in (Kind.ANY, Kind.ITEMS)},
    **{
        f"{shape}_{item.name}": of(item)
        for item in (Kind.TEXT, Kind.BYTES)
        for shape, of in (("SET_OF", set_of), ("LIST_OF", list_of), ("COLLECTION", collection_of))
    },
    "COLLECTION": collection_of(Kind.TEXT),
}
"""The names that `returnType` takes."""


EXPECTED_KEYS: Keys = {
    "text": Key(Shape.STRING, "The text of what decides.", True),
    "status": Key(Shape.CHOICE, "The status; default: the condition's.", choices=tuple(Status)),
    "subIndex": Key(Shape.INTEGER, "What the code ends with; default: 99."),
    "runtimeError": Key(Shape.STRING, "An error that a library reports; default: none."),
}


@dataclass(frozen=True, slots=True)
class Debug:
    """Its argument, recorded in the trace; with `returnTrue`, true instead."""

    NAMES: ClassVar[Mapping[str, str]] = {"DEBUG": "Its argument, recorded in the trace; with `returnTrue`, true instead."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "DEBUG": Example("DEBUG: {name: a, arg: {FIELD: {path: a}}}", {"a": 5}, 5),
    }
    operation: str
    name: str = string()
    arg: Expression = operand(*EVERY)
    return_true: bool = boolean(default=False)

    @property
    def type(self) -> Type:
        """The argument's, or Boolean with `returnTrue`."""
        return BOOLEAN if self.return_true else self.arg.type

    @property
    def precedence(self) -> Precedence:
        """The argument's, as it prints like it."""
        return self.arg.precedence

    def text(self) -> str:
        return self.arg.text()

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate = compiler.compile(self.arg)

        def record(row: Row, moment: Moment) -> Value:
            value = evaluate(row, moment)
            if moment.debugged is not None:
                moment.debugged.append((self.name, value))
            return True if self.return_true else value

        return record

    def column(self, table: Columns) -> Column:
        arg = table.column(self.arg)
        return arg.then(table.literal(True, Kind.BOOLEAN)) if self.return_true else arg


@dataclass(frozen=True, slots=True)
class UnitTest:
    """True for the object of one id, when its argument is; `expected` makes the condition a test of its own."""

    NAMES: ClassVar[Mapping[str, str]] = {"UNIT_TEST": "True for the object of one id, when its argument is true."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "UNIT_TEST": Example("UNIT_TEST: {id: x, arg: {BOOLEAN: true}}", {"Id": "x"}, True),
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.OR, init=False)
    operation: str
    id: str = string()
    arg: Expression = operand(Kind.BOOLEAN)
    expected: Mapping[str, Any] | None = record(EXPECTED_KEYS, default=None)
    snapshot_time: str | None = string(default=None)

    def __post_init__(self) -> None:
        if self.snapshot_time is not None and parse_date_time(self.snapshot_time) is None:
            message = f"{self.snapshot_time!r} is no ISO 8601 date or date-time"
            raise ArgumentError("snapshotTime", "bad-date-time", message)

    def text(self) -> str:
        return f"unitTest({self.id}): {self.arg.text()}"

    def self_test(self) -> SelfTest | None:
        time = None if self.snapshot_time is None else parse_date_time(self.snapshot_time)
        return None if self.expected is None else SelfTest(self.id, time, self.expected)

    def reads(self) -> Reads:
        return Reads(identity=True)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate = truth(self.arg, compiler)
        return lambda row, moment: object_id(row) == self.id and bool(evaluate(row, moment))


@dataclass(frozen=True, slots=True)
class NullConstant:
    """Null, of a type."""

    NAMES: ClassVar[Mapping[str, str]] = {"UNIT_TEST_NULL": "Null, of a type; in self-tests."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "UNIT_TEST_NULL": Example("UNIT_TEST_NULL: {returnType: TEXT}", {}, None),
    }
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    return_type: str = one_of(*RETURN_TYPES)

    @property
    def type(self) -> Type:
        """The type that `returnType` names."""
        return RETURN_TYPES[self.return_type]

    def text(self) -> str:
        return "null"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(None)

    def column(self, table: Columns) -> Column:
        return known_column(table, None, self.type.kind)


@dataclass(frozen=True, slots=True)
class RuntimeFailure:
    """An undetermined check that always fires, with its message as the runtime error."""

    NAMES: ClassVar[Mapping[str, str]] = {"UNIT_TEST_RUNTIME_ERROR": "A check that always fires; in self-tests."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "UNIT_TEST_RUNTIME_ERROR": Example(
            "AND: {args: [{BOOLEAN: false}, {UNIT_TEST_RUNTIME_ERROR: {returnType: BOOLEAN, message: boom}}]}", {}, False
        ),
    }
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    return_type: str = one_of(*RETURN_TYPES)
    message: str = string()

    @property
    def type(self) -> Type:
        """The type that `returnType` names."""
        return RETURN_TYPES[self.return_type]

    @property
    def undetermined_if(self) -> Checks:
        """The check that always fires."""
        return {"runtimeError": Check("runtimeError", self.message)}

    def text(self) -> str:
        return f"error({quoted(self.message)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        number = compiler.declare(self.undetermined_if, "runtimeError", f"{self.text()}.throw()") or 0

        def fail(row: Row, moment: Moment) -> Value:
            raise FiredError(number, self.message)

        return fail

    def column(self, table: Columns) -> Column:
        always = Guard(table.literal(True, Kind.BOOLEAN), 1)
        return Column(table.literal(None, self.type.kind), (always,), 1)
