"""Reads JSON texts strictly (RFC 8259) and within bounds: what is read can be printed, compared and written again."""

import json
import re
from typing import Any, cast

MAX_DEPTH = 200
"""How deep arrays and objects may nest."""

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NotJsonError(ValueError):
    """A text is not JSON; `offset` is where, as far as it is known."""

    def __init__(self, message: str, offset: int = 0):
        super().__init__(message)
        self.offset = offset


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        NotJsonError: the text is not JSON (NaN, Infinity and half a surrogate pair are not), is nested deeper than
            `MAX_DEPTH`, or has a number of thousands of digits.
    """

    def refuse(name: str) -> Any:
        raise NotJsonError(f"{name} is not JSON", max(text.find(name), 0))

    try:
        if text.count("[") + text.count("{") > MAX_DEPTH:
            _refuse_depth(text)
        value: Any = json.loads(text, parse_constant=refuse)
        if "\\u" in text:
            _refuse_surrogates(text, value)
    except json.JSONDecodeError as error:
        raise NotJsonError(str(error), error.pos) from None
    except NotJsonError:
        raise
    except ValueError:
        digits = max(re.finditer(r"\d+", text), key=lambda found: found.end() - found.start())
        raise NotJsonError(f"a number of {digits.end() - digits.start():,} digits", digits.start()) from None
    return value


def _refuse_depth(text: str) -> None:
    depth = position = 0
    for found in re.finditer(r'"|[\[{]|[\]}]', text):
        if found.start() < position:
            continue
        letter = found.group()
        if letter == '"':
            string = _STRINGS.match(text, found.start())
            position = string.end() if string else len(text)
            continue
        depth += 1 if letter in "[{" else -1
        if depth > MAX_DEPTH:
            raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels", found.start())


def _refuse_surrogates(text: str, value: Any) -> None:
    if has_surrogates(value):
        found = re.search(r"\\u[dD][89a-fA-F]", text)
        raise NotJsonError("half a surrogate pair is no character", found.start() if found else 0)


def has_surrogates(value: Any) -> bool:
    """Return whether a text in a JSON value holds half a surrogate pair, which no file or engine can hold."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            if _SURROGATE.search(one):
                return True
        elif isinstance(one, dict):
            members = cast("dict[str, Any]", one)
            pending += [*members, *members.values()]
        elif isinstance(one, list):
            pending += cast("list[Any]", one)
    return False
