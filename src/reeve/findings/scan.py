"""From an account to a snapshot."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from reeve.collect.collection import Progress, Suspect
from reeve.collect.provider import Access, AccessError, Account, Declarations, provider, provider_id_of, provider_ids
from reeve.collect.recipe import Recipe, recipes
from reeve.evaluate.interpreter import Program, by_type, compile_body
from reeve.evaluate.needs import suspect_of
from reeve.findings.completeness import read_and_shown
from reeve.inventory.manifest import Part
from reeve.inventory.snapshot import Tables
from reeve.language.errors import InvalidRepositoryError
from reeve.language.evaluation import Moment
from reeve.model import Status
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


def collecting(
    repository: Repository, programs: Mapping[str, Program], declarations: Declarations | None = None
) -> dict[str, Recipe]:
    """Return how to collect what the programs read, and what is shown beside it, by type.

    Args:
        repository: the repository that the programs are of.
        programs: what is to be judged.
        declarations: checks types and remedies; by default with what the providers know without an account.

    Raises:
        InvalidRepositoryError: a type or a remedy declares what can't be, or a type is of no provider; all is named.
    """
    found = recipes(read_and_shown(repository, programs), repository.object_type)
    declarations = declarations or Declarations()
    repository.check_collection(sorted(found), declarations.check_collect)
    bodies = {name: program.body for name, program in programs.items()}
    repository.check_remedies(bodies, declarations.check_remedies)
    return found


def providers_for(repository: Repository, programs: Mapping[str, Program]) -> tuple[str, ...]:
    """Return the ids of the providers whose accounts the programs are to judge.

    They are those of the types that are read; where none of these is collected, those of the repository's types.

    Raises:
        AccessError: there is none among them.
        InvalidRepositoryError: a type is to be collected by a provider that is not there.
    """
    needed, known = read_and_shown(repository, programs), provider_ids()
    collected = recipes(needed, repository.object_type)
    strange = sorted(type_id for type_id in collected if provider_id_of(type_id) not in known)
    repository.check_collection(strange, Declarations().check_collect)
    for types in (collected, needed, repository.type_ids):
        found = {provider_id_of(type_id) for type_id in types} & {*known}
        if found:
            return tuple(sorted(found))
    raise AccessError(f"no type of the repository is of a provider that is known ({', '.join(known)})")


def of_provider(provider_id: str, chosen: Mapping[str, Recipe]) -> dict[str, Recipe]:
    """Return how to collect the types of a provider."""
    return {type_id: recipe for type_id, recipe in chosen.items() if provider_id_of(type_id) == provider_id}


def suspects_of(repository: Repository, programs: Mapping[str, Program], moment: Moment) -> dict[str, Suspect]:
    """Return, by type, the function that says which fields make an object INCOMPLIANT at a moment."""

    def incompliant(program: Program, fields: Mapping[str, Any]) -> bool:
        return program.meanings[program.judge(fields, moment).code].status is Status.INCOMPLIANT

    grouped = by_type(programs).items()
    return {type_id: suspect_of(some, incompliant, repository.object_type) for type_id, some in grouped}


def collect_parts(
    access: Access, repository: Repository, programs: Mapping[str, Program], progress: Progress
) -> list[tuple[Part, Tables]]:
    """Collect an account of each provider that the programs are about, which is one as a rule.

    Returns:
        What there is to say of each account, and its records, for `write_snapshot`.

    Raises:
        AccessError: a provider has nothing like what the access says, or two accounts can't be told apart.
        ApiError: nothing could be read of an account.
        InvalidRepositoryError: a type or a remedy declares what can't be, or a type is of no provider.
    """
    accounts = {name: _opened(name, access) for name in providers_for(repository, programs)}
    chosen = collecting(repository, programs, Declarations({name: one.checks() for name, one in accounts.items()}))
    found = [
        _collect_part(name, account, of_provider(name, chosen), repository, programs, progress)
        for name, account in accounts.items()
    ]
    numbers = [part.account for part, _ in found]
    if len(numbers) > 1 and not (all(numbers) and len({*numbers}) == len(numbers)):
        wrong = f"are of one number, {numbers[0]}" if all(numbers) else "have a number that could not be read"
        message = f"accounts of {' and '.join(accounts)} {wrong}"
        raise AccessError(f"{message}; collect them into snapshots of their own, with --policy")
    progress("writing the snapshot", 0, None)
    return found


def _opened(provider_id: str, access: Access) -> Account:
    own = provider(provider_id)
    if access.simulation is not None and access.simulation.provider != provider_id:
        raise AccessError(f"there is no simulated account of {own.label}; choose other policies with --policy")
    return own.open(access)


def _collect_part(
    provider_id: str,
    account: Account,
    chosen: Mapping[str, Recipe],
    repository: Repository,
    programs: Mapping[str, Program],
    progress: Progress,
) -> tuple[Part, Tables]:
    started_at = datetime.now(UTC)
    collection = account.collect(chosen, suspects_of(repository, programs, Moment.at(started_at)), progress)
    part = Part(
        provider=provider_id,
        account=collection.account,
        account_name=collection.account_name,
        partition=collection.partition,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        calls=dict(collection.calls),
        errors=collection.errors,
        notes=tuple(collection.notes),
        policies=tuple(programs),
    )
    return part, [(recipe.object_type, collection.records[name]) for name, recipe in chosen.items()]
