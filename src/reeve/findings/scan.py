"""From an account to a snapshot, and from a snapshot to findings."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reeve import __version__
from reeve.collect.aws.account import collect_account
from reeve.collect.aws.api import Api
from reeve.collect.collection import Progress
from reeve.evaluate.interpreter import Program, compile_body
from reeve.findings.access_keys import AccessKey, advise
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.manifest import SCHEMA, Manifest
from reeve.inventory.snapshot import MANIFEST, Record, SnapshotError, read_manifest, read_records, write_snapshot
from reeve.language.errors import InvalidRepositoryError
from reeve.language.logic import Body
from reeve.language.operations.base import Moment, Row
from reeve.model import ObjectType, Status
from reeve.repository.links import link
from reeve.repository.repository import Repository

USER = "aws.iam.User"
CHILD_RECORDS = "_children"
COLLECTED_TYPES = (USER, "aws.iam.AccessKey", "aws.iam.RootUser")


def production_programs(repository: Repository, policy_ids: Iterable[str]) -> dict[str, Program]:
    """Return the compiled production logic of the policies that have one, by id.

    Raises:
        InvalidRepositoryError: some logic has errors; all of them are named.
    """
    programs: dict[str, Program] = {}
    problems: list[Any] = []
    for policy_id in policy_ids:
        try:
            if repository.policy(policy_id).is_production:
                programs[policy_id] = compile_body(repository.logic(policy_id).body)
        except InvalidRepositoryError as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidRepositoryError(problems)
    return programs


def suspect_of(programs: Mapping[str, Program]) -> Callable[[Mapping[str, Any]], bool]:
    """Return the function that says whether a user would be INCOMPLIANT under one of the programs."""
    judging = [program for program in programs.values() if program.body.object_type.id == USER]
    moment = Moment.at(datetime.now(UTC))

    def suspect(fields: Mapping[str, Any]) -> bool:
        return any(program.meanings[program.judge(fields, moment).code].status is Status.INCOMPLIANT for program in judging)

    return suspect


def collect_snapshot(
    api: Api, repository: Repository, programs: Mapping[str, Program], directory: Path, progress: Progress, live: bool
) -> Manifest:
    """Collect an account into a snapshot, in a directory held by `writing`.

    Returns:
        The snapshot's manifest.

    Raises:
        ApiError: nothing could be read.
        SnapshotError: the snapshot could not be written.
    """
    started_at = datetime.now(UTC)
    collection = collect_account(api, suspect_of(programs), progress, live)
    progress("writing the snapshot", 0, None)
    manifest = Manifest(
        schema=SCHEMA,
        reeve_version=__version__,
        account=collection.account,
        partition=collection.partition,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        calls=dict(sorted(api.calls.items())),
        errors=collection.errors,
        notes=tuple(collection.notes),
        tables={},
    )
    tables = ((repository.object_type(name), collection.records.get(name, [])) for name in COLLECTED_TYPES)
    return write_snapshot(directory, manifest, tables)


def judge_snapshot(repository: Repository, programs: Mapping[str, Program], directory: Path) -> Results:
    """Judge every object of a snapshot under the programs.

    Raises:
        SnapshotError: the snapshot can't be read, or lacks the objects that a policy judges.
        InvalidRepositoryError: metadata of the repository has errors.
    """
    manifest = read_manifest(directory)
    links = link(repository.policies.values(), repository.sections, repository.rules)
    results: list[PolicyResult] = []
    for policy_id, program in programs.items():
        policy, object_type = repository.policy(policy_id), program.body.object_type
        if object_type.id not in manifest.tables:
            message = f"the snapshot in {directory} holds no {object_type.id}, which {policy_id} judges"
            raise SnapshotError(f"{message}; collect again, or choose policies with --policy")
        findings = _findings(repository, program, directory, manifest)
        ordered = sorted(findings, key=lambda found: (SHOWN_ORDER.index(found.meaning.status), found.object_name))
        remediation = repository.files.text(f"{policy_id}/remediation.md") or ""
        results.append(PolicyResult(policy, object_type.id, links.by_policy[policy_id], remediation, ordered))
    names = {section.framework: section.framework for result in results for section in (li.section for li in result.links)}
    names = {framework: repository.sections[framework].name for framework in names if framework in repository.sections}
    return Results(manifest, results, names)


def _findings(repository: Repository, program: Program, directory: Path, manifest: Manifest) -> Iterator[Finding]:
    object_type = program.body.object_type
    for row, record, moment in snapshot_rows(repository, program.body, directory, manifest):
        outcome = program.judge(row, moment)
        meaning = program.meaning(outcome, row)
        object_id = str(record.fields[object_type.id_field])
        name = str(record.fields.get(object_type.name_field) or object_id)
        keys = [AccessKey.of(child) for child in row.get(CHILD_RECORDS, {}).get("accessKeys", ())]
        offender = meaning.status is Status.INCOMPLIANT
        yield Finding(
            object_id,
            name,
            meaning,
            outcome.runtime_error,
            record.as_of,
            record.source,
            record.not_collected,
            keys,
            advise(name, keys, moment.now) if offender else None,
        )


def snapshot_rows(
    repository: Repository, body: Body, directory: Path, manifest: Manifest | None = None
) -> Iterator[tuple[Row, Record, Moment]]:
    """Yield a snapshot's objects of a body's type as the interpreter takes them, with their related lists.

    Raises:
        SnapshotError: the snapshot can't be read.
    """
    manifest = manifest or read_manifest(directory)
    object_type = body.object_type
    moment = Moment.at(manifest.finished_at.astimezone(UTC))
    children = {
        name: _children(directory, manifest, repository.object_type(relation.type), relation.foreign_key)
        for name, relation in object_type.related_lists.items()
        if relation.foreign_key
    }
    for record in read_records(directory, manifest, object_type):
        object_id = str(record.fields[object_type.id_field])
        related = {name: found.get(object_id, []) for name, found in children.items()}
        lists = {name: [child.fields for child in found] for name, found in related.items()}
        yield {**record.fields, **lists, CHILD_RECORDS: related}, record, moment


def snapshot_directory(given: Path) -> Path:
    """Return where the snapshot lies: the directory itself, or `snapshot` in a scan's output."""
    nested = given / "snapshot"
    return nested if not (given / MANIFEST).exists() and nested.is_dir() else given


def _children(directory: Path, manifest: Manifest, object_type: ObjectType, foreign_key: str | None) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in read_records(directory, manifest, object_type):
        found.setdefault(str(record.fields.get(foreign_key or "")), []).append(record)
    return found


def select_policies(repository: Repository, patterns: Sequence[str], framework: str | None) -> tuple[str, ...]:
    """Return the ids of the policies that match the patterns and, if a framework is named, are linked to it.

    Raises:
        LookupError: a pattern matches no policy, or there is no such framework.
    """
    chosen = repository.select(tuple(patterns))
    if framework is None:
        return chosen
    wanted = framework if framework.startswith("/") else f"/frameworks/{framework}"
    if wanted not in repository.sections:
        known = sorted(name.rpartition("/")[2] for name in repository.sections if name.count("/") == 2)
        raise LookupError(f"there is no framework {framework!r}; there are {', '.join(known)}")
    links = link(repository.policies.values(), repository.sections, repository.rules)
    return tuple(i for i in chosen if any(_below(found.section.id, wanted) for found in links.by_policy[i]))


def _below(section_id: str, wanted: str) -> bool:
    return section_id == wanted or section_id.startswith(f"{wanted}/")
