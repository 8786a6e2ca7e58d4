"""The report as JSON: every judged object. The schema is documented in docs/report.md and kept in docs/report.schema.json."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from reeve import __version__
from reeve.findings.access_keys import AccessKey
from reeve.findings.frameworks import SectionResult, Verdict
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.manifest import CollectionError
from reeve.model import Status
from reeve.report.escaping import json_text

SCHEMA = "reeve.report/1"


def _doc(text: str) -> Any:
    return msgspec.Meta(description=text)


class KeyReport(msgspec.Struct, frozen=True, rename="camel"):
    """An access key of a judged user."""

    id: Annotated[str, _doc("The access key id.")]
    status: Annotated[str, _doc("Active or Inactive.")]
    created_at: datetime
    last_use_known: Annotated[bool, _doc("False when the last use was not read; then the next three are null.")]
    last_used_at: datetime | None
    last_used_region: str | None
    last_used_service: str | None


class AdviceReport(msgspec.Struct, frozen=True, rename="camel"):
    """What to do about a user with two active keys."""

    keep: Annotated[str, _doc("The id of the key to keep.")]
    switch_off: Annotated[str, _doc("The id of the key to make inactive.")]
    why: str
    command: Annotated[str, _doc("The command that switches the key off.")]


class FindingReport(msgspec.Struct, frozen=True, rename="camel"):
    """The verdict on one object under one policy."""

    policy: Annotated[str, _doc("The policy's id.")]
    object: Annotated[str, _doc("The object's id.")]
    name: Annotated[str, _doc("The name that a person knows the object by.")]
    type: Annotated[str, _doc("The object's type.")]
    status: Status
    code: Annotated[int, _doc("Identifies status, message and text: 99, 101, 199, ...")]
    message: Annotated[str, _doc("What is so.")]
    remediation: Annotated[str | None, _doc("What to do.")]
    text: Annotated[str, _doc("The condition or check that decided.")]
    runtime_error: str | None
    as_of: Annotated[datetime, _doc("When the facts were so.")]
    source: Annotated[str, _doc("The API call that the facts came from.")]
    not_collected: Annotated[dict[str, str], _doc("Fields that could not be read, each with the reason.")]
    access_keys: list[KeyReport]
    advice: AdviceReport | None
    sections: Annotated[list[str], _doc("Ids of the framework sections that the finding touches.")]


class LinkReport(msgspec.Struct, frozen=True, rename="camel"):
    """A framework section that a policy's findings touch, with every reason why it is linked."""

    section: Annotated[str, _doc("The section's id.")]
    name: str
    why: list[str]


class PolicyReport(msgspec.Struct, frozen=True, rename="camel"):
    """A policy with its counts and linked sections."""

    id: str
    name: str
    severity: str | None
    type: Annotated[str, _doc("The type of the objects it judges.")]
    counts: Annotated[dict[str, int], _doc("The number of objects in each status.")]
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


class SnapshotReport(msgspec.Struct, frozen=True, rename="camel"):
    """Where the facts came from."""

    account: str
    partition: str
    started_at: datetime
    finished_at: datetime
    calls: Annotated[dict[str, int], _doc("Requests by action, retries included.")]
    complete: Annotated[bool, _doc("False when something that these policies need could not be read.")]
    errors: tuple[CollectionError, ...]
    notes: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """A scan's report."""

    schema: Annotated[str, _doc("reeve.report/1; a change that could break a reader raises the number.")]
    reeve_version: str
    snapshot: SnapshotReport
    policies: list[PolicyReport]
    findings: Annotated[list[FindingReport], _doc("Every judged object.")]
    framework: Annotated[list[SectionReport] | None, _doc("With --framework: the tree, the framework first; else null.")]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the report."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **msgspec.json.schema(Report)}


def render(results: Results) -> bytes:
    """Return the report as JSON, UTF-8, ending in a newline."""
    manifest = results.manifest
    report = Report(
        schema=SCHEMA,
        reeve_version=__version__,
        snapshot=SnapshotReport(
            ", ".join(part.account for part in manifest.parts),
            ", ".join(dict.fromkeys(part.partition for part in manifest.parts)),
            manifest.moment,
            manifest.finished_at,
            manifest.calls,
            results.complete,
            tuple(results.errors),
            manifest.notes,
        ),
        policies=[_policy(result) for result in results.policies],
        findings=[_finding(result, finding) for result in results.policies for finding in result.findings],
        framework=[_section(one) for one in results.framework.sections] if results.framework else None,
    )
    text = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    return f"{json_text(text)}\n".encode()


def _policy(result: PolicyResult) -> PolicyReport:
    policy = result.policy
    counts: Mapping[Status, int] = result.counts
    return PolicyReport(
        policy.id,
        policy.full_name,
        policy.severity,
        result.object_type,
        {str(status): count for status, count in counts.items()},
        [LinkReport(link.section.id, link.section.name, [str(why) for why in link.why]) for link in result.links],
    )


def _section(one: SectionResult) -> SectionReport:
    counts = {str(status): one.counts[status] for status in SHOWN_ORDER}
    section = one.section
    return SectionReport(section.id, section.name, one.verdict, counts, one.judged, one.leaves, list(one.policies))


def _finding(result: PolicyResult, finding: Finding) -> FindingReport:
    meaning, advice = finding.meaning, finding.advice
    return FindingReport(
        policy=result.policy.id,
        object=finding.object_id,
        name=finding.object_name,
        type=result.object_type,
        status=meaning.status,
        code=meaning.code,
        message=meaning.message,
        remediation=meaning.remediation,
        text=meaning.text,
        runtime_error=finding.runtime_error,
        as_of=finding.as_of,
        source=finding.source,
        not_collected=dict(finding.not_collected),
        access_keys=[_key(key) for key in finding.access_keys],
        advice=AdviceReport(advice.keep, advice.switch_off, advice.why, advice.command) if advice else None,
        sections=[link.section.id for link in result.links],
    )


def _key(key: AccessKey) -> KeyReport:
    return KeyReport(
        key.id,
        "Active" if key.active else "Inactive",
        key.created_at,
        key.use_known,
        key.last_used_at,
        key.last_used_region,
        key.last_used_service,
    )
