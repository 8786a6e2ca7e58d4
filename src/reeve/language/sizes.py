"""How large, how deep and how rich in undetermined checks an expression may be."""

from reeve.language.codes import MOST_CHECKS
from reeve.language.operations.base import Expression, checks_of, operands_of

MAX_EXPRESSION = 20_000
"""How many operations a condition may hold, extracts counted in full at every occurrence."""
MAX_NESTING = 150
"""How deep operations may nest, through extracts too."""
TOO_DEEP = f"operations nested deeper than {MAX_NESTING} levels, extracts included"


def size_problem(expression: Expression) -> str | None:
    """Return what is wrong when an expression is too large or too deep, extracts counted in full; else None."""
    sizes: dict[int, tuple[int, int, int]] = {}
    size, depth, checks = _measure(expression, sizes, 0)
    if depth > MAX_NESTING:
        return TOO_DEEP
    if size > MAX_EXPRESSION:
        return f"more than {MAX_EXPRESSION:,} operations, extracts counted at every occurrence"
    if checks > MOST_CHECKS:
        return f"{checks:,} undetermined checks, extracts counted at every occurrence; a condition can declare {MOST_CHECKS}"
    return None


def _measure(expression: Expression, sizes: dict[int, tuple[int, int, int]], level: int) -> tuple[int, int, int]:
    """Return how many operations an expression holds, how deep they nest, and how many undetermined checks they declare."""
    if level > MAX_NESTING:
        return 1, 1, 0
    known = sizes.get(id(expression))
    if known is None:
        parts = [_measure(part, sizes, level + 1) for part in operands_of(expression)]
        own = len(checks_of(expression))
        depth = 1 + max((depth for _, depth, _ in parts), default=0)
        known = 1 + sum(size for size, _, _ in parts), depth, own + sum(checks for _, _, checks in parts)
        sizes[id(expression)] = known
    return known
