"""What an operation is, and how its class declares its arguments.

An operation is a frozen dataclass. Beside `operation`, its fields are its YAML arguments (`range_from` is `rangeFrom` in YAML),
each declared by one of the functions below: `reeve.language.syntax` reads them from YAML and checks them, `reeve schema` and
the reference are generated from them. Operations that differ in a symbol only are one class with several `NAMES`.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast, runtime_checkable

from reeve.language.json_texts import parse_json
from reeve.language.syntax import Key, Keys
from reeve.language.types import Kind, Type
from reeve.language.values import Value

if TYPE_CHECKING:
    from reeve.language.columns import Column, Columns

Row = Mapping[str, Any]


class Precedence(Enum):
    """How tightly an operation's printed text binds; a looser operand is put in parentheses."""

    OR = 0
    AND = 1
    COMPARISON = 2
    PRIMARY = 3


@dataclass(slots=True)
class Moment:
    """When objects are judged: the snapshot's time, in UTC, and the days counted from its midnight (section 4).

    `debugged` gets the values of DEBUG; `unread` why an operation's value may be another one, if all could have been read.
    """

    now: datetime
    midnight: datetime
    debugged: list[tuple[str, Value]] | None = None
    unread: list[str] = field(default_factory=list[str])

    @classmethod
    def at(cls, now: datetime) -> "Moment":
        """Return the moment of a snapshot taken at `now`, an aware date-time of any zone.

        Raises:
            ValueError: it has no zone, so that it is no moment; or in UTC it lies outside the calendar.
        """
        if now.tzinfo is None:
            raise ValueError(f"{now.isoformat()} has no zone")
        try:
            utc = now.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{now.isoformat()} lies outside the calendar in UTC") from None
        return cls(utc, utc.replace(hour=0, minute=0, second=0, microsecond=0))

    def day(self, offset: int) -> datetime:
        """Return the UTC midnight `offset` days from the snapshot's; the ends of the calendar stand for what lies beyond."""
        try:
            return self.midnight + timedelta(days=offset)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC) if offset > 0 else datetime.min.replace(tzinfo=UTC)


Evaluate = Callable[[Row, Moment], Value]
"""Gives an expression's value for one object at a moment."""


class FiredError(Exception):
    """A declared undetermined check fired; `number` is its *k* (section 2). `unseen`: for what was not collected."""

    def __init__(self, number: int, runtime_error: str | None = None, unseen: bool = False):
        super().__init__(number)
        self.number = number
        self.runtime_error = runtime_error
        self.unseen = unseen


class ArgumentError(ValueError):
    """An argument of an operation is refused when the operation is read: its name in YAML, and the code of section 7."""

    def __init__(self, argument: str, rule: str, message: str):
        super().__init__(message)
        self.argument = argument
        self.rule = rule


class EvaluationError(Exception):
    """An error that no declared check covers: the object is UNDETERMINED with code n·100 + 98 (section 2)."""


@dataclass(frozen=True, slots=True)
class Children:
    """How many objects of a related list have each status, how many may have any, and why the counts may be too low.

    `unread` is None if they are not.
    """

    counts: Mapping[str, int]
    unseen: int = 0
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """An undetermined check that a condition declares: its message, and for `noAccessDelegate` the delegate's path."""

    kind: str
    message: str
    path: str | None = None


Checks = Mapping[str, Check]

Gone = tuple[str | None, ...]
"""For each lookup of a path, the field that says that the object behind it is gone; '' if none does, None: by its name."""


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
        """Whether it looks at other objects as such, not only at fields. Its columns can be said in every engine then."""
        return bool(self.lookups or self.related_lists)

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths; one to an object as such ends in a dot."""
        return (*self.fields, *(f"{path}." for path in self.lookups), *self.related_lists)

    def __bool__(self) -> bool:
        """Whether it looks at anything."""
        return self.identity or bool(self.paths)


class Compiler(Protocol):
    """Turns expressions into functions, giving undetermined checks their numbers in the order of section 2."""

    def compile(self, expression: "Expression") -> Evaluate:
        """Return the function that evaluates an expression; its checks take the next numbers."""
        ...

    def declare(self, checks: Checks, kind: str, text: str) -> int | None:
        """Return the number of the check `kind`, or None when the operation does not declare it."""
        ...

    def classifier(self, relationship: str, status: str, gone: "Gone") -> Callable[[Row, Moment], Children]:
        """Return the function that counts an object's children in a related list by their status.

        `status` is the one whose children the operation asks for.
        """
        ...


class Expression(Protocol):
    """An operation with its operands: typed, printable, and able to evaluate itself."""

    NAMES: ClassVar[Mapping[str, str]]
    """The operation's names in YAML, each with one sentence on what it does."""

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

    def column(self, table: "Columns") -> "Column":
        """Return the operation as columns of a table (`reeve.language.columns`).

        Raises:
            NotInSqlError: the engine can't say it; the interpreter's function is then called for each distinct value.
        """
        ...


@runtime_checkable
class Reading(Protocol):
    """An operation that looks at the object itself."""

    def reads(self) -> Reads:
        """Return what it looks at, its operands not counted."""
        ...


# Declarations of arguments -------------------------------------------------------------------------------------------


class Form(StrEnum):
    """How an argument is written in YAML."""

    OPERAND = "operation"
    OPERANDS = "list of operations"
    STRING = "text"
    STRINGS = "list of texts"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "true or false"
    ENUM = "one of"
    YAML = "any YAML"
    KEYS = "mapping"
    CHECKS = "undetermined checks"


