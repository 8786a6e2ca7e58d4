"""The columnar evaluator beside SQL written by hand on the same engine, from Parquet to a Parquet of place, id, name and codes.

`columnar.py SCENARIO OBJECTS RUNS` prints `ours theirs ratio`, medians of seconds; `estate OBJECTS RUNS` the same of a hundred
accounts beside one with as many objects; `memory OBJECTS` and `compile POLICIES` print seconds and MB.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from reeve.evaluate.columnar import plan
from reeve.evaluate.engines.duckdb import DIALECT, DuckDB
from reeve.evaluate.estate import EstateTables
from reeve.evaluate.field_columns import Setting
from reeve.evaluate.interpreter import by_type, compile_body
from reeve.evaluate.judge_tables import judge_tables
from reeve.evaluate.queries import sql
from reeve.findings.scan import production_programs
from reeve.inventory.columns import kinds_of
from reeve.inventory.tables import ACCOUNT, ARN, REGION
from reeve.language.operations.base import Moment
from reeve.language.types import Kind
from reeve.repository.repository import Repository

CATALOG = Path(__file__).parent.parent / "catalog"
FIRST = "/ce/ca/aws/iam/user-has-more-than-one-active-access-key"
NOW = Moment.at(datetime(2026, 1, 31, 12, tzinfo=UTC))
THREADS = 2
COLUMNS = {"Text": "VARCHAR", "Bytes": "VARCHAR", "Number": "DOUBLE", "Boolean": "BOOLEAN", "DateTime": "TIMESTAMPTZ"}
WHERE = dict.fromkeys((ACCOUNT, REGION, ARN), Kind.TEXT)
Built = tuple[Repository, list[str], dict[str, list[str]], str]
"""A repository, its policies, the files of each type, and the query by hand."""


PLACE = "'111111111111' AS _account, 'global' AS _region, NULL::VARCHAR AS _arn"
OBJECT = "_account AS account, _region AS region, _arn AS arn"


def write(path: Path, query: str, place: str = PLACE) -> list[str]:
    query = f"SELECT {place}, * FROM ({query})"
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return [str(path)]


def first(directory: Path, objects: int) -> Built:
    """The catalogue's first policy over users of all its fields."""
    repository = Repository.open(CATALOG)
    object_type = repository.object_type("aws.iam.User")
    fields = object_type.fields
    values = {object_type.id_field: "'arn:aws:iam::123456789012:user/' || i"}
    values |= {"accessKey1Active": "i % 3 = 0", "accessKey2Active": "CASE WHEN i % 101 > 0 THEN i % 5 = 0 END"}
    shown = [f'({values.get(name, "NULL")})::{COLUMNS.get(of.type, "VARCHAR[]")} AS "{name}"' for name, of in fields.items()]
    files = write(
        directory / "users.parquet", f"SELECT {', '.join(shown)}, NULL::VARCHAR _notCollected FROM range({objects}) t(i)"
    )
    by_hand = f"""SELECT {OBJECT}, "{object_type.id_field}" AS id, nullif("{object_type.name_field}", '') AS name, (CASE WHEN disappearanceTime IS NOT NULL THEN 99 WHEN accessKey1Active IS NULL THEN 101
        WHEN accessKey1Active AND accessKey2Active IS NULL THEN 102 WHEN accessKey1Active AND accessKey2Active THEN 199
        ELSE 200 END)::USMALLINT AS code0 FROM read_parquet('{files[0]}')"""
    if "disappearanceTime" not in fields:
        by_hand = by_hand.replace("WHEN disappearanceTime IS NOT NULL THEN 99", "")
    return repository, [FIRST], {"aws.iam.User": files}, by_hand


def made(directory: Path, types: dict[str, str], policies: dict[str, str]) -> Repository:
    for name, text in types.items():
        path = directory / "repository" / "types" / name / "type.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    for name, text in policies.items():
        path = directory / "repository" / "ce" / name / "prod.logic.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return Repository.open(directory / "repository")


def query(kind: str, expression: str) -> str:
    checks = "undeterminedIf: {resultTypeMismatch: No., evaluationError: No.}"
    return f'{{{kind}: {{arg: {{FIELD: {{path: facts}}}}, expression: "{expression}", {checks}}}}}'


