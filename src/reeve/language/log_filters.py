"""What a metric filter's pattern matches: CloudWatch Logs' language for events in JSON, evaluated on an event.

Source: the CloudWatch Logs User Guide, *Filter pattern syntax*. A name that an event lacks fails every comparison; only
`NOT EXISTS` holds for it. What the guide leaves open is not known (None), and stays so where nothing else decides.
"""

import json
from collections.abc import Callable, Iterable, Mapping
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
Test = Callable[[Mapping[str, Any]], bool | None]
"""Says whether an event is matched; None: it isn't known."""
MAX_PATTERN = 1024
"""How long a pattern may be, in characters (the API's own bound)."""


class PatternError(Exception):
    """A pattern can't be understood; the message says where."""


@lru_cache(maxsize=1024)
def read_pattern(pattern: str) -> Test:
    """Return the function that says whether a pattern matches an event.

    Raises:
        PatternError: the pattern begins as one for JSON, but is not one that this can read; or is longer than the API allows.
    """
    text = pattern.strip()
    if not text:
        return lambda event: True
    if len(text) > MAX_PATTERN:
        raise PatternError(f"a pattern has at most {MAX_PATTERN} characters")
    if not text.startswith("{"):
        return _words(text)
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise PatternError(f"the filter pattern can't be read at character {error.pos_in_stream}") from None
    except (LarkError, RecursionError) as error:
        raise PatternError(f"the filter pattern can't be read: {str(error).splitlines()[0]}") from None


def all_of(found: Iterable[bool | None]) -> bool | None:
    """Return whether all hold: False if one is known not to, else None if of one it isn't known."""
    unknown = False
    for one in found:
        if one is False:
            return False
        unknown = unknown or one is None
    return None if unknown else True


def any_of(found: Iterable[bool | None]) -> bool | None:
    """Return whether one holds: True if one is known to, else None if of one it isn't known."""
    unknown = False
    for one in found:
        if one:
            return True
        unknown = unknown or one is None
    return None if unknown else False


def _words(text: str) -> Test:
    """Return the test of a pattern of words: an event that lacks one of them is not matched; which others are is not known.

    Words with a question mark are alternatives. Where words end, and what a pattern in square brackets sees in an event of
    JSON, the guide leaves open.
    """
    words = _re2.findall(r'[?-]?(?:"(?:[^"\\]|\\.)*"|%[^%]*%|\S+)', text)
    plain = not text.startswith("[") and not any("%" in word for word in words)
    needed = [_bare(word) for word in words if word[0] not in "?-"]
    optional = [_bare(word[1:]) for word in words if word[0] == "?"]

    def test(event: Mapping[str, Any]) -> bool | None:
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        lacks = any(word not in line for word in needed) or (optional and not any(word in line for word in optional))
        return False if plain and lacks else None

    return test


def _bare(word: str) -> str:
    return word[1:-1].replace('\\"', '"') if word.startswith('"') else word


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
        return lambda event: any_of(test(event) for test in tests)

    def and_(self, *tests: Test) -> Test:
        return lambda event: all_of(test(event) for test in tests)

    def compare(self, selector: Token, operator: Token, value: Token) -> Test:
        find, holds = _finder(selector), _comparison(str(operator), value)
        # An object or a list fails every comparison, as a name does that the event lacks.
        return lambda event: any_of(holds(found) for found in find(event) if not isinstance(found, (Mapping, list)))

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
    pattern = _re2.compile(r"""\.([A-Za-z_@][A-Za-z0-9_:@-]*|\*)|\.?\[(\d+|\*)\]|\.?\["([^"]*)"\]|\.?\['([^']*)'\]""")
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


def _comparison(operator: str, value: Token) -> Callable[[Any], bool | None]:
    text = str(value)
    if operator in ("=", "!="):
        same = _equality(value)
        return same if operator == "=" else lambda found: None if (equal := same(found)) is None else not equal
    try:
        limit = float(text.strip('"'))
    except ValueError:
        raise PatternError(f"{text} is no number, which {operator} wants") from None
    holds = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[operator]
    return lambda found: isinstance(found, (int, float)) and not isinstance(found, bool) and holds(float(found), limit)


def _equality(value: Token) -> Callable[[Any], bool | None]:
    """Return the test for one value; whether a text equals true, false or null is left open by the guide."""
    text = str(value)
    if value.type == "REGEX":
        try:
            expression: Any = _re2.compile(text.strip("%"))
        except _re2.error as error:
            raise PatternError(f"{text} is no regular expression: {error}") from None
        return lambda found: expression.search(found) is not None if isinstance(found, str) else _open(found)
    try:
        wanted = str(json.loads(text)) if text.startswith('"') else text
    except ValueError:
        raise PatternError(f"{text} is no text in quotes") from None

    def same(found: Any) -> bool | None:
        if isinstance(found, str):
            # In a pattern only `*` is a wildcard; a question mark is a letter like any other.
            return covers(wanted.replace("?", "\0"), found.replace("?", "\0"))
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            try:
                return float(found) == float(wanted)
            except ValueError:
                return None if "*" in wanted else False
        return _open(found)

    return same


def _open(found: Any) -> bool | None:
    """Return what a comparison with a text says of another value: nothing is known of true, false and null."""
    return None if found is None or isinstance(found, bool) else False
