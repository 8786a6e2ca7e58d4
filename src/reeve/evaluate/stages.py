"""The stages of a query over a type's table: joins first, then columns by how they build on each other.

While policies are compiled, every column that they need gets a name of its own in one imagined table, the universe. When
all are known, the query is put together from the objects upwards: looked-up fields and counts of children are joined to the
objects, then each stage adds what builds on the stages below, and the last selects what was asked for. What nobody needs in
the end is left out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ibis.common.collections import FrozenOrderedDict  # pyright: ignore[reportMissingTypeStubs]

from reeve.evaluate.by_interpreter import DistinctMapping, Maker
from reeve.evaluate.engines.dialect import Dialect, Expr, ibis, ibis_operations
from reeve.evaluate.queries import Query, compiled, nested
from reeve.inventory.tables import ACCOUNT
from reeve.language.columns import NotInSqlError
from reeve.language.kinds import COLUMN_TYPES, FORMS
from reeve.language.types import Kind

_SOMETHING = "[^ \\t\\n\\r\\f\\x0b]"


def dtype_of(kind: Kind) -> str:
    """Return the type, as Ibis names it, of the columns that hold a kind.

    Raises:
        NotInSqlError: none do; only the interpreter has such values.
    """
    column = FORMS[kind].column
    if column is None:
        raise NotInSqlError
    return column.ibis


def is_filled(value: Expr) -> Expr:
    """Return whether a column's value is not empty: not null, nor a text of white space only."""
    return value.re_search(_SOMETHING).fill_null(False) if str(value.type()) == "string" else value.notnull()


BELOW, KEY, STATUS = "reeve_below", "~key", "~status"
IDENTITY = ("account", "id")
"""What tells an object from all others of its type: the columns of outcomes, and of tables of some objects."""
ELSEWHERE = ("account", "key", "there", "unread")
"""The columns of a table of keys that lead beyond their account (`estate.Elsewhere`): three texts and a Boolean."""
_WIDTH = 2000
_NAMES = {of.ibis: f"~{of.ibis[0]}" for of in COLUMN_TYPES}


class UnboundTable(ibis_operations.UnboundTable):  # pyright: ignore[reportUntypedBaseClass]
    """A table of very many columns, of which Ibis is not to look at each one at every selection.

    The class has the name of Ibis's own because its compilers go by that.
    """

    @property
    def fields(self) -> Any:
        """None: what is selected is always named."""
        return cast("Any", FrozenOrderedDict)()


_UNIVERSE: Any = UnboundTable(
    name=BELOW, schema=ibis.schema({f"{name}{n}": dtype for dtype, name in _NAMES.items() for n in range(_WIDTH)})
).to_expr()
_PLAIN = (ibis_operations.Field, ibis_operations.Literal)
_CHEAP = (ibis_operations.IsNull, ibis_operations.NotNull, ibis_operations.Not)


