"""Makes hostile text harmless: control and formatting characters (escapes, bidirectional marks, zero width) are written out.

Each medium has one writer, which calls this: the terminal and workflow commands `report/streams.py` and `report/problems.py`,
HTML `report/pages.py`, Markdown `report/markdown.py`, JSON `as_json` here.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNUSUAL, _UNUSUAL_IN_LINES = re.compile(r"[^\x20-\x7e]+"), re.compile(r"[^\x20-\x7e\n]+")


def _written_out(text: str, keep: str, write: Callable[[str], str]) -> str:
    if text.isascii() and text.isprintable():
        return text

    def one(character: str) -> str:
        return character if character in keep or unicodedata.category(character) not in _HARMFUL else write(character)

    unusual = _UNUSUAL_IN_LINES if "\n" in keep else _UNUSUAL
    return unusual.sub(lambda found: "".join(map(one, found.group())), text)


def visible(text: str, keep: str = "") -> str:
    r"""Return a text with harmful characters as `\u{…}`; without `keep` it is one line.

    Args:
        text: whatever came from a repository, an account, a snapshot, or a user.
        keep: characters that stay as they are, such as the line feed where a text may have several lines.
    """
    return _written_out(text, keep, lambda character: f"\\u{{{ord(character):x}}}")


def json_text(text: str) -> str:
    r"""Return JSON text with harmful characters as `\uXXXX`: in strings they mean the same, and nowhere else can they stand."""

    def escaped(character: str) -> str:
        return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"

    return _written_out(text, "\n", escaped)


def as_json(data: Any, indent: int | None = 2) -> str:
    """Return data as JSON, readable in any script, harmful characters escaped."""
    separators = None if indent else (",", ":")
    return json_text(json.dumps(data, indent=indent, separators=separators, ensure_ascii=False))
