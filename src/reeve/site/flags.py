"""Flags: what holds of a policy that its page and every list it is counted in should say (policy language, section 8)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from reeve.model import Policy
from reeve.site.policy_page import LogicView

GOOD, WARNING = "good", "unsure"


@dataclass(frozen=True, slots=True)
class Flag:
    """What may hold of a policy: its name, whether it is good or a warning, and the sentence of its list."""

    name: str
    color: str
    description: str
    holds: Callable[[Policy, Sequence[LogicView]], bool]


FLAGS: Mapping[str, Flag] = {
    "categories": Flag("Policy with categories", GOOD, "With a category.", lambda policy, logics: bool(policy.categories)),
    "type": Flag("Policy with type", GOOD, "With a type.", lambda policy, logics: policy.type is not None),
    "production": Flag("Production policy", GOOD, "With production logic.", lambda policy, logics: policy.is_production),
    "work-in-progress": Flag(
        "Work in progress", WARNING, "With a file wip.logic.yaml.", lambda policy, logics: "wip.logic.yaml" in policy.files
    ),
    "todo": Flag("Has todo", WARNING, "With a file todo.md.", lambda policy, logics: "todo.md" in policy.files),
    "internal-notes": Flag(
        "Has internal notes", WARNING, "With a file internal.md.", lambda policy, logics: "internal.md" in policy.files
    ),
    "not-automated": Flag("Can't be automated", WARNING, "Judged by hand.", lambda policy, logics: policy.impossible),
    "without-description": Flag(
        "Without description",
        WARNING,
        "Without a file description.md.",
        lambda policy, logics: "description.md" not in policy.files,
    ),
    "without-remediation": Flag(
        "Without remediation",
        WARNING,
        "Without a file remediation.md.",
        lambda policy, logics: "remediation.md" not in policy.files,
    ),
    "without-test-data": Flag(
        "Logic without test data",
        WARNING,
        "With a logic file that nothing tests.",
        lambda policy, logics: any(not one.test_files and not one.tests for one in logics),
    ),
    "without-test-results": Flag(
        "Test results missing",
        WARNING,
        "With test objects of which nobody said what is expected.",
        lambda policy, logics: any(one.without_result for one in logics),
    ),
}
"""The flags by the last part of their lists' addresses, in order."""

Flags = tuple[tuple[str, int], ...]
"""Which flags hold, by their keys, and of how many policies."""


def flags_of(policy: Policy, logics: Sequence[LogicView]) -> Flags:
    """Return the flags of one policy."""
    return tuple((key, 1) for key, flag in FLAGS.items() if flag.holds(policy, logics))


def flags_together(several: Iterable[Flags]) -> Flags:
    """Return the flags of several policies, with the number of policies that have each."""
    counted = Counter(key for flags in several for key, _ in flags)
    return tuple((key, counted[key]) for key in FLAGS if counted[key])


@cache
def flag_counts(flags: Flags) -> Markup:
    """Return flags as HTML for a cell: how many are good, and how many are warnings, each number with the words behind it."""
    found = Markup()
    for color in (GOOD, WARNING):
        counts = [(FLAGS[key].name, count) for key, count in flags if FLAGS[key].color == color]
        words = [f"{name}: {count}" for name, count in counts]
        if counts:
            cell = Markup('<span class="flag {}" role="img" aria-label="{}" title="{}">{}</span>')
            found += cell.format(color, ", ".join(words), "\n".join(words), sum(count for _, count in counts))
    return found
