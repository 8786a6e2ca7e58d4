"""Snapshots of several accounts: parts are added and replaced as a whole, and an object is told by account and id."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import duckdb
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import things
from account import Account, Server
from conftest import FIRST, ROOT
from reeve.evaluate.engines.duckdb import DuckDB
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.write_outcomes import write_outcomes
from reeve.findings.scan import production_programs
from reeve.inventory.directory import sha256, writing
from reeve.inventory.manifest import MANIFEST, CollectionError, SnapshotError, read_manifest
from reeve.inventory.records import Reader, Wanted
from reeve.inventory.snapshot import write_snapshot
from reeve.inventory.tables import checked_tables, connection
from reeve.repository.repository import Repository

A, B, C = "111111111111", "222222222222", "333333333333"
LATER = things.NOW + timedelta(hours=1)


@pytest.fixture
def estate(tmp_path):
    """A snapshot of two accounts, whose objects have the same ids."""
    things.make(tmp_path)
    things.write(tmp_path, A)
    things.write(tmp_path, B, LATER, keep_others=True)
    return tmp_path


def thing(root):
    return Repository.open(root / "repo").object_type("t.Thing")


def read(root, wanted=None):
    with connection() as opened:
        reader = Reader(root / "snapshot", read_manifest(root / "snapshot"), opened)
        return [(one.account, one.fields["id"]) for one in reader.records(thing(root), wanted)]


def files(root, account=None):
    tables = read_manifest(root / "snapshot").tables.values()
    return {table.file for some in tables for table in some if account in (None, table.account)}


def change(root, edit):
    path = root / "snapshot" / MANIFEST
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def test_an_estate_is_what_its_parts_say(estate):
    manifest = read_manifest(estate / "snapshot")
    assert [part.account for part in manifest.parts] == [A, B]
    assert (manifest.moment, manifest.calls, manifest.calls_by_service) == (LATER, {"t:List": 2}, {"t": 2})
    assert (manifest.notes, manifest.policies, manifest.rows("t.Thing"), manifest.rows("t.None")) == (("a note",), (), 6, 0)
    assert manifest.part(B).started_at == LATER
    with pytest.raises(KeyError):
        manifest.part(C)
    assert read(estate) == [(account, f"t{number}") for account in (A, B) for number in (1, 2, 3)]
    assert read(estate, Wanted("id", ["t2"], [B])) == [(B, "t2")]
    assert len(checked_tables(estate / "snapshot", manifest, thing(estate))) == 2


def test_a_part_is_replaced_and_others_stay(estate):
    before = {name: (estate / "snapshot" / name).stat().st_ino for name in files(estate, A)}
    old = files(estate, B)
    things.write(estate, B, LATER, keep_others=True, left_out=("t.Owner",))
    manifest = read_manifest(estate / "snapshot")
    assert [part.account for part in manifest.parts] == [A, B]
    assert {name: (estate / "snapshot" / name).stat().st_ino for name in files(estate, A)} == before
    assert not old & {path.name for path in (estate / "snapshot").iterdir()}
    assert manifest.without("t.Owner") == (B,) and manifest.without("t.Thing") == () and manifest.without("t.None") == (A, B)


def test_a_type_whose_id_names_no_provider_is_missing_all_the_same(estate, reeve):
    """Else an account without a table of it has empty lists, which are as they should be."""
    things.write(estate, B, LATER, keep_others=True, left_out=("t.Part",))
    things.write(estate, C, LATER, keep_others=True, left_out=("t.Thing", "t.Owner", "t.Part"))
    change(estate, lambda manifest: [part.update(provider="x") for part in manifest["parts"][:2]])
    change(estate, lambda manifest: manifest["parts"][2].update(provider="y"))
    assert read_manifest(estate / "snapshot").without("t.Part") == (B,)
    for engine in ("interpreter", "duckdb"):
        options = ("--repo", estate / "repo", "--policy", "parts", "--engine", engine, "--format", "json")
        found = json.loads(reeve("evaluate", estate / "snapshot", *options).out)
        assert {one["status"] for one in found["findings"] if one["account"] == B} == {"UNDETERMINED"}
        assert [(error["code"], error["account"]) for error in found["snapshot"]["errors"]] == [("NotInSnapshot", B)]


def test_without_keeping_the_snapshot_is_replaced(estate):
    things.write(estate, C)
    assert [part.account for part in read_manifest(estate / "snapshot").parts] == [C]
    assert {path.name for path in (estate / "snapshot").iterdir()} == {MANIFEST, *files(estate)}


def test_an_error_is_known_with_its_account(estate):
    error = CollectionError("t:List", "Denied", "no", "ask", affects={"t.Thing": ()})
    part = msgspec.structs.replace(things.part(C), errors=(error,))
    with writing(estate / "snapshot"):
        write_snapshot(estate / "snapshot", [(part, [])], keep_others=True)
    change(estate, lambda manifest: manifest["parts"][2]["errors"][0].update(account=A))  # a lie
    assert [found.account for found in read_manifest(estate / "snapshot").errors] == [C]


@pytest.mark.parametrize(
    ("affects", "partly"), [({"t.Owner": ()}, (B,)), ({}, (B,)), ({"t.Owner": ("good",)}, ()), ({"t.Part": ()}, ())]
)
def test_a_list_that_failed_leaves_a_table_that_may_lack_objects(affects, partly, estate, reeve):
    error = {"call": "t:Owners", "code": "Denied", "message": "no", "advice": "ask", "affects": affects}
    change(estate, lambda manifest: manifest["parts"][1].update(errors=[error]))
    manifest = read_manifest(estate / "snapshot")
    assert (manifest.partly("t.Owner"), manifest.without("t.Owner"), manifest.partly("t.None")) == (partly, (), ())
    run = reeve("evaluate", estate / "snapshot", "--repo", estate / "repo", "--policy", "owner", "--format", "json")
    assert json.loads(run.out)["snapshot"]["complete"] == (affects == {"t.Part": ()})


@pytest.mark.parametrize("there", ["added", "kept"])
def test_an_account_that_is_not_known_stays_alone(estate, there):
    if there == "kept":
        things.write(estate, "")
    with pytest.raises(SnapshotError, match="could not be read, so that it can't be told from others"):
        things.write(estate, "" if there == "added" else C, keep_others=True)
    assert [part.account for part in read_manifest(estate / "snapshot").parts] == ([""] if there == "kept" else [A, B])
    read(estate)


DAMAGED = {
    "no parts": (lambda manifest: manifest.update(parts=[]), "it is of no account"),
    "an account twice": (lambda manifest: manifest["parts"].append(manifest["parts"][0]), "several parts for the account"),
    "no number": (lambda manifest: manifest["parts"][0].update(account=""), "without an account's number beside others"),
    "a table of nobody": (
        lambda manifest: manifest["tables"]["t.Thing"][0].update(account=C),
        f"a table of the account '{C}', but no part",
    ),
    "a file twice": (lambda manifest: manifest["tables"]["t.Thing"].append(manifest["tables"]["t.Thing"][0]), "a file twice"),
    "a file of elsewhere": (lambda manifest: manifest["tables"]["t.Thing"][0].update(file="../x"), "none of a snapshot's"),
    "a time beyond all": (
        lambda manifest: manifest["parts"][1].update(startedAt="0001-01-01T00:00:00+14:00"),
        "outside the calendar",
    ),
    "a time without a zone": (lambda manifest: manifest["parts"][1].update(startedAt="2026-01-01T00:00:00"), "is damaged"),
    "the schema before": (
        lambda manifest: manifest.update(schema="reeve.snapshot/1"),
        "'reeve.snapshot/1', which this version of reeve doesn't read: it reads 'reeve.snapshot/2'; collect again",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_manifest_is_one_error(name, estate):
    edit, says = DAMAGED[name]
    change(estate, edit)
    with pytest.raises(SnapshotError) as error:
        read_manifest(estate / "snapshot")
    assert says in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(SnapshotError):  # nor is it added to, which would drop what it holds
        things.write(estate, C, keep_others=True)


def rewrite(root, account, query):
    """Put a query's result in the place of an account's things, with the manifest as it must be for it."""
    (name,) = (one.file for one in read_manifest(root / "snapshot").tables["t.Thing"] if one.account == account)
    path = root / "snapshot" / name
    with duckdb.connect() as opened:
        opened.execute(f"COPY ({query.format(t=f'read_parquet($${path}$$)')}) TO '{path}.new' (FORMAT parquet)")
        (rows,) = opened.execute(f"SELECT count(*) FROM read_parquet('{path}.new')").fetchone()
    (path.parent / f"{name}.new").rename(path)

    def noted(manifest):
        for table in manifest["tables"]["t.Thing"]:
            if table["file"] == name:
                table.update(rows=rows, sha256=sha256(path))

    change(root, noted)


REFUSED = {
    "another's object": (f"SELECT * REPLACE (CASE id WHEN 't1' THEN '{A}' ELSE _account END AS _account) FROM {{t}}", "not of"),
    "nobody's object": ("SELECT * REPLACE (NULL::VARCHAR AS _account) FROM {t}", f"not of the account '{B}'"),
    "no region": ("SELECT * REPLACE (nullif(_region, 'here') AS _region) FROM {t}", "3 objects don't say which region"),
    "no column": ("SELECT * EXCLUDE (_arn) FROM {t}", "no column '_arn'"),
    "an id twice": ("SELECT * REPLACE ('t1' AS id) FROM {t}", f"several t.Thing of the account '{B}' have the id 't1'"),
    "whole numbers": ("SELECT * REPLACE (size::INTEGER AS size) FROM {t}", "'size' is INTEGER, and DOUBLE in another"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_is_not_its_accounts(name, estate):
    query, says = REFUSED[name]
    rewrite(estate, B, query)
    (bad,) = files(estate, B) & {table.file for table in read_manifest(estate / "snapshot").tables["t.Thing"]}
    with pytest.raises(SnapshotError) as error:
        checked_tables(estate / "snapshot", read_manifest(estate / "snapshot"), thing(estate))
    assert says in str(error.value), str(error.value)
    assert bad in str(error.value) or name == "an id twice"


def test_an_arn_that_could_not_be_read_is_none(estate):
    rewrite(estate, B, "SELECT 1 AS more, * REPLACE (NULL::VARCHAR AS _arn) FROM {t} ORDER BY id DESC")
    assert read(estate)[3:] == [(B, "t3"), (B, "t2"), (B, "t1")]


@pytest.mark.parametrize("wrong", ["missing", "other"])
def test_a_file_of_a_part_that_is_not_there(wrong, estate):
    (name,) = (one.file for one in read_manifest(estate / "snapshot").tables["t.Thing"] if one.account == B)
    path = estate / "snapshot" / name
    path.unlink() if wrong == "missing" else path.write_bytes(b"x")
    with pytest.raises(SnapshotError) as error:
        read(estate)
    assert name in str(error.value) and (wrong == "other" or f"collect the account {B} again" in str(error.value))


@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.booleans()), min_size=1, max_size=5))
def test_what_is_there_after_any_runs(tmp_path_factory, runs):
    root = tmp_path_factory.mktemp("runs")
    things.make(root)
    there = {things.ACCOUNT}
    for account, keep in runs:
        things.write(root, account, keep_others=keep)
        there = {*there, account} if keep else {account}
        assert {part.account for part in read_manifest(root / "snapshot").parts} == there
        assert {path.name for path in (root / "snapshot").iterdir()} == {MANIFEST, *files(root)}
    assert {account for account, _ in read(root)} == there


# Killed, and at once --------------------------------------------------------------------------------------------------

# Adds an account in forks of one process, each killed at a later one of the moments at which a file is opened, renamed or removed.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
import things
root, account = Path(sys.argv[1]), sys.argv[2]
moment, code = 0, None
while code != 0:
    moment += 1
    made = root / str(moment)
    shutil.copytree(root / "old", made)
    child = os.fork()
    if child == 0:
        seen = 0
        def hook(event, given):
            global seen
            if event in ("open", "os.rename", "os.remove") and any(str(one).startswith(str(made) + "/snapshot") for one in given):
                seen += 1
                if seen == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        things.write(made, account, keep_others=True)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(moment)
"""


