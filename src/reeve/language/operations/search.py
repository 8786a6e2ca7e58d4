"""CONTAINS, STARTS_WITH, ENDS_WITH, CONTAINS_ALL, CONTAINS_ANY, COLLECTION_CONTAINS, REGEX_MATCHES."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar, cast

import re2 as _untyped_re2  # pyright: ignore[reportMissingTypeStubs] - google-re2 has none

from reeve.language.arguments import ArgumentError, operand
from reeve.language.columns import Column, Columns, NotInSqlError, known_column
from reeve.language.evaluation import Evaluate, EvaluationError, Moment, Row
from reeve.language.notation import Form, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.operations.constants import BytesConstant, TextConstant
from reeve.language.operations.search_columns import search_items, search_text
from reeve.language.types import BOOLEAN, SEARCHABLE, STRINGS, TEXT, Kind, Type, list_of, set_of
from reeve.language.value_columns import text_column
from reeve.language.values import Value, WrongTypeError, describe, items_of, normalise, resolved, text_form

re2: Any = _untyped_re2

Predicate = Callable[[str, str], bool]

IN_TEXT: dict[str, Predicate] = {
    "CONTAINS": operator.contains,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
}
_IN_ITEMS: dict[str, Callable[[tuple[str, ...], str], bool]] = {
    "CONTAINS": operator.contains,
    "STARTS_WITH": lambda items, search: items[:1] == (search,),
    "ENDS_WITH": lambda items, search: items[-1:] == (search,),
}
METHODS = {"CONTAINS": "contains", "STARTS_WITH": "startsWith", "ENDS_WITH": "endsWith"}


def plain_text(static: Type, value: Value) -> str | None:
    """Return a value as the text it is searched in; an undeclared field may hold only a text.

    Raises:
        WrongTypeError: the value is no text.
    """
    if value is None or isinstance(value, str):
        return value
    if static.kind is Kind.ANY and isinstance(value, (bool, int, float)):
        return text_form(value)
    raise WrongTypeError(f"a Text was wanted, {describe(value)} was found")


def search_in(operation: str, static: Type, value: Value, search_type: Type, search: Value) -> bool:
    """Return whether `search` is found in `value`: normalised on Text, exact on Bytes, among items in a set or list.

    In Text and Bytes null is ''; in a set or list null on either side is false (section 4).
    """
    actual = resolved(static, value)
    if actual.kind is Kind.ITEMS or isinstance(value, (list, tuple)):
        if value is None or search is None:
            return False
        items = actual if actual.kind is Kind.ITEMS else list_of(Kind.TEXT)
        wanted = plain_text(search_type, search) or ""
        if items.item is Kind.BYTES or search_type.kind is Kind.BYTES:
            return _IN_ITEMS[operation](items_of(_exact(items), value), wanted)
        return _IN_ITEMS[operation](items_of(items, value), normalise(wanted))
    text, wanted = plain_text(static, value) or "", plain_text(search_type, search) or ""
    if Kind.BYTES in (static.kind, search_type.kind):
        return IN_TEXT[operation](text, wanted)
    return IN_TEXT[operation](normalise(text), normalise(wanted))


def _exact(static: Type) -> Type:
    return replace(static, item=Kind.BYTES)


def _agree(operation: str, arg: Expression, search: Expression) -> None:
    """Refuse to search for an item of one type among items of another."""
    item = search.type.item if search.type.kind is Kind.ITEMS else search.type.kind
    if arg.type.kind is Kind.ITEMS and search.type.kind is not Kind.ANY and arg.type.item is not item:
        raise ArgumentError("", "wrong-type", f"{operation} can't look for {search.type} in {arg.type}")


@dataclass(frozen=True, slots=True)
class Search:
    """Whether a text holds, begins or ends with another, or a set or list with an item."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "CONTAINS": "Whether a text holds another, or a set or list an item.",
        "STARTS_WITH": "Whether a text begins with another, or a set or list with an item.",
        "ENDS_WITH": "Whether a text ends with another, or a set or list with an item.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "CONTAINS": Example("CONTAINS: {arg: {FIELD: {path: a}}, search: {TEXT: AD}}", {"a": "read only"}, True),
        "STARTS_WITH": Example("STARTS_WITH: {arg: {FIELD: {path: a}}, search: {BYTES: arn}}", {"a": "arn:aws"}, True),
        "ENDS_WITH": Example("ENDS_WITH: {arg: {FIELD: {path: a}}, search: {TEXT: root}}", {"a": "iam::1:Root"}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (*(Method(method, name, (Part("search"),)) for name, method in METHODS.items()),)
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*SEARCHABLE)
    search: Expression = operand(*STRINGS)

    def __post_init__(self) -> None:
        _agree(self.operation, self.arg, self.search)

    def text(self) -> str:
        return f"{inner(self.arg)}.{METHODS[self.operation]}({self.search.text()})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        arg, search = compiler.compile(self.arg), compiler.compile(self.search)
        arg_type, search_type, operation = self.arg.type, self.search.type, self.operation
        return lambda row, moment: search_in(operation, arg_type, arg(row, moment), search_type, search(row, moment))

    def column(self, table: Columns) -> Column:
        arg, search = table.column(self.arg), table.column(self.search)
        find = search_items if self.arg.type.kind is Kind.ITEMS else search_text
        return find(table, self.operation, arg, self.arg.type, search, self.search.type)


