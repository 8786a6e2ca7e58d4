"""Objects as the interpreter takes them: fields, and what lookups and related lists lead to, found a page at a time.

What a page's objects lead to is read when the first of them asks, for all of them at once: one query a relation, not one an
object. Of a small type all objects are read once and kept. An object is known by its account and its id (decision 0021).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from reeve.inventory.directory import sha256
from reeve.inventory.manifest import MANIFEST, SnapshotError, read_manifest
from reeve.inventory.records import Reader, Record, Wanted
from reeve.inventory.tables import connection, several
from reeve.language.evaluation import Moment, Row
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.model import ObjectType, Relation

T = TypeVar("T")
Key = tuple[str, str]
"""What an object is known by: its account and its id there."""
PAGE = 1_000
"""How many objects are judged, or looked up, at a time."""
SMALL = 5_000
"""How many objects a type may have to be read as a whole and kept."""


class Source(Protocol):
    """Where objects are read from."""

    def size(self, type_id: str) -> int:
        """Return how many objects of a type there are."""
        ...

    def without(self, type_id: str) -> Collection[str]:
        """Return the accounts in which the objects of a type were not read."""
        ...

    def partly(self, type_id: str) -> Collection[str]:
        """Return the accounts of which some objects of a type may not have been read."""
        ...

    def records(self, object_type: ObjectType, wanted: Wanted | None = None) -> Iterable[Record]:
        """Yield a type's objects, or the wanted ones; fields that could not be read are `NotCollected`.

        Raises:
            SnapshotError: they can't be read.
        """
        ...


class Snapshot:
    """A snapshot's objects as the interpreter takes them; used within `with`, which keeps one connection open.

    `digest` is the SHA-256 of its manifest as it was opened.
    """

    def __init__(self, directory: Path, object_type: Callable[[str], ObjectType]) -> None:
        """Read the manifest of the snapshot in a directory; `object_type` gives a type by its id.

        Raises:
            SnapshotError: there is no snapshot, or not one of this version's.
        """
        self.directory, self.object_type = directory, object_type
        # Before it is read: if another one takes its place meanwhile, `check_still` notices.
        self.digest = _digest(directory)
        self.manifest = read_manifest(directory)
        self.moment = Moment.at(self.manifest.moment)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the connection."""
        self._reader = Reader(self.directory, self.manifest, self._stack.enter_context(connection()))
        self._objects = Objects(self.object_type, self._reader)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def check_still(self) -> None:
        """Look whether the snapshot that was opened is still the one in its directory.

        Raises:
            SnapshotError: another one has taken its place.
        """
        if _digest(self.directory) != self.digest:
            message = f"the snapshot in {self.directory} was replaced while it was judged"
            raise SnapshotError(f"{message}; evaluate it again")

    def files(self, type_id: str, distinct: bool = False) -> list[str]:
        """Return a type's files, after a look at what must hold in them; at ids that repeat too, if that is asked for.

        Raises:
            SnapshotError: there are none, or something does not hold.
        """
        return [str(path) for path in self._reader.files(self.object_type(type_id), distinct)]

    def rows(self, object_type: ObjectType, keys: Iterable[Key] | None = None) -> Iterator[tuple[Record, Row]]:
        """Yield a type's objects, or those of some accounts and ids, in the order of these.

        Raises:
            SnapshotError: the table is missing or can't be read, or lacks one of the objects, or has it twice.
        """
        pages = _batches(self._reader.records(object_type)) if keys is None else self._found(object_type, keys)
        for records in pages:
            yield from zip(records, self._objects.rows(object_type, records), strict=True)

    def _found(self, object_type: ObjectType, keys: Iterable[Key]) -> Iterator[list[Record]]:
        for some in _batches(keys):
            accounts, ids = {account for account, _ in some}, {identifier for _, identifier in some}
            found: dict[Key, Record] = {}
            for record in self._reader.records(object_type, Wanted(object_type.id_field, ids, accounts)):
                key = (record.account, record.fields[object_type.id_field])
                if key in found:
                    raise several(self.directory, key[0], object_type.id, key[1])
                found[key] = record
            for account, identifier in (key for key in some if key not in found):
                message = (
                    f"the snapshot in {self.directory} holds no {object_type.id} {identifier!r} of the account {account!r}"
                )
                raise SnapshotError(f"{message}; evaluate it again")
            yield [found[key] for key in some]


