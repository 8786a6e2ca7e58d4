"""The exit codes of `reeve`, and which of them results end with: this module alone says so."""

from collections.abc import Iterable, Mapping

from reeve.model import Status

EXIT_WELL, EXIT_INCOMPLIANT, EXIT_WRONG_USE, EXIT_INCOMPLETE = 0, 1, 2, 3
EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_TERMINATED = 70, 130, 143


def of_results(counts: Iterable[Mapping[Status, int]], complete: bool) -> int:
    """Return the exit code of judged policies.

    Args:
        counts: the number of objects in each status, of each selected policy.
        complete: whether all that the selected policies need could be read.

    Returns:
        1 if anything is INCOMPLIANT, whatever else could not be read; else 3 if anything is UNDETERMINED or could not be read,
        or nothing was judged by any policy; else 0.
    """
    policies = list(counts)
    if any(one[Status.INCOMPLIANT] for one in policies):
        return EXIT_INCOMPLIANT
    undecided = any(one[Status.UNDETERMINED] for one in policies)
    return EXIT_WELL if policies and complete and not undecided else EXIT_INCOMPLETE


def of_collecting(complete: bool) -> int:
    """Return the exit code of a collection: 0, or 3 if something that a selected policy needs could not be read."""
    return EXIT_WELL if complete else EXIT_INCOMPLETE
