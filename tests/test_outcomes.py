"""Outcomes of a snapshot: the same from every judge, kept whole or not at all, judged again only in part, and queried."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import msgspec
import pytest
from hypothesis import Phase, given, settings

import test_engines as worlds_of
from conftest import CATALOG, FIRST
from reeve.evaluate import judge_tables, objects
from reeve.evaluate.engines.duckdb import DuckDB
from reeve.evaluate.engines.engine import EngineError
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.outcomes import OBJECT, SCHEMA, Judgement, Outcomes
from reeve.evaluate.write_outcomes import write_outcomes
from reeve.findings.scan import production_programs
from reeve.inventory.directory import writing
from reeve.inventory.manifest import Manifest, Part, SnapshotError
from reeve.inventory.records import Record
from reeve.inventory.snapshot import write_snapshot
from reeve.language.unread import NotCollected
from reeve.repository.repository import Repository
from tables import ACCOUNT, in_accounts

POLICY = "/ce/ca/aws/iam/user-has-more-than-one-active-access-key"
JULY = datetime(2026, 7, 1, 12, tzinfo=UTC)
# A name is a text that may be empty, or not have been read.
TYPES = {name: replace(of, name_field="t1") for name, of in worlds_of.TYPES.items()}


def snapshot(directory, fields, unread=None, accounts=(ACCOUNT,)):
    """Write objects, as the interpreter has them, as a snapshot; `unread` are the accounts, by type, that have no table."""
    for number, account in enumerate(accounts):
        part = Part("p", account, None, "aws", JULY, JULY, {}, (), ())
        tables = []
        for name, every in fields.items():
            if account not in (unread or {}).get(name, ()):
                tables.append((TYPES[name], [record(one, account) for one in in_accounts(every).get(account, ())]))
        with writing(directory):
            write_snapshot(directory, [(part, tables)], keep_others=number > 0)
    return Snapshot(directory, TYPES.__getitem__)


def record(fields, account):
    missing = {key: value.reason for key, value in fields.items() if isinstance(value, NotCollected)}
    plain = {key: value for key, value in fields.items() if key not in missing and key != "_account"}
    region = ("global", "eu-west-1", "us-east-1")[len(fields["id"]) % 3]
    return Record(
        plain, account, region, None if region == "global" else f"arn:{account}:{fields['id']}", JULY, "test", missing
    )


def changed(fields, random):
    """Change, drop and add some objects of every type."""
    found = {}
    for name, every in fields.items():
        kept = [dict(one) for one in every if random.random() > 0.05]
        for one in random.sample(kept, len(kept) // 10):
            key = random.choice([key for key in one if key not in ("id", "_account")])
            one[key] = random.choice(every).get(key)
        new = [{**random.choice(every), "id": f"{name} new {n}"} for n in range(random.randrange(3)) if every]
        found[name] = [*kept, *new]
    return found


def outcomes(out, engine, taken, programs, since=None):
    with writing(out), taken:
        return write_outcomes(out, engine, taken, programs, since=since)


def rows_of(outcomes, type_id):
    """Return what the files of a type's outcomes hold, by account and id; the codes in the order of policies."""
    of = outcomes.manifest.types[type_id]
    columns = (*OBJECT, *(found.column for found in of.policies.values()))
    found = duckdb.read_parquet(outcomes.files(type_id)).project(", ".join(columns)).fetchall()
    rows = {(row[0], row[3]): row for row in found}
    assert len(rows) == len(found) == of.objects
    return rows


def codes_of(outcomes, policy):
    """Return {id: code} of a policy about objects of one account."""
    with outcomes:
        return {one.id: one.code for one in outcomes.judgements(policy, outcomes.counts(policy))}


