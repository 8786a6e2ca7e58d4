"""The conformance suite: directories of logic and data, readable without the code (tests/conformance).

`valid` and `invalid` are the suite of the policy language; `operations` and `errors` are what it leaves out.
"""

from pathlib import Path

import pytest
import yaml

from reeve.collect.aws.declarations import Models, collect_check
from reeve.collect.aws.remedies import remedy_check
from reeve.evaluate.policy_tests import read_objects, run_tests
from reeve.repository.repository import Repository
from reeve.repository.validation import Validation

SUITE = Path(__file__).parent / "conformance"
VALID, OPERATIONS = Repository.open(SUITE / "valid"), Repository.open(SUITE / "operations")


@pytest.mark.parametrize("path", VALID.logic_paths())
def test_valid(path):
    passes(VALID, path)


@pytest.mark.parametrize("path", OPERATIONS.logic_paths())
def test_operations(path):
    passes(OPERATIONS, path)


def passes(repository, path):
    test = run_tests(repository, path)
    assert test.cases
    wrong = [(case.object, case.expected, case.actual) for case in test.cases if not case.passed]
    assert not wrong


def test_size_of_the_suite():
    sizes = [sum(len(run_tests(one, path).cases) for path in one.logic_paths()) for one in (VALID, OPERATIONS)]
    assert sizes[0] == 480
    assert sizes[1] >= 1000


@pytest.mark.parametrize("directory", sorted((SUITE / "invalid").iterdir()), ids=lambda path: path.name)
def test_invalid(directory):
    """`expected.yaml` holds exactly the errors: file, path in the YAML, code."""
    problems = Validation(Repository.open(directory), read_objects, collect_check(Models()), remedy_check(Models())).run()
    found = sorted((one.position.path, one.position.key, one.rule) for one in problems if not one.warning)
    expected = yaml.safe_load((directory / "expected.yaml").read_text())["errors"]
    assert found == sorted((one["file"], one["path"], one["code"]) for one in expected)


@pytest.mark.parametrize("directory", sorted((SUITE / "errors").iterdir()), ids=lambda path: path.name)
def test_errors(directory):
    """`expected.txt` holds every problem, a line each; the last part of a line may leave out a library's words."""
    found = [
        str(problem)
        for problem in Validation(
            Repository.open(directory), read_objects, collect_check(Models()), remedy_check(Models())
        ).run()
    ]
    expected = (directory / "expected.txt").read_text().splitlines()
    matched = [[line for line in found if line.startswith(prefix)] for prefix in expected]
    assert all(len(lines) == 1 for lines in matched) and len(found) == len(expected), "\n".join(found)


def test_every_operation_is_in_the_suite():
    from reeve.language.operations.built_in import BUILT_IN

    text = "\n".join(path.read_text() for path in SUITE.rglob("*.yaml"))
    assert not [name for name in BUILT_IN.by_name if f"{name}:" not in text]
