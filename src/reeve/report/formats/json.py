"""The report as JSON: every judged object. The schema is documented in docs/report.md and kept in docs/report.schema.json.

It is written as it is made: what the head says first, then a line for each finding, so that a report of millions needs no
memory for them.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from reeve import __version__
from reeve.evaluate.evidence import Child, Evidence, Fact
from reeve.evaluate.outcomes import Judgement
from reeve.findings.frameworks import SectionResult, Verdict
from reeve.findings.remedies import Remedy
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.manifest import CollectionError, Part
from reeve.model import Meaning, Place, Status
from reeve.report.escaping import json_text

SCHEMA = "reeve.report/2"


def _doc(text: str) -> Any:
    return msgspec.Meta(description=text)


class FactReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Something that the deciding condition read."""

    path: Annotated[str, _doc("The field's name, through lookups with dots; or the related list's.")]
    value: Annotated[Any, _doc("Its value; long ones are cut.")]
    reason: Annotated[str | None, _doc("Why it, or a part of it, could not be read.")] = None
    more: Annotated[int, _doc("How many more items a list has.")] = 0
    counts: Annotated[
        Mapping[str, int] | None, _doc("Of a related list none of whose objects decided: how many have each status.")
    ] = None


class ChildReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An object of a related list that decided."""

    list: Annotated[str, _doc("The related list's name.")]
    type: str
    object: Annotated[str, _doc("The object's id.")]
    name: str
    status: Status
    message: Annotated[str, _doc("What is so.")]
    region: str | None = None
    summary: Annotated[str | None, _doc("What the object is, in a line.")] = None
    evidence: "EvidenceReport | None" = None


class EvidenceReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a verdict rests on."""

    text: Annotated[str, _doc("All of it in one line.")]
    calls: Annotated[tuple[str, ...], _doc("The API calls that these facts came from.")] = ()
    facts: tuple[FactReport, ...] = ()
    children: tuple[ChildReport, ...] = ()
    more: Annotated[int, _doc("How many objects decided beside those in `children`.")] = 0


class CommandReport(msgspec.Struct, frozen=True, rename="camel"):
    """A command of the provider's command line, quoted for a shell, and the one that undoes it."""

    run: str
    undo: str | None


class RemedyReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How this very object is mended. Nothing of it is ever executed by reeve."""

    say: Annotated[str, _doc("What to do, in words.")]
    commands: Annotated[tuple[CommandReport, ...], _doc("None where a value that they need is not known.")] = ()
    breaks: Annotated[str | None, _doc("What the commands can break.")] = None
    cannot_undo: Annotated[str | None, _doc("Why they can't be undone.")] = None


class FindingReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The verdict on one object under one policy."""

    policy: Annotated[str, _doc("The policy's id.")]
    status: Status
    code: Annotated[int, _doc("Identifies status, message and text: 99, 101, 199, … (`policies[].outcomes`).")]
    message: Annotated[str, _doc("What is so.")]
    object: Annotated[str, _doc("The object's id, distinct in its account.")]
    name: Annotated[str | None, _doc("The name that a person knows the object by; null where it has none, or it is not known.")]
    provider: str
    account: Annotated[str, _doc("The account's number.")]
    account_name: Annotated[str | None, _doc("Its alias or name, where that may be read.")]
    region: Annotated[str, _doc("`global` where the API has no regions.")]
    service: str
    arn: Annotated[str | None, _doc("The ARN, or what the provider has for one; null where it is not known.")]
    console: Annotated[str | None, _doc("The object's page in the provider's console.")] = None
    text: Annotated[str | None, _doc("The condition or check that decided.")] = None
    as_of: Annotated[datetime | None, _doc("When the facts were so.")] = None
    source: Annotated[str | None, _doc("The API calls that told of the object.")] = None
    runtime_error: str | None = None
    not_collected: Annotated[Mapping[str, str], _doc("Fields that could not be read, each with the reason.")] = {}
    evidence: EvidenceReport | None = None
    remedy: RemedyReport | None = None


