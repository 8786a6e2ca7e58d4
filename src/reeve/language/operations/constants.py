"""Constants: TEXT, BYTES, NUMBER, BOOLEAN, SET, LIST, COLLECTION, DATE_TIME, DURATION, JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reeve.language.arguments import ArgumentError, anything, boolean, number, one_of, string, strings
from reeve.language.columns import Column, Columns, known_column
from reeve.language.doubles import java_double
from reeve.language.evaluation import Evaluate
from reeve.language.notation import Call, Form, How, Literal, Part, Role
from reeve.language.operations.base import Compiler, Example, Precedence
from reeve.language.times import parse_date_time, parse_duration
from reeve.language.types import BOOLEAN, BYTES, DATE_TIME, DURATION, JSON, NUMBER, TEXT, Kind, Type, collection_of
from reeve.language.values import Value, items_of, json_text, quoted

SKIP_KEEP, ORDERINGS = ("SKIP", "KEEP"), ("SORTED", "ORIGINAL")


def constant(value: Value) -> Evaluate:
    """Return the evaluator of a value that is the same for every object."""
    return lambda row, moment: value


@dataclass(frozen=True, slots=True)
class TextConstant:
    """A constant Text."""

    NAMES: ClassVar[Mapping[str, str]] = {"TEXT": "A constant Text."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "TEXT": Example("TEXT: running", {}, "running"),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.TEXT, "TEXT"),)
    TRACED: ClassVar[bool] = False
    type: Type = field(default=TEXT, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    value: str = string(alone=True)

    def text(self) -> str:
        return quoted(self.value)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(self.value)

    def column(self, table: Columns) -> Column:
        return known_column(table, self.value, Kind.TEXT)


@dataclass(frozen=True, slots=True)
class BytesConstant:
    """A constant Bytes: a text that is compared to the letter."""

    NAMES: ClassVar[Mapping[str, str]] = {"BYTES": "A constant Bytes, compared to the letter."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "BYTES": Example("BYTES: Running", {}, "Running"),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Call("bytes", "BYTES", Part("", How.QUOTED)),)
    TRACED: ClassVar[bool] = False
    type: Type = field(default=BYTES, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    value: str = string(alone=True)

    def text(self) -> str:
        return f"bytes({quoted(self.value)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(self.value)

    def column(self, table: Columns) -> Column:
        return known_column(table, self.value, Kind.BYTES)


@dataclass(frozen=True, slots=True)
class NumberConstant:
    """A constant Number, an IEEE double."""

    NAMES: ClassVar[Mapping[str, str]] = {"NUMBER": "A constant Number, an IEEE double."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "NUMBER": Example("NUMBER: 90", {}, 90.0),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Call("number", "NUMBER", Part("", How.NUMBER)),)
    TRACED: ClassVar[bool] = False
    type: Type = field(default=NUMBER, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    value: float = number(alone=True)

    def text(self) -> str:
        return f"number({java_double(self.value)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(self.value)

    def column(self, table: Columns) -> Column:
        return known_column(table, float(self.value), Kind.NUMBER)


@dataclass(frozen=True, slots=True)
class BooleanConstant:
    """A constant Boolean."""

    NAMES: ClassVar[Mapping[str, str]] = {"BOOLEAN": "A constant Boolean."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "BOOLEAN": Example("BOOLEAN: true", {}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.BOOLEAN, "BOOLEAN"),)
    TRACED: ClassVar[bool] = False
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    value: bool = boolean(alone=True)

    def text(self) -> str:
        return "true" if self.value else "false"

    def always(self) -> bool | None:
        return self.value

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(self.value)

    def column(self, table: Columns) -> Column:
        return known_column(table, self.value, Kind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class ItemsConstant:
    """A constant Set or List of Text or Bytes; items print as written."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "SET": "A constant Set: empty items and duplicates don't count, nor does the order.",
        "LIST": "A constant List: every item counts, in order.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "SET": Example("SET: {itemType: TEXT, items: [a, b]}", {}, ("a", "b")),
        "LIST": Example("LIST: {itemType: BYTES, items: [a, b]}", {}, ("a", "b")),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(
            Call(f"{shape.lower()}Of{item.capitalize()}", shape, Part("items", How.LISTED), {"itemType": item})
            for shape in ("SET", "LIST")
            for item in ("TEXT", "BYTES")
        ),
    )
    TRACED: ClassVar[bool] = False
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    item_type: str = one_of("TEXT", "BYTES")
    items: tuple[str, ...] = strings()

    @property
    def type(self) -> Type:
        """A set or a list, of the item type."""
        item, is_set = Kind[self.item_type], self.operation == "SET"
        return Type(Kind.ITEMS, item, is_set, is_set, is_set)

    def text(self) -> str:
        items = ", ".join(map(quoted, self.items))
        return f"{self.operation.lower()}Of{Kind[self.item_type]}([{items}])"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(self.items)

    def column(self, table: Columns) -> Column:
        return known_column(table, self.items, Kind.ITEMS)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a collection between the dialects: applied to its items, which are a List then."""

    empty_values: str | None
    duplicate_values: str | None
    ordering: str | None

    def __bool__(self) -> bool:
        """Whether there is one."""
        return any((self.empty_values, self.duplicate_values, self.ordering))

    def text(self) -> str:
        """Return how they print."""
        text = f".{self.empty_values.lower()}Empty()" if self.empty_values else ""
        text += f".{self.duplicate_values.lower()}Duplicates()" if self.duplicate_values else ""
        return text + (".sort()" if self.ordering == "SORTED" else "")

    def type(self, item: Kind) -> Type:
        """Return the type of a collection of items with these options."""
        return collection_of(item, is_list=bool(self))

    def applied(self, item: Kind, items: Sequence[str]) -> tuple[str, ...]:
        """Return items as the options leave them; all of them without options, as a set counts them anyway."""
        if not self:
            return tuple(items)
        skip_empty, skip_duplicates = self.empty_values == "SKIP", self.duplicate_values == "SKIP"
        return items_of(Type(Kind.ITEMS, item, skip_empty, skip_duplicates, self.ordering == "SORTED"), items)


@dataclass(frozen=True, slots=True)
class Collection:
    """A constant collection of the older dialects; without options a Set."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "COLLECTION": "A constant collection (legacy): a Set; with options, a List to which they were applied."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "COLLECTION": Example("COLLECTION: {items: [a, b]}", {}, ("a", "b")),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.TEXTS, "COLLECTION", "items"),)
    TRACED: ClassVar[bool] = False
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    items: tuple[str, ...] = strings()
    item_type: str = one_of("TEXT", "BYTES", default="TEXT")
    empty_values: str | None = one_of(*SKIP_KEEP, default=None)
    duplicate_values: str | None = one_of(*SKIP_KEEP, default=None)
    ordering: str | None = one_of(*ORDERINGS, default=None)

    @property
    def options(self) -> Options:
        """The options."""
        return Options(self.empty_values, self.duplicate_values, self.ordering)

    @property
    def type(self) -> Type:
        """A set, or a list with options."""
        return self.options.type(Kind[self.item_type])

    def text(self) -> str:
        return f"[{', '.join(map(quoted, self.items))}]{self.options.text()}"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(self._value())

    def _value(self) -> tuple[str, ...]:
        return self.options.applied(Kind[self.item_type], self.items)

    def column(self, table: Columns) -> Column:
        return known_column(table, self._value(), Kind.ITEMS)


