"""The conformance suite: directories of logic and data, readable without the code (tests/conformance)."""

from pathlib import Path

import pytest

from reeve.evaluate.policy_tests import read_objects, run_tests
from reeve.repository.repository import Repository
from reeve.repository.validation import Validation

SUITE = Path(__file__).parent / "conformance"
OPERATIONS = Repository.open(SUITE / "operations")


@pytest.mark.parametrize("path", OPERATIONS.logic_paths())
def test_operations(path):
    test = run_tests(OPERATIONS, path)
    assert test.cases
    wrong = [(case.object, case.expected, case.actual) for case in test.cases if not case.passed]
    assert not wrong


def test_size_of_the_suite():
    assert sum(len(run_tests(OPERATIONS, path).cases) for path in OPERATIONS.logic_paths()) >= 400


@pytest.mark.parametrize("directory", sorted((SUITE / "errors").iterdir()), ids=lambda path: path.name)
def test_errors(directory):
    """`expected.txt` holds every problem, a line each; the last part of a line may leave out a library's words."""
    found = [str(problem) for problem in Validation(Repository.open(directory), read_objects).run()]
    expected = (directory / "expected.txt").read_text().splitlines()
    matched = [[line for line in found if line.startswith(prefix)] for prefix in expected]
    assert all(len(lines) == 1 for lines in matched) and len(found) == len(expected), "\n".join(found)


def test_every_operation_is_in_the_suite():
    from reeve.language.operations import OPERATIONS as NAMES

    text = "\n".join(path.read_text() for path in SUITE.rglob("*.yaml"))
    assert not [name for name in NAMES if f"{name}:" not in text]