@dataclass(frozen=True, slots=True)
class Said:
    """One of the mappings that share a step: what says it, which of the inputs it takes, and the type of its value."""

    maker: Maker
    at: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class MappingStep:
    """Mappings over the same columns, to be made before the query runs: a table's name, and the query of distinct inputs.

    `dtypes` are those of the inputs, in order; the table holds them as `k0`, `k1`, …, then for each of `said` a check that
    fired, `fired0`, … (int64), and a value, `value0`, ….
    """

    name: str
    inputs: Query
    dtypes: tuple[str, ...]
    said: tuple[Said, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the columns of inputs."""
        return tuple(f"k{number}" for number in range(len(self.dtypes)))

    @property
    def results(self) -> dict[str, str]:
        """The names of the other columns, in order, each with its type."""
        pairs = ((f"fired{n}", "int64", f"value{n}", one.dtype) for n, one in enumerate(self.said))
        return {name: dtype for fired, integer, value, own in pairs for name, dtype in ((fired, integer), (value, own))}

    def function(self) -> Callable[[Sequence[Any]], list[Any]]:
        """Return the function from the inputs' values to the results, in order."""
        parts = [(one.maker.function(), one.at) for one in self.said]

        def function(values: Sequence[Any]) -> list[Any]:
            return [result for said, at in parts for result in said([values[position] for position in at])]

        return function


@dataclass(frozen=True, slots=True)
class Lookup:
    """A join to the object that a key leads to: its table and its id's field, and the column, `found`, that this becomes.

    `asking` are the columns of the account that asks, and of the key. `elsewhere` is the table of keys that lead beyond their
    account, if there may be any; `there` and `unread` become what it says. `gone` are the fields, with their types, that say of
    an object that it has disappeared: such a one is not joined.
    """

    table: str
    id_field: str
    asking: tuple[str, str]
    found: str
    account: str
    gone: Mapping[str, str]
    elsewhere: str | None = None
    there: str = ""
    unread: str = ""
    taken: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Children:
    """A join to the children of an object: a query of their account, `~key` and `~status`; the counts by status.

    `parent` are the columns of the object's account and id.
    """

    query: Query
    parent: tuple[str, str]
    taken: dict[int, str] = field(default_factory=dict[int, str])


@dataclass(frozen=True, slots=True)
class Mapped:
    """A join to what a mapping says: its inputs' columns, and those for the check that fired and for the value."""

    mapping: DistinctMapping
    inputs: tuple[str, ...]
    fired: str
    value: str


@dataclass(slots=True)
class Stages:
    """The columns that a query over one table will need, by name; `own` are the table's by field."""

    table: str
    own: dict[str, str] = field(default_factory=dict[str, str])
    lookups: dict[str, Lookup] = field(default_factory=dict[str, Lookup])
    children: dict[Any, Children] = field(default_factory=dict[Any, Children])
    mapped: dict[Any, Mapped] = field(default_factory=dict[Any, Mapped])
    shared: dict[Any, str] = field(default_factory=dict[Any, str])
    dtypes: dict[str, str] = field(default_factory=dict[str, str])
    levels: dict[str, int] = field(default_factory=dict[str, int])
    needs: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    used: dict[str, int] = field(default_factory=dict[str, int])

    # Columns -------------------------------------------------------------------------------------------------------

    def new(self, dtype: str, level: int = 0, needs: Iterable[str] = ()) -> str:
        """Return the name of a new column of a stage, which needs others."""
        number = self.used.get(dtype, 0)
        self.used[dtype] = number + 1
        name = f"{_NAMES[dtype]}{number}"
        self.dtypes[name], self.levels[name], self.needs[name] = dtype, level, set(needs)
        return name

    @staticmethod
    def ref(name: str) -> Expr:
        """Return a column as an expression."""
        return _UNIVERSE[name]

    def share(self, value: Expr) -> Expr:
        """Return a value that is computed once, in a stage of its own, unless it costs nothing."""
        operation = value.op()
        cheap = isinstance(operation, _CHEAP) and isinstance(operation.arg, _PLAIN)
        if cheap or isinstance(operation, _PLAIN) or self.used.get(str(value.type()), 0) > _WIDTH // 2:
            return value
        return self.ref(self.materialised(value))

    def materialised(self, value: Expr) -> str:
        """Return the name of the column that holds a value."""
        operation = value.op()
        if isinstance(operation, ibis_operations.Field):
            return operation.name
        if operation not in self.shared:
            names = _names(operation)
            self.shared[operation] = self.new(str(value.type()), self._above(names), names)
        return self.shared[operation]

    def _above(self, names: Iterable[str]) -> int:
        return 1 + max((self.levels[name] for name in names), default=0)

    def map(self, key: Any, mapping: DistinctMapping, dtype: str) -> Mapped:
        """Return the columns of a mapping, joined once."""
        if key not in self.mapped:
            inputs = tuple(self.materialised(column) for column in mapping.inputs)
            level = self._above(inputs)
            self.mapped[key] = Mapped(mapping, inputs, self.new("int64", level, inputs), self.new(dtype, level, inputs))
        return self.mapped[key]

    # The query -----------------------------------------------------------------------------------------------------

    def query(
        self,
        dialect: Dialect,
        outputs: Mapping[str, Expr],
        steps: list[MappingStep],
        only: tuple[tuple[str, str], str] | None = None,
    ) -> Query:
        """Return the query of some outputs by name.

        Args:
            dialect: the engine's.
            outputs: expressions over the columns.
            steps: where to add the mappings that the query joins.
            only: the columns of accounts and ids, and the table (of columns `IDENTITY`) that the objects are restricted to.
        """
        wanted = {name for value in outputs.values() for name in _names(value.op())}
        needed = self._closure(wanted.union(only[0] if only else ()))
        query = self._base(dialect, needed, only)
        for level in range(1, 1 + max((self.levels[name] for name in needed), default=0)):
            query = self._joined_mappings(dialect, query, needed, level, steps)
            shared = {
                name: operation for operation, name in self.shared.items() if name in needed and self.levels[name] == level
            }
            if shared:
                live = {name: self.ref(name) for name in needed if self._is_live(name, level)}
                added = {name: operation.to_expr() for name, operation in shared.items()}
                query = nested(compiled(dialect, _UNIVERSE.select(**live, **added)), {BELOW: query})
        return nested(compiled(dialect, _UNIVERSE.select(**outputs)), {BELOW: query})

    def _is_live(self, name: str, level: int) -> bool:
        mapped = any(name in (found.fired, found.value) for found in self.mapped.values())
        return self.levels[name] < level or (mapped and self.levels[name] == level)

    def _closure(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending.extend(self.needs[name])
        return found

    def _base(self, dialect: Dialect, needed: set[str], only: tuple[tuple[str, str], str] | None) -> Query:
        own = {name: column for name, column in self.own.items() if column in needed}
        definitions: dict[str, Query | str] = {}
        table = self._table(self.table, own)
        if only is not None:
            own, name = only
            some: Any = ibis.table(dict.fromkeys(IDENTITY, "string"), name=name)
            table = table.semi_join(some, _equal(table, own, some, IDENTITY))
        for number, lookup in enumerate(self.lookups.values()):
            if lookup.there in needed:
                table = self._with_elsewhere(table, lookup, number)
            if lookup.found in needed:
                definitions[f"~lookup{number}"] = lookup.table
                table = self._with_lookup(table, lookup, number, needed)
        for number, children in enumerate(self.children.values()):
            taken = {status: column for status, column in children.taken.items() if column in needed}
            if taken:
                right = self._counts(f"~children{number}", taken)
                definitions[f"~children{number}"] = children.query
                keys = [f"{name}{number}" for name in (ACCOUNT, KEY)]
                table = table.left_join(right, _equal(table, children.parent, right, keys))
        level = {name: table[name] for name in needed if self.levels[name] == 0}
        return nested(compiled(dialect, table.select(**level)), definitions)

    @staticmethod
    def _with_elsewhere(table: Any, lookup: Lookup, number: int) -> Any:
        found: Any = ibis.table(dict(zip(ELSEWHERE, (*("string",) * 3, "boolean"), strict=True)), name=lookup.elsewhere)
        names = (f"{ACCOUNT}~{number}", f"{KEY}~{number}", lookup.there, lookup.unread)
        right = found.select(**{name: found[column] for name, column in zip(names, ELSEWHERE, strict=True)})
        return table.left_join(right, _equal(table, lookup.asking, right, names[:2]))

    def _with_lookup(self, table: Any, lookup: Lookup, number: int, needed: set[str]) -> Any:
        taken = {name: column for name, column in lookup.taken.items() if column in needed}
        identity = {ACCOUNT: lookup.account, lookup.id_field: lookup.found}
        right = self._table(f"~lookup{number}", identity, taken, without=lookup.gone)
        account, key = (table[name] for name in lookup.asking)
        where = ibis.coalesce(table[lookup.there], account) if lookup.there else account
        return table.left_join(right, [where == right[lookup.account], key == right[lookup.found]])

    def _table(self, name: str, *columns: Mapping[str, str], without: Mapping[str, str] | None = None) -> Any:
        """Return a table with its columns renamed, `without` the rows in which one of some fields is filled."""
        pairs = [(source, column) for some in columns for source, column in some.items()]
        schema = {**(without or {}), **{source: self.dtypes[column] for source, column in pairs}}
        table: Any = ibis.table(schema, name=name)
        for source in without or ():
            table = table.filter(~is_filled(table[source]))
        return table.select(**{column: table[source] for source, column in pairs})

    def _counts(self, name: str, taken: Mapping[int, str]) -> Any:
        rows: Any = ibis.table({ACCOUNT: "string", KEY: "string", STATUS: "int32"}, name=name)
        counts = {column: (rows[STATUS] == status).sum().cast("int64") for status, column in taken.items()}
        grouped = rows.filter(rows[KEY].notnull()).group_by([ACCOUNT, KEY]).aggregate(**counts)
        return grouped.rename({key + name.removeprefix("~children"): key for key in (ACCOUNT, KEY)})

    def _joined_mappings(self, dialect: Dialect, query: Query, needed: set[str], level: int, steps: list[MappingStep]) -> Query:
        found = [one for one in self.mapped.values() if {one.fired, one.value} & needed and self.levels[one.fired] == level]
        if not found:
            return query
        live = [name for name in needed if self.levels[name] < level]
        table: Any = ibis.table({name: self.dtypes[name] for name in live}, name=BELOW)
        for names, group in _by_inputs(found).items():
            step = self._step(dialect, query, f"reeve_mapped{len(steps)}", names, group)
            steps.append(step)
            table = self._with_step(table, names, group, step)
        columns = [*live, *(name for one in found for name in (one.fired, one.value))]
        return nested(compiled(dialect, table.select(**{name: table[name] for name in columns})), {BELOW: query})

    def _step(self, dialect: Dialect, query: Query, name: str, names: Sequence[str], group: Sequence[Mapped]) -> MappingStep:
        distinct = _UNIVERSE.select(**{f"k{n}": self.ref(column) for n, column in enumerate(names)}).distinct()
        inputs = nested(compiled(dialect, distinct), {BELOW: query})
        said = (Said(one.mapping.maker, tuple(map(names.index, one.inputs)), self.dtypes[one.value]) for one in group)
        return MappingStep(name, inputs, tuple(self.dtypes[column] for column in names), tuple(said))

    @staticmethod
    def _with_step(table: Any, names: Sequence[str], group: Sequence[Mapped], step: MappingStep) -> Any:
        found: Any = ibis.table({**dict(zip(step.keys, step.dtypes, strict=True)), **step.results}, name=step.name)
        keys = {f"{step.name}.{key}": found[key] for key in step.keys}
        results = (column for one in group for column in (one.fired, one.value))
        right = found.select(**keys, **{column: found[name] for column, name in zip(results, step.results, strict=True)})
        return table.left_join(right, [table[name].identical_to(right[key]) for name, key in zip(names, keys, strict=True)])


def _by_inputs(mapped: Iterable[Mapped]) -> dict[tuple[str, ...], list[Mapped]]:
    found: dict[tuple[str, ...], list[Mapped]] = {}
    for one in mapped:
        found.setdefault(tuple(sorted({*one.inputs})), []).append(one)
    return found


def _equal(left: Any, names: Iterable[str], right: Any, others: Iterable[str]) -> list[Any]:
    return [left[name] == right[other] for name, other in zip(names, others, strict=True)]


def _names(operation: Any) -> set[str]:
    return {node.name for node in operation.find(ibis_operations.Field)}
