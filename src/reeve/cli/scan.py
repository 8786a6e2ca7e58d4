"""`reeve scan`: collect, evaluate, report."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from reeve.cli.collecting import account_api
from reeve.cli.judging import EngineChoice, Taken, engine_options, judged
from reeve.cli.options import account_options, chosen_formats, policy_options, report_options, wants_color
from reeve.cli.working import open_repository, progress, write_reports
from reeve.findings.scan import collect_snapshot, production_programs, select_policies
from reeve.inventory.directory import writing
from reeve.inventory.storage import putting


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
        target = stack.enter_context(putting(out))
        directory = target / "snapshot" if target else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reeve-")))
        stack.enter_context(writing(directory))
        with progress(quiet) as tell:
            api = stack.enter_context(account_api(demo, profile, region))
            collect_snapshot(api, repository, programs, directory, tell, live)
            tell("judging", 0, None)
            results, wanted = judged(repository, programs, Taken(directory), choice, wanted, target, tell, framework=framework)
        write_reports(results, wanted, target, quiet, wants_color(no_color))
    return results.exit_code
