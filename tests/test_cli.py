"""The command line: help, exit codes, the demonstration, the shipped catalogue."""

import json
import os
import subprocess
import sys

import pytest

from conftest import CATALOG
from reeve.cli import COMMANDS
from reeve.evaluate.interpreter import compile_body
from reeve.language.operations.base import Moment
from reeve.language.values import parse_date_time
from reeve.repository.repository import Repository


@pytest.mark.parametrize("command", [[], *[[name] for name in COMMANDS]])
def test_help_has_examples_and_fits(reeve, command):
    run = reeve(*command, "--help")
    assert run.code == 0
    assert "Examples:" in run.out
    assert all(len(line) <= 80 for line in run.out.splitlines())


def test_wrong_use(reeve):
    for arguments in (["nonsense"], ["scan", "--nonsense"], ["evaluate"], ["evaluate", "/nowhere"]):
        run = reeve(*arguments)
        assert run.code == 2, arguments
        assert run.out == ""
        assert run.err


def test_an_invalid_repository(reeve, tmp_path):
    assert reeve("scan", "--repo", tmp_path).code == 2
    policy = tmp_path / "ce" / "p"
    policy.mkdir(parents=True)
    (policy / "policy.yaml").write_text("names: {full: P}\ncolour: red\n")
    run = reeve("scan", "--repo", tmp_path)
    assert run.code == 2
    assert "/ce/p/policy.yaml:2:1: unknown key 'colour' in a policy" in run.err


def test_a_damaged_snapshot_is_not_judged(account, reeve, tmp_path):
    account.add("someone", True)
    assert reeve("collect", "--out", tmp_path).code == 0
    (table,) = tmp_path.glob("aws.iam.User-*.parquet")
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    run = reeve("evaluate", tmp_path)
    assert run.code == 2
    assert "its checksum is not the one in the manifest" in run.err
    table.unlink()
    assert "is missing" in reeve("evaluate", tmp_path).err
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for broken in ({**manifest, "schema": "reeve.snapshot/99"}, {"schema": 1}):
        (tmp_path / "manifest.json").write_text(json.dumps(broken))
        assert reeve("evaluate", tmp_path).code == 2
    hostile = {**manifest, "tables": {"aws.iam.User": {"file": "../../etc/passwd", "rows": 1, "sha256": ""}}}
    (tmp_path / "manifest.json").write_text(json.dumps(hostile))
    assert "which is none of a snapshot's" in reeve("evaluate", tmp_path).err


def test_an_internal_error_shows_no_traceback(account, monkeypatch, reeve):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "not a number")
    account.add("someone", True)
    run = reeve("scan")
    assert run.code in (0, 3, 70)
    assert "Traceback" not in run.err


def test_the_demonstration(tmp_path):
    environment = {**os.environ, "AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "reeve", "scan", "--demo", "--out", tmp_path, "--format", "terminal,json,html"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 3, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["policies"][0]["counts"] == {
        "INCOMPLIANT": 7,
        "UNDETERMINED": 2,
        "COMPLIANT": 51,
        "INAPPLICABLE": 0,
        "DISAPPEARED": 1,
    }
    assert "INCOMPLIANT" in done.stdout
    assert all(finding["advice"] for finding in report["findings"] if finding["status"] == "INCOMPLIANT")


def test_every_policy_of_the_catalogue_passes_its_test_data_and_reaches_every_code():
    repository = Repository.open(CATALOG)
    for policy_id in repository.policy_ids:
        logic = repository.logic(policy_id)
        program = compile_body(logic.body)
        reached = set()
        objects = [item for path in logic.test_data for item in json.loads(repository.files.read(path))]
        assert len(objects) >= 15
        for item in objects:
            outcome = program.judge(item, Moment.at(parse_date_time(item["context"]["snapshotTime"])))
            meaning, expected = program.meaning(outcome, item), item["expectedResult"]
            actual = {"status": meaning.status, "conditionIndex": meaning.code, "conditionText": meaning.text}
            assert {**actual, "runtimeError": outcome.runtime_error} == expected, item["Id"]
            reached.add(outcome.code)
        assert reached == {code for code in program.meanings if code % 100 != 98}
