"""The author's commands: test, validate, explain, schema."""

import json
import os
import shutil
import signal
import time

import pytest

from conftest import CATALOG, ROOT

OPERATIONS = ROOT / "tests" / "conformance" / "operations"
ERRORS = ROOT / "tests" / "conformance" / "errors"
FIRST = "/ce/ca/aws/iam/user-has-more-than-one-active-access-key"


@pytest.fixture
def copy(tmp_path):
    """A repository with the first policy only."""
    repo = tmp_path / "repo"
    for part in ("frameworks", "internal", "types", FIRST.lstrip("/")):
        shutil.copytree(CATALOG / part, repo / part)
    return repo


def edit(repo, old, new, file="test-data.json"):
    path = repo / FIRST.lstrip("/") / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_all_pass(reeve):
    run = reeve("test", FIRST)
    assert (run.code, run.out) == (0, "20 passed, 0 failed\n")
    assert reeve("test", "--coverage", FIRST).out == "20 passed, 0 failed\n"


def test_json(reeve):
    run = reeve("test", "--repo", OPERATIONS, "--format", "json")
    report = json.loads(run.out)
    assert run.code == 0
    assert report["failed"] == 0
    assert report["passed"] == len(report["cases"]) >= 400
    case = report["cases"][0]
    assert set(case) == {"policy", "object", "passed", "expected", "actual"}
    assert set(case["actual"]) == {"status", "conditionIndex", "conditionText", "runtimeError"}
    assert isinstance(case["actual"]["conditionIndex"], int)


def test_a_failure_shows_the_difference_and_the_way_there(reeve, copy):
    edit(copy, '"status": "INCOMPLIANT", "conditionIndex": 199', '"status": "COMPLIANT", "conditionIndex": "200"')
    run = reeve("test", "--repo", copy)
    assert run.code == 1
    assert run.out.endswith("19 passed, 1 failed\n")
    for line in (
        f"FAILED {FIRST}/prod.logic.yaml · both keys active ({FIRST}/test-data.json, object 5)",
        "    expected  COMPLIANT",
        "    actual    INCOMPLIANT",
        "    → condition 1, INCOMPLIANT: The user has two active access keys.",
        "          extract('accessKey1Active') = true",
    ):
        assert line in run.out.splitlines()
    assert json.loads(reeve("test", "--repo", copy, "--format", "json").out)["failed"] == 1


def test_an_index_may_be_a_text_and_a_runtime_error_any_text(reeve, copy):
    edit(copy, '"conditionIndex": 199', '"conditionIndex": "199"')
    assert reeve("test", "--repo", copy).code == 0
    edit(copy, '"runtimeError": null', '"runtimeError": "some"')
    assert reeve("test", "--repo", copy).code == 1


def test_update_rewrites_only_what_is_expected(reeve, copy):
    path = copy / FIRST.lstrip("/") / "test-data.json"
    before = path.read_text()
    edit(copy, '"status": "INCOMPLIANT", "conditionIndex": 199', '"status": "COMPLIANT", "conditionIndex": 200')
    run = reeve("test", "--repo", copy, "--update")
    assert run.code == 0
    assert "1 expected results rewritten" in run.err
    assert "FAILED" in run.out
    assert path.read_text() == before
    assert reeve("test", "--repo", copy).code == 0


def test_coverage_names_the_codes_that_no_object_reaches(reeve, copy):
    data = copy / FIRST.lstrip("/") / "test-data.json"
    rows = [row for row in json.loads(data.read_text()) if row["expectedResult"]["conditionIndex"] != 102]
    data.write_text(json.dumps(rows))
    run = reeve("test", "--repo", copy, "--coverage")
    assert f"{FIRST}/prod.logic.yaml: code 102 is not reached: UNDETERMINED, accessKey2Active.isEmpty()" in run.out


def test_paths(reeve, monkeypatch, copy):
    assert "8 passed" in reeve("test", "--repo", OPERATIONS, "/ce/boolean/and").out
    assert "8 passed" in reeve("test", "--repo", OPERATIONS, OPERATIONS / "ce" / "boolean" / "and" / "prod.logic.yaml").out
    monkeypatch.chdir(OPERATIONS / "ce")
    assert "8 passed" in reeve("test", "--repo", OPERATIONS, "boolean/and").out
    assert reeve("test", "--repo", OPERATIONS, "nowhere").code == 2


def test_work_in_progress_is_run_only_when_named(reeve, copy):
    folder = copy / FIRST.lstrip("/")
    shutil.copy(folder / "prod.logic.yaml", folder / "wip.logic.yaml")
    assert "20 passed" in reeve("test", "--repo", copy).out
    assert "20 passed" in reeve("test", "--repo", copy, f"{FIRST}/wip.logic.yaml").out
    shutil.copy(folder / "prod.logic.yaml", folder / "strict.logic.yaml")
    assert "40 passed" in reeve("test", "--repo", copy).out


def test_a_file_that_can_not_be_loaded_does_not_hide_the_others(reeve, copy):
    (copy / "ce" / "broken").mkdir()
    (copy / "ce" / "broken" / "prod.logic.yaml").write_text("inputType: x\n")
    run = reeve("test", "--repo", copy, "--format", "json")
    assert run.code == 2
    assert json.loads(run.out)["passed"] == 20
    assert "/ce/broken/prod.logic.yaml:1:1:" in run.err