@pytest.mark.parametrize("account", [B, C])
def test_killed_while_an_account_is_added(account, tmp_path):
    things.make(tmp_path / "old")
    things.write(tmp_path / "old", A)
    things.write(tmp_path / "old", B, keep_others=True)
    paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "src")])
    command = [sys.executable, "-c", KILLED, str(tmp_path), account]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0, done.stderr
    moments = int(done.stdout)
    assert moments > 15
    for moment in range(1, moments + 1):
        root = tmp_path / str(moment)
        found = [part.account for part in read_manifest(root / "snapshot").parts]
        assert found in ([A, B], [A, account] if account == B else [A, B, C])
        assert sorted({one for one, _ in read(root)}) == sorted(found), "every file that the manifest names is there, and whole"
        things.write(root, account, keep_others=True)
        assert {path.name for path in (root / "snapshot").iterdir()} == {MANIFEST, *files(root)}, "nothing is left over"


@pytest.mark.parametrize("engine", [None, "duckdb"])
def test_an_account_that_is_added_while_others_are_judged(engine, estate, tmp_path):
    """What was judged is not the snapshot that is there in the end: no outcomes may say so."""
    repository = Repository.open(estate / "repo")
    programs = production_programs(repository, ["/ce/open"])

    def add(what, done, total):
        things.write(estate, C, keep_others=True)

    with writing(tmp_path / "o"), ExitStack() as stack:
        taken = stack.enter_context(Snapshot(estate / "snapshot", repository.object_type))
        judge = stack.enter_context(DuckDB(tmp_path / "spill", 1)) if engine else None
        with pytest.raises(SnapshotError, match="was replaced while it was judged; evaluate it again"):
            write_outcomes(tmp_path / "o", judge, taken, programs, tell=add)
        assert [path.name for path in (tmp_path / "o").iterdir()] == [".lock"]
        again = stack.enter_context(Snapshot(estate / "snapshot", repository.object_type))
        assert write_outcomes(tmp_path / "o", judge, again, programs).manifest.types["t.Thing"].objects == 9


