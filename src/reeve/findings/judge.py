"""From a snapshot to findings: every object under every policy about its type, with what the verdict rests on."""

from collections.abc import Container, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from reeve.evaluate.interpreter import Program
from reeve.evaluate.needs import needs
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.outcomes import Outcomes
from reeve.evaluate.write_outcomes import write_outcomes
from reeve.findings.access_keys import AccessKey, advise
from reeve.findings.completeness import completeness
from reeve.findings.frameworks import framework_result
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.directory import SNAPSHOT_FOLDER
from reeve.inventory.manifest import MANIFEST
from reeve.inventory.records import Record
from reeve.inventory.temporary import temporary
from reeve.language.operations.base import Moment, Row
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.model import Code, Credentials, ObjectType, Outcome, Status
from reeve.repository.links import link
from reeve.repository.repository import Repository

SHOWN = 100
"""How many objects of a status are looked at when only the worst are shown."""
WORST = (Status.INCOMPLIANT, Status.UNDETERMINED)


def snapshot_directory(given: Path) -> Path:
    """Return where the snapshot lies: the directory itself, or `snapshot` in a scan's output."""
    nested = given / SNAPSHOT_FOLDER
    return nested if not (given / MANIFEST).exists() and nested.is_dir() else given


def judge_snapshot(
    repository: Repository,
    programs: Mapping[str, Program],
    directory: Path,
    outcomes: Outcomes | None = None,
    only_worst: bool = False,
    framework: str | None = None,
) -> Results:
    """Judge every object of a snapshot under the programs.

    Args:
        repository: the policies' repository.
        programs: their compiled logic by id.
        directory: the snapshot's.
        outcomes: what an engine said; without them the interpreter judges.
        only_worst: give findings only for the first objects that are INCOMPLIANT or UNDETERMINED.
        framework: the id of a framework, or a section, whose tree the results end with.

    Raises:
        SnapshotError: the snapshot can't be read.
        InvalidRepositoryError: metadata of the repository has errors.
    """
    with ExitStack() as stack:
        snapshot = stack.enter_context(Snapshot(directory, repository.object_type))
        lacking = completeness(snapshot.manifest, programs, repository)
        judging = without(programs, lacking.unjudged)
        if outcomes is None:
            place = stack.enter_context(temporary())
            outcomes = write_outcomes(place, None, snapshot, judging)
        stack.enter_context(outcomes)
        findings: dict[str, list[Finding]] = {policy_id: [] for policy_id in programs}
        for policy_id, program in judging.items():
            read = needs([program], repository.object_type).get(program.body.object_type.id, frozenset())
            credentials = repository.policy(policy_id).credentials
            for finding in _findings(snapshot, policy_id, program, credentials, outcomes, only_worst):
                findings[policy_id].append(_with_reasons_of(finding, read))
    links = link(repository.policies.values(), repository.sections, repository.rules)
    results: list[PolicyResult] = []
    for policy_id, program in programs.items():
        ordered = sorted(findings[policy_id], key=lambda found: (SHOWN_ORDER.index(found.meaning.status), found.object_name))
        remediation = repository.files.text(f"{policy_id}/remediation.md") or ""
        type_id, sections = program.body.object_type.id, links.by_policy[policy_id]
        counts = _counts(program, {} if policy_id in lacking.unjudged else outcomes.counts(policy_id))
        results.append(PolicyResult(repository.policy(policy_id), type_id, sections, remediation, ordered, counts))
    names = {section.framework: section.framework for result in results for section in (li.section for li in result.links)}
    names = {framework: repository.sections[framework].name for framework in names if framework in repository.sections}
    if framework is None:
        return Results(snapshot.manifest, lacking, results, names)
    linked = {result.policy.id: [found.section.id for found in result.links] for result in results}
    totals = {result.policy.id: result.counts for result in results}
    tree = framework_result(framework, repository.sections.values(), linked, totals, lacking.incomplete)
    return Results(snapshot.manifest, lacking, results, names, tree)


def without(programs: Mapping[str, Program], left_out: Container[str]) -> dict[str, Program]:
    """Return programs by policy but for some."""
    return {policy_id: program for policy_id, program in programs.items() if policy_id not in left_out}


def _counts(program: Program, codes: Mapping[Code, int]) -> dict[Status, int]:
    counts = dict.fromkeys(SHOWN_ORDER, 0)
    for code, count in codes.items():
        counts[program.meanings[code].status] += count
    return counts


def _findings(
    snapshot: Snapshot,
    policy_id: str,
    program: Program,
    credentials: Credentials | None,
    outcomes: Outcomes,
    only_worst: bool,
) -> Iterator[Finding]:
    """Yield the findings of a policy: of all objects, or of the worst only."""
    object_type = program.body.object_type
    for status in WORST if only_worst else Status:
        codes = [code for code, meaning in program.meanings.items() if meaning.status is status]
        found = {(one.account, one.id): one for one in outcomes.judgements(policy_id, codes, SHOWN if only_worst else None)}
        for record, row in snapshot.rows(object_type, found):
            code = found[record.account, record.fields[object_type.id_field]].code
            outcome = _explained(program, Outcome(code), row, snapshot.moment)
            yield _finding(snapshot, object_type, program, record, row, outcome, credentials)


def _with_reasons_of(finding: Finding, names: frozenset[str]) -> Finding:
    """Return a finding with the reasons for the fields that its policy reads, not for all of the object's."""
    if not finding.not_collected:
        return finding
    return replace(finding, not_collected={name: why for name, why in finding.not_collected.items() if name in names})


def _explained(program: Program, outcome: Outcome, row: Row, moment: Moment) -> Outcome:
    """Return an engine's outcome with the text of the error, which only the interpreter gives, if there is one."""
    if program.meanings[outcome.code].status is not Status.UNDETERMINED:
        return outcome
    return Outcome(outcome.code, program.judge(row, moment).runtime_error)


def _finding(
    snapshot: Snapshot,
    object_type: ObjectType,
    program: Program,
    record: Record,
    row: Row,
    outcome: Outcome,
    credentials: Credentials | None,
) -> Finding:
    meaning = program.meaning(outcome, row, snapshot.moment)
    object_id = str(record.fields[object_type.id_field])
    known_name = record.name(object_type)
    name = known_name or object_id
    keys, whole = _access_keys(snapshot, object_type, row, credentials.related_list) if credentials else ([], False)
    # Without a name there is no command.
    advised = known_name and whole and credentials is not None and credentials.keep_one == meaning.code
    return Finding(
        object_id,
        name,
        meaning,
        outcome.runtime_error,
        record.as_of,
        record.source,
        record.not_collected,
        keys,
        advise(name, keys, snapshot.moment.now) if advised else None,
    )


def _access_keys(snapshot: Snapshot, object_type: ObjectType, row: Row, name: str) -> tuple[list[AccessKey], bool]:
    """Return the access keys in an object's related list as far as they were read, and whether these are all."""
    relation = object_type.related_lists.get(name)
    if relation is None or relation.type not in snapshot.manifest.tables:
        return [], False
    children: Any = row.get(name)
    if isinstance(children, NotCollected):
        return [], False
    rows: list[Row] = children.rows if isinstance(children, PartlyCollected) else children
    keys = [AccessKey.of(child) for child in rows]
    return [key for key in keys if key], rows is children and None not in keys
