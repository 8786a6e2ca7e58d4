"""`reeve collect`: an account into a snapshot."""

from contextlib import ExitStack
from pathlib import Path

import click

from reeve.cli.collecting import account_api
from reeve.cli.failures import telling_what_was_written
from reeve.cli.options import account_options, output_options, policy_options
from reeve.cli.working import open_repository, progress
from reeve.findings.completeness import completeness
from reeve.findings.exit_codes import of_collecting
from reeve.findings.scan import collect_snapshot, production_programs
from reeve.inventory.directory import writing
from reeve.inventory.storage import putting
from reeve.inventory.stores import is_address, shown
from reeve.report.streams import put, say
from reeve.repository.selection import select_policies


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
    with ExitStack() as stack:
        stack.enter_context(telling_what_was_written(None if is_address(out) else out))
        directory = stack.enter_context(putting(out, profile, say)) or out
        stack.enter_context(writing(directory))
        tell = stack.enter_context(progress(quiet))
        api = stack.enter_context(account_api(demo, profile, region))
        manifest = collect_snapshot(api, repository, programs, directory, tell, live)
    lacking = completeness(manifest, programs, repository)
    for error in lacking.errors:
        say(f"{error.call}: {error.code}: {error.message}; {error.advice}")
    if not quiet:
        rows = sum(table.rows for table in manifest.tables.values())
        put(f"{rows} objects of account {manifest.account} in {shown(out)}")
    return of_collecting(not lacking.incomplete)
