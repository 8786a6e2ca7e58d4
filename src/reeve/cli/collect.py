"""`reeve collect`: an account into a snapshot."""

from pathlib import Path

import click

from reeve.cli.collecting import account_api
from reeve.cli.options import account_options, output_options, policy_options
from reeve.cli.working import open_repository, progress
from reeve.findings.results import EXIT_INCOMPLETE, EXIT_WELL
from reeve.findings.scan import collect_snapshot, production_programs, select_policies
from reeve.inventory.directory import writing
from reeve.inventory.storage import putting, shown
from reeve.report.streams import put, say


@click.command("collect")
@policy_options
@account_options
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Where the snapshot goes.")
@output_options
def command(
    repo: Path | None,
    policies: tuple[str, ...],
    framework: str | None,
    profile: str | None,
    region: str | None,
    live: bool,
    demo: bool,
    out: Path,
    quiet: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Collect what the selected policies need into a snapshot: Parquet tables and a manifest.

    A snapshot that is in DIR already is replaced in one step.

    \b
    Examples:
      reeve collect --out snapshot
      reeve evaluate snapshot
    """
    repository = open_repository(repo)
    programs = production_programs(repository, select_policies(repository, policies, framework))
    with putting(out) as target, progress(quiet) as tell, account_api(demo, profile, region) as api:
        directory = target or out
        with writing(directory):
            manifest = collect_snapshot(api, repository, programs, directory, tell, live)
    for error in manifest.errors:
        say(f"{error.call}: {error.code}: {error.message}; {error.advice}")
    if not quiet:
        rows = sum(table.rows for table in manifest.tables.values())
        put(f"{rows} objects of account {manifest.account} in {shown(out)}")
    return EXIT_WELL if manifest.complete else EXIT_INCOMPLETE
