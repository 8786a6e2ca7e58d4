"""Reads YAML into nodes that know their line and column, with depth, size and aliases bounded.

The events are libyaml's; only what a policy repository needs is built from them: no tags, no merge keys, one document.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from reeve.language.errors import InvalidRepositoryError, Position, Problem

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 200
MAX_NODES = 200_000

NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
"""A plain scalar that is a number (YAML 1.2, core schema); `.inf` and `.nan` are not."""
MAX_DIGITS = 1_000

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUES = frozenset({"true", "True", "TRUE"})
FALSES = frozenset({"false", "False", "FALSE"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as written; `plain` when it stands without quotes, so that `true` may be a boolean."""

    text: str
    plain: bool
    line: int
    column: int
    weight: int = 1

    @property
    def is_null(self) -> bool:
        """Whether this is YAML's null."""
        return self.plain and self.text in NULLS


@dataclass(frozen=True, slots=True)
class Sequence:
    """A YAML sequence."""

    items: tuple["Node", ...]
    line: int
    column: int
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Mapping:
    """A YAML mapping whose keys are scalars; `entries` in the order of the file."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    line: int
    column: int
    weight: int = 1


Node = Scalar | Sequence | Mapping


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    mapping: bool
    line: int
    column: int
    anchor: str | None
    children: list[Node] = field(default_factory=list[Node])


def read_yaml(path: str, content: bytes) -> Node:
    """Read one YAML document.

    Args:
        path: the file's path as messages show it.
        content: the file's bytes, UTF-8 (or UTF-16 with a byte order mark, as YAML allows).

    Returns:
        The document's root node.

    Raises:
        InvalidRepositoryError: not YAML, not one document, or beyond the bounds on depth, size and aliases.
    """
    if len(content) > MAX_BYTES:
        raise problem(path, 1, 1, f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read", "too-large")
    try:
        return _compose(path, yaml.parse(content, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise problem(path, line, column, f"not YAML: {error.problem or error.context}", "not-yaml") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(getattr(error, "reason", error)).splitlines()[0]
        raise problem(path, 1, 1, f"not YAML in UTF-8: {reason}", "not-yaml") from None


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def problem(path: str, line: int, column: int, message: str, rule: str) -> InvalidRepositoryError:
    """Return the error for one problem at a place."""
    return InvalidRepositoryError([Problem(Position(path, line, column), message, rule)])


def _compose(path: str, events: Iterator[Any]) -> Node:  # noqa: C901 - one branch for each kind of event
    stack: list[_Open] = []
    anchors: dict[str, Node] = {}
    root: Node | None = None
    total = documents = 0
    for event in events:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        done: Node | None = None
        if isinstance(event, yaml.ScalarEvent):
            plain: bool = event.implicit[0] and not event.style
            done = Scalar(str(event.value), plain, line, column)
            _refuse_number(path, done)
            _remember(anchors, event.anchor, done)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(stack) >= MAX_DEPTH:
                raise problem(path, line, column, f"nested deeper than {MAX_DEPTH} levels", "too-deep")
            stack.append(_Open(isinstance(event, yaml.MappingStartEvent), line, column, event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = stack.pop()
            done = _close(path, closed)
            _remember(anchors, closed.anchor, done)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise problem(path, line, column, f"the alias *{event.anchor} names no finished anchor", "not-yaml")
            done = anchors[event.anchor]
            total += done.weight
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise problem(path, line, column, "a second document; a file holds one", "not-yaml")
        if done is None:
            continue
        total += 1
        if total > MAX_NODES:
            raise problem(path, line, column, f"more than {MAX_NODES:,} values, aliases counted in full", "too-large")
        if stack:
            stack[-1].children.append(done)
        else:
            root = done
    if root is None:
        raise problem(path, 1, 1, "the file is empty; expected a YAML mapping", "not-yaml")
    return root


def _refuse_number(path: str, scalar: Scalar) -> None:
    if not scalar.plain or not NUMBER.fullmatch(scalar.text):
        return
    if len(scalar.text) > MAX_DIGITS:
        message = f"a number of {len(scalar.text):,} characters; at most {MAX_DIGITS:,} are read"
        raise problem(path, scalar.line, scalar.column, message, "too-large")
    if math.isinf(float(scalar.text)):
        raise problem(path, scalar.line, scalar.column, f"{scalar.text} is larger than any number", "too-large")


def _remember(anchors: dict[str, Node], anchor: str | None, node: Node) -> None:
    if anchor:
        anchors[anchor] = node


def _close(path: str, opened: _Open) -> Node:
    weight = 1 + sum(child.weight for child in opened.children)
    if not opened.mapping:
        return Sequence(tuple(opened.children), opened.line, opened.column, weight)
    seen: dict[str, Scalar] = {}
    entries: list[tuple[Scalar, Node]] = []
    problems: list[Problem] = []
    for key, value in zip(opened.children[::2], opened.children[1::2], strict=True):
        position = Position(path, key.line, key.column)
        if not isinstance(key, Scalar):
            problems.append(Problem(position, "a key must be a plain text, not a mapping or a list", "not-yaml"))
        elif key.text in seen:
            first = seen[key.text].line
            problems.append(Problem(position, f"the key {key.text!r} stands twice (first in line {first})", "duplicate-key"))
        else:
            seen[key.text] = key
            entries.append((key, value))
    if problems:
        raise InvalidRepositoryError(problems)
    return Mapping(tuple(entries), opened.line, opened.column, weight)


def plain_value(node: Node) -> Any:
    """Return a node as Python data, scalars resolved as in YAML 1.2's core schema (null, true, 1, 1.5, text)."""
    if isinstance(node, Mapping):
        return {key.text: plain_value(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [plain_value(item) for item in node.items]
    if not node.plain:
        return node.text
    if node.text in NULLS:
        return None
    if node.text in TRUES or node.text in FALSES:
        return node.text in TRUES
    if not NUMBER.fullmatch(node.text):
        return node.text
    try:
        return int(node.text)
    except ValueError:
        return float(node.text)


def position_at(root: Node, steps: Iterable[str | int]) -> tuple[int, int]:
    """Return line and column of the node that keys and positions lead to, as far as they lead."""
    here = root
    for step in steps:
        if isinstance(here, Mapping):
            found = next((value for key, value in here.entries if key.text == step), None)
        elif isinstance(here, Sequence) and isinstance(step, int) and step < len(here.items):
            found = here.items[step]
        else:
            found = None
        if found is None:
            break
        here = found
    return here.line, here.column
