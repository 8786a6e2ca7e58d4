"""Which formats a scan's report comes in, and where each goes."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands that report nothing need not load an engine to know the formats' names
    from reeve.findings.results import Results

FORMATS = ("terminal", "json", "html", "parquet")
"""What a command can give; parquet is the outcomes, which are in `--out` whatever else is asked for."""


def _json(results: "Results") -> Iterator[bytes]:
    from reeve.report import json

    return json.render(results)


def _html(results: "Results") -> Iterator[bytes]:
    from reeve.report import html

    return html.render(results)


FILES: Mapping[str, Callable[["Results"], Iterator[bytes]]] = {"json": _json, "html": _html}
"""The formats that make a file, each with its renderer; imported when used, as HTML's engine takes a while to load."""


def file_name(name: str) -> str:
    """Return the name of the file that a report in a format goes into (`inventory.directory.REPORT`)."""
    return f"report.{name}"