@dataclass(frozen=True, slots=True)
class ContainsSeveral:
    """CONTAINS for every item of a collection, or for some item; a null search is false."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "CONTAINS_ALL": "CONTAINS for every item of a set or list; a null search is false.",
        "CONTAINS_ANY": "CONTAINS for some item of a set or list; a null search is false.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "CONTAINS_ALL": Example(
            "CONTAINS_ALL: {arg: {FIELD: {path: a}}, search: {SET: {itemType: TEXT, items: [a, b]}}}", {"a": "b, a"}, True
        ),
        "CONTAINS_ANY": Example(
            "CONTAINS_ANY: {arg: {FIELD: {path: a}}, search: {SET: {itemType: TEXT, items: [a, b]}}}", {"a": "b"}, True
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("containsAll", "CONTAINS_ALL", (Part("search"),)),
        Method("containsAny", "CONTAINS_ANY", (Part("search"),)),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*SEARCHABLE)
    search: Expression = operand(Kind.ITEMS)

    def __post_init__(self) -> None:
        _agree(self.operation, self.arg, self.search)

    def text(self) -> str:
        method = "containsAll" if self.operation == "CONTAINS_ALL" else "containsAny"
        return f"{inner(self.arg)}.{method}({self.search.text()})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        arg, search = compiler.compile(self.arg), compiler.compile(self.search)
        arg_type, search_type = self.arg.type, self.search.type
        every_or_some: Callable[[Any], bool] = all if self.operation == "CONTAINS_ALL" else any

        def found(row: Row, moment: Moment) -> bool:
            value, wanted = arg(row, moment), search(row, moment)
            if wanted is None or (value is None and arg_type.kind is Kind.ITEMS):
                return False
            if not isinstance(wanted, (tuple, list)):
                raise WrongTypeError(f"a Set or List was wanted, {describe(wanted)} was found")
            item_type = Type(search_type.item) if search_type.kind is Kind.ITEMS else TEXT
            items = items_of(search_type if search_type.kind is Kind.ITEMS else set_of(Kind.TEXT), wanted)
            exact = item_type.kind is Kind.BYTES or arg_type.kind is Kind.BYTES
            items = items_of(_exact(search_type), wanted) if exact else items
            return every_or_some(search_in("CONTAINS", arg_type, value, item_type, item) for item in items)

        return found

    def column(self, table: Columns) -> Column:
        arg, wanted = table.column(self.arg), table.column(self.search)
        if not wanted.known:
            raise NotInSqlError
        if wanted.constant is None:
            return arg.then(table.literal(False, Kind.BOOLEAN))
        static = self.search.type
        exact = Kind.BYTES in (static.item, self.arg.type.kind)
        find = search_items if self.arg.type.kind is Kind.ITEMS else search_text
        every = self.operation == "CONTAINS_ALL"
        holds = table.literal(every, Kind.BOOLEAN)
        guards = arg.guards
        for item in items_of(_exact(static) if exact else static, wanted.constant):
            found = find(table, "CONTAINS", arg, self.arg.type, known_column(table, item, static.item), Type(static.item))
            holds, guards = (holds & found.value if every else holds | found.value), found.guards
        if self.arg.type.kind is Kind.ITEMS and arg.nullable:
            holds = holds & arg.value.notnull()
        return Column(holds, guards, arg.declared, nullable=False)


@dataclass(frozen=True, slots=True)
class CollectionContains:
    """Whether a collection has an item; null on either side: false (legacy)."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "COLLECTION_CONTAINS": "Whether a collection has an item; null on either side: false."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "COLLECTION_CONTAINS": Example(
            "COLLECTION_CONTAINS: {arg: {COLLECTION_FROM: {arg: {FIELD: {path: a}}, separator: ','}}, search: {TEXT: X}}",
            {"a": "w,x"},
            True,
        ),
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.ITEMS)
    search: Expression = operand(*STRINGS)

    def __post_init__(self) -> None:
        _agree(self.operation, self.arg, self.search)

    def text(self) -> str:
        return f"{inner(self.arg)}.contains({self.search.text()})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        arg, search = compiler.compile(self.arg), compiler.compile(self.search)
        arg_type, search_type = self.arg.type, self.search.type

        def found(row: Row, moment: Moment) -> bool:
            items, wanted = arg(row, moment), search(row, moment)
            if items is None or wanted is None:
                return False
            if not isinstance(items, (tuple, list)):
                raise WrongTypeError(f"a Set or List was wanted, {describe(items)} was found")
            return search_in("CONTAINS", arg_type, tuple(cast("tuple[Value, ...]", items)), search_type, wanted)

        return found

    def column(self, table: Columns) -> Column:
        arg, search = table.column(self.arg), table.column(self.search)
        return search_items(table, "CONTAINS", arg, self.arg.type, search, self.search.type)


