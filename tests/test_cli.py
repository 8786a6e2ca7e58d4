"""The command line: help, exit codes, the demonstration, the shipped catalogue."""

import json
import os
import subprocess
import sys

import pytest

from conftest import FIRST
from reeve.cli import COMMANDS


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
    (policy / "policy.yaml").write_text("names: {full: P, contextual: P}\ncolour: red\ndescription: P.\n")
    run = reeve("scan", "--repo", tmp_path)
    assert run.code == 2
    assert "/ce/p/policy.yaml:2:1: unknown key 'colour' in a policy" in run.err


def test_a_damaged_snapshot_is_not_judged(account, reeve, tmp_path):
    account.add("someone", True)
    assert reeve("collect", *FIRST, "--out", tmp_path).code == 0
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
    (known,) = manifest["tables"]["aws.iam.User"]
    hostile = {**manifest, "tables": {"aws.iam.User": [{**known, "file": "../../etc/passwd"}]}}
    (tmp_path / "manifest.json").write_text(json.dumps(hostile))
    assert "which is none of a snapshot's" in reeve("evaluate", tmp_path).err


def test_an_internal_error_shows_no_traceback(account, monkeypatch, reeve):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "not a number")
    account.add("someone", True)
    run = reeve("scan", *FIRST)
    assert run.code in (0, 3, 70)
    assert "Traceback" not in run.err


def test_the_demonstration(tmp_path):
    environment = {**os.environ, "AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "reeve", "scan", "--demo", "--out", tmp_path, "--format", "terminal,json,html"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    counts = {policy["id"].rpartition("/")[2]: policy["counts"] for policy in report["policies"]}
    expected = {"INCOMPLIANT": 7, "UNDETERMINED": 2, "COMPLIANT": 51, "INAPPLICABLE": 0, "DISAPPEARED": 1}
    assert counts[FIRST[1]] == expected
    assert "CRITICAL" in done.stdout and " requests in " in done.stdout
    first = [one for one in report["findings"] if one["policy"].endswith(FIRST[1]) and one["status"] == "INCOMPLIANT"]
    assert all(finding["remedy"]["commands"] for finding in first)
    of_lists = [found for found in counts.values() if sum(found.values()) > 1]
    assert sum(bool(found["INCOMPLIANT"]) and bool(found["COMPLIANT"]) for found in of_lists) > 0.9 * len(of_lists)
    assert sum(bool(found["UNDETERMINED"]) for found in counts.values()) > len(counts) / 5
    assert report["snapshot"]["errors"]
    # Each offender says where it is, what decided, and how it is mended.
    offenders = [one for one in report["findings"] if one["status"] == "INCOMPLIANT"]
    assert all(one["arn"] and one["account"] == "210987654321" and one["region"] and one["service"] for one in offenders)
    assert all(one["console"].startswith("https://") and one["evidence"]["text"] and one["remedy"]["say"] for one in offenders)
    objects = {(one["policy"], one["object"]) for one in report["findings"]}
    assert len(objects) == len(report["findings"]) == len({(one["policy"], one["arn"]) for one in report["findings"]})
    cifs = next(one for one in offenders if one["policy"].endswith("-cifs-traffic") and one["name"] == "windows")
    assert cifs["evidence"]["calls"] == ["ec2:DescribeSecurityGroupRules"]
    assert f"--group-id {cifs['object']}" in cifs["remedy"]["commands"][0]["run"]


def test_schemas_are_written_to_a_directory_only(reeve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = reeve("schema", "--out", "s3://bucket/schemas")
    assert run.code == 2 and run.err.count("\n") == 1 and "into a directory, not to s3://bucket/schemas" in run.err
    assert not list(tmp_path.iterdir())


def test_objects_to_explain_are_read_within_bounds(reeve, tmp_path):
    path = tmp_path / "objects.json"
    for text in ("[" * 5_000 + "]" * 5_000, '[{"Id": ' + "9" * 10_000 + "}]", '[{"Id": NaN}]', r'[{"Id": "\ud800"}]'):
        path.write_text(text)
        run = reeve("explain", "root-user-mfa", str(path))
        assert run.code == 2 and run.err.count("\n") == 1 and "objects.json: not JSON" in run.err


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file", "policy.yaml"), KeyError("aws.x"), IndexError(1)])
def test_a_site_that_is_served_outlives_a_file_that_changes_while_it_is_read(error, capsys):
    from reeve.cli.site import _rebuilt

    def build():
        raise error

    assert not _rebuilt(build)
    assert "the next change builds it" in capsys.readouterr().err