def test_every_judge_writes_the_same_outcomes(tmp_path, monkeypatch):
    """Of estates of several accounts, of which parts were not read; the interpreter with pages of few objects, too."""
    judged = several = 0

    @settings(max_examples=30 if worlds_of.FUZZ else 6, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(worlds_of.worlds, worlds_of.policies, worlds_of.extracts_)
    def same(world, policies, extracts):
        nonlocal judged, several
        programs = worlds_of.programs_of(policies, extracts)
        if not programs:
            return
        fields, accounts = worlds_of.prepared(worlds_of.some_objects(world))[1], worlds_of.accounts_of(world)
        shutil.rmtree(tmp_path / "snapshot", ignore_errors=True)
        taken = snapshot(tmp_path / "snapshot", fields, worlds_of.without(world), accounts)
        with DuckDB(tmp_path / "spill", 1) as engine:
            theirs = outcomes(tmp_path / "theirs", engine, taken, programs)
        for page, kept in ((1000, 5000), (7, 20)):
            monkeypatch.setattr(objects, "PAGE", page)
            monkeypatch.setattr(objects, "SMALL", kept)
            ours = outcomes(tmp_path / "ours", None, taken, programs)
            assert rows_of(ours, "parent") == rows_of(theirs, "parent")
            assert ours.manifest.types["parent"].policies == theirs.manifest.types["parent"].policies
        judged += ours.manifest.types["parent"].objects
        several += len(accounts) > 1

    same()
    assert judged and several


def test_judging_what_changed_equals_judging_all(tmp_path):
    kept = 0

    @settings(max_examples=30 if worlds_of.FUZZ else 3, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(worlds_of.worlds, worlds_of.policies, worlds_of.extracts_)
    def same(world, policies, extracts):
        nonlocal kept
        programs = worlds_of.programs_of(policies, extracts)
        if not programs:
            return
        before, accounts = worlds_of.prepared(worlds_of.some_objects(world))[1], worlds_of.accounts_of(world)
        unread = worlds_of.without(world)
        for name in ("monday", "tuesday"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        monday = snapshot(tmp_path / "monday", before, unread, accounts)
        tuesday = snapshot(tmp_path / "tuesday", changed(before, Random(world[1])), unread, accounts)
        with DuckDB(tmp_path / "spill", 1) as engine:
            first = outcomes(tmp_path / "first", engine, monday, programs)
            full = outcomes(tmp_path / "full", engine, tuesday, programs)
            with monday:
                part = outcomes(tmp_path / "part", engine, tuesday, programs, (first, monday))
        assert rows_of(part, "parent") == rows_of(full, "parent")
        assert part.manifest.types["parent"].policies == full.manifest.types["parent"].policies
        folder = [folder for folder in part.files("parent") if "/kept/" in folder]
        kept += duckdb.read_parquet(folder).shape[0] if folder else 0

    same()
    assert kept


def some_programs():
    """Return an account's objects, and five policies about them."""
    pools = {kind: ["a", "é", " A "] for kind in ("Text", "Bytes")} | {
        kind: [] for kind in ("Number", "Boolean", "DateTime", "Set of Text", "List of Text", "List of Bytes")
    }
    fields = worlds_of.prepared(worlds_of.some_objects((pools, 4)))[1]
    checks = [
        {"IS_EQUAL": {"left": {"FIELD": {"path": name}}, "right": {"TEXT": "a"}}} for name in ("t1", "t2", "o.t1", "b1", "b2")
    ]
    bodies = {str(n): worlds_of.body("parent", [check], {}) for n, check in enumerate(checks)}
    return fields, {name: compile_body(body) for name, body in bodies.items()}


def test_more_policies_than_one_query_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(judge_tables, "MOST_AT_ONCE", 2)
    fields, programs = some_programs()
    taken = snapshot(tmp_path / "snapshot", fields)
    later = snapshot(tmp_path / "later", changed(fields, Random(3)))
    ours = outcomes(tmp_path / "ours", None, taken, programs)
    with DuckDB(tmp_path / "spill", threads=1) as engine:
        first = outcomes(tmp_path / "out", engine, taken, programs)
        assert rows_of(first, "parent") == rows_of(ours, "parent")
        for name, now in {"same": taken, "later": later}.items():
            full = outcomes(tmp_path / f"{name} full", engine, now, programs)
            with Snapshot(taken.directory, TYPES.__getitem__) as before:
                again = outcomes(tmp_path / f"{name} again", engine, now, programs, (first, before))
            assert rows_of(again, "parent") == rows_of(full, "parent")


ESTATE = ("111111111111", "222222222222")


def test_queries(tmp_path):
    """Counts, counts by place, and judgements in order are what the rows say, whoever asks for how many of them."""
    fields, programs = some_programs()
    world = {name: [{**one, "_account": account} for one in every for account in ESTATE] for name, every in fields.items()}
    made = outcomes(tmp_path / "out", None, snapshot(tmp_path / "snapshot", world, accounts=ESTATE), programs)
    rows = rows_of(made, "parent").values()
    with Outcomes.read(tmp_path / "out") as found:
        for number, policy in enumerate(programs):
            code = len(OBJECT) + number
            assert found.counts(policy) == Counter(row[code] for row in rows)
            for columns, at in {(): (), ("account",): (0,), ("region", "account"): (1, 0)}.items():
                counted = {
                    (place, code): n for place, codes in found.counts_by(policy, *columns).items() for code, n in codes.items()
                }
                assert counted == Counter((tuple(row[n] for n in at), row[code]) for row in rows)
            for codes in ({99 + 100}, {99 + 100, 200}, {5}, ()):
                wanted = [Judgement(*row[:5], row[code]) for row in rows if row[code] in codes]
                wanted.sort(key=lambda one: (one.id if one.name is None else one.name, one.account, one.region, one.id))
                assert list(found.judgements(policy, codes)) == wanted
                assert list(found.judgements(policy, codes, 3)) == wanted[:3]
        with pytest.raises(ValueError, match="not by arn"):
            found.counts_by("0", "arn")
        # Two queries at once: a report goes through the objects of one policy while it asks for those of another.
        pairs = zip(*(found.judgements(policy, found.counts(policy)) for policy in ("0", "1")), strict=True)
        assert len([one for one, other in pairs if one.id == other.id]) == len(rows)


@pytest.mark.parametrize("sorted_at_once", [1, 2, 5])
def test_judgements_sorted_in_ranges_are_those_sorted_at_once(tmp_path, monkeypatch, sorted_at_once):
    """Names repeat in both accounts, so that ranges end within objects of one name."""
    fields, programs = some_programs()
    world = {name: [{**one, "_account": account} for one in every for account in ESTATE] for name, every in fields.items()}
    outcomes(tmp_path / "out", None, snapshot(tmp_path / "snapshot", world, accounts=ESTATE), programs)
    with Outcomes.read(tmp_path / "out") as found:
        wanted = [list(found.judgements(policy, found.counts(policy))) for policy in programs]
        monkeypatch.setattr("reeve.evaluate.outcomes.SORTED", sorted_at_once)
        monkeypatch.setattr("reeve.evaluate.outcomes.DRAWN", 1)
        assert [list(found.judgements(policy, found.counts(policy))) for policy in programs] == wanted


def test_objects_come_in_the_order_of_their_keys(tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "PAGE", 4)
    fields, _ = some_programs()
    world = {name: [{**one, "_account": account} for one in every for account in ESTATE] for name, every in fields.items()}
    keys = [(one["_account"], one["id"]) for one in world["parent"]]
    Random(1).shuffle(keys)
    with snapshot(tmp_path / "snapshot", world, accounts=ESTATE) as taken:
        assert [(record.account, record.fields["id"]) for record, _ in taken.rows(TYPES["parent"], keys)] == keys
        with pytest.raises(SnapshotError, match="holds no parent 'nobody' of the account '111111111111'"):
            list(taken.rows(TYPES["parent"], [("111111111111", "nobody")]))


def test_an_object_larger_than_a_usual_line(tmp_path):
    long = "é" * 9_000_000
    fields = {"grandchild": [{"id": "1", "childId": "2", "t1": long}]}
    taken = snapshot(tmp_path / "snapshot", fields)
    (table,) = taken.manifest.tables["grandchild"]
    table = str(taken.directory / table.file)
    assert duckdb.sql(f"SELECT length(t1) FROM read_parquet('{table}')").fetchall() == [(len(long),)]


@pytest.fixture
def demo(demo_scan, tmp_path):
    return Path(shutil.copytree(demo_scan / "snapshot", tmp_path / "snapshot"))


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=worlds_of.with_java)])
def test_every_output_is_the_interpreters(engine, demo, reeve, monkeypatch):
    monkeypatch.setenv("SPARK_CONF_DIR", str(CATALOG.parent / "tests" / "spark-conf"))
    options = ["--master", "local[1]"] if engine == "spark" else ["--threads", "2", "--memory", "500MB"]
    chosen = ["--policy", "*/ec2/*"] if engine == "spark" and not worlds_of.FUZZ else []
    ours = reeve("evaluate", demo, "--engine", engine, *options, *chosen, "--format", "json")
    theirs = reeve("evaluate", demo, "--engine", "interpreter", *chosen, "--format", "json")
    assert "Exception" not in ours.err
    assert ours.report == theirs.report and ours.code == theirs.code


