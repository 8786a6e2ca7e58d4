"""Options that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reeve.cli.failures import UserError
from reeve.language.errors import nearest
from reeve.report.output import PARQUET, format_names
from reeve.report.streams import stdout_is_terminal

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*decorators: Decorator) -> Decorator:
    """Return one decorator that applies several, the first one outermost."""

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


repository_option: Decorator = click.option(
    "--repo",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Use the policy repository in DIR, not the one that comes with reeve.",
)

policy_options: Decorator = together(
    repository_option,
    click.option(
        "--policy", "policies", multiple=True, metavar="GLOB", help="Only policies whose id matches; may be given again."
    ),
    click.option(
        "--framework",
        metavar="ID",
        help="Only policies linked to this framework, such as cis-aws-v5.0.0, or to a section's id; ends with its tree.",
    ),
)

account_options: Decorator = together(
    click.option("--profile", metavar="NAME", help="The profile to use, as the provider's own tools know it."),
    click.option("--region", metavar="NAME", help="The region to start from; it also chooses the partition."),
    click.option("--live", is_flag=True, help="Read every object live; use no report that may be stale."),
    click.option("--demo", is_flag=True, help="Scan a simulated account on this machine; needs the extra `demo`."),
)

debug_option: Decorator = click.option("--debug", is_flag=True, help="Show the traceback of an error.")

output_options: Decorator = together(
    click.option("--quiet", "-q", is_flag=True, help="No progress, and no summary beside files."),
    click.option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same."),
    debug_option,
)

report_options: Decorator = together(
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Write the report's files (and a scan's snapshot) into DIR.",
    ),
    click.option(
        "--format",
        "formats",
        metavar="NAME[,NAME]",
        help=f"{', '.join(format_names())}. Default: terminal; with --out also json and html.",
    ),
    output_options,
)


def chosen_formats(formats: str | None, out: Path | None) -> tuple[str, ...] | None:
    """Return the formats to write; None leaves them to whether there is a directory to write to.

    Raises:
        UserError: a format that doesn't exist, or several for standard output.
    """
    if formats is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
    for name in names:
        if name not in format_names():
            hint = nearest(name, format_names()) or f"; there are {', '.join(format_names())}"
            raise UserError(f"there is no format {name!r}{hint}")
    if not names:
        raise UserError(f"--format needs a name: {', '.join(format_names())}")
    if out is None and PARQUET in names:
        raise UserError(f"{PARQUET} goes into files; choose a directory with --out DIR")
    if out is None and len(names) > 1:
        raise UserError(f"standard output takes one format, not {len(names)}; choose one, or a directory with --out DIR")
    return names


def wants_color(no_color: bool) -> bool:
    """Return whether colours are wanted: not with --no-color or NO_COLOR, nor where the output is no terminal."""
    return not no_color and not os.environ.get("NO_COLOR") and stdout_is_terminal()
