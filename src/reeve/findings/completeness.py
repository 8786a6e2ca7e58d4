"""What could not be read, as far as the selected policies need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reeve.evaluate.interpreter import Program
from reeve.evaluate.needs import needs
from reeve.evaluate.reach import types_read
from reeve.inventory.manifest import CollectionError, Manifest
from reeve.repository.repository import Repository

Read = Mapping[str, frozenset[str]]
"""By the id of a type, the names of fields and related lists that are read of its objects."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What of a snapshot the selected policies lack.

    `errors` are the failed calls of what is read or shown for the policies, `incomplete` the ids of the policies that need what
    could not be read, `unjudged` those of them that can't judge at all, as the snapshot has no table of a type that they
    read, of some account.
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
    missing: dict[str, list[str]] = {}
    for policy_id, program in programs.items():
        for type_id in types_read([program], repository.object_type):
            if not manifest.tables.get(type_id) or manifest.without(type_id):
                missing.setdefault(type_id, []).append(policy_id)
    unjudged = {policy_id for policies in missing.values() for policy_id in policies}
    absent = tuple(_absent(type_id, policies, manifest.without(type_id)) for type_id, policies in missing.items())
    return Completeness((*errors, *absent), frozenset(incomplete | unjudged), frozenset(unjudged))


def read_and_shown(repository: Repository, programs: Mapping[str, Program]) -> Read:
    """Return what the programs read, and what is shown beside it: the credentials that a policy's findings show."""
    read = needs(programs.values(), repository.object_type)
    for policy_id, program in programs.items():
        credentials, lists = repository.policy(policy_id).credentials, program.body.object_type.related_lists
        if credentials and credentials.related_list in lists:
            shown = repository.object_type(lists[credentials.related_list].type)
            read[shown.id] = read.get(shown.id, frozenset()) | shown.fields.keys()
    return read


def affects(error: CollectionError, read: Read) -> bool:
    """Return whether a failure left unseen something of what is read; if it doesn't say what it left, it may be anything."""
    if not error.affects:
        return True
    own = ((read.get(type_id), names) for type_id, names in error.affects.items())
    return any(found is not None and (not names or not found.isdisjoint(names)) for found, names in own)


def _absent(type_id: str, policies: list[str], accounts: Sequence[str]) -> CollectionError:
    whose = f" of {', '.join(accounts)}" if any(accounts) else ""
    message = f"the snapshot holds no {type_id}{whose}, which a policy reads"
    advice = "collect again for these policies, or choose others with --policy"
    return CollectionError(type_id, "NotInSnapshot", message, advice, len(policies), None, tuple(policies[:5]), {type_id: ()})
