"""The columnar evaluator: all policies of a type as one query over its table, compiled by Ibis.

A policy becomes one `CASE`: the guards and the values of its conditions in the order of section 2, each with its code; the
first that holds decides, which is short circuit and numbering at once. What several policies need is computed once, in stages
below the last: looked-up fields and children's counts are joined to the objects first, then what the interpreter says for
distinct values, then shared expressions by how they build on each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reeve.evaluate.by_interpreter import DOUBTED, DistinctMapping, mapping_of, whole_program
from reeve.evaluate.engines.dialect import ibis
from reeve.evaluate.field_columns import FieldColumns, Setting, table_name
from reeve.evaluate.interpreter import Program
from reeve.evaluate.queries import Query
from reeve.evaluate.stages import IDENTITY, KEY, STATUS, Children, MappingStep, Stages, dtype_of
from reeve.inventory.tables import ACCOUNT
from reeve.language import codes
from reeve.language.codes import ERROR
from reeve.language.columns import DEFERRED, Column, Expr, Guard, JsonFunctions, NotInSqlError, column_of
from reeve.language.evaluation import Moment
from reeve.language.kinds import FORMS
from reeve.language.operations.base import Expression, leaves, reads_of
from reeve.language.types import ANY, NAMED, Kind, Type
from reeve.model import ObjectType, Relation, Status

DEFERRED_CODE = 0
"""In a table of codes: these columns can't judge the object; `exact` ones can."""
STATUSES = tuple(Status)
UNSEEN = len(STATUSES)
"""Stands for the status of a child that may have any, as something could not be read or understood."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to judge all objects of a type: the steps, then the query, of `outcomes.OBJECT` and the policies' codes in order."""

    object_type: ObjectType
    steps: tuple[MappingStep, ...]
    query: Query
    codes: tuple[str, ...]
    may_defer: bool


def plan(object_type: ObjectType, programs: Sequence[Program], setting: Setting) -> Plan:
    """Return how to judge all objects of a type under several programs in one pass.

    Args:
        object_type: the type of the objects.
        programs: the compiled logic of policies over that type.
        setting: what the plan is for.

    Returns:
        The plan; its query gives the columns of `outcomes.OBJECT` and `code0`, `code1`, …

    Raises:
        EngineError: a table that is read can't be opened.
    """
    steps: list[MappingStep] = []
    table = _Table.of(object_type, setting, steps)
    codes = [f"code{number}" for number in range(len(programs))]
    values = {name: table.codes(program) for name, program in zip(codes, programs, strict=True)}
    place = table.fields.place()
    account, own_id = (place[name].get_name() for name in IDENTITY)
    only = ((account, own_id), setting.only) if setting.only else None
    query = table.stages.query(setting.dialect, {**place, **values}, steps, only)
    return Plan(object_type, tuple(steps), query, tuple(codes), table.may_defer)


