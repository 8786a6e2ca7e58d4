"""Judges whole tables with an engine: one pass a type, then once more for the few objects that need exact columns."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reeve.evaluate.changes import AFFECTED, Changes, Since
from reeve.evaluate.columnar import DEFERRED_CODE, Plan, plan
from reeve.evaluate.engines.dialect import Dialect, ibis
from reeve.evaluate.engines.engine import Engine, EngineError
from reeve.evaluate.estate import Elsewhere, EstateTables
from reeve.evaluate.field_columns import Setting, table_name
from reeve.evaluate.interpreter import Program, by_type
from reeve.evaluate.outcomes import OBJECT, Judged
from reeve.evaluate.queries import Query, compiled
from reeve.evaluate.reach import types_read
from reeve.evaluate.stages import IDENTITY
from reeve.files import inside
from reeve.inventory.columns import kinds_of
from reeve.inventory.tables import ACCOUNT, ARN, REGION, files_in
from reeve.language.evaluation import Moment
from reeve.language.types import Kind
from reeve.model import ObjectType

FIRST, JUDGED, EXACT, KEPT = "all", "judged", "exact", "kept"
"""The folders of a type's outcomes: of all objects; or, when some need exact columns, of the others and of these; and what is
as it was earlier."""

_WRITTEN, _EARLIER, _DEFERRED, _SLICE = "reeve_written", "reeve_earlier", "reeve_deferred", "slice"

_WHERE = dict.fromkeys((ACCOUNT, REGION, ARN), Kind.TEXT)

MOST_AT_ONCE = 200
"""How many policies one query judges: a query costs more than it grows, and how deep it may be is bounded."""


def judge_tables(
    engine: Engine,
    tables: EstateTables,
    programs: Mapping[str, Program],
    object_type: Callable[[str], ObjectType],
    moment: Moment,
    directory: str,
    tell: Callable[[str, int, int | None], None] = lambda what, done, total: None,
    since: Mapping[str, Since] | None = None,
) -> dict[str, Judged]:
    """Judge every object of every type that the programs are about.

    Args:
        engine: what runs the queries.
        tables: the snapshot's.
        programs: the compiled logic by policy.
        object_type: gives a type by its id.
        moment: when the objects are judged.
        directory: where the outcomes go, a folder for each type; it is new.
        tell: told of each type that is begun: its id, how many are done, how many there are.
        since: what is known from earlier, by type; of those types only what has changed is judged.

    Returns:
        The outcomes by type.

    Raises:
        EngineError: a table can't be read or is missing, or the engine failed; what was written is then no result.
    """
    types = by_type(programs)
    opened: dict[str, Sequence[str]] = {}

    def columns(type_id: str) -> Sequence[str]:
        if type_id not in opened:
            if not tables.files.get(type_id):
                message = f"the snapshot holds no {type_id}, which a policy reads"
                raise EngineError(f"{message}; collect again, or choose policies with --policy")
            wanted = {**kinds_of(object_type(type_id)), **_WHERE}
            opened[type_id] = engine.open_table(table_name(type_id), tables.files[type_id], wanted)
        return opened[type_id]

    elsewhere = Elsewhere(engine, tables, columns) if tables.several else None
    setting = Setting(engine.dialect, object_type, columns, moment, tables.unread, elsewhere)
    found: dict[str, Judged] = {}
    for number, (type_id, some) in enumerate(types.items()):
        tell(f"judging {type_id}", number, len(types))
        earlier = (since or {}).get(type_id)
        if earlier is not None and not _same_unread(earlier.tables, tables, types_read(some.values(), object_type)):
            earlier = None
        judge = _judge_type if earlier is None else _Again(earlier, Changes(engine, object_type, columns, earlier.tables))
        found[type_id] = judge(engine, object_type(type_id), some, setting, str(inside(Path(directory), type_id)))
    return found


def _same_unread(before: EstateTables, now: EstateTables, types: Sequence[str]) -> bool:
    """Return whether some types were not read, or not whole, in the same accounts; else more has changed than rows show."""

    def unread(tables: EstateTables, type_id: str) -> tuple[frozenset[str], frozenset[str]]:
        return tables.unread(type_id), tables.read_in_part(type_id)

    return all(unread(before, type_id) == unread(now, type_id) for type_id in types)


def _judge_type(
    engine: Engine, object_type: ObjectType, programs: Mapping[str, Program], setting: Setting, directory: str
) -> Judged:
    if len(programs) > MOST_AT_ONCE:
        return _judge_slices(engine, object_type, programs, setting, directory)
    some = list(programs.values())
    first = plan(object_type, some, setting)
    codes = dict(zip(programs, first.codes, strict=True))
    everything = f"{directory}/{FIRST}"
    objects = _run(engine, first, everything)
    if not first.may_defer or not _deferred(engine, everything, first.codes):
        return Judged((everything,), codes, objects)
    engine.write(_rows(engine.dialect, first.codes, deferred=False), f"{directory}/{JUDGED}")
    _run(engine, plan(object_type, some, replace(setting, exact=True, only=_DEFERRED)), f"{directory}/{EXACT}")
    return Judged((f"{directory}/{JUDGED}", f"{directory}/{EXACT}"), codes, objects)


def _judge_slices(
    engine: Engine, object_type: ObjectType, programs: Mapping[str, Program], setting: Setting, directory: str
) -> Judged:
    """Judge under more policies than one query takes: some at a time, then all codes of an object beside each other."""
    names = list(programs)
    joined: Any = None
    codes: dict[str, str] = {}
    for start in range(0, len(names), MOST_AT_ONCE):
        some = {name: programs[name] for name in names[start : start + MOST_AT_ONCE]}
        judged = _judge_type(engine, object_type, some, setting, f"{directory}/{_SLICE}{start}")
        table, files = f"{_WRITTEN}{start}", [file for folder in judged.folders for file in files_in(folder)]
        found = _outcomes(engine, table, files, judged.codes.values())
        own = {f"code{start + number}": found[code].cast("int32") for number, code in enumerate(judged.codes.values())}
        codes |= dict(zip(judged.codes, own, strict=True))
        found = found.select(*(OBJECT if joined is None else IDENTITY), **own)
        joined = found if joined is None else joined.inner_join(found, list(IDENTITY))
    folder = f"{directory}/{FIRST}"
    return Judged((folder,), codes, engine.write(compiled(engine.dialect, joined.select(*OBJECT, *codes.values())), folder))


@dataclass(frozen=True, slots=True)
class _Again:
    """Judges the objects of a type that have changed, and keeps the earlier outcomes of the others."""

    since: Since
    changes: Changes

    def __call__(
        self, engine: Engine, object_type: ObjectType, programs: Mapping[str, Program], setting: Setting, directory: str
    ) -> Judged:
        self.changes.find(programs.values())
        affected: Any = ibis.table(dict.fromkeys(IDENTITY, "string"), name=AFFECTED)
        judged = _judge_type(engine, object_type, programs, replace(setting, only=AFFECTED), directory)
        columns = self.since.columns
        earlier = _outcomes(engine, _EARLIER, self.since.outcomes, columns.values())
        same = earlier.anti_join(affected, list(IDENTITY))
        codes = {code: same[columns[policy]].cast("int32") for policy, code in judged.codes.items()}
        kept = engine.write(compiled(engine.dialect, same.select(*OBJECT, **codes)), f"{directory}/{KEPT}")
        return Judged((*judged.folders, f"{directory}/{KEPT}"), judged.codes, judged.objects + kept)


def _deferred(engine: Engine, folder: str, codes: Sequence[str]) -> int:
    """Put the objects that need exact columns into the table of that name; return how many there are."""
    _outcomes(engine, _WRITTEN, files_in(folder), codes)
    return engine.table(_DEFERRED, _rows(engine.dialect, codes, deferred=True))


def _rows(dialect: Dialect, codes: Sequence[str], deferred: bool) -> Query:
    """Return the query of the written rows in which some code is 0, only which they are; or of the others."""
    written = _written(_WRITTEN, codes)
    some = _any([written[code] == DEFERRED_CODE for code in codes])
    if deferred:
        return compiled(dialect, written.filter(some).select(*IDENTITY))
    return compiled(dialect, written.filter(~some).select(*OBJECT, **{code: written[code].cast("int32") for code in codes}))


def _outcomes(engine: Engine, name: str, files: Sequence[str], codes: Collection[str]) -> Any:
    """Open files of outcomes under a name; return the table, its codes as doubles."""
    engine.open_table(name, files, {**dict.fromkeys(OBJECT, Kind.TEXT), **dict.fromkeys(codes, Kind.NUMBER)})
    return _written(name, codes)


def _written(name: str, codes: Iterable[str]) -> Any:
    return ibis.table({**dict.fromkeys(OBJECT, "string"), **dict.fromkeys(codes, "float64")}, name=name)


def _any(conditions: Sequence[Any]) -> Any:
    """Return whether one of some conditions holds, as an expression that is no deeper than it must be."""
    half = len(conditions) // 2
    return conditions[0] if len(conditions) == 1 else _any(conditions[:half]) | _any(conditions[half:])


def _run(engine: Engine, judging: Plan, directory: str) -> int:
    for step in judging.steps:
        engine.map(step)
    return engine.write(judging.query, directory)
