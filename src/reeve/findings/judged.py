"""From outcomes to results: counts by query, and for the worst objects findings with all that they rest on."""

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice

from reeve.evaluate.interpreter import Program, by_type
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.outcomes import Judgement, Outcomes
from reeve.findings.choosing import shares
from reeve.findings.completeness import Completeness
from reeve.findings.details import Details, hosts_of
from reeve.findings.frameworks import FrameworkResult, framework_result
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.manifest import SnapshotError
from reeve.model import Code, Status
from reeve.repository.links import link
from reeve.repository.repository import Repository


def results_of(
    repository: Repository,
    programs: Mapping[str, Program],
    snapshot: Snapshot,
    outcomes: Outcomes,
    lacking: Completeness,
    framework: str | None = None,
) -> Results:
    """Return what a report shows of outcomes.

    Args:
        repository: the policies' repository.
        programs: their compiled logic by id, those that the outcomes are of, and such as could not judge.
        snapshot: what was judged; it and the outcomes are read as long as the results are used.
        outcomes: what the judge said.
        lacking: what of the snapshot the programs lack; those that are unjudged have no outcomes.
        framework: the id of a framework, or a section, whose tree the results end with.

    Raises:
        SnapshotError: the snapshot or the outcomes can't be read.
        InvalidRepositoryError: metadata of the repository has errors.
    """
    judged = {name: program for name, program in programs.items() if name not in lacking.unjudged}
    counts = {name: _counts(program, outcomes if name in judged else None, name) for name, program in programs.items()}
    chosen = shares((repository.policy(name), counts[name]) for name in programs)
    findings = _findings(repository, judged, snapshot, outcomes, chosen)
    links = link(repository.policies.values(), repository.sections, repository.rules)
    policies = [
        PolicyResult(
            repository.policy(name),
            program.body.object_type,
            links.by_policy[name],
            repository.files.text(f"{name}/remediation.md") or "",
            counts[name],
            program.meanings,
            findings.get(name, ()),
        )
        for name, program in programs.items()
    ]

    def rest(name: str) -> Iterator[Judgement]:
        for status in SHOWN_ORDER if name in judged else ():
            if counts[name][status] > chosen[name][status]:
                every = outcomes.judgements(name, _codes(programs[name], status))
                yield from islice(every, chosen[name][status], None)

    tree = _tree(framework, repository, policies, lacking.incomplete) if framework else None
    return Results(snapshot.manifest, lacking, policies, _framework_names(repository, policies), rest, tree)


def _counts(program: Program, outcomes: Outcomes | None, policy_id: str) -> dict[Status, int]:
    counts = dict.fromkeys(SHOWN_ORDER, 0)
    known: Mapping[Code, int] = outcomes.counts(policy_id) if outcomes else {}
    for code, count in known.items():
        if code not in program.meanings:
            raise SnapshotError(f"{policy_id} has no outcome {code}, which the outcomes give it; evaluate again")
        counts[program.meanings[code].status] += count
    return counts


def _codes(program: Program, status: Status) -> Sequence[int]:
    return [code for code, meaning in program.meanings.items() if meaning.status is status]


def _findings(
    repository: Repository,
    programs: Mapping[str, Program],
    snapshot: Snapshot,
    outcomes: Outcomes,
    chosen: Mapping[str, Mapping[Status, int]],
) -> dict[str, list[Finding]]:
    """Return the chosen findings of each policy, worst first; the objects of a type are read once."""
    found: dict[str, list[Finding]] = {}
    hosts = hosts_of(snapshot.manifest)
    for some in by_type(programs).values():
        wanted = {name: _wanted(program, outcomes, name, chosen[name]) for name, program in some.items()}
        details = {name: Details.of(repository, name, some[name], snapshot, hosts) for name, own in wanted.items() if own}
        made: dict[tuple[str, str, str], Finding] = {}
        by_object: dict[tuple[str, str], list[tuple[str, Judgement]]] = {}
        for name, judgements in wanted.items():
            for judgement in judgements:
                by_object.setdefault((judgement.account, judgement.id), []).append((name, judgement))
        object_type = next(iter(some.values())).body.object_type
        for record, row in snapshot.rows(object_type, list(by_object)):
            key = (record.account, str(record.fields[object_type.id_field]))
            for name, judgement in by_object[key]:
                made[name, *key] = details[name].finding(judgement, record, row)
        for name, judgements in wanted.items():
            found[name] = [made[name, one.account, one.id] for one in judgements]
    return found


def _wanted(program: Program, outcomes: Outcomes, policy_id: str, shown: Mapping[Status, int]) -> list[Judgement]:
    return [
        judgement
        for status in SHOWN_ORDER
        if shown[status]
        for judgement in outcomes.judgements(policy_id, _codes(program, status), shown[status])
    ]


def _framework_names(repository: Repository, policies: Sequence[PolicyResult]) -> dict[str, str]:
    named = dict.fromkeys(found.section.framework for result in policies for found in result.links)
    return {framework: repository.sections[framework].name for framework in named if framework in repository.sections}


def _tree(
    framework: str, repository: Repository, policies: Sequence[PolicyResult], incomplete: Container[str]
) -> FrameworkResult:
    linked = {result.policy.id: [found.section.id for found in result.links] for result in policies}
    totals = {result.policy.id: result.counts for result in policies}
    return framework_result(framework, repository.sections.values(), linked, totals, incomplete)
