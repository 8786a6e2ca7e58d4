"""FIELD, EXTRACT, IS_EMPTY_LOOKUP, NOT_EMPTY_LOOKUP, IS_DISAPPEARED: what reads the object itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from reeve.language.arguments import one_of, string, undetermined_if
from reeve.language.codes import ERROR
from reeve.language.columns import Column, Columns, Guard, known_column
from reeve.language.evaluation import Checks, Evaluate, EvaluationError, FiredError, Gone, Moment, Row
from reeve.language.kinds import FORMS
from reeve.language.names import Names
from reeve.language.notation import Call, Form, How, Literal, Part, Role
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, Reads, always
from reeve.language.rows import disappearance_field, follow, object_id
from reeve.language.scopes import disappearance_name
from reeve.language.types import ANY, BOOLEAN, BYTES, STRINGS, Kind, Type, accepts
from reeve.language.unread import NotCollected
from reeve.language.value_columns import emptiness as emptiness_column
from reeve.language.values import Value, WrongTypeError, as_type, describe, emptiness, quoted, text_form


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
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "FIELD": Example("FIELD: {path: owner.name}", {"owner": {"name": "Ann"}}, "Ann"),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.PATH, "FIELD", "path"),)
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

    def resolve(self, names: Names) -> Expression | None:
        found = names.field(self.path)
        delegate = self.undetermined_if.get("noAccessDelegate")
        to = names.field(delegate.path or "") if delegate else (ANY, ())
        if found is None or to is None:
            return None
        static, gone = found
        exact = self.return_type == "BYTES"
        if exact and not accepts(STRINGS, static):
            names.report(f"the field {self.path!r} is {static}, which can't be read as Bytes", "wrong-type")
            return None
        static = BYTES if exact else static
        return replace(self, type=static, prefix=names.prefix, gone=gone, delegate_type=to[0], delegate_gone=to[1])

    def field_value(self) -> str:
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
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "EXTRACT": Example("EXTRACT: name", {"name": "Ann"}, "Ann"),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Call("extract", "EXTRACT", Part("", How.QUOTED)),)
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

    def resolve(self, names: Names) -> Expression | None:
        found = names.extract(self.name)
        return None if found is None else replace(self, expression=found)

    def always(self) -> bool | None:
        return always(self.body)

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
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "IS_EMPTY_LOOKUP": Example("IS_EMPTY_LOOKUP: owner", {"owner": None}, True),
        "NOT_EMPTY_LOOKUP": Example("NOT_EMPTY_LOOKUP: owner", {"owner": {"Id": "1"}}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Call("isEmptyLookup", "IS_EMPTY_LOOKUP", Part("", How.QUOTED)),
        Call("notEmptyLookup", "NOT_EMPTY_LOOKUP", Part("", How.QUOTED)),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    path: str = string(alone=True)
    prefix: str = ""
    gone: Gone = ()

    def text(self) -> str:
        return f"{'isEmptyLookup' if self.operation == 'IS_EMPTY_LOOKUP' else 'notEmptyLookup'}({quoted(self.path)})"

    def resolve(self, names: Names) -> Expression | None:
        gone = names.lookup(self.path)
        return None if gone is None else replace(self, prefix=names.prefix, gone=gone)

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
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "IS_DISAPPEARED": Example("IS_DISAPPEARED: {}", {"disappearanceTime": None}, False),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Call("isDisappeared", "IS_DISAPPEARED", None),)
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    field: str = "disappearanceTime"

    def text(self) -> str:
        return f"isDisappeared({self.field})"

    def resolve(self, names: Names) -> Expression | None:
        return replace(self, field=disappearance_name(names.scope.object_type))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        return lambda row, moment: False

    def column(self, table: Columns) -> Column:
        return known_column(table, False, Kind.BOOLEAN)
