"""What commands do around the parts they call: the repository to use, progress, writing reports."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reeve.cli.failures import UserError
from reeve.files import inside
from reeve.language.operations.registry import Operations
from reeve.masking import masked
from reeve.report.escaping import visible
from reeve.report.streams import console, error_console, put_content, stderr_is_terminal
from reeve.repository.repository import Repository

if TYPE_CHECKING:
    from reeve.findings.results import Results


def open_repository(root: Path | None) -> Repository:
    """Open the repository at `root`, or the catalogue that comes with reeve: in the wheel, or beside the sources."""
    if root is not None:
        return Repository.open(root, operations())
    package = Path(__file__).parent.parent
    shipped = package / "catalog"
    return Repository.open(shipped if shipped.is_dir() else package.parents[1] / "catalog", operations())


def operations() -> Operations | None:
    """Return the operations that the command was called with, as its context's object; None for those that are built in."""
    context = click.get_current_context(silent=True)
    return context.find_object(Operations) if context else None


def paths_in(repository: Repository, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return paths as they are in the repository: given on disk, or from the repository's root.

    Raises:
        UserError: a path is neither.
    """
    root = repository.files.root.resolve()
    found: list[str] = []
    for path in paths:
        on_disk = Path(path).resolve()
        if on_disk.exists() and on_disk.is_relative_to(root):
            relative = on_disk.relative_to(root).as_posix()
            found.append("/" if relative == "." else f"/{relative}")
        elif _is_in(root, path.strip("/")):
            found.append(f"/{path.strip('/')}")
        else:
            raise UserError(f"there is no {path!r}, neither on disk nor in the repository {repository.files.root}")
    return tuple(found)


def _is_in(root: Path, name: str) -> bool:
    try:
        return not name or inside(root, name).exists()
    except OSError:
        return False


def one_policy(repository: Repository, pattern: str) -> str:
    """Return the id of the one policy that a pattern matches.

    Raises:
        LookupError: it matches none.
        UserError: it matches several.
    """
    chosen, *others = repository.select((pattern,))
    if others:
        raise UserError(f"{pattern!r} matches {1 + len(others)} policies; name one: {', '.join((chosen, *others[:4]))}")
    return chosen


@contextmanager
def progress(quiet: bool) -> Generator[Callable[[str, int, int | None], None]]:
    """Show progress on standard error, if that is a terminal, while the context lasts."""
    if quiet or not stderr_is_terminal():
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=error_console(), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, done, total: bar.update(task, description=visible(masked(what)), completed=done, total=total)


def write_reports(results: "Results", formats: tuple[str, ...], out: Path | None, quiet: bool, color: bool) -> None:
    """Write the report in each format: the terminal's to standard output, the others to files in `out` if it is given.

    Raises:
        UserError: the files could not be written.
        SnapshotError: another process is writing to `out`.
    """
    from reeve.report.output import TERMINAL, file_name, rendered

    files: dict[str, Iterable[bytes]] = {}
    for name in formats:
        content = rendered(name, results)
        if name == TERMINAL and not (quiet and out):
            _print(results, color)
        elif content is not None and out is None:
            put_content(content)
        elif content is not None:
            files[file_name(name)] = content
    if out is not None and files:
        _write(out, files)


def _write(out: Path, files: "Mapping[str, Iterable[bytes]]") -> None:
    from reeve.inventory.directory import replace_files, why, writing

    with writing(out):
        try:
            replace_files(out, files)
        except OSError as error:
            raise UserError(f"can't write to {out}: {why(error)}; free some space or choose another --out") from None


def _print(results: "Results", color: bool) -> None:
    from reeve.report import terminal

    terminal.render(results, console(color))
