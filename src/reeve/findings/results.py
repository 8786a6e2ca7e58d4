"""The results of judging a snapshot: findings by policy, with their sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reeve.findings import exit_codes
from reeve.findings.completeness import Completeness
from reeve.findings.frameworks import FrameworkResult
from reeve.findings.remedies import Remedy
from reeve.inventory.manifest import CollectionError, Manifest
from reeve.model import Meaning, Policy, Status
from reeve.repository.links import Link
from reeve.repository.metadata import SEVERITIES


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one object under one policy, with what it rests on.

    `as_of` is when the facts were so, `source` the API call they came from, `not_collected` the reasons for the fields that
    could not be read. `remedy` is how the object is mended, if the policy says so.
    """

    object_id: str
    object_name: str
    meaning: Meaning
    runtime_error: str | None
    as_of: datetime
    source: str
    not_collected: Mapping[str, str]
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """A policy's findings, worst status first, and the sections that each of them touches.

    `counts` is the number of objects in each status; every status is there. `findings` may be of the worst objects only.
    """

    policy: Policy
    object_type: str
    links: Sequence[Link]
    remediation: str
    findings: Sequence[Finding]
    counts: Mapping[Status, int]


SHOWN_ORDER = (Status.INCOMPLIANT, Status.UNDETERMINED, Status.COMPLIANT, Status.INAPPLICABLE, Status.DISAPPEARED)
"""The statuses in the order in which reports show them."""
FEW = 3
"""Up to how many policies a report shows one by one, with everything, without an overview."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a report shows.

    `completeness` is what of the snapshot the policies lack, `framework` the one that was asked for, if any.
    """

    manifest: Manifest
    completeness: Completeness
    policies: Sequence[PolicyResult]
    framework_names: Mapping[str, str]
    framework: FrameworkResult | None = None

    @property
    def many(self) -> bool:
        """Whether there are so many policies that a report begins with an overview."""
        return len(self.policies) > FEW

    @property
    def worst_first(self) -> Sequence[PolicyResult]:
        """The policies by their worst status, then by severity, then by name."""

        def rank(result: PolicyResult) -> tuple[int, int, str]:
            worst = next((number for number, status in enumerate(SHOWN_ORDER) if result.counts[status]), len(SHOWN_ORDER))
            severity = result.policy.severity or ""  # a policy without one comes last
            weight = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
            return worst, weight, result.policy.full_name

        return sorted(self.policies, key=rank)

    @property
    def complete(self) -> bool:
        """Whether all that the policies need could be read."""
        return not self.completeness.incomplete

    @property
    def errors(self) -> Sequence[CollectionError]:
        """What could not be read of what is read or shown for the policies."""
        return self.completeness.errors

    @property
    def exit_code(self) -> int:
        """The exit code that these results end with."""
        return exit_codes.of_results((result.counts for result in self.policies), self.complete)
