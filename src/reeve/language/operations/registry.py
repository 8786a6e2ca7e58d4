"""The operations that policies may use, by their names: a value that is handed on, so that there may be others than ours."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from reeve.language.arguments import arguments
from reeve.language.notation import Notation


@dataclass(frozen=True)
class Operations:
    """The classes of the operations.

    `legacy` ones are of the legacy dialect. They may have names that others have: such a name means the legacy class when it is
    written with an argument that only that class has.
    """

    classes: tuple[type[Any], ...]
    legacy: tuple[type[Any], ...] = ()

    def adding(self, *classes: type[Any]) -> "Operations":
        """Return these operations and some more.

        Raises:
            ValueError: a name of theirs is taken.
        """
        taken = [name for one in classes for name in one.NAMES if name in self.by_name]
        if taken:
            raise ValueError(f"there is an operation {taken[0]} already")
        return replace(self, classes=(*self.classes, *classes))

    @cached_property
    def current(self) -> dict[str, type[Any]]:
        """The classes that are not of the legacy dialect, by name."""
        return {name: one for one in self.classes for name in one.NAMES}

    @cached_property
    def by_name(self) -> dict[str, type[Any]]:
        """The class of each name; of one that both dialects have, the current one's."""
        return {name: one for one in self.legacy for name in one.NAMES} | self.current

    @cached_property
    def _shared(self) -> dict[str, type[Any]]:
        return {name: one for one in self.legacy for name in one.NAMES if name in self.current}

    @cached_property
    def notation(self) -> Notation:
        """How condition texts are read."""
        return Notation.of(form for one in (*self.classes, *self.legacy) for form in getattr(one, "NOTATION", ()))

    def class_of(self, name: str, given: Collection[str]) -> type[Any] | None:
        """Return the class that a name means, written with some arguments; None when there is no such operation."""
        shared = self._shared.get(name)
        if shared is not None and set(given) & (arguments(shared).keys() - arguments(self.current[name]).keys()):
            return shared
        return self.by_name.get(name)
