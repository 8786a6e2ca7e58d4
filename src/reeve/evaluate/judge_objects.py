"""The interpreter as a judge: every object of a snapshot, page by page, to the outcomes that an engine would write."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from reeve.evaluate.interpreter import Program, by_type
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.outcomes import OBJECT, Judged
from reeve.files import inside
from reeve.inventory.lines import write_rows
from reeve.inventory.tables import connection
from reeve.model import ObjectType

_FOLDER = "all"


def judge_objects(
    snapshot: Snapshot, programs: Mapping[str, Program], directory: Path, tell: Callable[[str, int, int | None], None]
) -> dict[str, Judged]:
    """Judge every object of every type that the programs are about.

    Args:
        snapshot: what is judged.
        programs: the compiled logic by policy.
        directory: where the outcomes go, a folder for each type; it is new.
        tell: told of each type that is begun: its id, how many are done, how many there are.

    Returns:
        The outcomes by type.

    Raises:
        SnapshotError: a table can't be read or is missing.
        OSError: the outcomes can't be written.
    """
    types = by_type(programs)
    found: dict[str, Judged] = {}
    with connection() as opened:
        for number, (type_id, some) in enumerate(types.items()):
            tell(f"judging {type_id}", number, len(types))
            folder = inside(directory, f"{type_id}/{_FOLDER}")
            folder.mkdir(parents=True)
            found[type_id] = _judge_type(opened, snapshot, snapshot.object_type(type_id), some, folder)
    return found


def _judge_type(
    opened: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    object_type: ObjectType,
    programs: Mapping[str, Program],
    folder: Path,
) -> Judged:
    codes = {policy: f"code{number}" for number, policy in enumerate(programs)}
    columns = dict.fromkeys(OBJECT, "VARCHAR") | dict.fromkeys(codes.values(), "INTEGER")
    judging = [(codes[policy], program) for policy, program in programs.items()]

    def rows() -> Iterator[Mapping[str, Any]]:
        for record, row in snapshot.rows(object_type):
            place = (record.account, record.region, record.arn, record.fields[object_type.id_field], record.name(object_type))
            judged = {column: program.judge(row, snapshot.moment).code for column, program in judging}
            yield dict(zip(OBJECT, place, strict=True)) | judged

    objects = write_rows(opened, folder / "part-0.parquet", columns, rows())
    return Judged((str(folder),), codes, objects)
