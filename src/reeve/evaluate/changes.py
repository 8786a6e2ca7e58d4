"""What has changed between two snapshots, as far as policies can see: only those objects are judged again.

An object is affected when it, an object that one of its lookups leads to, or a child in one of its related lists is not what
it was; children are affected in the same way. Objects that were removed or added count as changed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reeve.evaluate.engines.dialect import ibis
from reeve.evaluate.engines.engine import Engine
from reeve.evaluate.estate import EstateTables
from reeve.evaluate.field_columns import table_name
from reeve.evaluate.interpreter import Program
from reeve.evaluate.queries import compiled
from reeve.evaluate.reach import Reach, Types, follow_lookup
from reeve.evaluate.stages import IDENTITY, dtype_of
from reeve.inventory.columns import kinds_of
from reeve.inventory.tables import ACCOUNT, ARN, REGION
from reeve.language.types import Kind
from reeve.language.unread import NOT_COLLECTED
from reeve.model import ObjectType

AFFECTED = "reeve_affected"
_ACCOUNT, _ID = IDENTITY
_PLACE = (ACCOUNT, REGION, ARN)


@dataclass(frozen=True, slots=True)
class Since:
    """What is known from earlier of one type: the tables of that snapshot, the files of outcomes, the policies' columns."""

    tables: EstateTables
    outcomes: Sequence[str]
    columns: Mapping[str, str]


@dataclass(slots=True)
class Changes:
    """Finds the affected objects with an engine; what has changed of a type is found once.

    What a lookup leads to may be of another account: a changed object affects those of all accounts that name its id.

    `open_table` opens a type's table of now and returns its columns; `before` are the earlier tables.
    """

    engine: Engine
    object_type: Types
    open_table: Callable[[str], Sequence[str]]
    before: EstateTables
    changed: dict[str, Any] = field(default_factory=dict[str, Any])

    def find(self, programs: Iterable[Program]) -> int:
        """Put the affected objects of the programs' type into the table `reeve_affected`, of the columns `IDENTITY`.

        Returns:
            How many there are.

        Raises:
            EngineError: the engine failed.
        """
        found: Any = None
        for program in programs:
            ids = self._affected(Reach.of(program))
            found = ids if found is None else found.union(ids)
        return self.engine.table(AFFECTED, compiled(self.engine.dialect, found.distinct()))

    def _affected(self, reach: Reach) -> Any:
        object_type = reach.object_type
        found = _identities(self._changed(object_type), object_type.id_field)
        for path in reach.lookups:
            relation, before = follow_lookup(object_type, path, self.object_type)
            if all(step.foreign_key for step in (*before, relation)):
                target = self.object_type(relation.type)
                keys = _identities(self._changed(target), target.id_field)
                found = found.union(self._leading_to(object_type, path, keys))
        for name, child in reach.lists.items():
            prefix, _, last = name.rpartition(".")
            parent = self._behind(object_type, prefix)
            foreign_key = parent.related_lists[last].foreign_key
            if foreign_key is not None:
                parents = self._parents(child, foreign_key)
                found = found.union(self._leading_to(object_type, prefix, parents) if prefix else parents)
        return found

    def _behind(self, object_type: ObjectType, path: str) -> ObjectType:
        return self.object_type(follow_lookup(object_type, path, self.object_type)[0].type) if path else object_type

    def _parents(self, child: Reach, foreign_key: str) -> Any:
        """Return the parents, of now and before, whose children are affected."""
        now, changed = self._now(child.object_type), self._changed(child.object_type)
        some = self._affected(child)
        still = now.semi_join(some, [now[ACCOUNT] == some[_ACCOUNT], now[child.object_type.id_field] == some[_ID]])
        return _identities(changed, foreign_key).union(_identities(still, foreign_key))

    def _leading_to(self, object_type: ObjectType, path: str, some: Any) -> Any:
        """Return the objects of which a lookup path may end at one of some objects."""
        relation, before = follow_lookup(object_type, path, self.object_type)
        *earlier, _ = path.split(".")
        here = self._behind(object_type, ".".join(earlier))
        now = self._now(here)
        found = _identities(now.semi_join(some, now[relation.foreign_key] == some[_ID]), here.id_field)
        return self._leading_to(object_type, ".".join(earlier), found) if before else found

    def _now(self, object_type: ObjectType) -> Any:
        return ibis.table(self._schema(object_type, self.open_table(object_type.id)), name=table_name(object_type.id))

    def _changed(self, object_type: ObjectType) -> Any:
        """Return the rows that are only in one of the two tables."""
        if object_type.id not in self.changed:
            columns, name = self.open_table(object_type.id), table_name(object_type.id)
            older = f"{name}_before"
            wanted = {**kinds_of(object_type), **dict.fromkeys(_PLACE, Kind.TEXT)}
            known = self.engine.open_table(older, self.before.files[object_type.id], wanted)
            schema = self._schema(object_type, columns)
            # A column that one of the tables lacks is null there, which is what the evaluators take it for.
            every = schema | self._schema(object_type, known)
            now = _with(ibis.table(schema, name=name), every)
            earlier = _with(ibis.table(self._schema(object_type, known), name=older), every)
            rows = now.difference(earlier).union(earlier.difference(now))
            self.engine.table(f"{name}_changed", compiled(self.engine.dialect, rows))
            self.changed[object_type.id] = ibis.table(rows.schema(), name=f"{name}_changed")
        return self.changed[object_type.id]

    @staticmethod
    def _schema(object_type: ObjectType, columns: Sequence[str]) -> dict[str, str]:
        declared = {name: dtype_of(kind) for name, kind in kinds_of(object_type).items()} | dict.fromkeys(_PLACE, "string")
        if object_type.untyped:
            return dict.fromkeys(columns, "string")
        return declared | ({NOT_COLLECTED: "string"} if NOT_COLLECTED in columns else {})


def _identities(table: Any, column: str) -> Any:
    return table.select(**{_ACCOUNT: table[ACCOUNT], _ID: table[column]})


def _with(table: Any, schema: Mapping[str, str]) -> Any:
    columns = table.columns
    nulls = {name: ibis.literal(None, dtype) for name, dtype in schema.items() if name not in columns}
    return table.mutate(**nulls).select(*sorted(schema))
