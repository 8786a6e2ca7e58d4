"""What a metric filter's pattern matches: CloudWatch Logs' language for events in JSON, evaluated on an event.

Source: the CloudWatch Logs User Guide, *Filter pattern syntax*. A name that an event lacks fails every comparison; only
`NOT EXISTS` holds for it. A pattern of plain words is about lines of text, and matches no event here.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, cast

import re2  # pyright: ignore[reportMissingTypeStubs]
from lark import Lark, Token, Transformer, UnexpectedInput
from lark import v_args as _untyped_v_args  # pyright: ignore[reportUnknownVariableType]
from lark.exceptions import LarkError

from reeve.language.policy_documents import covers

v_args: Any = _untyped_v_args  # pyright: ignore[reportUnknownVariableType]
_re2: Any = re2  # it has no stubs
Test = Callable[[Mapping[str, Any]], bool]
MAX_PATTERN = 1024
"""How long a pattern may be, in characters (the API's own bound)."""


class PatternError(Exception):
    """A pattern can't be understood; the message says where."""


@lru_cache(maxsize=1024)
def read_pattern(pattern: str) -> Test:
    """Return the function that says whether a pattern matches an event.

    Raises:
        PatternError: the pattern begins as one for JSON, but is not one that this can read.
    """
    text = pattern.strip()
    if not text:
        return lambda event: True
    if not text.startswith("{"):
        return lambda event: False
    if len(text) > MAX_PATTERN:
        raise PatternError(f"a pattern has at most {MAX_PATTERN} characters")
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise PatternError(f"the filter pattern can't be read at character {error.pos_in_stream}") from None
    except (LarkError, RecursionError) as error:
        raise PatternError(f"the filter pattern can't be read: {str(error).splitlines()[0]}") from None


@cache
def _parser() -> Any:
    grammar = files("reeve.language").joinpath("log_filter.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", transformer=_Tests())


@v_args(inline=True)
class _Tests(Transformer[Token, Test]):
    """Turns a parsed pattern into functions."""

    def start(self, test: Test) -> Test:
        return test

    def or_(self, *tests: Test) -> Test:
        return lambda event: any(test(event) for test in tests)

    def and_(self, *tests: Test) -> Test:
        return lambda event: all(test(event) for test in tests)

    def compare(self, selector: Token, operator: Token, value: Token) -> Test:
        find, holds = _finder(selector), _comparison(str(operator), value)
        return lambda event: any(holds(found) for found in find(event))

    def is_(self, selector: Token, what: Token) -> Test:
        find, wanted = _finder(selector), {"NULL": None, "TRUE": True, "FALSE": False}[str(what)]
        return lambda event: any(found is wanted for found in find(event))

    def exists(self, selector: Token) -> Test:
        find = _finder(selector)
        return lambda event: bool(find(event))

    def not_exists(self, selector: Token) -> Test:
        find = _finder(selector)
        return lambda event: not find(event)


def _finder(selector: str) -> Callable[[Any], list[Any]]:
    """Return the function that gives the values behind a selector such as `$.userIdentity.type` or `$.list[0]`."""
    pattern = _re2.compile(r'\.([A-Za-z_][A-Za-z0-9_:-]*|\*)|\[(\d+|\*)\]|\["([^"]*)"\]')
    steps = [next(part for part in match.groups() if part is not None) for match in pattern.finditer(selector)]

    def find(event: Any) -> list[Any]:
        found = [event]
        for step in steps:
            found = [inner for value in found for inner in _step(value, step)]
        return found

    return find


def _step(value: Any, step: str) -> list[Any]:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return list(members.values()) if step == "*" else [members[step]] if step in members else []
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if step == "*":
            return items
        return [items[int(step)]] if step.isdigit() and int(step) < len(items) else []
    return []


def _comparison(operator: str, value: Token) -> Callable[[Any], bool]:
    text = str(value)
    if operator in ("=", "!="):
        same = _equality(value)
        return same if operator == "=" else lambda found: not same(found)
    try:
        limit = float(text.strip('"'))
    except ValueError:
        raise PatternError(f"{text} is no number, which {operator} wants") from None
    holds = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[operator]
    return lambda found: isinstance(found, (int, float)) and not isinstance(found, bool) and holds(float(found), limit)


def _equality(value: Token) -> Callable[[Any], bool]:
    text = str(value)
    if value.type == "REGEX":
        try:
            expression: Any = _re2.compile(text.strip("%"))
        except _re2.error as error:
            raise PatternError(f"{text} is no regular expression: {error}") from None
        return lambda found: isinstance(found, str) and expression.search(found) is not None
    wanted = str(json.loads(text)) if text.startswith('"') else text

    def same(found: Any) -> bool:
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            try:
                return float(found) == float(wanted)
            except ValueError:
                return False
        # In a pattern only `*` is a wildcard; a question mark is a letter like any other.
        return isinstance(found, str) and covers(wanted.replace("?", "\0"), found.replace("?", "\0"))

    return same