def test_what_is_explained_is_told_from_others_of_its_name(estate, reeve):
    told = reeve("explain", "open", "bad", "--repo", estate / "repo", "--snapshot", estate / "snapshot").out
    assert [line for line in told.splitlines() if " · " in line] == [f"  t2 · here · {one}" for one in (A, B)]


def test_whoever_waits_too_long_is_told(tmp_path):
    things.make(tmp_path)
    with writing(tmp_path / "snapshot"), pytest.raises(SnapshotError, match="another reeve is writing"):
        things.write(tmp_path, C, keep_others=True, patience=0.2)


@pytest.fixture
def accounts(monkeypatch):
    """Three accounts, each with its own address."""
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "eu-central-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    servers = [Server(Account(number=number)) for number in (A, B, C)]
    for server in servers:
        server.account.add("alice", True, True)
        server.account.delay = 0.05
    servers[2].account.aliases = []
    yield servers
    for server in servers:
        server.stop()


def test_accounts_that_are_added_at_once(accounts, reeve_process, reeve, tmp_path, monkeypatch):
    """Both land, whoever is first; an account that is collected again takes its own place."""
    out = tmp_path / "estate"

    def start(server):
        return reeve_process(
            "collect", *FIRST, "--out", out, "--add", env={**os.environ, "AWS_ENDPOINT_URL": server.address}
        ).communicate()

    with ThreadPoolExecutor() as pool:
        said = list(pool.map(start, accounts))
    assert sorted(text.split(" in ")[0][-12:] for text, _ in said) == [A, B, C], said
    names = {part.account: part.account_name for part in read_manifest(out).parts}
    assert names == {A: "example", B: "example", C: None}
    assert read_manifest(out).rows("aws.iam.User") == 3
    monkeypatch.setenv("AWS_ENDPOINT_URL", accounts[0].address)
    accounts[0].account.add("bob", True)
    assert reeve("collect", *FIRST, "--out", out, "--add").code == 0
    assert read_manifest(out).rows("aws.iam.User") == 4 and len(read_manifest(out).parts) == 3
    assert reeve("collect", *FIRST, "--out", out).code == 0
    assert [part.account for part in read_manifest(out).parts] == [A]


