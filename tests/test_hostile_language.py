"""Hostile logic, extracts and test data: each is one clear error with its place, or is judged; never an internal error."""

import ast
import json
import os
import random
import shutil

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import CATALOG, ROOT
from reeve.collect.aws.declarations import Models, collect_check
from reeve.collect.aws.remedies import remedy_check
from reeve.evaluate.policy_tests import read_objects, run_tests
from reeve.language import codes, values
from reeve.language.errors import InvalidRepositoryError
from reeve.language.queries import MAX_GROWTH, QueryError, compile_query
from reeve.repository.repository import Repository
from reeve.repository.validation import Validation

MODELS = Models()

HEAD = "inputType: x\ntestData: [{file: test-data.json}]\nconditions:\n"
CONDITION = "  - status: INCOMPLIANT\n    currentStateMessage: Bad.\n    check: "
TAIL = "\notherwise: {status: COMPLIANT, currentStateMessage: Fine.}\n"
OTHERWISE = {"status": "COMPLIANT", "conditionIndex": 200, "conditionText": "otherwise"}
FIELD = "{IS_EMPTY: {arg: {FIELD: {path: a}}}}"


def written(root, check, value="1", conditions=1):
    policy = root / "ce" / "p"
    policy.mkdir(parents=True, exist_ok=True)
    (policy / "prod.logic.yaml").write_text(HEAD + (CONDITION + check + "\n") * conditions + TAIL)
    row = f'[{{"Id": "1", "a": {value}, "expectedResult": {json.dumps(OTHERWISE)}}}]'
    (policy / "test-data.json").write_text(row)
    return Repository.open(root)


def outcome(root, check, value="1"):
    """Return what an object's test gives: code and runtime error; or the errors."""
    repository = written(root, check, value)
    try:
        (case,) = run_tests(repository, "/ce/p/prod.logic.yaml").cases
    except InvalidRepositoryError as error:
        return "\n".join(map(str, error.problems)) or "no problem"
    return f"{case.actual['conditionIndex']} {case.actual['runtimeError']}"


def query(expression):
    checks = "{resultTypeMismatch: m, evaluationError: e}"
    document = "{JSON_FROM: {arg: {FIELD: {path: a}}, undeterminedIf: {isInvalid: i}}}"
    arguments = f"arg: {document}, expression: {json.dumps(expression)}, undeterminedIf: {checks}"
    return f"{{IS_EMPTY: {{arg: {{JSON_QUERY_TEXT: {{{arguments}}}}}}}}}"


NINES = "9" * 5_000
LOGIC = {
    "parentheses in a query": (query("(" * 3_000 + "a" + ")" * 3_000), "invalid JMESPath: nested too deeply"),
    "negations in a query": (query("!" * 5_000 + "a"), "invalid JMESPath: nested too deeply"),
    "an endless index": (query(f"a[{NINES}]"), "invalid JMESPath: a number of thousands of digits"),
    "a deep literal": (query("`" + "[" * 4_000 + "]" * 4_000 + "`"), "invalid JMESPath: nested too deeply"),
    "half a pair in a query": (query('`"\\ud800"`'), "half a surrogate pair"),
    "half a pair in YAML": ('{IS_EMPTY: {arg: {TEXT: "\\ud800"}}}', "not YAML"),
    "negations in a text": (f'"{"not(" * 3_000}a{")" * 3_000}"', "nested deeper than"),
    "an endless number": (f"{{IS_EMPTY: {{arg: {{NUMBER: {NINES}}}}}}}", "a number of 5,000 characters"),
    "a number without end": ("{IS_EMPTY: {arg: {NUMBER: 1e999}}}", "larger than any number"),
    "endless JSON": (f"{{IS_EMPTY: {{arg: {{JSON: {{a: {NINES}}}}}}}}}", "a number of 5,000 characters"),
    "endless days": (f'"a.withinLastDays({NINES})"', "must be a whole number"),
    "deep JSON in a text": (f'"a.asJson() == {"[" * 3_000}{"]" * 3_000}"', "nested deeper than"),
    "an endless duration": (f"{{IS_EMPTY: {{arg: {{DURATION: P{NINES}D}}}}}}", "is no ISO 8601 duration"),
    "no check": ("~", "a condition's check is an operation, not nothing"),
}
DATA = {
    "an endless number": (NINES, "/ce/p/test-data.json:1:19: not JSON: a number of 5,000 digits"),
    "a deep list": ("[" * 900 + "]" * 900, "nested deeper than 200 levels"),
    "a very deep list": ("[" * 100_000, "nested deeper than 200 levels"),
    "half a pair": ('"\\ud800"', "/ce/p/test-data.json:1:20: not JSON: half a surrogate pair is no character"),
    "half a pair as a key": ('{"\\udfff": 1}', "half a surrogate pair is no character"),
    "not a number": ("NaN", "/ce/p/test-data.json:1:19: not JSON: NaN is not JSON"),
    "reasons that are a list": ('1, "_notCollected": ["a"]', "_notCollected must be a mapping"),
    "reasons that are numbers": ('1, "_notCollected": {"a": 5}', "_notCollected must be a mapping"),
    "reasons inside": ('{"b": [{"_notCollected": 7}]}', "_notCollected must be a mapping"),
    "a snapshot before the calendar": ('1, "context": {"snapshotTime": "0001-01-01T00:00+10:00"}', "is no ISO 8601 date-time"),
}


