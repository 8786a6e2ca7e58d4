"""Hostile and broken files: one clear error, exit code 2, at most a second, no traceback."""

import time

import pytest

HEAD = "inputType: x\nconditions:\n  - status: INCOMPLIANT\n    currentStateMessage: Bad.\n    check: "
TAIL = "\notherwise: {status: COMPLIANT, currentStateMessage: Fine.}\n"


def logic(check):
    return HEAD + check + TAIL


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


def chain(length):
    extracts = ["  - {name: e0, value: {BOOLEAN: true}}"]
    extracts += [f"  - {{name: e{n}, value: {{NOT: {{arg: {{EXTRACT: e{n - 1}}}}}}}}}" for n in range(1, length)]
    return "extracts:\n" + "\n".join(extracts) + "\n"


QUERY = "{IS_EMPTY: {arg: {JSON_QUERY_TEXT: {arg: {FIELD: {path: a}}, expression: '%s', undeterminedIf: {resultTypeMismatch: m, evaluationError: e}}}}}"

INPUTS = {
    "alias bomb": (bomb(), "more than 200,000 values"),
    "nested lists": ("[" * 100_000, "nested deeper than 200 levels"),
    "nested dashes": ("- " * 100_000, "nested deeper than 200 levels"),
    "10,000 nested NOTs": (logic("{NOT: {arg: " * 10_000 + "{BOOLEAN: true}" + "}}" * 10_000), "nested deeper than 200 levels"),
    "10,000 nested NOTs as text": (logic('"' + "not(" * 3_000 + "true" + ")" * 3_000 + '"'), "nested deeper than"),
    "a long text": (logic('"' + " && ".join(["a.isEmpty()"] * 5_000) + '"'), "at most 20,000 are read"),
    "an alias to itself": ("a: &a [*a]", "names no finished anchor"),
    "an alias to nothing": ("a: *b", "names no finished anchor"),
    "binary": (bytes(range(256)), "not YAML"),
    "null bytes": (b"inputType: x\x00y", "not YAML"),
    "latin 1": ("inputType: \xe9t\xe9".encode("latin-1"), "not YAML"),
    "tags": ("inputType: !!python/object/apply:os.system [id]", "must be a text, not a list"),
    "a mapping as key": ("{[a, b]: c}", "a key must be a plain text"),
    "merge keys": ("a: &a {b: 1}\n<<: *a\n" + logic("{BOOLEAN: true}"), "unknown key '<<'"),
    "a long JMESPath": (logic(QUERY % ("a." * 50_000 + "a")), "invalid JMESPath: "),
    "a deep JMESPath": (logic(QUERY % ("(" * 5_000 + "a" + ")" * 5_000)), "invalid JMESPath: "),
    "a huge regular expression": (
        logic("{REGEX_MATCHES: {arg: {FIELD: {path: a}}, regex: {TEXT: '" + "(a{1000}){1000}" + "'}}}"),
        "invalid regular expression",
    ),
    "an endless number": (
        logic("{IS_BEYOND_LAST_DAYS: {arg: {FIELD: {path: a}}, offsetDays: " + "9" * 5000 + "}}"),
        "a number of 5,000 characters; at most 1,000 are read",
    ),
}


@pytest.fixture
def repository(tmp_path):
    policy = tmp_path / "ce" / "p"
    policy.mkdir(parents=True)
    return tmp_path, policy / "prod.logic.yaml"


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("command", ["test", "validate"])
def test_bad_files(reeve, repository, name, command):
    content, message = INPUTS[name]
    root, path = repository
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    start = time.monotonic()
    run = reeve(command, "--repo", root)
    assert time.monotonic() - start < 5, "a second on an idle machine"
    assert run.code == 2
    assert message in (run.err if command == "test" else run.out)
    assert "internal error" not in run.err


def test_a_file_of_100_mb(reeve, repository):
    root, path = repository
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    run = reeve("test", "--repo", root)
    assert run.code == 2
    assert "at most 4,194,304 are read" in run.err


def test_a_long_chain_of_extracts(reeve, repository):
    root, path = repository
    (root / "types" / "x").mkdir(parents=True)
    (root / "types" / "x" / "o.extracts.yaml").write_text(chain(1000))
    path.write_text("importExtracts: [{file: /types/x/o.extracts.yaml}]\n" + logic("{EXTRACT: e999}"))
    run = reeve("validate", "--repo", root)
    assert run.code == 2
    assert "nested deeper than 150 levels, extracts included" in run.out


def test_a_link_that_leaves_the_repository(reeve, repository, tmp_path_factory):
    root, path = repository
    outside = tmp_path_factory.mktemp("outside") / "secret.json"
    outside.write_text("[]")
    (path.parent / "test-data.json").symlink_to(outside)
    path.write_text("testData: [{file: test-data.json}]\n" + logic("{BOOLEAN: true}"))
    run = reeve("validate", "--repo", root)
    assert run.code == 2
    assert "leaves the repository" in run.out


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 100_000, b'[{"expectedResult": 1}]', b"[1]", b'[{"a": NaN'])
def test_bad_test_data(reeve, repository, content):
    root, path = repository
    path.write_text("testData: [{file: test-data.json}]\n" + logic("{BOOLEAN: true}"))
    (path.parent / "test-data.json").write_bytes(content)
    run = reeve("test", "--repo", root)
    assert run.code == 2
    assert "/ce/p/test-data.json:1:" in run.err


def test_regular_expressions_that_explode_elsewhere(reeve, repository):
    root, path = repository
    path.write_text(
        "testData: [{file: test-data.json}]\n"
        + logic("{REGEX_MATCHES: {arg: {FIELD: {path: a}}, regex: {TEXT: '(a|a)*(a*)*b'}}}")
    )
    row = '[{"a": "%s", "expectedResult": {"status": "COMPLIANT", "conditionIndex": 200, "conditionText": "otherwise"}}]' % (
        "a" * 100_000
    )
    (path.parent / "test-data.json").write_text(row)
    start = time.monotonic()
    assert reeve("test", "--repo", root).code == 0
    assert time.monotonic() - start < 5
