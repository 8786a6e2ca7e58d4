"""What pages are made from: a repository with its links counted once, and the last scan beside it, if there is one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reeve.findings.frameworks import SectionResult, framework_result
from reeve.findings.results import SHOWN_ORDER, PolicyResult, Results
from reeve.model import InternalRule, Section, Status
from reeve.repository.links import Links, ancestors, link
from reeve.repository.repository import Repository
from reeve.site.flags import Flags, flags_of, flags_together
from reeve.site.policy_page import LogicView, logics_of


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy in a table; `counts` by status if it was judged."""

    id: str
    name: str
    severity: str
    production: bool
    flags: Flags
    counts: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section in a table, with the counters of the seed page; `depth` below what is shown. A blank is zero."""

    id: str
    name: str
    depth: int
    sub_sections: int
    internal_rules: int
    policies: int
    flags: Flags
    verdict: str | None
    framework: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """An internal rule in a table, with how many policies name it, and their flags."""

    id: str
    name: str
    policies: int
    flags: Flags


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder in a table, with how many policies are in it or below it, and their flags."""

    id: str
    name: str
    policies: int
    flags: Flags


def in_order(counts: Mapping[Status, int]) -> dict[str, int]:
    """Return numbers of objects by the name of their status, in the order in which reports show them."""
    return {str(status): counts[status] for status in SHOWN_ORDER}


