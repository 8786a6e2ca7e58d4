"""JMESPath with bounds: the one place where an expression is compiled, whether of logic or of `type.yaml`.

Bounded are the length of an expression, its depth, and how much it can make of its input: what an expression finds, and all
that it makes on the way, is at most `MAX_GROWTH` times its input. That is computed from the expression alone, which is sound
as JMESPath has no variables: what stands in a projection sees an item of it, and nothing else.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any, cast

import jmespath
import jmespath.exceptions
import jmespath.functions
import jmespath.visitor

from reeve.language.errors import nearest
from reeve.language.json_texts import has_surrogates
from reeve.language.values import parse_date_time

MAX_LENGTH = 10_000
MAX_DEPTH = 100
MAX_GROWTH = 5_000
MAX_GLUED = 64 * 1024
"""How long a text `join` may make of texts that are much shorter, in characters."""

QueryError = (
    jmespath.exceptions.JMESPathError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What a query may raise on some data."""


class Functions(jmespath.functions.Functions):  # pyright: ignore[reportUntypedBaseClass] - the way to change one
    """The functions of JMESPath, `join` bounded."""

    @jmespath.functions.signature({"types": ["string"]}, {"types": ["array-string"]})  # pyright: ignore
    def _func_join(self, glue: str, items: list[str]) -> str:
        texts = sum(map(len, items))
        length, given = texts + len(glue) * max(len(items) - 1, 0), texts + len(glue) + len(items)
        if length > max(MAX_GLUED, _GLUED * given):
            raise ValueError(f"join() would make a text of {length:,} characters from {given:,}")
        return glue.join(items)


class MoreFunctions(Functions):
    """The functions of JMESPath, and `split(separator, text)`, which ARNs ask for."""

    @jmespath.functions.signature({"types": ["string"]}, {"types": ["string"]})  # pyright: ignore
    def _func_split(self, separator: str, text: str) -> list[str]:
        return text.split(separator)


class DatedFunctions(MoreFunctions):
    """The same, and `days_since(instant)`: how many whole days lie between an ISO 8601 text and the moment of judging."""

    def __init__(self, now: datetime | None = None) -> None:
        """Take the moment; without one the functions can be looked up, but `days_since` not be called."""
        super().__init__()
        self._now = now

    @jmespath.functions.signature({"types": ["string", "null"]})  # pyright: ignore
    def _func_days_since(self, text: str | None) -> int | None:
        then = None if text is None else parse_date_time(text)
        if self._now is None or (then is None and text is not None):
            raise ValueError("days_since() takes an ISO 8601 text")
        return None if then is None else (self._now - then).days


_GLUED = 130
"""How many times its arguments `join` can make: already a text of `MAX_GLUED` takes a glue and texts of 512."""


@dataclass(frozen=True)
class Query:
    """A compiled expression: its text, and its tree as jmespath gives it."""

    text: str
    parsed: Any
    functions: Any = field(repr=False)

    @cached_property
    def _visit(self) -> Any:
        options: Any = jmespath.Options(custom_functions=self.functions)
        return jmespath.visitor.TreeInterpreter(options).visit

    def search(self, data: Any) -> Any:
        """Return what the expression finds in plain data.

        Raises:
            QueryError: it fails on this data.
        """
        return self._visit(self.parsed, data)

    def at(self, now: datetime) -> "Query":
        """Return the same query with the functions that count days to a moment."""
        return replace(self, functions=DatedFunctions(now))


_FUNCTIONS: tuple[Any, Any] = (Functions(), MoreFunctions())
_DATED = DatedFunctions()


def compile_query(expression: str, more: bool = False) -> Query:
    """Return a compiled JMESPath expression: its size, its functions and the number of their arguments are checked.

    Args:
        expression: the text.
        more: whether it may use our own functions too (`split`).

    Raises:
        ValueError: the expression is not JMESPath, or beyond the bounds; the message says why.
    """
    return _compiled(expression, _FUNCTIONS[more])


