"""The outcomes of a snapshot, which every judge writes and everything that is shown is a query over.

In a directory: a manifest, `outcomes.json`, and for each type files of Parquet with the place, id and name of each object and a
column of codes for each policy. Nothing here holds all objects in memory, however many there are.
"""

import re
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import msgspec

from reeve.evaluate.objects import Snapshot
from reeve.files import inside
from reeve.inventory.directory import OUTCOMES, RUN, sha256, why
from reeve.inventory.manifest import Count, Instant, SnapshotError, decoded
from reeve.inventory.tables import connection, described, parquet
from reeve.inventory.temporary import temporary
from reeve.model import Code

SCHEMA = "reeve.outcomes/3"
OBJECT = ("account", "region", "arn", "id", "name")
"""The columns of texts that outcomes have for each object, before those of codes; `arn` and `name` may be null."""
NEVER_NULL = ("account", "region", "id")
_FILE = re.compile(RUN.pattern + r"/.+\.parquet", re.DOTALL)
_COLUMN = re.compile(r"code[0-9]{1,6}")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_MEMORY = "256MB"
"""What a query may use before it spills to disk."""
_FETCHED = 2000
_NAME, _PLACE = "coalesce(name, id)", "account, region, id"
_ORDER = f"{_NAME}, {_PLACE}"
SORTED = 50_000
"""About how many judgements are sorted at a time: sorting all of them at once takes memory by their number."""
_MOST_RANGES = 50
"""How often a type's files are read to do so, at most."""
DRAWN = 64
"""How many judgements are drawn for each of the ranges that are sorted, to know where one ends."""


class PolicyOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """A policy's outcomes: the column that holds its codes, what it was when it judged, and how many objects got each code."""

    column: str
    fingerprint: str
    codes: dict[int, Count]


class TypeOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """A type's outcomes: its files of Parquet, each with its SHA-256, how many objects they hold, and the policies'."""

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
class Judged:
    """A type's outcomes as a judge has written them: the folders of files, the codes' columns by policy, how many objects."""

    folders: tuple[str, ...]
    codes: Mapping[str, str]
    objects: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """One object under one policy: where it is, its id there, its name, and the code. `arn` and `name` may be unknown."""

    account: str
    region: str
    arn: str | None
    id: str
    name: str | None
    code: Code


