"""Advice on access keys: which of two to keep, and that only the policy that it is for gives it."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.collect.aws.declarations import Models, collect_check
from reeve.evaluate.policy_tests import read_objects
from reeve.findings.access_keys import AccessKey, advise
from reeve.findings.judge import judge_snapshot
from reeve.findings.scan import production_programs
from reeve.inventory.directory import writing
from reeve.inventory.manifest import SCHEMA, Manifest
from reeve.inventory.records import Record
from reeve.inventory.snapshot import write_snapshot
from reeve.repository.repository import Repository
from reeve.repository.validation import Validation

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def key(name, age, used=None, active=True, known=True):
    return AccessKey(name, active, NOW - timedelta(days=age), known, None if used is None else NOW - timedelta(days=used))


@pytest.mark.parametrize(
    ("first", "second", "keep"),
    [
        (key("old", 300, 1), key("unused", 10), "old"),
        (key("old", 300, 1), key("young", 10, 3), "young"),
        (key("a", 300, 50), key("b", 400, 2), "b"),
        (key("a", 300), key("b", 400), "a"),
        (key("a", 20, 5), key("b", 10, 6), "a"),
        (key("a", 89.9, 5), key("b", 90.1, 1), "a"),
        (key("a", 90.1, 700), key("b", 1), "a"),
    ],
)
def test_which_key_to_keep(first, second, keep):
    for keys in ([first, second], [second, first]):
        advice = advise("someone", keys, NOW)
        assert advice.keep == keep
        assert {advice.keep, advice.switch_off} == {first.id, second.id}
        assert f"--access-key-id {advice.switch_off} " in advice.command


@given(st.lists(st.tuples(st.floats(0, 2000), st.none() | st.floats(0, 2000)), min_size=2, max_size=2))
def test_an_unused_key_is_never_kept_over_a_used_one(ages):
    keys = [key(str(number), age, used) for number, (age, used) in enumerate(ages)]
    kept, off = (next(one for one in keys if one.id == which) for which in kept_and_off(keys))
    assert kept.last_used_at or not off.last_used_at
    if kept.last_used_at and off.last_used_at and NOW - off.created_at < timedelta(days=90):
        assert NOW - kept.created_at < timedelta(days=90)


def kept_and_off(keys):
    advice = advise("someone", keys, NOW)
    return advice.keep, advice.switch_off


def test_no_key_is_switched_off_while_a_last_use_is_not_known():
    for keys in ([key("a", 300, known=False), key("b", 200, 1)], [key("a", 300), key("b", 200, known=False)]):
        assert advise("someone", keys, NOW) is None


def test_advice_is_given_by_the_policy_that_it_is_for(account, reeve):
    """One with two old keys, who also has one unused, is told of each what that policy says."""
    for key in account.add("offender", True, True).keys:
        key.last_used_at = NOW - timedelta(days=700)
    selected = ("*more-than-one*", "*not-rotated*", "disable-user-*")
    options = [part for one in selected for part in ("--policy", one)]
    reports = reeve("scan", *options, "--format", "json").report["findings"]
    found = {one["policy"].rpartition("/")[2]: one for one in reports}
    assert {one["status"] for one in reports} == {"INCOMPLIANT"}
    assert len(found) == 3
    assert all(len(one["accessKeys"]) == 2 for one in reports)
    assert found.pop("user-has-more-than-one-active-access-key")["advice"]
    assert all(one["advice"] is None and one["remediation"] for one in found.values())


OWN_TYPE = """
name: Robot
idField: id
fields:
  id: {type: Bytes}
  on: {type: Boolean}
relatedLists:
  accessKeys: {type: own.Key, foreignKey: robot}
"""
OWN_LOGIC = """
inputType: own.Robot
conditions:
  - {status: INCOMPLIANT, currentStateMessage: On., check: {FIELD: {path: 'on'}}}
  - status: INCOMPLIANT
    currentStateMessage: It has a key.
    check: {RELATED_LIST_HAS: {status: INCOMPLIANT, relationshipName: accessKeys}}
otherwise: {status: COMPLIANT, currentStateMessage: Off.}
relatedLists:
  - relationshipName: accessKeys
    conditions: []
    otherwise: {status: INCOMPLIANT, currentStateMessage: A key.}
"""


@pytest.fixture
def own(tmp_path):
    """A repository with a related list of its own called accessKeys, of which nothing else is like an access key."""
    for name, text in {
        "types/own.Robot/type.yaml": OWN_TYPE,
        "types/own.Key/type.yaml": "name: Key\nidField: id\nfields:\n  id: {type: Bytes}\n  robot: {type: Bytes}\n",
        "ce/robots/prod.logic.yaml": OWN_LOGIC,
        "ce/robots/policy.yaml": "names: {full: Robots, contextual: Robots}\ndescription: Robots.\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("declared", ["", "credentials: {list: accessKeys, keepOne: '199'}\n"])
def test_a_list_called_access_keys_is_nothing_special(own, declared, tmp_path):
    metadata = own / "ce/robots/policy.yaml"
    metadata.write_text(metadata.read_text() + declared)
    repository, directory = Repository.open(own), tmp_path / "snapshot"
    manifest = Manifest(SCHEMA, "0", "123456789012", "aws", NOW, NOW, {}, (), (), {})
    rows = {"own.Robot": {"id": "r", "on": True}, "own.Key": {"id": "k", "robot": "r"}}
    with writing(directory):
        tables = [(repository.object_type(name), [Record(row, NOW, "test", {})]) for name, row in rows.items()]
        write_snapshot(directory, manifest, tables)
    results = judge_snapshot(repository, production_programs(repository, ["/ce/robots"]), directory)
    (finding,) = results.policies[0].findings
    assert (finding.meaning.code, list(finding.access_keys), finding.advice) == (199, [], None)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ("{list: accesKeys}", "there is no related list of own.Robot accesKeys; did you mean accessKeys?"),
        ("{list: accessKeys}", "own.Key lacks the fields by which access keys are shown: status, createdAt"),
        ("{list: accessKeys, keepOne: '299'}", None),
        ("{list: accessKeys, keepOne: '300'}", "credentials.keepOne is the code of no INCOMPLIANT condition"),
        ("{list: accessKeys, keepOne: first}", "credentials.keepOne is the code of no INCOMPLIANT condition"),
        ("{keepOne: '199'}", "'list'"),
    ],
)
def test_what_credentials_names_must_be_there(own, declared, says):
    metadata = own / "ce/robots/policy.yaml"
    metadata.write_text(metadata.read_text() + f"credentials: {declared}\n")
    found = [
        str(one) for one in Validation(Repository.open(own), read_objects, collect_check(Models())).run() if not one.warning
    ]
    assert any(says in one for one in found) if says else not any("keepOne" in one for one in found)


def test_no_advice_with_one_active_key():
    assert advise("someone", [key("a", 1), key("b", 2, active=False)], NOW) is None


def test_the_command_is_safe_to_paste():
    command = advise("a'; rm -rf ~ #", [key("a", 1), key("b", 2)], NOW).command
    echoed = subprocess.run(["sh", "-c", f'set -- {command}; printf %s "$5"'], capture_output=True, text=True, check=True)
    assert echoed.stdout == "a'; rm -rf ~ #"
