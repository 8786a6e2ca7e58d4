"""`reeve permissions`: the least IAM policy for the selected policies."""

from pathlib import Path

import click

from reeve.cli.options import debug_option, policy_options
from reeve.cli.working import open_repository
from reeve.report.streams import put, put_json


@click.command("permissions")
@policy_options
@click.option(
    "--format", "form", type=click.Choice(["json", "text"]), default="json", help="json: an IAM policy; text: a list."
)
@debug_option
def command(repo: Path | None, policies: tuple[str, ...], framework: str | None, form: str, debug: bool) -> int:
    """Print the least IAM policy that collecting needs.

    It comes from the same declarations that collecting follows: only the calls
    that the selected policies need are in it.

    \b
    Examples:
      reeve permissions > reeve-scan.json
      reeve permissions --framework cis-aws-v5.0.0
      reeve permissions --policy '*/s3/*' --format text
    """
    from reeve.collect.aws.recipe import permissions
    from reeve.findings.scan import collecting, production_programs
    from reeve.repository.selection import select_policies

    repository = open_repository(repo)
    programs = production_programs(repository, select_policies(repository, policies, framework))
    actions = permissions(collecting(repository, programs).values())
    if form == "text":
        put(*actions)
        return 0
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    put_json({"Version": "2012-10-17", "Statement": [statement]})
    return 0
