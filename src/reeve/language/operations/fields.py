"""FIELD, EXTRACT, IS_EMPTY_LOOKUP, NOT_EMPTY_LOOKUP, IS_DISAPPEARED: what reads the object itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from reeve.language.codes import ERROR
from reeve.language.columns import Column, Columns, Guard, known_column
from reeve.language.kinds import FORMS
from reeve.language.operations.base import (
    Checks,
    Compiler,
    Evaluate,
    EvaluationError,
    Expression,
    FiredError,
    Gone,
    Moment,
    Precedence,
    Reads,
    Row,
    one_of,
    string,
    undetermined_if,
)
from reeve.language.types import ANY, BOOLEAN, Kind, Type
from reeve.language.unread import NotCollected
from reeve.language.value_columns import emptiness as emptiness_column
from reeve.language.values import Value, WrongTypeError, as_type, describe, emptiness, normalise, quoted, text_form

ID_FIELDS = ("Id", "id")
DISAPPEARANCE_SUFFIX = "__disappearanceTime__c"
DISAPPEARANCE_FIELDS = ("disappearanceTime", "CA10__deletedAt__c")


def follow(path: str, gone: Gone = ()) -> Callable[[Row], Value]:
    """Return the reader of a dotted path.

    Null on the way gives null, and so does an object on the way that has disappeared; `NotCollected` stays what it is.

    Args:
        path: lookups, then a field or a lookup.
        gone: for each lookup before the last part, how to tell that the object behind it has disappeared.
    """
    *lookups, last = path.split(".")
    if not lookups:
        return lambda row: row.get(last)
    steps = [(lookup, gone[number] if number < len(gone) else None) for number, lookup in enumerate(lookups)]

    def walk(row: Row) -> Value:
        current: Any = row
        for lookup, says in steps:
            current = cast("Row", current).get(lookup)
            if current is None or isinstance(current, NotCollected):
                return current
            if not isinstance(current, Mapping):
                raise WrongTypeError(f"{path}: {lookup} is {describe(current)}, not an object")
            if says != "" and disappearance_field(cast("Row", current), says) is not None:
                return None
        return cast("Row", current).get(last)

    return walk


def disappearance_field(row: Row, declared: str | None) -> str | None:
    """Return the name of the field that says an object has disappeared, or None while it is there (section 2, rule 1)."""
    if declared is not None:
        return declared if _is_filled(row.get(declared)) else None
    for key, value in row.items():
        if value is not None and says_disappeared(key) and _is_filled(value):
            return key
    return None


def _is_filled(value: Value) -> bool:
    return value is not None and not isinstance(value, NotCollected) and not (isinstance(value, str) and not normalise(value))


def says_disappeared(name: str) -> bool:
    """Return whether a field of this name says that an object is gone, where its type doesn't declare which one does."""
    return name.endswith(DISAPPEARANCE_SUFFIX) or name in DISAPPEARANCE_FIELDS


def object_id(row: Row) -> str | None:
    """Return an object's id, from `Id` in test data or `id` in a snapshot."""
    return next((str(row[key]) for key in ID_FIELDS if row.get(key) is not None), None)


def _wrong_value(path: str, declared: Type, value: Value) -> Value:
    """Convert or refuse a value that is not, as it stands, of the field's declared type."""
    if isinstance(value, NotCollected):
        raise EvaluationError(f"{path} was not collected: {value.reason}")
    if FORMS[declared.kind].parse is not None and isinstance(value, str):
        return as_type(declared.kind, value)
    raise WrongTypeError(f"{path}: {declared} was wanted, {describe(value)} was found")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the object, or of an object behind a lookup."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "FIELD": "A field of the object; dots walk lookups, and a null on the way gives null."
    }
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    path: str = string()
    return_type: str = one_of("AUTO", "BYTES", default="AUTO")
    undetermined_if: Checks = undetermined_if("noAccessDelegate", "isEmpty", "notCollected")
    type: Type = ANY
    prefix: str = ""
    gone: Gone = ()
    delegate_type: Type = ANY
    delegate_gone: Gone = ()

    def text(self) -> str:
        return self.path

    def reads(self) -> Reads:
        delegate = self.undetermined_if.get("noAccessDelegate")
        paths = (self.path, delegate.path or "") if delegate else (self.path,)
        return Reads(tuple(self.prefix + path for path in paths))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = self._reader()
        delegate = self.undetermined_if.get("noAccessDelegate")
        delegated_to = f"{self.path}.delegatedTo({delegate.path if delegate else ''}).isEmpty()"
        no_access = compiler.declare(self.undetermined_if, "noAccessDelegate", delegated_to)
        empty = compiler.declare(self.undetermined_if, "isEmpty", f"{self.path}.isEmpty()")
        uncollected = compiler.declare(self.undetermined_if, "notCollected", f"{self.path}.isNotCollected()")
        if no_access is None and empty is None and uncollected is None:
            return lambda row, moment: read(row)
        is_empty, has_access = emptiness(self.type), self._has_access(delegate.path or "") if delegate else None

        def checked(row: Row, moment: Moment) -> Value:
            try:
                if has_access is not None and not has_access(row):
                    raise FiredError(no_access or 0)
                value = read(row)
            except EvaluationError as error:
                fires = uncollected or empty
                if fires is None:
                    raise
                raise FiredError(fires, str(error), unseen=True) from None
            if empty is not None and is_empty(value):
                raise FiredError(empty)
            return value

        return checked

    def _has_access(self, path: str) -> Callable[[Row], bool]:
        read, is_empty = follow(self.prefix + path, self.delegate_gone), emptiness(self.delegate_type)

        def has_access(row: Row) -> bool:
            value = read(row)
            if isinstance(value, NotCollected):
                raise EvaluationError(f"{path} was not collected: {value.reason}")
            return not is_empty(value)

        return has_access

    def _reader(self) -> Callable[[Row], Value]:
        path, declared = self.prefix + self.path, self.type
        read = follow(path, self.gone)
        if declared.kind is Kind.ANY:

            def read_untyped(row: Row) -> Value:
                value = read(row)
                if isinstance(value, NotCollected):
                    raise EvaluationError(f"{path} was not collected: {value.reason}")
                return value

            return read_untyped
        fits = FORMS[declared.kind].python
        number, exact = declared.kind is Kind.NUMBER, self.return_type == "BYTES"

        def read_typed(row: Row) -> Value:
            value = read(row)
            if value is None or (isinstance(value, fits) and not (number and isinstance(value, bool))):
                return value
            if exact and isinstance(value, (bool, int, float)):
                return text_form(value)
            return _wrong_value(path, declared, value)

        return read_typed

    def column(self, table: Columns) -> Column:
        value, missing, static = table.field(self.prefix + self.path)
        static = self.type if self.return_type == "BYTES" else static
        numbers = {
            kind: place for place, kind in enumerate((kind for kind in _CHECKS if kind in self.undetermined_if), start=1)
        }
        # What was not collected fires its own check, or else isEmpty. Of a child only its status counts: it may have any.
        unseen = ERROR if table.for_parent else numbers.get("notCollected", numbers.get("isEmpty", ERROR))
        guards: list[Guard] = []
        if "noAccessDelegate" in numbers:
            guards += self._delegate(table, unseen, numbers["noAccessDelegate"])
        if missing is not None:
            guards.append(Guard(missing, unseen))
        if "isEmpty" in numbers:
            empty = emptiness_column(table, Column(value), static)
            guards += [*empty.guards, Guard(table.share(empty.value), numbers["isEmpty"])]
        return Column(value, tuple(guards), len(numbers), nullable="isEmpty" not in numbers)

    def _delegate(self, table: Columns, unseen: int, no_access: int) -> list[Guard]:
        value, missing, static = table.field(self.prefix + (self.undetermined_if["noAccessDelegate"].path or ""))
        empty = emptiness_column(table, Column(value), static)
        unread = [] if missing is None else [Guard(missing, unseen)]
        return [*unread, *empty.guards, Guard(table.share(empty.value), no_access)]


