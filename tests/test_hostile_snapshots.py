"""Snapshots and outcomes that somebody else has written: one clear error, or the truth; never a better verdict, in any judge."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import things
from reeve.inventory.directory import sha256, writing
from reeve.inventory.manifest import read_manifest
from reeve.inventory.snapshot import write_snapshot
from reeve.repository.repository import Repository

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
COLUMNS = (
    "id",
    "name",
    "open",
    "size",
    "madeAt",
    "document",
    "tags",
    "ownerId",
    "goneAt",
    *("_account", "_region", "_arn", "_asOf", "_source", "_notCollected"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return things.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def judge(made, reeve):
    """Evaluate a snapshot by the interpreter and by DuckDB, and explain; return the verdicts by policy and object, None if refused."""

    def run(snapshot):
        found = []
        for engine in ("interpreter", "duckdb"):
            done = reeve("evaluate", snapshot, "--repo", made / "repo", "--engine", engine, "--format", "json")
            assert done.code in (0, 1, 2, 3), done.err
            if done.code == 2:
                assert done.out == "" and done.err.count("\n") == 1 and "internal" not in done.err, done.err
                found.append(None)
                continue
            report = json.loads(done.out)
            well = all(one["status"] in ("COMPLIANT", "INAPPLICABLE", "DISAPPEARED") for one in report["findings"])
            assert well or done.code != 0
            found.append({(one["policy"], one["object"]): (one["status"], one["code"]) for one in report["findings"]})
        told = reeve("explain", "open", "t1", "--repo", made / "repo", "--snapshot", snapshot)
        assert told.code in (0, 2) and "internal" not in told.err
        assert found[0] == found[1]
        return found[0]

    return run


@pytest.fixture
def snapshot(made, tmp_path):
    return Path(shutil.copytree(made / "snapshot", tmp_path / "snapshot"))


def rewrite(snapshot, query, type_id="t.Thing", rows=None):
    """Put a query's result in the place of a table, with the manifest as it must be for it."""
    manifest = json.loads((snapshot / "manifest.json").read_text())
    (table,) = manifest["tables"][type_id]
    path = snapshot / table["file"]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        made = query.format(t=f"read_parquet('{path}')")
        connection.execute(f"COPY ({made}) TO '{path}.new' (FORMAT parquet)")
        table["rows"] = (
            connection.execute(f"SELECT count(*) FROM read_parquet('{path}.new')").fetchone()[0] if rows is None else rows
        )
    Path(f"{path}.new").rename(path)
    table["sha256"] = sha256(path)
    (snapshot / "manifest.json").write_text(json.dumps(manifest))


def replaced(column, value, where="id = 't2'"):
    return f"SELECT * REPLACE (CASE WHEN {where} THEN {value} ELSE {column} END AS {column}) FROM {{t}}"


