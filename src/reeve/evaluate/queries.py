"""Queries put together: a query compiled by Ibis names the tables that it reads; some of them are queries themselves."""

from collections.abc import Mapping
from typing import Any

from sqlglot import expressions

from reeve.evaluate.engines.dialect import Dialect

Query = expressions.Select
"""A query as a tree of sqlglot."""


def compiled(dialect: Dialect, expression: Any) -> Query:
    """Return an expression of Ibis as a query."""
    return dialect.compiler.to_sqlglot(expression)


def nested(query: Query, definitions: Mapping[str, Query | str]) -> Query:
    """Return a query that reads from other queries, or from tables of other names, where it names them.

    The query given is changed; those that it is put together of are not.
    """
    for table in list(query.find_all(expressions.Table)):
        found = definitions.get(table.name)
        if isinstance(found, str):
            table.set("this", expressions.to_identifier(found, quoted=True))
        elif found is not None:
            alias = table.alias or table.name
            table.replace(
                expressions.Subquery(
                    this=found.copy(), alias=expressions.TableAlias(this=expressions.to_identifier(alias, quoted=True))
                )
            )
    return query


def sql(dialect: Dialect, query: Query) -> str:
    """Return a query's text in an engine's language."""
    for equal in list(query.find_all(expressions.NullSafeEQ)):
        # Engines differ in how tightly IS NOT DISTINCT FROM binds.
        if not isinstance(equal.parent, expressions.Paren):
            equal.replace(expressions.Paren(this=equal.copy()))
    return query.sql(dialect=dialect.compiler.dialect)
