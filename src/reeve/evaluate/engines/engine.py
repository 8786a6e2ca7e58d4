"""What an engine does: reads tables of Parquet, makes mappings over distinct values, runs queries, writes Parquet."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from reeve.language.types import Kind

if TYPE_CHECKING:  # the compiler of queries takes a while to load, and the interpreter needs none
    from reeve.evaluate.engines.dialect import Dialect
    from reeve.evaluate.queries import Query
    from reeve.evaluate.stages import MappingStep


class EngineError(Exception):
    """An engine can't do what was asked of it; the message says why and what to do."""


class Engine(Protocol):
    """Runs the queries of the columnar evaluator; one class for each engine. Used within `with`."""

    @property
    def dialect(self) -> "Dialect":
        """The engine's language."""
        ...

    def open_table(self, name: str, files: Sequence[str], wanted: Mapping[str, Kind]) -> tuple[str, ...]:
        """Make files of Parquet readable under a name, with columns as the columnar evaluator takes them.

        Args:
            name: the table's name in queries.
            files: their paths; no character in them is a wild card.
            wanted: the kinds of the columns that must be there; texts that are there beside them can be read too.

        Returns:
            The names of the columns.

        Raises:
            EngineError: a file can't be read, or lacks a column, or has it in another type.
        """
        ...

    def table(self, name: str, query: "Query") -> int:
        """Keep a query's rows as a table for this run.

        Returns:
            The number of rows.

        Raises:
            EngineError: the engine failed.
        """
        ...

    def map(self, step: "MappingStep") -> None:
        """Make the table of a mapping: for each row of distinct inputs what the function says.

        Raises:
            EngineError: the engine failed.
        """
        ...

    def write(self, query: "Query", directory: str) -> int:
        """Write a query's rows as Parquet into a directory that does not exist.

        Returns:
            The number of rows.

        Raises:
            EngineError: the engine failed; what lies in the directory is no result.
        """
        ...