@dataclass(frozen=True, slots=True)
class DateTimeConstant:
    """A constant DateTime, ISO 8601; a date alone is its UTC midnight."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "DATE_TIME": "A constant DateTime, ISO 8601.",
        "UNIT_TEST_DATE_TIME": "A constant DateTime, in self-tests.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "DATE_TIME": Example("IS_EMPTY: {arg: {DATE_TIME: '2026-01-31T12:00:00Z'}}", {}, False),
        "UNIT_TEST_DATE_TIME": Example("IS_EMPTY: {arg: {UNIT_TEST_DATE_TIME: '2026-01-31'}}", {}, False),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.DATE_TIME, "DATE_TIME"),)
    TRACED: ClassVar[bool] = False
    type: Type = field(default=DATE_TIME, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    text_: str = string(alone=True)

    def __post_init__(self) -> None:
        if parse_date_time(self.text_) is None:
            raise ArgumentError("text", "bad-date-time", f"{self.text_!r} is no ISO 8601 date or date-time")

    def text(self) -> str:
        return quoted(self.text_)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(parse_date_time(self.text_))

    def column(self, table: Columns) -> Column:
        return known_column(table, parse_date_time(self.text_), Kind.DATE_TIME)


@dataclass(frozen=True, slots=True)
class DurationConstant:
    """A constant Duration, ISO 8601, a month being 30 days and a year 12 months."""

    NAMES: ClassVar[Mapping[str, str]] = {"DURATION": "A constant Duration, ISO 8601."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "DURATION": Example("IS_EMPTY: {arg: {DURATION: P1M}}", {}, False),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.DURATION, "DURATION"),)
    TRACED: ClassVar[bool] = False
    type: Type = field(default=DURATION, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    value: str = string(alone=True)

    def __post_init__(self) -> None:
        if parse_duration(self.value) is None:
            raise ArgumentError("value", "bad-duration", f"{self.value!r} is no ISO 8601 duration")

    def text(self) -> str:
        return quoted(self.value)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(parse_duration(self.value))

    def column(self, table: Columns) -> Column:
        return known_column(table, parse_duration(self.value), Kind.DURATION)


@dataclass(frozen=True, slots=True)
class JsonConstant:
    """A constant Json, written as a YAML value."""

    NAMES: ClassVar[Mapping[str, str]] = {"JSON": "A constant Json, written as a YAML value."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "JSON": Example("JSON: {a: [1, 2]}", {}, {"a": [1, 2]}),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.JSON, "JSON"),)
    TRACED: ClassVar[bool] = False
    type: Type = field(default=JSON, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    value: Any = anything(alone=True)

    def text(self) -> str:
        return json_text(self.value)

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return constant(self.value)