@pytest.mark.parametrize("name", LOGIC)
def test_logic(tmp_path, name):
    check, message = LOGIC[name]
    found = outcome(tmp_path, check)
    assert message in found
    assert found.startswith("/ce/p/prod.logic.yaml:")


@pytest.mark.parametrize("name", DATA)
def test_data(tmp_path, name):
    value, message = DATA[name]
    assert message in outcome(tmp_path, FIELD, value)


def text(value):
    return json.dumps(json.dumps(value))


DURATION = "{IS_EMPTY: {arg: {DURATION_FROM: {arg: {FIELD: {path: a}}, format: %s, undeterminedIf: {invalidFormat: x}}}}}"
EVALUATED = {
    "join": (query("join(a, b)"), text({"a": "x" * 3_000, "b": ["y"] * 3_000}), "103 the query failed: join() would make"),
    "a step of 0": (query("a[::0]"), text({"a": [1]}), "103 the query failed"),
    "an endless sum": (query("to_string(sum(a))"), text({"a": [10**4_299] * 20}), "103 the query failed"),
    "an endless mean": (query("to_string(avg(a))"), text({"a": [10**4_299] * 20}), "103 the query failed"),
    "deep JSON": (query("a"), json.dumps("[" * 5_000), "101 invalid JSON: nested deeper"),
    "an endless duration": (DURATION % "ISO_8601", f'"P{NINES}D"', "101"),
    "an endless duration of Google's": (DURATION % "GCP", f'"{NINES}d"', "101"),
    "an instant after the calendar": ("{IS_BEFORE_TODAY: {arg: {FIELD: {path: a}}}}", '"9999-12-31T23:59-23:59"', "198"),
    "tags": ("{TAG_EXISTS: {name: {TEXT: x}, tagsJson: a}}", json.dumps("[" * 5_000), "198 a: invalid JSON"),
}


@pytest.mark.parametrize("name", EVALUATED)
def test_what_an_object_brings(tmp_path, name):
    check, value, expected = EVALUATED[name]
    assert outcome(tmp_path, check, value).startswith(expected)


# Codes ---------------------------------------------------------------------------------------------------------------

CHECKED = "{NOT_EMPTY: {arg: {FIELD: {path: a, undeterminedIf: {isEmpty: m}}}}}"


def declaring(checks):
    return "{{AND: {{args: [{}]}}}}".format(", ".join([CHECKED] * checks))


def test_checks_have_codes_of_their_own(tmp_path):
    assert outcome(tmp_path, declaring(codes.MOST_CHECKS), "null").startswith("101")
    found = outcome(tmp_path, declaring(codes.MOST_CHECKS + 1))
    assert "98 undetermined checks, extracts counted at every occurrence; a condition can declare 97" in found


