"""Tables of Parquet that others may have written: how DuckDB is told to read just these files, and what must hold in them."""

import json
import os
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.files import inside
from reeve.inventory.columns import kinds_of, quoted, read_as, wrong_column
from reeve.inventory.directory import sha256, why
from reeve.inventory.manifest import Manifest, SnapshotError
from reeve.language.types import Kind
from reeve.language.unread import NOT_COLLECTED
from reeve.model import ObjectType

AS_OF, SOURCE = "_asOf", "_source"
_ALWAYS = {AS_OF: Kind.DATE_TIME, SOURCE: Kind.TEXT, NOT_COLLECTED: Kind.TEXT}
_FIRST, _LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"
"""The first and the last moment that Python's calendar has."""
# Where DuckDB's reader of JSON may be laxer than Python's: commas at ends, NaN, depth, endless digits.
_ODD = r",\s*[\]}]|[:\[,\-\s](?i:nan|inf)|^(?i:nan|inf)|[0-9]{1000}"
_DEEP = 500


@contextmanager
def connection() -> Generator[duckdb.DuckDBPyConnection]:
    """Open an engine for a table or two, with nothing that would be downloaded."""
    config: dict[str, Any] = {"threads": 2, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    opened = duckdb.connect(":memory:", config=config)
    try:
        opened.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
        yield opened
    finally:
        opened.close()


def exact(file: str | Path) -> str:
    """Return how DuckDB is told of one file on this machine: it takes no wild cards in its name, and no home or address."""
    # A set of one character stands for that character.
    return re.sub(r"[*?[]", r"[\g<0>]", os.path.abspath(file))


def parquet(files: Iterable[str | Path]) -> str:
    """Return the SQL of exactly these files of Parquet, without columns made from the names of directories."""
    named = ", ".join("'" + exact(file).replace("'", "''") + "'" for file in files)
    return f"read_parquet([{named}], hive_partitioning = false)"


def files_in(folder: str | Path) -> list[str]:
    """Return the paths of the files of Parquet that an engine has written into a folder, in order."""
    return sorted(str(path) for path in Path(folder).iterdir() if path.suffix == ".parquet" and path.name[0] not in "._")


def kinds_of_columns(object_type: ObjectType) -> dict[str, Kind]:
    """Return the kinds of all columns of a type's table."""
    return {**kinds_of(object_type), **_ALWAYS}


def table_path(directory: Path, manifest: Manifest, type_id: str) -> Path:
    """Return where a type's table lies, the file that the manifest means.

    Raises:
        SnapshotError: the snapshot has no such table, or it is missing or damaged.
    """
    table = manifest.tables.get(type_id)
    if table is None:
        message = f"the snapshot in {directory} holds no {type_id}, which a policy reads"
        raise SnapshotError(f"{message}; collect again, or choose policies with --policy")
    try:
        path = inside(directory, table.file)
        if sha256(path) != table.sha256:
            raise SnapshotError(f"{path} is damaged: its checksum is not the one in the manifest; collect again")
    except FileNotFoundError:
        raise SnapshotError(f"{directory}: {table.file} is missing; collect again") from None
    except OSError as error:
        raise SnapshotError(f"{directory}: {table.file} can't be read: {why(error)}; collect again") from None
    return path


def checked_table(directory: Path, manifest: Manifest, object_type: ObjectType, distinct: bool = True) -> Path:
    """Return where a type's table lies, after a look at what must hold in it.

    Every object has an id of its own, times lie in the calendar, JSON is JSON, and what was not collected is said as
    `snapshot` says it; else two judges would see different objects, or none.

    Args:
        directory: the snapshot's.
        manifest: what it says of itself.
        object_type: the type.
        distinct: whether to look for ids that repeat, which takes memory by the number of objects.

    Raises:
        SnapshotError: there is no such table, or something does not hold.
    """
    path = table_path(directory, manifest, object_type.id)
    if object_type.id_field not in object_type.fields:
        message = f"{object_type.id} declares no field {object_type.id_field!r}, which is to be its id"
        raise SnapshotError(f"{message}; mend the type's idField")
    try:
        with connection() as opened:
            for wrong in _wrong(opened, path, manifest.tables[object_type.id].rows, object_type):
                raise SnapshotError(f"{path}: {wrong}; collect again")
            if distinct:
                _no_repeated_ids(opened, path, object_type)
    except duckdb.Error as error:
        raise unreadable(path, error) from None
    return path


def unreadable(path: Path, error: duckdb.Error) -> SnapshotError:
    """Return what to say of a table that the engine can't read."""
    return SnapshotError(f"{path} can't be read: {str(error).splitlines()[0]}; collect again")


def described(opened: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Return the columns of some Parquet, each with its type in DuckDB."""
    rows = opened.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - made by `parquet`
    return {str(row[0]): str(row[1]) for row in rows}


def _wrong(opened: duckdb.DuckDBPyConnection, path: Path, rows: int, object_type: ObjectType) -> Iterator[str]:
    """Yield what is wrong with a table; the first is enough."""
    source, kinds = parquet([path]), kinds_of_columns(object_type)
    found = described(opened, source)
    for name, kind in kinds.items():
        if read_as(name, kind, found.get(name)) is None:
            raise SnapshotError(wrong_column(str(path), name, kind, found.get(name)))
    own = quoted(object_type.id_field)
    checks = [
        ("objects have no id", f"{own} IS NULL"),
        ("objects don't say as of when they were", f"{quoted(AS_OF)} IS NULL"),
        ("objects don't say where they are from", f"{quoted(SOURCE)} IS NULL"),
    ]
    for name, kind in kinds.items():
        if kind is Kind.DATE_TIME:
            checks.append((f"values of {name} lie outside the calendar", _beyond(quoted(name), found[name])))
        if kind is Kind.JSON:
            checks.append((f"values of {name} are no JSON", f"NOT json_valid({quoted(name)}::VARCHAR)"))
    counts = ", ".join(f"count(*) FILTER ({condition})" for _, condition in checks)
    query = f"SELECT count(*), {counts} FROM {source}"  # noqa: S608 - names are quoted
    [(total, *others)] = opened.execute(query).fetchall()
    if total != rows:
        yield f"it holds {total} objects, of which the manifest says {rows}"
    yield from (f"{count} {what}" for (what, _), count in zip(checks, others, strict=True) if count)
    for name in (name for name, kind in kinds.items() if kind is Kind.JSON):
        yield from _odd_json(opened, source, name)
    yield from _odd_reasons(opened, source, object_type.id_field)


def _no_repeated_ids(opened: duckdb.DuckDBPyConnection, path: Path, object_type: ObjectType) -> None:
    query = f"SELECT {quoted(object_type.id_field)} FROM {parquet([path])} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1"  # noqa: S608
    for (repeated,) in opened.execute(query).fetchall():
        raise several(path, repeated)


def several(path: Path, repeated: str) -> SnapshotError:
    """Return what to say where ids repeat."""
    return SnapshotError(f"{path}: several objects have the id {repeated!r}; collect again")


def _beyond(column: str, found: str) -> str:
    if found == "TIMESTAMP WITH TIME ZONE":
        return f"{column} NOT BETWEEN '{_FIRST}+00'::TIMESTAMPTZ AND '{_LAST}+00'::TIMESTAMPTZ"
    return f"{column}::TIMESTAMP NOT BETWEEN '{_FIRST}'::TIMESTAMP AND '{_LAST}'::TIMESTAMP"


def _odd_json(opened: duckdb.DuckDBPyConnection, source: str, name: str) -> Iterator[str]:
    """Yield what Python finds wrong with JSON that DuckDB may read otherwise."""
    text = f"{quoted(name)}::VARCHAR"
    deep = f"length({text}) - length(regexp_replace({text}, '[\\[{{]', '', 'g')) > {_DEEP}"
    query = f"SELECT {text} FROM {source} WHERE {deep} OR regexp_matches({text}, ?)"  # noqa: S608 - a quoted name
    rows: Any = opened.execute(query, [_ODD])
    while some := rows.fetchmany(1):
        try:
            json.loads(some[0][0])
        except (ValueError, RecursionError) as error:
            yield f"a value of {name} is no JSON that can be read: {str(error).splitlines()[0]}"


def _odd_reasons(opened: duckdb.DuckDBPyConnection, source: str, id_field: str) -> Iterator[str]:
    """Yield what is wrong with the reasons: engines look for a name's own letters, so that it may not be written otherwise."""
    column = quoted(NOT_COLLECTED)
    rows: Any = opened.execute(f"SELECT DISTINCT {column} FROM {source} WHERE {column} IS NOT NULL")  # noqa: S608 - a quoted name
    while some := rows.fetchmany(2000):
        for (text,) in some:
            try:
                reasons = msgspec.json.decode(text, type=dict[str, str])
            except (msgspec.DecodeError, RecursionError) as error:
                yield f"{NOT_COLLECTED} is no JSON of texts by field: {error}"
            else:
                yield from (f"{NOT_COLLECTED} names the id, {name}" for name in reasons if name == id_field)
                yield from (f"{NOT_COLLECTED} writes the name {name!r} oddly" for name in reasons if f'"{name}":' not in text)
