"""Conditions written as the text that condition texts print: `accessKey1Active == true && accessKey2Active == true`.

A text becomes the nodes that its YAML form would be read as, so that types, names and positions of errors come from one place.
"""

from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, UnexpectedInput
from lark import v_args as _untyped_v_args  # pyright: ignore[reportUnknownVariableType]

from reeve.language.notation import Notation
from reeve.language.source import Mapping, Node, Scalar
from reeve.language.syntax import FileReader
from reeve.language.text_nodes import TextError, at, nodes_of

v_args: Any = _untyped_v_args  # pyright: ignore[reportUnknownVariableType]

MAX_LENGTH = 20_000
MAX_DEPTH = 200


def read_text(reader: FileReader, scalar: Scalar, notation: Notation) -> Node | None:
    """Turn a condition's text into the nodes of its YAML form.

    Args:
        reader: the file being read; a problem is noted there, at its place inside the text.
        scalar: the text as it stands in the file.
        notation: how operations are written.

    Returns:
        The root of the nodes, or None when a problem was noted.
    """
    text = scalar.text
    if len(text) > MAX_LENGTH:
        reader.report(scalar, f"a condition of {len(text):,} characters; at most {MAX_LENGTH:,} are read", "too-large")
        return None
    try:
        parser: Any = _parser()
        node: Node = nodes_of(scalar, parser.parse(text), notation)
    except UnexpectedInput as error:
        ended = getattr(getattr(error, "token", None), "type", None) == "$END"
        offset = len(text) if ended or error.pos_in_stream is None or error.pos_in_stream < 0 else error.pos_in_stream
        found = repr(text[offset : offset + 12].split()[0]) if text[offset:].strip() else "the end"
        reader.report(at(scalar, offset), f"the condition's text can't go on with {found} here", "invalid-text")
        return None
    except RecursionError:
        reader.report(scalar, f"operations nested deeper than {MAX_DEPTH} levels", "too-deep")
        return None
    except Exception as error:
        reason: object = error if isinstance(error, TextError) else getattr(error, "orig_exc", error)
        if not isinstance(reason, TextError):
            raise
        reader.report(at(scalar, reason.offset), str(reason), "invalid-text")
        return None
    if _depth(node) > 2 * MAX_DEPTH:
        reader.report(scalar, f"operations nested deeper than {MAX_DEPTH} levels", "too-deep")
        return None
    return node


@cache
def _parser() -> Lark:
    grammar = files("reeve.language").joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True, propagate_positions=False)


def _depth(root: Node) -> int:
    deepest, pending = 0, [(root, 1)]
    while pending:
        node, depth = pending.pop()
        deepest = max(deepest, depth)
        inside = [value for _, value in node.entries] if isinstance(node, Mapping) else getattr(node, "items", ())
        pending.extend((item, depth + 1) for item in inside)
    return deepest
