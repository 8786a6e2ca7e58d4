"""`reeve evaluate`: judge a snapshot."""

from pathlib import Path

import click

from reeve.cli.options import chosen_formats, policy_options, report_options, wants_color
from reeve.cli.working import open_repository, write_reports
from reeve.findings.scan import judge_snapshot, production_programs, select_policies, snapshot_directory


@click.command("evaluate")
@click.argument("snapshot", type=click.Path(path_type=Path))
@policy_options
@report_options
def command(
    snapshot: Path,
    repo: Path | None,
    policies: tuple[str, ...],
    framework: str | None,
    out: Path | None,
    formats: str | None,
    quiet: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Judge every object of a SNAPSHOT, and report; makes no request to anywhere.

    SNAPSHOT is the directory that `reeve collect --out` or `reeve scan --out` wrote.

    \b
    Examples:
      reeve evaluate reeve-out
      reeve evaluate snapshot --format json
    """
    wanted = chosen_formats(formats, out)
    repository = open_repository(repo)
    programs = production_programs(repository, select_policies(repository, policies, framework))
    results = judge_snapshot(repository, programs, snapshot_directory(snapshot))
    write_reports(results, wanted, out, quiet, wants_color(no_color))
    return results.exit_code
