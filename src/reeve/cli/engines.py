"""What judges a snapshot: the interpreter for a small one, an engine for a large one or where one is asked for."""

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reeve.cli.failures import UserError
from reeve.cli.options import Decorator, together

if TYPE_CHECKING:
    from reeve.evaluate.engines.engine import Engine
    from reeve.evaluate.interpreter import Program
    from reeve.evaluate.judge_by_engine import Earlier
    from reeve.evaluate.objects import Snapshot
    from reeve.evaluate.outcomes import Outcomes
    from reeve.findings.results import Results
    from reeve.inventory.manifest import Manifest
    from reeve.repository.repository import Repository

AUTO, INTERPRETER, DUCKDB, SPARK = "auto", "interpreter", "duckdb", "spark"
START, EACH_POLICY = 20_000, 4_000
"""How many judgements (objects times policies) the interpreter makes while an engine starts, and while it plans a policy."""

engine_options: Decorator = together(
    click.option(
        "--engine",
        type=click.Choice([AUTO, DUCKDB, SPARK, INTERPRETER]),
        default=AUTO,
        help="What judges. Default: auto, the interpreter for a small snapshot and duckdb for a large one.",
    ),
    click.option("--threads", type=click.IntRange(1), metavar="N", help="How many threads duckdb uses; default: all cores."),
    click.option("--memory", metavar="SIZE", help="How much memory duckdb uses before it spills to disk, such as 2GB."),
    click.option(
        "--master",
        metavar="URL",
        help="Where spark runs: local[2], spark://HOST:PORT, yarn, sc://HOST:PORT (Spark Connect).",
    ),
)


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine that was asked for, and its options."""

    name: str
    threads: int | None
    memory: str | None
    master: str | None

    def __post_init__(self) -> None:
        """Refuse options of another engine.

        Raises:
            UserError: an option is not for this engine.
        """
        if self.master is not None and self.name != SPARK:
            raise UserError("--master is for --engine spark")
        if "@" in (self.master or ""):
            # Spark knows no such addresses, and prints them whole in its own log.
            raise UserError("--master takes no user and no password")
        if self.name in (SPARK, INTERPRETER) and (self.threads or self.memory):
            raise UserError(f"--threads and --memory are for duckdb, not for {self.name}")


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot to be judged: its directory here, and the address that it is a copy of."""

    directory: Path
    address: Path | None = None


@contextmanager
def opened(choice: EngineChoice, spill: Path) -> "Generator[Engine]":
    """Open an engine for as long as the context lasts."""
    if choice.name == SPARK:
        from reeve.evaluate.engines.spark import Spark

        with Spark(choice.master or "local[*]") as engine:
            yield engine
    else:
        from reeve.evaluate.engines.duckdb import DuckDB

        with DuckDB(spill, choice.threads, choice.memory) as engine:
            yield engine


@contextmanager
def judged(
    repository: "Repository",
    programs: "Mapping[str, Program]",
    taken: Taken,
    choice: EngineChoice,
    formats: tuple[str, ...] | None,
    out: Path | None,
    tell: Callable[[str, int, int | None], None],
    since: Path | None = None,
    framework: str | None = None,
) -> "Generator[tuple[Results, tuple[str, ...]]]":
    """Judge a snapshot; `framework` is a framework, or section, to show. The outcomes stay in `out`, if there is one.

    Yields:
        The results, to be used within the context, and the formats: those that were asked for, or that fit the size.

    Raises:
        SnapshotError: the snapshot can't be read.
        EngineError: the engine failed.
        UserError: the options don't go together.
    """
    from reeve.evaluate.objects import Snapshot
    from reeve.findings.completeness import completeness
    from reeve.findings.judged import results_of
    from reeve.inventory.directory import OUTCOMES_FOLDER, writing
    from reeve.inventory.temporary import temporary
    from reeve.repository.selection import section_id

    if choice.name == INTERPRETER and since:
        raise UserError("the interpreter judges all: --since needs --engine duckdb or spark")
    tree = section_id(repository, framework) if framework else None
    with ExitStack() as stack:
        own = stack.enter_context(temporary())
        snapshot = stack.enter_context(Snapshot(taken.directory, repository.object_type))
        large = _judgements(snapshot.manifest, programs) > START + EACH_POLICY * len(programs)
        lacking = completeness(snapshot.manifest, programs, repository)
        judging = {name: program for name, program in programs.items() if name not in lacking.unjudged}
        directory = (out or own) / OUTCOMES_FOLDER
        stack.enter_context(writing(directory))
        engine = None if choice.name == INTERPRETER or (choice.name == AUTO and not large and not since) else choice
        outcomes = _write(judging, snapshot, taken.address, engine, directory, own / "spill", since, tell)
        results = results_of(repository, programs, snapshot, stack.enter_context(outcomes), lacking, tree)
        yield results, formats if formats is not None else _usual_formats(out)


def _write(
    programs: "Mapping[str, Program]",
    snapshot: "Snapshot",
    address: Path | None,
    choice: EngineChoice | None,
    directory: Path,
    spill: Path,
    since: Path | None,
    tell: Callable[[str, int, int | None], None],
) -> "Outcomes":
    """Judge by an engine, or (None) by the interpreter; the outcomes take the place of a directory's, and of its reports."""
    from reeve.evaluate.write_outcomes import write_outcomes
    from reeve.inventory.directory import remove_reports

    with ExitStack() as stack:
        earlier = _earlier(since, snapshot, stack) if since else None
        engine = stack.enter_context(opened(choice, spill)) if choice else None
        replacing = partial(remove_reports, directory.parent)
        return write_outcomes(directory, engine, snapshot, programs, address, earlier, tell, replacing)


def _judgements(manifest: "Manifest", programs: "Mapping[str, Program]") -> int:
    return sum(manifest.rows(program.body.object_type.id) for program in programs.values())


def _usual_formats(out: Path | None) -> tuple[str, ...]:
    return ("terminal",) if out is None else ("terminal", "json", "html")


def _earlier(given: Path, snapshot: "Snapshot", stack: ExitStack) -> "Earlier":
    from reeve.evaluate.objects import Snapshot
    from reeve.evaluate.outcomes import Outcomes
    from reeve.inventory.directory import OUTCOMES_FOLDER, snapshot_directory
    from reeve.inventory.storage import reading

    outcomes = Outcomes.read(stack.enter_context(reading(given)) / OUTCOMES_FOLDER)
    directory = snapshot_directory(stack.enter_context(reading(outcomes.snapshot)))
    return outcomes, stack.enter_context(Snapshot(directory, snapshot.object_type))
