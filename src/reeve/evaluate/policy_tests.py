"""Runs the test data of logic files: every object is judged and compared with its expected result (section 5)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from reeve.evaluate.interpreter import DISAPPEARED_CODE, Program, compile_body
from reeve.language.errors import InvalidRepositoryError, Place, Problem
from reeve.language.logic import Logic
from reeve.language.operations.base import NOT_COLLECTED, Expression, Moment, NotCollected, PartlyCollected, Row
from reeve.language.operations.fields import object_id, says_disappeared
from reeve.language.operations.testing import UnitTest
from reeve.language.values import parse_date_time
from reeve.model import Outcome
from reeve.repository.repository import Repository

UNIT_TEST_TIME = datetime(2024, 1, 10, 18, tzinfo=UTC)
"""When self-tests without test data are run (section 4, UNIT_TEST)."""

COMPARED = ("status", "conditionIndex", "conditionText", "runtimeError")


@dataclass(frozen=True, slots=True)
class Case:
    """One test object's expected and actual result; `file` and `number` say where it stands (number from 0)."""

    policy: str
    logic: str
    object: str
    expected: Mapping[str, Any]
    actual: Mapping[str, Any]
    file: str
    number: int
    row: Row = field(repr=False)
    moment: Moment = field(repr=False)

    @property
    def differences(self) -> tuple[str, ...]:
        """The keys in which expected and actual differ; of `runtimeError` only whether there is one counts."""
        return tuple(key for key in COMPARED if key in self.expected and not self._same(key))

    def _same(self, key: str) -> bool:
        expected, actual = self.expected[key], self.actual[key]
        if key == "runtimeError":
            return (expected is None) == (actual is None)
        return str(expected) == str(actual)

    @property
    def passed(self) -> bool:
        """Whether the object was judged as expected."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class LogicTest:
    """A logic file with the results of its test objects."""

    logic: Logic
    program: Program
    cases: tuple[Case, ...]

    @property
    def unreached(self) -> tuple[int, ...]:
        """The codes that no test object reaches.

        Not asked for are n·100 + 98, errors that nobody declared, and 99 for a type whose objects never say that they are gone.
        """
        own = self.logic.body.object_type
        stays = not own.untyped and own.disappearance_field is None and not any(map(says_disappeared, own.fields))
        reached = {int(case.actual["conditionIndex"]) for case in self.cases} | ({DISAPPEARED_CODE} if stays else set[int]())
        return tuple(sorted(code for code in self.program.meanings if code % 100 != 98 and code not in reached))


def run_tests(repository: Repository, path: str) -> LogicTest:
    """Run the test objects of the logic file at a path from the root.

    Raises:
        InvalidRepositoryError: the logic file or its test data have errors; all of them are named.
    """
    logic, _ = repository.read_logic(path)
    program = compile_body(logic.body)
    if not logic.test_data:
        return LogicTest(logic, program, tuple(_unit_tests(path, program)))
    problems: list[Problem] = []
    cases: list[Case] = []
    for file in logic.test_data:
        try:
            cases.extend(_cases(program, path, file, read_objects(file, repository.files.read(file))))
        except InvalidRepositoryError as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidRepositoryError(problems)
    return LogicTest(logic, program, tuple(cases))


def read_objects(path: str, content: bytes) -> list[dict[str, Any]]:
    """Read a file of test objects.

    Raises:
        InvalidRepositoryError: it is not JSON, not an array of objects, or an object has no expectedResult.
    """
    try:
        data: Any = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidRepositoryError([Problem(Place(path), f"not UTF-8: {error.reason}", "wrong-encoding")]) from None
    except json.JSONDecodeError as error:
        place = Place(path, error.lineno, error.colno)
        raise InvalidRepositoryError([Problem(place, f"not JSON: {error.msg}", "not-json")]) from None
    except RecursionError:
        raise InvalidRepositoryError([Problem(Place(path), "nested too deeply", "too-deep")]) from None
    if not isinstance(data, list):
        raise InvalidRepositoryError([Problem(Place(path), "test data must be an array of objects", "wrong-value")])
    objects = cast("list[Any]", data)
    bad = [(number, reason) for number, item in enumerate(objects) if (reason := _problem(item))]
    if bad:
        places = object_places(content.decode("utf-8-sig"))
        raise InvalidRepositoryError(Problem(Place(path, *places[number]), reason, code) for number, (reason, code) in bad)
    return objects


def _problem(item: Any) -> tuple[str, str] | None:
    """Return what is wrong with a test object, and the code of it."""
    if not isinstance(item, dict):
        return "a test object must be a JSON object", "wrong-kind"
    row = cast("dict[str, Any]", item)
    expected = row.get("expectedResult")
    if not isinstance(expected, dict):
        message = "the test object has no expectedResult with status, conditionIndex, conditionText and runtimeError"
        return message, "missing-expected-result"
    missing = [key for key in COMPARED[:2] if key not in expected]
    if missing:
        return f"expectedResult lacks {' and '.join(missing)}", "missing-expected-result"
    context = row.get("context")
    time = cast("dict[str, Any]", context).get("snapshotTime") if isinstance(context, dict) else None
    if time is not None and parse_date_time(str(time)) is None:
        return f"context.snapshotTime {time!r} is no ISO 8601 date-time", "bad-date-time"
    return None


def object_places(text: str) -> list[tuple[int, int]]:
    """Return line and column, from 1, of each item of a JSON array."""
    return [_line_column(text, start) for start, _ in object_spans(text)]


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def object_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each item of a JSON array begins and ends, as offsets."""
    decoder = json.JSONDecoder()
    position = text.index("[") + 1
    while True:
        while text[position] in " \t\r\n,":
            position += 1
        if text[position] == "]":
            return
        _, end = decoder.raw_decode(text, position)
        yield position, end
        position = end


