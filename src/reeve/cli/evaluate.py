"""`reeve evaluate`: judge a snapshot."""

from contextlib import ExitStack
from pathlib import Path

import click

from reeve.cli.engines import EngineChoice, Taken, engine_options, judged
from reeve.cli.failures import telling_what_was_written
from reeve.cli.options import chosen_formats, policy_options, report_options, wants_color
from reeve.cli.working import open_repository, progress, write_reports
from reeve.findings.scan import production_programs
from reeve.inventory.directory import snapshot_directory
from reeve.inventory.manifest import read_manifest
from reeve.inventory.storage import putting, reading
from reeve.inventory.stores import is_address
from reeve.report.streams import say
from reeve.repository.selection import select_policies


@click.command("evaluate")
@click.argument("snapshot", type=click.Path(path_type=Path))
@policy_options
@engine_options
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Judge only what has changed since an earlier evaluation with --format parquet, whose --out was DIR.",
)
@report_options
def command(
    snapshot: Path,
    repo: Path | None,
    policies: tuple[str, ...],
    framework: str | None,
    engine: str,
    threads: int | None,
    memory: str | None,
    master: str | None,
    since: Path | None,
    out: Path | None,
    formats: str | None,
    quiet: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Judge every object of a SNAPSHOT, and report; asks the account for nothing.

    Without --policy, the policies are those that the snapshot was collected for.

    SNAPSHOT is the directory that `reeve collect --out` or `reeve scan --out`
    wrote, here or in S3 (s3://BUCKET/PREFIX); the same goes for --out and --since.

    \b
    Examples:
      reeve evaluate reeve-out
      reeve evaluate snapshot --format json
      reeve evaluate monday --out one --format parquet
      reeve evaluate tuesday --out two --format parquet --since one
      reeve evaluate snapshot --out out --engine spark --master yarn
    """
    wanted = chosen_formats(formats, out)
    choice = EngineChoice(engine, threads, memory, master)
    repository = open_repository(repo)
    with ExitStack() as stack:
        stack.enter_context(telling_what_was_written(None if out is None or is_address(out) else out))
        source = stack.enter_context(reading(snapshot))
        target = stack.enter_context(putting(out, note=say))
        with progress(quiet) as tell:
            taken = Taken(snapshot_directory(source), None if source == snapshot else snapshot)
            collected_for = read_manifest(taken.directory).policies
            programs = production_programs(repository, select_policies(repository, policies, framework, collected_for))
            done = judged(repository, programs, taken, choice, wanted, target, tell, since, framework)
            results, wanted = stack.enter_context(done)
        write_reports(results, wanted, target, quiet, wants_color(no_color))
        return results.exit_code
