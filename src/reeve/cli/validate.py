"""`reeve validate`: all that is wrong with a policy repository."""

import os
from pathlib import Path

import click

from reeve.cli.options import debug_option, repository_option
from reeve.cli.working import open_repository, paths_in
from reeve.collect.provider import Declarations
from reeve.evaluate.policy_tests import read_objects
from reeve.findings.exit_codes import EXIT_WRONG_USE
from reeve.report import problems as shown
from reeve.report.streams import put_text
from reeve.repository.validation import Validation


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@repository_option
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif", "github"]), default="text", help="How to print.")
@click.option("--strict", is_flag=True, help="Exit with 2 for warnings too.")
@debug_option
def command(paths: tuple[str, ...], repo: Path | None, form: str, strict: bool, debug: bool) -> int:
    """Say all that is wrong below the PATHs, or in the whole repository.

    Errors make files unusable (exit code 2); warnings point at likely mistakes.

    \b
    Examples:
      reeve validate
      reeve validate --repo ~/policies --format github
    """
    repository = open_repository(repo)
    below = paths_in(repository, paths) or ("/",)
    checks = Declarations()
    problems = Validation(repository, read_objects, checks.check_collect, checks.check_remedies, below).run()
    root = os.path.relpath(repository.files.root) if repo is None or not repo.is_absolute() else str(repo)
    match form:
        case "json":
            text = shown.as_json(problems, root)
        case "sarif":
            text = shown.sarif(problems, root)
        case "github":
            text = shown.github(problems, root)
        case _:
            text = shown.text(problems, root, repository.files.read)
    put_text(text)
    return EXIT_WRONG_USE if any(strict or not problem.warning for problem in problems) else 0
