"""DuckDB, in this process: the default engine."""

import os
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import msgspec
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler  # pyright: ignore[reportMissingTypeStubs]

from reeve.evaluate.engines.dialect import Dialect, Expr, array_distinct, ibis
from reeve.evaluate.engines.duckdb_json import JSON
from reeve.evaluate.engines.engine import EngineError
from reeve.evaluate.queries import Query, sql
from reeve.evaluate.stages import MappingStep
from reeve.inventory.columns import read_as, sql_name, wrong_column
from reeve.inventory.tables import ROW_GROUP, exact, parquet
from reeve.language.kinds import COLUMN_TYPES, DOUBLE
from reeve.language.types import Kind


@ibis.udf.scalar.builtin(name="regexp_matches", signature=(("string", "string", "string"), "boolean"))
def _regexp_matches(text: Any, pattern: Any, options: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="epoch_us", signature=(("timestamp('UTC')",), "int64"))
def _epoch_us(time: Any) -> Any: ...


def _matches(text: Expr, pattern: str) -> Expr:
    # `c`: to the letter; `n`: a dot is no line break, as RE2 has it by itself.
    return _regexp_matches(text, pattern, "cn")


def _instant(text: Expr) -> Expr:
    # Of a text cast to a time without a zone, DuckDB 2 drops the offset; one without an offset is of the session's zone, UTC.
    return _epoch_us(text.try_cast("timestamp('UTC')"))


DIALECT = Dialect(DuckDBCompiler(), array_distinct, _matches, _instant, JSON)

_TYPES = {of.ibis: of.duckdb for of in COLUMN_TYPES}
_WRITTEN = {of.ibis: of.duckdb for of in COLUMN_TYPES if of is not DOUBLE}
"""The types that lines of JSON can hold; they know no infinity."""


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class DuckDB:
    """An engine in this process.

    `threads` and `memory` (such as 2GB) bound it; `spill` is where it puts what memory can't hold.
    """

    dialect = DIALECT

    def __init__(self, spill: Path, threads: int | None = None, memory: str | None = None) -> None:
        self._spill = spill
        config: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        config |= {"preserve_insertion_order": False, "temp_directory": str(spill)}
        config |= {} if threads is None else {"threads": threads}
        config |= {} if memory is None else {"memory_limit": memory}
        with _engine_errors():
            try:
                self._connection = duckdb.connect(":memory:", config=config)
            except duckdb.ParserException:
                raise EngineError(f"the memory limit {memory!r} is no size such as 2GB") from None
            self._connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def _run(self, statement: str) -> Any:
        with _engine_errors():
            return self._connection.execute(statement)

    def open_table(self, name: str, files: Sequence[str], wanted: Mapping[str, Kind]) -> tuple[str, ...]:
        """Make files of Parquet readable under a name (`Engine.open_table`)."""
        source = parquet(files)
        found = {str(row[0]): str(row[1]) for row in self._run(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        shown: list[str] = []
        for column, kind in wanted.items():
            read = read_as(column, kind, found.get(column))
            if read is None:
                raise EngineError(wrong_column(files[0], column, kind, found.get(column)))
            shown.append(read)
        shown += [sql_name(column) for column, kind in found.items() if column not in wanted and kind == "VARCHAR"]
        self._run(f"CREATE OR REPLACE VIEW {sql_name(name)} AS SELECT {', '.join(shown)} FROM {source}")
        return tuple(found)

    def table(self, name: str, query: Query) -> int:
        """Keep a query's rows as a table (`Engine.table`)."""
        created = self._run(f"CREATE OR REPLACE TEMP TABLE {sql_name(name)} AS {sql(self.dialect, query)}")
        return int(created.fetchone()[0])

    def map(self, step: MappingStep) -> None:
        """Make a step's table (`Engine.map`): Python reads the distinct inputs, and writes what the function says."""
        inputs, found = sql_name(f"{step.name} inputs"), sql_name(f"{step.name} found")
        distinct = sql(self.dialect, step.inputs)
        self._run(f"CREATE OR REPLACE TEMP TABLE {inputs} AS SELECT *, row_number() OVER () AS n FROM ({distinct})")
        handle, name = tempfile.mkstemp(suffix=".ndjson", dir=_made(self._spill))
        try:
            longest = 1 << 20
            with os.fdopen(handle, "wb") as file:
                for line in self._said(step, f"SELECT n, {', '.join(step.keys)} FROM {inputs}"):
                    file.write(line)
                    longest = max(longest, len(line))
            written = {"n": "BIGINT"} | {column: _WRITTEN.get(dtype, "VARCHAR") for column, dtype in step.results.items()}
            columns = ", ".join(f"{column}: '{of}'" for column, of in written.items())
            # DuckDB sets twice this size aside for each thread, whatever the lines are.
            options = f"columns = {{{columns}}}, format = 'newline_delimited', maximum_object_size = {longest + 1}"
            options += ", hive_partitioning = false"
            self._run(f"CREATE OR REPLACE TEMP TABLE {found} AS SELECT * FROM read_json({_literal(exact(name))}, {options})")
        finally:
            Path(name).unlink()
        results = ", ".join(f"f.{column}::{_TYPES[dtype]} AS {column}" for column, dtype in step.results.items())
        joined = f"SELECT i.* EXCLUDE (n), {results} FROM {inputs} i JOIN {found} f ON f.n = i.n"
        self._run(f"CREATE OR REPLACE TEMP TABLE {sql_name(step.name)} AS {joined}")
        self._run(f"DROP TABLE {inputs}; DROP TABLE {found}")

    def _said(self, step: MappingStep, query: str) -> Iterator[bytes]:
        encoder, columns, function = msgspec.json.Encoder(), ("n", *step.results), step.function()
        as_text = [position for position, dtype in enumerate(step.results.values()) if dtype not in _WRITTEN]
        rows = self._run(query)
        while some := rows.fetchmany(2000):
            for number, *values in some:
                results = function(values)
                for position in as_text:
                    results[position] = None if results[position] is None else str(results[position])
                yield encoder.encode(dict(zip(columns, (number, *results), strict=True))) + b"\n"

    def write(self, query: Query, directory: str) -> int:
        """Write a query's rows as Parquet (`Engine.write`)."""
        Path(directory).mkdir(parents=True)
        target = _literal(str(Path(directory) / "part-0.parquet"))
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"
        copied = self._run(f"COPY ({sql(self.dialect, query)}) TO {target} ({options})")
        return int(copied.fetchone()[0])


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def _engine_errors() -> Generator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise EngineError(
            f"DuckDB ran out of memory or disk: {_first_line(error)}; allow more with --memory, or free some disk"
        ) from None
    except duckdb.Error as error:
        raise EngineError(f"DuckDB: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