def _digest(directory: Path) -> str:
    try:
        return sha256(directory / MANIFEST)
    except OSError:
        return ""  # reading it says why


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, PAGE)):
        yield some


class Objects:
    """The objects of all types of a source, as the interpreter takes them; `object_type` gives a type by its id."""

    def __init__(self, object_type: Callable[[str], ObjectType], source: Source) -> None:
        self._object_type = object_type
        self._source = source
        self._kept: dict[str, _Page] = {}

    def rows(self, object_type: ObjectType, records: Sequence[Record]) -> Sequence[Row]:
        """Return a page of objects as the interpreter takes them, in order."""
        if not object_type.lookups and not object_type.related_lists:
            return [record.fields for record in records]
        return _Page(self, object_type, records).objects

    def having(self, type_id: str, wanted: Wanted) -> "Sequence[_Object]":
        """Return the wanted objects of a type."""
        object_type = self._object_type(type_id)
        if not wanted.values or not self._source.size(type_id):
            return []
        if self._source.size(type_id) > SMALL:
            return _Page(self, object_type, list(self._source.records(object_type, wanted))).objects
        if type_id not in self._kept:
            self._kept[type_id] = _Page(self, object_type, list(self._source.records(object_type)))
        return [one for value in wanted.values for one in self._kept[type_id].having(wanted.field).get(value, ())]

    def identity(self, type_id: str) -> str:
        """Return the name of the field that holds the ids of a type."""
        return self._object_type(type_id).id_field

    def without(self, type_id: str) -> Collection[str]:
        """Return the accounts in which a type's objects were not read."""
        return self._source.without(type_id)

    def partly(self, type_id: str) -> Collection[str]:
        """Return the accounts of which some objects of a type may not have been read."""
        return self._source.partly(type_id)


class _Page:
    """Objects of one type that were read together, and what they lead to as far as one of them has asked."""

    __slots__ = ("_all", "_behind", "_by_field", "_children", "object_type", "objects")

    def __init__(self, all_objects: Objects, object_type: ObjectType, records: Sequence[Record]) -> None:
        self.object_type = object_type
        self.objects = [_Object(record, self) for record in records]
        self._all = all_objects
        self._by_field: dict[str, dict[str, list[_Object]]] = {}
        self._behind: dict[str, dict[Key, Any]] = {}
        self._children: dict[str, dict[Key, list[Row]]] = {}

    def having(self, name: str) -> "Mapping[str, Sequence[_Object]]":
        """Return the page's objects by the values of a field."""
        if name not in self._by_field:
            self._by_field[name] = _grouped(self.objects, lambda one: one.text(name))
        return self._by_field[name]

    def behind(self, relation: Relation, account: str, key: str) -> Any:
        """Return the object that a lookup leads to from an account: null if there is none, or why that is not known."""
        if relation.name not in self._behind:
            keys = {(one.account, value) for one in self.objects if (value := one.text(relation.foreign_key or "")) is not None}
            self._behind[relation.name] = self._found_behind(relation, keys)
        return self._behind[relation.name][account, key]

    def _found_behind(self, relation: Relation, keys: Collection[Key]) -> dict[Key, Any]:
        field, type_id = self._all.identity(relation.type), relation.type
        accounts, values = {account for account, _ in keys}, {value for _, value in keys}
        own = {one.key: one for one in self._all.having(type_id, Wanted(field, values, accounts))}
        lost = [key for key in keys if key not in own]
        by_id = _grouped(self._all.having(type_id, Wanted(field, {value for _, value in lost})), lambda one: one.text(field))
        unread, partly = self._all.without(type_id), self._all.partly(type_id)
        return {**own, **{key: _elsewhere(by_id.get(key[1], ()), relation, key[0], unread, partly) for key in lost}}

    def children(self, relation: Relation, account: str, key: str) -> Any:
        """Return the objects in a related list, or why they are not known."""
        if account in self._all.without(relation.type):
            return NotCollected(f"no {relation.type} was read in the account {account}")
        if relation.name not in self._children:
            accounts, ids = {one.account for one in self.objects}, {one.key[1] for one in self.objects}
            name = relation.foreign_key or ""
            found = self._all.having(relation.type, Wanted(name, ids, accounts))
            self._children[relation.name] = _grouped(found, lambda one: (one.account, one.text(name)))
        return self._children[relation.name].get((account, key), [])


