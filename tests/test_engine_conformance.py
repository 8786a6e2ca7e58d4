"""The conformance suite by the engines: their codes are the interpreter's, whose results `test_conformance` compares."""

import math
from datetime import UTC, datetime

import pytest

from reeve.evaluate.engines.spark import Spark
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.policy_tests import read_objects
from reeve.language.errors import Position
from reeve.language.evaluation import Moment
from reeve.language.expressions import read_expression
from reeve.language.logic import Body, Condition
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.scopes import Scope
from reeve.language.syntax import FileReader
from reeve.model import Field, ObjectType, Status
from tables import Given, codes_of, objects_of, write_table
from test_conformance import OPERATIONS, VALID
from test_engines import EACH_ENGINE, ENGINES, FUZZ
from test_language_properties import node
from typed_suite import typed_groups, typed_values

NOW = Moment.at(datetime(2026, 1, 31, 12, tzinfo=UTC))
"""The snapshot time of all but four objects of the suite."""

SUITES = {"operations": OPERATIONS, "valid": VALID}
KINDS = {"texts": {}, "bytes": {"Text": "Bytes", "List of Text": "Set of Bytes"}, "sets": {"List of Text": "Set of Text"}}


@pytest.fixture(params=EACH_ENGINE)
def engine(request, tmp_path):
    with ENGINES[request.param](tmp_path / "spill") as opened:
        yield opened


def differences(found, programs, rows):
    return [
        (path, row, found[path][identifier], program.judge(row, NOW).code)
        for path, program in programs.items()
        for identifier, row in rows.items()
        if found[path][identifier] != program.judge(row, NOW).code
    ]


@pytest.mark.parametrize("kinds", KINDS)
def test_typed(engine, kinds, tmp_path):
    if isinstance(engine, Spark) and not FUZZ:
        pytest.skip("for long: make fuzz")
    pairs = [typed(engine, suite, KINDS[kinds], tmp_path / name) for name, suite in SUITES.items()]
    assert pairs[0] > 60_000
    assert pairs[1] > 3_000


def typed(engine, suite, kinds, directory):
    """Judge a suite with types; return how many pairs of policy and object there were."""
    pairs = 0
    for name, (repository, programs, tables) in typed_groups(suite, directory / "suite", kinds).items():
        files = {
            type_id: [write_table(directory / f"{type_id}.parquet", repository.object_type(type_id), rows)]
            for type_id, rows in tables.items()
        }
        found = codes_of(engine, files, programs, repository.object_type, NOW)
        values = {key: [typed_values(repository.object_type(key), row) for row in rows] for key, rows in tables.items()}
        objects = objects_of(repository.object_type, Given(values), name)
        rows = {record.fields["Id"]: row for record, row in objects}
        assert not differences(found, programs, rows)
        pairs += len(programs) * len(rows)
    return pairs


@pytest.mark.parametrize("suite", SUITES)
def test_untyped(engine, suite, tmp_path):
    """Without types the interpreter judges within the engine, once per distinct object."""
    programs, objects, repository = {}, [], SUITES[suite]
    for path in repository.logic_paths():
        body = repository.read_logic(path)[0].body
        if body.object_type.untyped:
            programs[path] = compile_body(body)
            for file in repository.read_logic(path)[0].test_data:
                objects += [dict(row) for row in read_objects(file, repository.files.read(file))]
    for number, row in enumerate(objects):
        row["Id"] = f"{number} {row.get('Id')}"
    types = {program.body.object_type.id: program.body.object_type for program in programs.values()}
    files = {name: [write_table(tmp_path / f"{name}.parquet", of, objects)] for name, of in types.items()}
    found = codes_of(engine, files, programs, types.__getitem__, NOW)
    assert not differences(found, programs, {row["Id"]: row for row in objects})


NUMBERS = ObjectType(
    "numbers", "Numbers", fields={n: Field(n, "Number") for n in "ab"} | {"id": Field("id", "Bytes")}, id_field="id"
)
A, B = {"FIELD": {"path": "a", "undeterminedIf": {"isEmpty": "m"}}}, {"FIELD": {"path": "b"}}
COMPARISONS = [
    {"IS_EMPTY": {"arg": B}},
    {"NOT_EMPTY": {"arg": A}},
    {"BETWEEN": {"arg": A, "rangeFrom": B, "rangeTo": A}},
    *({name: {"left": A, "right": B}} for name in ("IS_EQUAL", "NOT_EQUAL", "GREATER_THAN", "LESS_THAN", "LESS_THAN_EQUAL")),
]


def test_numbers_that_are_none(engine, tmp_path):
    """NaN is not null, equals nothing but is no error; engines have ideas of their own."""
    values = [None, math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5, 5e-324, 1e308]
    rows = [{"id": f"{a} {b}", "a": a, "b": b} for a in values for b in values]
    scope = Scope(NUMBERS, lambda _: NUMBERS, BUILT_IN, checks_required=False)
    programs = {}
    for data in COMPARISONS:
        check = read_expression(FileReader("x", []), node(data), scope)
        condition = Condition(Status.INCOMPLIANT, "m", None, check, Position("x"))
        programs[check.text()] = compile_body(Body(NUMBERS, (condition,), Status.COMPLIANT, "m", None, {}))
    files = {"numbers": [write_table(tmp_path / "numbers.parquet", NUMBERS, rows)]}
    found = codes_of(engine, files, programs, lambda _: NUMBERS, NOW)
    assert not differences(found, programs, {row["id"]: row for row in rows})