DEEP = "repeat('[', 5000) || repeat(']', 5000)"
REFUSED = {
    "a null id": (replaced("id", "NULL"), "objects have no id"),
    "a repeated id": (replaced("id", "'t1'"), "have the id 't1'"),
    "a repeated object": ("SELECT * FROM {t} UNION ALL SELECT * FROM {t} WHERE id = 't1'", "have the id 't1'"),
    "no region": (replaced("_region", "NULL"), "don't say which region"),
    "no account": (replaced("_account", "NULL"), "not of the account '123456789012'"),
    "another's account": (replaced("_account", "'1'"), "not of the account '123456789012'"),
    "no time": (replaced("_asOf", "NULL"), "don't say as of when"),
    "no source": (replaced("_source", "NULL"), "don't say where they are from"),
    "an infinite time": (replaced("madeAt", "'infinity'::TIMESTAMPTZ"), "outside the calendar"),
    "a time before all": (replaced("madeAt", "'0044-03-15 (BC) 00:00:00+00'::TIMESTAMPTZ"), "outside the calendar"),
    "a time after all": (replaced("_asOf", "'294000-01-01 00:00:00+00'::TIMESTAMPTZ"), "outside the calendar"),
    "an infinite time without a zone": ("SELECT * REPLACE ('-infinity'::TIMESTAMP AS madeAt) FROM {t}", "outside the calendar"),
    "no JSON": (replaced("document", "'{{'"), "no JSON"),
    "JSON that only some read": (replaced("document", "'[1,]'"), "no JSON"),
    "deep JSON": (replaced("document", DEEP), "no JSON that can be read"),
    "an endless number": (replaced("document", "repeat('9', 5000)"), "no JSON that can be read"),
    "reasons that are no JSON": (replaced("_notCollected", "'open'"), "no JSON of texts"),
    "reasons that are a list": (replaced("_notCollected", "'[1]'"), "no JSON of texts"),
    "reasons that are no texts": (replaced("_notCollected", "'{{\"open\": 1}}'"), "no JSON of texts"),
    "deep reasons": (replaced("_notCollected", DEEP), "no JSON of texts"),
    "an id that was not collected": (replaced("_notCollected", '\'{{"id":"x"}}\''), "names the id"),
    "a name in other letters": (replaced("_notCollected", '\'{{"op\\u0065n":"x"}}\''), "writes the name 'open' oddly"),
    "a name apart from its colon": (replaced("_notCollected", '\'{{"open" :"x"}}\''), "writes the name 'open' oddly"),
    "a column of another type": ("SELECT * REPLACE ('yes' AS open) FROM {t}", "'open' is VARCHAR"),
    "a column in other letters": ('SELECT * EXCLUDE (open), open AS "OPEN" FROM {t}', "no column 'open'"),
    "a column of lists of numbers": ("SELECT * REPLACE ([1] AS tags) FROM {t}", "'tags' is INTEGER[]"),
    "no such columns": ("SELECT 1 AS x FROM {t}", "no column"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_in_which_something_does_not_hold(name, judge, reeve, made, snapshot):
    query, says = REFUSED[name]
    rewrite(snapshot, query)
    assert judge(snapshot) is None
    assert says in reeve("evaluate", snapshot, "--repo", made / "repo").err


def test_rows_that_are_not_there(judge, snapshot):
    rewrite(snapshot, "SELECT * FROM {t} WHERE id <> 't2'", rows=3)
    assert judge(snapshot) is None


def test_tables_that_others_write_are_read(judge, made, snapshot):
    """Another order, more columns, other names for the same kinds, no rows: none of it matters."""
    before = judge(made / "snapshot")
    assert {status for (_, thing), (status, _) in before.items() if thing == "t2"} == {"INCOMPLIANT"}
    assert before["/ce/open", "t3"][0] == before["/ce/parts", "t3"][0] == "UNDETERMINED"
    rewrite(
        snapshot,
        'SELECT 1 AS extra, * REPLACE (size::INTEGER AS size, madeAt::TIMESTAMP AS madeAt), 2 AS "OPEN" FROM {t} ORDER BY id DESC',
    )
    assert judge(snapshot) == before
    rewrite(snapshot, "SELECT * FROM {t} LIMIT 0")
    assert judge(snapshot) == {}


def test_what_is_collected_twice_or_without_an_id(judge, made, tmp_path):
    """Of two objects with one id nobody knows which is which; one without is missing: neither makes anything better."""
    repository, records = Repository.open(made / "repo"), things.records()
    good, bad, _ = records["t.Thing"]
    twin, nameless = replace(bad, fields={**bad.fields, "id": "t1"}), replace(bad, fields={**bad.fields, "id": None})
    records["t.Thing"] = [good, twin, nameless, bad, bad]
    with writing(tmp_path / "s"):
        tables = [(repository.object_type(name), some) for name, some in records.items()]
        written = write_snapshot(tmp_path / "s", [(things.part(), tables)])
    assert [(one.code, one.count, one.subjects) for one in written.errors] == [
        ("NoId", 1, ()),
        ("RepeatedId", 1, ("t1",)),
    ]
    found = judge(tmp_path / "s")
    truth = judge(made / "snapshot")
    assert {thing for _, thing in found} == {"t1", "t2"}
    for (policy, thing), (status, _) in found.items():
        if thing == "t2" or policy == "/ce/parts":
            assert status == truth[policy, thing][0]
        else:
            assert status == "UNDETERMINED"


MANIFESTS = [
    None,
    "",
    "x",
    0,
    -1,
    2**70,
    1.5,
    True,
    [],
    {},
    [[]],
    {"x": {}},
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "../x",
    "\ud800",
]
VALUES = {
    "id": ["'t1'", "NULL", "chr(0)", "repeat('x', 100000)", "'../../x'"],
    "name": ["NULL", "chr(27) || '[31m'", "repeat('n', 100000)", "'<b>'"],
    "open": ["NULL", "TRUE"],
    "size": ["NULL", "'nan'::DOUBLE", "'infinity'::DOUBLE", "-1e308"],
    "madeAt": [
        "NULL",
        "'0001-01-01 00:00:00+00'::TIMESTAMPTZ",
        "'9999-12-31 23:59:59.999999+00'::TIMESTAMPTZ",
        "'infinity'::TIMESTAMPTZ",
    ],
    "document": [
        "NULL",
        "''",
        "'null'",
        "'\"\\ud800\"'",
        "'NaN'",
        '\'{{"a":{{"b":1}}}}\'',
        DEEP,
        "repeat('[', 900) || repeat(']', 900)",
    ],
    "tags": ["NULL", "[]", "[NULL, 'x']"],
    "ownerId": ["NULL", "'nobody'", "'t1'", "''"],
    "goneAt": ["'0001-01-01 00:00:00+00'::TIMESTAMPTZ", "'infinity'::TIMESTAMPTZ"],
    "_account": ["NULL", "''", "'123456789012'", "'1'"],
    "_region": ["NULL", "'global'", "'x/../y'"],
    "_arn": ["NULL", "''", "'javascript:x'"],
    "_asOf": ["NULL", "'9999-12-31 23:59:59.999999+00'::TIMESTAMPTZ", "'0001-01-01 00:00:00+00'::TIMESTAMPTZ"],
    "_source": ["NULL", "chr(0)"],
    "_notCollected": [
        "'{{}}'",
        '\'{{"open":""}}\'',
        '\'{{"id":"x"}}\'',
        '\'{{"owner":"x","ownerId":"y"}}\'',
        "'null'",
        "'\"x\"'",
        '\'{{"name":"\\ud800"}}\'',
    ],
}
LOST = [f"SELECT * EXCLUDE ({name}) FROM {{t}}" for name in COLUMNS] + [
    f"SELECT * REPLACE (NULL AS {name}) FROM {{t}}" for name in COLUMNS
]
tables = st.one_of(
    st.sampled_from([(name, value) for name, values in VALUES.items() for value in values]).flatmap(
        lambda pair: st.sampled_from(["id = 't2'", "TRUE", "id = 't1'"]).map(lambda where: replaced(*pair, where))
    ),
    st.sampled_from(LOST),
    st.sampled_from([query for query, _ in REFUSED.values()]),
)


def places(data, here=()):
    """Yield the way to every value of some JSON."""
    yield here
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*here, key))


