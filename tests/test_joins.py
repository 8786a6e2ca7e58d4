"""Estates: what leads from one account to another, and objects of one id in several accounts, by both judges."""

import itertools
from random import Random

import duckdb
import pytest
from hypothesis import Phase, given, settings

import test_engines as worlds_of
from reeve.evaluate import judge_tables as judging
from reeve.evaluate.changes import Since
from reeve.evaluate.engines.duckdb import DuckDB
from reeve.evaluate.estate import EstateTables
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.judge_tables import judge_tables
from reeve.evaluate.outcomes import OBJECT
from reeve.inventory.tables import files_in
from reeve.language import codes
from reeve.model import ObjectType
from tables import Given, codes_written, in_accounts, objects_of, rows_written, write_table
from test_engines import EACH_ENGINE, ENGINES, NOW, TYPES, body

A, B, C = worlds_of.ACCOUNTS
FIRST, NEVER, UNKNOWN = codes.true(1), codes.otherwise(1), codes.error(1)
LOOKUP = {"NOT_EMPTY_LOOKUP": "o"}
HERE = {"IS_EQUAL": {"left": {"FIELD": {"path": "o.t1"}}, "right": {"TEXT": "here"}}}
HAS = {"RELATED_LIST_HAS": {"status": "INCOMPLIANT", "relationshipName": "c"}}
BEHIND = {"RELATED_LIST_HAS": {"status": "INCOMPLIANT", "relationshipName": "o.k"}}
ALWAYS = {"BOOLEAN": True}


def program(check):
    """Return a program of one condition; every child is INCOMPLIANT."""
    child = body("child", [ALWAYS], {})
    related = {name: child for name in ("c", "o.k") if f"'{name}'" in str(check)}
    return compile_body(body("parent", [check], {}, related))


def judged(engine, directory, rows, programs, without=None, out="out", since=None, partly=None):
    """Return the outcomes of parents by an engine."""
    files = {}
    for name, own in TYPES.items():
        some = in_accounts(rows.get(name, [])) or {"no": []}
        paths = {account: directory / f"{out} {name} {account}.parquet" for account in some}
        files[name] = [write_table(path, own, some[account], provenance=True) for account, path in paths.items()]
    tables = EstateTables(files, without or {}, several=True, partly=partly or {})
    return tables, judge_tables(
        engine, tables, programs, TYPES.__getitem__, NOW, str(directory / out), since=since and {"parent": since}
    )["parent"]


def by_both(directory, rows, checks, without=None, partly=None):
    """Return the codes by check and (account, id), the same by an engine and by the interpreter."""
    programs = {str(number): program(check) for number, check in enumerate(checks)}
    with DuckDB(directory / "spill", threads=1) as engine:
        found = codes_written(judged(engine, directory, rows, programs, without, partly=partly)[1])
    _, fields = worlds_of.prepared({name: rows.get(name, []) for name in TYPES})
    for record, row in objects_of(TYPES.__getitem__, Given(fields, without, partly), "parent"):
        for name, one in programs.items():
            assert found[name][record.account, record.fields["id"]] == one.judge(row, NOW).code
    return [found[name] for name in programs]


def parent(account, identifier="1", **fields):
    return {"_account": account, "id": identifier, "ownerId": "x", **fields}


def owner(account, **fields):
    return {"_account": account, "id": "x", "t1": "here", **fields}


GONE = {"goneAt": "2026-01-01T00:00:00Z"}
LEADS = {
    "the own account's": ([owner(A), owner(B, t1="there")], (), FIRST, FIRST),
    "the own account's, others or not": ([owner(A), owner(B, t1="there"), owner(C)], (), FIRST, FIRST),
    "the own account's, which is gone": ([owner(A, **GONE), owner(B)], (), NEVER, NEVER),
    "that of one other": ([owner(B)], (), FIRST, FIRST),
    "that of one other, which is gone": ([owner(B, **GONE)], (), NEVER, NEVER),
    "several others'": ([owner(B), owner(C)], (), UNKNOWN, UNKNOWN),
    "several others', of which one is gone": ([owner(B), owner(C, **GONE)], (), UNKNOWN, UNKNOWN),
    "none": ([], (), NEVER, NEVER),
    "none that was read": ([], (C,), UNKNOWN, UNKNOWN),
    "that of one other, where not all was read": ([owner(B)], (C,), FIRST, FIRST),
    "the own account's, where not all was read": ([owner(A)], (C,), FIRST, FIRST),
    "perhaps the own account's, which was not read": ([owner(B)], (A,), UNKNOWN, UNKNOWN),
}


