"""CONTAINS, STARTS_WITH and ENDS_WITH in columns: of texts, and of items."""

from collections.abc import Callable
from dataclasses import replace

from reeve.language.columns import Column, Columns, Expr, joined
from reeve.language.types import Kind, Type
from reeve.language.value_columns import found_items, normalised, text_column


def search_items(table: Columns, operation: str, column: Column, static: Type, search: Column, search_type: Type) -> Column:
    """Return whether a set or list holds, begins or ends with an item; null on either side: false.

    Raises:
        NotInSqlError: the engine has no such functions, or the columns are to be exact and items are normalised.
    """
    exact = Kind.BYTES in (static.item, search_type.kind)
    counted = replace(static, item=Kind.BYTES if exact else Kind.TEXT)
    found = found_items(table, column, counted, without_duplicates=False)
    wanted = text_column(table, search, search_type) if exact else normalised(table, search, search_type)
    guards, declared = joined((found, wanted))
    count = found.value.length()
    place = 0 if operation == "STARTS_WITH" else count - 1
    holds = (
        found.value.contains(wanted.value) if operation == "CONTAINS" else (count > 0) & (found.value[place] == wanted.value)
    )
    there = [side.value.notnull() for side in (column, search) if side.nullable]
    for condition in there:
        holds = holds & condition
    return Column(holds.fill_null(False), guards, declared, nullable=False)


def search_text(table: Columns, operation: str, column: Column, static: Type, search: Column, search_type: Type) -> Column:
    """Return whether a text holds, begins or ends with another: to the letter if either is Bytes, else normalised.

    Raises:
        NotInSqlError: the columns are to be exact and texts are normalised.
    """
    form = text_column if Kind.BYTES in (static.kind, search_type.kind) else normalised
    text, wanted = form(table, column, static), form(table, search, search_type)
    guards, declared = joined((text, wanted))
    return Column(search_plain(operation, text.value, wanted.value), guards, declared, nullable=False)


def search_plain(operation: str, text: Expr, wanted: Expr) -> Expr:
    """Return whether a text holds, begins or ends with another, to the letter."""
    find: Callable[[Expr], Expr] = {"CONTAINS": text.contains, "STARTS_WITH": text.startswith, "ENDS_WITH": text.endswith}[
        operation
    ]
    return find(wanted)