def object_row(item: Mapping[str, Any]) -> Row:
    """Return a test object as the interpreter takes it.

    `_notCollected`, of it or of an object in it, gives the reasons for fields and related lists that could not be read.
    """
    row = {name: _nested(value) for name, value in item.items()}
    reasons: Any = row.pop(NOT_COLLECTED, None)
    for name, reason in cast("dict[str, Any]", reasons).items() if isinstance(reasons, dict) else ():
        children = row.get(name)
        row[name] = PartlyCollected(cast("list[Row]", children), str(reason)) if children else NotCollected(str(reason))
    return row


def _nested(value: Any) -> Any:
    if isinstance(value, list):
        return [_nested(item) for item in cast("list[Any]", value)]
    return object_row(cast("dict[str, Any]", value)) if isinstance(value, dict) else value


def moment_of(row: Mapping[str, Any]) -> Moment:
    """Return when a test object is judged: its `context.snapshotTime`, or now (section 5)."""
    context = row.get("context")
    time: Any = cast("Mapping[str, Any]", context).get("snapshotTime") if isinstance(context, Mapping) else None
    return Moment.at((parse_date_time(str(time)) if time else None) or datetime.now(UTC))


def _cases(program: Program, path: str, file: str, objects: list[dict[str, Any]]) -> Iterator[Case]:
    for number, item in enumerate(objects):
        row, moment = object_row(item), moment_of(item)
        outcome = program.judge(row, moment)
        actual = describe_outcome(program, outcome, row)
        name = object_id(row) or f"#{number + 1}"
        yield Case(
            path.rpartition("/")[0],
            path,
            name,
            cast("dict[str, Any]", row["expectedResult"]),
            actual,
            file,
            number,
            row,
            moment,
        )


def describe_outcome(program: Program, outcome: Outcome, row: Row) -> dict[str, Any]:
    """Return an outcome in the form of an expected result."""
    meaning = program.meaning(outcome, row)
    return {
        "status": str(meaning.status),
        "conditionIndex": meaning.code,
        "conditionText": meaning.text,
        "runtimeError": outcome.runtime_error,
    }


def _unit_tests(path: str, program: Program) -> Iterator[Case]:
    """Run a file of UNIT_TESTs that carry what is expected: once per id, on an object with only that id."""
    moment = Moment.at(UNIT_TEST_TIME)
    for number, condition in enumerate(program.body.conditions, start=1):
        test: Expression = condition.check
        carried: Any = test.expected if isinstance(test, UnitTest) else None
        if not isinstance(test, UnitTest) or not isinstance(carried, dict):
            continue
        wanted = str(cast("dict[str, Any]", carried).get("text"))
        row = {"Id": test.id}
        actual = describe_outcome(program, program.judge(row, moment), row)
        ended, text = actual["conditionIndex"] // 100, str(actual["conditionText"])
        # The text may be given with or without the words that UNIT_TEST itself prints.
        given = text if wanted == text else text.removeprefix(f"unitTest({test.id}): ")
        status = str(condition.status) if ended == number and actual["status"] != "UNDETERMINED" else actual["status"]
        index = actual["conditionIndex"] if ended == number else number * 100 + 99
        expected: dict[str, Any] = {"status": status, "conditionIndex": index, "conditionText": wanted}
        yield Case(
            path.rpartition("/")[0], path, test.id, expected, {**actual, "conditionText": given}, path, number - 1, row, moment
        )