def json(directory: Path, objects: int) -> Built:
    """The same facts in a column of JSON, found by JMESPath."""
    keys = [query("JSON_QUERY_BOOLEAN", f"AccessKeys[{n}].Active") for n in (0, 1)]
    logic = f"""inputType: user
conditions:
- status: INCOMPLIANT
  currentStateMessage: Two.
  check: {{AND: {{args: [{", ".join(keys)}]}}}}
otherwise: {{status: COMPLIANT, currentStateMessage: One.}}
"""
    types = {"user": "name: User\nidField: id\nfields: {id: {type: Bytes}, facts: {type: Json}}\n"}
    repository = made(directory, types, {"p": logic})
    facts = """'{"UserName": "user-' || i || '", "AccessKeys": [{"Id": "AKIA' || i || '", "Active": ' || (i % 3 = 0)
        || '}, {"Active": ' || (i % 5 = 0) || '}]}'"""
    files = write(directory / "users.parquet", f"SELECT 'user-' || i AS id, {facts} AS facts FROM range({objects}) t(i)")
    one, two = (f"json_extract_string(facts, '$.AccessKeys[{n}].Active')" for n in (0, 1))
    by_hand = f"SELECT {OBJECT}, id, id AS name, (CASE WHEN {one} = 'true' AND {two} = 'true' THEN 199 ELSE 200 END)::USMALLINT code0 "
    return repository, ["/ce/p"], {"user": files}, by_hand + f"FROM read_parquet('{files[0]}')"


def fifty(directory: Path, objects: int, count: int = 50) -> Built:
    """Fifty policies of three conditions, over ten numbers and ten texts, in one pass."""
    fields = {f"n{k}": "Number" for k in range(10)} | {f"t{k}": "Bytes" for k in range(10)}
    declared = ", ".join(f"{name}: {{type: {kind}}}" for name, kind in {"id": "Bytes", **fields}.items())
    policies, cases = {}, []
    for k in range(count):
        n, m, t = k % 10, (k + 3) % 10, (k + 7) % 10
        policies[f"p{k:03}"] = f"""inputType: thing
conditions:
- status: INAPPLICABLE
  currentStateMessage: Not in use.
  check: {{IS_EQUAL: {{left: {{FIELD: {{path: t{t}}}}}, right: {{BYTES: value {k % 7}}}}}}}
- status: INCOMPLIANT
  currentStateMessage: Too much.
  check: {{GREATER_THAN: {{left: {{FIELD: {{path: n{n}, undeterminedIf: {{isEmpty: Not known.}}}}}}, right: {{NUMBER: {k}}}}}}}
- status: INCOMPLIANT
  currentStateMessage: More than the other.
  check: {{GREATER_THAN: {{left: {{FIELD: {{path: n{n}}}}}, right: {{FIELD: {{path: n{m}}}}}}}}}
otherwise: {{status: COMPLIANT, currentStateMessage: In order.}}
"""
        cases.append(f"""(CASE WHEN t{t} = 'value {k % 7}' THEN 199 WHEN n{n} IS NULL THEN 201 WHEN n{n} > {k} THEN 299
            WHEN n{n} > n{m} THEN 399 ELSE 400 END)::USMALLINT AS code{k}""")
    repository = made(directory, {"thing": f"name: Thing\nidField: id\nfields: {{{declared}}}\n"}, policies)
    numbers = [f"CASE WHEN hash(i * {k + 1}) % 50 > 0 THEN (hash(i + {k}) % 100)::DOUBLE END AS n{k}" for k in range(10)]
    texts = [f"'value ' || hash(i * 31 + {k}) % 9 AS t{k}" for k in range(10)]
    files = write(
        directory / "things.parquet", f"SELECT 'id-' || i AS id, {', '.join(numbers + texts)} FROM range({objects}) t(i)"
    )
    by_hand = f"SELECT {OBJECT}, id, id AS name, {', '.join(cases)} FROM read_parquet('{files[0]}')"
    return repository, [f"/ce/{name}" for name in policies], {"thing": files}, by_hand


OPEN_RULES = """relatedLists:
- relationshipName: rules
  conditions:
  - status: INCOMPLIANT
    currentStateMessage: Open.
    check: {IS_EQUAL: {left: {FIELD: {path: port}}, right: {NUMBER: 22}}}
  otherwise: {status: COMPLIANT, currentStateMessage: Closed.}
"""
"""What is said of the children of both kinds of parents."""


