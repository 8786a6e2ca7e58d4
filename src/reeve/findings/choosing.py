"""Which of the judgements on an estate are shown with everything: the worst, as many as a reader, and a page, can hold."""

from collections.abc import Iterable, Mapping

from reeve.findings.results import SHOWN_ORDER, severity_rank
from reeve.model import Policy, Status

AT_MOST = 2_000
"""How many findings have everything, of all policies together."""
EACH = 10
"""How many a policy has of a status before others have more."""


def shares(counts: Iterable[tuple[Policy, Mapping[Status, int]]], at_most: int = AT_MOST) -> dict[str, dict[Status, int]]:
    """Return how many findings of each policy and status are shown.

    The worse status comes first, then the worse severity; but each policy has a few of a status before one has many.

    Args:
        counts: policies with their number of objects in each status.
        at_most: how many there may be in all.

    Returns:
        Numbers by policy id and status; every policy and status is there.
    """
    policies = list(counts)
    found = {policy.id: dict.fromkeys(SHOWN_ORDER, 0) for policy, _ in policies}
    ordered = sorted(policies, key=lambda pair: severity_rank(pair[0]))
    left = at_most
    for status in SHOWN_ORDER:
        for most in (EACH, at_most):
            for policy, own in ordered:
                more = min(left, min(own[status], most) - found[policy.id][status])
                found[policy.id][status] += more
                left -= more
    return found
