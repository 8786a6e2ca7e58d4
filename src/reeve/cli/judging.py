"""What judges a snapshot: the interpreter for a small one, an engine for a large one or where one is asked for."""

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reeve.cli.failures import UserError
from reeve.cli.options import Decorator, together

if TYPE_CHECKING:
    from reeve.evaluate.engines.engine import Engine
    from reeve.evaluate.interpreter import Program
    from reeve.evaluate.outcomes import Outcomes
    from reeve.findings.results import Results
    from reeve.inventory.manifest import Manifest
    from reeve.repository.repository import Repository

AUTO, INTERPRETER, DUCKDB, SPARK = "auto", "interpreter", "duckdb", "spark"
LARGE = 200_000
"""From how many judgements (objects times policies) on an engine is quicker than the interpreter, its start included."""
PARQUET = "parquet"

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
) -> "tuple[Results, tuple[str, ...]]":
    """Judge a snapshot for some formats, or for those that fit its size; `framework` is a framework, or section, to show.

    Returns:
        The results and the formats.

    Raises:
        SnapshotError: the snapshot can't be read.
        EngineError: the engine failed.
        UserError: the options don't go together.
    """
    from reeve.findings.completeness import completeness
    from reeve.findings.judge import judge_snapshot, without
    from reeve.inventory.directory import OUTCOMES_FOLDER, writing
    from reeve.inventory.manifest import read_manifest
    from reeve.inventory.temporary import temporary
    from reeve.repository.selection import section_id

    snapshot, tree = taken.directory, section_id(repository, framework) if framework else None
    manifest = read_manifest(snapshot)
    large = _judgements(manifest, programs) > LARGE
    wanted = formats if formats is not None else _usual_formats(out, large or since is not None)
    if choice.name == INTERPRETER and (PARQUET in wanted or since):
        raise UserError("the interpreter keeps no outcomes: --format parquet and --since need --engine duckdb or spark")
    if choice.name == INTERPRETER or (choice.name == AUTO and not large and PARQUET not in wanted and not since):
        return judge_snapshot(repository, programs, snapshot, framework=tree), wanted
    from reeve.evaluate.outcomes import write_outcomes  # loads the compiler of queries, which takes a while

    judging = without(programs, completeness(manifest, programs, repository).unjudged)
    with ExitStack() as stack:
        own = stack.enter_context(temporary())
        directory = (out if out and PARQUET in wanted else own) / OUTCOMES_FOLDER
        stack.enter_context(writing(directory))
        earlier = _earlier(since, stack) if since else None
        engine = stack.enter_context(opened(choice, own / "spill"))
        place = (snapshot, manifest, taken.address or snapshot.resolve())
        outcomes = write_outcomes(directory, engine, place, judging, repository.object_type, earlier, tell)
        only_worst = set(wanted) <= {"terminal", PARQUET}
        return judge_snapshot(repository, programs, snapshot, outcomes, only_worst, tree), wanted


def _judgements(manifest: "Manifest", programs: "Mapping[str, Program]") -> int:
    types = [program.body.object_type.id for program in programs.values()]
    return sum(map(manifest.rows, types))


def _usual_formats(out: Path | None, large: bool) -> tuple[str, ...]:
    if out is None:
        return ("terminal",)
    return ("terminal", PARQUET) if large else ("terminal", "json", "html")


def _earlier(given: Path, stack: ExitStack) -> "tuple[Outcomes, Path, Manifest]":
    from reeve.evaluate.outcomes import Outcomes
    from reeve.findings.judge import snapshot_directory
    from reeve.inventory.directory import OUTCOMES_FOLDER
    from reeve.inventory.manifest import read_manifest
    from reeve.inventory.storage import reading

    outcomes = Outcomes.read(stack.enter_context(reading(given)) / OUTCOMES_FOLDER)
    snapshot = snapshot_directory(stack.enter_context(reading(outcomes.snapshot)))
    return outcomes, snapshot, read_manifest(snapshot)