@dataclass(slots=True)
class _Table:
    """The table of one type under construction; implements `reeve.language.columns.Columns`."""

    object_type: ObjectType
    setting: Setting
    steps: list[MappingStep]
    stages: Stages
    fields: FieldColumns
    related: Mapping[str, Program] = field(default_factory=dict[str, Program])
    may_defer: bool = False
    for_parent: bool = False

    @classmethod
    def of(cls, object_type: ObjectType, setting: Setting, steps: list[MappingStep], for_parent: bool = False) -> "_Table":
        setting.table_columns(object_type.id)
        stages = Stages(table_name(object_type.id))
        return cls(object_type, setting, steps, stages, FieldColumns(object_type, setting, stages), for_parent=for_parent)

    # Columns of the table ------------------------------------------------------------------------------------------

    def share(self, value: Expr) -> Expr:
        """Return a value that is computed once."""
        return self.stages.share(value)

    def identity(self) -> Expr:
        """Return the object's id."""
        return self.fields.identity()

    # What expressions ask ------------------------------------------------------------------------------------------

    @property
    def moment(self) -> Moment:
        """When the objects are judged."""
        return self.setting.moment

    def field(self, path: str) -> tuple[Expr, Expr | None, Type]:
        """Return a field's value, when it was not collected, and its type."""
        prefix, _, name = path.rpartition(".")
        declared = self.fields.type_behind(prefix).fields.get(name)
        if declared is None:
            return self.literal(None, Kind.TEXT), self.fields.missing(prefix, name), ANY
        if not self.fields.leads_somewhere(prefix):
            static = NAMED[declared.type]
            return self.literal(None, static.kind), self.fields.missing(prefix, name), static
        return self.fields.taken(prefix, name), self.fields.missing(prefix, name), NAMED[declared.type]

    def lookup_is_empty(self, path: str) -> Column:
        """Return whether a lookup leads to no object."""
        missing = self.fields.lookup_missing(path)
        if not self.fields.leads_somewhere(path):
            return Column(self.literal(True, Kind.BOOLEAN), () if missing is None else (Guard(missing, ERROR),), nullable=False)
        empty = self.stages.ref(self.fields.lookup(path).found).isnull()
        return Column(empty, () if missing is None else (Guard(missing, ERROR),), nullable=False)

    def count(self, relationship: str, status: str) -> tuple[Column, Expr, Expr]:
        """Return how many children of a related list have a status, how many may have any, and when there may be more."""
        prefix, _, last = relationship.rpartition(".")
        parent = self.fields.type_behind(prefix)
        relation, program = parent.related_lists[last], self.related[relationship]
        missing, on_the_way = self.fields.list_missing(prefix, relation), self.fields.lookup_missing(prefix) if prefix else None
        guards: tuple[Guard, ...] = ()
        if relation.foreign_key is None or not self.fields.leads_somewhere(prefix):
            none, certain = self.literal(0, Kind.DATE_TIME), self.literal(False, Kind.BOOLEAN)
            return Column(none, guards, nullable=False), none, certain if missing is None else missing
        known, stages = (relationship, id(program)), self.stages
        if known not in stages.children:
            query, may_defer = self._children_query(relation, program)
            key = stages.ref(self.fields.lookup(prefix).found) if prefix else self.fields.identity()
            stages.children[known] = Children(query, (self.fields.taken(prefix, ACCOUNT).get_name(), key.get_name()))
            if may_defer:
                self.may_defer = True
                stages.children[known].taken[DEFERRED] = stages.new("int64", needs=stages.children[known].parent)
        children = stages.children[known]
        if DEFERRED in children.taken:
            guards = (Guard(stages.ref(children.taken[DEFERRED]).fill_null(0) > 0, DEFERRED),)
        found, unseen = (self._taken_count(children, number) for number in (STATUSES.index(Status(status)), UNSEEN))
        if on_the_way is not None:
            none = self.literal(0, Kind.DATE_TIME)
            found, unseen = (self.cases((on_the_way, none), otherwise=counted) for counted in (found, unseen))
        unread = unseen > 0 if missing is None else missing | (unseen > 0)
        return Column(found, guards, nullable=False), unseen, unread

    def _taken_count(self, children: Children, status: int) -> Expr:
        if status not in children.taken:
            children.taken[status] = self.stages.new("int64", needs=children.parent)
        return self.stages.ref(children.taken[status]).fill_null(0)

    def column(self, expression: Expression) -> Column:
        """Return an expression's columns; where the engine has no words for it, by the interpreter."""
        try:
            return column_of(expression, self)
        except NotInSqlError:
            if not FORMS[expression.type.kind].mapped:
                raise
        words = repr(expression)
        by_status = any(reads_of(part).related_lists for part in leaves(expression))
        key = (words, id(self.related) if by_status else 0)
        kind = expression.type.kind
        mapped = self.stages.mapped.get(key)
        if mapped is None:
            mapping = mapping_of(expression, self)
            if not mapping.inputs:
                return self._same_for_all(mapping, kind)
            mapped = self.stages.map(key, mapping, dtype_of(kind))
        fired, declared = self.stages.ref(mapped.fired), mapped.mapping.declared
        guards = [Guard(when, DEFERRED) for when in mapped.mapping.deferred]
        guards += [Guard(fired == number, number) for number in (*range(1, declared + 1), ERROR)]
        if by_status:
            guards.append(Guard(fired == DOUBTED, ERROR, doubt=True))
        return Column(self.stages.ref(mapped.value), tuple(guards), declared)

    def _same_for_all(self, mapping: DistinctMapping, kind: Kind) -> Column:
        fired, value = mapping.maker.function()(())
        guards = (Guard(self.literal(True, Kind.BOOLEAN), fired),) if fired else ()
        return Column(self.literal(value, kind), guards, mapping.declared)

    def literal(self, value: Any, kind: Kind) -> Expr:
        """Return a constant."""
        return ibis.literal(value, dtype_of(kind))

    def cases(self, *branches: tuple[Expr, Expr], otherwise: Expr) -> Expr:
        """Return the value of the first branch whose condition holds."""
        return ibis.cases(*branches, else_=otherwise)

    def is_ascii(self, text: Expr) -> Expr:
        """Return whether a text holds ASCII only."""
        if self.setting.exact:
            raise NotInSqlError
        self.may_defer = True
        return self.setting.dialect.is_ascii(text)

    def array(self, value: Expr) -> Expr:
        """Return an array whose items functions will work on."""
        if self.setting.dialect.distinct is None:
            raise NotInSqlError
        return value

    def distinct(self, array: Expr) -> Expr:
        """Return an array without duplicates."""
        if self.setting.dialect.distinct is None:
            raise NotInSqlError
        return self.setting.dialect.distinct(array)

    def matches(self, text: Expr, pattern: str) -> Expr:
        """Return whether a pattern is found in a text."""
        if self.setting.dialect.matches is None:
            raise NotInSqlError
        return self.setting.dialect.matches(text, pattern)

    def json(self) -> JsonFunctions:
        """Return the engine's functions on JSON texts."""
        if self.setting.exact or self.setting.dialect.json is None:
            raise NotInSqlError
        self.may_defer = True
        return self.setting.dialect.json

    def instant(self, text: Expr) -> Expr:
        """Return the microseconds of a text in the plain form of ISO 8601."""
        if self.setting.exact or self.setting.dialect.instant is None:
            raise NotInSqlError
        self.may_defer = True
        return self.setting.dialect.instant(text)

    # The query ----------------------------------------------------------------------------------------------------

    def codes(self, program: Program, meaning: Callable[[int], int] = int) -> Expr:
        """Return a policy as one expression: the code of each object, or what a code means."""
        if program.body.object_type.untyped:
            return self._untyped_codes(program, meaning)
        self.related = program.children
        gone = self.fields.gone()
        branches = [] if gone is None else [(gone, meaning(codes.DISAPPEARED))]
        doubts: list[tuple[int, Expr]] = []
        for number, condition in enumerate(program.body.conditions, start=1):
            column = self.column(condition.check)
            for guard in column.guards:
                if guard.doubt and not self.for_parent:
                    doubts.append((number, guard.when))
                else:  # for a parent, what may be another status may be any
                    code = DEFERRED_CODE if guard.number == DEFERRED else codes.fired(number, guard.number)
                    branches.append((guard.when, meaning(code)))
            holds = column.value if condition.check.type.kind is Kind.BOOLEAN else self.literal(False, Kind.BOOLEAN)
            branches.append((holds, meaning(codes.true(number))))
        last = meaning(codes.otherwise(len(program.body.conditions)))
        found = ibis.cases(*branches, else_=last) if branches else self.literal(last, Kind.DATE_TIME)
        return (self._doubted(program, found, doubts) if doubts else found).cast("int32")

    def _doubted(self, program: Program, code: Expr, doubts: Sequence[tuple[int, Expr]]) -> Expr:
        """Return the codes, but an error for those that rest on what was not read, unless they are UNDETERMINED anyway."""
        known = self.share(code.cast("int64"))
        undetermined = [number for number, meaning in program.meanings.items() if meaning.status is Status.UNDETERMINED]
        stays = known.isin([DEFERRED_CODE, *undetermined])
        rests = [
            (doubt & (known >= codes.fired(number, 0)) & ~stays, ibis.literal(codes.error(number), "int64"))
            for number, doubt in doubts
        ]
        return ibis.cases(*rests, else_=known)

    def _untyped_codes(self, program: Program, meaning: Callable[[int], int]) -> Expr:
        # A field's name begins with no underscore.
        names = [name for name in self.setting.table_columns(self.object_type.id) if not name.startswith("_")]
        mapping = whole_program(program, names, [self.fields.own(name) for name in names], self.moment)
        value = self.stages.ref(self.stages.map(id(program), mapping, "int64").value)
        if meaning is int:
            return value.cast("int32")
        return ibis.cases(*((value == code, meaning(code)) for code in program.meanings), else_=meaning(DEFERRED_CODE))

    def _children_query(self, relation: Relation, program: Program) -> tuple[Query, bool]:
        """Return a query of the account, the parent's id and the status of each child, and whether some may be deferred."""
        child_type = self.setting.object_type(relation.type)
        table = _Table.of(child_type, self.setting, self.steps, for_parent=True)
        meanings = program.meanings

        def status(code: int) -> int:
            if code == DEFERRED_CODE:
                return DEFERRED
            return UNSEEN if codes.is_error(code) else STATUSES.index(meanings[code].status)

        parent = {ACCOUNT: table.fields.own(ACCOUNT), KEY: table.fields.own(relation.foreign_key or "")}
        columns = {**parent, STATUS: table.codes(program, status)}
        return table.stages.query(self.setting.dialect, columns, self.steps), table.may_defer
