"""Which lists could not be read: related lists and lookups that lead there are *not collected* (design, decision 6)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reeve.inventory.records import Record
from reeve.model import ObjectType

Records = Mapping[str, Sequence[tuple[str, Record]]]
"""By type, the records with the region of each."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The object that a list is read for: its type, its id, its region, and its fields as expressions see them."""

    type_id: str
    id: Any
    region: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """A list of a type that could not be read: of a region, or of all (None), or for one parent."""

    region: str | None
    parent: Parent | None
    reason: str

    def concerns(self, own: ObjectType, region: str, identifier: Any) -> bool:
        """Return whether an object's related list may lack objects for this gap."""
        if self.parent is not None:
            return self.parent.type_id != own.id or self.parent.id == identifier
        regional = own.collect is not None and (own.collect.regional or own.collect.region is not None)
        return self.region is None or not regional or self.region == region


@dataclass(slots=True)
class Unseen:
    """The lists that could not be read, by the type of what they list."""

    gaps: dict[str, list[Gap]] = field(default_factory=dict[str, list[Gap]])

    def add(self, type_id: str, gap: Gap) -> None:
        """Note a list that could not be read."""
        self.gaps.setdefault(type_id, []).append(gap)

    def marked(self, own: ObjectType, region: str, record: Record, ids: Mapping[str, Collection[Any]]) -> Record:
        """Return a record that says which of its related lists and lookups lead to what was not seen.

        Args:
            own: the record's type.
            region: where the object is.
            record: what was read of it.
            ids: the ids of the objects that were seen, by type.
        """
        reasons: dict[str, str] = {}
        identifier = record.fields.get(own.id_field)
        for relation in own.related_lists.values():
            found = [gap.reason for gap in self.gaps.get(relation.type, ()) if gap.concerns(own, region, identifier)]
            if found:
                reasons[relation.name] = _summed(found)
        for relation in own.lookups.values():
            key = record.fields.get(relation.foreign_key or "")
            found = [gap.reason for gap in self.gaps.get(relation.type, ())]
            if found and key is not None and key not in ids.get(relation.type, ()):
                reasons[relation.name] = _summed(found)
        if not reasons:
            return record
        return Record(record.fields, record.as_of, record.source, {**record.not_collected, **reasons})


def _summed(reasons: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(reasons))
    return distinct[0] if len(reasons) == 1 else f"{distinct[0]} (the first of {len(reasons)} lists that could not be read)"
