"""Problems in a repository's files: where, what is wrong, what was expected (policy language, section 7)."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A position in a file: its path as shown to the user, line and column counted from 1.

    `key` is the path in the YAML or JSON, such as `conditions[0].check`: empty for the file as a whole.
    """

    path: str
    line: int = 1
    column: int = 1
    key: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One finding about a file. `rule` is the code of its kind, `warning` is false for what makes a file unusable."""

    position: Position
    message: str
    rule: str = "invalid"
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.position}: {'warning: ' if self.warning else ''}{self.message}"


class InvalidRepositoryError(Exception):
    """A repository, or the part of it that was asked for, can't be used; `problems` says why, in order of position."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" with the known name most like `name`, or "" when none is like it."""
    known = list(known)
    folded = {candidate.casefold(): candidate for candidate in known}
    if name.casefold() in folded:
        return f"; did you mean {folded[name.casefold()]}?"
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def one_of(known: Iterable[str]) -> str:
    """Return the known names as a list for a message, cut short when there are many."""
    names = sorted(known)
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
