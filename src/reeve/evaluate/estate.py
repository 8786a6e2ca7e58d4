"""What an engine knows of an estate: the tables of its accounts, and which account has what another one refers to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reeve.evaluate.engines.dialect import ibis
from reeve.evaluate.engines.engine import Engine
from reeve.evaluate.field_columns import table_name
from reeve.evaluate.queries import compiled
from reeve.evaluate.stages import ELSEWHERE
from reeve.inventory.tables import ACCOUNT
from reeve.model import ObjectType


@dataclass(frozen=True, slots=True)
class EstateTables:
    """The tables of a snapshot.

    `files` are the files of Parquet of each type that was read, those of all accounts; `without` the accounts, by type, that
    have no table of it; `several` says whether the estate has more than one account. `partly` are the accounts, by type, whose
    tables may lack some objects.
    """

    files: Mapping[str, Sequence[str]]
    without: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    several: bool = False
    partly: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    def unread(self, type_id: str) -> frozenset[str]:
        """Return the accounts of which the objects of a type were not read."""
        return frozenset(self.without.get(type_id, ()))

    def read_in_part(self, type_id: str) -> frozenset[str]:
        """Return the accounts whose tables of a type may lack some objects."""
        return frozenset(self.partly.get(type_id, ()))


@dataclass(slots=True)
class Elsewhere:
    """Finds what lookups lead to beyond the own account (decision 0021); every foreign key is looked at once.

    `open_table` opens a type's table.
    """

    engine: Engine
    tables: EstateTables
    open_table: Callable[[str], Sequence[str]]
    made: dict[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])

    def __call__(self, asking: ObjectType, foreign_key: str, target: ObjectType) -> str:
        """Return the name of a table of the keys that are not ids of their own account's, as far as there is more to say.

        Its columns are those of `ELSEWHERE`: an account and a key; the account, `there`, that has the object; `unread`, whether
        it is not known which one the key leads to: several other accounts have it, or one that may have it was not read whole. A
        key that is not in the table leads to the own account's object, or to none.

        Args:
            asking: the type of the objects that hold the key.
            foreign_key: the field that does.
            target: the type of the objects that it is an id of.

        Raises:
            EngineError: the engine failed.
        """
        known = (asking.id, foreign_key, target.id)
        if known not in self.made:
            name = f"reeve_elsewhere{len(self.made)}"
            for one in (asking, target):
                self.open_table(one.id)
            query = compiled(self.engine.dialect, self._found(asking, foreign_key, target))
            self.engine.table(name, query)
            self.made[known] = name
        return self.made[known]

    def _found(self, asking: ObjectType, foreign_key: str, target: ObjectType) -> Any:
        account, key, there, unread = ELSEWHERE
        keys: Any = ibis.table({ACCOUNT: "string", foreign_key: "string"}, name=table_name(asking.id))
        rows: Any = ibis.table({ACCOUNT: "string", target.id_field: "string"}, name=table_name(target.id))
        keys = keys.filter(keys[foreign_key].notnull()).select(**{account: keys[ACCOUNT], key: keys[foreign_key]})
        rows = rows.select(**{there: rows[ACCOUNT], "id": rows[target.id_field]})
        # A row that says that it is gone counts: it is where the key leads, and the lookup is then empty.
        lost = keys.anti_join(rows, [keys[account] == rows[there], keys[key] == rows["id"]]).distinct()
        without, partly = sorted(self.tables.unread(target.id)), sorted(self.tables.read_in_part(target.id))
        joined = lost.join(rows, [lost[key] == rows["id"]], how="left" if without or partly else "inner")
        counted = joined.group_by([account, key]).aggregate(count=joined[there].count(), **{there: joined[there].min()})
        unknown = counted["count"] > 1
        if without:
            # Ids may be names: where the own account was not read, another one's object of that name is none of its.
            unknown = unknown | (counted["count"] == 0) | counted[account].isin(without)
        elif partly:
            # Of the own account the objects themselves say which of their keys lead to what was not read.
            elsewhere = True if len(partly) > 1 else counted[account] != partly[0]
            unknown = unknown | ((counted["count"] == 0) & elsewhere)
        return counted.select(
            account, key, **{there: ibis.cases((unknown, ibis.null("string")), else_=counted[there]), unread: unknown}
        )