_CHECKS = ("noAccessDelegate", "isEmpty", "notCollected")


@dataclass(frozen=True, slots=True)
class Extract:
    """A named expression from an imported file; counts as that expression, on the object behind a lookup if one is named."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "EXTRACT": "A named expression from the imported files; `a.b.name` evaluates `name` on the object behind `a.b`."
    }
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    name: str = string(alone=True)
    expression: Expression | None = None

    @property
    def body(self) -> Expression:
        """The expression that the extract names."""
        if self.expression is None:
            raise ValueError(f"the extract {self.name!r} is not resolved")
        return self.expression

    @property
    def type(self) -> Type:
        """The type of the expression that the extract names."""
        return self.body.type

    def text(self) -> str:
        return f"extract({quoted(self.name)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return compiler.compile(self.body)

    def column(self, table: Columns) -> Column:
        column = table.column(self.body)
        guards = tuple(replace(guard, when=table.share(guard.when)) for guard in column.guards)
        return column if column.known else replace(column, value=table.share(column.value), guards=guards)


@dataclass(frozen=True, slots=True)
class EmptyLookup:
    """Whether a lookup leads to no object: at some step it is null, without an id, or the object behind it has disappeared."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "IS_EMPTY_LOOKUP": "Whether a lookup is null, without an id, or leads to an object that has disappeared.",
        "NOT_EMPTY_LOOKUP": "The opposite of IS_EMPTY_LOOKUP.",
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    path: str = string(alone=True)
    prefix: str = ""
    gone: Gone = ()

    def text(self) -> str:
        return f"{'isEmptyLookup' if self.operation == 'IS_EMPTY_LOOKUP' else 'notEmptyLookup'}({quoted(self.path)})"

    def reads(self) -> Reads:
        return Reads(lookups=(self.prefix + self.path,))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        wanted, names = self.operation == "IS_EMPTY_LOOKUP", (self.prefix + self.path).split(".")
        steps = [(name, self.gone[number] if number < len(self.gone) else None) for number, name in enumerate(names)]

        def is_empty(row: Row, moment: Moment) -> bool:
            there: Any = row
            for name, says in steps:
                there = cast("Row", there).get(name)
                if isinstance(there, NotCollected):
                    raise EvaluationError(f"{self.path} was not collected: {there.reason}")
                if there is None:
                    return wanted
                if not isinstance(there, Mapping):
                    raise WrongTypeError(f"{self.path}: an object was wanted, {describe(there)} was found")
                found = cast("Row", there)
                if object_id(found) is None or (says != "" and disappearance_field(found, says) is not None):
                    return wanted
            return not wanted

        return is_empty

    def column(self, table: Columns) -> Column:
        empty = table.lookup_is_empty(self.prefix + self.path)
        return empty if self.operation == "IS_EMPTY_LOOKUP" else replace(empty, value=~empty.value)


@dataclass(frozen=True, slots=True)
class IsDisappeared:
    """Whether the object is gone from the cloud: false, as such objects are not judged, and those behind lookups are null."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "IS_DISAPPEARED": "Whether the object is gone from the cloud: false, as such objects are not judged."
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    field: str = "disappearanceTime"

    def text(self) -> str:
        return f"isDisappeared({self.field})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return lambda row, moment: False

    def column(self, table: Columns) -> Column:
        return known_column(table, False, Kind.BOOLEAN)
