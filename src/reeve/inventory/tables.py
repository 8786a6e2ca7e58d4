"""Tables of Parquet that others may have written: how DuckDB is told to read just these files, and what must hold in them."""

import json
import os
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.files import inside
from reeve.inventory.columns import kinds_of, read_as, sql_name, wrong_column
from reeve.inventory.directory import sha256, why
from reeve.inventory.manifest import Manifest, SnapshotError, Table
from reeve.language.types import Kind
from reeve.language.unread import NOT_COLLECTED
from reeve.model import ObjectType

ACCOUNT, REGION, ARN, AS_OF, SOURCE = "_account", "_region", "_arn", "_asOf", "_source"
"""The columns that every table has, beside `NOT_COLLECTED`; no field's name begins with an underscore."""
_ALWAYS = {
    ACCOUNT: Kind.TEXT,
    REGION: Kind.TEXT,
    ARN: Kind.TEXT,
    AS_OF: Kind.DATE_TIME,
    SOURCE: Kind.TEXT,
    NOT_COLLECTED: Kind.TEXT,
}
ROW_GROUP = 30_720
"""How many rows a file of Parquet is written in at a time: whoever reads or writes it holds so many for each thread."""
_FILE = "_file"
"""The column that gets the path of a row's file where tables are looked through."""
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


def parquet(files: Iterable[str | Path], file_column: str | None = None) -> str:
    """Return the SQL of exactly these files of Parquet, without columns made from the names of directories.

    `file_column` gets the path of each row's file.
    """
    named = ", ".join("'" + exact(file).replace("'", "''") + "'" for file in files)
    more = f", filename = '{file_column}'" if file_column else ""
    return f"read_parquet([{named}], hive_partitioning = false{more})"


def files_in(folder: str | Path) -> list[str]:
    """Return the paths of the files of Parquet that an engine has written into a folder, in order."""
    return sorted(str(path) for path in Path(folder).iterdir() if path.suffix == ".parquet" and path.name[0] not in "._")


def kinds_of_columns(object_type: ObjectType) -> dict[str, Kind]:
    """Return the kinds of all columns of a type's table."""
    return {**kinds_of(object_type), **_ALWAYS}


def table_files(directory: Path, manifest: Manifest, type_id: str) -> list[Path]:
    """Return where a type's tables lie, the files that the manifest means.

    Raises:
        SnapshotError: the snapshot has no such table, or a file is missing or damaged.
    """
    tables = manifest.tables.get(type_id)
    if not tables:
        message = f"the snapshot in {directory} holds no {type_id}, which a policy reads"
        raise SnapshotError(f"{message}; collect again, or choose policies with --policy")
    return [_file(directory, table) for table in tables]


def _file(directory: Path, table: Table) -> Path:
    try:
        path = inside(directory, table.file)
        if sha256(path) != table.sha256:
            raise SnapshotError(f"{path} is damaged: its checksum is not the one in the manifest; collect again")
    except FileNotFoundError:
        raise SnapshotError(f"{directory}: {table.file} is missing; collect {_whose(table)} again") from None
    except OSError as error:
        raise SnapshotError(f"{directory}: {table.file} can't be read: {why(error)}; collect {_whose(table)} again") from None
    return path


def _whose(table: Table) -> str:
    return f"the account {table.account}" if table.account else "the account"


def checked_tables(directory: Path, manifest: Manifest, object_type: ObjectType, distinct: bool = True) -> list[Path]:
    """Return where a type's tables lie, after a look at what must hold in them.

    Every object is of its table's account and has an id of its own there, times lie in the calendar, JSON is JSON, and what was
    not collected is said as `snapshot` says it; else two judges would see different objects, or none.

    Args:
        directory: the snapshot's.
        manifest: what it says of itself.
        object_type: the type.
        distinct: whether to look for ids that repeat, which takes memory by the number of objects.

    Raises:
        SnapshotError: there is no such table, or something does not hold.
    """
    files = table_files(directory, manifest, object_type.id)
    if object_type.id_field not in object_type.fields:
        message = f"{object_type.id} declares no field {object_type.id_field!r}, which is to be its id"
        raise SnapshotError(f"{message}; mend the type's idField")
    tables = dict(zip(files, manifest.tables[object_type.id], strict=True))
    try:
        with connection() as opened:
            for wrong in _wrong(opened, tables, object_type):
                raise SnapshotError(f"{wrong}; collect again")
            if distinct:
                _no_repeated_ids(opened, files, object_type)
    except duckdb.Error as error:
        raise unreadable(files, error) from None
    return files


