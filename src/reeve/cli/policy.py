"""`reeve policy`: the policies of a repository."""

from dataclasses import asdict
from pathlib import Path

import click

from reeve.cli.options import debug_option, policy_options, repository_option
from reeve.cli.working import one_policy, open_repository
from reeve.model import Policy
from reeve.report.streams import put, put_json
from reeve.repository.links import link
from reeve.repository.remedies import Remedies
from reeve.repository.repository import Repository
from reeve.repository.selection import select_policies

json_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")


@click.group("policy")
def command() -> None:
    """Look at the policies of a repository.

    \b
    Examples:
      reeve policy list --framework cis-aws-v5.0.0
      reeve policy show user-has-more-than-one-active-access-key
    """


@command.command("list")
@policy_options
@json_option
@debug_option
def list_command(repo: Path | None, policies: tuple[str, ...], framework: str | None, form: str, debug: bool) -> int:
    """List policies: severity, what state they are in, id.

    \b
    Examples:
      reeve policy list
      reeve policy list --policy '*/iam/*' --format json
    """
    repository = open_repository(repo)
    found = [repository.policy(policy_id) for policy_id in select_policies(repository, policies, framework)]
    if form == "json":
        rows = [{"id": p.id, "name": p.full_name, "severity": p.severity, "state": state_of(p)} for p in found]
        put_json(rows)
        return 0
    for policy in found:
        put(f"{policy.severity or '-':<9} {state_of(policy):<12} {policy.id}")
    return 0


@command.command("show")
@click.argument("policy")
@repository_option
@json_option
@debug_option
def show_command(policy: str, repo: Path | None, form: str, debug: bool) -> int:
    """Show a POLICY, named by its id or its end: conditions in order, and linked sections with why.

    \b
    Example:
      reeve policy show user-has-more-than-one-active-access-key
    """
    repository = open_repository(repo)
    chosen = one_policy(repository, policy)
    found = repository.policy(chosen)
    links = link(repository.policies.values(), repository.sections, repository.rules).by_policy[chosen]
    sections = [{"id": one.section.id, "name": one.section.name, "why": [str(why) for why in one.why]} for one in links]
    if form == "json":
        plain = {**asdict(found), "files": sorted(found.files), "state": state_of(found), "sections": sections}
        put_json(plain)
        return 0
    lines = [found.full_name, found.id, f"{state_of(found)}, severity {found.severity or 'not given'}", "", found.description]
    lines += ["", *_logic(repository, found), f"{len(sections)} linked sections"]
    lines += [f"  {one['id']}  {one['name']}: {', '.join(one['why'])}" for one in sections]
    put(*lines)
    return 0


def state_of(policy: Policy) -> str:
    """Return what state a policy is in: production, impossible (it can't be automated), or draft."""
    return "production" if policy.is_production else "impossible" if policy.impossible else "draft"


def _logic(repository: Repository, policy: Policy) -> list[str]:
    """Return the lines of a policy's production logic, none if it has none."""
    if not policy.is_production:
        return []
    body = repository.logic(policy.id).body
    lines = [f"Judges {body.object_type.id}"]
    for number, condition in enumerate(body.conditions, start=1):
        lines += [f"  {number}. {condition.status} if {condition.check.text()}", f"     {condition.message}"]
    lines += [f"  otherwise {body.otherwise_status}", f"     {body.otherwise_message}", ""]
    return [*lines, *_remedies(repository.remedies(policy.id, body))]


def _remedies(remedies: Remedies) -> list[str]:
    """Return the lines of how the objects of each INCOMPLIANT code are mended, as it is declared."""
    lines: list[str] = []
    for remedy in remedies:
        lines.append(f"  Remedy for {remedy.code}: {remedy.say.text}")
        lines += [f"     {command.run.text}" for command in remedy.commands]
    return [*lines, ""] if lines else []