def test_parquet_and_the_worst(demo, reeve, tmp_path):
    run = reeve("evaluate", demo, *FIRST, "--out", tmp_path / "o", "--format", "terminal,parquet")
    plain = reeve("evaluate", demo, *FIRST, "--format", "json").report
    assert run.code == 1 or run.code == 3
    first = [finding for finding in plain["findings"] if finding["policy"] == POLICY]
    worst = [finding for finding in first if finding["status"] in ("INCOMPLIANT", "UNDETERMINED")]
    assert worst and all(finding["name"] in run.out for finding in worst)
    kept = Outcomes.read(tmp_path / "o" / "outcomes")
    codes = {finding["object"]: finding["code"] for finding in first}
    assert codes_of(kept, POLICY) == codes
    assert sum(kept.counts(POLICY).values()) == len(codes)


def test_the_queries_of_the_documentation(demo, reeve, tmp_path):
    for name in "ab":
        reeve("evaluate", demo, *FIRST, "--out", tmp_path / name, "--format", "parquet")
    text = (CATALOG.parent / "docs" / "outcomes.md").read_text()
    queries = [block.partition("```")[0] for block in text.split("```sql\n")[1:]]
    assert SCHEMA in text and all(f"`{column}`" in text for column in OBJECT)
    by_account, worst, differences = (
        duckdb.sql(query.replace("DIR", str(tmp_path / "a")).replace("EARLIER", str(tmp_path / "b"))).fetchall()
        for query in queries
    )
    with Outcomes.read(tmp_path / "a" / "outcomes") as found:
        assert {code: count for _, code, count in by_account} == found.counts(POLICY)
        assert worst == sorted(
            (one.name or one.id, one.account, one.region, one.arn) for one in found.judgements(POLICY, [199])
        )
    assert worst and differences == []


