"""The outcomes of a snapshot under policies, as a directory: Parquet by type, and a manifest that makes them a result.

Each run writes into a folder of its own; its manifest is put in place last, in one step, and only then what was there before
is removed. So a run that is killed, or fails, leaves the old outcomes or none, never a part of the new.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve import __version__
from reeve.evaluate.changes import Since, fingerprint, types_read
from reeve.evaluate.engines.engine import Engine, EngineError
from reeve.evaluate.interpreter import Program, by_type
from reeve.evaluate.judging import Judged, judge_tables
from reeve.inventory.directory import replace_file, sha256
from reeve.inventory.manifest import MANIFEST, Instant, Manifest, SnapshotError, decoded
from reeve.inventory.records import connection, table_path
from reeve.inventory.storage import shown
from reeve.language.operations.base import Moment
from reeve.model import ObjectType

SCHEMA = "reeve.outcomes/1"
OUTCOMES = "outcomes.json"
_RUN = re.compile(r"run-[0-9a-f]{12}")


class PolicyOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """A policy's outcomes: the column that holds its codes, what it was when it judged, and how many objects got each code."""

    column: str
    fingerprint: str
    codes: dict[int, int]


class TypeOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """A type's outcomes: the folders of Parquet files, of an `id` and a column for each policy, and the number of objects."""

    folders: tuple[str, ...]
    objects: int
    policies: dict[str, PolicyOutcomes]


