"""The results of judging a snapshot: counts and findings by policy, with their sections."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reeve.evaluate.evidence import Evidence
from reeve.evaluate.outcomes import Judgement
from reeve.findings import exit_codes
from reeve.findings.completeness import Completeness
from reeve.findings.frameworks import FrameworkResult
from reeve.findings.remedies import Remedy
from reeve.inventory.manifest import CollectionError, Manifest
from reeve.model import Meaning, ObjectType, Place, Policy, Status
from reeve.repository.links import Link
from reeve.repository.metadata import SEVERITIES


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one object under one policy, with what it rests on.

    `object_name` is None where the object has none or it could not be read. `console` is the object's page in the provider's
    console. `as_of` is when the facts were so, `source` the API calls that told of the object, `not_collected` the reasons for
    the fields that the policy reads and that could not be read. What is INCOMPLIANT or UNDETERMINED has `evidence`; `remedy` is
    how this very object is mended.
    """

    object_id: str
    object_name: str | None
    place: Place
    console: str | None
    meaning: Meaning
    runtime_error: str | None
    as_of: datetime
    source: str
    not_collected: Mapping[str, str]
    evidence: Evidence | None = None
    remedy: Remedy | None = None

    @property
    def shown_name(self) -> str:
        """The name that a person knows the object by, else its id."""
        return self.object_name or self.object_id


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What a policy said of all objects of its type, and the sections that each finding touches.

    `counts` is the number of objects in each status; every status is there. `meanings` says what each code stands for.
    `findings` are of the worst objects, worst first: as many as are shown with everything, of all policies together.
    """

    policy: Policy
    object_type: ObjectType
    links: Sequence[Link]
    remediation: str
    counts: Mapping[Status, int]
    meanings: Mapping[int, Meaning]
    findings: Sequence[Finding]

    @property
    def left_out(self) -> int:
        """How many objects are counted, but have no finding here."""
        return sum(self.counts.values()) - len(self.findings)


SHOWN_ORDER = (Status.INCOMPLIANT, Status.UNDETERMINED, Status.COMPLIANT, Status.INAPPLICABLE, Status.DISAPPEARED)
"""The statuses in the order in which reports show them."""
FEW = 3
"""Up to how many policies a report shows one by one, with everything, without an overview."""


def severity_rank(policy: Policy) -> int:
    """Return where a policy's severity stands, the worst first; a policy without one comes last."""
    severity = policy.severity or ""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a report shows.

    `completeness` is what of the snapshot the policies lack, `framework` the one that was asked for, if any. `rest` gives, by
    the id of a policy, the judgements on the objects that have no finding here, worst first; it is a query.
    """

    manifest: Manifest
    completeness: Completeness
    policies: Sequence[PolicyResult]
    framework_names: Mapping[str, str]
    rest: Callable[[str], Iterator[Judgement]]
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
            return worst, severity_rank(result.policy), result.policy.full_name

        return sorted(self.policies, key=rank)

    @property
    def shown(self) -> int:
        """How many findings there are here."""
        return sum(len(result.findings) for result in self.policies)

    @property
    def left_out(self) -> int:
        """How many judgements are counted, but have no finding here."""
        return sum(result.left_out for result in self.policies)

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
