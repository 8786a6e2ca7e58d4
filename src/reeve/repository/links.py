"""Which sections a policy is linked to, and why; and what is counted for each section (policy language, section 1)."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from reeve.model import InternalRule, Policy, Section

T = TypeVar("T")


class Reason(StrEnum):
    """Why a section is linked."""

    MAPPING = "mapping"
    RULE = "internal rule"
    SIMILAR = "similar section"


@dataclass(frozen=True, order=True, slots=True)
class Why:
    """One reason for a link: the policy's own mapping, an internal rule (`source` its id), or a similar section (its id)."""

    reason: Reason
    source: str | None = None

    def __str__(self) -> str:
        return {Reason.MAPPING: "mapped by the policy", Reason.RULE: f"internal rule {self.source}"}.get(
            self.reason, f"similar to {self.source}"
        )


@dataclass(frozen=True, slots=True)
class Link:
    """A section that a policy is linked to, with every reason; direct reasons come first."""

    section: Section
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Counters:
    """What a section's row shows: sections below it, internal rules and policies linked to it or below."""

    sub_sections: int
    internal_rules: int
    policies: int


@dataclass(frozen=True, slots=True)
class Links:
    """The links of a whole repository.

    In order of sections: each policy's, and the sections of each internal rule. By section: the policies linked to it or
    below it, and its counters.
    """

    by_policy: Mapping[str, tuple[Link, ...]]
    by_rule: Mapping[str, tuple[str, ...]]
    policies: Mapping[str, frozenset[str]]
    counters: Mapping[str, Counters]


def link(policies: Iterable[Policy], sections: Mapping[str, Section], rules: Mapping[str, InternalRule]) -> Links:
    """Link policies to sections and count.

    Args:
        policies: every policy of the repository, as the counters are over all of them.
        sections: all sections by id.
        rules: all internal rules by id.

    Returns:
        The links and counters. Mappings to sections or rules that don't exist are left out: validation reports them.
    """
    heirs: dict[str, list[str]] = defaultdict(list)
    for section in sections.values():
        for named in section.similar:
            heirs[named].append(section.id)
    rule_sections = _sections_of_rules(sections, rules)
    by_policy = {policy.id: _links_of(policy, sections, rule_sections, heirs) for policy in policies}
    linked = {policy_id: {found.section.id for found in links} for policy_id, links in by_policy.items()}
    below = _below(sections)
    rules_of, policies_of = _at_or_below(rule_sections, sections), _at_or_below(linked, sections)
    counters = {one: Counters(below.get(one, 0), len(rules_of[one]), len(policies_of[one])) for one in sections}
    return Links(by_policy, {rule: tuple(sorted(found)) for rule, found in rule_sections.items()}, policies_of, counters)


def _sections_of_rules(sections: Mapping[str, Section], rules: Mapping[str, InternalRule]) -> dict[str, set[str]]:
    """Return the sections of each rule: those it names, and those that name one of its internal sections."""
    naming: dict[str, set[str]] = defaultdict(set)
    for section in sections.values():
        for internal in section.internal_sections:
            naming[internal].add(section.id)
    return {
        rule.id: (set(rule.sections) & sections.keys()).union(*(naming.get(one, ()) for one in rule.internal_sections))
        for rule in rules.values()
    }


def _links_of(
    policy: Policy,
    sections: Mapping[str, Section],
    rule_sections: Mapping[str, set[str]],
    heirs: Mapping[str, list[str]],
) -> tuple[Link, ...]:
    ignored = set(policy.framework_ignore_mappings)
    why: dict[str, set[Why]] = defaultdict(set)
    for section_id in policy.framework_mappings:
        if section_id in sections:
            why[section_id].add(Why(Reason.MAPPING))
    for rule_id in policy.internal_rules:
        for section_id in rule_sections.get(rule_id, set[str]()) - ignored:
            why[section_id].add(Why(Reason.RULE, rule_id))
    pending = list(why)
    while pending:
        named = pending.pop()
        for heir in heirs.get(named, ()):
            if heir in ignored:
                continue
            if heir not in why:
                pending.append(heir)
            why[heir].add(Why(Reason.SIMILAR, named))
    order = list(Reason)
    return tuple(
        Link(sections[section_id], tuple(sorted(why[section_id], key=lambda w: (order.index(w.reason), w.source or ""))))
        for section_id in sorted(why)
    )


def ancestors(section_id: str, sections: Container[str]) -> Iterator[str]:
    """Yield the id of a section and of those above it, as far as there are such sections."""
    while section_id.count("/") >= 2:
        if section_id in sections:
            yield section_id
        section_id = section_id.rpartition("/")[0]


def _below(sections: Mapping[str, Section]) -> dict[str, int]:
    below: dict[str, int] = defaultdict(int)
    for section_id in sections:
        for ancestor in ancestors(section_id.rpartition("/")[0], sections):
            below[ancestor] += 1
    return below


def _at_or_below(linked: Mapping[str, set[str]], sections: Mapping[str, Section]) -> dict[str, frozenset[str]]:
    """Return, for each section, the keys that are linked to it or to a section below it."""
    found: dict[str, set[str]] = {section_id: set() for section_id in sections}
    for key, section_ids in linked.items():
        for section_id in section_ids:
            for ancestor in ancestors(section_id, sections):
                found[ancestor].add(key)
    return {section_id: frozenset(keys) for section_id, keys in found.items()}
