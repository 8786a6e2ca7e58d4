"""An engine as a judge of a snapshot, which may keep what earlier outcomes say of objects that have not changed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reeve.evaluate.changes import Since
from reeve.evaluate.engines.engine import Engine, EngineError
from reeve.evaluate.estate import EstateTables
from reeve.evaluate.interpreter import Program, by_type
from reeve.evaluate.judge_tables import judge_tables
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.outcomes import Judged, Outcomes, PolicyOutcomes
from reeve.evaluate.reach import types_read
from reeve.inventory.columns import quoted
from reeve.inventory.tables import ACCOUNT, connection, files_in, parquet
from reeve.model import ObjectType

Earlier = tuple[Outcomes, Snapshot]
"""Earlier outcomes, and the snapshot that they are of."""


def judge_by_engine(
    engine: Engine,
    snapshot: Snapshot,
    programs: Mapping[str, Program],
    prints: Mapping[str, str],
    directory: Path,
    since: Earlier | None,
    tell: Callable[[str, int, int | None], None],
) -> dict[str, Judged]:
    """Judge every object of every type that the programs are about.

    Args:
        engine: what judges.
        snapshot: what is judged.
        programs: the compiled logic by policy.
        prints: the fingerprints by policy.
        directory: where the outcomes go, a folder for each type; it is new.
        since: only what has changed since these is judged.
        tell: told of each type that is begun: its id, how many are done, how many there are.

    Returns:
        The outcomes by type.

    Raises:
        SnapshotError: a snapshot can't be read, or the earlier outcomes are not of theirs.
        EngineError: the engine failed, or the earlier outcomes are of other objects.
    """
    read = types_read(programs.values(), snapshot.object_type)
    tables = _tables(snapshot, read)
    earlier = _earlier(since, by_type(programs), prints, read) if since else {}
    judged = judge_tables(engine, tables, programs, snapshot.object_type, snapshot.moment, str(directory), tell, earlier)
    for type_id in earlier:
        _same_objects(judged[type_id], tables.files[type_id], snapshot.object_type(type_id))
    return judged


def _tables(snapshot: Snapshot, types: Sequence[str]) -> EstateTables:
    manifest = snapshot.manifest
    files = {type_id: snapshot.files(type_id) for type_id in types}
    without = {type_id: manifest.without(type_id) for type_id in types}
    partly = {type_id: manifest.partly(type_id) for type_id in types}
    return EstateTables(files, without, len(manifest.parts) > 1, partly)


def _earlier(
    since: Earlier, programs: Mapping[str, Mapping[str, Program]], prints: Mapping[str, str], read: Sequence[str]
) -> dict[str, Since]:
    """Return what is known from earlier, for the types of which every policy was the same; else all must be judged again."""
    outcomes, snapshot = since
    outcomes.check_snapshot(snapshot)
    if any(type_id not in snapshot.manifest.tables for type_id in read):
        return {}
    tables = _tables(snapshot, read)
    found: dict[str, Since] = {}
    for type_id, policies in programs.items():
        known = outcomes.manifest.types.get(type_id)
        if known and all(_same(known.policies.get(policy), prints[policy]) for policy in policies):
            columns = {policy: known.policies[policy].column for policy in policies}
            found[type_id] = Since(tables, outcomes.files(type_id), columns)
    return found


def _same(known: PolicyOutcomes | None, now: str) -> bool:
    return known is not None and known.fingerprint == now


def _same_objects(judged: Judged, table: Sequence[str], object_type: ObjectType) -> None:
    """Look whether outcomes, of as many objects as a table holds, are of these objects: some are as they were kept.

    Raises:
        EngineError: they are of others.
    """
    files = [file for folder in judged.folders for file in files_in(folder)]
    same = f"t.{quoted(ACCOUNT)} = o.account AND t.{quoted(object_type.id_field)} = o.id"
    query = f"SELECT count(*) FROM {parquet(table)} t SEMI JOIN {parquet(files)} o ON {same}"  # noqa: S608 - our names
    with connection() as opened:
        found = opened.execute(query).fetchall() if files else [(0,)]
    if found != [(judged.objects,)]:
        message = f"the earlier outcomes of {object_type.id} are of other objects than their snapshot"
        raise EngineError(f"{message}; evaluate without --since")
