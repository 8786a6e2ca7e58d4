"""Runs the test data of logic files: every object is judged and compared with its expected result (section 6)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from reeve.evaluate.interpreter import Program, compile_body
from reeve.language import codes
from reeve.language.errors import InvalidRepositoryError, Position, Problem, one_of
from reeve.language.evaluation import Moment, Row
from reeve.language.json_texts import NotJsonError, parse_json
from reeve.language.logic import Logic
from reeve.language.operations.base import self_test_of
from reeve.language.rows import object_id, says_disappeared
from reeve.language.times import parse_date_time
from reeve.language.unread import NOT_COLLECTED, NotCollected, PartlyCollected
from reeve.model import Outcome, Status
from reeve.repository.repository import Repository

UNIT_TEST_TIME = datetime(2024, 1, 10, 18, tzinfo=UTC)
"""When self-tests without test data are run (section 4, UNIT_TEST)."""

_CODE = re.compile(r"[0-9]{1,9}", re.ASCII)

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
        return tuple(key for key in COMPARED if not self._same(key))

    def _same(self, key: str) -> bool:
        expected, actual = self.expected.get(key), self.actual[key]
        match key:
            case "runtimeError":
                return (expected is None) == (actual is None)
            case "conditionIndex":
                return int(expected or 0) == actual
            case _:
                return expected == actual

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

        Not asked for are errors that nobody declared, and 99 for a type whose objects never say that they are gone.
        """
        own = self.logic.body.object_type
        stays = not own.untyped and own.disappearance_field is None and not any(map(says_disappeared, own.fields))
        reached = {int(case.actual["conditionIndex"]) for case in self.cases} | ({codes.DISAPPEARED} if stays else set[int]())
        return tuple(sorted(code for code in self.program.meanings if not codes.is_error(code) and code not in reached))


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
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRepositoryError([Problem(Position(path), f"not UTF-8: {error.reason}", "not-utf-8")]) from None
    try:
        data: Any = parse_json(text)
    except NotJsonError as error:
        position = Position(path, *_line_column(text, error.offset))
        raise InvalidRepositoryError([Problem(position, f"not JSON: {error}", "not-json")]) from None
    if not isinstance(data, list):
        raise InvalidRepositoryError([Problem(Position(path), "test data must be an array of objects", "wrong-kind")])
    objects = cast("list[Any]", data)
    bad = [(number, *problem) for number, item in enumerate(objects) for problem in _problems(item)]
    if bad:
        positions = object_positions(text)
        raise InvalidRepositoryError(
            Problem(Position(path, *positions[number], f"[{number}]{key}"), reason, rule) for number, key, rule, reason in bad
        )
    return objects


