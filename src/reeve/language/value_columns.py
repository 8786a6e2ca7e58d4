"""Texts, emptiness, equality, order and sets in columns: what `values` has for single values (policy language, section 3)."""

from dataclasses import replace

from reeve.language.columns import DEFERRED, Column, Columns, Expr, Guard, NotInSqlError, joined
from reeve.language.types import Kind, Type
from reeve.language.values import items_of, merge_items, normalise, text_form

WHITE_SPACE = "[ \\t\\n\\r\\f\\x0b]+"


# Texts ---------------------------------------------------------------------------------------------------------------


def text_column(table: Columns, column: Column, static: Type) -> Column:
    """Return a value as the text that it is compared and searched as; null is the empty text (`values.text_form`).

    Raises:
        NotInSqlError: it is a number, whose digits engines write in ways of their own.
    """
    if column.known:
        return _known(table, column, text_form(column.constant))
    if static.kind in (Kind.TEXT, Kind.BYTES):
        return replace(column, value=column.value.fill_null("") if column.nullable else column.value, nullable=False)
    if static.kind is Kind.BOOLEAN:
        words = [(column.value, table.literal("true", Kind.TEXT)), (~column.value, table.literal("false", Kind.TEXT))]
        return replace(column, value=table.cases(*words, otherwise=table.literal("", Kind.TEXT)), nullable=False)
    raise NotInSqlError


def normalised(table: Columns, column: Column, static: Type) -> Column:
    """Return a value as the normalised text that it is compared and searched as; null is the empty text.

    Raises:
        NotInSqlError: as `text_column`, or the columns are to be exact.
    """
    text = text_column(table, column, static)
    if text.known:
        return _known(table, text, normalise(text.constant))
    deferred = Guard(table.share(~table.is_ascii(text.value)), DEFERRED)
    return text.then(table.share(_normalised_ascii(text.value)), deferred)


def _known(table: Columns, column: Column, text: str) -> Column:
    value = table.literal(text, Kind.TEXT)
    return Column(value, column.guards, column.declared, nullable=False, known=True, constant=text)


def _normalised_ascii(text: Expr) -> Expr:
    return text.re_replace(WHITE_SPACE, " ").strip().lower()


def blank(table: Columns, column: Column, static: Type) -> Column:
    """Return a text's column with whether it is empty as its value: exactly for Bytes, after normalisation otherwise.

    Raises:
        NotInSqlError: as `normalised`.
    """
    text = text_column(table, column, static) if static.kind is Kind.BYTES else normalised(table, column, static)
    return replace(text, value=text.value == "", known=False)


# Emptiness, equality, order ------------------------------------------------------------------------------------------


def emptiness(table: Columns, column: Column, static: Type) -> Column:
    """Return whether a value is empty (policy language, section 3).

    Raises:
        NotInSqlError: the engine can't tell for this type.
    """
    match static.kind:
        case Kind.TEXT | Kind.BYTES:
            return blank(table, column, static)
        case Kind.ITEMS:
            found = items(table, column, static)
            return found.then(found.value.length() == 0)
        case Kind.JSON | Kind.ANY:
            raise NotInSqlError
        case _:
            return column.then(column.value.isnull())


def equality(table: Columns, left: Column, left_type: Type, right: Column, right_type: Type) -> Column:
    """Return whether two values are equal (policy language, section 3), with the guards of both.

    Raises:
        NotInSqlError: the engine can't tell for these types.
    """
    kinds = {left_type.kind, right_type.kind}
    if kinds & {Kind.ANY, Kind.JSON, Kind.ATTRIBUTES}:
        raise NotInSqlError
    if kinds & {Kind.TEXT, Kind.BYTES}:
        form = text_column if Kind.BYTES in kinds else normalised
        left, right = form(table, left, left_type), form(table, right, right_type)
    elif kinds == {Kind.ITEMS}:
        merged = merge_items(left_type, right_type)
        left, right = items(table, left, merged), items(table, right, merged)
    guards, declared = joined((left, right))
    return Column(_equal(left, right, Kind.NUMBER in kinds), guards, declared, nullable=False)


def _equal(left: Column, right: Column, number: bool) -> Expr:
    equal = left.value == right.value
    if number and not left.known and not right.known:
        equal = equal & ~left.value.isnan()
    if left.nullable and right.nullable:
        return equal.fill_null(False) | (left.value.isnull() & right.value.isnull())
    return equal.fill_null(False) if left.nullable or right.nullable else equal


def relation(symbol: str, left: Column, right: Column, number: bool) -> Expr:
    """Return whether `>`, `>=`, `<` or `<=` holds; with null or NaN on either side it does not."""
    one, other = left.value, right.value
    holds = {">": one > other, ">=": one >= other, "<": one < other, "<=": one <= other}[symbol]
    if number:
        # Engines put NaN above every number, and take it as equal to itself.
        doubtful = (left,) if symbol == ">" else (right,) if symbol == "<" else (left, right)
        for side in doubtful:
            holds = holds if side.known else holds & ~side.value.isnan()
    return holds.fill_null(False) if left.nullable or right.nullable else holds


# Sets and lists ------------------------------------------------------------------------------------------------------


def items(table: Columns, column: Column, static: Type) -> Column:
    """Return the items of a set or list as they count (`values.items_of`); null has none.

    Raises:
        NotInSqlError: the engine has no such functions, or the columns are to be exact and items are normalised.
    """
    if column.known:
        found = items_of(static, column.constant)
        value = table.literal(list(found), Kind.ITEMS)
        return replace(column, value=value, nullable=False, constant=found)
    return found_items(table, column, static, static.skip_duplicates)


def found_items(table: Columns, column: Column, static: Type, without_duplicates: bool) -> Column:
    """Return the items of a column that is no constant, as they count: with or without duplicates, whatever the type says."""
    given = table.array(column.value)
    every = given.fill_null(table.literal([], Kind.ITEMS)) if column.nullable else given
    every = every.map(_without_null)
    guards: tuple[Guard, ...] = ()
    if static.item is Kind.TEXT:
        guards = (Guard(table.share(~table.is_ascii(table.literal("", Kind.TEXT).join(every))), DEFERRED),)
        every = every.map(_normalised_ascii)
    if static.skip_empty:
        every = without_empty(every)
    every = table.distinct(table.share(every)) if without_duplicates else every
    return column.then(table.share(every.sort() if static.sort else every), *guards)


def _without_null(item: Expr) -> Expr:
    return item.fill_null("")


def without_empty(array: Expr) -> Expr:
    """Return an array without empty texts."""

    def filled(item: Expr) -> Expr:
        return item != ""

    return array.filter(filled)
