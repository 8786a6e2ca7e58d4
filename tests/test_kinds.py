"""Every kind of value in every form: Python, YAML, test data, lines and columns of snapshots, and the engines' columns."""

import json
import math
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reeve.collect.expressions import ExpressionError, typed
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.policy_tests import object_row
from reeve.inventory.directory import writing
from reeve.inventory.manifest import Part
from reeve.inventory.records import Reader, Record
from reeve.inventory.snapshot import write_snapshot
from reeve.inventory.tables import connection
from reeve.language.errors import InvalidRepositoryError
from reeve.language.evaluation import Moment
from reeve.language.kinds import COLUMN_TYPES, FORMS, from_column, to_column
from reeve.language.operations.testing import RETURN_TYPES
from reeve.language.types import EVERY, NAMED, Kind
from reeve.repository.object_types import read_type
from reeve.repository.repository import Repository
from tables import ACCOUNT, codes_of
from test_engines import EACH_ENGINE, ENGINES, with_java

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
TYPE = "t.Kinds"

texts = st.one_of(st.sampled_from(["", " ", "a", " A ", "É"]), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
# Lines of JSON hold no NaN and no infinity; an API's answer that has them is refused (`test_what_no_field_holds`).
numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
VALUES = {
    Kind.TEXT: texts,
    Kind.BYTES: texts,
    Kind.NUMBER: numbers,
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE_TIME: st.datetimes(timezones=st.just(UTC)),
    Kind.DURATION: st.timedeltas(timedelta(0), timedelta(microseconds=2**63 - 1)),
    Kind.ITEMS: st.lists(texts, max_size=3),
    Kind.JSON: st.recursive(leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2)),
    Kind.ATTRIBUTES: st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
}
"""Values of each kind, as Python has them."""

CONSTANTS = {
    "Text": ("{TEXT: a}", "a"),
    "Bytes": ("{BYTES: ' A '}", " A "),
    "Number": ("{NUMBER: 1}", 1),
    "Boolean": ("{BOOLEAN: true}", True),
    "DateTime": ("{DATE_TIME: '2026-01-31T12:00:00.5+01:00'}", datetime(2026, 1, 31, 11, microsecond=500_000, tzinfo=UTC)),
    "Json": ('{JSON: {"a": [1, null, "É"], "b": null}}', {"a": [1, None, "É"]}),
    "Set of Text": ("{SET: {itemType: TEXT, items: [b, ' A ']}}", ["a", "B", ""]),
    "Set of Bytes": ("{SET: {itemType: BYTES, items: [b, a]}}", ["a", "b"]),
    "List of Text": ("{LIST: {itemType: TEXT, items: [b, '', ' A ']}}", ["B", "", "a"]),
    "List of Bytes": ("{LIST: {itemType: BYTES, items: [b, '']}}", ["b", ""]),
}
"""By the names of fields' types: a constant in YAML, and a value that equals it."""

COMPUTED = {
    "duration": "IS_EQUAL: {left: {DURATION_FROM: {arg: {FIELD: {path: Text0}}, format: ISO_8601, undeterminedIf: "
    "{isEmpty: None., invalidFormat: No length.}}}, right: {DURATION: PT24H}}",
    "durations": "LESS_THAN: {left: {DURATION_SINCE: {arg: {FIELD: {path: DateTime0}}}}, right: {DURATION: P1D}}",
    "attributes": "IS_EQUAL: {left: {ATTRIBUTES_FROM: {arg: {FIELD: {path: Text0}}}}, "
    "right: {ATTRIBUTES_FROM: {arg: {FIELD: {path: Text1}}}}}",
    **{f"null {name}": f"IS_EMPTY: {{arg: {{UNIT_TEST_NULL: {{returnType: {name}}}}}}}" for name in RETURN_TYPES},
    **{
        f"failing {name}": f"IS_EMPTY: {{arg: {{UNIT_TEST_RUNTIME_ERROR: {{returnType: {name}, message: no}}}}}}"
        for name in RETURN_TYPES
    },
}
"""Checks over values that no field holds, or that are not the objects'."""

EXAMPLES = {"duckdb": 20, "datafusion": 3, "spark": 2}
LENGTHS = ["P1D", "PT24H", "P1W", "a: b", " A :b", "A: b\nc: d"]


def columns(name):
    return [f"{name.replace(' ', '')}{number}" for number in range(2)]


