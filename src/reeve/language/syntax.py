"""Reads declared keys from YAML nodes and says what is wrong with them, all at once (policy language, section 7).

The same declarations are what `reeve schema` turns into JSON Schemas.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeGuard

from reeve.language import source
from reeve.language.errors import Position, Problem, nearest, one_of
from reeve.language.source import FALSES, NULLS, NUMBER, TRUES, Node, Scalar, Sequence, plain_value


class Shape(StrEnum):
    """The shape of a key's value in a file."""

    STRING = "a text"
    STRINGS = "a list of texts"
    BOOLEAN = "true or false"
    INTEGER = "a whole number"
    CHOICE = "one of the allowed texts"
    CHOICES = "a list of the allowed texts"
    MAPPING = "a mapping"
    RECORDS = "a list of mappings"
    TABLE = "a mapping of names to mappings"
    TEXTS = "a mapping of names to texts"
    EXPRESSION = "an operation"
    ANYTHING = "any value"


Keys = Mapping[str, "Key"]


@dataclass(frozen=True, slots=True)
class Key:
    """The declaration of one key: the shape of its value, whether it must be there, what it may hold, what it means."""

    shape: Shape
    description: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    keys: Keys = field(default_factory=dict[str, "Key"])


@dataclass(slots=True)
class Paths:
    """Where the nodes of a file stand in its YAML, such as `conditions[0].check`; looked for when a problem is noted.

    `around`, for nodes that stand in no file: the paths of the file, and the node that they were made from.
    """

    root: Node | None = None
    around: "tuple[Paths, Node] | None" = None
    _parents: dict[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])

    def of(self, node: Node) -> str:
        """Return the path of a node, or of a key's node; empty for the root."""
        if self.root is not None and not self._parents:
            self._find(self.root)
        steps: list[str] = []
        here = id(node)
        while here in self._parents:
            here, step = self._parents[here]
            steps.append(step)
        outside = self.around[0].of(self.around[1]) if self.around else ""
        return (outside + "".join(reversed(steps))).removeprefix(".")

    def _find(self, root: Node) -> None:
        pending: list[Node] = [root]
        while pending:
            node = pending.pop()
            if isinstance(node, source.Mapping):
                found = [(inside, f".{key.text}") for key, value in node.entries for inside in (key, value)]
            else:
                found = [(item, f"[{number}]") for number, item in enumerate(getattr(node, "items", ()))]
            for inside, step in found:
                if id(inside) not in self._parents and inside is not root:
                    self._parents[id(inside)] = (id(node), step)
                    pending.append(inside)


