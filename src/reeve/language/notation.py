"""How operations are written in a condition's text: the forms that an operation's class declares as its `NOTATION`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class How(Enum):
    """How a part of a text becomes an argument."""

    OPERAND = auto()
    """An operation."""
    INSTANT = auto()
    """An operation; a text in quotes is the date or the length that it says, as only those have a meaning there."""
    QUOTED = auto()
    """A text in quotes."""
    LISTED = auto()
    """A list of texts in single quotes."""
    PATH = auto()
    """A bare name, with dots in it or not."""
    WORD = auto()
    """A bare name, or a text in quotes."""
    NUMBER = auto()
    """A number."""


@dataclass(frozen=True, slots=True)
class Part:
    """What an argument is written as; it may be `optional`."""

    argument: str
    how: How = How.OPERAND
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """`subject.name(parts)`: the subject is an argument too; some more are `fixed`, or true when their `flags` follow."""

    name: str
    operation: str
    parts: tuple[Part, ...] = ()
    subject: Part = Part("arg")
    fixed: Mapping[str, str] = field(default_factory=dict[str, str])
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """`name(part)`: the part is an argument, or the operation's whole body when its argument is ''; without one, nothing."""

    name: str
    operation: str
    part: Part | None
    fixed: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Sign:
    """`left sign right`, for a sign of the grammar's COMPARE."""

    sign: str
    operation: str
    how: How = How.OPERAND


class Role(Enum):
    """What the grammar has a form of its own for."""

    EVERY = auto()
    """Operands with `&&` between them."""
    SOME = auto()
    """Operands with `||` between them."""
    PATH = auto()
    TEXT = auto()
    BOOLEAN = auto()
    JSON = auto()
    TEXTS = auto()
    """A list of texts in single quotes."""
    DATE_TIME = auto()
    """A text in quotes where only instants and lengths have a meaning."""
    DURATION = auto()


@dataclass(frozen=True, slots=True)
class Literal:
    """A form of the grammar itself; what it holds is the `argument`, or the operation's whole body when that is ''."""

    role: Role
    operation: str
    argument: str = ""


Form = Method | Call | Sign | Literal


@dataclass(frozen=True, slots=True)
class Notation:
    """All forms, by what they are written with."""

    methods: Mapping[str, Method]
    calls: Mapping[str, Call]
    signs: Mapping[str, Sign]
    literals: Mapping[Role, Literal]

    @classmethod
    def of(cls, forms: Iterable[Form]) -> "Notation":
        """Return some forms by what they are written with.

        Raises:
            ValueError: two of them are written with the same.
        """
        methods, calls, signs, literals = dict[str, Method](), dict[str, Call](), dict[str, Sign](), dict[Role, Literal]()
        for form in forms:
            match form:
                case Method():
                    known = methods.setdefault(form.name, form)
                case Call():
                    known = calls.setdefault(form.name, form)
                case Sign():
                    known = signs.setdefault(form.sign, form)
                case Literal():
                    known = literals.setdefault(form.role, form)
            if known is not form:
                raise ValueError(f"{known.operation} and {form.operation} are written alike")
        return cls(methods, calls, signs, literals)
