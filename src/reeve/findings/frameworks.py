"""A framework's tree: for each section how many objects are in each status, and a verdict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reeve.model import Section, Status


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
    complete: bool,
) -> FrameworkResult:
    """Return a framework's tree.

    Args:
        wanted: the id of the framework, or of one of its sections.
        sections: all sections; that one and those below it are taken.
        linked: the ids of the sections that each judged policy is linked to.
        counts: each judged policy's number of objects by status.
        complete: whether everything that was asked for could be read.
    """
    own = sorted((section for section in sections if is_within(section.id, wanted)), key=lambda section: section.id)
    ids = {section.id for section in own}
    parents = {section.id.rpartition("/")[0] for section in own}
    policies: dict[str, set[str]] = {section_id: set() for section_id in ids}
    for policy, section_ids in linked.items():
        for section_id in section_ids:
            for above in _line(section_id, ids):
                policies[above].add(policy)
    leaves = [section_id for section_id in ids if section_id not in parents]
    below = {section_id: [leaf for leaf in leaves if section_id in _line(leaf, ids)] for section_id in parents & ids}
    found: list[SectionResult] = []
    for section in own:
        mine = below.get(section.id, [section.id])
        total = {status: sum(counts[policy][status] for policy in policies[section.id]) for status in Status}
        found.append(
            SectionResult(
                section,
                section.id.count("/") - wanted.count("/"),
                tuple(sorted(policies[section.id])),
                total,
                verdict(total, bool(policies[section.id]), complete),
                sum(bool(policies[leaf]) for leaf in mine),
                len(mine),
            )
        )
    return FrameworkResult(found)


def verdict(counts: Mapping[Status, int], judged: bool, complete: bool) -> Verdict:
    """Return what counts come to: failed if anything is INCOMPLIANT; what was not seen is never passed.

    Args:
        counts: the number of objects by status.
        judged: whether any policy judged.
        complete: whether everything that was asked for could be read; if not, that there is no object may be for that.
    """
    if not judged:
        return Verdict.NOT_JUDGED
    if counts[Status.INCOMPLIANT]:
        return Verdict.FAILED
    if counts[Status.UNDETERMINED]:
        return Verdict.INCOMPLETE
    if counts[Status.COMPLIANT]:
        return Verdict.PASSED
    seen = any(counts.values())
    return Verdict.NOT_APPLICABLE if seen or complete else Verdict.INCOMPLETE


def is_within(section_id: str, wanted: str) -> bool:
    """Return whether a section is another one, or below it."""
    return section_id == wanted or section_id.startswith(f"{wanted}/")


def _line(section_id: str, ids: set[str]) -> set[str]:
    """Return a section and those above it."""
    parts = section_id.split("/")
    return {"/".join(parts[:n]) for n in range(3, len(parts) + 1)} & ids
