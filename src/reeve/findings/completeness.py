"""What could not be read, as far as the selected policies need it."""

from collections.abc import Mapping
from dataclasses import dataclass

from reeve.evaluate.interpreter import Program
from reeve.evaluate.needs import needs
from reeve.evaluate.reach import types_read
from reeve.inventory.manifest import CollectionError, Manifest
from reeve.repository.remedies import read_for
from reeve.repository.repository import Repository

Read = Mapping[str, frozenset[str]]
"""By the id of a type, the names of fields and related lists that are read of its objects."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What of a snapshot the selected policies lack.

    `errors` are the failed calls of what is read or shown for the policies, `incomplete` the ids of the policies that need what
    could not be read, `unjudged` those of them that can't judge at all, as the snapshot has no table of a type that they
    read, of any account.
    """

    errors: tuple[CollectionError, ...]
    incomplete: frozenset[str]
    unjudged: frozenset[str]


def completeness(manifest: Manifest, programs: Mapping[str, Program], repository: Repository) -> Completeness:
    """Return what of a snapshot some policies lack.

    Args:
        manifest: the snapshot's.
        programs: the compiled logic by policy.
        repository: where the policies are.
    """
    read = {policy_id: needs([program], repository.object_type) for policy_id, program in programs.items()}
    every = read_and_shown(repository, programs)
    errors = [error for error in manifest.errors if affects(error, every)]
    incomplete = {policy_id for policy_id, own in read.items() if any(affects(error, own) for error in manifest.errors)}
    unjudged: set[str] = set()
    absent: dict[tuple[str, str], list[str]] = {}
    for policy_id, program in programs.items():
        for type_id in types_read([program], repository.object_type):
            if not manifest.tables.get(type_id):
                unjudged.add(policy_id)
            for account in manifest.without(type_id):
                incomplete.add(policy_id)
                absent.setdefault((type_id, account), []).append(policy_id)
    missing = tuple(_absent(type_id, account, policies) for (type_id, account), policies in absent.items())
    return Completeness((*errors, *missing), frozenset(incomplete | unjudged), frozenset(unjudged))


def read_and_shown(repository: Repository, programs: Mapping[str, Program]) -> Read:
    """Return what the programs read, and what is shown beside it: what the remedies of their policies read.

    Raises:
        InvalidRepositoryError: some remedies have errors.
    """
    read = needs(programs.values(), repository.object_type)
    for policy_id, program in programs.items():
        shown = read_for(repository.remedies(policy_id, program.body), program.body, repository.object_type)
        for type_id, names in shown.items():
            read[type_id] = read.get(type_id, frozenset()) | names
    return read


def affects(error: CollectionError, read: Read) -> bool:
    """Return whether a failure left unseen something of what is read; if it doesn't say what it left, it may be anything."""
    if not error.affects:
        return True
    own = ((read.get(type_id), names) for type_id, names in error.affects.items())
    return any(found is not None and (not names or not found.isdisjoint(names)) for found, names in own)


def _absent(type_id: str, account: str, policies: list[str]) -> CollectionError:
    message = f"the snapshot holds no {type_id} of this account, which a policy reads"
    advice = "collect it again for these policies, or choose others with --policy"
    affected: dict[str, tuple[str, ...]] = {type_id: ()}
    return CollectionError(
        type_id, "NotInSnapshot", message, advice, len(policies), None, tuple(policies[:5]), affected, account
    )