@dataclass(slots=True)
class FileReader:
    """Reads one file; problems are collected, so that a user sees all of them."""

    path: str
    problems: list[Problem]
    paths: Paths = field(default_factory=Paths)

    def report(self, node: Node, message: str, rule: str = "invalid", warning: bool = False) -> None:
        """Note a problem at a node."""
        position = Position(self.path, node.line, node.column, self.paths.of(node))
        self.problems.append(Problem(position, message, rule, warning))

    def _no_mapping(self, node: Node, what: str) -> None:
        rule = "not-a-mapping" if node is self.paths.root else "wrong-kind"
        self.report(node, f"{what} must be a mapping, not {shape_of(node)}", rule)

    def entries(self, node: Node, known: Iterable[str], what: str) -> dict[str, Node] | None:
        """Return a mapping's entries by key, noting keys that are not known; None when it is no mapping."""
        if not isinstance(node, source.Mapping):
            self._no_mapping(node, what)
            return None
        known = tuple(known)
        found: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text in known:
                found[key.text] = value
            else:
                hint = nearest(key.text, known) or f"; expected one of {one_of(known)}"
                self.report(key, f"unknown key {key.text!r} in {what}{hint}", "unknown-key")
        return found

    def read(self, node: Node, keys: Keys, what: str) -> dict[str, Any]:
        """Return the declared keys of a mapping as Python data; operations stay nodes, what is wrong is left out."""
        found = self.entries(node, keys, what) or {}
        values: dict[str, Any] = {}
        for name, key in keys.items():
            value = found.get(name)
            if value is None or (isinstance(value, Scalar) and value.is_null and key.shape is not Shape.ANYTHING):
                if key.required and isinstance(node, source.Mapping):
                    self.report(node, f"{what} needs the key {name!r}, {key.shape}", "missing-key")
                continue
            read = self._value(value, key, f"{name!r} in {what}")
            if read is not None:
                values[name] = read
        return values

    def _value(self, node: Node, key: Key, what: str) -> Any:  # noqa: C901 - a case for each shape
        match key.shape:
            case Shape.STRING:
                return self.string(node, what)
            case Shape.STRINGS:
                return self.strings(node, what)
            case Shape.BOOLEAN:
                return self.boolean(node, what)
            case Shape.INTEGER:
                return self.integer(node, what)
            case Shape.CHOICE:
                return self.choice(node, key.choices, what)
            case Shape.CHOICES:
                items = self.items(node, what)
                return None if items is None else tuple(self.choice(item, key.choices, what) for item in items)
            case Shape.MAPPING:
                return self.read(node, key.keys, what)
            case Shape.RECORDS:
                items = self.items(node, what)
                return None if items is None else [self.read(item, key.keys, f"an item of {what}") for item in items]
            case Shape.TABLE:
                return self._table(node, key, what)
            case Shape.TEXTS:
                return self._texts(node, what)
            case Shape.EXPRESSION:
                return node
            case Shape.ANYTHING:
                return plain_value(node)

    def _table(self, node: Node, key: Key, what: str) -> dict[str, Any] | None:
        if not isinstance(node, source.Mapping):
            self._no_mapping(node, what)
            return None
        return {name.text: self.read(value, key.keys, f"{name.text!r}") for name, value in node.entries}

    def _texts(self, node: Node, what: str) -> dict[str, str] | None:
        if not isinstance(node, source.Mapping):
            self._no_mapping(node, what)
            return None
        found = {name.text: self.string(value, f"{name.text!r} in {what}") for name, value in node.entries}
        return {name: text for name, text in found.items() if text is not None}

    def items(self, node: Node, what: str) -> tuple[Node, ...] | None:
        """Return a list's items, or None with a problem."""
        if isinstance(node, Sequence):
            return node.items
        self.report(node, f"{what} must be a list, not {shape_of(node)}", "wrong-kind")
        return None

    def string(self, node: Node, what: str) -> str | None:
        """Return a text, or None with a problem; what reads as a number or a boolean is a text in quotes only."""
        if is_text(node):
            return node.text
        hint = "" if not isinstance(node, Scalar) or node.is_null else "; put it in quotes"
        self.report(node, f"{what} must be a text, not {shape_of(node)}{hint}", "wrong-kind")
        return None

    def strings(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Return a list of texts, or None with a problem."""
        items = self.items(node, what)
        if items is None:
            return None
        texts = [item.text for item in items if is_text(item)]
        if len(texts) < len(items):
            odd = next(item for item in items if not is_text(item))
            self.report(node, f"{what} must be a list of texts; {shape_of(odd)} in it is none", "wrong-kind")
            return None
        return tuple(texts)

    def boolean(self, node: Node, what: str) -> bool | None:
        """Return true or false, or None with a problem."""
        if isinstance(node, Scalar) and node.plain and node.text in TRUES | FALSES:
            return node.text in TRUES
        self.report(node, f"{what} must be true or false, not {shape_of(node)}", "wrong-kind")
        return None

    def number(self, node: Node, what: str) -> float | None:
        """Return a number, or None with a problem; YAML's .nan and .inf count."""
        if isinstance(node, Scalar) and node.plain:
            if NUMBER.fullmatch(node.text):
                return float(node.text)
            if _NO_NUMBER.fullmatch(node.text):
                return float(node.text.lower().replace(".", "", 1))
        self.report(node, f"{what} must be a number, not {shape_of(node)}", "wrong-kind")
        return None

    def integer(self, node: Node, what: str) -> int | None:
        """Return a whole number from 0 up, of at most nine digits, or None with a problem."""
        if isinstance(node, Scalar) and node.plain and NUMBER.fullmatch(node.text):
            value = float(node.text)
            if value.is_integer() and 0 <= value < 1e9:
                return int(value)
        self.report(node, f"{what} must be a whole number from 0 to 999,999,999, not {shape_of(node)}", "wrong-kind")
        return None

    def choice(self, node: Node, choices: Iterable[str], what: str) -> str | None:
        """Return one of the choices, or None with a problem that names the nearest."""
        text = self.string(node, what)
        if text is None or text in choices:
            return text
        hint = nearest(text, choices) or f"; expected one of {one_of(choices)}"
        self.report(node, f"{what} can't be {text!r}{hint}", "unknown-value")
        return None


_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def is_text(node: Node) -> TypeGuard[Scalar]:
    """Return whether a node is a text: in quotes, or plain and neither null, nor a number, nor true or false."""
    if not isinstance(node, Scalar):
        return False
    return not node.plain or not (node.text in NULLS | TRUES | FALSES or NUMBER.fullmatch(node.text))


def shape_of(node: Node) -> str:
    """Return what a node is, for a message."""
    if isinstance(node, source.Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.is_null:
        return "nothing"
    return repr(node.text if len(node.text) <= 40 else node.text[:39] + "…")