def checks():
    for name, (constant, _) in CONSTANTS.items():
        one, other = (f"{{FIELD: {{path: {column}}}}}" for column in columns(name))
        yield f"{name} empty", f"IS_EMPTY: {{arg: {one}}}"
        yield f"{name} equal", f"IS_EQUAL: {{left: {one}, right: {other}}}"
        yield f"{name} constant", f"IS_EQUAL: {{left: {one}, right: {constant}}}"
    yield from COMPUTED.items()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("kinds")
    fields = "".join(f"  {column}: {{type: {name}}}\n" for name in NAMED for column in columns(name))
    (root / "types" / TYPE).mkdir(parents=True)
    (root / "types" / TYPE / "type.yaml").write_text(f"name: Kinds\nidField: Id\nfields:\n  Id: {{type: Bytes}}\n{fields}")
    for number, (_, check) in enumerate(checks()):
        place = root / f"ce/p{number:03}"
        place.mkdir(parents=True)
        (place / "policy.yaml").write_text("names: {full: P, contextual: P}\ndescription: P.\n")
        (place / "prod.logic.yaml").write_text(
            f"inputType: {TYPE}\nconditions:\n  - status: INCOMPLIANT\n    currentStateMessage: So.\n    check: {{{check}}}\n"
            "otherwise: {status: COMPLIANT, currentStateMessage: Not so.}\n"
        )
    return Repository.open(root)


@pytest.fixture(scope="module")
def programs(repository):
    names = [name for name, _ in checks()]
    paths = sorted(repository.logic_paths())
    return {name: compile_body(repository.read_logic(path)[0].body) for name, path in zip(names, paths, strict=True)}


@st.composite
def objects(draw):
    """Draw an object with two fields of each type; now and then alike, null, or like the type's constant."""
    found = {}
    for name, named in NAMED.items():
        own = VALUES[named.kind] | st.just(CONSTANTS[name][1]) | st.none()
        own = own | st.sampled_from(LENGTHS) if name == "Text" else own
        one = draw(own)
        found |= dict(zip(columns(name), (one, draw(own | st.just(one))), strict=True))
    return found


rows = st.lists(objects(), min_size=10, max_size=10).map(lambda some: [{"Id": f"o{n}", **one} for n, one in enumerate(some)])


def written(directory, object_type, some):
    """Write objects as a snapshot; return its manifest."""
    part = Part("t", ACCOUNT, None, "t", NOW, NOW, {}, (), ())
    records = [Record(one, ACCOUNT, "global", None, NOW, "t:List", {}) for one in some]
    with writing(directory):
        return write_snapshot(directory, [(part, [(object_type, records)])])


def as_test_data(row):
    """Return an object as a file of test data holds it and is read again."""
    text = json.dumps(row, default=lambda value: value.isoformat())
    return object_row(json.loads(text))


def test_every_kind_has_a_form_and_is_tested():
    assert set(FORMS) == set(Kind)
    assert set(VALUES) == set(EVERY)
    assert set(CONSTANTS) == set(NAMED)
    assert {kind for kind, form in FORMS.items() if form.stored} == {named.kind for named in NAMED.values()}
    assert {form.column for form in FORMS.values()} - {None} == set(COLUMN_TYPES)


@pytest.mark.parametrize("kind", [kind for kind, form in FORMS.items() if form.stored])
def test_what_is_written_is_read(kind):
    form = FORMS[kind]
    with duckdb.connect() as connection:
        for of, read in form.duckdb.items():
            [(found,)] = connection.execute(f"SELECT typeof({read.format('x')}) FROM (SELECT NULL::{of} AS x)").fetchall()
            assert found == form.column.duckdb
    assert form.stored in form.duckdb


@with_java
def test_what_is_written_is_read_by_spark(tmp_path):
    with ENGINES["spark"](tmp_path / "spill"):
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        for form in (form for form in FORMS.values() if form.stored):
            with duckdb.connect() as connection:
                connection.execute(f"COPY (SELECT NULL::{form.stored} AS x) TO '{tmp_path}/x.parquet' (FORMAT parquet)")
            assert session.read.parquet(f"{tmp_path}/x.parquet").schema["x"].dataType.simpleString() in form.spark
            for of, read in form.spark.items():
                [[found]] = session.sql(f"SELECT typeof({read.format('x')}) FROM (SELECT CAST(NULL AS {of}) AS x)").collect()
                assert found == form.column.spark


