"""Turns what goes wrong into one line and an exit code; a traceback is shown with --debug only."""

import io
import os
from collections.abc import Callable
from typing import Any

import click

from reeve.report.streams import complain, say

EXIT_WRONG_USE, EXIT_INCOMPLETE, EXIT_INTERNAL, EXIT_INTERRUPTED = 2, 3, 70, 130


WRONG_USE = (
    "reeve.inventory.manifest.SnapshotError",
    "reeve.evaluate.engines.engine.EngineError",
    "reeve.cli.failures.UserError",
    "builtins.LookupError",
)
"""Errors whose one line says it all."""


class UserError(Exception):
    """Wrong use that the arguments' own checks can't see; the message says what to do."""


def failing_well(run: Callable[[], Any], debug: bool) -> int:
    """Run a command and return its exit code; whatever it raises becomes a line on standard error."""
    try:
        result = run()
    except BaseException as error:
        if debug and not isinstance(error, (click.exceptions.Exit, SystemExit)):
            raise
        return _report(error)
    return result if isinstance(result, int) else 0


def _report(error: BaseException) -> int:
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case SystemExit():
            return error.code if isinstance(error.code, int) else 1
        case click.exceptions.Abort() | KeyboardInterrupt():
            return _interrupted(str(error) or "nothing was written")
        case click.ClickException():
            shown = io.StringIO()
            error.show(shown)
            complain(*shown.getvalue().splitlines())
            return EXIT_WRONG_USE
        case BrokenPipeError():
            return 0
        case _:
            return _known(error)


def _interrupted(left: str) -> int:
    """Say in what state things are left, and end at once.

    Requests under way in other threads would keep the process for as long as they are retried.
    """
    say(f"interrupted; {left}")
    os._exit(EXIT_INTERRUPTED)


def _known(error: BaseException) -> int:
    # Each kind is known by its module's name, so that no AWS library or engine is imported just to compare with it.
    kind = f"{type(error).__module__}.{type(error).__name__}"
    if kind == "reeve.language.errors.InvalidRepositoryError":
        problems = getattr(error, "problems", ())
        for problem in problems:
            say(str(problem))
        say(f"{len(problems)} {'error' if len(problems) == 1 else 'errors'} in the policy repository")
        return EXIT_WRONG_USE
    if kind == "reeve.collect.aws.failures.ApiError":
        say(f"{error}; {getattr(error, 'advice', '')}")
        return EXIT_INCOMPLETE
    if kind in WRONG_USE:
        say(str(error))
        return EXIT_WRONG_USE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        say(f"{where}{(error.strerror or str(error)).lower()}")
        return EXIT_WRONG_USE
    say(f"internal error: {type(error).__name__}: {error}; run again with --debug for the traceback, and report it")
    return EXIT_INTERNAL