def children(directory: Path, objects: int) -> Built:
    """Parents whose children are judged and counted, five for each."""
    types = {
        "parent": "name: Parent\nidField: id\nfields: {id: {type: Bytes}}\n"
        "relatedLists: {rules: {type: child, foreignKey: parentId}}\n",
        "child": "name: Child\nidField: id\nfields: {id: {type: Bytes}, parentId: {type: Bytes}, port: {type: Number}}\n",
    }
    logic = """inputType: parent
conditions:
- status: INCOMPLIANT
  currentStateMessage: Open.
  check: {GREATER_THAN: {left: {RELATED_LIST_COUNT: {status: INCOMPLIANT, relationshipName: rules}}, right: {NUMBER: 1}}}
otherwise: {status: COMPLIANT, currentStateMessage: Closed.}
"""
    repository = made(directory, types, {"p": logic + OPEN_RULES})
    parents = write(directory / "parents.parquet", f"SELECT 'p-' || i AS id FROM range({objects}) t(i)")
    rules = f"SELECT 'c-' || i AS id, 'p-' || (i // 5) AS parentId, (20 + hash(i) % 5)::DOUBLE AS port FROM range({objects * 5}) t(i)"
    rules = write(directory / "children.parquet", rules)
    by_hand = f"""SELECT {OBJECT}, p.id, p.id AS name, (CASE WHEN coalesce(c.n, 0) > 1 THEN 199 ELSE 200 END)::USMALLINT AS code0
        FROM read_parquet('{parents[0]}') p LEFT JOIN
        (SELECT _account AS a, parentId, count(*) FILTER (port = 22) AS n FROM read_parquet('{rules[0]}') GROUP BY ALL) c
        ON c.a = p._account AND c.parentId = p.id"""
    return repository, ["/ce/p"], {"parent": parents, "child": rules}, by_hand


SCENARIOS: dict[str, Callable[[Path, int], Built]] = {"first": first, "json": json, "fifty": fifty, "children": children}


def run_ours(built: Built, directory: Path, spill: Path, memory: str | None = None, several: bool = False) -> float:
    repository, policies, tables, _ = built
    started = time.perf_counter()
    programs = {policy: compile_body(repository.logic(policy).body) for policy in policies}
    with DuckDB(spill, THREADS, memory) as engine:
        judge_tables(engine, EstateTables(tables, {}, several), programs, repository.object_type, NOW, str(directory))
    return time.perf_counter() - started