class OutcomesManifest(msgspec.Struct, frozen=True, rename="camel"):
    """What outcomes say of themselves: where the judged snapshot is, the SHA-256 of its manifest, and as of when it is."""

    schema: str
    reeve_version: str
    snapshot: str
    snapshot_sha256: str
    as_of: Instant
    types: dict[str, TypeOutcomes]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes in a directory, read when they are asked for."""

    directory: Path
    manifest: OutcomesManifest

    @classmethod
    def read(cls, directory: Path) -> "Outcomes":
        """Read the manifest of outcomes.

        Raises:
            SnapshotError: there is none, or it is not one that this version reads.
        """
        path = directory / OUTCOMES
        make = "make them with `reeve evaluate SNAPSHOT --format parquet --out DIR`"
        manifest = decoded(path, OutcomesManifest, SCHEMA, "outcomes", make, "evaluate again")
        folders = [folder for found in manifest.types.values() for folder in found.folders]
        if not all(_RUN.fullmatch(folder.partition("/")[0]) and ".." not in folder for folder in folders):
            raise SnapshotError(f"{path} names folders that are none of a run's")
        found = cls(directory, manifest)
        for type_id, of in manifest.types.items():
            if found.rows(type_id) != of.objects:
                raise SnapshotError(f"the outcomes of {type_id} in {directory} are not whole; evaluate again")
        return found

    def rows(self, type_id: str) -> int:
        """Return how many objects the files of a type hold.

        Raises:
            SnapshotError: the files can't be read.
        """
        query = "SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata($1)"
        return int(self._rows(type_id, query, [self.files(type_id)])[0][0]) if self.manifest.types[type_id].objects else 0

    @property
    def snapshot(self) -> Path:
        """Where the judged snapshot is."""
        return Path(self.manifest.snapshot)

    def files(self, type_id: str) -> list[str]:
        """Return where the Parquet files of a type are, with wild cards."""
        return [f"{self.directory / folder}/*.parquet" for folder in self.manifest.types[type_id].folders]

    def policy(self, policy_id: str) -> tuple[str, PolicyOutcomes]:
        """Return the type that a policy is about, and its outcomes."""
        types = self.manifest.types.items()
        return next((name, found.policies[policy_id]) for name, found in types if policy_id in found.policies)

    def counts(self, policy_id: str) -> Mapping[int, int]:
        """Return how many objects have each code under a policy."""
        return self.policy(policy_id)[1].codes

    def ids(self, policy_id: str, codes: Sequence[int], limit: int) -> list[str]:
        """Return the ids of the first objects, in their own order, that have one of some codes under a policy.

        Raises:
            SnapshotError: the files can't be read.
        """
        type_id, found = self.policy(policy_id)
        if not any(found.codes.get(code) for code in codes):
            return []
        wanted = ", ".join(map(str, codes))
        query = f"SELECT id FROM read_parquet($1) WHERE {found.column} IN ({wanted}) ORDER BY id LIMIT {limit}"  # noqa: S608 - numbers
        return [row[0] for row in self._rows(type_id, query, [self.files(type_id)])]

    def codes(self, type_id: str, ids: Sequence[str] | None = None) -> dict[str, dict[str, int]]:
        """Return each object's code by policy, of all objects of a type or of some ids.

        Raises:
            SnapshotError: the files can't be read.
        """
        policies = self.manifest.types[type_id].policies
        columns = ", ".join(found.column for found in policies.values())
        query, given = f"SELECT id, {columns} FROM read_parquet($1)", list[Any]([self.files(type_id)])  # noqa: S608 - our names
        if ids is not None:
            query, given = f"{query} WHERE id IN (SELECT unnest($2::VARCHAR[]))", [*given, list(ids)]
        return {row[0]: dict(zip(policies, row[1:], strict=True)) for row in self._rows(type_id, query, given)}

    def _rows(self, type_id: str, query: str, given: Sequence[Any]) -> list[tuple[Any, ...]]:
        if not self.manifest.types[type_id].objects:
            return []
        try:
            with connection() as opened:
                return opened.execute(query, given).fetchall()
        except duckdb.Error as error:
            raise SnapshotError(f"{self.directory} can't be read: {str(error).splitlines()[0]}; evaluate again") from None


Earlier = tuple[Outcomes, Path, Manifest]
"""Earlier outcomes, and the snapshot that they are of."""


def write_outcomes(
    directory: Path,
    engine: Engine,
    snapshot: tuple[Path, Manifest, Path],
    programs: Mapping[str, Program],
    object_type: Callable[[str], ObjectType],
    since: Earlier | None = None,
    tell: Callable[[str, int, int | None], None] = lambda what, done, total: None,
) -> Outcomes:
    """Judge a snapshot with an engine, and write the outcomes into a directory that is held by `writing`.

    Args:
        directory: where to.
        engine: what judges.
        snapshot: the snapshot's directory, its manifest, and where others find it.
        programs: the compiled logic by policy.
        object_type: gives a type by its id.
        since: only what has changed since these is judged.
        tell: told what is done.

    Raises:
        SnapshotError: the snapshot can't be read.
        EngineError: the engine failed, or can't read the snapshot.
    """
    place, manifest, address = snapshot
    moment = Moment.at(manifest.started_at)
    prints = {policy: fingerprint(program, object_type, moment) for policy, program in programs.items()}
    read = types_read(programs.values(), object_type)
    tables = {name: [str(table_path(place, manifest, name))] for name in read}
    earlier = _earlier(since, by_type(programs), prints, read) if since else {}
    run = f"run-{os.urandom(6).hex()}"
    try:
        judged = judge_tables(engine, tables, programs, object_type, moment, str(directory / run), tell, earlier)
        found = {name: _type_outcomes(directory, of, prints, manifest.tables[name].rows) for name, of in judged.items()}
        digest = sha256(place / MANIFEST)
        done = OutcomesManifest(SCHEMA, __version__, shown(address), digest, moment.now, found)
        replace_file(directory / OUTCOMES, msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n")
    except BaseException:
        shutil.rmtree(directory / run, ignore_errors=True)
        raise
    for path in directory.iterdir():
        if path.name != run and _RUN.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
    return Outcomes(directory, done)


def _earlier(
    since: Earlier, programs: Mapping[str, Mapping[str, Program]], prints: Mapping[str, str], read: Iterable[str]
) -> dict[str, Since]:
    """Return what is known from earlier, for the types of which every policy was the same; else all must be judged again."""
    outcomes, place, manifest = since
    if outcomes.manifest.snapshot_sha256 != sha256(place / MANIFEST):
        raise SnapshotError(f"the outcomes in {outcomes.directory} are not of the snapshot in {place}; evaluate that again")
    if any(name not in manifest.tables for name in read):
        return {}
    tables = {name: [str(table_path(place, manifest, name))] for name in read}
    found: dict[str, Since] = {}
    for type_id, policies in programs.items():
        known = outcomes.manifest.types.get(type_id)
        if known and all(_same(known.policies.get(policy), prints[policy]) for policy in policies):
            columns = {policy: known.policies[policy].column for policy in policies}
            found[type_id] = Since(tables, outcomes.files(type_id), columns)
    return found


def _same(known: PolicyOutcomes | None, now: str) -> bool:
    return known is not None and known.fingerprint == now


def _type_outcomes(directory: Path, judged: Judged, prints: Mapping[str, str], rows: int) -> TypeOutcomes:
    """Return what the outcomes of a type say.

    Raises:
        EngineError: an object of the snapshot was not judged, or was judged twice.
    """
    policies: dict[str, PolicyOutcomes] = {}
    files = [f"{folder}/*.parquet" for folder in judged.folders]
    with connection() as opened:
        for policy, column in judged.codes.items():
            query = f"SELECT {column}, count(*) FROM read_parquet($1) GROUP BY ALL"  # noqa: S608 - our name
            counts = opened.execute(query, [files]).fetchall() if judged.objects else []
            if sum(count for _, count in counts) != rows:
                raise EngineError(f"{policy}: {rows} objects, but {sum(n for _, n in counts)} outcomes; report this")
            policies[policy] = PolicyOutcomes(column, prints[policy], {int(code): int(count) for code, count in sorted(counts)})
    folders = tuple(str(Path(folder).relative_to(directory)) for folder in judged.folders)
    return TypeOutcomes(folders, judged.objects, policies)