@pytest.mark.parametrize("kind", [kind for kind, form in FORMS.items() if form.column])
def test_columns_hold_what_they_are_given(kind):
    @given(VALUES[kind])
    def same(value):
        held = to_column(kind, value)
        with_ints_as_doubles = float(value) if kind is Kind.NUMBER else value
        assert from_column(kind, held) == with_ints_as_doubles
        assert from_column(kind, to_column(kind, None)) is None
        assert isinstance(value, FORMS[kind].python) or value is None

    same()


@pytest.mark.parametrize("engine", EACH_ENGINE)
def test_snapshots_and_test_data_are_judged_alike(engine, repository, programs, tmp_path):
    """Written by `write_snapshot`, read by `Reader` and by an engine, and as test data: one value, one verdict."""
    object_type, moment, seen = repository.object_type(TYPE), Moment.at(NOW), set()

    @settings(max_examples=EXAMPLES[engine], phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(rows)
    def same(some):
        directory = tmp_path / "snapshot"
        manifest = written(directory, object_type, some)
        with connection() as reading:
            records = list(Reader(directory, manifest, reading).records(object_type))
        assert [record.fields for record in records] == [_with_doubles(row) for row in some]
        files = {TYPE: [str(directory / manifest.tables[TYPE][0].file)]}
        found = codes_of(opened, files, programs, repository.object_type, moment)
        for record, row in zip(records, some, strict=True):
            data = as_test_data(row)
            for name, program in programs.items():
                code = program.judge(record.fields, moment).code
                assert found[name][row["Id"]] == code, (name, row)
                if _says_the_same_in_json(name, row):
                    assert program.judge(data, moment).code == code, (name, row)
                seen.add((name, code))

    with ENGINES[engine](tmp_path / "spill") as opened:
        same()
    if engine == "duckdb":  # both ways, for each kind; else nothing would have been compared
        assert {(name, code) for name in CONSTANTS for code in (199, 200)} <= {
            (name.rsplit(" ", 1)[0], code) for name, code in seen if name.endswith(("equal", "constant"))
        }
        assert {("duration", 199), ("attributes", 199), ("attributes", 200), ("durations", 199)} <= seen


def _with_doubles(row):
    """Return an object with its Numbers as the IEEE doubles that they are (section 3)."""
    return row | {column: float(row[column]) for column in columns("Number") if row[column] is not None}


def _says_the_same_in_json(name, row):
    """Return whether a text of JSON says of an object all that counts: of instants, milliseconds (section 3)."""
    instants = [row[column] for column in columns("DateTime")]
    return not name.startswith(("DateTime", "durations")) or all(one is None or one.microsecond % 1000 == 0 for one in instants)


@pytest.mark.parametrize("name", NAMED)
def test_what_an_api_answers_is_what_a_field_holds(name):
    """A value as plain JSON is collected as the value."""
    named = NAMED[name]

    @given(VALUES[named.kind].filter(lambda value: named.kind is not Kind.NUMBER or abs(value) < 2**63))
    def same(value):
        if named.kind is Kind.DATE_TIME:
            value = value.replace(microsecond=value.microsecond // 1000 * 1000)
            assert typed(named, value.isoformat()) == value
        elif named.kind is Kind.JSON:
            assert typed(named, json.dumps(value)) == value
        else:
            assert typed(named, value) == value
        assert typed(named, None) is None

    same()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Text", []),
        ("Bytes", True),
        ("Number", math.inf),
        ("Number", math.nan),
        ("Number", True),
        ("Number", "1"),
        ("Boolean", "yes"),
        ("DateTime", "yesterday"),
        ("DateTime", 5),
        ("Json", "{"),
        ("Json", {1j: 1}),
        ("Set of Text", "a"),
        ("List of Bytes", {}),
    ],
)
def test_what_no_field_holds(name, value):
    with pytest.raises(ExpressionError, match="was wanted") as raised:
        typed(NAMED[name], value)
    assert name in str(raised.value)


@pytest.mark.parametrize("name", ["Duration", "Attributes", "Items", "Any", "Set of Number", "List of Json", "json"])
def test_kinds_that_no_field_has_are_load_errors(name):
    text = f"name: T\nidField: id\nfields:\n  id: {{type: Bytes}}\n  x: {{type: {name}}}\n"
    with pytest.raises(InvalidRepositoryError) as raised:
        read_type("types/t.T/type.yaml", text.encode())
    [problem] = raised.value.problems
    assert problem.rule == "unknown-value"
    print(problem)