def compile_dated(expression: str) -> Query:
    """Return a compiled expression that may use our own functions and `days_since`; `Query.at` gives it the moment.

    Raises:
        ValueError: as `compile_query`.
    """
    return _compiled(expression, _DATED)


def _compiled(expression: str, functions: Any) -> Query:
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"invalid JMESPath: {len(expression):,} characters; at most {MAX_LENGTH:,} are read")
    try:
        # Text in back quotes that is not JSON is an old form of a literal; jmespath takes it, with a warning to its developers.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            parsed: Any = cast("Any", jmespath).compile(expression).parsed
    except RecursionError:
        raise ValueError("invalid JMESPath: nested too deeply") from None
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"invalid JMESPath: {(str(error).splitlines() or [''])[0]}") from None
    except ValueError:
        raise ValueError("invalid JMESPath: a number of thousands of digits") from None
    for node in _nodes(parsed):
        _check_function(node, functions.FUNCTION_TABLE)
        if has_surrogates(node.get("value")):
            raise ValueError("invalid JMESPath: half a surrogate pair is no character")
    if _growth(parsed).work > MAX_GROWTH:
        raise ValueError(f"invalid JMESPath: it can make more than {MAX_GROWTH:,} times its input")
    return Query(expression, parsed, functions)


@cache
def references(expression: str) -> frozenset[str]:
    """Return the names that an expression of a type reads from the top of its data, and `_parent.name` for a parent's fields.

    Raises:
        ValueError: it is not JMESPath.
    """
    read: set[Path] = set()
    _walk(compile_query(expression, more=True).parsed, frozenset({()}), read)
    return frozenset(path[0] if path[0] != "_parent" else ".".join(path[:2]) for path in read if path != ("_parent",))


Path = tuple[str, ...]
"""Names from the top of the data down to a value; lists on the way are not named."""


def _walk(node: Mapping[str, Any], current: frozenset[Path], read: set[Path]) -> frozenset[Path]:
    """Return where the values come from that a part of an expression finds in `current`; what it reads goes to `read`.

    What an expression makes (lists, objects, results of functions) comes from everything that it is made of. A name that is
    looked for in it may be one of any of these.
    """
    kind, children = str(node["type"]), cast("list[Any]", node.get("children", []))
    match kind:
        case "field":
            name = str(node["value"])
            made = frozenset(path for path in current if path[-1:] == _MADE)
            found = frozenset((*(path[:-1] if path in made else path), name) for path in current)
            read.update(found)
            return found | made
        case "literal":
            return frozenset()
        case "current" | "identity" | "index" | "slice":
            return current
        case "subexpression" | "index_expression" | "pipe" | "projection" | "value_projection":
            for one in children:
                current = _walk(one, current, read)
            return current
        case "filter_projection":
            items = _walk(children[0], current, read)
            _walk(children[2], items, read)
            return _walk(children[1], items, read)
        case "function_expression":
            given = frozenset[Path]().union(*(_walk(one, current, read) for one in children if one["type"] != "expref"))
            by = (_walk(one["children"][0], given, read) for one in children if one["type"] == "expref")
            return _made(given.union(*by))
        case _:
            return _made(frozenset[Path]().union(*(_walk(one, current, read) for one in children)))


_MADE = ("\0",)
"""Ends the path of what something is made of: a name in that may be a name in this."""


def _made(of: frozenset[Path]) -> frozenset[Path]:
    return frozenset(path if path[-1:] == _MADE else path + _MADE for path in of)


def _nodes(root: Any) -> Iterator[dict[str, Any]]:
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"invalid JMESPath: nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, dict):
            found = cast("dict[str, Any]", node)
            yield found
            pending.extend((child, depth + 1) for child in found.get("children", ()))