def test_checks_of_extracts_count_at_every_occurrence(tmp_path):
    (tmp_path / "types" / "x").mkdir(parents=True)
    extracts = f"extracts: [{{name: e, value: {declaring(33)}}}]\n"
    (tmp_path / "types" / "x" / "o.extracts.yaml").write_text(extracts)
    check = "{{OR: {{args: [{}]}}}}".format(", ".join(["{EXTRACT: e}"] * 3))
    repository = written(tmp_path, check)
    path = tmp_path / "ce" / "p" / "prod.logic.yaml"
    path.write_text("importExtracts: [{file: /types/x/o.extracts.yaml}]\n" + path.read_text())
    with pytest.raises(InvalidRepositoryError, match="99 undetermined checks"):
        repository.read_logic("/ce/p/prod.logic.yaml")


@pytest.mark.parametrize(("conditions", "loads"), [(codes.MOST_CONDITIONS, True), (codes.MOST_CONDITIONS + 1, False)])
def test_conditions_are_bounded(tmp_path, conditions, loads):
    repository = written(tmp_path, FIELD, conditions=conditions)
    if loads:
        (case,) = run_tests(repository, "/ce/p/prod.logic.yaml").cases
        assert case.actual["conditionIndex"] == 100_100 < 2**31
    else:
        with pytest.raises(InvalidRepositoryError, match="1,001 conditions; a list can have 1,000"):
            repository.read_logic("/ce/p/prod.logic.yaml")


def test_no_other_module_computes_codes():
    for path in (ROOT / "src" / "reeve").rglob("*.py"):
        if path.name in ("codes.py", "html.py", "build.py"):  # of which the others count in percent and in hundreds
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            sides = [node.left, node.right] if isinstance(node, ast.BinOp) else []
            numbers = {side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, int)}
            assert not numbers & {98, 99, 100}, (path, node.lineno)


# Queries that grow ---------------------------------------------------------------------------------------------------

GROWING = [
    "[@, @]|" * 40 + "@",
    "{a: @, b: @}|" * 40 + "@",
    "[*].[@, @]|" * 40 + "@",
    "map(&[@, @], @)|" * 40 + "@",
    "to_string(" * 30 + "@" + ")" * 30,
    "[*].[*].[*].[*].[*].[*].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @]",
    "join(join(a, b), [join(a, b)])",
    "merge({a: [@, @]}, {b: [@, @]})|" * 20 + "@",
    "reverse([@, @])|" * 20 + "@",
    "[?[@, @]|[@, @]|[@, @]|[@, @]|[@, @]|[@, @]|[@, @]|[@, @]|[@, @]|[@, @]|[@, @]|[@, @]]",
]
FINE = ["[*].[@, @]", "@ | [@, @] | [@, @]", "map(&[@, @], @)", "join(', ', a)", "to_string(to_string(@))", "[*].{a: @, b: @}"]


@pytest.mark.parametrize("expression", GROWING)
@pytest.mark.parametrize("more", [False, True])
def test_queries_that_grow_without_end_are_refused(expression, more):
    with pytest.raises(ValueError, match=r"times its input|nested deeper"):
        compile_query(expression, more)


@pytest.mark.parametrize("expression", FINE)
def test_queries_that_grow_a_little_are_not(expression):
    compile_query(expression)


def size(value):
    match value:
        case str():
            return 1 + len(value)
        case list():
            return 1 + sum(map(size, value))
        case dict():
            return 1 + sum(len(key) + size(item) for key, item in value.items())
        case int():
            return len(str(value))
        case _:
            return 1


