"""Whether an answer holds what was asked for: the members that expressions read.

A member that is missing is no fact. What an answer may lack, and means something by lacking it, a type declares (`optional`);
every other member that an expression reads must be there, or nothing is known of what is picked from it. That is also what
tells an empty list from a foreign body: an empty list is there, as an element or member without items.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from reeve.collect.expressions import ExpressionError, items_of, search
from reeve.language.query_reads import Path, members_read
from reeve.model import Collect

_OURS = ("_parent", "_item", "_account", "_partition", "_region")


def optional_paths(collect: Collect) -> frozenset[Path]:
    """Return the members that what a type's expressions see may lack: those that it declares, and a call that is not made."""
    return frozenset(tuple(path.split(".")) for path in (*collect.optional, *collect.calls))


def lacking(expression: str, data: Any, optional: frozenset[Path] = frozenset()) -> str | None:
    """Return the first member that an expression reads and that is not there, as names joined by dots; None if all are.

    Args:
        expression: JMESPath.
        data: what it sees.
        optional: the members that may be missing.
    """
    for path in _ordered(expression):
        if not _is_there(data, path, 0, optional):
            return ".".join(path)
    return None


@cache
def _ordered(expression: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in members_read(expression) if path[0] not in _OURS))


def _is_there(value: Any, path: Path, start: int, optional: frozenset[Path]) -> bool:
    for position in range(start, len(path)):
        if not isinstance(value, dict):  # first, as nearly all are
            if isinstance(value, list):
                return all(_is_there(item, path, position, optional) for item in cast("list[Any]", value))
            return True
        value = cast("dict[str, Any]", value).get(path[position])
        if value is None:
            return path[: position + 1] in optional
    return True


def find(expression: str, data: Any, optional: frozenset[Path] = frozenset()) -> Any:
    """Return what an expression finds in plain data that holds all that it reads.

    Raises:
        ExpressionError: a member that it reads is not there, or it fails on this data.
    """
    _refuse_lacking(expression, data, optional)
    return search(expression, data)


def _refuse_lacking(expression: str, data: Any, optional: frozenset[Path]) -> None:
    name = lacking(expression, data, optional)
    if name is not None:
        raise ExpressionError(f"the answer lacks {name}")


def find_items(
    expression: str, page: Mapping[str, Any], base: Mapping[str, Any], alone: bool, optional: frozenset[Path] = frozenset()
) -> list[Any]:
    """Return the items of a list that are in a page of it.

    One of several pages (not `alone`) of a call that lists several things at once may hold some of them only.

    Raises:
        ExpressionError: the page lacks the list.
    """
    if not alone and lacking(expression, page, optional) and any(isinstance(value, list) for value in page.values()):
        return []
    return find_list(expression, {**page, **base}, optional)


def find_list(expression: str, data: Any, optional: frozenset[Path] = frozenset()) -> list[Any]:
    """Return the list that an expression finds in plain data that holds all that it reads; null is an empty one.

    Raises:
        ExpressionError: as `find`, or it finds something else.
    """
    _refuse_lacking(expression, data, optional)
    return items_of(expression, data)
