"""What values mean in the columns of a table: the counterpart of `values` for expressions of Ibis.

What columns hold of a value is said by the table of kinds (`kinds.FORMS`). Nothing here imports Ibis: expressions come from a
table and are combined by their own methods, or by the table's.

Engines differ in what they can do to the letter. What the fast form of an operation can't be exact about for some value (a
letter beyond ASCII, an odd date) it leaves to a guard `DEFERRED`: such objects are judged again with `exact` columns, which
call the interpreter's own functions once per distinct value. What no engine can say at all raises `NotInSqlError`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from reeve.language.codes import ERROR
from reeve.language.evaluation import Checks, Moment
from reeve.language.kinds import to_column
from reeve.language.operations.base import Expression
from reeve.language.types import Kind, Type

Expr = Any
"""An Ibis value; its methods are typed too loosely for strict checking."""

DEFERRED = -1
"""The number of an object that these columns can't judge."""

PathPart = str | int
"""A step of a path: a member's name or an index."""
Path = tuple[PathPart, ...]


class NotInSqlError(Exception):
    """An operation has no expression in the engine's own language; the interpreter's function is used instead."""


@dataclass(frozen=True, slots=True)
class Guard:
    """When, and with which number, an expression ends the judging of an object before it has a value.

    A `doubt` doesn't end it: the value may be another one, if all could have been read. The number then stands for every
    verdict that the value leads to, but for UNDETERMINED.
    """

    when: Expr
    number: int
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """An expression as columns: its value where no guard holds, and its guards in the order in which they are looked at.

    `declared` is how many undetermined checks it declares, which take the numbers from 1. `constant` is the value of an
    expression that is the same for every object, `known`.
    """

    value: Expr
    guards: tuple[Guard, ...] = ()
    declared: int = 0
    nullable: bool = True
    known: bool = False
    constant: Any = None

    def then(self, value: Expr, *guards: Guard, nullable: bool = False) -> "Column":
        """Return a column computed from this one, with guards of its own after these."""
        return Column(value, (*self.guards, *guards), self.declared, nullable)


@dataclass(frozen=True, slots=True)
class JsonFunctions:
    """An engine's functions on JSON texts; a part of a document is a JSON text too, null where there is none.

    `part` at a path; `parts`: the items of an array at a path, null when there is no array; `string`: what a part that is a
    string says; `items`: the number of an array's items; `members`: the number of an object's members; `valid`: whether a
    text is JSON as the engine sees it; `odd`: whether engine and interpreter may differ about that; `repeats`: whether the
    object at a path says a member twice.
    """

    part: Callable[[Expr, Path], Expr]
    parts: Callable[[Expr, Path], Expr]
    string: Callable[[Expr], Expr]
    items: Callable[[Expr], Expr]
    members: Callable[[Expr], Expr]
    valid: Callable[[Expr], Expr]
    odd: Callable[[Expr], Expr]
    repeats: Callable[[Expr, Path], Expr]


class Columns(Protocol):
    """The table under construction: what expressions ask of it."""

    @property
    def moment(self) -> Moment:
        """When the objects are judged."""
        ...

    @property
    def for_parent(self) -> bool:
        """Whether only the status counts, and what was not collected is an error though a check is declared for it."""
        ...

    def column(self, expression: Expression) -> Column:
        """Return an expression's columns."""
        ...

    def field(self, path: str) -> tuple[Expr, Expr | None, Type]:
        """Return the value of a field behind a path, when it was not collected (None: that can't be), and its type."""
        ...

    def identity(self) -> Expr:
        """Return the object's id."""
        ...

    def lookup_is_empty(self, path: str) -> Column:
        """Return whether a lookup leads to no object."""
        ...

    def count(self, relationship: str, status: str) -> tuple[Column, Expr, Expr]:
        """Return how many children of a related list have a status, how many may have any, and when the counts may be too
        low."""
        ...

    def share(self, value: Expr) -> Expr:
        """Return a value that is computed once, however often it is used."""
        ...

    def literal(self, value: Any, kind: Kind) -> Expr:
        """Return a constant of a kind, given as a column holds it; `None` is its null.

        Raises:
            NotInSqlError: no column holds values of the kind.
        """
        ...

    def cases(self, *branches: tuple[Expr, Expr], otherwise: Expr) -> Expr:
        """Return the value of the first branch whose condition holds."""
        ...

    def is_ascii(self, text: Expr) -> Expr:
        """Return whether a text holds ASCII only; null does.

        Raises:
            NotInSqlError: the columns are to be exact.
        """
        ...

    def array(self, value: Expr) -> Expr:
        """Return an array whose items functions will work on.

        Raises:
            NotInSqlError: the engine has no functions on the items of arrays.
        """
        ...

    def distinct(self, array: Expr) -> Expr:
        """Return an array without duplicates."""
        ...

    def matches(self, text: Expr, pattern: str) -> Expr:
        """Return whether a pattern of RE2 is found in a text, as it is written.

        Raises:
            NotInSqlError: the engine's regular expressions are others.
        """
        ...

    def json(self) -> JsonFunctions:
        """Return the engine's functions on JSON texts.

        Raises:
            NotInSqlError: the engine has none, or the columns are to be exact.
        """
        ...

    def instant(self, text: Expr) -> Expr:
        """Return the microseconds of a text in the plain form of ISO 8601, null if there is no such day.

        Raises:
            NotInSqlError: the engine reads dates in another way, or the columns are to be exact.
        """
        ...


