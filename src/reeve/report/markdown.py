"""Markdown of a repository as HTML: raw HTML is shown, not run, nothing is loaded, and links lead to the web or nowhere."""

import re
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

from reeve.report.escaping import visible

_LINK = re.compile(r"(?:https?://[^/\s]|mailto:[^\s])[^\s]*", re.IGNORECASE)
LAYOUT = "\n\t"
"""The control characters that HTML may hold: they move nothing but the text itself."""


def is_link(url: object) -> bool:
    """Return whether an address of a repository may be a link: to the web, or to write to somebody."""
    return isinstance(url, str) and _LINK.fullmatch(url) is not None


def parser() -> MarkdownIt:
    """Return what makes HTML of CommonMark with tables; pictures become their descriptions."""
    found = MarkdownIt("commonmark", {"html": False}).enable("table")
    found.validateLink = is_link  # type: ignore[method-assign]
    found.add_render_rule("image", _described)
    found.core.ruler.push("links", _without_dead_links)
    return found


def _without_dead_links(state: StateCore) -> None:
    """Leave the words of a link that leads nowhere, which the parser keeps as a link to the page itself."""
    for block in state.tokens:
        dead: list[bool] = []
        for token in block.children or ():
            if token.type == "link_open":
                dead.append(not token.attrGet("href"))
            if token.type in ("link_open", "link_close") and (dead[-1] if token.type == "link_open" else dead.pop()):
                token.type, token.tag, token.content = "text", "", ""


def _described(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return str(Markup.escape(tokens[index].content))


def markup(rendered: str) -> Markup:
    """Return a parser's HTML as markup, harmful characters written out, those too that stood there as references."""
    return Markup(visible(rendered, LAYOUT))  # noqa: S704 - the parser escapes HTML and makes no other links


@cache
def _plain() -> MarkdownIt:
    return parser()


def render(text: str) -> Markup:
    """Return Markdown as HTML."""
    return markup(_plain().render(text))
