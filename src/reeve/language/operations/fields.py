"""FIELD, EXTRACT, IS_EMPTY_LOOKUP, NOT_EMPTY_LOOKUP, IS_DISAPPEARED: what reads the object itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, cast

from reeve.language.columns import ERROR, Column, Columns, Guard, with_checks
from reeve.language.operations.base import (
    Checks,
    Compiler,
    Evaluate,
    EvaluationError,
    Expression,
    FiredError,
    Moment,
    NotCollected,
    Precedence,
    Row,
    string,
    undetermined_if,
)
from reeve.language.types import ANY, BOOLEAN, Kind, Type
from reeve.language.value_columns import emptiness as emptiness_column
from reeve.language.values import Value, WrongTypeError, as_date_time, describe, emptiness, quoted

ID_FIELDS = ("Id", "id")
DISAPPEARANCE_SUFFIX = "__disappearanceTime__c"
DISAPPEARANCE_FIELDS = ("disappearanceTime", "CA10__deletedAt__c")


def follow(path: str) -> Callable[[Row], Value]:
    """Return the reader of a dotted path; a null on the way gives null, `NotCollected` stays what it is."""
    *lookups, last = path.split(".")
    if not lookups:
        return lambda row: row.get(last)

    def walk(row: Row) -> Value:
        current: Any = row
        for lookup in lookups:
            current = cast("Row", current).get(lookup)
            if current is None or isinstance(current, NotCollected):
                return current
            if not isinstance(current, Mapping):
                raise WrongTypeError(f"{path}: {lookup} is {describe(current)}, not an object")
        return cast("Row", current).get(last)

    return walk


def disappearance_field(row: Row, declared: str | None) -> str | None:
    """Return the name of the field that says an object has disappeared, or None while it is there (section 2, rule 1)."""
    if declared is not None:
        return declared if row.get(declared) is not None else None
    for key, value in row.items():
        if value is not None and says_disappeared(key):
            return key
    return None


def says_disappeared(name: str) -> bool:
    """Return whether a field of this name says that an object is gone, where its type doesn't declare which one does."""
    return name.endswith(DISAPPEARANCE_SUFFIX) or name in DISAPPEARANCE_FIELDS


def object_id(row: Row) -> str | None:
    """Return an object's id, from `Id` in test data or `id` in a snapshot."""
    return next((str(row[key]) for key in ID_FIELDS if row.get(key) is not None), None)


_PYTHON_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.BYTES: (str,),
    Kind.NUMBER: (int, float),
    Kind.BOOLEAN: (bool,),
    Kind.DATE_TIME: (datetime,),
    Kind.JSON: (dict, list, str, int, float, bool),
    Kind.ITEMS: (list, tuple),
}


def _wrong_value(path: str, declared: Type, value: Value) -> Value:
    """Convert or refuse a value that is not, as it stands, of the field's declared type."""
    if isinstance(value, NotCollected):
        raise EvaluationError(f"{path} was not collected: {value.reason}")
    if declared.kind is Kind.DATE_TIME and isinstance(value, str):
        return as_date_time(value)
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
    undetermined_if: Checks = undetermined_if("noAccessDelegate", "isEmpty", "notCollected")
    type: Type = ANY
    prefix: str = ""

    def text(self) -> str:
        return self.path

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = self._reader()
        delegate = self.undetermined_if.get("noAccessDelegate")
        delegated_to = f"{self.path}.delegatedTo({delegate.path if delegate else ''}).isEmpty()"
        no_access = compiler.declare(self.undetermined_if, "noAccessDelegate", delegated_to)
        empty = compiler.declare(self.undetermined_if, "isEmpty", f"{self.path}.isEmpty()")
        uncollected = compiler.declare(self.undetermined_if, "notCollected", f"{self.path}.isNotCollected()")
        if no_access is None and empty is None and uncollected is None:
            return lambda row, moment: read(row)
        is_empty = emptiness(self.type)
        read_delegate = follow(self.prefix + (delegate.path or "")) if delegate else None
        no_delegate = emptiness(ANY)

        def checked(row: Row, moment: Moment) -> Value:
            try:
                value = read(row)
            except EvaluationError as error:
                fires = uncollected or empty
                if fires is None:
                    raise
                raise FiredError(fires, str(error), unseen=True) from None
            if empty is None and no_access is None:
                return value
            if is_empty(value):
                if no_access is not None and read_delegate and no_delegate(read_delegate(row)):
                    raise FiredError(no_access)
                if empty is not None:
                    raise FiredError(empty)
            return value

        return checked

    def _reader(self) -> Callable[[Row], Value]:
        path, declared = self.prefix + self.path, self.type
        read = follow(path)
        if declared.kind is Kind.ANY:

            def read_untyped(row: Row) -> Value:
                value = read(row)
                if isinstance(value, NotCollected):
                    raise EvaluationError(f"{path} was not collected: {value.reason}")
                return value

            return read_untyped
        fits = _PYTHON_TYPES[declared.kind]
        number = declared.kind is Kind.NUMBER

        def read_typed(row: Row) -> Value:
            value = read(row)
            if value is None or (isinstance(value, fits) and not (number and isinstance(value, bool))):
                return value
            return _wrong_value(path, declared, value)

        return read_typed

    def column(self, table: Columns) -> Column:
        value, missing, static = table.field(self.prefix + self.path)
        checks = self.undetermined_if
        fires = "notCollected" if "notCollected" in checks else "isEmpty"
        found = Column(value)
        if missing is not None and (table.for_parent or fires not in checks):
            found, missing = Column(value, (Guard(missing, ERROR),)), None
        if not checks:
            return found
        empty = emptiness_column(table, found, static)
        is_empty, no_access = table.share(empty.value), empty.value
        if "noAccessDelegate" in checks:
            delegate = self._delegate_is_empty(table, checks["noAccessDelegate"].path or "")
            no_access, found = is_empty & delegate.value, replace(found, guards=(*empty.guards, *delegate.guards))
        else:
            found = replace(found, guards=empty.guards)
        uncollected = table.literal(False, Kind.BOOLEAN) if missing is None else missing
        if missing is not None and fires in checks:
            # What was not collected fires its own check, or else isEmpty, whatever the delegate holds.
            no_access = no_access & ~missing
            is_empty = is_empty | missing if fires == "isEmpty" else is_empty & ~missing
        places = (("noAccessDelegate", no_access, False), ("isEmpty", is_empty, False), ("notCollected", uncollected, False))
        return replace(with_checks(found, checks, *places), nullable="isEmpty" not in checks)

    def _delegate_is_empty(self, table: Columns, path: str) -> Column:
        value, missing, static = table.field(self.prefix + path)
        empty = emptiness_column(table, Column(value), static)
        return empty if missing is None else replace(empty, value=empty.value & ~missing)