def test_mutated_snapshots(judge, made, tmp_path):
    truth = judge(made / "snapshot")
    original = json.loads((made / "snapshot" / "manifest.json").read_text())
    ways = [way for way in places(original) if way]

    @settings(max_examples=3000 if FUZZ else 15)
    @given(
        st.lists(tables, max_size=2),
        st.none() | st.tuples(st.sampled_from(ways), st.sampled_from([*MANIFESTS, "del"])),
        st.data(),
    )
    def survives(queries, change, data):
        shutil.rmtree(tmp_path / "s", ignore_errors=True)
        snapshot = Path(shutil.copytree(made / "snapshot", tmp_path / "s"))
        for query in queries:
            try:
                rewrite(snapshot, query)
            except duckdb.Error:
                return
        if change is not None:
            manifest = json.loads((snapshot / "manifest.json").read_text())
            (*way, last), value = change
            inner = manifest
            for key in way:
                inner = inner[key]
            inner.pop(last) if value == "del" else inner.__setitem__(last, value)
            (snapshot / "manifest.json").write_text(json.dumps(manifest))
        found = judge(snapshot)
        # What a mutation says of an object is then its truth; but what was only lost makes no verdict better.
        if found is not None and not queries:
            assert found.items() <= truth.items() or change[0][-1] in ("startedAt", "finishedAt")

    survives()


# Outcomes -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(made, reeve, tmp_path):
    reeve("evaluate", made / "snapshot", "--repo", made / "repo", "--out", tmp_path / "kept", "--format", "parquet")
    return tmp_path / "kept"


def since(reeve, made, kept, tmp_path):
    shutil.rmtree(tmp_path / "again", ignore_errors=True)
    options = ("--repo", made / "repo", "--out", tmp_path / "again", "--format", "json,parquet", "--since", kept)
    return reeve("evaluate", made / "snapshot", *options)


