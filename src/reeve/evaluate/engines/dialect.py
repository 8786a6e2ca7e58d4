"""What an engine's language can say to the letter; what it can't is left to the interpreter's functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis as _untyped_ibis  # pyright: ignore[reportMissingTypeStubs]
from ibis.expr import operations as _untyped_operations  # pyright: ignore[reportMissingTypeStubs]

from reeve.language.columns import JsonFunctions

# Ibis ships types, but too loose ones for strict checking.
ibis: Any = _untyped_ibis
ibis_operations: Any = _untyped_operations
Expr = Any


@ibis.udf.scalar.builtin(name="bit_length", signature=(("string",), "int64"))
def bit_length(text: Any) -> Any:
    """Return the length of a text in UTF-8, in bits; every engine has it under this name."""


@ibis.udf.scalar.builtin(name="array_distinct", signature=(("array<string>",), "array<string>"))
def array_distinct(array: Any) -> Any:
    """Return an array without duplicates, as DuckDB and Spark name it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """An engine's language: the compiler of Ibis, and what it says exactly as the interpreter does.

    `distinct` (None: no functions on the items of arrays); `matches`: whether a pattern of RE2 is found in a text; `instant`:
    the microseconds of a text in the plain form of ISO 8601 (`conversions.USUAL_DATE_TIME`), null where there is no such day;
    `json`: its functions on JSON texts.
    """

    compiler: Any
    distinct: Callable[[Expr], Expr] | None = None
    matches: Callable[[Expr, str], Expr] | None = None
    instant: Callable[[Expr], Expr] | None = None
    json: JsonFunctions | None = None

    def is_ascii(self, text: Expr) -> Expr:
        """Return whether a text holds ASCII only; the null text does."""
        return (bit_length(text) == text.length() * 8).fill_null(True)