def _grouped(objects: "Iterable[_Object]", key: "Callable[[_Object], Any]") -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for one in objects:
        found.setdefault(key(one), []).append(one)
    return found


def _elsewhere(
    found: "Sequence[_Object]", relation: Relation, account: str, unread: Collection[str], partly: Collection[str]
) -> Any:
    """Return the one object that is in another account, null if there is none; else why it is not known.

    Ids may be names: where the own account was not read, another one's object of that name is none of its. Where the own
    account was read in part, the objects themselves say which of their keys lead to what was not read.
    """
    if len(found) > 1:
        return NotCollected(f"several other accounts have the {relation.type} that {relation.name} leads to")
    if account in unread or (unread and not found):
        where = account if account in unread else min(unread)
        return NotCollected(f"no {relation.type} was read in the account {where}, where {relation.name} may lead")
    lacking = sorted(other for other in partly if other != account)
    if lacking and not found:
        where = f"the account {lacking[0]}, where {relation.name} may lead"
        return NotCollected(f"not every {relation.type} could be read in {where}")
    return found[0] if found else None


class _Object(Mapping[str, Any]):
    """An object's fields, and by the names of its lookups and related lists the objects that they lead to."""

    __slots__ = ("_page", "_record")

    def __init__(self, record: Record, page: _Page) -> None:
        self._record, self._page = record, page

    @property
    def record(self) -> Record:
        """The object as it was collected."""
        return self._record

    @property
    def account(self) -> str:
        """The account that the object is in."""
        return self._record.account

    @property
    def key(self) -> Key:
        """What the object is known by."""
        return self._record.account, self._record.fields[self._page.object_type.id_field]

    def text(self, name: str) -> str | None:
        """Return what a field holds that is a key; None where it holds nothing, or could not be read."""
        found = self._record.fields.get(name)
        return None if isinstance(found, NotCollected) else found

    def __getitem__(self, name: str) -> Any:
        found, own = self._record.fields.get(name), self._page.object_type
        if name in self._record.fields and not (isinstance(found, NotCollected) and name in own.related_lists):
            return found
        lookup = own.lookups.get(name)
        if lookup is not None:
            key = self._record.fields.get(lookup.foreign_key or "")
            return key if key is None or isinstance(key, NotCollected) else self._page.behind(lookup, self.account, key)
        related = own.related_lists[name]
        children: Any = self._page.children(related, *self.key) if related.foreign_key else []
        if isinstance(found, NotCollected) and not isinstance(children, NotCollected):
            return PartlyCollected(children, found.reason)
        return children

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or what a lookup or related list of that name leads to."""
        own = self._page.object_type
        known = name in self._record.fields or name in own.lookups or name in own.related_lists
        return self[name] if known else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._record.fields)

    def __len__(self) -> int:
        return len(self._record.fields)


def record_of(row: Row) -> Record | None:
    """Return an object of a snapshot as it was collected; None where the row is none of a snapshot."""
    return row.record if isinstance(row, _Object) else None