@dataclass(frozen=True, slots=True)
class Argument:
    """The declaration of one argument of an operation.

    `kinds` are the operand types that fit, `choices` the values of an enumeration or the names of undetermined checks
    (a name with `!` must be declared), `keys` those of a mapping. One that stands `alone` is the operation's whole body.
    """

    form: Form
    required: bool = True
    kinds: tuple[Kind, ...] = ()
    choices: tuple[str, ...] = ()
    keys: Keys = field(default_factory=dict[str, Key])
    alone: bool = False


def _declare(argument: Argument, default: Any = dataclasses.MISSING) -> Any:
    if default is dataclasses.MISSING:
        return field(metadata={"argument": argument})
    return field(default=default, metadata={"argument": argument})


def operand(*kinds: Kind) -> Any:
    """Declare a required operand of one of the kinds."""
    return _declare(Argument(Form.OPERAND, kinds=kinds))


def optional_operand(*kinds: Kind) -> Any:
    """Declare an operand of one of the kinds that may be left out; None then."""
    return _declare(Argument(Form.OPERAND, False, kinds), None)


def operands(*kinds: Kind) -> Any:
    """Declare a required, non-empty list of operands of one of the kinds."""
    return _declare(Argument(Form.OPERANDS, kinds=kinds))


def string(default: Any = dataclasses.MISSING, alone: bool = False) -> Any:
    """Declare a plain text."""
    return _declare(Argument(Form.STRING, default is dataclasses.MISSING, alone=alone), default)


def strings(default: Any = dataclasses.MISSING) -> Any:
    """Declare a list of plain texts."""
    return _declare(Argument(Form.STRINGS, default is dataclasses.MISSING), default)


def integer() -> Any:
    """Declare a whole number from 0 up."""
    return _declare(Argument(Form.INTEGER))


def number(alone: bool = False) -> Any:
    """Declare a number."""
    return _declare(Argument(Form.NUMBER, alone=alone))


def boolean(default: Any = dataclasses.MISSING, alone: bool = False) -> Any:
    """Declare `true` or `false`."""
    return _declare(Argument(Form.BOOLEAN, default is dataclasses.MISSING, alone=alone), default)


def one_of(*choices: str, default: Any = dataclasses.MISSING) -> Any:
    """Declare a text that is one of the choices."""
    return _declare(Argument(Form.ENUM, default is dataclasses.MISSING, choices=choices), default)


def anything(default: Any = dataclasses.MISSING, alone: bool = False) -> Any:
    """Declare a value of any YAML shape."""
    return _declare(Argument(Form.YAML, default is dataclasses.MISSING, alone=alone), default)


def record(keys: Keys, default: Any = dataclasses.MISSING) -> Any:
    """Declare a mapping of some keys."""
    return _declare(Argument(Form.KEYS, default is dataclasses.MISSING, keys=keys), default)


def given_items(value: Any) -> list[Any]:
    """Return the list that an argument of any YAML shape is, or that its text of JSON holds; of any other value: no items.

    Raises:
        ValueError: it is a text that is not JSON, or beyond the bounds on it.
    """
    given = parse_json(value) if isinstance(value, str) else value
    return cast("list[Any]", given) if isinstance(given, list) else []


def undetermined_if(*names: str, optional: bool = False) -> Any:
    """Declare the undetermined checks an operation may carry, in numbering order.

    A name ending in `!` is required, so are they all then, unless they are `optional`.
    """
    required = not optional and any(name.endswith("!") for name in names)
    argument = Argument(Form.CHECKS, required, choices=names)
    return field(default_factory=dict[str, Check], metadata={"argument": argument})


def arguments(operation: type) -> dict[str, tuple[str, Argument]]:
    """Return an operation's declared arguments: YAML name to (field name, declaration), in the order of declaration."""
    found: dict[str, tuple[str, Argument]] = {}
    for declared in dataclasses.fields(operation):
        argument = declared.metadata.get("argument")
        if argument is not None:
            head, *rest = declared.name.rstrip("_").split("_")
            found[head + "".join(part.capitalize() for part in rest)] = (declared.name, argument)
    return found


# What many operations share ------------------------------------------------------------------------------------------


def inner(expression: Expression, least: Precedence = Precedence.PRIMARY) -> str:
    """Return an operand's text, in parentheses when it binds looser than `least`."""
    text = expression.text()
    return text if expression.precedence.value >= least.value else f"({text})"


def operands_of(expression: Expression) -> Iterator[Expression]:
    """Yield an operation's operands, left to right; an extract's is the expression it names."""
    for declared in dataclasses.fields(expression):  # pyright: ignore[reportArgumentType] - every operation is a dataclass
        value: Any = getattr(expression, declared.name)
        if hasattr(value, "evaluator"):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if hasattr(item, "evaluator"))  # pyright: ignore


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything in it, the bodies of extracts too."""
    yield expression
    for part in operands_of(expression):
        yield from walk(part)


def reads_of(expression: Expression) -> Reads:
    """Return what an operation itself looks at; nothing, unless it says so."""
    return expression.reads() if isinstance(expression, Reading) else Reads()


def leaves(expression: Expression) -> Iterator[Expression]:
    """Yield the parts of an expression that look at the object, left to right, the bodies of extracts too."""
    if reads_of(expression):
        yield expression
    for part in operands_of(expression):
        yield from leaves(part)
