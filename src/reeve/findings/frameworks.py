"""A framework's tree: for each section how many objects are in each status, and a verdict."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reeve.model import Section, Status
from reeve.repository.links import ancestors
from reeve.repository.selection import is_within


class Verdict(StrEnum):
    """What a framework's section comes to."""

    FAILED = "failed"
    INCOMPLETE = "incomplete"
    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class SectionResult:
    """A section, or the framework itself, with what its policies and those of the sections below it say.

    `depth` is 0 for what was asked for. `counts` is the number of objects in each status, an object once for each policy that
    judges it; every status is there. `judged` of `leaves` sections without sections below them have a policy that judged.
    """

    section: Section
    depth: int
    policies: tuple[str, ...]
    counts: Mapping[Status, int]
    verdict: Verdict
    judged: int
    leaves: int


@dataclass(frozen=True, slots=True)
class FrameworkResult:
    """A framework's sections, or those below one of them, in the order of the tree; what was asked for comes first."""

    sections: Sequence[SectionResult]

    @property
    def whole(self) -> SectionResult:
        """The framework, or the section, that was asked for."""
        return self.sections[0]


def framework_result(
    wanted: str,
    sections: Iterable[Section],
    linked: Mapping[str, Iterable[str]],
    counts: Mapping[str, Mapping[Status, int]],
    incomplete: Container[str],
) -> FrameworkResult:
    """Return a framework's tree.

    Args:
        wanted: the id of the framework, or of one of its sections.
        sections: all sections; that one and those below it are taken.
        linked: the ids of the sections that each judged policy is linked to.
        counts: each judged policy's number of objects by status.
        incomplete: the ids of policies that need what could not be read.
    """
    own = sorted((section for section in sections if is_within(section.id, wanted)), key=lambda section: section.id)
    ids = {section.id for section in own}
    parents = {section.id.rpartition("/")[0] for section in own}
    policies: dict[str, set[str]] = {section_id: set() for section_id in ids}
    for policy, section_ids in linked.items():
        for section_id in section_ids:
            for above in ancestors(section_id, ids):
                policies[above].add(policy)
    leaves, judged = Counter[str](), Counter[str]()
    for leaf in ids - parents:
        for above in ancestors(leaf, ids):
            leaves[above] += 1
            judged[above] += bool(policies[leaf])
    found: list[SectionResult] = []
    for section in own:
        linked_here = policies[section.id]
        total = {status: sum(counts[policy][status] for policy in linked_here) for status in Status}
        reached = verdict(total, bool(linked_here), not any(policy in incomplete for policy in linked_here))
        depth = section.id.count("/") - wanted.count("/")
        of = leaves[section.id]
        found.append(SectionResult(section, depth, tuple(sorted(linked_here)), total, reached, judged[section.id], of))
    return FrameworkResult(found)


def verdict(counts: Mapping[Status, int], judged: bool, complete: bool) -> Verdict:
    """Return what counts come to: failed if anything is INCOMPLIANT; what was not seen is never passed.

    Args:
        counts: the number of objects by status.
        judged: whether any policy judged.
        complete: whether all that these policies need could be read; if not, there may be more objects.
    """
    if not judged:
        return Verdict.NOT_JUDGED
    if counts[Status.INCOMPLIANT]:
        return Verdict.FAILED
    if counts[Status.UNDETERMINED] or not complete:
        return Verdict.INCOMPLETE
    return Verdict.PASSED if counts[Status.COMPLIANT] else Verdict.NOT_APPLICABLE
