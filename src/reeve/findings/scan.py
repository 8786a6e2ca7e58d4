"""From an account to a snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reeve.collect.aws.account import PROVIDER, collect_account
from reeve.collect.aws.api import Api
from reeve.collect.aws.declarations import Models, collect_check
from reeve.collect.aws.recipe import Recipe, recipes
from reeve.collect.aws.remedies import remedy_check
from reeve.collect.collection import Progress, Suspect
from reeve.evaluate.interpreter import Program, by_type, compile_body
from reeve.evaluate.needs import suspect_of
from reeve.findings.completeness import read_and_shown
from reeve.inventory.manifest import Part
from reeve.inventory.records import Record
from reeve.language.errors import InvalidRepositoryError
from reeve.language.evaluation import Moment
from reeve.model import ObjectType, Status
from reeve.repository.repository import Repository


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
                logic = repository.logic(policy_id)
                repository.check_judged_type(logic)
                programs[policy_id] = compile_body(logic.body)
        except InvalidRepositoryError as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidRepositoryError(problems)
    return programs


def collecting(repository: Repository, programs: Mapping[str, Program], models: Models | None = None) -> dict[str, Recipe]:
    """Return how to collect what the programs read, and what is shown beside it, by type.

    Args:
        repository: the repository that the programs are of.
        programs: what is to be judged.
        models: the service models that the types are checked against; by default those of the installed botocore.

    Raises:
        InvalidRepositoryError: a type or a remedy declares what can't be; all is named.
    """
    found = recipes(read_and_shown(repository, programs), repository.object_type)
    models = models or Models()
    repository.check_collection(sorted(found), collect_check(models))
    repository.check_remedies({name: program.body for name, program in programs.items()}, remedy_check(models))
    return found


def suspects_of(repository: Repository, programs: Mapping[str, Program], moment: Moment) -> dict[str, Suspect]:
    """Return, by type, the function that says which fields make an object INCOMPLIANT at a moment."""

    def incompliant(program: Program, fields: Mapping[str, Any]) -> bool:
        return program.meanings[program.judge(fields, moment).code].status is Status.INCOMPLIANT

    grouped = by_type(programs).items()
    return {type_id: suspect_of(some, incompliant, repository.object_type) for type_id, some in grouped}


Tables = Sequence[tuple[ObjectType, Sequence[Record]]]
"""The records of each type."""


def collect_part(
    api: Api, repository: Repository, programs: Mapping[str, Program], progress: Progress, live: bool
) -> tuple[Part, Tables]:
    """Collect an account; return what there is to say of it, and its records, for `write_snapshot`.

    Raises:
        ApiError: nothing could be read.
    """
    started_at = datetime.now(UTC)
    chosen = collecting(repository, programs, Models(api.session.get_component("data_loader")))
    collection = collect_account(api, chosen, suspects_of(repository, programs, Moment.at(started_at)), progress, live)
    progress("writing the snapshot", 0, None)
    part = Part(
        provider=PROVIDER,
        account=collection.account,
        account_name=collection.account_name,
        partition=collection.partition,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        calls=dict(sorted(api.calls.items())),
        errors=collection.errors,
        notes=tuple(collection.notes),
        policies=tuple(programs),
    )
    return part, [(recipe.object_type, collection.records[name]) for name, recipe in chosen.items()]