def compile_pattern(pattern: str) -> Any:
    """Return a compiled RE2 pattern.

    Raises:
        ValueError: RE2 does not take the pattern; the message says why.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"invalid regular expression: {reason}") from None


@dataclass(frozen=True, slots=True)
class RegexMatches:
    """Whether a regular expression of RE2 is found anywhere in a text, as it is written; null is ''."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "REGEX_MATCHES": "Whether a regular expression of RE2 (linear time) is found anywhere in a text; null is ''."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "REGEX_MATCHES": Example(
            "REGEX_MATCHES: {arg: {FIELD: {path: a}}, regex: {TEXT: 'i-[0-9a-f]+'}}", {"a": "i-0abc"}, True
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("matches", "REGEX_MATCHES", (Part("regex"),)),)
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    regex: Expression = operand(*STRINGS)

    def __post_init__(self) -> None:
        if isinstance(self.regex, (TextConstant, BytesConstant)):
            try:
                compile_pattern(self.regex.value)
            except ValueError as error:
                raise ArgumentError("regex", "bad-regex", str(error)) from None

    def text(self) -> str:
        return f"{inner(self.arg)}.matches({self.regex.text()})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        arg, regex = compiler.compile(self.arg), compiler.compile(self.regex)
        arg_type, regex_type = self.arg.type, self.regex.type
        patterns = lru_cache(maxsize=256)(compile_pattern)

        def matches(row: Row, moment: Moment) -> bool:
            value, expression = arg(row, moment), regex(row, moment)
            text, pattern = plain_text(arg_type, value) or "", plain_text(regex_type, expression) or ""
            try:
                return patterns(pattern).search(text) is not None
            except ValueError as error:
                raise EvaluationError(str(error)) from None

        return matches

    def column(self, table: Columns) -> Column:
        arg, regex = table.column(self.arg), table.column(self.regex)
        if not regex.known:
            raise NotInSqlError
        text = text_column(table, arg, self.arg.type)
        return text.then(table.matches(text.value, regex.constant or ""))
