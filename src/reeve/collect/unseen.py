"""Which lists could not be read: related lists and lookups that lead there are *not collected* (design, decision 6)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reeve.inventory.records import GLOBAL, Record
from reeve.model import ObjectType


@dataclass(frozen=True, slots=True)
class Parent:
    """The object that a list is read for: its type, its id, its region, its fields as expressions see them.

    `unknown` are the reasons for the fields that could not be read.
    """

    type_id: str
    id: Any
    region: str
    fields: Mapping[str, Any]
    unknown: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Unseen:
    """The lists that could not be read, by the type of what they list: of a region (None: of all), or for one parent.

    `fields` are why fields of a type could not be read of some object: if one says whose child it is, it may be anybody's.
    """

    regions: dict[str, list[tuple[str | None, str]]] = field(default_factory=dict[str, list[tuple[str | None, str]]])
    parents: dict[str, dict[str, dict[Any, str]]] = field(default_factory=dict[str, dict[str, dict[Any, str]]])
    fields: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def in_region(self, type_id: str, region: str | None, reason: str) -> None:
        """Note that a list of a region could not be read, or, without one, of all regions."""
        self.regions.setdefault(type_id, []).append((region, reason))

    def below(self, type_id: str, parent: Parent, reason: str) -> None:
        """Note that the list for a parent could not be read."""
        self.parents.setdefault(type_id, {}).setdefault(parent.type_id, {})[parent.id] = reason

    def of(self, type_id: str, record: Record) -> None:
        """Note which fields of an object could not be read."""
        for name, reason in record.not_collected.items():
            self.fields.setdefault((type_id, name), reason)

    def marked(self, own: ObjectType, record: Record, ids: Mapping[str, Collection[Any]]) -> Record:
        """Return a record that says which of its related lists and lookups lead to what was not seen.

        Args:
            own: the record's type.
            record: what was read of it.
            ids: the ids of the objects that were seen, by type.
        """
        reasons: dict[str, str] = {}
        for relation in own.related_lists.values():
            found = list(self._in_list(own, record, relation.type))
            found += [self.fields[key] for key in [(relation.type, relation.foreign_key or "")] if key in self.fields]
            if found:
                reasons[relation.name] = _summed(found)
        for relation in own.lookups.values():
            key, found = record.fields.get(relation.foreign_key or ""), self._of_type(relation.type)
            if found and key is not None and key not in ids.get(relation.type, ()):
                reasons[relation.name] = _summed(found)
        if not reasons:
            return record
        return replace(record, not_collected={**record.not_collected, **reasons})

    def _of_type(self, type_id: str) -> list[str]:
        """Return why objects of a type may not have been seen."""
        below = (reason for of in self.parents.get(type_id, {}).values() for reason in of.values())
        return [*(reason for _, reason in self.regions.get(type_id, ())), *below]

    def _in_list(self, own: ObjectType, record: Record, listed: str) -> Iterator[str]:
        """Yield why an object's related list may lack objects."""
        identifier, everywhere = record.fields.get(own.id_field), record.region == GLOBAL
        yield from (reason for where, reason in self.regions.get(listed, ()) if everywhere or where in (None, record.region))
        for type_id, below in self.parents.get(listed, {}).items():
            if type_id != own.id:
                yield from below.values()
            elif identifier in below:
                yield below[identifier]


def _summed(reasons: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(reasons))
    return distinct[0] if len(reasons) == 1 else f"{distinct[0]} (the first of {len(reasons)} lists that could not be read)"
