"""The fields of objects, and of those that lookups lead to, as columns; and of which objects they were not collected."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from reeve.evaluate.engines.dialect import Dialect, Expr, ibis
from reeve.evaluate.outcomes import OBJECT
from reeve.evaluate.stages import Lookup, Stages, dtype_of, is_filled
from reeve.inventory.tables import ACCOUNT, ARN, REGION
from reeve.language.evaluation import Moment
from reeve.language.rows import says_disappeared
from reeve.language.types import NAMED
from reeve.language.unread import NOT_COLLECTED
from reeve.model import ObjectType, Relation


@dataclass(frozen=True, slots=True)
class Setting:
    """What plans are made for: the engine's dialect, the types, the columns that a type's table has, the moment.

    `unread` are the accounts that have no table of a type. `elsewhere` gives a table of the keys that lead beyond their account
    (`estate.Elsewhere`), by the type that holds them, the field, and the type that they are ids of; None for a single account.
    `exact` asks for columns that defer no object; `only` names a table of objects (`IDENTITY`) that restricts the judged type.
    """

    dialect: Dialect
    object_type: Callable[[str], ObjectType]
    table_columns: Callable[[str], Sequence[str]]
    moment: Moment
    unread: Callable[[str], Collection[str]] = lambda type_id: ()
    elsewhere: Callable[[ObjectType, str, ObjectType], str] | None = None
    exact: bool = False
    only: str | None = None


@dataclass(frozen=True, slots=True)
class FieldColumns:
    """The columns that are read of a type's table and of those that its lookups lead to; `stages` joins them."""

    object_type: ObjectType
    setting: Setting
    stages: Stages

    def identity(self) -> Expr:
        """Return the object's id."""
        return self.own(self.object_type.id_field)

    def place(self) -> dict[str, Expr]:
        """Return the columns of `outcomes.OBJECT`."""
        found = (self.own(ACCOUNT), self.own(REGION), self.own(ARN), self.identity(), self._name())
        return dict(zip(OBJECT, found, strict=True))

    def _name(self) -> Expr:
        """Return the object's name as `Record.name` has it."""
        name = self.object_type.name_field
        if name == self.object_type.id_field:
            return self.identity()
        if name not in self.object_type.fields:
            return ibis.null("string")
        found, missing = self.own(name).nullif(""), self.missing("", name)
        return found if missing is None else ibis.cases((missing, ibis.null("string")), else_=found)

    def own(self, name: str) -> Expr:
        """Return a column of the objects themselves."""
        if name not in self.stages.own:
            self.stages.own[name] = self.stages.new(_dtype(self.object_type, name))
        return self.stages.ref(self.stages.own[name])

    def taken(self, prefix: str, name: str) -> Expr:
        """Return a column of the objects that a path of lookups leads to."""
        if not prefix:
            return self.own(name)
        lookup, stages = self.lookup(prefix), self.stages
        if name == ACCOUNT:
            return stages.ref(lookup.account)
        if name not in lookup.taken:
            lookup.taken[name] = stages.new(_dtype(self.type_behind(prefix), name), needs=[lookup.found])
        return stages.ref(lookup.taken[name])

    def type_behind(self, path: str) -> ObjectType:
        """Return the type of the objects that a path of lookups leads to."""
        object_type = self.object_type
        for lookup in path.split(".") if path else ():
            object_type = self.setting.object_type(object_type.lookups[lookup].type)
        return object_type

    def _relation(self, path: str) -> Relation:
        before, _, last = path.rpartition(".")
        return self.type_behind(before).lookups[last]

    def leads_somewhere(self, path: str) -> bool:
        """Return whether every lookup of a path says which field leads on; else it is null for every object."""
        parts = path.split(".") if path else []
        return all(self._relation(".".join(parts[: n + 1])).foreign_key for n in range(len(parts)))

    def lookup(self, path: str) -> Lookup:
        """Return the join of a path of lookups that leads somewhere."""
        if path not in self.stages.lookups:
            relation, before = self._relation(path), path.rpartition(".")[0]
            asking, target = self.type_behind(before), self.setting.object_type(relation.type)
            key = relation.foreign_key or ""
            needs = (self.taken(before, ACCOUNT).get_name(), self.taken(before, key).get_name())
            self.setting.table_columns(target.id)
            elsewhere = there = unread = None
            if self.setting.elsewhere is not None:
                elsewhere = self.setting.elsewhere(asking, key, target)
                there = self.stages.new("string", needs=needs)
                unread = self.stages.new("boolean", needs=[there])
            found = self.stages.new("string", needs=[*needs, *([there] if there else ())])
            account = self.stages.new("string", needs=[found])
            gone = {name: _dtype(target, name) for name in saying_gone(target)}
            self.stages.lookups[path] = Lookup(
                table_name(target.id), target.id_field, needs, found, account, gone, elsewhere, there or "", unread or ""
            )
        return self.stages.lookups[path]

    def missing(self, prefix: str, *names: str | None) -> Expr | None:
        """Return when one of some names could not be collected for an object, or a lookup on the way to it."""
        conditions: list[Expr] = []
        here = self.leads_somewhere(prefix)
        if here and NOT_COLLECTED in self.setting.table_columns(self.type_behind(prefix).id):
            reasons = self.taken(prefix, NOT_COLLECTED)
            # JSON writes quotes inside texts as \", so that `"name":` can only be a key.
            conditions = [reasons.contains(f'"{name}":').fill_null(False) for name in names if name]
        earlier = self.lookup_missing(prefix) if prefix else None
        conditions += [] if earlier is None else [earlier]
        if not conditions:
            return None
        found = conditions[0]
        for condition in conditions[1:]:
            found = found | condition
        return self.stages.share(found)

    def lookup_missing(self, path: str) -> Expr | None:
        """Return when it is not known for an object where a path of lookups leads."""
        before, _, last = path.rpartition(".")
        missing = self.missing(before, last, self._relation(path).foreign_key)
        if self.setting.elsewhere is None or not self.leads_somewhere(path):
            return missing
        unread = self.stages.ref(self.lookup(path).unread).fill_null(False)
        return self.stages.share(unread if missing is None else missing | unread)

    def list_missing(self, prefix: str, relation: Relation) -> Expr | None:
        """Return when a related list could not be collected for an object, or a lookup on the way to it."""
        missing, unread = self.missing(prefix, relation.name), sorted(self.setting.unread(relation.type))
        if not unread or relation.foreign_key is None or not self.leads_somewhere(prefix):
            return missing
        here = self.taken(prefix, ACCOUNT).isin(unread).fill_null(False)
        return self.stages.share(here if missing is None else missing | here)

    def gone(self) -> Expr | None:
        """Return whether the object is gone; None when its type has no field that would say so."""
        gone = None
        for name in saying_gone(self.object_type):
            there = is_filled(self.own(name))
            gone = there if gone is None else gone | there
        return gone


def saying_gone(object_type: ObjectType) -> tuple[str, ...]:
    """Return the names of the fields that say that an object of a type is gone."""
    declared = object_type.disappearance_field
    return (declared,) if declared else tuple(name for name in object_type.fields if says_disappeared(name))


def table_name(type_id: str) -> str:
    """Return the name under which an engine knows a type's table."""
    return "objects_" + "".join(letter if letter.isalnum() and letter.isascii() else f"_{ord(letter):x}_" for letter in type_id)


def _dtype(object_type: ObjectType, name: str) -> str:
    declared = object_type.fields.get(name)
    return dtype_of(NAMED[declared.type].kind) if declared else "string"