def run_theirs(built: Built, directory: Path) -> float:
    directory.mkdir(parents=True)
    started = time.perf_counter()
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(f"COPY ({built[3]}) TO '{directory / 'o.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
    return time.perf_counter() - started


def same(built: Built, ours: Path, theirs: Path) -> bool:
    files = f"read_parquet('{ours}/*/*/*.parquet')"
    with duckdb.connect() as connection:
        other = f"read_parquet('{theirs}/o.parquet')"
        counted = connection.execute(
            f"SELECT count(*) FROM (SELECT * FROM {files} EXCEPT ALL SELECT * FROM {other})"
        ).fetchone()
        return counted[0] == 0


def compare(scenario: str, objects: int, runs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as name:
        directory = Path(name)
        built = SCENARIOS[scenario](directory, objects)
        run_ours(built, directory / "warm", directory / "spill")  # loads Ibis, which a process does once
        pairs = [
            (run_ours(built, directory / f"ours{n}", directory / "spill"), run_theirs(built, directory / f"theirs{n}"))
            for n in range(runs)
        ]
        assert same(built, directory / "ours0", directory / "theirs0")
        ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(ours, theirs, statistics.median(a / b for a, b in pairs))


def in_accounts(directory: Path, objects: int, accounts: int) -> Built:
    """Objects with children and a lookup, which for one in a hundred leads to another account."""
    directory.mkdir()
    types = {
        "owner": "name: Owner\nidField: id\nfields: {id: {type: Bytes}, active: {type: Boolean}}\n",
        "child": "name: Child\nidField: id\nfields: {id: {type: Bytes}, parentId: {type: Bytes}, port: {type: Number}}\n",
        "parent": "name: Parent\nidField: id\nfields: {id: {type: Bytes}, ownerId: {type: Bytes}}\n"
        "lookups: {owner: {type: owner, foreignKey: ownerId}}\nrelatedLists: {rules: {type: child, foreignKey: parentId}}\n",
    }
    logic = """inputType: parent
conditions:
- status: UNDETERMINED
  currentStateMessage: Nobody's.
  check: {IS_EMPTY_LOOKUP: owner}
- status: INCOMPLIANT
  currentStateMessage: Open.
  check: {AND: {args: [{FIELD: {path: owner.active}}, {RELATED_LIST_HAS: {status: INCOMPLIANT, relationshipName: rules}}]}}
otherwise: {status: COMPLIANT, currentStateMessage: Closed.}
"""
    repository, each = made(directory, types, {"p": logic + OPEN_RULES}), objects // accounts
    tables: dict[str, list[str]] = {"owner": [], "child": [], "parent": []}
    for account in range(accounts):
        first, last = account * each, (account + 1) * each
        rows = f"range({first}, {last}) t(i)"
        queries = {
            "owner": f"SELECT 'o-' || i AS id, i % 3 = 0 AS active FROM {rows}",
            "child": f"SELECT 'c-' || i AS id, 'p-' || i AS parentId, (20 + hash(i) % 5)::DOUBLE AS port FROM {rows}",
            "parent": f"SELECT 'p-' || i AS id, 'o-' || CASE WHEN i % 100 = 0 THEN (i * 7) % {objects} ELSE i END AS ownerId FROM {rows}",
        }
        for name, query_ in queries.items():
            place = PLACE.replace("111111111111", f"{account:012}")
            tables[name] += write(directory / f"{name}{account}.parquet", query_, place)
    return repository, ["/ce/p"], tables, ""


def estate(objects: int, runs: int) -> None:
    """Print the seconds that a hundred accounts take, those that one with as many objects takes, and the ratio."""
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as name:
        directory = Path(name)
        many, one = in_accounts(directory / "many", objects, 100), in_accounts(directory / "one", objects, 1)
        run_ours(one, directory / "warm", directory / "spill")
        pairs = [
            (
                run_ours(many, directory / f"many{n}", directory / "spill", several=True),
                run_ours(one, directory / f"one{n}", directory / "spill"),
            )
            for n in range(runs)
        ]
        ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(ours, theirs, statistics.median(a / b for a, b in pairs))


def memory(objects: int) -> None:
    """Print seconds, and the peak memory in MB of a process that judges and does nothing else."""
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as name:
        directory, me = Path(name), [sys.executable, __file__]
        subprocess.run([*me, "write", str(objects), name], check=True)
        process = subprocess.Popen([*me, "judge", str(objects), name])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0 and any((directory / "ours").rglob("*.parquet"))
        print(usage.ru_maxrss / 1024)


def judge_first(directory: Path) -> None:
    built = Repository.open(CATALOG), [FIRST], {"aws.iam.User": [str(directory / "users.parquet")]}, ""
    print(run_ours(built, directory / "ours", directory / "spill"), flush=True)


def compiling(policies: int) -> None:
    """Print the seconds that it takes to plan the queries of many policies, from their files on."""
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as name:
        repository, ids, tables, _ = fifty(Path(name), 1, policies)
        bodies = [repository.logic(policy).body for policy in ids]
        with DuckDB(Path(name) / "spill", THREADS) as engine:
            object_type = repository.object_type("thing")
            columns = engine.open_table("objects_thing", tables["thing"], kinds_of(object_type) | WHERE)
            setting = Setting(engine.dialect, repository.object_type, lambda _: columns, NOW)
            started = time.perf_counter()
            sql(engine.dialect, plan(object_type, [compile_body(body) for body in bodies], setting).query)
            print(time.perf_counter() - started)


def functions() -> None:
    """Print the catalogue's expressions that DuckDB can't say, which run as the interpreter's functions."""
    repository = Repository.open(CATALOG)
    for type_id, programs in by_type(production_programs(repository, repository.policies)).items():
        object_type = repository.object_type(type_id)
        setting = Setting(DIALECT, repository.object_type, lambda name: tuple(repository.object_type(name).fields), NOW)
        for step in plan(object_type, list(programs.values()), setting).steps:
            for said in step.said:
                print(said.recipe.expression.text())


def main() -> None:
    match sys.argv[1:]:
        case ["write", objects, directory]:
            first(Path(directory), int(objects))
        case ["judge", _, directory]:
            judge_first(Path(directory))
        case ["estate", objects, runs]:
            estate(int(objects), int(runs))
        case ["memory", objects]:
            memory(int(objects))
        case ["functions"]:
            functions()
        case ["compile", policies]:
            compiling(int(policies))
        case [scenario, objects, runs]:
            compare(scenario, int(objects), int(runs))


if __name__ == "__main__":
    main()
