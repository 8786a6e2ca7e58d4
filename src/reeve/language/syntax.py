"""Reads declared keys from YAML nodes and says what is wrong with them, all at once (policy language, section 6).

The same declarations are what `reeve schema` turns into JSON Schemas.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reeve.language import source
from reeve.language.errors import Place, Problem, nearest, one_of
from reeve.language.source import FALSES, TRUES, Node, Scalar, Sequence, plain_value


class Shape(StrEnum):
    """The shape of a key's value in a file."""

    STRING = "a text"
    STRINGS = "a list of texts"
    BOOLEAN = "true or false"
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
class FileReader:
    """Reads one file; problems are collected, so that a user sees all of them."""

    path: str
    problems: list[Problem]

    def report(self, node: Node, message: str, rule: str = "invalid", warning: bool = False) -> None:
        """Note a problem at a node."""
        self.problems.append(Problem(Place(self.path, node.line, node.column), message, rule, warning))

    def entries(self, node: Node, known: Iterable[str], what: str) -> dict[str, Node] | None:
        """Return a mapping's entries by key, noting keys that are not known; None when it is no mapping."""
        if not isinstance(node, source.Mapping):
            self.report(node, f"{what} must be a mapping, not {shape_of(node)}", "not-a-mapping")
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

    def _value(self, node: Node, key: Key, what: str) -> Any:
        match key.shape:
            case Shape.STRING:
                return self.string(node, what)
            case Shape.STRINGS:
                return self.strings(node, what)
            case Shape.BOOLEAN:
                return self.boolean(node, what)
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
            self.report(node, f"{what} must be a mapping, not {shape_of(node)}", "not-a-mapping")
            return None
        return {name.text: self.read(value, key.keys, f"{name.text!r}") for name, value in node.entries}

    def _texts(self, node: Node, what: str) -> dict[str, str] | None:
        if not isinstance(node, source.Mapping):
            self.report(node, f"{what} must be a mapping, not {shape_of(node)}", "not-a-mapping")
            return None
        found = {name.text: self.string(value, f"{name.text!r} in {what}") for name, value in node.entries}
        return {name: text for name, text in found.items() if text is not None}

    def items(self, node: Node, what: str) -> tuple[Node, ...] | None:
        """Return a list's items, or None with a problem."""
        if isinstance(node, Sequence):
            return node.items
        self.report(node, f"{what} must be a list, not {shape_of(node)}", "wrong-value")
        return None

    def string(self, node: Node, what: str) -> str | None:
        """Return a text, or None with a problem. Numbers and booleans without quotes are the texts they are written as."""
        if isinstance(node, Scalar) and not node.is_null:
            return node.text
        self.report(node, f"{what} must be a text, not {shape_of(node)}", "wrong-value")
        return None

    def strings(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Return a list of texts, or None with a problem; null items are empty texts."""
        items = self.items(node, what)
        if items is None:
            return None
        texts = ["" if isinstance(item, Scalar) and item.is_null else self.string(item, what) for item in items]
        return tuple(text for text in texts if text is not None)

    def boolean(self, node: Node, what: str) -> bool | None:
        """Return true or false, or None with a problem."""
        if isinstance(node, Scalar) and node.text in TRUES | FALSES:
            return node.text in TRUES
        self.report(node, f"{what} must be true or false, not {shape_of(node)}", "wrong-value")
        return None

    def number(self, node: Node, what: str) -> float | None:
        """Return a number, or None with a problem; YAML's .nan and .inf count."""
        if isinstance(node, Scalar):
            text = node.text.lower().lstrip("+").replace(".inf", "inf").replace(".nan", "nan")
            try:
                value = float(text)
            except ValueError:
                value = None
            if value is not None and "_" not in text:
                return value
        self.report(node, f"{what} must be a number, not {shape_of(node)}", "wrong-value")
        return None

    def integer(self, node: Node, what: str) -> int | None:
        """Return a whole number of at most nine digits, or None with a problem."""
        if isinstance(node, Scalar):
            try:
                value = float(node.text)
            except ValueError:
                value = math.nan
            if value.is_integer() and abs(value) < 1e9:
                return int(value)
        self.report(node, f"{what} must be a whole number, not {shape_of(node)}", "wrong-value")
        return None

    def choice(self, node: Node, choices: Iterable[str], what: str) -> str | None:
        """Return one of the choices, or None with a problem that names the nearest."""
        text = self.string(node, what)
        if text is None or text in choices:
            return text
        hint = nearest(text, choices) or f"; expected one of {one_of(choices)}"
        self.report(node, f"{what} can't be {text!r}{hint}", "unknown-value")
        return None


def shape_of(node: Node) -> str:
    """Return what a node is, for a message."""
    if isinstance(node, source.Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.is_null:
        return "nothing"
    return repr(node.text if len(node.text) <= 40 else node.text[:39] + "…")