class Outcomes:
    """The outcomes in a directory: what their manifest says, and within `with` queries over them."""

    def __init__(self, directory: Path, manifest: OutcomesManifest) -> None:
        """Take outcomes whose manifest is known to be right; `read` looks."""
        self.directory, self.manifest = directory, manifest
        self._types = {policy: name for name, of in manifest.types.items() for policy in of.policies}
        self._stack = ExitStack()
        self._opened: duckdb.DuckDBPyConnection | None = None

    @classmethod
    def read(cls, directory: Path) -> "Outcomes":
        """Read the manifest of outcomes, and look whether the files are those, and hold what it says.

        Raises:
            SnapshotError: there is none, or it is not one that this version reads, or the files are others.
        """
        path = directory / OUTCOMES
        make = "make them with `reeve evaluate SNAPSHOT --format parquet --out DIR`"
        manifest = decoded(path, OutcomesManifest, SCHEMA, "outcomes", make, "evaluate again")
        for of in manifest.types.values():
            _check_names(path, of)
            for name, digest in of.files.items():
                if _digest(directory, name) != digest:
                    message = f"{directory}: {name} is not whole: its checksum is not the one in the manifest"
                    raise SnapshotError(f"{message}; evaluate again")
        with cls(directory, manifest) as found:
            for type_id in manifest.types:
                found._check_files(type_id)
        return found

    def __enter__(self) -> Self:
        """Open a connection for the queries."""
        spill = self._stack.enter_context(temporary())
        self._opened = self._stack.enter_context(connection())
        self._opened.execute(f"SET memory_limit = '{_MEMORY}'")
        self._opened.execute("SET temp_directory = $1", [str(spill)])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened = None
        self._stack.close()

    @property
    def snapshot(self) -> Path:
        """Where the judged snapshot is."""
        return Path(self.manifest.snapshot)

    @property
    def policies(self) -> Collection[str]:
        """The ids of the policies that judged."""
        return self._types.keys()

    def files(self, type_id: str) -> list[str]:
        """Return where the files of a type are."""
        return [str(inside(self.directory, name)) for name in self.manifest.types[type_id].files]

    def type_of(self, policy_id: str) -> str:
        """Return the id of the type that a policy is about."""
        return self._types[policy_id]

    def check_snapshot(self, snapshot: Snapshot) -> None:
        """Look whether a snapshot is the one that was judged, all of it.

        Raises:
            SnapshotError: it is another one, or holds more or fewer objects.
        """
        sizes = {type_id: snapshot.manifest.rows(type_id) for type_id in self.manifest.types}
        if self.manifest.snapshot_sha256 != snapshot.digest or any(
            of.objects != sizes[type_id] for type_id, of in self.manifest.types.items()
        ):
            message = f"the outcomes in {self.directory} are not of the snapshot in {snapshot.directory}"
            raise SnapshotError(f"{message}; evaluate that again")

    def fingerprint(self, policy_id: str) -> str:
        """Return what a policy was when it judged (`fingerprints`)."""
        return self._policy(policy_id).fingerprint

    def counts(self, policy_id: str) -> Mapping[Code, int]:
        """Return how many objects have each code under a policy; needs no query."""
        return {Code(code): count for code, count in self._policy(policy_id).codes.items()}

    def counts_by(self, policy_id: str, *columns: str) -> dict[tuple[str, ...], dict[Code, int]]:
        """Return how many objects have each code under a policy, by the values of some columns.

        Args:
            policy_id: the policy.
            columns: `account`, `region` or both.

        Returns:
            By (account, region), or what was asked for, in order: how many objects have each code.

        Raises:
            SnapshotError: the files can't be read.
        """
        if not {"account", "region"}.issuperset(columns):
            raise ValueError(f"outcomes are counted by account and region, not by {', '.join(columns)}")
        by, code = "".join(f"{column}, " for column in columns), self._policy(policy_id).column
        query = f"SELECT {by}{code}, count(*) FROM {{}} GROUP BY ALL ORDER BY ALL"  # noqa: S608 - our names
        found: dict[tuple[str, ...], dict[Code, int]] = {}
        for *values, value, count in self._rows(self.type_of(policy_id), query):
            found.setdefault(tuple(values), {})[Code(value)] = count
        return found

    def judgements(self, policy_id: str, codes: Collection[int], limit: int | None = None) -> Iterator[Judgement]:
        """Yield the objects that have one of some codes under a policy, by name, then account, region and id.

        Args:
            policy_id: the policy.
            codes: the codes.
            limit: how many at most.

        Raises:
            SnapshotError: the files can't be read.
        """
        known = self._policy(policy_id)
        if not any(known.codes.get(code) for code in codes):
            return
        wanted = ", ".join(str(int(code)) for code in codes)
        those = f"{{}} WHERE {known.column} IN ({wanted})"
        query = f"SELECT {', '.join(OBJECT)}, {known.column} FROM {those}"  # noqa: S608 - our names
        type_id, count = self.type_of(policy_id), sum(known.codes.get(code, 0) for code in codes)
        if limit is None and count > SORTED:
            ranges = self._ranges(type_id, those, min(_MOST_RANGES, -(-count // SORTED)))
        else:
            ranges = [("", ())]
        least = "" if limit is None else f" LIMIT {limit}"
        for within, ends in ranges:
            rows = self._rows(type_id, f"{query}{within} ORDER BY {_ORDER}{least}", ends)
            for account, region, arn, identifier, name, code in rows:
                yield Judgement(account, region, arn, identifier, name, Code(code))

    def _ranges(self, type_id: str, those: str, number: int) -> list[tuple[str, tuple[str, ...]]]:
        """Return conditions that divide judgements into so many ranges of about the same size, in order, with their values.

        Args:
            type_id: the type.
            those: what a query selects them from.
            number: how many ranges there are to be.
        """
        drawn = f"USING SAMPLE reservoir({number * DRAWN} ROWS)"
        query = f"SELECT * FROM (SELECT {_ORDER} FROM {those}) {drawn} ORDER BY ALL"  # noqa: S608 - our names
        ends = [(key, key, *place) for key, *place in self._rows(type_id, query)][DRAWN::DRAWN]
        # DuckDB makes one comparison of two of plain tuples, and then can't run it.
        after = f" AND ({_NAME} > ? OR ({_NAME} = ? AND ({_PLACE}) > (?, ?, ?)))"
        until = f" AND ({_NAME} < ? OR ({_NAME} = ? AND ({_PLACE}) <= (?, ?, ?)))"
        if not ends:
            return [("", ())]
        between = [(after + until, (*one, *other)) for one, other in pairwise(ends)]
        return [(until, ends[0]), *between, (after, ends[-1])]

    def _policy(self, policy_id: str) -> PolicyOutcomes:
        return self.manifest.types[self._types[policy_id]].policies[policy_id]

    def _rows(self, type_id: str, query: str, given: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query over a type's files, which stand where it has braces, as what is `given` does for `?`."""
        files = self.files(type_id)
        if not files:
            return
        with self._query() as cursor:
            cursor.execute(query.format(parquet(files)), given)
            while rows := cursor.fetchmany(_FETCHED):
                yield from rows

    @contextmanager
    def _query(self) -> Generator[duckdb.DuckDBPyConnection]:
        if self._opened is None:
            raise RuntimeError("outcomes are queried within `with`")
        try:
            # A connection's next query ends the one before; a cursor's doesn't.
            with self._opened.cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            raise SnapshotError(f"{self.directory} can't be read: {str(error).splitlines()[0]}; evaluate again") from None

    def _check_files(self, type_id: str) -> None:
        """Look whether the files of a type hold what the manifest says.

        Raises:
            SnapshotError: they don't, or can't be read.
        """
        of, where = self.manifest.types[type_id], f"the outcomes of {type_id} in {self.directory}"
        counted = [policy.codes for policy in of.policies.values()]
        if not of.files:
            if of.objects or any(map(any, counted)):
                raise SnapshotError(f"{where} are not whole; evaluate again")
            return
        with self._query() as cursor:
            found = described(cursor, parquet(self.files(type_id)))
        wanted = {**dict.fromkeys(OBJECT, ("VARCHAR",)), **{one.column: _INTEGERS for one in of.policies.values()}}
        for name, types in wanted.items():
            if found.get(name) not in types:
                raise SnapshotError(f"{where} have no column {name!r} of {types[-1]}; evaluate again")
        histograms = "".join(f", histogram({one.column})" for one in of.policies.values())
        shown = ", ".join(f"count({name})" for name in NEVER_NULL)
        (row,) = self._rows(type_id, f"SELECT {shown}, count(*){histograms} FROM {{}}")  # noqa: S608 - our names
        filled, total, codes = list(row[: len(NEVER_NULL)]), row[len(NEVER_NULL)], row[len(NEVER_NULL) + 1 :]
        if total != of.objects or filled != [total] * len(filled) or [dict(one or {}) for one in codes] != counted:
            raise SnapshotError(f"{where} are not whole; evaluate again")


def _check_names(path: Path, of: TypeOutcomes) -> None:
    """Look at the names that a manifest gives of a type's files and columns.

    Raises:
        SnapshotError: they are none that Reeve makes, or two policies share a column.
    """
    columns = [policy.column for policy in of.policies.values()]
    if not all(map(_FILE.fullmatch, of.files)):
        raise SnapshotError(f"{path} names files that are none of a run's")
    if not all(map(_COLUMN.fullmatch, columns)) or len(set(columns)) < len(columns):
        raise SnapshotError(f"{path} names columns that hold no codes")


def _digest(directory: Path, name: str) -> str:
    try:
        return sha256(inside(directory, name))
    except OSError as error:
        raise SnapshotError(f"{directory}: {name} can't be read: {why(error)}; evaluate again") from None