def alter(kept, query, counted):
    """Put a query's result in the place of the outcomes' table, with the manifest as it must be for it, its counts if `counted`."""
    (part,) = (kept / "outcomes").rglob("*.parquet")
    with duckdb.connect() as connection:
        made = query.format(t=f"'{part}'")
        connection.execute(f"COPY ({made}) TO '{part}.new' (FORMAT parquet)")
    Path(f"{part}.new").rename(part)
    manifest = json.loads((kept / "outcomes" / "outcomes.json").read_text())
    (of,) = manifest["types"].values()
    of["files"] = {name: sha256(kept / "outcomes" / name) for name in of["files"]}
    for policy in of["policies"].values() if counted else ():
        query = f"SELECT {policy['column']}, count(*) FROM '{part}' GROUP BY 1"
        policy["codes"] = {str(code): number for code, number in duckdb.sql(query).fetchall()}
    (kept / "outcomes" / "outcomes.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * REPLACE (12345 AS code0) FROM {t}", "has no outcome 12345"),
        ("SELECT * REPLACE (NULL::SMALLINT AS code0) FROM {t}", "not whole"),
        ("SELECT * REPLACE (1.5::DOUBLE AS code0) FROM {t}", "no column 'code0' of"),
        ("SELECT * REPLACE ('x' AS code0) FROM {t}", "no column 'code0' of"),
        ("SELECT * REPLACE (-1 AS code0) FROM {t}", "has no outcome -1"),
        ("SELECT * EXCLUDE (code0) FROM {t}", "no column 'code0'"),
        ("SELECT * REPLACE (1 AS id) FROM {t}", "no column 'id'"),
        ("SELECT * FROM {t} LIMIT 1", "not whole"),
        ("SELECT * REPLACE ('t1' AS id) FROM {t}", "are of other objects"),
        ("SELECT * REPLACE (CASE id WHEN 't2' THEN 'x' ELSE id END AS id) FROM {t}", "are of other objects"),
        ("SELECT * REPLACE (nullif(id, 't2') AS id) FROM {t}", "not whole"),
    ],
)
def test_altered_outcomes(query, says, made, kept, reeve, tmp_path):
    alter(kept, query, counted=says in ("has no outcome 12345", "has no outcome -1"))
    run = since(reeve, made, kept, tmp_path)
    assert run.code == 2 and says in run.err and run.err.count("\n") == 1, run.err


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * REPLACE (12345 AS code0) FROM {t}", "has no outcome 12345"),
        ("SELECT * REPLACE (-1 AS code0) FROM {t}", "has no outcome -1"),
        ("SELECT * FROM {t} WHERE id = 't1'", "are not of the snapshot"),
        ("SELECT * REPLACE ('x' AS id) FROM {t}", "holds no t.Thing 'x'"),
        ("SELECT * REPLACE ('9' AS account) FROM {t}", "of the account '9'"),
    ],
)
def test_a_site_of_altered_outcomes(query, says, made, kept, reeve, tmp_path):
    alter(kept, query, counted=True)
    path = kept / "outcomes" / "outcomes.json"
    if "WHERE" in query:
        path.write_text(path.read_text().replace('"objects": 3', '"objects": 1'))
    run = reeve("site", "build", "--repo", made / "repo", "--out", tmp_path / "site", "--results", kept)
    assert run.code == 2 and says in run.err and run.err.count("\n") == 1, run.err


def test_an_altered_part_of_outcomes_is_noticed(made, kept, reeve, tmp_path):
    assert since(reeve, made, kept, tmp_path).code == 1
    (part,) = (kept / "outcomes").rglob("*.parquet")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    run = since(reeve, made, kept, tmp_path)
    assert run.code == 2 and "its checksum is not the one in the manifest" in run.err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"column": "code0"', '"column": "code0 FROM range(3) --"'),
        ('"run-', '"../run-'),
        ('"run-', '"/etc/run-'),
        ('/part-0.parquet"', '/../part-0.parquet"'),
        ('/part-0.parquet"', '/*.parquet"'),
        ('"objects": 3', '"objects": -3'),
        ('"types": {', '"types": [], "x": {'),
        ('"column": "code1"', '"column": "code0"'),
        ('"files": {', '"files": {}, "x": {'),
        ("reeve.outcomes/3", "reeve.outcomes/2"),
    ],
)
def test_a_manifest_of_outcomes_that_is_none(old, new, made, kept, reeve, tmp_path):
    path = kept / "outcomes" / "outcomes.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    run = since(reeve, made, kept, tmp_path)
    assert run.code == 2 and run.err.count("\n") == 1 and "internal" not in run.err, run.err


def test_a_name_that_was_not_read_is_no_name(made, snapshot, reeve):
    rewrite(snapshot, """SELECT * REPLACE (NULL::VARCHAR AS name, '{{"name": "denied"}}' AS _notCollected) FROM {t}""")
    for engine in ("interpreter", "duckdb"):
        run = reeve("evaluate", snapshot, "--repo", made / "repo", "--engine", engine, "--format", "json")
        found = json.loads(run.out)["findings"]
        assert found and all(one["name"] is None for one in found)
    told = reeve("explain", "open", "t1", "--repo", made / "repo", "--snapshot", snapshot)
    assert told.out.startswith("/ce/open on t1\n"), told.out


@pytest.mark.parametrize("type_id", ["t Größe", "t'*?", "t" * 300])
def test_a_type_of_any_id_has_a_table_that_is_read(type_id, made, snapshot):
    thing = replace(Repository.open(made / "repo").object_type("t.Thing"), id=type_id)
    with writing(snapshot):
        written = write_snapshot(snapshot, [(things.part(), [(thing, [])])])
    assert read_manifest(snapshot).tables == written.tables
    assert list(written.tables) == [type_id]