class OutcomeReport(msgspec.Struct, frozen=True, rename="camel"):
    """What a code of a policy stands for."""

    code: int
    status: Status
    message: str
    remediation: Annotated[str | None, _doc("What to do, whatever the object.")]
    text: Annotated[str, _doc("The condition or check that decides.")]


class LinkReport(msgspec.Struct, frozen=True, rename="camel"):
    """A framework section that a policy's findings touch, with every reason why it is linked."""

    section: Annotated[str, _doc("The section's id.")]
    name: str
    why: list[str]


class PolicyReport(msgspec.Struct, frozen=True, rename="camel"):
    """A policy with its counts, what its codes mean, and linked sections: all its findings touch them."""

    id: str
    name: str
    severity: str | None
    type: Annotated[str, _doc("The type of the objects it judges.")]
    counts: Annotated[dict[str, int], _doc("The number of objects in each status.")]
    outcomes: Annotated[list[OutcomeReport], _doc("The codes that its findings here have.")]
    sections: list[LinkReport]


class SectionReport(msgspec.Struct, frozen=True, rename="camel"):
    """A section of the framework that was asked for, or the framework itself."""

    id: str
    name: str
    verdict: Verdict
    counts: Annotated[dict[str, int], _doc("Objects in each status, once for each policy of the section or below it.")]
    judged: Annotated[int, _doc("How many of the sections without sections below them have a policy that judged.")]
    leaves: Annotated[int, _doc("How many sections without sections below them there are, here and below.")]
    policies: Annotated[list[str], _doc("Ids of the policies that judged, of the section and those below it.")]


class PartReport(msgspec.Struct, frozen=True, rename="camel"):
    """An account that was read."""

    provider: str
    account: str
    account_name: str | None
    partition: str
    started_at: datetime
    finished_at: datetime
    calls: Annotated[dict[str, int], _doc("Requests by action, retries included.")]
    notes: tuple[str, ...]


class SnapshotReport(msgspec.Struct, frozen=True, rename="camel"):
    """Where the facts came from."""

    as_of: Annotated[datetime, _doc("The moment as of which all objects are judged.")]
    complete: Annotated[bool, _doc("False when something that these policies need could not be read.")]
    errors: tuple[CollectionError, ...]
    parts: list[PartReport]


class CutOffReport(msgspec.Struct, frozen=True, rename="camel"):
    """What this report leaves out."""

    detailed: Annotated[int, _doc("How many findings, the worst, have evidence, remedy and source.")]
    brief: Annotated[int, _doc("How many findings have not; `reeve explain` says it of any of them.")]


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """A scan's report."""

    schema: Annotated[str, _doc("reeve.report/2; a change that could break a reader raises the number.")]
    reeve_version: str
    cut_off: Annotated[CutOffReport | None, _doc("Null where every finding has everything.")]
    snapshot: SnapshotReport
    policies: list[PolicyReport]
    framework: Annotated[list[SectionReport] | None, _doc("With --framework: the tree, the framework first; else null.")]
    findings: Annotated[list[FindingReport], _doc("Every judged object, by policy, worst first.")]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the report."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **msgspec.json.schema(Report)}


def render(results: Results) -> Iterator[bytes]:
    """Yield the report as JSON, UTF-8, ending in a newline: pieces of it, as they are made."""
    head = Report(
        schema=SCHEMA,
        reeve_version=__version__,
        cut_off=_cut_off(results),
        snapshot=_snapshot(results),
        policies=[_policy(result) for result in results.policies],
        framework=[_section(one) for one in results.framework.sections] if results.framework else None,
        findings=[],
    )
    text = msgspec.json.format(msgspec.json.encode(head), indent=2).decode()
    yield json_text(text.removesuffix("]\n}")).encode()
    separator, encoder = b"\n", msgspec.json.Encoder()
    for finding in _findings(results):
        yield separator + json_text(encoder.encode(finding).decode()).encode()
        separator = b",\n"
    yield b"\n]}\n"