@runtime_checkable
class InColumns(Protocol):
    """An operation that columns can say, in some engine at least."""

    def column(self, table: Columns) -> Column:
        """Return the operation as columns of a table.

        Raises:
            NotInSqlError: the engine can't say it.
        """
        ...


def column_of(expression: Expression, table: Columns) -> Column:
    """Return an operation as columns of a table.

    Raises:
        NotInSqlError: columns can't say it; the interpreter's function is then called for each distinct value.
    """
    if not isinstance(expression, InColumns):
        raise NotInSqlError
    return expression.column(table)


def known_column(table: Columns, value: Any, kind: Kind) -> Column:
    """Return the column of a constant, given as a value of the language."""
    return Column(table.literal(to_column(kind, value), kind), nullable=value is None, known=True, constant=value)


def true_column(expression: Expression, table: Columns) -> Column:
    """Return a Boolean operand with null as false.

    Raises:
        NotInSqlError: its type is only known when it meets a value.
    """
    if expression.type.kind is not Kind.BOOLEAN:
        raise NotInSqlError
    column = table.column(expression)
    return replace(column, value=column.value.fill_null(False), nullable=False) if column.nullable else column


def junction(args: Sequence[Expression], table: Columns, stops_at: bool) -> Column:
    """Return AND or OR: the guards of an operand count only where the operands before it did not decide."""
    guards: list[Guard] = []
    declared, value, reached = 0, None, None
    for arg in args:
        column = true_column(arg, table)
        after = later(column.guards, declared)
        guards.extend(after if reached is None else [replace(guard, when=reached & guard.when) for guard in after])
        declared += column.declared
        goes_on = ~column.value if stops_at else column.value
        reached = goes_on if reached is None else reached & goes_on
        if stops_at:
            value = column.value if value is None else value | column.value
    return Column(value if stops_at else reached, tuple(guards), declared, nullable=False)


def joined(columns: Sequence[Column]) -> tuple[tuple[Guard, ...], int]:
    """Return the guards of operands that are all evaluated, left to right, and how many checks they declare."""
    guards: list[Guard] = []
    declared = 0
    for column in columns:
        guards.extend(later(column.guards, declared))
        declared += column.declared
    return tuple(guards), declared


def later(guards: Iterable[Guard], by: int) -> Iterable[Guard]:
    """Yield guards whose checks are numbered after `by` others."""
    for guard in guards:
        yield replace(guard, number=guard.number + by) if 0 < guard.number < ERROR else guard


def with_checks(column: Column, checks: Checks, *places: tuple[str, Expr, bool]) -> Column:
    """Return a column with an operation's own checks after its operands'.

    Args:
        column: the value, with the operands' guards.
        checks: what the operation declares.
        places: each kind of check, when it fires, and whether it is an error where it isn't declared.
    """
    guards, declared = list(column.guards), column.declared
    for kind, when, error_otherwise in places:
        if kind in checks:
            declared += 1
            guards.append(Guard(when, declared))
        elif error_otherwise:
            guards.append(Guard(when, ERROR))
    return replace(column, guards=tuple(guards), declared=declared)