def test_adding_to_what_can_not_be_added_to_reads_no_account(account, reeve, tmp_path):
    (tmp_path / MANIFEST).write_text('{"schema": "reeve.snapshot/1"}')
    run = reeve("collect", *FIRST, "--out", tmp_path, "--add")
    assert run.code == 2 and "'reeve.snapshot/1'" in run.err and run.err.count("\n") == 1
    assert not account.counts
    run = reeve("collect", *FIRST, "--out", "s3://bucket/estate", "--add")
    assert run.code == 2 and "--add needs a directory" in run.err and not account.counts


def test_accounts_of_one_number_and_two_providers_stay_apart(account, reeve, tmp_path):
    account.add("alice", True)
    assert reeve("collect", *FIRST, "--out", tmp_path).code == 0
    before = (tmp_path / MANIFEST).read_bytes()
    (part,) = read_manifest(tmp_path).parts
    with writing(tmp_path), pytest.raises(SnapshotError, match="of another provider"):
        write_snapshot(tmp_path, [(msgspec.structs.replace(part, provider="plain"), ())], keep_others=True)
    assert (tmp_path / MANIFEST).read_bytes() == before


def test_a_name_that_may_not_be_read_is_none(account, reeve, tmp_path):
    from account import Failure

    account.add("alice", True)
    account.failures["ListAccountAliases"] = Failure("AccessDenied", 403, 99)
    run = reeve("collect", *FIRST, "--out", tmp_path)
    manifest = read_manifest(tmp_path)
    assert (run.code, run.err) == (0, "")
    assert (manifest.parts[0].account_name, manifest.errors) == (None, ())
