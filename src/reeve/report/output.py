"""Which formats a scan's report comes in, and where each goes.

A format that makes a file is a module of `report/formats/`, and nothing else: its name is the format's and the file's ending,
and its `render` yields the file's bytes for some results, escaped.
"""

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from reeve.report import formats

if TYPE_CHECKING:  # commands that report nothing need not load an engine to know the formats' names
    from reeve.findings.results import Results

TERMINAL, PARQUET = "terminal", "parquet"
"""What is printed, and the outcomes, which are in `--out` whatever else is asked for."""


def format_names() -> tuple[str, ...]:
    """Return the names of what a command can give."""
    return (TERMINAL, *_modules(tuple(formats.__path__)), PARQUET)


@cache
def _modules(path: tuple[str, ...]) -> tuple[str, ...]:
    # A format is imported when it is used: the engine of HTML's templates takes a while to load.
    return tuple(sorted(module.name for module in pkgutil.iter_modules(path)))


def rendered(name: str, results: "Results") -> Iterator[bytes] | None:
    """Return a report in a format, in pieces as they are made; None for what makes no file."""
    if name not in _modules(tuple(formats.__path__)):
        return None
    return import_module(f"{formats.__name__}.{name}").render(results)


def file_name(name: str) -> str:
    """Return the name of the file that a report in a format goes into (`inventory.directory.REPORT`)."""
    return f"report.{name}"
