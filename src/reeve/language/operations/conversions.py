"""From one type to another: the five `*_FROM` operations on texts, COLLECTION_FROM and SIZE."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, cast

from reeve.language.arguments import ArgumentError, one_of, operand, string, strings, undetermined_if
from reeve.language.columns import DEFERRED, Column, Columns, Guard, NotInSqlError, with_checks
from reeve.language.evaluation import Checks, Evaluate, EvaluationError, FiredError, Moment, Row
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.operations.constants import ORDERINGS, SKIP_KEEP, Options
from reeve.language.operations.search import plain_text
from reeve.language.times import parse_date_time, parse_duration, parse_gcp_duration
from reeve.language.types import BOOLEAN, DATE_TIME, DURATION, NUMBER, STRINGS, Kind, Type, list_of, set_of
from reeve.language.value_columns import blank, items, normalised, text_column
from reeve.language.values import WrongTypeError, describe, items_of, normalise, quoted

USUAL_DATE_TIME = (
    r"^(1[0-9]|2[01])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]"
    r"((:[0-5][0-9](\.[0-9]{1,3})?)?Z?|:[0-5][0-9](\.[0-9]{1,3})?[+-](0[0-9]|1[0-3]):[0-5][0-9]))?\z"
)
"""The dates and date-times that every engine reads alike: the last centuries, in the plain form.

An offset only behind seconds: Spark reads none behind minutes.
"""


def string_reader(expression: Expression, compiler: Compiler) -> Callable[[Row, Moment], str | None]:
    """Return the evaluator of a Text or Bytes operand that refuses what is no text."""
    evaluate, static = compiler.compile(expression), expression.type
    return lambda row, moment: plain_text(static, evaluate(row, moment))


def is_blank(expression: Expression, text: str | None) -> bool:
    """Return whether a text operand's value is empty: exactly for Bytes, after normalisation otherwise."""
    return not text or (expression.type.kind is not Kind.BYTES and not normalise(text))


