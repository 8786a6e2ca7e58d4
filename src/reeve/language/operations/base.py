"""What an operation is, and what it may say of itself.

An operation is a frozen dataclass with the members of `Expression`; its arguments are declared by `reeve.language.arguments`.
Operations that differ in a symbol only are one class with several `NAMES`. What else others must know of an operation it says
by a member of its own, each defined where it is asked for; one that has none is what the function beside it says:

- `reads`, by `Reading`: what it looks at, beside its operands;
- `column`, by `reeve.language.columns.InColumns`: itself as columns of a table;
- `resolve`, by `reeve.language.names.Resolving`: itself with its names resolved;
- `NOTATION`, of `reeve.language.notation`: how condition texts are read as it;
- `TIMING`, `TRACED`, and `always`, `field_value`, `self_test`, by the protocols below.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Protocol, runtime_checkable

from reeve.language.arguments import arguments
from reeve.language.evaluation import Checks, Children, Evaluate, Gone, Moment, Row, Timing
from reeve.language.types import Type


class Precedence(Enum):
    """How tightly an operation's printed text binds; a looser operand is put in parentheses."""

    OR = 0
    AND = 1
    COMPARISON = 2
    PRIMARY = 3


@dataclass(frozen=True, slots=True)
class Example:
    """For the reference, and run by a test: an operation in flow YAML, an object it is evaluated on, the value it gives.

    At hand are an extract `name` of the field `name`, and a related list `rules`, whose INCOMPLIANT objects are `open`.
    """

    yaml: str
    row: Mapping[str, Any]
    value: Any


class Compiler(Protocol):
    """Turns expressions into functions, giving undetermined checks their numbers in the order of section 2."""

    def compile(self, expression: "Expression") -> Evaluate:
        """Return the function that evaluates an expression; its checks take the next numbers."""
        ...

    def declare(self, checks: Checks, kind: str, text: str) -> int | None:
        """Return the number of the check `kind`, or None when the operation does not declare it."""
        ...

    def classifier(self, relationship: str, status: str, gone: Gone) -> Callable[[Row, Moment], Children]:
        """Return the function that counts an object's children in a related list by their status.

        `status` is the one whose children the operation asks for.
        """
        ...


class Expression(Protocol):
    """An operation with its operands: typed, printable, and able to evaluate itself."""

    NAMES: ClassVar[Mapping[str, str]]
    """The operation's names in YAML, each with one sentence on what it does."""
    EXAMPLES: ClassVar[Mapping[str, Example]]
    """An example for each name."""

    @property
    def operation(self) -> str:
        """The name in YAML that this operation was written with."""
        ...

    @property
    def type(self) -> Type:
        """The type of the operation's result."""
        ...

    @property
    def precedence(self) -> Precedence:
        """How tightly the text binds."""
        ...

    def text(self) -> str:
        """Return the text that condition texts show (section 4)."""
        ...

    def evaluator(self, compiler: Compiler) -> Evaluate:
        """Return the function that evaluates the operation; operands are compiled left to right before its own checks."""
        ...


# The parts of an expression ------------------------------------------------------------------------------------------


def operands_of(expression: Expression) -> Iterator[Expression]:
    """Yield an operation's operands, left to right; an extract's is the expression it names."""
    for declared in dataclasses.fields(expression):  # pyright: ignore[reportArgumentType] - every operation is a dataclass
        yield from _expressions(getattr(expression, declared.name))


def written_parts(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything in it as it is written, so without the bodies of extracts."""
    yield expression
    for name, _ in arguments(type(expression)).values():
        for part in _expressions(getattr(expression, name)):
            yield from written_parts(part)


def _expressions(value: Any) -> Iterator[Expression]:
    if hasattr(value, "evaluator"):
        yield value
    elif isinstance(value, tuple):
        yield from (item for item in value if hasattr(item, "evaluator"))  # pyright: ignore


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything in it, the bodies of extracts too."""
    yield expression
    for part in operands_of(expression):
        yield from walk(part)


def inner(expression: Expression, least: Precedence = Precedence.PRIMARY) -> str:
    """Return an operand's text, in parentheses when it binds looser than `least`."""
    text = expression.text()
    return text if expression.precedence.value >= least.value else f"({text})"


# What an operation looks at ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reads:
    """What an operation itself looks at, beside its operands: paths from the judged object.

    Of `lookups` only whether they lead to an object counts; `identity` is the object's own id.
    """

    fields: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    related_lists: tuple[str, ...] = ()
    identity: bool = False

    @property
    def objects(self) -> bool:
        """Whether it looks at other objects as such, not only at fields; every engine's columns must be able to say it then."""
        return bool(self.lookups or self.related_lists)

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths; one to an object as such ends in a dot."""
        return (*self.fields, *(f"{path}." for path in self.lookups), *self.related_lists)

    def __bool__(self) -> bool:
        """Whether it looks at anything."""
        return self.identity or bool(self.paths)


@runtime_checkable
class Reading(Protocol):
    """An operation that looks at the object itself."""

    def reads(self) -> Reads:
        """Return what it looks at, its operands not counted."""
        ...


def reads_of(expression: Expression) -> Reads:
    """Return what an operation itself looks at; nothing, unless it says so."""
    return expression.reads() if isinstance(expression, Reading) else Reads()


def leaves(expression: Expression) -> Iterator[Expression]:
    """Yield the parts of an expression that look at the object, left to right, the bodies of extracts too."""
    return (part for part in walk(expression) if reads_of(part))


@runtime_checkable
class FieldValue(Protocol):
    """An operation whose value is that of a field, as it stands."""

    def field_value(self) -> str:
        """Return the field's path, as it is written."""
        ...


def field_of(expression: Expression) -> str | None:
    """Return the path of the field whose value an operation's is; None, unless it says so."""
    return expression.field_value() if isinstance(expression, FieldValue) else None


# What else it may say of itself --------------------------------------------------------------------------------------


def checks_of(expression: Expression) -> Checks:
    """Return the undetermined checks that an operation itself declares, its `undetermined_if`; none, unless it has it."""
    return getattr(expression, "undetermined_if", {})


def timing_of(expression: Expression) -> Timing:
    """Return how much of the moment an expression's value depends on: the most that an operation in it says, its `TIMING`."""
    return max((getattr(part, "TIMING", Timing.NONE) for part in walk(expression)), default=Timing.NONE)


def is_traced(expression: Expression) -> bool:
    """Return whether a trace shows an operation's value; it does, unless its `TRACED` is false."""
    return getattr(expression, "TRACED", True)


@runtime_checkable
class Deciding(Protocol):
    """A Boolean operation that can tell whether it is the same for every object."""

    def always(self) -> bool | None:
        """Return the value that it has for every object, or None when it depends on the object."""
        ...


def always(expression: Expression) -> bool | None:
    """Return the value that an operation has for every object, or None when that depends on the object or is not known."""
    return expression.always() if isinstance(expression, Deciding) else None


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A test that a condition carries: the id of the one object it is about, when it is judged (None: any time will do), and
    what is expected, as `expected` says it in YAML."""

    object_id: str
    time: datetime | None
    expected: Mapping[str, Any]


@runtime_checkable
class SelfTesting(Protocol):
    """An operation that may make its condition a test of its own."""

    def self_test(self) -> SelfTest | None:
        """Return the test, or None when it carries none."""
        ...


def self_test_of(expression: Expression) -> SelfTest | None:
    """Return the test that a condition carries; None, unless its operation says so."""
    return expression.self_test() if isinstance(expression, SelfTesting) else None