def test_watch_runs_again_when_a_file_changes(reeve_process, copy):
    process = reeve_process("test", "--repo", copy, "--watch", env=dict(os.environ, PYTHONUNBUFFERED="1"))
    try:
        assert process.stdout.readline() == "20 passed, 0 failed\n"
        time.sleep(0.3)
        edit(copy, '"conditionIndex": 199', '"conditionIndex": 200')
        lines = []
        while not lines or "passed" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        assert lines[-1] == "19 passed, 1 failed\n"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 130


def test_the_catalogue_has_no_problem(reeve):
    run = reeve("validate", "--strict")
    assert (run.code, run.out) == (0, "0 errors, 0 warnings\n")


def test_validate_shows_line_and_caret(reeve):
    run = reeve("validate", "--repo", ERRORS / "unknown-operation")
    assert run.code == 2
    lines = run.out.splitlines()
    assert lines[0].endswith("/ce/p/prod.logic.yaml:5:13: unknown operation 'IS_EQAL'; did you mean IS_EQUAL?")
    assert lines[1][lines[2].index("^") :].startswith("IS_EQAL")
    assert lines[-1] == "1 error, 0 warnings"


def test_validate_only_below_a_path(reeve, copy):
    (copy / "ce" / "broken").mkdir()
    (copy / "ce" / "broken" / "prod.logic.yaml").write_text("inputType: x\n")
    assert reeve("validate", "--repo", copy, FIRST).code == 0
    assert reeve("validate", "--repo", copy, "/ce/broken").code == 2


def test_validate_for_machines(reeve):
    repo = ERRORS / "policy-with-unknown-values"
    found = json.loads(reeve("validate", "--repo", repo, "--format", "json").out)
    assert (found["errors"], found["warnings"]) == (3, 0)
    assert found["problems"][0]["rule"] == "unknown-value"
    sarif = json.loads(reeve("validate", "--repo", repo, "--format", "sarif").out)
    result = sarif["runs"][0]["results"][0]
    assert sarif["version"] == "2.1.0"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 7}
    github = reeve("validate", "--repo", repo, "--format", "github").out.splitlines()
    assert github[0].startswith("::error file=")
    assert ",line=2,col=7,title=unknown-value::" in github[0]


def test_explain_from_a_file(reeve):
    data = CATALOG / FIRST.lstrip("/") / "test-data.json"
    run = reeve("explain", "user-has-*", f"{data}#first key active, second unknown")
    assert run.code == 0
    assert run.out.splitlines() == [
        f"{FIRST} on first key active, second unknown",
        "→ condition 1, INCOMPLIANT: The user has two active access keys.",
        "    extract('accessKey1Active') && extract('accessKey2Active') = undetermined",
        "      extract('accessKey1Active') = true",
        "        accessKey1Active = true",
        "      extract('accessKey2Active') = undetermined",
        "        accessKey2Active = undetermined",
        "UNDETERMINED, code 102, decided by accessKey2Active.isEmpty(): It is not known whether the second access key is active.",
        "evidence:",
        "  accessKey1Active: true",
        "  accessKey2Active: null",
        "calls: iam:ListAccessKeys",
    ]
    wrong = reeve("explain", "user-has-*", f"{data}#no key")
    assert wrong.code == 2
    assert "did you mean no keys?" in wrong.err


def test_explain_tells_the_children_too(reeve):
    name = "/ce/ca/aws/account/config-in-all-regions"
    run = reeve("explain", name, f"{CATALOG / name.lstrip('/') / 'test-data.json'}#one bad")
    assert run.out.splitlines() == [
        f"{name} on one bad",
        "→ condition 1, INCOMPLIANT: In some region AWS Config does not record all resources.",
        "    regions.has(INCOMPLIANT) = true",
        "  related list regions: 1 INCOMPLIANT, 1 COMPLIANT",
        "    eu-north-1, INCOMPLIANT, code 300: No recorder records all resources here.",
        "      condition 1, COMPLIANT: A recorder records all resources here.",
        "        configurationRecorders.has(COMPLIANT) = false",
        "      condition 2, UNDETERMINED: Of the recorder here it is not known.",
        "        configurationRecorders.has(UNDETERMINED) = false",
        "    → otherwise, INCOMPLIANT: No recorder records all resources here.",
        "      related list configurationRecorders: none",
        "    and 1 more",
        "INCOMPLIANT, code 199, decided by regions.has(INCOMPLIANT): In some region AWS Config does not record all resources.",
        "evidence:",
        "  regions eu-north-1: No recorder records all resources here, INCOMPLIANT",
        "    configurationRecorders: none",
        "calls: config:DescribeConfigurationRecorders",
    ]


def test_explain_from_a_snapshot_says_what_was_missing(account, reeve, tmp_path):
    from account import Failure

    account.add("hidden", True, True)
    account.failures["ListAccessKeys"] = Failure("AccessDenied", 403, 10**9)
    assert reeve("scan", "--policy", FIRST, "--out", tmp_path).code == 3
    run = reeve("explain", FIRST, "hidden", "--snapshot", tmp_path)
    assert run.code == 0
    assert "accessKey1Active was not collected: iam:ListAccessKeys failed with AccessDenied" in run.out
    assert reeve("explain", FIRST, "hiden", "--snapshot", tmp_path).err.endswith("did you mean hidden?\n")


def test_schema_writes_every_kind(reeve, tmp_path):
    run = reeve("schema", "--out", tmp_path, "--vscode")
    assert run.code == 0
    assert len(list(tmp_path.glob("*.schema.json"))) == 10
    assert any("logic.yaml" in pattern for pattern in json.loads(run.out)["yaml.schemas"].values())
    assert json.loads(reeve("schema", "policy").out)["required"] == ["names", "description"]
