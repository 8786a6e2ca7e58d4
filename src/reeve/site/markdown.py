"""Markdown of a repository as HTML: tables, code, headings with permalinks; raw HTML is shown, not run."""

import re
from collections.abc import Callable
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup
from mdit_py_plugins.anchors import anchors_plugin

_TITLE = re.compile(r"\A\s*#[ \t]+[^\n]*\n+")


def render(text: str, prefix: str) -> Markup:
    """Return Markdown as HTML, without its first title, headings one level lower.

    Args:
        text: the Markdown.
        prefix: begins the ids of headings, so that two texts on a page have none in common.
    """
    rendered = _renderer(prefix).render(_TITLE.sub("", text, count=1))
    return Markup(rendered)  # noqa: S704 - markdown-it escapes HTML and refuses javascript: links


@cache
def _renderer(prefix: str) -> MarkdownIt:
    found = MarkdownIt("commonmark", {"html": False}).enable("table")
    found.core.ruler.push("lower", _lower)
    found.use(anchors_plugin, max_level=6, slug_func=_slugs(prefix), permalink=True, permalinkSymbol="#", permalinkSpace=True)
    found.add_render_rule("image", lambda self, tokens, index, options, env: Markup.escape(tokens[index].content))  # type: ignore[misc]
    return found


def _slugs(prefix: str) -> Callable[[str], str]:
    return lambda title: f"{prefix}-" + re.sub(r"[^\w]+", "-", title.lower()).strip("-")


def _lower(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            level = min(6, int(token.tag[1]) + 1)
            token.tag = f"h{level}"


def plain(text: str) -> str:
    """Return Markdown without its marks, for a search."""
    return " ".join(re.sub(r"[`*_#>|\[\]()]", " ", text).split())
