"""One id, one object: what a list repeats is taken once, and two objects that bear one id are not taken for one."""

from collections.abc import Iterable
from typing import Any

from reeve.inventory.records import Record

Found = tuple[str, Record]
"""A record, and the region that the object is in."""


def distinct(found: Iterable[Found], id_field: str) -> tuple[list[Found], tuple[str, ...]]:
    """Return records of which no two have the same id, and the ids that two different objects bear.

    Of two different objects with one id, the fields that differ are *not collected*: neither's verdict is the other's.
    """
    kept: dict[Any, Found] = {}
    clashes: dict[str, None] = {}
    for region, record in found:
        identifier = record.fields.get(id_field)
        first = kept.setdefault(identifier, (region, record))
        if first[1].fields != record.fields:
            clashes[str(identifier)] = None
            kept[identifier] = (first[0], _unsure(first[1], record))
    return list(kept.values()), tuple(clashes)


def _unsure(one: Record, other: Record) -> Record:
    names = one.fields.keys() | other.fields.keys()
    known = {name: one.fields[name] for name in names if name in one.fields and one.fields[name] == other.fields.get(name)}
    why = "two objects bear this id, and differ here"
    return Record(
        known, min(one.as_of, other.as_of), one.source, dict.fromkeys(names - known.keys(), why) | dict(one.not_collected)
    )
