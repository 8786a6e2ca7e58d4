"""`reeve collect`: an account into a snapshot."""

from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from reeve.cli.collecting import account_access
from reeve.cli.failures import UserError, telling_what_was_written
from reeve.cli.options import account_options, output_options, policy_options
from reeve.cli.working import open_repository, progress
from reeve.findings.completeness import completeness
from reeve.findings.exit_codes import of_collecting
from reeve.findings.scan import collect_parts, production_programs
from reeve.inventory.directory import writing
from reeve.inventory.snapshot import others_in, write_snapshot
from reeve.inventory.storage import putting
from reeve.inventory.stores import is_address, shown
from reeve.report.streams import put, say
from reeve.repository.selection import select_policies

PATIENCE = 300.0
"""For how many seconds one that adds an account waits for others that are writing: they collect before they write."""


@click.command("collect")
@policy_options
@account_options
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Where the snapshot goes.")
@click.option("--add", is_flag=True, help="Keep the other accounts of the snapshot in DIR, and add this one to them.")
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
    add: bool,
    quiet: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Collect what the selected policies need into a snapshot: Parquet tables and a manifest.

    A snapshot that is in DIR already is replaced in one step; with --add, only what
    it holds of this account is, and several runs may add to it at once.

    \b
    Examples:
      reeve collect --out snapshot
      reeve collect --out estate --profile production --add
      reeve evaluate snapshot
    """
    if add and is_address(out):
        raise UserError("--add needs a directory on this machine; collect all accounts there, then copy it")
    repository = open_repository(repo)
    programs = production_programs(repository, select_policies(repository, policies, framework))
    with ExitStack() as stack:
        stack.enter_context(telling_what_was_written(None if is_address(out) else out))
        directory = stack.enter_context(putting(out, profile, say)) or out
        if add:
            with writing(directory, PATIENCE):
                others_in(directory)  # what can't be added to is said before an account is read
        else:
            stack.enter_context(writing(directory))
        tell = stack.enter_context(progress(quiet))
        access = stack.enter_context(account_access(demo, profile, region, live))
        parts = collect_parts(access, repository, programs, tell)
        if add:
            stack.enter_context(writing(directory, PATIENCE))
        manifest = write_snapshot(directory, parts, keep_others=add)
    accounts = {part.account for part, _ in parts}
    own = msgspec.structs.replace(manifest, parts=tuple(part for part in manifest.parts if part.account in accounts))
    lacking = completeness(own, programs, repository)
    for error in lacking.errors:
        say(f"{error.call}: {error.code}: {error.message}; {error.advice}")
    if not quiet:
        for account in sorted(accounts):
            rows = sum(table.rows for tables in manifest.tables.values() for table in tables if table.account == account)
            put(f"{rows} objects of account {account} in {shown(out)}")
    return of_collecting(not lacking.incomplete)