def _findings(results: Results) -> Iterator[FindingReport]:
    parts = {part.account: part for part in results.manifest.parts}
    for result in results.policies:
        for finding in result.findings:
            yield _finding(result, finding)
        for judgement in results.rest(result.policy.id):
            place = parts[judgement.account].place(result.object_type, judgement.region, judgement.arn)
            yield _brief(result, judgement, place)


def _cut_off(results: Results) -> CutOffReport | None:
    return CutOffReport(results.shown, results.left_out) if results.left_out else None


def _snapshot(results: Results) -> SnapshotReport:
    manifest = results.manifest
    return SnapshotReport(manifest.moment, results.complete, tuple(results.errors), [_part(part) for part in manifest.parts])


def _part(part: Part) -> PartReport:
    own = (part.provider, part.account, part.account_name, part.partition)
    return PartReport(*own, part.started_at, part.finished_at, part.calls, part.notes)


def _policy(result: PolicyResult) -> PolicyReport:
    policy = result.policy
    return PolicyReport(
        policy.id,
        policy.full_name,
        policy.severity,
        result.object_type.id,
        {str(status): count for status, count in result.counts.items()},
        [_outcome(meaning) for meaning in result.meanings.values() if result.counts[meaning.status]],
        [LinkReport(link.section.id, link.section.name, [str(why) for why in link.why]) for link in result.links],
    )


def _outcome(meaning: Meaning) -> OutcomeReport:
    return OutcomeReport(meaning.code, meaning.status, meaning.message, meaning.remediation, meaning.text)


def _section(one: SectionResult) -> SectionReport:
    counts = {str(status): one.counts[status] for status in SHOWN_ORDER}
    section = one.section
    return SectionReport(section.id, section.name, one.verdict, counts, one.judged, one.leaves, list(one.policies))


def _where(place: Place) -> dict[str, Any]:
    return {
        "provider": place.provider,
        "account": place.account,
        "account_name": place.account_name,
        "region": place.region,
        "service": place.service,
        "arn": place.arn,
    }


def _brief(result: PolicyResult, judgement: Judgement, place: Place) -> FindingReport:
    meaning = result.meanings[judgement.code]
    said = (result.policy.id, meaning.status, meaning.code, meaning.message, judgement.id, judgement.name)
    return FindingReport(*said, **_where(place))


def _finding(result: PolicyResult, finding: Finding) -> FindingReport:
    meaning = finding.meaning
    said = (result.policy.id, meaning.status, meaning.code, meaning.message, finding.object_id, finding.object_name)
    return FindingReport(
        *said,
        **_where(finding.place),
        console=finding.console,
        text=meaning.text,
        as_of=finding.as_of,
        source=finding.source,
        runtime_error=finding.runtime_error,
        not_collected=finding.not_collected,
        evidence=_evidence(finding.evidence) if finding.evidence else None,
        remedy=_remedy(finding.remedy) if finding.remedy else None,
    )


def _evidence(evidence: Evidence) -> EvidenceReport:
    return EvidenceReport(
        evidence.text,
        evidence.calls,
        tuple(map(_fact, evidence.facts)),
        tuple(map(_child, evidence.children)),
        evidence.more,
    )


def _fact(fact: Fact) -> FactReport:
    counts = None if fact.counts is None else {str(status): count for status, count in fact.counts.items()}
    return FactReport(fact.path, fact.value, fact.reason, fact.more, counts)


def _child(child: Child) -> ChildReport:
    own = (child.relation, child.type, child.id, child.name, child.status, child.message, child.region, child.summary)
    return ChildReport(*own, _evidence(child.evidence))


def _remedy(remedy: Remedy) -> RemedyReport:
    commands = tuple(CommandReport(command.run, command.undo) for command in remedy.commands)
    return RemedyReport(remedy.say, commands, remedy.breaks, remedy.cannot_undo)
