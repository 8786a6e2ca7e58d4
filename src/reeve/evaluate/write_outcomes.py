"""Whoever judges a snapshot, the interpreter or an engine, its outcomes are a directory.

Each run writes into a folder of its own; its manifest is put in place last, in one step, and only then what was there before
is removed. So a run that is killed, or fails, leaves the old outcomes or none, never a part of the new.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec

from reeve import __version__
from reeve.evaluate.engines.engine import Engine, EngineError
from reeve.evaluate.fingerprints import fingerprint
from reeve.evaluate.interpreter import Program
from reeve.evaluate.judge_objects import judge_objects
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.outcomes import SCHEMA, Judged, Outcomes, OutcomesManifest, PolicyOutcomes, TypeOutcomes
from reeve.evaluate.reach import types_read
from reeve.files import inside
from reeve.inventory.directory import OUTCOMES, RUN, replace_file, sha256, why
from reeve.inventory.manifest import SnapshotError
from reeve.inventory.stores import shown
from reeve.inventory.tables import connection, files_in, parquet

if TYPE_CHECKING:  # engines load the compiler of queries, which takes a while; the interpreter needs none
    from reeve.evaluate.judge_by_engine import Earlier


def write_outcomes(
    directory: Path,
    engine: Engine | None,
    snapshot: Snapshot,
    programs: Mapping[str, Program],
    address: Path | None = None,
    since: "Earlier | None" = None,
    tell: Callable[[str, int, int | None], None] = lambda what, done, total: None,
    replacing: Callable[[], None] = lambda: None,
) -> Outcomes:
    """Judge a snapshot, and write the outcomes into a directory that is held by `writing`.

    Args:
        directory: where to.
        engine: what judges; None: the interpreter.
        snapshot: what is judged, opened.
        programs: the compiled logic by policy.
        address: where others find the snapshot, if not where it lies.
        since: an engine judges only what has changed since these; the interpreter always judges all.
        tell: told what is done.
        replacing: called when the new ones are about to take the old ones' place, to remove what was made of these.

    Raises:
        SnapshotError: the snapshot can't be read, or the outcomes can't be written.
        EngineError: the engine failed, or can't read the snapshot.
    """
    object_type, moment = snapshot.object_type, snapshot.moment
    prints = {policy: fingerprint(program, object_type, moment) for policy, program in programs.items()}
    for type_id in types_read(programs.values(), object_type):
        # An engine would need memory by the number of objects to find ids that repeat; what it says of one is counted below.
        snapshot.files(type_id, distinct=engine is None)
    run = f"run-{os.urandom(6).hex()}"
    place = inside(directory, run)
    try:
        judged = _judged(engine, snapshot, programs, prints, place, since, tell)
        sizes = {type_id: snapshot.manifest.rows(type_id) for type_id in judged}
        with connection() as opened:
            found = {
                type_id: _type_outcomes(opened, directory, of, prints, programs, sizes[type_id])
                for type_id, of in judged.items()
            }
        snapshot.check_still()
        lies = shown(address or snapshot.directory.resolve())
        done = OutcomesManifest(SCHEMA, __version__, lies, snapshot.digest, moment.now, found)
        replacing()
        replace_file(directory / OUTCOMES, msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n")
    except (OSError, duckdb.Error) as error:
        shutil.rmtree(place, ignore_errors=True)
        reason = why(error) if isinstance(error, OSError) else str(error).splitlines()[0]
        message = f"can't write the outcomes to {directory}: {reason}; free some space or choose another --out"
        raise SnapshotError(message) from None
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    for path in directory.iterdir():
        if path.name != run and RUN.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
    return Outcomes(directory, done)


def _judged(
    engine: Engine | None,
    snapshot: Snapshot,
    programs: Mapping[str, Program],
    prints: Mapping[str, str],
    place: Path,
    since: "Earlier | None",
    tell: Callable[[str, int, int | None], None],
) -> dict[str, Judged]:
    if engine is None:
        return judge_objects(snapshot, programs, place, tell)
    from reeve.evaluate.judge_by_engine import judge_by_engine

    return judge_by_engine(engine, snapshot, programs, prints, place, since, tell)


def _type_outcomes(
    opened: duckdb.DuckDBPyConnection,
    directory: Path,
    judged: Judged,
    prints: Mapping[str, str],
    programs: Mapping[str, Program],
    rows: int,
) -> TypeOutcomes:
    """Return what the outcomes of a type say.

    Raises:
        EngineError: an object of the snapshot was not judged, or was judged twice, or to something that its policy can't say.
    """
    files = [file for folder in judged.folders for file in files_in(folder)]
    counted: list[dict[int, int]] = [{} for _ in judged.codes]
    if judged.objects:
        histograms = ", ".join(f"histogram({column})" for column in judged.codes.values())
        found: list[tuple[dict[int, int], ...]]
        found = opened.execute(f"SELECT {histograms} FROM {parquet(files)}").fetchall()  # noqa: S608 - our names
        counted = [dict(sorted(one.items())) if one else {} for one in found[0]]
    policies: dict[str, PolicyOutcomes] = {}
    for (policy, column), counts in zip(judged.codes.items(), counted, strict=True):
        if sum(counts.values()) != rows:
            raise EngineError(f"{policy}: {rows} objects, but {sum(counts.values())} outcomes; report this")
        unknown = [code for code in counts if code not in programs[policy].meanings]
        if unknown:
            message = f"{policy} has no outcome {unknown[0]}, which the earlier outcomes or the engine gave"
            raise EngineError(f"{message}; evaluate without --since")
        policies[policy] = PolicyOutcomes(column, prints[policy], counts)
    digests = {Path(file).relative_to(directory).as_posix(): sha256(Path(file)) for file in files}
    return TypeOutcomes(digests, judged.objects, policies)