def _problems(item: Any) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a test object: the path in it, the code of section 7, a sentence."""
    if not isinstance(item, dict):
        yield "", "wrong-kind", "a test object must be a JSON object"
        return
    row = cast("dict[str, Any]", item)
    expected = row.get("expectedResult")
    if "expectedResult" not in row:
        needed = "status, conditionIndex, conditionText and runtimeError"
        yield "", "missing-expected-result", f"the test object has no expectedResult with {needed}"
    elif not isinstance(expected, dict):
        yield ".expectedResult", "wrong-kind", "expectedResult must be a JSON object"
    else:
        yield from _expected_problems(cast("dict[str, Any]", expected))
    context = row.get("context")
    time = cast("dict[str, Any]", context).get("snapshotTime") if isinstance(context, dict) else None
    if time is not None and parse_date_time(str(time)) is None:
        yield ".context.snapshotTime", "bad-date-time", f"context.snapshotTime {time!r:.60} is no ISO 8601 date-time"
    yield from _uncollected_problems(row, "")


def _expected_problems(expected: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    missing = [key for key in COMPARED[:3] if key not in expected]
    if missing:
        yield ".expectedResult", "missing-key", f"expectedResult lacks {' and '.join(missing)}"
        return
    status, code, text, error = (expected.get(key) for key in COMPARED)
    if status not in tuple(Status):
        yield ".expectedResult.status", "unknown-value", f"there is no status {status!r:.40}; expected one of {one_of(Status)}"
    if not _CODE.fullmatch(str(code)) or isinstance(code, bool):
        yield ".expectedResult.conditionIndex", "wrong-kind", f"conditionIndex {code!r:.40} must be a whole number"
    if not isinstance(text, str) or not isinstance(error, str | None):
        yield ".expectedResult", "wrong-kind", "conditionText must be a text, and runtimeError a text or null"


def _uncollected_problems(value: Any, at: str) -> Iterator[tuple[str, str, str]]:
    """Yield where `_notCollected`, of an object or of one in it, is no mapping of texts."""
    pending = [(value, at)]
    while pending:
        here, path = pending.pop()
        if isinstance(here, list):
            pending += [(item, f"{path}[{number}]") for number, item in enumerate(cast("list[Any]", here))]
        if not isinstance(here, dict):
            continue
        members = cast("dict[str, Any]", here)
        reasons = members.get(NOT_COLLECTED, {})
        texts = isinstance(reasons, dict) and all(isinstance(one, str) for one in cast("dict[str, Any]", reasons).values())
        if not texts:
            message = f"{NOT_COLLECTED} must be a mapping of fields' names to texts, why they could not be read"
            yield f"{path}.{NOT_COLLECTED}", "wrong-kind", message
        pending += [(item, f"{path}.{key}") for key, item in members.items() if key != NOT_COLLECTED]


def object_positions(text: str) -> list[tuple[int, int]]:
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
    """Return a field's value, with the objects in it; a related list may be written as `{"records": [...]}`."""
    if isinstance(value, dict) and list(cast("dict[str, Any]", value)) == ["records"]:
        records = cast("dict[str, Any]", value)["records"]
        value = cast("Any", records if isinstance(records, list) else value)
    if isinstance(value, list):
        return [_nested(item) for item in cast("list[Any]", value)]
    return object_row(cast("dict[str, Any]", value)) if isinstance(value, dict) else value


def moment_of(row: Mapping[str, Any]) -> Moment:
    """Return when a test object is judged: its `context.snapshotTime`, or now (section 6)."""
    context = row.get("context")
    time: Any = cast("Mapping[str, Any]", context).get("snapshotTime") if isinstance(context, Mapping) else None
    return Moment.at((parse_date_time(str(time)) if time else None) or datetime.now(UTC))


def _cases(program: Program, path: str, file: str, objects: list[dict[str, Any]]) -> Iterator[Case]:
    for number, item in enumerate(objects):
        row, moment = object_row(item), moment_of(item)
        outcome = program.judge(row, moment)
        actual = describe_outcome(program, outcome, row, moment)
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


def describe_outcome(program: Program, outcome: Outcome, row: Row, moment: Moment) -> dict[str, Any]:
    """Return an outcome in the form of an expected result."""
    meaning = program.meaning(outcome, row, moment)
    return {
        "status": str(meaning.status),
        "conditionIndex": meaning.code,
        "conditionText": meaning.text,
        "runtimeError": outcome.runtime_error,
    }


def _unit_tests(path: str, program: Program) -> Iterator[Case]:
    """Run a file of UNIT_TESTs that carry what is expected: once per condition, on an object with only that id.

    It must end in this very condition (section 4, UNIT_TEST).
    """
    for number, condition in enumerate(program.body.conditions, start=1):
        test = self_test_of(condition.check)
        if test is None:
            continue
        carried, moment, row = test.expected, Moment.at(test.time or UNIT_TEST_TIME), {"Id": test.object_id}
        actual = describe_outcome(program, program.judge(row, moment), row, moment)
        sub_index = carried.get("subIndex")
        expected: dict[str, Any] = {
            "status": carried.get("status", str(condition.status)),
            "conditionIndex": codes.true(number) if sub_index is None else codes.fired(number, sub_index),
            "conditionText": carried["text"],
            "runtimeError": carried.get("runtimeError"),
        }
        yield Case(path.rpartition("/")[0], path, test.object_id, expected, actual, path, number - 1, row, moment)