@pytest.mark.parametrize("case", LEADS)
def test_where_a_lookup_leads(case, tmp_path):
    owners, unread, leads, there = LEADS[case]
    found = by_both(tmp_path, {"parent": [parent(A)], "owner": owners}, [LOOKUP, HERE], {"owner": unread})
    assert [one[A, "1"] for one in found] == [leads, there]


PARTLY = {
    "another's": ([], (C,), UNKNOWN),
    "several others'": ([], (B, C), UNKNOWN),
    "the own account's, of which objects say themselves what was not seen": ([], (A,), NEVER),
    "the own account's and another's": ([], (A, B), UNKNOWN),
    "another's, but it was found": ([owner(C)], (C,), FIRST),
    "another's, but it was found in a third": ([owner(B)], (C,), FIRST),
}


@pytest.mark.parametrize("case", PARTLY)
def test_where_a_lookup_leads_when_a_list_was_not_read_whole(case, tmp_path):
    """A list that was refused leaves an empty table, not a missing one: what was not found there may be there."""
    owners, partly, leads = PARTLY[case]
    (found,) = by_both(tmp_path, {"parent": [parent(A)], "owner": owners}, [LOOKUP], partly={"owner": partly})
    assert found == {(A, "1"): leads}


def test_a_key_that_is_null_leads_nowhere_whatever_was_read(tmp_path):
    (found,) = by_both(tmp_path, {"parent": [parent(A, ownerId=None)]}, [LOOKUP], {"owner": (A, B)})
    assert found == {(A, "1"): NEVER}


def child(account, **keys):
    return {"_account": account, "id": "c", "parentId": None, "ownerId": None, **keys}


def test_children_are_of_the_parents_account(tmp_path):
    rows = {"parent": [parent(A), parent(B)], "child": [child(B, parentId="1")]}
    (found,) = by_both(tmp_path, rows, [HAS])
    assert found == {(A, "1"): NEVER, (B, "1"): FIRST}


def test_children_that_were_not_read(tmp_path):
    rows = {"parent": [parent(A), parent(B)], "child": [child(B, parentId="1")]}
    (found,) = by_both(tmp_path, rows, [HAS], {"child": (A,)})
    assert found == {(A, "1"): UNKNOWN, (B, "1"): FIRST}


@pytest.mark.parametrize(("account", "unread", "says"), [(B, (), FIRST), (A, (), NEVER), (B, (A,), FIRST), (A, (B,), UNKNOWN)])
def test_children_behind_a_lookup_are_of_the_account_that_it_leads_to(account, unread, says, tmp_path):
    rows = {"parent": [parent(A)], "owner": [owner(B)], "child": [child(account, ownerId="x")]}
    (found,) = by_both(tmp_path, rows, [BEHIND], {"child": unread})
    assert found == {(A, "1"): says}


DEFERRING = {"IS_EQUAL": {"left": {"FIELD": {"path": "t1"}}, "right": {"TEXT": "É"}}}
"""What columns leave to the interpreter's functions for a letter beyond ASCII."""


@pytest.mark.parametrize("name", EACH_ENGINE)
def test_exact_columns_are_for_the_object_not_for_its_name(name, tmp_path):
    rows = {"parent": [parent(A, t1="é"), parent(B, t1="e"), parent(C, t1="é", id="2")]}
    programs = {"p": program(DEFERRING)}
    with ENGINES[name](tmp_path / "spill") as engine:
        _, found = judged(engine, tmp_path, rows, programs)
    assert codes_written(found)["p"] == {(A, "1"): FIRST, (B, "1"): NEVER, (C, "2"): FIRST}
    assert len(found.folders) == 2 or name == "datafusion"


def test_slices_are_joined_by_account_and_id(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "MOST_AT_ONCE", 1)
    rows = {"parent": [parent(A, t1="é"), parent(B, t1="e")], "owner": [owner(B)]}
    with DuckDB(tmp_path / "spill", threads=1) as engine:
        _, found = judged(engine, tmp_path, rows, {"p": program(DEFERRING), "q": program(HERE), "r": program(LOOKUP)})
    assert codes_written(found) == {
        "p": {(A, "1"): FIRST, (B, "1"): NEVER},
        "q": {(A, "1"): FIRST, (B, "1"): FIRST},
        "r": {(A, "1"): FIRST, (B, "1"): FIRST},
    }


