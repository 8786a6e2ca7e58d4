"""`reeve test`: the policies' test data."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reeve.cli.failures import UserError
from reeve.cli.options import debug_option, repository_option
from reeve.cli.working import open_repository, paths_in
from reeve.evaluate.policy_tests import Case, LogicTest, object_spans, run_tests
from reeve.findings.exit_codes import EXIT_WRONG_USE
from reeve.language.errors import InvalidRepositoryError, Problem
from reeve.report.streams import flush_streams, put, put_json, say
from reeve.repository.repository import Repository


@click.command("test")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@repository_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print the results.")
@click.option("--coverage", is_flag=True, help="List the codes of each policy that no test object reaches.")
@click.option("--update", is_flag=True, help="Rewrite the expected results that differ, after showing them.")
@click.option("--watch", is_flag=True, help="Run again whenever a file changes, until interrupted.")
@click.option("--quiet", "-q", is_flag=True, help="Print the closing line only.")
@debug_option
def command(
    paths: tuple[str, ...],
    repo: Path | None,
    form: str,
    coverage: bool,
    update: bool,
    watch: bool,
    quiet: bool,
    debug: bool,
) -> int:
    """Run every test object below the PATHs, or of the whole repository.

    A PATH is a directory or a logic file, on disk or as an id (/ce/...). Exit
    code 1 when an object is judged other than expected, 2 when a file can't be
    loaded.

    \b
    Examples:
      reeve test
      reeve test --coverage catalog/ce/ca/aws/iam
      reeve test --repo ~/policies --format json
    """
    code = _run(paths, repo, form, coverage, update, quiet)
    if not watch:
        return code
    from reeve.cli.watching import changes

    flush_streams()
    for _ in changes(open_repository(repo).files.root):
        code = _run(paths, repo, form, coverage, update, quiet)
        flush_streams()
    return code


def _run(paths: tuple[str, ...], root: Path | None, form: str, coverage: bool, update: bool, quiet: bool) -> int:
    repository = open_repository(root)
    tests: list[LogicTest] = []
    problems: list[Problem] = []
    for path in repository.logic_paths(paths_in(repository, paths) or ("/ce",)):
        try:
            tests.append(run_tests(repository, path))
        except InvalidRepositoryError as error:
            problems.extend(error.problems)
    cases = [case for test in tests for case in test.cases]
    failed = [case for case in cases if not case.passed]
    for problem in sorted(set(problems)):
        say(str(problem))
    if form == "json":
        _print_json(cases, failed)
    else:
        _print_text(repository, tests, cases, failed, coverage, quiet)
    if update and failed:
        _update(repository, failed)
        return EXIT_WRONG_USE if problems else 0
    return EXIT_WRONG_USE if problems else int(bool(failed))


def _print_json(cases: Sequence[Case], failed: Sequence[Case]) -> None:
    shown: list[dict[str, Any]] = [
        {
            "policy": case.policy,
            "object": case.object,
            "passed": case.passed,
            "expected": dict(case.expected),
            "actual": dict(case.actual),
        }
        for case in cases
    ]
    result = {"passed": len(cases) - len(failed), "failed": len(failed), "cases": shown}
    put_json(result)


def _print_text(
    repository: Repository,
    tests: Sequence[LogicTest],
    cases: Sequence[Case],
    failed: Sequence[Case],
    coverage: bool,
    quiet: bool,
) -> None:
    for case in () if quiet else failed:
        _print_difference(repository, case)
    if coverage:
        for test in tests:
            for code in test.unreached:
                meaning = test.program.meanings[code]
                put(f"{test.logic.path}: code {code} is not reached: {meaning.status}, {meaning.text}")
    put(f"{len(cases) - len(failed)} passed, {len(failed)} failed")


def _print_difference(repository: Repository, case: Case) -> None:
    from reeve.evaluate.observed import ObservedProgram
    from reeve.evaluate.trace import trace
    from reeve.report.trace import lines

    put(f"FAILED {case.logic} · {case.object} ({case.file}, object {case.number + 1})")
    for key in case.differences:
        put(f"  {key}")
        put(f"    expected  {_plain(case.expected.get(key))}", f"    actual    {_plain(case.actual[key])}")
    logic, _ = repository.read_logic(case.logic)
    observed = ObservedProgram.of(logic.body)
    for line in lines(trace(observed, observed.observe(case.row, case.moment))):
        put(f"    {line}")
    put("")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _update(repository: Repository, failed: Sequence[Case]) -> None:
    """Rewrite what is expected of the failed objects; everything else in a file stays as it is, to the letter."""
    from reeve.inventory.directory import replace_file

    by_file: dict[str, dict[int, Case]] = {}
    for case in failed:
        if case.file == case.logic:
            raise UserError(f"{case.logic}: a self-test's expected text is changed by hand")
        by_file.setdefault(case.file, {})[case.number] = case
    for file, cases in by_file.items():
        text = repository.files.read(file).decode("utf-8")
        for number, (start, end) in reversed(list(enumerate(object_spans(text)))):
            if number in cases:
                text = text[:start] + _with_expected(text[start:end], cases[number]) + text[end:]
        replace_file(repository.files.root / file.lstrip("/"), text.encode())
        say(f"{file}: {len(cases)} expected results rewritten")


def _with_expected(text: str, case: Case) -> str:
    """Return an object's JSON text with its `expectedResult` replaced."""
    decoder, position = json.JSONDecoder(), 1
    while True:
        while text[position] in " \t\r\n,":
            position += 1
        key, position = decoder.raw_decode(text, position)
        position = text.index(":", position) + 1
        while text[position] in " \t\r\n":
            position += 1
        _, end = decoder.raw_decode(text, position)
        if key == "expectedResult":
            return text[:position] + json.dumps(dict(case.actual), ensure_ascii=False) + text[end:]
        position = end