def test_since(demo, reeve, tmp_path):
    assert reeve("evaluate", demo, *FIRST, "--out", tmp_path / "a", "--format", "parquet").code in (1, 3)
    again = reeve("evaluate", demo, *FIRST, "--out", tmp_path / "b", "--format", "parquet", "--since", tmp_path / "a")
    assert again.code in (1, 3)
    one, two = (Outcomes.read(tmp_path / name / "outcomes") for name in "ab")
    assert rows_of(one, "aws.iam.User") == rows_of(two, "aws.iam.User")
    assert any("/kept/" in file for file in two.manifest.types["aws.iam.User"].files)


def _set_times(snapshot, **times):
    manifest = json.loads((snapshot / "manifest.json").read_text())
    manifest["parts"] = [{**part, **times} for part in manifest["parts"]]
    (snapshot / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(("hours", "kept"), [(0, True), (1, False), (20, False)])
def test_since_judges_anew_what_is_measured_to_the_moment(hours, kept, demo, reeve, tmp_path):
    """A key grows 45 days old within a day, while nothing of it changes."""
    chosen = ["--policy", "disable-user-with-unused-credentials-45-days-and-more", "--format", "parquet"]
    reeve("evaluate", demo, *chosen, "--out", tmp_path / "a")
    now = Path(shutil.copytree(demo, tmp_path / "later"))
    later = datetime.fromisoformat(json.loads((demo / "manifest.json").read_text())["parts"][0]["startedAt"]) + timedelta(
        hours=hours
    )
    _set_times(now, startedAt=later.isoformat(), finishedAt=later.isoformat())
    assert reeve("evaluate", now, *chosen, "--out", tmp_path / "b", "--since", tmp_path / "a").code in (1, 3)
    reeve("evaluate", now, *chosen, "--out", tmp_path / "whole")
    found, whole = (Outcomes.read(tmp_path / name / "outcomes") for name in ("b", "whole"))
    assert rows_of(found, "aws.iam.User") == rows_of(whole, "aws.iam.User")
    assert any("/kept/" in file for file in found.manifest.types["aws.iam.User"].files) is kept


@pytest.mark.parametrize("started", ["{day}T23:30:00-05:00", "{day}T00:30:00+05:30", "{day}T12:00:00Z"])
def test_the_moment_is_one_whatever_its_zone(started, demo, reeve):
    """Days are those of UTC, in every judge, however the manifest writes the time."""
    day = json.loads((demo / "manifest.json").read_text())["parts"][0]["startedAt"][:10]
    at = datetime.fromisoformat(started.format(day=day))
    ours, utc = started.format(day=day), at.astimezone(UTC).isoformat()
    found = {}
    for time in (ours, utc):
        _set_times(demo, startedAt=time, finishedAt=time)
        for engine in ("interpreter", "duckdb"):
            report = reeve("evaluate", demo, "--policy", "*/iam/*", "--engine", engine, "--format", "json").report
            found[time, engine] = [(one["policy"], one["object"], one["code"]) for one in report["findings"]]
    assert found[ours, "interpreter"]
    assert all(codes == found[ours, "interpreter"] for codes in found.values())


@pytest.mark.parametrize("name", ["startedAt", "finishedAt"])
@pytest.mark.parametrize("time", ["2026-07-01T12:00:00", "0001-01-01T00:00:00+14:00", "yesterday", None, 5])
def test_a_time_that_is_no_moment_is_refused(name, time, demo, reeve):
    _set_times(demo, **{name: time})
    for engine in ("interpreter", "duckdb"):
        run = reeve("evaluate", demo, *FIRST, "--engine", engine)
        assert run.code == 2 and "manifest.json is damaged" in run.err and run.err.count("\n") == 1


def test_options_of_another_engine(demo, reeve):
    for options, says in [
        (["--master", "local"], "--master is for --engine spark"),
        (["--engine", "interpreter", "--threads", "2"], "--threads and --memory are for duckdb"),
        (["--engine", "interpreter", "--since", "x"], "the interpreter judges all: --since needs --engine duckdb or spark"),
        (["--since", "nowhere"], "no outcomes in nowhere"),
        (["--engine", "duckdb", "--memory", "much"], "the memory limit 'much' is no size"),
    ]:
        run = reeve("evaluate", demo, *options)
        assert run.code == 2 and says in run.err and run.err.count("\n") == 1, run.err


# Bad days ------------------------------------------------------------------------------------------------------------


def table_of(demo):
    return next(path for path in demo.iterdir() if path.name.startswith("aws.iam.User-"))


def put(demo, content):
    """Put another table in a snapshot's place, its checksum as it should be."""
    path = table_of(demo)
    path.write_bytes(content)
    manifest = json.loads((demo / "manifest.json").read_text())
    with duckdb.connect() as connection:
        digest = connection.execute("SELECT sha256(content) FROM read_blob($1)", [str(path)]).fetchone()[0]
    manifest["tables"]["aws.iam.User"][0]["sha256"] = digest
    (demo / "manifest.json").write_text(json.dumps(manifest))


def rewritten(demo, query, tmp_path):
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query.format(table_of(demo))}) TO '{tmp_path / 'other.parquet'}' (FORMAT parquet)")
    put(demo, (tmp_path / "other.parquet").read_bytes())