@dataclass(frozen=True, slots=True)
class BooleanFrom:
    """Whether a text, normalised, is the one that stands for true."""

    NAMES: ClassVar[Mapping[str, str]] = {"BOOLEAN_FROM": "Whether a text, normalised, is the one that stands for true."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "BOOLEAN_FROM": Example(
            "BOOLEAN_FROM: {arg: {FIELD: {path: a}}, trueValue: Enabled, undeterminedIf: {isEmpty: Not known.}}",
            {"a": "enabled"},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("asBoolean", "BOOLEAN_FROM", (Part("trueValue", How.QUOTED, optional=True),)),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    true_value: str | None = string(default=None)
    undetermined_if: Checks = undetermined_if("isEmpty!")

    def text(self) -> str:
        return f"{inner(self.arg)}.asBoolean({'' if self.true_value is None else quoted(self.true_value)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = string_reader(self.arg, compiler)
        empty = compiler.declare(self.undetermined_if, "isEmpty", f"{inner(self.arg)}.isEmpty()")
        true_value = normalise("true" if self.true_value is None else self.true_value)

        def convert(row: Row, moment: Moment) -> bool:
            text = read(row, moment)
            if empty is not None and is_blank(self.arg, text):
                raise FiredError(empty)
            return normalise(text or "") == true_value

        return convert

    def column(self, table: Columns) -> Column:
        arg = table.column(self.arg)
        empty = blank(table, arg, self.arg.type)
        text = normalised(table, arg, self.arg.type)
        true_value = normalise("true" if self.true_value is None else self.true_value)
        converted = text.then(text.value == true_value)
        return with_checks(converted, self.undetermined_if, ("isEmpty", empty.value, False))


@dataclass(frozen=True, slots=True)
class DateTimeFrom:
    """The instant that an ISO 8601 text names; a date alone is its UTC midnight.

    A text that stands for null is empty, and null where that is not declared. An empty text is no date.
    """

    NAMES: ClassVar[Mapping[str, str]] = {
        "DATE_TIME_FROM": "The instant that an ISO 8601 text names; an empty text is none, one of `nullValues` null."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "DATE_TIME_FROM": Example(
            "IS_BEFORE_TODAY: {arg: {DATE_TIME_FROM: {arg: {FIELD: {path: a}}, format: ISO_8601, "
            "nullValues: [N/A], undeterminedIf: {invalidFormat: No such format.}}}}",
            {"a": "2025-01-01"},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("asDateTime", "DATE_TIME_FROM", fixed={"format": "ISO_8601"}),)
    type: Type = field(default=DATE_TIME, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    format: str = one_of("ISO_8601")
    null_values: tuple[str, ...] = strings(default=())
    undetermined_if: Checks = undetermined_if("isEmpty", "invalidFormat!")

    def text(self) -> str:
        return f"{inner(self.arg)}.asDateTime()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = string_reader(self.arg, compiler)
        empty = compiler.declare(self.undetermined_if, "isEmpty", f"{inner(self.arg)}.isEmpty()")
        invalid = compiler.declare(self.undetermined_if, "invalidFormat", f"{inner(self.arg)}.checkIso8601()")
        nulls = {normalise(value) for value in self.null_values}

        def convert(row: Row, moment: Moment) -> datetime | None:
            text = read(row, moment)
            stands_for_null = bool(nulls) and normalise(text or "") in nulls
            if empty is not None and (stands_for_null or is_blank(self.arg, text)):
                raise FiredError(empty)
            if stands_for_null:
                return None
            parsed = parse_date_time(text or "")
            if parsed is None:
                raise invalid_input(invalid, f"{describe(text)} is no ISO 8601 date or date-time")
            return parsed

        return convert

    def column(self, table: Columns) -> Column:
        arg = table.column(self.arg)
        text, empty = text_column(table, arg, self.arg.type), blank(table, arg, self.arg.type)
        is_null = table.literal(False, Kind.BOOLEAN)
        if self.null_values:
            normal = normalised(table, arg, self.arg.type)
            is_null = table.share(normal.value.isin(list(map(normalise, self.null_values))))
            empty = normal.then(empty.value | is_null)
        is_empty = table.share(empty.value)
        usual = table.share(text.value.re_search(USUAL_DATE_TIME))
        instant = table.share(table.cases((usual, table.instant(text.value)), otherwise=table.literal(None, Kind.DATE_TIME)))
        # A date that stands for null is null.
        value = table.cases((is_null, table.literal(None, Kind.DATE_TIME)), otherwise=instant) if self.null_values else instant
        parsed = empty.then(value, Guard(~is_empty & ~usual, DEFERRED), nullable=True)
        invalid = ("invalidFormat", ~is_null & instant.isnull(), True)
        return with_checks(parsed, self.undetermined_if, ("isEmpty", is_empty, False), invalid)


def invalid_input(number: int | None, message: str, runtime_error: str | None = None) -> Exception:
    """Return what to raise for invalid input: the declared check, or an error that no check covers."""
    return EvaluationError(message) if number is None else FiredError(number, runtime_error)


@dataclass(frozen=True, slots=True)
class DurationFrom:
    """The length that a text names, as Google Cloud or ISO 8601 writes it; of an empty text: null."""

    NAMES: ClassVar[Mapping[str, str]] = {"DURATION_FROM": "The length that a text names; of an empty text: null."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "DURATION_FROM": Example(
            "GREATER_THAN: {left: {DURATION_FROM: {arg: {FIELD: {path: a}}, format: GCP, "
            "undeterminedIf: {invalidFormat: No such format.}}}, right: {DURATION: PT1H}}",
            {"a": "3601s"},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("asDuration", "DURATION_FROM", fixed={"format": "ISO_8601"}),)
    type: Type = field(default=DURATION, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    format: str = one_of("GCP", "ISO_8601")
    undetermined_if: Checks = undetermined_if("isEmpty", "invalidFormat!", optional=True)

    def text(self) -> str:
        return f"{inner(self.arg)}.asDuration()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = string_reader(self.arg, compiler)
        empty = compiler.declare(self.undetermined_if, "isEmpty", f"{inner(self.arg)}.isEmpty()")
        invalid = compiler.declare(
            self.undetermined_if, "invalidFormat", f"{inner(self.arg)}.checkFormat({quoted(self.format)})"
        )
        parse = parse_gcp_duration if self.format == "GCP" else parse_duration

        def convert(row: Row, moment: Moment) -> Any:
            text = read(row, moment)
            if is_blank(self.arg, text):
                if empty is not None:
                    raise FiredError(empty)
                return None
            parsed = parse(text or "")
            if parsed is None:
                raise invalid_input(invalid, f"{describe(text)} is no duration in the format {self.format}")
            return parsed

        return convert


@dataclass(frozen=True, slots=True)
class ItemsFrom:
    """The parts of a text between separators, as a set or a list of the text's own type; of null: no items."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "SET_FROM": "The parts of a text between separators, as a set; of null: no items.",
        "LIST_FROM": "The parts of a text between separators, as a list; of null: no items.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "SET_FROM": Example("SET_FROM: {arg: {FIELD: {path: a}}, separator: ','}", {"a": "x,y"}, ("x", "y")),
        "LIST_FROM": Example("LIST_FROM: {arg: {FIELD: {path: a}}, separator: an}", {"a": "banana"}, ("b", "", "a")),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(
            Method(f"as{shape}Of{item}", f"{shape.upper()}_FROM", (Part("separator", How.QUOTED),))
            for shape in ("Set", "List")
            for item in ("Text", "Bytes")
        ),
    )
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    separator: str = string()

    def __post_init__(self) -> None:
        _check_separator(self.separator)

    @property
    def type(self) -> Type:
        """A set or list of the argument's type."""
        item = Kind.BYTES if self.arg.type.kind is Kind.BYTES else Kind.TEXT
        return set_of(item) if self.operation == "SET_FROM" else list_of(item)

    def text(self) -> str:
        shape = "Set" if self.operation == "SET_FROM" else "List"
        return f"{inner(self.arg)}.as{shape}Of{self.type.item}({quoted(self.separator)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, separator = string_reader(self.arg, compiler), self.separator

        def convert(row: Row, moment: Moment) -> tuple[str, ...]:
            text = read(row, moment)
            return () if text is None else tuple(text.split(separator))

        return convert

    def column(self, table: Columns) -> Column:
        arg = table.column(self.arg)
        parts = table.share(table.array(arg.value.split(self.separator)))
        return arg.then(parts.fill_null(table.literal([], Kind.ITEMS)))


def _check_separator(separator: str) -> None:
    if not separator:
        raise ArgumentError("separator", "empty-text", "the separator is empty; a text can't be split at nothing")


@dataclass(frozen=True, slots=True)
class CollectionFrom:
    """The parts of a text between separators, as a collection of the older dialects; of null: null."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "COLLECTION_FROM": "The parts of a text between separators (legacy): a Set; with options, a List to which they were"
        " applied; of null: null."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "COLLECTION_FROM": Example(
            "COLLECTION_FROM: {arg: {FIELD: {path: a}}, separator: ',', emptyValues: SKIP}", {"a": "x,,Y"}, ("x", "y")
        ),
    }
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    separator: str = string()
    item_type: str | None = one_of("TEXT", "BYTES", default=None)
    empty_values: str | None = one_of(*SKIP_KEEP, default=None)
    duplicate_values: str | None = one_of(*SKIP_KEEP, default=None)
    ordering: str | None = one_of(*ORDERINGS, default=None)

    def __post_init__(self) -> None:
        _check_separator(self.separator)

    @property
    def options(self) -> Options:
        """The options."""
        return Options(self.empty_values, self.duplicate_values, self.ordering)

    @property
    def type(self) -> Type:
        """A set, or a list with options, of the argument's type or of what `itemType` says."""
        own = Kind.BYTES if self.arg.type.kind is Kind.BYTES else Kind.TEXT
        return self.options.type(Kind[self.item_type] if self.item_type else own)

    def text(self) -> str:
        return f"{inner(self.arg)}.asCollection({quoted(self.separator)}){self.options.text()}"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, separator, item, options = string_reader(self.arg, compiler), self.separator, self.type.item, self.options

        def convert(row: Row, moment: Moment) -> tuple[str, ...] | None:
            text = read(row, moment)
            return None if text is None else options.applied(item, text.split(separator))

        return convert

    def column(self, table: Columns) -> Column:
        if self.options:
            raise NotInSqlError
        arg = table.column(self.arg)
        return arg.then(table.array(arg.value.split(self.separator)), nullable=True)


@dataclass(frozen=True, slots=True)
class CollectionSize:
    """The number of items, as they count in a set or a list; of null: 0."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "SIZE": "The number of items of a set or list; of null: 0.",
        "COLLECTION_SIZE": "The number of items of a collection; of null: 0 (legacy).",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "SIZE": Example("SIZE: {arg: {SET_FROM: {arg: {FIELD: {path: a}}, separator: ','}}}", {"a": "x,X,"}, 1),
        "COLLECTION_SIZE": Example(
            "COLLECTION_SIZE: {arg: {COLLECTION_FROM: {arg: {FIELD: {path: a}}, separator: ','}}}", {"a": "x,X,"}, 1
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("size", "SIZE"),)
    type: Type = field(default=NUMBER, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.ITEMS)

    def text(self) -> str:
        return f"{inner(self.arg)}.size()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, declared = compiler.compile(self.arg), self.arg.type
        static = declared if declared.kind is Kind.ITEMS else list_of(Kind.TEXT)

        def size(row: Row, moment: Moment) -> int:
            value = evaluate(row, moment)
            if value is not None and not isinstance(value, (tuple, list)):
                raise WrongTypeError(f"a Set or List was wanted, {describe(value)} was found")
            return len(items_of(static, cast("Any", value)))

        return size

    def column(self, table: Columns) -> Column:
        found = items(table, table.column(self.arg), self.arg.type)
        return found.then(found.value.length().cast("float64"))
