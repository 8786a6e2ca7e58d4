"""What of its data a JMESPath expression reads, known before the data is there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from reeve.language.queries import Query, compile_query

Path = tuple[str, ...]
"""The names on the way from the top of the data to a value; lists on the way are not named."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a value may have been read, and, of an object that an expression makes, the same of its members."""

    paths: frozenset[Path] = frozenset()
    members: Mapping[str, "Found"] = field(default_factory=dict[str, "Found"])


NOTHING = Found()
_PROJECTIONS = ("projection", "value_projection", "filter_projection")
_PASSING = frozenset(
    {"max_by", "max", "min_by", "min", "merge", "not_null", "reverse", "sort_by", "sort", "to_array", "values"}
)
"""The functions that give (parts of) what they are given."""
_CHAINS = ("subexpression", "index_expression", "pipe")


def reads(query: Query, names: Mapping[str, Found]) -> tuple[Found, frozenset[Path]]:
    """Return where what a query finds may have been read, and every path that it reads.

    Args:
        query: the compiled expression.
        names: those names at the top of the data that stand for what other expressions found.
    """
    walk = _Walk(names)
    found = walk.of(query.parsed, Found(frozenset({()})))
    return found, frozenset(walk.read)


@cache
def members_read(expression: str) -> frozenset[Path]:
    """Return the members that an expression of a type reads: the names on the way to each, from the top of its data.

    Raises:
        ValueError: it is not JMESPath.
    """
    return frozenset(path for path in reads(compile_query(expression, more=True), {})[1] if path)


PARENT = "_parent."
"""What stands before the name of a field of a parent."""


@cache
def names_read(expression: str) -> frozenset[str]:
    """Return the names that an expression of a type reads from the top of its data, and `_parent.name` for a parent's fields.

    Raises:
        ValueError: it is not JMESPath.
    """
    top, paths = PARENT.removesuffix("."), members_read(expression)
    return frozenset(path[0] if path[0] != top else PARENT + path[1] for path in paths if path[0] != top or len(path) > 1)


_WHOLE = frozenset({(), (PARENT.removesuffix("."),)})


@cache
def uses_whole(expression: str) -> bool:
    """Return whether an expression of a type uses all that it sees, or all of a parent, of which it names nothing.

    What such a value rests on, and whether that could be read, nobody can say.

    Raises:
        ValueError: it is not JMESPath.
    """
    walk = _Walk({})
    walk.use(walk.of(compile_query(expression, more=True).parsed, Found(frozenset({()}))))
    return walk.whole


@dataclass(slots=True)
class _Walk:
    names: Mapping[str, Found]
    read: set[Path] = field(default_factory=set[Path])
    whole: bool = False

    def use(self, *found: Found) -> None:
        """Note that values are used as they are: compared, handed to a function, or what the expression finds."""
        for one in found:
            self.whole = self.whole or not one.paths.isdisjoint(_WHOLE)
            self.use(*one.members.values())

    def of(self, node: Mapping[str, Any], current: Found) -> Found:
        """Return where a part of an expression finds its value, given where the data that it sees was found."""
        kind, children = str(node["type"]), cast("list[Any]", node.get("children", []))
        match kind:
            case "field":
                return self._member(current, str(node["value"]))
            case "literal" | "comparator" | "not_expression":
                self.use(*self._each(children, current))
                return NOTHING
            case "multi_select_dict":
                return Found(members={str(pair["value"]): self.of(pair["children"][0], current) for pair in children})
            case "function_expression":
                return self._call(str(node["value"]), children, current)
            case _ if kind in _CHAINS:
                for child in children:
                    current = self.of(child, current)
                return current
            case _ if kind in _PROJECTIONS:
                left = self.of(children[0], current)
                if kind == "value_projection":
                    self.use(left)
                self._each(children[2:], left)
                return self.of(children[1], left)
            case "index" | "slice" | "current" | "identity":
                return current
            case _:  # flatten, lists, or, and: any of the parts
                return _either(self._each(children, current))

    def _each(self, children: Iterable[Any], current: Found) -> list[Found]:
        nodes = (cast("Mapping[str, Any]", child) for child in children if isinstance(child, Mapping))
        return [self.of(node, current) for node in nodes]

    def _member(self, current: Found, name: str) -> Found:
        if name in current.members:
            return current.members[name]
        if () in current.paths and name in self.names:
            return self.names[name]
        paths = frozenset((*path, name) for path in current.paths)
        self.read |= paths
        return Found(paths)

    def _call(self, name: str, children: list[Any], current: Found) -> Found:
        given = _either(self._each((child for child in children if child["type"] != "expref"), current))
        by = self._each((child["children"][0] for child in children if child["type"] == "expref"), given)
        if name == "map":
            return _either(by)
        self.use(*by)
        if name in _PASSING:
            return given
        self.use(given)
        return NOTHING


def _either(found: Iterable[Found]) -> Found:
    some = list(found)
    paths = frozenset(path for one in some for path in one.paths)
    names = {name for one in some for name in one.members}
    return Found(paths, {name: _either([one.members[name] for one in some if name in one.members]) for name in names})
