"""`reeve framework`: the frameworks of a repository, and how much of them its policies cover."""

from pathlib import Path
from typing import Any

import click

from reeve.cli.options import debug_option, repository_option
from reeve.cli.policy import json_option
from reeve.cli.working import open_repository
from reeve.report.streams import put, put_json
from reeve.repository.links import link
from reeve.repository.repository import Repository
from reeve.repository.selection import is_within, section_id


@click.group("framework")
def command() -> None:
    """Look at the frameworks of a repository.

    \b
    Examples:
      reeve framework list
      reeve framework show cis-aws-v5.0.0
    """


@command.command("list")
@repository_option
@json_option
@debug_option
def list_command(repo: Path | None, form: str, debug: bool) -> int:
    """List the frameworks: how many sections they have, how many policies are linked, their name.

    \b
    Example:
      reeve framework list
    """
    rows = [row for row in _rows(open_repository(repo)) if row["id"].count("/") == 2]
    if form == "json":
        put_json(rows)
        return 0
    put("sections policies id")
    for row in rows:
        line = f"{row['subSections']:>8} {row['policies']:>8} {row['id'].rpartition('/')[2]}  {row['name']}"
        put(line)
    return 0


@command.command("show")
@click.argument("framework")
@repository_option
@json_option
@debug_option
def show_command(framework: str, repo: Path | None, form: str, debug: bool) -> int:
    """Show the sections of a FRAMEWORK, or below a section's id, with the policies and internal rules linked to each.

    \b
    Examples:
      reeve framework show cis-aws-v5.0.0
      reeve framework show /frameworks/cis-aws-v5.0.0/01
    """
    repository = open_repository(repo)
    wanted = section_id(repository, framework)
    rows = [row for row in _rows(repository) if is_within(row["id"], wanted)]
    if form == "json":
        put_json(rows)
        return 0
    put("policies rules section")
    for row in rows:
        indent = "  " * (row["id"].count("/") - wanted.count("/"))
        put(f"{row['policies']:>8} {row['internalRules']:>5} {indent}{row['name']}")
    return 0


def _rows(repository: Repository) -> list[dict[str, Any]]:
    counters = link(repository.policies.values(), repository.sections, repository.rules).counters
    return [
        {
            "id": section.id,
            "name": section.name,
            "subSections": counters[section.id].sub_sections,
            "internalRules": counters[section.id].internal_rules,
            "policies": counters[section.id].policies,
        }
        for section in sorted(repository.sections.values(), key=lambda section: section.id)
    ]