ENGINES = ["duckdb", "interpreter"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_cut_short(engine, demo, reeve):
    content = table_of(demo).read_bytes()
    table_of(demo).write_bytes(content[: len(content) // 2])
    run = reeve("evaluate", demo, "--engine", engine)
    assert run.code == 2 and "is damaged" in run.err and "collect again" in run.err
    put(demo, content[: len(content) // 2])
    run = reeve("evaluate", demo, "--engine", engine)
    assert run.code == 2 and run.err.count("\n") == 1 and ".parquet" in run.err


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * EXCLUDE (accessKey2Active) FROM '{}'", "accessKey2Active"),
        ("SELECT * REPLACE ('yes' AS accessKey2Active) FROM '{}'", "accessKey2Active"),
        ("SELECT * REPLACE (1 AS disappearanceTime) FROM '{}'", "disappearanceTime"),
    ],
    ids=["missing", "text for a Boolean", "number for a time"],
)
def test_another_column(engine, query, says, demo, reeve, tmp_path):
    rewritten(demo, query, tmp_path)
    run = reeve("evaluate", demo, "--engine", engine)
    assert run.code == 2 and says in run.err and run.err.count("\n") == 1, run.err


@pytest.mark.parametrize("engine", ENGINES)
def test_a_newer_schema(engine, demo, reeve):
    manifest = json.loads((demo / "manifest.json").read_text())
    (demo / "manifest.json").write_text(json.dumps({**manifest, "schema": "reeve.snapshot/99"}))
    run = reeve("evaluate", demo, "--engine", engine)
    assert run.code == 2 and "reeve.snapshot/99" in run.err


def test_columns_of_a_newer_type_are_let_be(demo, reeve, tmp_path):
    options = (*FIRST, "--engine", "duckdb", "--format", "json")
    before = reeve("evaluate", demo, *options).report
    rewritten(demo, "SELECT *, 1 AS one, 'x' AS \"a b\" FROM '{}'", tmp_path)
    assert reeve("evaluate", demo, *options).report["findings"] == before["findings"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_disk_that_fills(engine, demo, tmp_path, reeve):
    """A limit on the size of files is what a full disk is to a program: its writes fail."""
    copies = 40_000 if engine == "duckdb" else 2_000  # an engine packs its codes well, the interpreter's lines are long
    rewritten(demo, f"SELECT t.* REPLACE (id || n AS id) FROM '{{}}' t, range({copies}) r(n)", tmp_path)
    manifest = msgspec.json.decode((demo / "manifest.json").read_bytes(), type=Manifest)
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT count(*) FROM '{table_of(demo)}'").fetchone()[0]
    (table,) = manifest.tables["aws.iam.User"]
    tables = {**manifest.tables, "aws.iam.User": (msgspec.structs.replace(table, rows=rows),)}
    (demo / "manifest.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, tables=tables)))
    limit, repository = resource.getrlimit(resource.RLIMIT_FSIZE), Repository.open(CATALOG)
    programs = production_programs(repository, [POLICY])
    with writing(tmp_path / "o"), Snapshot(demo, repository.object_type) as taken, ExitStack() as stack:
        opened = stack.enter_context(DuckDB(tmp_path / "spill", 1)) if engine == "duckdb" else None
        before = write_outcomes(tmp_path / "o", opened, taken, programs).manifest
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
        try:
            with pytest.raises((SnapshotError, EngineError), match=r"(?i)write|too large"):
                write_outcomes(tmp_path / "o", opened, taken, programs)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert Outcomes.read(tmp_path / "o").manifest == before
    assert len(list((tmp_path / "o").glob("run-*"))) == 1


def test_reports_never_stand_beside_outcomes_of_another_run(demo, reeve, tmp_path):
    """The reports can't be written, as on a full disk, when the outcomes are: those of the run before must be gone."""
    out = tmp_path / "o"
    reeve("evaluate", demo, *FIRST, "--out", out, "--quiet")
    first = Outcomes.read(out / "outcomes").manifest
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, limit[1]))
    try:
        run = reeve("evaluate", demo, *FIRST, "--engine", "interpreter", "--out", out, "--quiet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert run.code == 2 and "can't write to" in run.err
    assert Outcomes.read(out / "outcomes").manifest != first
    assert {path.name for path in out.iterdir()} == {"outcomes"}


def test_two_runs_into_one_directory(demo, reeve, tmp_path):
    with writing(tmp_path / "o" / "outcomes"):
        run = reeve("evaluate", demo, "--out", tmp_path / "o", "--format", "parquet")
    assert run.code == 2 and "another reeve is writing" in run.err


def test_outcomes_that_are_not_whole(demo, reeve, tmp_path):
    reeve("evaluate", demo, *FIRST, "--out", tmp_path / "o", "--format", "parquet")
    (part,) = (tmp_path / "o" / "outcomes").rglob("*.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM '{part}' LIMIT 1) TO '{tmp_path / 'x.parquet'}'")
    part.write_bytes((tmp_path / "x.parquet").read_bytes())
    with pytest.raises(SnapshotError, match="not whole"):
        Outcomes.read(tmp_path / "o" / "outcomes")
    part.unlink()
    with pytest.raises(SnapshotError, match="can't be read"):
        Outcomes.read(tmp_path / "o" / "outcomes")
    run = reeve("evaluate", demo, *FIRST, "--out", tmp_path / "p", "--format", "parquet", "--since", tmp_path / "o")
    assert run.code == 2 and not (tmp_path / "p" / "outcomes" / "outcomes.json").exists()


def test_a_fingerprint_is_the_same_in_every_process(tmp_path):
    """Else the next process would judge all again for `--since`, and the site would show no results."""
    script = (
        "from datetime import UTC, datetime\n"
        "from reeve.cli.working import open_repository\n"
        "from reeve.evaluate.fingerprints import fingerprint\n"
        "from reeve.findings.scan import production_programs\n"
        "from reeve.language.evaluation import Moment\n"
        "repository, moment = open_repository(None), Moment.at(datetime(2026, 1, 1, tzinfo=UTC))\n"
        "for name, program in production_programs(repository, list(repository.policies)).items():\n"
        "    print(name, fingerprint(program, repository.object_type, moment))\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] != ""
