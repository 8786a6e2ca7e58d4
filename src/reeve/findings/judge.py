"""From a snapshot to findings: every object under every policy about its type, with what the verdict rests on."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reeve.evaluate.interpreter import Program, by_type
from reeve.evaluate.needs import needs
from reeve.evaluate.objects import Objects
from reeve.findings.access_keys import AccessKey, advise
from reeve.findings.completeness import completeness
from reeve.findings.frameworks import framework_result
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.directory import SNAPSHOT_FOLDER
from reeve.inventory.manifest import MANIFEST, Manifest, read_manifest
from reeve.inventory.records import Record, read_records
from reeve.language.operations.base import Moment, Row
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.model import Code, Credentials, ObjectType, Outcome, Status
from reeve.repository.links import link
from reeve.repository.repository import Repository

if TYPE_CHECKING:  # the interpreter needs no engine
    from reeve.evaluate.outcomes import Outcomes

SHOWN = 100
"""How many objects of a status are looked at when only the worst are shown."""
WORST = (Status.INCOMPLIANT, Status.UNDETERMINED)


class Snapshot:
    """A snapshot's objects as the interpreter takes them, with what their lookups and related lists lead to."""

    def __init__(self, repository: Repository, directory: Path) -> None:
        """Read the manifest.

        Raises:
            SnapshotError: there is no snapshot, or not one of this version's.
        """
        self.directory = directory
        self.manifest: Manifest = read_manifest(directory)
        self.moment = Moment.at(self.manifest.moment)
        self._objects = Objects(repository.object_type, lambda name: self._fields(repository.object_type(name)))

    def _fields(self, object_type: ObjectType) -> Iterator[Mapping[str, Any]]:
        return (record.fields for record in read_records(self.directory, self.manifest, object_type))

    def rows(self, object_type: ObjectType, ids: Sequence[str] | None = None) -> Iterator[tuple[Record, Row]]:
        """Yield a type's objects, or those of some ids.

        Raises:
            SnapshotError: the table is missing or can't be read.
        """
        accounts = [part.account for part in self.manifest.parts]
        keys = None if ids is None else [(account, identifier) for account in accounts for identifier in ids]
        for record in read_records(self.directory, self.manifest, object_type, keys):
            yield record, self._objects.row(object_type, record.fields)


def snapshot_directory(given: Path) -> Path:
    """Return where the snapshot lies: the directory itself, or `snapshot` in a scan's output."""
    nested = given / SNAPSHOT_FOLDER
    return nested if not (given / MANIFEST).exists() and nested.is_dir() else given


def judge_snapshot(
    repository: Repository,
    programs: Mapping[str, Program],
    directory: Path,
    outcomes: "Outcomes | None" = None,
    only_worst: bool = False,
    framework: str | None = None,
) -> Results:
    """Judge every object of a snapshot under the programs.

    Args:
        repository: the policies' repository.
        programs: their compiled logic by id.
        directory: the snapshot's.
        outcomes: what an engine said; without it the interpreter judges.
        only_worst: give findings only for the first objects that are INCOMPLIANT or UNDETERMINED; needs `outcomes`.
        framework: the id of a framework, or a section, whose tree the results end with.

    Raises:
        SnapshotError: the snapshot can't be read.
        InvalidRepositoryError: metadata of the repository has errors.
    """
    snapshot = Snapshot(repository, directory)
    lacking = completeness(snapshot.manifest, programs, repository)
    findings: dict[str, list[Finding]] = {policy_id: [] for policy_id in programs}
    for type_id, some in by_type(without(programs, lacking.unjudged)).items():
        shown = {
            policy_id: needs([program], repository.object_type).get(type_id, frozenset()) for policy_id, program in some.items()
        }
        object_type, keys = repository.object_type(type_id), {name: repository.policy(name).credentials for name in some}
        for policy_id, finding in _findings(snapshot, object_type, some, keys, outcomes, only_worst):
            findings[policy_id].append(_with_reasons_of(finding, shown[policy_id]))
    links = link(repository.policies.values(), repository.sections, repository.rules)
    results: list[PolicyResult] = []
    for policy_id, program in programs.items():
        ordered = sorted(findings[policy_id], key=lambda found: (SHOWN_ORDER.index(found.meaning.status), found.object_name))
        remediation = repository.files.text(f"{policy_id}/remediation.md") or ""
        type_id, sections = program.body.object_type.id, links.by_policy[policy_id]
        known = outcomes is not None and policy_id not in lacking.unjudged
        counts = _counts(program, ordered, outcomes.counts(policy_id) if outcomes and known else None)
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


def _counts(program: Program, findings: Sequence[Finding], codes: Mapping[int, int] | None) -> dict[Status, int]:
    counts = dict.fromkeys(SHOWN_ORDER, 0)
    if codes is None:
        for finding in findings:
            counts[finding.meaning.status] += 1
        return counts
    for code, count in codes.items():
        counts[program.meanings[code].status] += count
    return counts


def _findings(
    snapshot: Snapshot,
    object_type: ObjectType,
    programs: Mapping[str, Program],
    keys: Mapping[str, Credentials | None],
    outcomes: "Outcomes | None",
    only_worst: bool,
) -> Iterator[tuple[str, Finding]]:
    """Yield the findings of a type's objects: of all, or of the worst only."""
    if outcomes is None:
        for record, row in snapshot.rows(object_type):
            for policy_id, program in programs.items():
                outcome = program.judge(row, snapshot.moment)
                yield policy_id, _finding(snapshot, object_type, program, record, row, outcome, keys[policy_id])
        return
    chosen = {policy: _worst(program, outcomes, policy) for policy, program in programs.items()} if only_worst else None
    wanted = None if chosen is None else sorted({identifier for ids in chosen.values() for identifier in ids})
    codes = outcomes.codes(object_type.id, wanted)
    for record, row in snapshot.rows(object_type, wanted):
        identifier = str(record.fields[object_type.id_field])
        for policy_id, program in programs.items():
            if chosen is None or identifier in chosen[policy_id]:
                outcome = _explained(program, Outcome(Code(codes[identifier][policy_id])), row, snapshot.moment)
                yield policy_id, _finding(snapshot, object_type, program, record, row, outcome, keys[policy_id])


def _with_reasons_of(finding: Finding, names: frozenset[str]) -> Finding:
    """Return a finding with the reasons for the fields that its policy reads, not for all of the object's."""
    if not finding.not_collected:
        return finding
    return replace(finding, not_collected={name: why for name, why in finding.not_collected.items() if name in names})


def _worst(program: Program, outcomes: "Outcomes", policy_id: str) -> set[str]:
    found: set[str] = set()
    for status in WORST:
        codes = [code for code, meaning in program.meanings.items() if meaning.status is status]
        found.update(outcomes.ids(policy_id, codes, SHOWN))
    return found


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
