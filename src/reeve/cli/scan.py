"""`reeve scan`: collect, evaluate, report."""

from contextlib import ExitStack
from pathlib import Path

import click

from reeve.cli.collecting import account_access
from reeve.cli.engines import EngineChoice, Taken, engine_options, judged
from reeve.cli.failures import telling_what_was_written
from reeve.cli.options import account_options, chosen_formats, policy_options, report_options, wants_color
from reeve.cli.working import open_repository, progress, write_reports
from reeve.findings.scan import collect_parts, production_programs
from reeve.inventory.directory import SNAPSHOT_FOLDER, remove_results, writing
from reeve.inventory.snapshot import write_snapshot
from reeve.inventory.storage import putting
from reeve.inventory.stores import is_address
from reeve.inventory.temporary import temporary
from reeve.report.streams import say
from reeve.repository.selection import select_policies


@click.command("scan")
@policy_options
@account_options
@engine_options
@report_options
def command(
    repo: Path | None,
    policies: tuple[str, ...],
    framework: str | None,
    profile: str | None,
    region: str | None,
    live: bool,
    demo: bool,
    engine: str,
    threads: int | None,
    memory: str | None,
    master: str | None,
    out: Path | None,
    formats: str | None,
    quiet: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Collect an account, judge every object, and report.

    Credentials, profile, region and endpoint are found as the AWS CLI finds them.

    \b
    Examples:
      reeve scan
      reeve scan --profile audit --out reeve-out
      reeve scan --out s3://audit-bucket/2026-11-24
      reeve scan --policy '*/iam/*' --format json
      reeve scan --demo
    """
    wanted = chosen_formats(formats, out)
    choice = EngineChoice(engine, threads, memory, master)
    repository = open_repository(repo)
    programs = production_programs(repository, select_policies(repository, policies, framework))
    with ExitStack() as stack:
        stack.enter_context(telling_what_was_written(None if out is None or is_address(out) else out))
        target = stack.enter_context(putting(out, profile, say))
        directory = (target or stack.enter_context(temporary())) / SNAPSHOT_FOLDER
        stack.enter_context(writing(directory))
        with progress(quiet) as tell:
            access = stack.enter_context(account_access(demo, profile, region, live))
            parts = collect_parts(access, repository, programs, tell)
            write_snapshot(directory, parts, replacing=lambda: remove_results(directory.parent))
            tell("judging", 0, None)
            done = judged(repository, programs, Taken(directory), choice, wanted, target, tell, framework=framework)
            results, wanted = stack.enter_context(done)
        write_reports(results, wanted, target, quiet, wants_color(no_color))
        return results.exit_code
