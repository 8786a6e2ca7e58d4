"""The outcomes of a snapshot under policies, as a directory: Parquet by type, and a manifest that makes them a result.

Each run writes into a folder of its own; its manifest is put in place last, in one step, and only then what was there before
is removed. So a run that is killed, or fails, leaves the old outcomes or none, never a part of the new.
"""

import os
import re
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve import __version__
from reeve.evaluate.changes import Since, fingerprint
from reeve.evaluate.engines.engine import Engine, EngineError
from reeve.evaluate.interpreter import Program, by_type
from reeve.evaluate.judging import Judged, judge_tables
from reeve.evaluate.reach import types_read
from reeve.files import inside
from reeve.inventory.columns import quoted
from reeve.inventory.directory import OUTCOMES, RUN, replace_file, sha256, why
from reeve.inventory.manifest import MANIFEST, Count, Instant, Manifest, SnapshotError, decoded
from reeve.inventory.stores import shown
from reeve.inventory.tables import checked_tables, connection, described, files_in, parquet, several
from reeve.language.operations.base import Moment
from reeve.model import ObjectType

SCHEMA = "reeve.outcomes/2"
_FILE = re.compile(RUN.pattern + r"/.+\.parquet", re.DOTALL)
_COLUMN = re.compile(r"code[0-9]{1,6}")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


class PolicyOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """A policy's outcomes: the column that holds its codes, what it was when it judged, and how many objects got each code."""

    column: str
    fingerprint: str
    codes: dict[int, Count]


class TypeOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """A type's outcomes: files of Parquet, of an `id` and a column for each policy, each with its SHA-256; how many objects."""

    files: dict[str, str]
    objects: Count
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
        found = cls(directory, manifest)
        for type_id, of in manifest.types.items():
            if not all(map(_FILE.fullmatch, of.files)):
                raise SnapshotError(f"{path} names files that are none of a run's")
            if not all(_COLUMN.fullmatch(policy.column) for policy in of.policies.values()):
                raise SnapshotError(f"{path} names columns that hold no codes")
            for name, digest in of.files.items():
                if _digest(directory, name) != digest:
                    message = f"{directory}: {name} is not whole: its checksum is not the one in the manifest"
                    raise SnapshotError(f"{message}; evaluate again")
            found.check(type_id)
        return found

    def check(self, type_id: str) -> None:
        """Look whether the files of a type hold what the manifest says.

        Raises:
            SnapshotError: they don't, or can't be read.
        """
        of = self.manifest.types[type_id]
        with self._reading(type_id) as (opened, source):
            columns = described(opened, source) if of.files else {}
            rows = opened.execute(f"SELECT count(*) FROM {source}").fetchall() if of.files else [(0,)]  # noqa: S608
        if rows != [(of.objects,)]:
            raise SnapshotError(f"the outcomes of {type_id} in {self.directory} are not whole; evaluate again")
        wanted = {"id": ("VARCHAR",), **{policy.column: _INTEGERS for policy in of.policies.values()}}
        for name, types in wanted.items():
            if of.files and columns.get(name) not in types:
                message = f"the outcomes of {type_id} in {self.directory} have no column {name!r} of {types[-1]}"
                raise SnapshotError(f"{message}; evaluate again")

    @property
    def snapshot(self) -> Path:
        """Where the judged snapshot is."""
        return Path(self.manifest.snapshot)

    def files(self, type_id: str) -> list[str]:
        """Return where the files of a type are."""
        return [str(inside(self.directory, name)) for name in self.manifest.types[type_id].files]

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
        query = f"SELECT id FROM {{}} WHERE {found.column} IN ({wanted}) ORDER BY id LIMIT {limit}"  # noqa: S608 - numbers
        return [row[0] for row in self._rows(type_id, query)]

    def codes(self, type_id: str, ids: Sequence[str] | None = None) -> dict[str, dict[str, int]]:
        """Return each object's code by policy, of all objects of a type or of some ids.

        Raises:
            SnapshotError: the files can't be read, or several objects have an id.
        """
        policies = self.manifest.types[type_id].policies
        columns = ", ".join(found.column for found in policies.values())
        query, given = f"SELECT id, {columns} FROM {{}}", list[Any]()  # noqa: S608 - our names
        if ids is not None:
            query, given = f"{query} WHERE id IN (SELECT unnest($1::VARCHAR[]))", [list(ids)]
        found: dict[str, dict[str, int]] = {}
        for identifier, *row in self._rows(type_id, query, given):
            if identifier in found:
                raise several(self.directory, "?", type_id, identifier)
            found[identifier] = dict(zip(policies, row, strict=True))
        return found

    def _rows(self, type_id: str, query: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if not self.manifest.types[type_id].files:
            return []
        with self._reading(type_id) as (opened, source):
            return opened.execute(query.format(source), given).fetchall()

    @contextmanager
    def _reading(self, type_id: str) -> Generator[tuple[duckdb.DuckDBPyConnection, str]]:
        try:
            with connection() as opened:
                yield opened, parquet(self.files(type_id))
        except duckdb.Error as error:
            raise SnapshotError(f"{self.directory} can't be read: {str(error).splitlines()[0]}; evaluate again") from None


def _digest(directory: Path, name: str) -> str:
    try:
        return sha256(inside(directory, name))
    except OSError as error:
        raise SnapshotError(f"{directory}: {name} can't be read: {why(error)}; evaluate again") from None


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
    moment = Moment.at(manifest.moment)
    prints = {policy: fingerprint(program, object_type, moment) for policy, program in programs.items()}
    read = types_read(programs.values(), object_type)
    tables = {name: [str(file) for file in checked_tables(place, manifest, object_type(name), False)] for name in read}
    earlier = _earlier(since, by_type(programs), prints, [object_type(name) for name in read]) if since else {}
    run = f"run-{os.urandom(6).hex()}"
    place_of_run = inside(directory, run)
    try:
        judged = judge_tables(engine, tables, programs, object_type, moment, str(place_of_run), tell, earlier)
        sizes = {name: manifest.rows(name) for name in judged}
        found = {name: _type_outcomes(directory, of, prints, programs, sizes[name]) for name, of in judged.items()}
        for name in earlier:
            _same_objects(directory, found[name], tables[name], object_type(name))
        digest = sha256(place / MANIFEST)
        done = OutcomesManifest(SCHEMA, __version__, shown(address), digest, moment.now, found)
        replace_file(directory / OUTCOMES, msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n")
    except BaseException:
        shutil.rmtree(place_of_run, ignore_errors=True)
        raise
    for path in directory.iterdir():
        if path.name != run and RUN.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
    return Outcomes(directory, done)


def _earlier(
    since: Earlier, programs: Mapping[str, Mapping[str, Program]], prints: Mapping[str, str], read: Sequence[ObjectType]
) -> dict[str, Since]:
    """Return what is known from earlier, for the types of which every policy was the same; else all must be judged again."""
    outcomes, place, manifest = since
    if outcomes.manifest.snapshot_sha256 != sha256(place / MANIFEST):
        raise SnapshotError(f"the outcomes in {outcomes.directory} are not of the snapshot in {place}; evaluate that again")
    if any(one.id not in manifest.tables for one in read):
        return {}
    tables = {one.id: [str(file) for file in checked_tables(place, manifest, one, False)] for one in read}
    found: dict[str, Since] = {}
    for type_id, policies in programs.items():
        known = outcomes.manifest.types.get(type_id)
        if known and all(_same(known.policies.get(policy), prints[policy]) for policy in policies):
            columns = {policy: known.policies[policy].column for policy in policies}
            found[type_id] = Since(tables, outcomes.files(type_id), columns)
    return found


def _same(known: PolicyOutcomes | None, now: str) -> bool:
    return known is not None and known.fingerprint == now


def _type_outcomes(
    directory: Path, judged: Judged, prints: Mapping[str, str], programs: Mapping[str, Program], rows: int
) -> TypeOutcomes:
    """Return what the outcomes of a type say.

    Raises:
        EngineError: an object of the snapshot was not judged, or was judged twice, or to something that its policy can't say.
    """
    policies: dict[str, PolicyOutcomes] = {}
    files = [file for folder in judged.folders for file in files_in(folder)]
    with connection() as opened:
        for policy, column in judged.codes.items():
            query = f"SELECT {column}, count(*) FROM {parquet(files)} GROUP BY ALL"  # noqa: S608 - our name
            counts: dict[Any, int] = dict(opened.execute(query).fetchall()) if judged.objects else {}
            if sum(counts.values()) != rows:
                raise EngineError(f"{policy}: {rows} objects, but {sum(counts.values())} outcomes; report this")
            unknown = [code for code in counts if code not in programs[policy].meanings]
            if unknown:
                message = f"{policy} has no outcome {unknown[0]}, which the earlier outcomes or the engine gave"
                raise EngineError(f"{message}; evaluate without --since")
            policies[policy] = PolicyOutcomes(column, prints[policy], {int(code): counts[code] for code in sorted(counts)})
    digests = {Path(file).relative_to(directory).as_posix(): sha256(Path(file)) for file in files}
    return TypeOutcomes(digests, judged.objects, policies)


def _same_objects(directory: Path, of: TypeOutcomes, table: Sequence[str], object_type: ObjectType) -> None:
    """Look whether outcomes, of as many objects as a table holds, are of these objects: some are as they were kept.

    Raises:
        EngineError: they are of others.
    """
    files, own = [inside(directory, name) for name in of.files], quoted(object_type.id_field)
    query = f"SELECT count(*) FROM {parquet(table)} t SEMI JOIN {parquet(files)} o ON t.{own} = o.id"  # noqa: S608 - our names
    with connection() as opened:
        found = opened.execute(query).fetchall() if files else [(0,)]
    if found != [(of.objects,)]:
        message = f"the earlier outcomes of {object_type.id} are of other objects than their snapshot"
        raise EngineError(f"{message}; evaluate without --since")
