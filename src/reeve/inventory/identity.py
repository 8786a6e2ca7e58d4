"""An object has one id, and an id one object: what a snapshot does with records of which that is not so."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from reeve.inventory.manifest import CollectionError
from reeve.inventory.records import Record
from reeve.model import ObjectType

_SEVERAL = "several objects were read with this id, and they differ in it"
_ADVICE = "look at the objects in the account; if each has its own id there, report this"


def identified(object_type: ObjectType, records: Iterable[Record]) -> tuple[Sequence[Record], Sequence[CollectionError]]:
    """Return a type's records, one for each id, and what there is to say.

    A record without an id is left out. Of records with the same id one is kept; what they differ in is not collected, as
    nobody knows which of them it is. Both are errors: objects of the type may be missing. What a list only repeats is none.
    """
    every = list(records)
    counts = Counter(_id(object_type, record) for record in every)
    nameless = counts.pop(None, 0)
    repeated: dict[Any, list[Record]] = {identifier: [] for identifier, count in counts.items() if count > 1}
    found: dict[Any, Record] = {}
    for record in every:
        identifier = _id(object_type, record)
        if identifier is not None:
            found.setdefault(identifier, record)
            if identifier in repeated:
                repeated[identifier].append(record)
    for identifier, some in repeated.items():
        found[identifier] = _merged(some)
    differing = [identifier for identifier in repeated if _SEVERAL in found[identifier].not_collected.values()]
    errors: list[CollectionError] = []
    if nameless:
        errors.append(_error(object_type, "NoId", f"objects had no {object_type.id_field}", nameless, ()))
    if differing:
        names = tuple(str(identifier) for identifier in differing)[:5]
        errors.append(_error(object_type, "RepeatedId", "several objects had one id", len(differing), names))
    return list(found.values()), errors


def _id(object_type: ObjectType, record: Record) -> Any:
    name = object_type.id_field
    return None if name in record.not_collected else record.fields.get(name)


def _merged(records: Sequence[Record]) -> Record:
    first, *others = records
    missing = {name: reason for record in records for name, reason in record.not_collected.items()}
    names = {name for record in records for name in record.fields}
    missing |= {
        name: _SEVERAL for name in sorted(names) if any(other.fields.get(name) != first.fields.get(name) for other in others)
    }
    fields = {name: value for name, value in first.fields.items() if name not in missing}
    arns = {record.arn for record in records}
    as_of = min(record.as_of for record in records)
    return replace(first, fields=fields, arn=first.arn if len(arns) == 1 else None, as_of=as_of, not_collected=missing)


def _error(object_type: ObjectType, code: str, message: str, count: int, subjects: tuple[str, ...]) -> CollectionError:
    return CollectionError(object_type.id, code, message, _ADVICE, count, None, subjects, {object_type.id: ()})
