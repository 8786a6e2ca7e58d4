"""What a policy's page shows of its logic and test data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

from reeve.evaluate.interpreter import Program, compile_body
from reeve.evaluate.policy_tests import Case, read_objects, run_tests
from reeve.findings.results import Finding
from reeve.language import codes
from reeve.language.errors import InvalidRepositoryError
from reeve.language.logic import Logic
from reeve.model import Policy, Status
from reeve.repository.repository import LOGIC_SUFFIX, PRODUCTION_LOGIC, WORK_IN_PROGRESS, Repository


@dataclass(frozen=True, slots=True)
class CheckView:
    """An undetermined check of a condition: its code, message, and the text of what fires it."""

    code: int
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition as it is read: its code when it decides, status, messages, text, and its checks."""

    code: int
    status: str
    message: str
    remediation: str | None
    text: str
    checks: tuple[CheckView, ...]


@dataclass(frozen=True, slots=True)
class BodyView:
    """Conditions in order, what holds otherwise, and the bodies of related lists by name."""

    type_id: str
    conditions: tuple[ConditionView, ...]
    lists: tuple[tuple[str, "BodyView"], ...]


@dataclass(frozen=True, slots=True)
class TestView:
    """A test object: its id, what is expected of it, whether that is so, and its fields as JSON, of a self-test none."""

    id: str
    status: str
    code: str
    passed: bool
    fields: str


@dataclass(frozen=True, slots=True)
class LogicView:
    """A logic file: its conditions, its YAML, the extracts that it imports, and its test objects.

    Without a body it is work in progress that can't be loaded; `errors` say why. `without_result` says that nobody has said
    what is expected of some test object; then there are no tests.
    """

    path: str
    production: bool
    body: BodyView | None
    yaml: str
    extracts: tuple[str, ...]
    test_files: tuple[str, ...]
    tests: tuple[TestView, ...]
    without_result: bool = False
    errors: tuple[str, ...] = ()


def logics_of(repository: Repository, policy: Policy) -> tuple[LogicView, ...]:
    """Return a policy's logic files, the production logic first.

    Raises:
        InvalidRepositoryError: a file has errors; all of them are named.
    """
    names = sorted(
        (name for name in policy.files if name.endswith(LOGIC_SUFFIX)), key=lambda name: (name != PRODUCTION_LOGIC, name)
    )
    return tuple(_logic(repository, policy, name) for name in names)


def _logic(repository: Repository, policy: Policy, name: str) -> LogicView:
    path = f"{policy.id}/{name}"
    text = repository.files.text(path) or ""
    try:
        logic, _ = repository.read_logic(path)
        body = _body(compile_body(logic.body))
    except InvalidRepositoryError as error:
        if name != WORK_IN_PROGRESS:
            raise
        return LogicView(path, False, None, text, (), (), (), errors=tuple(map(str, error.problems)))
    tests, without_result = _tests(repository, logic)
    files = (tuple(logic.all_imports), tuple(logic.test_data))
    return LogicView(path, name == PRODUCTION_LOGIC, body, text, *files, tests, without_result)


def _tests(repository: Repository, logic: Logic) -> tuple[tuple[TestView, ...], bool]:
    """Return the test objects with their results, and whether the expected result of some is missing."""
    try:
        cases = run_tests(repository, logic.path).cases
        items = [item for file in logic.test_data for item in read_objects(file, repository.files.read(file))]
    except InvalidRepositoryError as error:
        if any(problem.rule != "missing-expected-result" for problem in error.problems):
            raise
        return (), True
    fields = map(_fields, items) if items else repeat("")
    return tuple(_test(case, shown) for case, shown in zip(cases, fields, strict=False)), False


def _body(program: Program) -> BodyView:
    conditions: list[ConditionView] = []
    count = len(program.body.conditions)
    for number in range(1, count + 2):
        decided = program.meanings[codes.otherwise(count) if number > count else codes.true(number)]
        own = (code for code in sorted(program.meanings) if codes.condition_of(code) == number and codes.is_check(code))
        checks = map(program.meanings.__getitem__, own)
        views = tuple(CheckView(one.code, one.message, one.text) for one in checks)
        texts = (decided.code, str(decided.status), decided.message, decided.remediation, decided.text)
        conditions.append(ConditionView(*texts, views))
    lists = tuple((name, _body(child)) for name, child in program.children.items())
    return BodyView(program.body.object_type.id, tuple(conditions), lists)


def _fields(item: Mapping[str, Any]) -> str:
    fields = {key: value for key, value in item.items() if key not in ("expectedResult", "context", "Id")}
    return json.dumps(fields, ensure_ascii=False, indent=1)


def _test(case: Case, fields: str) -> TestView:
    return TestView(case.object, str(case.expected["status"]), str(case.expected["conditionIndex"]), case.passed, fields)


def offenders(findings: Sequence[Finding], most: int) -> tuple[Finding, ...]:
    """Return the findings that are shown: what is INCOMPLIANT, and what is UNDETERMINED, in the order given."""
    found = (one for one in findings if one.meaning.status in (Status.INCOMPLIANT, Status.UNDETERMINED))
    return tuple(islice(found, most))