def _check_function(node: dict[str, Any], table: Any) -> None:
    if node["type"] != "function_expression":
        return
    name, given = str(node["value"]), len(node["children"])
    if name not in table:
        raise ValueError(f"invalid JMESPath: unknown function {name}(){nearest(name, table)}")
    signature = table[name]["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if given != len(signature) and not (variadic and given >= len(signature)):
        raise ValueError(f"invalid JMESPath: {name}() takes {len(signature)} arguments, {given} are given")


@dataclass(frozen=True, slots=True)
class _Growth:
    """How large a result can be: `times` the input's size and `more`; and `work`, all that is made on the way, in inputs.

    The size of a value is the number of its values, and of its texts' characters.
    """

    times: int
    more: int
    work: int


_SCALAR = frozenset(
    {"abs", "avg", "ceil", "floor", "length", "sum", "to_number", "type", "contains", "starts_with", "ends_with"}
    | {"days_since"}
)
_TO_STRING = 12
"""Of a character beyond the first plane, JSON makes two escapes of six characters."""


def _growth(node: Any) -> _Growth:
    kind, children = node["type"], cast("Sequence[Any]", node.get("children", ()))
    parts: list[Any] = [child for child in children if isinstance(child, dict)]
    match kind:
        case "literal":
            return _Growth(0, _size(node["value"]), 1)
        case "subexpression" | "pipe" | "index_expression":
            return _piped([_growth(part) for part in parts])
        case "projection" | "value_projection":
            return _projected(_growth(parts[0]), _growth(parts[1]))
        case "filter_projection":
            left, right, test = map(_growth, parts)
            found = _projected(left, right)
            return _Growth(found.times, found.more, found.work + (left.times + left.more) * test.work)
        case "comparator" | "not_expression":
            return _Growth(0, 1, 1 + sum(_growth(part).work for part in parts))
        case "function_expression":
            return _called(node["value"], parts)
        case "multi_select_dict":
            found = [_growth(pair["children"][0]) for pair in parts]
            return _summed(found, 1 + sum(len(pair["value"]) for pair in parts))
        case "multi_select_list" | "or_expression" | "and_expression" | "flatten" | "expref":
            return _summed([_growth(part) for part in parts])
        case _:  # a field, an index, a slice, @: a part of the input, or null
            return _Growth(1, 0, 1)


def _size(value: Any) -> int:
    match value:
        case str():
            return 1 + len(value)
        case list():
            return 1 + sum(map(_size, cast("list[Any]", value)))
        case dict():
            return 1 + sum(len(key) + _size(item) for key, item in cast("dict[str, Any]", value).items())
        case _:
            return 1


def _summed(parts: Sequence[_Growth], more: int = 1) -> _Growth:
    times = sum(part.times for part in parts)
    more += sum(part.more for part in parts)
    return _Growth(times, more, times + more + sum(part.work for part in parts))


def _piped(parts: Sequence[_Growth]) -> _Growth:
    found = parts[0]
    for part in parts[1:]:
        work = found.work + (found.times + found.more) * part.work
        found = _Growth(found.times * part.times, found.more * part.times + part.more, work)
    return found


def _projected(left: _Growth, right: _Growth) -> _Growth:
    each = right.times + right.more
    return _Growth(left.times * each, left.more * each, left.work + (left.times + left.more) * (right.work + each))


def _called(name: str, parts: Sequence[Any]) -> _Growth:
    if name == "map":
        return _projected(_growth(parts[1]), _growth(parts[0]))
    found = [_growth(part) for part in parts]
    if name.endswith("_by"):
        each = _projected(found[0], found[1])
        return _Growth(found[0].times, found[0].more, each.work)
    if name in _SCALAR:
        return _Growth(0, 8, 1 + sum(part.work for part in found))
    every = _summed(found)
    times = {"to_string": _TO_STRING, "split": 2}.get(name, 1)
    if name == "join":
        literal = parts[0]["type"] == "literal"
        times = 1 + min(_size(parts[0]["value"]), _GLUED) if literal else _GLUED
    return _Growth(every.times * times, every.more * times, every.work + (every.times + every.more) * times)
