"""An operation is one class, wholly: `more_operations`, one file outside the package, is all that is needed to use two more."""

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from more_operations import Fresh, Shouted
from reeve.evaluate.outcomes import Outcomes
from reeve.inventory.directory import writing
from reeve.inventory.manifest import Part
from reeve.inventory.records import Record
from reeve.inventory.snapshot import write_snapshot
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.reference import language
from reeve.language.source import plain_value, read_yaml
from reeve.repository.repository import Repository

OPERATIONS = BUILT_IN.adding(Fresh, Shouted)
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
THING = """
name: Thing
idField: id
nameField: name
service: t
fields:
  id: {type: Bytes}
  name: {type: Text}
  madeAt: {type: DateTime}
"""
LOGIC = """
inputType: t.Thing
testData: [{file: test-data.json}]
conditions:
  - {status: INCOMPLIANT, currentStateMessage: It is fresh., check: CHECK}
  - {status: INAPPLICABLE, currentStateMessage: It shouts., check: {IS_SHOUTED: {arg: {FIELD: {path: name}}}}}
otherwise: {status: COMPLIANT, currentStateMessage: It is old and quiet.}
"""
POLICY = "names: {full: Fresh, contextual: Fresh}\ndescription: A policy.\ntype: COMPLIANCE_POLICY\n"
CHECKS = {"yaml": "{IS_FRESH: {path: madeAt, hours: 2}}", "text": "madeAt.fresh(2)"}


def case(identifier, made, status, code, text, **more):
    expected = {"status": status, "conditionIndex": str(code), "conditionText": text, "runtimeError": more.pop("error", None)}
    context = {"snapshotTime": NOW.isoformat()}
    return {"Id": identifier, "id": identifier, "madeAt": made, "expectedResult": expected, "context": context, **more}


TEST_DATA = [
    case("young", "2026-07-01T11:00:00Z", "INCOMPLIANT", 199, "madeAt.fresh(2)"),
    case("loud", "2026-06-01T11:00:00Z", "INAPPLICABLE", 299, "name.isShouted()", name="LOUD"),
    case("old", "2026-06-01T11:00:00Z", "COMPLIANT", 300, "otherwise", name="old"),
]


@pytest.fixture(params=CHECKS)
def repo(request, tmp_path):
    for path, text in {
        "types/t.Thing/type.yaml": THING,
        "ce/fresh/policy.yaml": POLICY,
        "ce/fresh/prod.logic.yaml": LOGIC.replace("CHECK", CHECKS[request.param]),
        "ce/fresh/test-data.json": json.dumps(TEST_DATA),
    }.items():
        (tmp_path / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / path).write_text(text)
    return tmp_path / "repo"


def snapshot(repo, directory, moment):
    objects = [
        ("young", {"madeAt": NOW - timedelta(hours=1), "name": "young"}, {}),
        ("loud", {"madeAt": NOW - timedelta(days=9), "name": "LOUD"}, {}),
        ("old", {"madeAt": NOW - timedelta(days=9), "name": "old"}, {}),
        ("unread", {"name": "unread"}, {"madeAt": "refused"}),
    ]
    found = [Record({"id": name, **of}, "1", "global", None, NOW, "t:List", unread) for name, of, unread in objects]
    part = Part("p", "1", None, "aws", moment, moment, {}, (), ())
    with writing(directory):
        write_snapshot(directory, [(part, [(Repository.open(repo).object_type("t.Thing"), found)])])
    return directory


def codes(out):
    with Outcomes.read(out / "outcomes") as found:
        (policy,) = found.manifest.types["t.Thing"].policies
        return {one.id: one.code for one in found.judgements(policy, found.counts(policy))}


def test_without_it_there_is_no_such_operation(repo, reeve):
    run = reeve("validate", "--repo", repo)
    assert run.code == 2 and (
        "unknown operation 'IS_FRESH'" in run.out + run.err or "unknown method .fresh()" in run.out + run.err
    )


def test_authors_use_it(repo, reeve):
    run = reeve("test", "--repo", repo, "--coverage", operations=OPERATIONS)
    assert (run.code, run.out) == (0, "3 passed, 0 failed\n"), run.out + run.err
    run = reeve("validate", "--repo", repo, operations=OPERATIONS)
    assert run.code == 0 and "0 errors" in run.out
    (repo / "ce/fresh/prod.logic.yaml").write_text(LOGIC.replace("CHECK", "{IS_FRESH: {path: maedAt, hours: 2}}"))
    assert "no field 'maedAt'; did you mean madeAt?" in reeve("validate", "--repo", repo, operations=OPERATIONS).out


def test_it_is_explained(repo, reeve):
    run = reeve("explain", "fresh", repo / "ce/fresh/test-data.json#young", "--repo", repo, operations=OPERATIONS)
    assert run.code == 0 and "madeAt.fresh(2)" in run.out
    assert "madeAt: '2026-07-01T11:00:00Z'" in run.out or "madeAt: 2026-07-01T11:00:00Z" in run.out, run.out


def test_both_evaluators_judge_by_it_and_so_does_since(repo, reeve, tmp_path):
    expected = {"young": 199, "loud": 299, "old": 300, "unread": 198}
    now, later = (snapshot(repo, tmp_path / name, NOW + timedelta(hours=n)) for n, name in enumerate(("now", "later")))
    options = ("--repo", repo, "--format", "parquet")
    for engine in ("interpreter", "duckdb"):
        out = tmp_path / engine
        assert reeve("evaluate", now, *options, "--engine", engine, "--out", out, operations=OPERATIONS).code == 1
        assert codes(out) == expected
    since = ("--engine", "duckdb", "--since", tmp_path / "duckdb")
    for taken, name, found in ((now, "same", expected), (later, "anew", expected | {"young": 300})):
        assert reeve("evaluate", taken, *options, *since, "--out", tmp_path / name, operations=OPERATIONS).code in (1, 3)
        assert codes(tmp_path / name) == found


def test_schema_and_reference_tell_of_it(repo, reeve):
    schema = json.loads(reeve("schema", "logic", operations=OPERATIONS).out)
    logic = plain_value(read_yaml("x", (repo / "ce/fresh/prod.logic.yaml").read_bytes()))
    jsonschema.validate(logic, schema)
    logic["conditions"][0]["check"] = {"IS_FRESH": {"path": 1, "hours": 2}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(logic, schema)
    assert "## IS_FRESH\n" in language(OPERATIONS) and "Text: `a.fresh(2)`" in language(OPERATIONS)
    assert "IS_FRESH" not in language() and "IS_FRESH" not in reeve("schema", "logic").out


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="IS_FRESH already"):
        OPERATIONS.adding(Fresh)
