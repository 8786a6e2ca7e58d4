"""DuckDB's functions on JSON texts, where they say what Python's and JMESPath's do."""

from typing import Any

from reeve.evaluate.engines.dialect import Expr, ibis
from reeve.language.columns import JsonFunctions, Path
from reeve.language.json_texts import MAX_DEPTH

_TEXTS = ("string", "string")


@ibis.udf.scalar.builtin(name="json_extract", signature=(_TEXTS, "json"))
def _json_extract(text: Any, path: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="json_extract", signature=(_TEXTS, "array<json>"))
def _json_extract_all(text: Any, path: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="json_extract_string", signature=(_TEXTS, "string"))
def _json_extract_string(text: Any, path: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="json_array_length", signature=(("string",), "int64"))
def _json_array_length(text: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="json_keys", signature=(_TEXTS, "array<string>"))
def _json_keys(text: Any, path: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="json_valid", signature=(("string",), "boolean"))
def _json_valid(text: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="json_type", signature=(_TEXTS, "string"))
def _json_type(text: Any, path: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="list_unique", signature=(("array<string>",), "int64"))
def _list_unique(array: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="strlen", signature=(("string",), "int64"))
def _bytes(text: Any) -> Any: ...


def _path(path: Path) -> str:
    """Return a path as DuckDB writes it; names hold no quotes (`json_columns`)."""
    shown = (f'."{step}"' if isinstance(step, str) else f"[{step}]" if step >= 0 else f"[#{step}]" for step in path)
    return "$" + "".join(shown)


def _part(text: Expr, path: Path) -> Expr:
    return _json_extract(text, _path(path)).cast("string")


def _parts(text: Expr, path: Path) -> Expr:
    is_array = _json_type(text, _path(path)) == "ARRAY"
    return ibis.cases((is_array, _json_extract_all(text, _path(path) + "[*]").cast("array<string>")), else_=None)


def _repeats(text: Expr, path: Path) -> Expr:
    keys = _json_keys(text, _path(path))
    return (keys.length() != _list_unique(keys)).fill_null(False)


def _odd(text: Expr) -> Expr:
    """Return whether DuckDB's reader is laxer, or Python's may be stricter: commas at ends, NaN, depth, endless digits."""
    lax = text.re_search(r",\s*[\]}]|[:\[,\-\s](?i:nan|inf)|^(?i:nan|inf)")
    deep = (_bytes(text) - _bytes(text.re_replace(r"[\[{]", ""))) > MAX_DEPTH
    return ibis.cases((_bytes(text) > MAX_DEPTH, lax | deep | text.re_search("[0-9]{1000}")), else_=lax)


JSON = JsonFunctions(
    part=_part,
    parts=_parts,
    string=lambda part: _json_extract_string(part, "$"),
    items=_json_array_length,
    members=lambda part: _json_keys(part, "$").length(),
    valid=_json_valid,
    odd=_odd,
    repeats=_repeats,
)
