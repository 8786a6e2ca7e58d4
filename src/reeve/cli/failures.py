"""Turns what goes wrong into one line and an exit code; with --debug the traceback is shown before it."""

import io
import os
import signal
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from reeve.findings.exit_codes import (
    EXIT_INCOMPLETE,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    EXIT_WELL,
    EXIT_WRONG_USE,
)
from reeve.report.streams import complain, complain_text, say

WRONG_USE = (
    "reeve.inventory.manifest.SnapshotError",
    "reeve.evaluate.engines.engine.EngineError",
    "reeve.cli.failures.UserError",
    "reeve.collect.provider.AccessError",
    "builtins.LookupError",
)
"""Errors whose one line says it all."""


class UserError(Exception):
    """Wrong use that the arguments' own checks can't see; the message says what to do."""


class Terminated(KeyboardInterrupt):
    """The process was told to end; it ends as if interrupted at the keyboard."""


def end_when_told() -> None:
    """Let SIGTERM and SIGHUP end what runs as an interruption does: what was begun is removed."""

    def end(number: int, frame: object) -> None:
        raise Terminated

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def failing_well(run: Callable[[], Any], debug: bool) -> int:
    """Run a command and return its exit code; whatever it raises becomes a line on standard error."""
    try:
        result = run()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends with a line and a code
        if debug and not isinstance(error, (click.exceptions.Exit, SystemExit)):
            complain_text("".join(traceback.format_exception(error)))
        return _report(error)
    return result if isinstance(result, int) else EXIT_WELL


def _report(error: BaseException) -> int:
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case SystemExit():
            return error.code if isinstance(error.code, int) else 1
        case click.exceptions.Abort():
            return _interrupted(error.__cause__ or error)
        case KeyboardInterrupt():
            return _interrupted(error)
        case click.ClickException():
            shown = io.StringIO()
            error.show(shown)
            complain(*shown.getvalue().splitlines())
            return EXIT_WRONG_USE
        case _:
            return _known(error)


def _interrupted(error: BaseException) -> int:
    """End at once: requests under way in other threads would keep the process for as long as they are retried."""
    say("; ".join(["interrupted", *getattr(error, "__notes__", ())]))
    os._exit(EXIT_TERMINATED if isinstance(error, Terminated) else EXIT_INTERRUPTED)


_RESULTS = ("manifest.json", "report.*", "*/manifest.json", "*/outcomes.json")


@contextmanager
def telling_what_was_written(out: Path | None) -> Generator[None]:
    """Let an interruption say which results were written into a directory while the context lasted."""
    before = _results(out)
    try:
        yield
    except KeyboardInterrupt as error:
        new = [name for name, state in _results(out).items() if before.get(name) != state]
        if new:
            error.add_note(f"new in {out}: {', '.join(new)}; what else was to be written is not there")
        elif not getattr(error, "__notes__", ()):
            error.add_note("nothing was written")
        raise


def _results(out: Path | None) -> dict[str, tuple[int, int]]:
    """Return the results in a directory, each with what changes when it is replaced."""
    found: dict[str, tuple[int, int]] = {}
    if out is not None:
        for path in (path for pattern in _RESULTS for path in out.glob(pattern)):
            with suppress(FileNotFoundError):  # another process has removed it meanwhile
                state = path.lstat()
                found[path.relative_to(out).as_posix()] = state.st_ino, state.st_mtime_ns
    return found


def _known(error: BaseException) -> int:
    # Each kind is known by its module's name, so that no library or engine is imported just to compare with it.
    kind = f"{type(error).__module__}.{type(error).__name__}"
    if kind == "reeve.language.errors.InvalidRepositoryError":
        problems = getattr(error, "problems", ())
        for problem in problems:
            say(str(problem))
        say(f"{len(problems)} {'error' if len(problems) == 1 else 'errors'} in the policy repository")
        return EXIT_WRONG_USE
    if kind == "reeve.collect.failures.ApiError":
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