names = st.sampled_from(["a", "b", "@", "a.b", "a[0]", "[*]", "a[]", "*", "'x'", "`[1]`", "a[*].b", "[?a]"])
queries = st.recursive(
    names,
    lambda inside: st.one_of(
        st.lists(inside, min_size=1, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.builds("{{a: {}, b: {}}}".format, inside, inside),
        st.builds("{} | {}".format, inside, inside),
        st.builds("({})[*].{}".format, inside, st.sampled_from(["[@, @]", "a", "{a: @, b: @}"])),
        st.builds("map(&{}, to_array({}))".format, inside, inside),
        st.builds("({})[?{}]".format, inside, inside),
        st.builds("{}({})".format, st.sampled_from(["to_string", "to_array", "not_null", "keys", "values", "reverse"]), inside),
        st.builds("join({}, {})".format, inside, inside),
    ),
    max_leaves=12,
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab"\U0001f600', max_size=6),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from("ab"), inside, max_size=2),
    max_leaves=8,
)


@given(queries, documents)
@example("join(a, b)", {"a": "x" * 600, "b": [""] * 600})
@example("to_string(@)", "\U0001f600" * 50)
def test_no_query_makes_more_than_it_may(expression, document):
    try:
        found = compile_query(expression).search(document)
    except (ValueError, *QueryError):
        return
    assert size(found) <= MAX_GROWTH * size(document)


# Mutations of what is shipped ----------------------------------------------------------------------------------------

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
FILES = [
    path
    for path in sorted((CATALOG / "ce").rglob("*"))
    if path.name.endswith((".logic.yaml", "test-data.json")) and path.stat().st_size < 20_000
] + sorted((CATALOG / "types").rglob("*.extracts.yaml"))
BITS = [
    "",
    "[",
    "{",
    "}",
    ": ",
    "~",
    '"\\ud800"',
    "&a ",
    "*a",
    "'",
    "1e999",
    "- ",
    "\t",
    "\0",
    "NULL",
    "true",
    "\ufeff",
    "9" * 600,
]


def mutated(draw, content):
    """Return a file's bytes with a few places cut, doubled, moved or written over."""
    for _ in range(draw.randint(1, 3)):
        start = draw.randrange(len(content) + 1)
        end = min(len(content), start + draw.choice([0, 1, 3, 10, 60]))
        piece = content[start:end]
        other = draw.randrange(len(content) + 1)
        new = draw.choice(
            [draw.choice(BITS).encode("utf-8"), bytes([draw.randrange(256)]), piece * 3, content[other : other + 30]]
        )
        content = content[:start] + new + content[end:]
    return content


@settings(max_examples=5_000 if FUZZ else 60)
@given(st.integers(0, 2**32))
def test_mutated_files_are_errors_or_load(tmp_path_factory, seed):
    draw = random.Random(seed)
    source = draw.choice(FILES)
    root = tmp_path_factory.getbasetemp() / "mutated"
    folder = source.relative_to(CATALOG).parent
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(CATALOG / folder, root / folder)
    if not (root / "types").exists():
        (root / "types").symlink_to(CATALOG / "types")
    (root / source.relative_to(CATALOG)).write_bytes(mutated(draw, source.read_bytes()))
    repository = Repository.open(root)
    problems = Validation(
        repository, read_objects, collect_check(MODELS), remedy_check(MODELS), (f"/{folder.as_posix()}",)
    ).run()
    assert all(problem.message and problem.position.path for problem in problems)
    for path in repository.logic_paths() if (root / "ce").exists() else ():
        try:
            found = run_tests(repository, path).program.meanings
        except InvalidRepositoryError as error:
            found = error.problems
        assert found


def test_long_texts_are_normalised_and_not_kept():
    kept = values._normalised.cache_info().currsize
    for number in range(50):
        assert values.normalise(f" X  {'y' * 8_000}{number}") == f"x {'y' * 8_000}{number}"
    assert values._normalised.cache_info().currsize == kept


@pytest.mark.parametrize("operation", ["ADMITS_INTERNET", "AWS_TRAIL_RECORDS", "AWS_LOG_FILTER_MATCHES"])
@pytest.mark.parametrize(
    ("text", "says"),
    [("[" * 30_000, "nested deeper than"), ("[" + "9" * 6000 + "]", "a number of 6,000 digits"), ('["\\ud800"]', "surrogate")],
)
def test_lists_that_are_given_as_a_text_are_bounded_as_all_json_is(operation, text, says):
    from reeve.language.operations.built_in import BUILT_IN
    from reeve.language.operations.constants import JsonConstant, TextConstant

    arg = TextConstant("TEXT", "x") if operation == "AWS_LOG_FILTER_MATCHES" else JsonConstant("JSON", {})
    name = "ports" if operation == "ADMITS_INTERNET" else "events"
    with pytest.raises(ValueError, match=says):
        BUILT_IN.by_name[operation](operation=operation, arg=arg, **{name: text})
