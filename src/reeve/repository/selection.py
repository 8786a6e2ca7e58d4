"""Which policies are meant: by patterns, by a framework or one of its sections, by what a snapshot was collected for."""

from collections.abc import Sequence

from reeve.repository.links import link
from reeve.repository.repository import Repository


def select_policies(
    repository: Repository, patterns: Sequence[str], framework: str | None, collected_for: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the ids of the policies that match the patterns and, if a framework is named, are linked to it.

    Without patterns they are those that a snapshot was collected for, if it says so.

    Raises:
        LookupError: a pattern matches no policy, or there is no such framework.
    """
    chosen = repository.select(tuple(patterns))
    if collected_for and not patterns:
        chosen = tuple(policy_id for policy_id in chosen if policy_id in collected_for)
    if framework is None:
        return chosen
    wanted = section_id(repository, framework)
    links = link(repository.policies.values(), repository.sections, repository.rules)
    return tuple(i for i in chosen if any(is_within(found.section.id, wanted) for found in links.by_policy[i]))


def section_id(repository: Repository, framework: str) -> str:
    """Return the id of a framework that is given by its name, or of a section that is given by its id.

    Raises:
        LookupError: there is none.
    """
    wanted = framework.rstrip("/") if framework.startswith("/") else f"/frameworks/{framework}"
    if wanted not in repository.sections:
        known = sorted(one.id.rpartition("/")[2] for one in repository.sections.values() if one.is_framework)
        raise LookupError(f"there is no framework {framework!r}; there are {', '.join(known)}")
    return wanted


def is_within(section_id: str, wanted: str) -> bool:
    """Return whether a section is another one, or below it."""
    return section_id == wanted or section_id.startswith(f"{wanted}/")
