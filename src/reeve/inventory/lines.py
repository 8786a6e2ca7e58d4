"""Rows into Parquet by way of lines of JSON, which DuckDB turns into a table without holding all of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from reeve.inventory.tables import ROW_GROUP, exact

LINES = ".rows-"
"""How the names of files of lines begin."""
_USUAL_LINE = 1 << 24
"""DuckDB reads lines of this many bytes; a longer one, of a single large object, must be announced."""


def write_rows(
    opened: duckdb.DuckDBPyConnection, target: Path, columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]
) -> int:
    """Write rows as a file of Parquet.

    Args:
        opened: a connection.
        target: the file; it is not there.
        columns: the columns, each with its type in DuckDB.
        rows: values by column, which JSON can hold.

    Returns:
        The number of rows.

    Raises:
        OSError: the disk is full.
        duckdb.Error: the file could not be written.
    """
    encoder, count, longest = msgspec.json.Encoder(), 0, _USUAL_LINE
    lines = target.with_name(f"{LINES}{target.name}.ndjson")
    try:
        with lines.open("wb") as file:
            for row in rows:
                line = encoder.encode(row) + b"\n"
                file.write(line)
                count, longest = count + 1, max(longest, len(line))
        relation: Any = opened
        size = {"maximum_object_size": longest + 1}
        found = relation.read_json(
            exact(lines), columns=dict(columns), format="newline_delimited", hive_partitioning=False, **size
        )
        found.write_parquet(str(target), compression="zstd", row_group_size=ROW_GROUP)
    finally:
        lines.unlink(missing_ok=True)
    return count