def unreadable(files: Sequence[Path], error: duckdb.Error) -> SnapshotError:
    """Return what to say of files of a table that the engine can't read."""
    what = files[0] if len(files) == 1 else files[0].parent
    return SnapshotError(f"{what} can't be read: {str(error).splitlines()[0]}; collect again")


def described(opened: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Return the columns of some Parquet, each with its type in DuckDB."""
    rows = opened.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - made by `parquet`
    return {str(row[0]): str(row[1]) for row in rows}


def columns_in(opened: duckdb.DuckDBPyConnection, files: Sequence[Path], kinds: Mapping[str, Kind]) -> dict[str, str]:
    """Return the type in DuckDB of each column of a type's table, the same in all of its files.

    An engine takes a column of all files for what it is in the first one, and whole numbers for fractions.

    Raises:
        SnapshotError: a file lacks a column, or has it of a type that it can't be, or of another one than the first file has.
    """
    types: dict[str, str] = {}
    for file in _unlike(opened, files):
        found = described(opened, parquet([file]))
        for name, kind in kinds.items():
            if read_as(name, kind, found.get(name)) is None:
                raise SnapshotError(wrong_column(str(file), name, kind, found.get(name)))
            if types.setdefault(name, found[name]) != found[name]:
                message = f"{file}: the column {name!r} is {found[name]}, and {types[name]} in another account's table"
                raise SnapshotError(f"{message}; collect again")
    return types


def _unlike(opened: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> Sequence[Path]:
    """Return the first of those files that are declared alike, for each way to declare them."""
    if len(files) == 1:
        return files
    named = [exact(file) for file in files]
    columns = "name, type, converted_type, logical_type, duckdb_type"
    query = f"SELECT file_name, list(({columns})) FROM parquet_schema(?) GROUP BY 1"  # noqa: S608 - our names
    schemas = {str(name): schema for name, schema in opened.execute(query, [named]).fetchall()}
    found: list[Path] = []
    seen: list[Any] = []
    for file in files:
        schema = schemas.get(os.path.abspath(file))
        if schema not in seen:
            seen.append(schema)
            found.append(file)
    return found


def _wrong(opened: duckdb.DuckDBPyConnection, tables: Mapping[Path, Table], object_type: ObjectType) -> Iterator[str]:
    """Yield what is wrong with the files of a table; the first is enough."""
    kinds = kinds_of_columns(object_type)
    found = columns_in(opened, list(tables), kinds)
    source = parquet(tables, _FILE)
    yield from _wrong_rows(opened, source, tables, _checks(object_type, kinds, found))
    for name in (name for name, kind in kinds.items() if kind is Kind.JSON):
        yield from _odd_json(opened, source, name)
    yield from _odd_reasons(opened, source, object_type.id_field)


def _checks(object_type: ObjectType, kinds: Mapping[str, Kind], found: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what may be wrong with rows, and the SQL that holds where it is."""
    checks = [
        ("objects have no id", f"{sql_name(object_type.id_field)} IS NULL"),
        ("objects don't say which region they are in", f"{sql_name(REGION)} IS NULL"),
        ("objects don't say as of when they were", f"{sql_name(AS_OF)} IS NULL"),
        ("objects don't say where they are from", f"{sql_name(SOURCE)} IS NULL"),
    ]
    for name, kind in kinds.items():
        if kind is Kind.DATE_TIME:
            checks.append((f"values of {name} lie outside the calendar", _beyond(sql_name(name), found[name])))
        if kind is Kind.JSON:
            checks.append((f"values of {name} are no JSON", f"NOT json_valid({sql_name(name)}::VARCHAR)"))
    return checks


def _wrong_rows(
    opened: duckdb.DuckDBPyConnection, source: str, tables: Mapping[Path, Table], checks: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Yield what is wrong with the rows of each file: their number, whose they are, and what checks look for."""
    counts = ", ".join(f"count(*) FILTER ({condition})" for _, condition in checks)
    account = sql_name(ACCOUNT)
    whose = f"min({account}), max({account}), count({account})"
    query = f"SELECT {_FILE}, count(*), {whose}, {counts} FROM {source} GROUP BY 1"  # noqa: S608 - names are sql_name
    rows = {str(row[0]): row[1:] for row in opened.execute(query).fetchall()}
    for path, table in tables.items():
        total, first, last, known, *others = rows.get(os.path.abspath(path), (0, None, None, 0, *[0] * len(checks)))
        if total != table.rows:
            yield f"{path}: it holds {total} objects, of which the manifest says {table.rows}"
        if total and (first, last, known) != (table.account, table.account, total):
            yield f"{path}: objects are not of the account {table.account!r}, whose table it is"
        yield from (f"{path}: {count} {what}" for (what, _), count in zip(checks, others, strict=True) if count)


def _no_repeated_ids(opened: duckdb.DuckDBPyConnection, files: Sequence[Path], object_type: ObjectType) -> None:
    key = f"{sql_name(ACCOUNT)}, {sql_name(object_type.id_field)}"
    query = f"SELECT {key} FROM {parquet(files)} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"  # noqa: S608 - sql_name
    for account, repeated in opened.execute(query).fetchall():
        raise several(files[0].parent, account, object_type.id, repeated)


def several(directory: Path, account: str, type_id: str, repeated: str) -> SnapshotError:
    """Return what to say where ids repeat in an account."""
    return SnapshotError(f"{directory}: several {type_id} of the account {account!r} have the id {repeated!r}; collect again")


def _beyond(column: str, found: str) -> str:
    if found == "TIMESTAMP WITH TIME ZONE":
        return f"{column} NOT BETWEEN '{_FIRST}+00'::TIMESTAMPTZ AND '{_LAST}+00'::TIMESTAMPTZ"
    return f"{column}::TIMESTAMP NOT BETWEEN '{_FIRST}'::TIMESTAMP AND '{_LAST}'::TIMESTAMP"


def _odd_json(opened: duckdb.DuckDBPyConnection, source: str, name: str) -> Iterator[str]:
    """Yield what Python finds wrong with JSON that DuckDB may read otherwise."""
    text = f"{sql_name(name)}::VARCHAR"
    deep = f"length({text}) - length(regexp_replace({text}, '[\\[{{]', '', 'g')) > {_DEEP}"
    query = f"SELECT {text}, {_FILE} FROM {source} WHERE {deep} OR regexp_matches({text}, ?)"  # noqa: S608 - a sql_name name
    rows: Any = opened.execute(query, [_ODD])
    while some := rows.fetchmany(1):
        try:
            json.loads(some[0][0])
        except (ValueError, RecursionError) as error:
            yield f"{some[0][1]}: a value of {name} is no JSON that can be read: {str(error).splitlines()[0]}"


def _odd_reasons(opened: duckdb.DuckDBPyConnection, source: str, id_field: str) -> Iterator[str]:
    """Yield what is wrong with the reasons: engines look for a name's own letters, so that it may not be written otherwise."""
    column = sql_name(NOT_COLLECTED)
    query = f"SELECT {column}, min({_FILE}) FROM {source} WHERE {column} IS NOT NULL GROUP BY 1"  # noqa: S608 - a sql_name name
    rows: Any = opened.execute(query)
    while some := rows.fetchmany(2000):
        for text, file in some:
            try:
                reasons = msgspec.json.decode(text, type=dict[str, str])
            except (msgspec.DecodeError, RecursionError) as error:
                yield f"{file}: {NOT_COLLECTED} is no JSON of texts by field: {error}"
            else:
                yield from (f"{file}: {NOT_COLLECTED} names the id, {name}" for name in reasons if name == id_field)
                odd = (name for name in reasons if f'"{name}":' not in text)
                yield from (f"{file}: {NOT_COLLECTED} writes the name {name!r} oddly" for name in odd)