class Catalogue:
    """A repository's policies, sections and rules with what links them."""

    def __init__(self, repository: Repository, results: Results | None = None) -> None:
        """Count the links.

        Raises:
            InvalidRepositoryError: some file has errors; all of them are named.
        """
        self.repository, self.results = repository, results
        self.policies, self.sections, self.rules = repository.policies, repository.sections, repository.rules
        self.links: Links = link(self.policies.values(), self.sections, self.rules)
        self.heirs: dict[str, list[str]] = defaultdict(list)
        self.children: dict[str, list[str]] = defaultdict(list)
        self.direct: dict[str, list[str]] = defaultdict(list)
        self.mapped: dict[str, list[str]] = defaultdict(list)
        self.by_rule: dict[str, list[str]] = defaultdict(list)
        self._count()
        self.judged: Mapping[str, PolicyResult] = {one.policy.id: one for one in results.policies} if results else {}
        self.verdicts: Mapping[str, SectionResult] = self._verdicts(results) if results else {}

    def _count(self) -> None:
        for section in self.sections.values():
            for named in section.similar:
                self.heirs[named].append(section.id)
            parent = next(ancestors(section.id.rpartition("/")[0], self.sections), None)
            if parent is not None:
                self.children[parent].append(section.id)
        for rule_id, found in self.links.by_rule.items():
            for section_id in found:
                self.mapped[section_id].append(rule_id)
        for policy_id, found in self.links.by_policy.items():
            for one in found:
                self.direct[one.section.id].append(policy_id)
            for rule_id in self.policies[policy_id].internal_rules:
                self.by_rule[rule_id].append(policy_id)

    def _verdicts(self, results: Results) -> dict[str, SectionResult]:
        linked = {policy_id: [one.section.id for one in self.links.by_policy[policy_id]] for policy_id in self.judged}
        totals = {policy_id: one.counts for policy_id, one in self.judged.items()}
        found = dict[str, SectionResult]()
        for framework in self.frameworks:
            own = [section for section in self.sections.values() if section.framework == framework.id]
            tree = framework_result(framework.id, own, linked, totals, results.completeness.incomplete)
            found.update((one.section.id, one) for one in tree.sections)
        return found

    @cached_property
    def logics(self) -> Mapping[str, Sequence[LogicView]]:
        """The logic files of each policy, by its id.

        Raises:
            InvalidRepositoryError: a logic file or test data has errors.
        """
        return {policy.id: logics_of(self.repository, policy) for policy in self.policies.values()}

    @cached_property
    def flags(self) -> Mapping[str, Flags]:
        """The flags of each policy, by its id.

        Raises:
            InvalidRepositoryError: a logic file or test data has errors.
        """
        return {one.id: flags_of(one, self.logics[one.id]) for one in self.policies.values()}

    @cached_property
    def _section_flags(self) -> Mapping[str, Flags]:
        return {one: self.flags_together(policies) for one, policies in self.links.policies.items()}

    def flags_together(self, policy_ids: Iterable[str]) -> Flags:
        """Return the flags of some policies, with the number of policies that have each."""
        return flags_together(self.flags[one] for one in policy_ids)

    @cached_property
    def policies_by_type(self) -> Mapping[str, Sequence[str]]:
        """By the id of a type, the policies in production that judge its objects.

        Raises:
            InvalidRepositoryError: some logic has errors.
        """
        found: dict[str, list[str]] = defaultdict(list)
        for policy_id, logics in self.logics.items():
            for one in logics:
                if one.production and one.body:
                    found[one.body.type_id].append(policy_id)
        return found

    @property
    def frameworks(self) -> Sequence[Section]:
        """The frameworks, in order."""
        return [section for section in self.sections.values() if section.is_framework]

    def policy_rows(self, policy_ids: Iterable[str], contextual: bool = False) -> tuple[PolicyRow, ...]:
        """Return policies as rows, in order of their names; `contextual` below their folder."""
        rows: list[PolicyRow] = []
        for policy_id in set(policy_ids):
            policy = self.policies[policy_id]
            name = policy.contextual_name if contextual else policy.full_name
            flags, counts = self.flags[policy_id], self.counts(policy_id)
            rows.append(PolicyRow(policy_id, name, policy.severity or "", policy.is_production, flags, counts))
        return tuple(sorted(rows, key=lambda row: (row.name, row.id)))

    def counts(self, policy_id: str) -> dict[str, int] | None:
        """Return a policy's number of objects by status; None if it was not judged."""
        result = self.judged.get(policy_id)
        return None if result is None else in_order(result.counts)

    def section_row(self, section: Section, depth: int = 0) -> SectionRow:
        """Return a section as a row."""
        counters, judged = self.links.counters[section.id], self.verdicts.get(section.id)
        framework = self.sections.get(section.framework)
        return SectionRow(
            section.id,
            section.name,
            depth,
            counters.sub_sections,
            counters.internal_rules,
            counters.policies,
            self._section_flags[section.id],
            str(judged.verdict) if judged else None,
            framework.name if framework else section.framework,
        )

    def section_rows(self, section_ids: Iterable[str]) -> tuple[SectionRow, ...]:
        """Return those sections that exist as rows."""
        return tuple(self.section_row(self.sections[one]) for one in section_ids if one in self.sections)

    def tree(self, section_id: str, depth: int = 0) -> tuple[Any, ...]:
        """Return the sections below one as (row, its own tree), in order."""
        found = (self.sections[child] for child in self.children.get(section_id, ()))
        return tuple((self.section_row(child, depth), self.tree(child.id, depth + 1)) for child in found)

    def rule_rows(self, rule_ids: Iterable[str]) -> tuple[RuleRow, ...]:
        """Return internal rules as rows, those too that have no file."""
        return tuple(self._rule_row(one, self.by_rule.get(one, ())) for one in sorted(set(rule_ids)))

    def _rule_row(self, rule_id: str, policies: Sequence[str]) -> RuleRow:
        return RuleRow(rule_id, self._rule_name(rule_id), len(policies), self.flags_together(policies))

    def _rule_name(self, rule_id: str) -> str:
        rule: InternalRule | None = self.rules.get(rule_id)
        return rule.name if rule else rule_id

    def folder_row(self, folder_id: str, contextual: bool = False) -> FolderRow:
        """Return a folder as a row; `contextual` below its own folder."""
        policies = [one for one in self.policies if one.startswith(f"{folder_id}/")]
        return FolderRow(folder_id, self.folder_name(folder_id, contextual), len(policies), self.flags_together(policies))

    def folder_name(self, folder_id: str, contextual: bool = False) -> str:
        """Return a folder's name, or the last part of its id; `contextual` below its own folder."""
        folder = self.repository.folders.get(folder_id)
        if folder is None:
            return folder_id.rpartition("/")[2] or "Policies"
        return folder.contextual_name if contextual else folder.full_name
