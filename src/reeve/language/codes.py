"""Codes: what they stand for, and all arithmetic with them (policy language, section 2).

Of condition n (from 1): n·100 + k says that its k-th undetermined check fired, n·100 + 98 that an error occurred that no check
declares, n·100 + 99 that it is true. 99 is a disappeared object's; after N conditions, (N + 1)·100 is otherwise's.
"""

from reeve.model import Code

_CONDITION, ERROR, _TRUE = 100, 98, 99

MOST_CHECKS = ERROR - 1
"""How many undetermined checks a condition may declare: the next would take an error's code, the one after it that of true."""
MOST_CONDITIONS = 1_000
"""How many conditions a list may have: codes stay far from what a column of 32 bits holds, and a query of them can be run."""

DISAPPEARED = Code(_TRUE)


def fired(condition: int, number: int) -> Code:
    """Return the code of the undetermined check of a number, or of an error (`ERROR`), in a condition."""
    return Code(condition * _CONDITION + number)


def error(condition: int) -> Code:
    """Return the code of an error that no check of a condition declares."""
    return fired(condition, ERROR)


def true(condition: int) -> Code:
    """Return the code of a condition that is true."""
    return fired(condition, _TRUE)


def otherwise(conditions: int) -> Code:
    """Return the code of what holds when none of so many conditions decides."""
    return fired(conditions + 1, 0)


def condition_of(code: int) -> int:
    """Return the number of a code's condition: 0 for a disappeared object, for otherwise one more than there are."""
    return code // _CONDITION


def is_error(code: int) -> bool:
    """Return whether a code stands for an error that no check declares."""
    return code % _CONDITION == ERROR


def is_check(code: int) -> bool:
    """Return whether a code stands for an undetermined check that fired."""
    return 0 < code % _CONDITION < ERROR
