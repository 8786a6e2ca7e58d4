"""Objects of a snapshot as the interpreter takes them: fields, and what lookups and related lists lead to."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reeve.language.operations.base import Row
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.model import ObjectType, Relation

Fields = Mapping[str, Any]


class Objects:
    """The objects of all types; a type is read when it is first needed, once.

    `object_type` gives a type by its id, `read` the fields of its objects, those that could not be read as `NotCollected`.
    """

    def __init__(self, object_type: Callable[[str], ObjectType], read: Callable[[str], Iterable[Fields]]) -> None:
        self._object_type = object_type
        self._read = read
        self._by_field: dict[tuple[str, str], dict[Any, list[Row]]] = {}

    def row(self, object_type: ObjectType, fields: Fields) -> Row:
        """Return an object as the interpreter takes it."""
        if not object_type.lookups and not object_type.related_lists:
            return fields
        return _Object(fields, object_type, self)

    def behind(self, relation: Relation, key: Any) -> Any:
        """Return the object that a lookup leads to; null if there is none."""
        if key is None or isinstance(key, NotCollected):
            return key
        found = self._rows_by(relation.type, self._object_type(relation.type).id_field).get(key)
        return found[0] if found else None

    def children(self, relation: Relation, key: Any) -> list[Row]:
        """Return the objects in a related list."""
        return [] if relation.foreign_key is None else self._rows_by(relation.type, relation.foreign_key).get(key, [])

    def _rows_by(self, type_id: str, name: str) -> dict[Any, list[Row]]:
        if (type_id, name) not in self._by_field:
            found: dict[Any, list[Row]] = {}
            object_type = self._object_type(type_id)
            for fields in self._read(type_id):
                key = fields.get(name)
                if key is not None and not isinstance(key, NotCollected):
                    found.setdefault(key, []).append(self.row(object_type, fields))
            self._by_field[type_id, name] = found
        return self._by_field[type_id, name]


class _Object(Mapping[str, Any]):
    """An object's fields, and by the names of its lookups and related lists the objects that they lead to."""

    __slots__ = ("_fields", "_objects", "_type")

    def __init__(self, fields: Fields, object_type: ObjectType, objects: Objects) -> None:
        self._fields, self._type, self._objects = fields, object_type, objects

    def __getitem__(self, name: str) -> Any:
        found = self._fields.get(name)
        if name in self._fields and not (isinstance(found, NotCollected) and name in self._type.related_lists):
            return found
        lookup = self._type.lookups.get(name)
        if lookup is not None:
            return self._objects.behind(lookup, self._fields.get(lookup.foreign_key or ""))
        related = self._type.related_lists[name]
        children = self._objects.children(related, self._fields.get(self._type.id_field))
        return PartlyCollected(children, found.reason) if isinstance(found, NotCollected) else children

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or what a lookup or related list of that name leads to."""
        known = name in self._fields or name in self._type.lookups or name in self._type.related_lists
        return self[name] if known else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)