@pytest.mark.parametrize("name", EACH_ENGINE)
def test_outcomes_say_where_objects_are(name, tmp_path):
    """The name is null where there is none, or it was not collected, even if a table holds one."""
    named = ObjectType("parent", "Parent", fields=TYPES["parent"].fields, id_field="id", name_field="t1")
    rows = [
        {"_account": A, "_region": "eu-west-1", "_arn": "arn:a", "id": "1", "t1": "One"},
        {"_account": B, "_region": "global", "_arn": None, "id": "1", "t1": ""},
        {"_account": C, "_region": "global", "_arn": None, "id": "1", "t1": "hidden", "_notCollected": '{"t1":"denied"}'},
    ]
    file = write_table(tmp_path / "parents.parquet", named, rows, provenance=True)
    programs = {"p": compile_body(body("parent", [ALWAYS], {}))}
    with ENGINES[name](tmp_path / "spill") as engine:
        found = judge_tables(engine, EstateTables({"parent": [file]}), programs, lambda _: named, NOW, str(tmp_path / "out"))
    written = sorted(tuple(row[name] for name in (*OBJECT, "code0")) for row in rows_written(found["parent"]))
    assert written == [
        (A, "eu-west-1", "arn:a", "1", "One", FIRST),
        (B, "global", None, "1", None, FIRST),
        (C, "global", None, "1", None, FIRST),
    ]


# What has changed ----------------------------------------------------------------------------------------------------


def changed(rows, random):
    """Change, drop and add some objects of every type."""
    found = {}
    for name, objects in rows.items():
        kept = [dict(one) for one in objects if random.random() > 0.05]
        for one in random.sample(kept, len(kept) // 10):
            one[random.choice([key for key in one if key not in ("id", "_account")])] = None
        new = [{**random.choice(kept), "id": f"{name} new {n}"} for n in range(random.randrange(3)) if kept]
        moved = [{**one, "_account": account} for one, account in zip(kept[:3], worlds_of.ACCOUNTS, strict=False)]
        known = {(one["_account"], one["id"]): one for one in itertools.chain(new, moved, kept)}
        found[name] = list(known.values())
    return found


def test_judging_what_changed_equals_judging_all(tmp_path):
    kept, runs = 0, itertools.count()

    @settings(max_examples=40 if worlds_of.FUZZ else 3, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(worlds_of.worlds, worlds_of.policies, worlds_of.extracts_)
    def same(world, policies, extracts):
        nonlocal kept
        programs = worlds_of.programs_of(policies, extracts)
        if not programs:
            return
        monday, _ = worlds_of.prepared(worlds_of.some_objects(world))
        tuesday = changed(monday, Random(world[1]))
        run = next(runs)
        with DuckDB(tmp_path / "spill", 1) as engine:
            tables, first = judged(engine, tmp_path, monday, programs, out=f"{run} first")
            earlier = [file for folder in first.folders for file in files_in(folder)]
            since = Since(tables, earlier, first.codes)
            _, whole = judged(engine, tmp_path, tuesday, programs, out=f"{run} whole")
            _, part = judged(engine, tmp_path, tuesday, programs, out=f"{run} part", since=since)
        assert codes_written(part) == codes_written(whole)
        kept += len(duckdb.read_parquet([f"{folder}/*.parquet" for folder in part.folders if folder.endswith("/kept")]))

    same()
    assert kept


def test_all_is_judged_again_when_a_list_of_another_account_was_not_read_whole(tmp_path):
    rows, programs = {"parent": [parent(A)]}, {"p": program(LOOKUP)}
    with DuckDB(tmp_path / "spill", threads=1) as engine:
        tables, first = judged(engine, tmp_path, rows, programs, out="first")
        since = Since(tables, [file for folder in first.folders for file in files_in(folder)], first.codes)
        _, now = judged(engine, tmp_path, rows, programs, out="now", since=since, partly={"owner": (C,)})
    assert (codes_written(first)["p"], codes_written(now)["p"]) == ({(A, "1"): NEVER}, {(A, "1"): UNKNOWN})


def test_all_is_judged_again_when_another_account_was_not_read(tmp_path):
    """No row shows that an account's children are read now: there are none."""
    rows = {"parent": [parent(A), parent(B)], "child": [child(B, parentId="1")]}
    programs = {"p": program(HAS)}
    with DuckDB(tmp_path / "spill", threads=1) as engine:
        tables, first = judged(engine, tmp_path, rows, programs, {"child": (A,)}, out="first")
        earlier = [file for folder in first.folders for file in files_in(folder)]
        _, now = judged(engine, tmp_path, rows, programs, out="now", since=Since(tables, earlier, first.codes))
    assert codes_written(first)["p"] == {(A, "1"): UNKNOWN, (B, "1"): FIRST}
    assert codes_written(now)["p"] == {(A, "1"): NEVER, (B, "1"): FIRST}
