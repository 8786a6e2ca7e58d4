"""Markdown on a page of the site: headings with permalinks, one level lower."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

from reeve.report.markdown import markup, parser

_TITLE = re.compile(r"\A\s*#[ \t]+[^\n]*\n+")


def render(text: str, prefix: str) -> Markup:
    """Return Markdown as HTML, without its first title, headings one level lower.

    Args:
        text: the Markdown.
        prefix: begins the ids of headings, so that two texts on a page have none in common.
    """
    return markup(_parser().render(_TITLE.sub("", text, count=1), {"prefix": prefix}))


@cache
def _parser() -> MarkdownIt:
    found = parser()
    found.core.ruler.push("headings", _headings)
    found.add_render_rule("heading_close", _closed)
    return found


def _headings(state: StateCore) -> None:
    """Give each heading its level and an id of its own."""
    ids = _Ids()
    for number, token in enumerate(state.tokens):
        if token.type == "heading_open":
            title = "".join(child.content for child in state.tokens[number + 1].children or ())
            identifier = ids.fresh(f"{state.env['prefix']}-" + re.sub(r"[^\w]+", "-", title.lower()).strip("-"))
            for one in (token, state.tokens[number + 2]):
                one.tag = f"h{min(6, int(one.tag[1]) + 1)}"
                one.meta["id"] = identifier
            token.attrSet("id", identifier)


class _Ids:
    """The ids of a text's headings; what each begins with is counted, as thousands of headings may say the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        found = next(one for one in self._candidates(wanted) if one not in self._taken)
        self._taken.add(found)
        return found

    def _candidates(self, wanted: str) -> Iterator[str]:
        if wanted not in self._counts:
            self._counts[wanted] = 0
            yield wanted
        while True:
            self._counts[wanted] += 1
            yield f"{wanted}-{self._counts[wanted]}"


def _closed(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return f' <a class="header-anchor" href="#{quote(token.meta["id"])}">#</a></{token.tag}>\n'


def words_of(text: str) -> str:
    """Return Markdown without its marks, for a search."""
    return " ".join(re.sub(r"[`*_#>|\[\]()]", " ", text).split())
