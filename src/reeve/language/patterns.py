"""Texts with JMESPath in them: `{{…}}` stands for what an expression finds in an object.

A command line is split into words *before* its places are filled in, and each word is quoted after: no value can become a
second word. What a shell, a program's options or a terminal would take for something else than a value fills in nothing.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from reeve.language.queries import Query, QueryError, compile_dated
from reeve.language.unread import NotCollected, PartlyCollected

_PLACE = re.compile(r"\{\{(.*?)\}\}(?!\})", re.DOTALL)
_HELD = re.compile("(\0[0-9]+\0)")
"""What stands for a place while a command line is split: no text of YAML holds the character."""
_TAKEN = re.compile(r"-|(?:file|fileb|https?)://")
"""How a word begins that a program takes for an option, or for the name of what it is to read in its place."""

MOST_FOUND = 1_000_000
"""How much an expression may find, in values and characters: what it finds may be what others start from."""


class UnfilledError(Exception):
    """A place can't be filled in: what it names is null, was not read, or is no plain value."""


class UnreadError(Exception):
    """An expression reads what could not be read."""


class Known(dict[str, Any]):
    """What is known of an object, as plain JSON: where a mark of what was not read stands, reading it fails."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value.

        Raises:
            UnreadError: it was not read, or of a list not all was.
        """
        return _read(super().get(name, default))

    # What takes an object as a whole (`*`, to_string, a comparison) would take a mark for a value.

    def values(self) -> Any:
        """Return all values.

        Raises:
            UnreadError: one of them was not read.
        """
        return [_read(value) for value in super().values()]

    def held(self) -> Iterable[Any]:
        """Return all values, and the marks that stand where others would."""
        return super().values()

    def items(self) -> Any:
        """Return all names, each with its value.

        Raises:
            UnreadError: one of them was not read.
        """
        return [(name, _read(value)) for name, value in super().items()]

    def __eq__(self, other: object) -> bool:
        self.items()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # pyright: ignore[reportAssignmentType] - as any dictionary


def _read(value: Any) -> Any:
    if isinstance(value, NotCollected | PartlyCollected):
        raise UnreadError(str(value))
    return value


Part = str | Query


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text, or a word of a command, as it was written, and its literal parts and places in order."""

    text: str
    parts: tuple[Part, ...]

    @property
    def queries(self) -> tuple[Query, ...]:
        """The expressions of its places."""
        return tuple(part for part in self.parts if isinstance(part, Query))

    @property
    def constant(self) -> str | None:
        """The text, if there are no places in it."""
        return None if self.queries else "".join(part for part in self.parts if isinstance(part, str))

    def fill(self, search: "Search") -> str:
        """Return the text with its places filled in.

        Raises:
            UnfilledError: one of them can't be.
        """
        return "".join(part if isinstance(part, str) else plain_text(search(part)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Search:
    """Looks expressions up in what is known of one object; days are counted to `now`, the moment of judging."""

    known: Known
    now: datetime

    def __call__(self, query: Query) -> Any:
        """Return what an expression finds.

        Raises:
            UnfilledError: it reads what was not read, fails on this data, or finds more than `MOST_FOUND`.
        """
        try:
            found = query.at(self.now).search(self.known)
        except (UnreadError, *QueryError) as error:
            raise UnfilledError(str(error)) from None
        if _is_larger(found, MOST_FOUND):
            raise UnfilledError(f"more than {MOST_FOUND:,} values and characters")
        return found

    def beside(self, name: str, value: Any) -> "Search":
        """Return the same with one more name."""
        return Search(Known({**self.known, name: value}), self.now)


def _is_larger(value: Any, most: int) -> bool:
    """Return whether a value is larger than so many values and characters; what stands in it twice counts twice."""
    pending = [value]
    while pending and most >= 0:
        found, most = pending.pop(), most - 1
        if isinstance(found, str):
            most -= len(found)
        elif isinstance(found, list | dict):
            pending.extend(_inside(cast("list[Any] | dict[str, Any]", found)))
    return most < 0


def _inside(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    if isinstance(value, Known):
        return value.held()  # an object of which something was not read may be found, as long as that is not used
    return value.values() if isinstance(value, dict) else value


def plain_text(value: Any) -> str:
    """Return a value as a text; a whole number has no fraction.

    Raises:
        UnfilledError: it is null, a list or an object.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return json.dumps(int(value) if value.is_integer() else value)
        case _:
            raise UnfilledError("no plain value")


def parse_pattern(text: str) -> Pattern:
    """Return a text with its places.

    Raises:
        ValueError: an expression is not JMESPath, or braces stand alone; the message says which.
    """
    parts: list[Part] = []
    for number, part in enumerate(_PLACE.split(text)):
        if number % 2:
            parts.append(compile_dated(part.strip()))
        elif "{{" in part:
            raise ValueError("{{ is not closed by }}")
        elif part:
            parts.append(part)
    return Pattern(text, tuple(parts))


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line with places: its `text` as it was written, and its words."""

    text: str
    words: tuple[Pattern, ...]

    @property
    def queries(self) -> tuple[Query, ...]:
        """The expressions of its places."""
        return tuple(query for word in self.words for query in word.queries)

    def fill(self, search: Search) -> str:
        """Return the command in one line, each word quoted for a POSIX shell.

        Raises:
            UnfilledError: a place can't be filled in, or its value would be taken for something else.
        """
        return " ".join(shlex.quote(_word(word, search)) for word in self.words)


def parse_command(text: str) -> CommandLine:
    """Return a command line with its places; quotes are as in a shell.

    Raises:
        ValueError: quotes are not closed, or as `parse_pattern`.
    """
    text = text.strip()
    if not text.isprintable():
        raise ValueError("a command is one line, of signs that can be seen")
    places: list[Query] = []

    def hold(found: re.Match[str]) -> str:
        places.append(compile_dated(found[1].strip()))
        return f"\0{len(places) - 1}\0"

    held = _PLACE.sub(hold, text)
    if "{{" in held:
        raise ValueError("{{ is not closed by }}")
    try:
        words = shlex.split(held)
    except ValueError as error:
        raise ValueError(f"not a command line: {str(error).lower()}") from None
    return CommandLine(text, tuple(Pattern(word, tuple(_parts(word, places))) for word in words))


def _parts(word: str, places: list[Query]) -> Iterator[Part]:
    for part in _HELD.split(word):
        if part.startswith("\0"):
            yield places[int(part[1:-1])]
        elif part:
            yield part


def _word(word: Pattern, search: Search) -> str:
    places = [plain_text(search(query)) for query in word.queries]
    filled = word.fill(search)
    begins = [filled] if isinstance(next(iter(word.parts), ""), Query) else []
    if any(not value.isprintable() or _TAKEN.match(value) for value in (*places, *begins)):
        raise UnfilledError("a value that would not be taken as it is")
    return filled
