"""`reeve permissions`: the least permissions for the selected policies."""

from pathlib import Path

import click

from reeve.cli.options import debug_option, policy_options
from reeve.cli.working import open_repository
from reeve.report.streams import put, put_json


@click.command("permissions")
@policy_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text"]),
    default="json",
    help="json: what grants them, such as an IAM policy; text: a list.",
)
@debug_option
def command(repo: Path | None, policies: tuple[str, ...], framework: str | None, form: str, debug: bool) -> int:
    """Print the least permissions that collecting needs, as the provider grants them.

    It comes from the same declarations that collecting follows: only the calls
    that the selected policies need are in it. Of several providers, there is one for each.

    \b
    Examples:
      reeve permissions > reeve-scan.json
      reeve permissions --framework cis-aws-v5.0.0
      reeve permissions --policy '*/s3/*' --format text
    """
    from reeve.collect.provider import provider
    from reeve.findings.scan import collecting, of_provider, production_programs, providers_for
    from reeve.repository.selection import select_policies

    repository = open_repository(repo)
    programs = production_programs(repository, select_policies(repository, policies, framework))
    chosen, ids = collecting(repository, programs), providers_for(repository, programs)
    needed = {name: provider(name).permissions(of_provider(name, chosen).values()) for name in ids}
    if form == "text":
        put(*(name for one in needed.values() for name in one.names))
        return 0
    documents = {name: one.document for name, one in needed.items()}
    put_json(documents if len(documents) > 1 else next(iter(documents.values())))
    return 0