@dataclass(frozen=True, slots=True)
class Extract:
    """A named expression from an imported file; counts as that expression, on the object behind a lookup if one is named."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "EXTRACT": "A named expression from the imported files; `a.b.name` evaluates `name` on the object behind `a.b`."
    }
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    name: str = string()
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
    """Whether a lookup leads to no object: it is null, without an id, or the object behind it has disappeared."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "IS_EMPTY_LOOKUP": "Whether a lookup is null, without an id, or leads to an object that has disappeared.",
        "NOT_EMPTY_LOOKUP": "The opposite of IS_EMPTY_LOOKUP.",
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    path: str = string()
    prefix: str = ""
    disappearance_field: str | None = None

    def text(self) -> str:
        return f"{'isEmptyLookup' if self.operation == 'IS_EMPTY_LOOKUP' else 'notEmptyLookup'}({quoted(self.path)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, declared, wanted = (
            follow(self.prefix + self.path),
            self.disappearance_field,
            self.operation == "IS_EMPTY_LOOKUP",
        )

        def is_empty(row: Row, moment: Moment) -> bool:
            target = read(row)
            if isinstance(target, NotCollected):
                raise EvaluationError(f"{self.path} was not collected: {target.reason}")
            if target is None:
                return wanted
            if not isinstance(target, Mapping):
                raise WrongTypeError(f"{self.path}: an object was wanted, {describe(target)} was found")
            there = cast("Row", target)
            gone = object_id(there) is None or disappearance_field(there, declared) is not None
            return gone is wanted

        return is_empty

    def column(self, table: Columns) -> Column:
        empty = table.lookup_is_empty(self.prefix + self.path)
        return empty if self.operation == "IS_EMPTY_LOOKUP" else replace(empty, value=~empty.value)


@dataclass(frozen=True, slots=True)
class IsDisappeared:
    """Whether the object is gone from the cloud; it never decides there, as such objects are not judged."""

    NAMES: ClassVar[Mapping[str, str]] = {"IS_DISAPPEARED": "Whether the object is gone from the cloud."}
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    field: str = "disappearanceTime"
    declared: str | None = None
    prefix: str = ""

    def text(self) -> str:
        return f"isDisappeared({self.field})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        declared, lookup = self.declared, self.prefix.removesuffix(".")
        read = follow(lookup) if lookup else None

        def disappeared(row: Row, moment: Moment) -> bool:
            there = read(row) if read else row
            if isinstance(there, NotCollected):
                raise EvaluationError(f"{lookup} was not collected: {there.reason}")
            return isinstance(there, Mapping) and disappearance_field(cast("Row", there), declared) is not None

        return disappeared

    def column(self, table: Columns) -> Column:
        return Column(table.disappeared(self.prefix), nullable=False)
