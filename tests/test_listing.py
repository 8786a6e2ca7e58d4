"""`reeve policy` and `reeve framework`: what a repository holds."""

import json

import pytest

from conftest import CATALOG
from reeve.repository.repository import Repository

FIRST = "/ce/ca/aws/iam/user-has-more-than-one-active-access-key"


def test_policies(reeve):
    run = reeve("policy", "list")
    assert [line[line.index("/ce/") :] for line in run.out.splitlines()] == sorted(Repository.open(CATALOG).policies)
    assert f"MEDIUM    production   {FIRST}" in run.out.splitlines()
    rows = json.loads(reeve("policy", "list", "--framework", "cis-aws-v5.0.0", "--format", "json").out)
    assert {
        "id": FIRST,
        "name": "AWS IAM User has more than one active access key",
        "severity": "MEDIUM",
        "state": "production",
    } in rows
    assert FIRST not in reeve("policy", "list", "--framework", "cis-aws-v1.2.0").out


def test_a_policy_shows_its_conditions_and_why_it_is_linked(reeve):
    run = reeve("policy", "show", "user-has-more-than-one-active-access-key")
    assert "1. INCOMPLIANT if extract('accessKey1Active') && extract('accessKey2Active')" in run.out
    assert "30 linked sections" in run.out and "otherwise COMPLIANT" in run.out
    assert "cis-aws-v5.0.0/01/12" in run.out and "similar to /frameworks/cis-aws-v4.0.1/01/13" in run.out
    shown = json.loads(reeve("policy", "show", FIRST, "--format", "json").out)
    assert len(shown["sections"]) == 30 and shown["severity"] == "MEDIUM" and "prod.logic.yaml" in shown["files"]


def test_frameworks(reeve):
    rows = json.loads(reeve("framework", "list", "--format", "json").out)
    listed = reeve("framework", "list").out.splitlines()[1:]
    assert len(rows) == len(listed) == len(list((CATALOG / "frameworks").iterdir()))
    tree = json.loads(reeve("framework", "show", "cis-aws-v5.0.0", "--format", "json").out)
    lines = reeve("framework", "show", "cis-aws-v5.0.0").out.splitlines()[1:]
    assert len(tree) == len(lines) == next(row for row in rows if row["name"] == "CIS AWS v5.0.0")["subSections"] + 1
    assert all(row["policies"] for row in tree), "every recommendation has a policy"
    below = reeve("framework", "show", "/frameworks/cis-aws-v5.0.0/01").out.splitlines()[1:]
    assert below[0].endswith(" 1 Identity and Access Management") and len(below) == 22


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("policy", "show", "nothing"), "no policy matches 'nothing'"),
        (("framework", "show", "cis"), "there is no framework 'cis'"),
        (("policy", "list", "--repo", "nowhere"), "nowhere"),
    ],
)
def test_what_is_not_there(reeve, arguments, says):
    run = reeve(*arguments)
    assert run.code == 2 and says in run.err


def test_hostile_names_are_written_out(reeve, tmp_path):
    policy = tmp_path / "ce" / "x"
    policy.mkdir(parents=True)
    (policy / "policy.yaml").write_text('names: {full: "a\\e[31mb", contextual: "a"}\ndescription: "c\\rd"\n')
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "f.yaml").write_text('- {id: /frameworks/f, name: "e\\e]0;x\\a"}\n')
    for arguments in (("policy", "show", "/ce/x"), ("policy", "list"), ("framework", "list"), ("framework", "show", "f")):
        run = reeve(*arguments, "--repo", tmp_path)
        assert run.code == 0 and "\x1b" not in run.out and "\r" not in run.out and "\a" not in run.out
