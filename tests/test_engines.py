"""The interpreter and the engines give every object the same code."""

import json
import math
import os
import shutil
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from datafusion_engine import DataFusion
from reeve.evaluate.engines.duckdb import DuckDB
from reeve.evaluate.engines.spark import Spark
from reeve.evaluate.estate import EstateTables
from reeve.evaluate.interpreter import compile_body
from reeve.language.errors import Position
from reeve.language.expressions import read_expression
from reeve.language.logic import Body, Condition
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.scopes import ExtractSource, Scope
from reeve.language.syntax import FileReader
from reeve.language.times import parse_date_time
from reeve.language.types import NAMED, Kind
from reeve.language.unread import NotCollected
from reeve.model import Field, ObjectType, Relation, Status
from tables import Given, codes_in, in_accounts, objects_of, write_table
from test_language_properties import FIELDS, NOW, booleans, instants, node, numbers, texts

KINDS = {name: kind for kind, names in FIELDS.items() for name in names}
OWN = {name: Field(name, kind) for name, kind in KINDS.items()}
TYPES = {
    "parent": ObjectType(
        "parent",
        "Parent",
        fields={**OWN, "id": Field("id", "Bytes"), "ownerId": Field("ownerId", "Bytes")},
        lookups={"o": Relation("o", "owner", foreign_key="ownerId")},
        related_lists={"c": Relation("c", "child", foreign_key="parentId")},
        id_field="id",
    ),
    "owner": ObjectType(
        "owner",
        "Owner",
        fields={**OWN, "id": Field("id", "Bytes"), "bossId": Field("bossId", "Bytes"), "goneAt": Field("goneAt", "DateTime")},
        lookups={"p": Relation("p", "owner", foreign_key="bossId")},
        related_lists={"k": Relation("k", "child", foreign_key="ownerId")},
        id_field="id",
        disappearance_field="goneAt",
    ),
    "child": ObjectType(
        "child",
        "Child",
        fields={
            **OWN,
            **{name: Field(name, "Bytes") for name in ("id", "parentId", "ownerId")},
            "disappearanceTime": Field("disappearanceTime", "DateTime"),
        },
        related_lists={"g": Relation("g", "grandchild", foreign_key="childId")},
        id_field="id",
    ),
    "grandchild": ObjectType(
        "grandchild", "Grandchild", fields={**OWN, **{n: Field(n, "Bytes") for n in ("id", "childId")}}, id_field="id"
    ),
}
MESSAGE = "Not known."
CHECKS = {
    "DATE_TIME_FROM": ("isEmpty", "invalidFormat"),
    "DURATION_FROM": ("isEmpty", "invalidFormat"),
    "JSON_FROM": ("isEmpty", "isInvalid"),
    "JSON_QUERY_TEXT": ("resultTypeMismatch", "evaluationError", "resultIsEmpty"),
    "BOOLEAN_FROM": ("isEmpty",),
    "ATTRIBUTES_FROM": ("isEmpty",),
    "ATTRIBUTE_VALUE": ("keyNotFound", "duplicateKey", "valueIsEmpty"),
}


def decorate(data, draw, prefix=""):
    """Add undetermined checks, lookups and extracts at random places."""
    if isinstance(data, list):
        return [decorate(item, draw, prefix) for item in data]
    if not isinstance(data, dict):
        return data
    ((name, body),) = data.items() if len(data) == 1 else ((None, None),)
    if name == "FIELD":
        path = draw(st.sampled_from(["", "", "", "o.", "o.p."])) + body["path"] if prefix == "" else body["path"]
        checks = {}
        if draw(st.integers(0, 3)) == 0:
            checks["isEmpty"] = MESSAGE
        if draw(st.integers(0, 7)) == 0:
            checks["notCollected"] = MESSAGE
        if draw(st.integers(0, 5)) == 0:
            delegate = draw(st.sampled_from(["t1", "b1", "n1", "l1", "o1", "d1", "o.t1" if path.startswith("o.") else "t2"]))
            checks["noAccessDelegate"] = {"path": delegate, "currentStateMessage": MESSAGE}
        exact = {"returnType": "BYTES"} if body["path"] in FIELDS["Text"] and draw(st.integers(0, 9)) == 0 else {}
        return {"FIELD": {**exact, "path": path, **({"undeterminedIf": checks} if checks else {})}}
    found = {key: decorate(value, draw, prefix) for key, value in data.items()}
    if name in CHECKS and draw(st.booleans()):
        wanted = [check for check in CHECKS[name] if draw(st.booleans())]
        if wanted:
            found[name] = {**found[name], "undeterminedIf": dict.fromkeys(wanted, MESSAGE)}
    return found


@st.composite
def checks(draw, depth=2, lists=(), lookups=True):
    choice = draw(st.integers(0, 9))
    if lists and choice < 3:
        status, name = draw(st.sampled_from([str(s) for s in Status])), draw(st.sampled_from(lists))
        kind = draw(st.sampled_from(["RELATED_LIST_HAS", "RELATED_LIST_HAS_NO", "RELATED_LIST_COUNT"]))
        has = {kind: {"status": status, "relationshipName": name}}
        if kind == "RELATED_LIST_COUNT":
            has = {"GREATER_THAN": {"left": has, "right": {"NUMBER": draw(st.integers(0, 2))}}}
        return {"AND": {"args": [has, draw(checks(depth - 1, (), lookups))]}} if depth > 1 and draw(st.booleans()) else has
    if choice == 9:
        data = {draw(st.sampled_from(["IS_EMPTY_LOOKUP", "NOT_EMPTY_LOOKUP"])): draw(st.sampled_from(["o", "o.p"]))}
        return data if lookups else {"EXTRACT": draw(st.sampled_from(["one", "two"]))}
    if choice == 8:
        return {"EXTRACT": draw(st.sampled_from(["one", "two", "o.one", "o.p.two"] if lookups else ["one", "two"]))}
    data = draw(booleans(depth))
    data = {"NOT": {"arg": data}} if choice == 7 else data
    return decorate(data, draw, "" if lookups else "none")


def without_lookups(data):
    return "LOOKUP" not in str(data)


def body(type_name, conditions, extracts, related=None):
    object_type = TYPES[type_name]
    reader = FileReader("x", [])
    scope = Scope(object_type, TYPES.__getitem__, BUILT_IN, (extracts,), checks_required=False)
    read = [read_expression(reader, node(data), scope) for data in conditions]
    if None in read:
        return None
    statuses = [Status.INCOMPLIANT, Status.UNDETERMINED, Status.COMPLIANT]
    made = tuple(Condition(statuses[n % 3], "m", None, check, Position("x")) for n, check in enumerate(read))
    return Body(object_type, made, Status.COMPLIANT, "m", None, related or {})


VALUES = {
    "Text": texts | instants,
    "Bytes": texts,
    "Number": numbers | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324]),
    "Boolean": st.booleans(),
    "DateTime": instants,
    "Set of Text": st.lists(texts | st.none(), max_size=3),
    "List of Text": st.lists(texts, max_size=3),
    "List of Bytes": st.lists(texts | st.none(), max_size=3),
}
SIZES = {"parent": 40, "owner": 12, "child": 60, "grandchild": 40}
POOLS = st.fixed_dictionaries({kind: st.lists(of, min_size=4, max_size=12) for kind, of in VALUES.items()})
worlds = st.tuples(POOLS, st.integers(0, 2**32))
KEYS = {"parent": {"ownerId": "owner"}, "owner": {"bossId": "owner"}}
KEYS |= {"child": {"parentId": "parent", "ownerId": "owner"}, "grandchild": {"childId": "child"}}
ACCOUNTS = ("111111111111", "222222222222", "333333333333")
MISSING = ["t1", "o1", "n1", "o", "ownerId", "c", "g", "k", "bossId"]


def accounts_of(world):
    """Return the accounts of an estate: in one world of four a single one."""
    return ACCOUNTS[:1] if world[1] % 4 == 0 else ACCOUNTS


def without(world):
    """Return the accounts, by type, of which the objects were not read: never all, in half of the worlds none."""
    random, accounts = Random(world[1]), accounts_of(world)
    if len(accounts) == 1 or world[1] % 4 == 1:
        return {}
    return {name: tuple(sorted(random.sample(accounts, random.choice([0, 0, 1, 2])))) for name in TYPES}


def some_objects(world):
    """Mix the values of the pools into objects; a third of their fields are null, some could not be collected.

    Several accounts have objects of the same ids; what leads to another object names one of the own account, of one other, of
    several others, or of none.
    """
    pools, seed = world
    random, unread, accounts = Random(seed), without(world), accounts_of(world)
    found = {}
    for name, object_type in TYPES.items():
        found[name] = []
        numbers = [(account, number) for account in accounts for number in range(SIZES[name])]
        for account, number in numbers:
            if account in unread.get(name, ()) or (len(accounts) > 1 and random.random() < 0.6):
                continue
            one = {key: random.choice([None, *pools[kind] * 2]) for key, kind in KINDS.items() if random.random() < 0.8}
            one |= {key: f"{to} {random.randrange(SIZES[to] + 3)}é" for key, to in KEYS[name].items() if random.random() < 0.9}
            if "goneAt" in object_type.fields or "disappearanceTime" in object_type.fields:
                when = "goneAt" if "goneAt" in object_type.fields else "disappearanceTime"
                one[when] = "2026-01-01T00:00:00Z" if random.random() < 0.2 else None
            if random.random() < 0.15:
                one["_missing"] = dict.fromkeys(random.sample(MISSING, 2), 'said "t2": no')
            found[name].append({**one, "id": f"{name} {number}é", "_account": account})
    return found


policies = st.lists(
    st.tuples(
        st.lists(checks(lists=("c", "o.k")), min_size=1, max_size=3),
        st.lists(checks(1, ("g",), lookups=False).filter(without_lookups), min_size=1, max_size=2),
        st.lists(checks(1, (), lookups=False).filter(without_lookups), min_size=1, max_size=2),
    ),
    min_size=3,
    max_size=12,
)
extracts_ = st.tuples(booleans(1).filter(without_lookups), booleans(2).filter(without_lookups))


def as_value(kind, value):
    return parse_date_time(value) if NAMED[kind].kind is Kind.DATE_TIME and isinstance(value, str) else value


def prepared(world):
    """Return the rows to write, and the fields as the interpreter has them."""
    rows, fields = {}, {}
    for name, objects in world.items():
        rows[name], fields[name] = [], []
        for found in objects:
            one = dict(found)
            reasons = one.pop("_missing", {})
            own = {key: None if key in reasons else value for key, value in one.items()}
            rows[name].append({**own, "_notCollected": json.dumps(reasons) if reasons else None})
            declared = {key: as_value(field.type, own.get(key)) for key, field in TYPES[name].fields.items()}
            unread = {key: NotCollected(why) for key, why in reasons.items()}
            fields[name].append({**declared, **unread, "_account": one["_account"]})
    return rows, fields


def behind(row):
    """Return the objects behind an object's lookups, to be shown."""
    owner = row.get("o")
    return [owner, *behind({"o": owner.get("p")})] if hasattr(owner, "get") else [owner]


def programs_of(policies, extracts):
    """Return the programs of generated policies that the checks of types let pass."""
    sources = {name: ExtractSource("x", node(data)) for name, data in zip(("one", "two"), extracts, strict=True)}
    programs = {}
    for number, (own, child, grandchild) in enumerate(policies):
        inner = body("grandchild", grandchild, sources)
        middle = inner and body("child", child, sources, {"g": inner})
        outer = middle and body("parent", own, sources, {"c": middle, "o.k": middle})
        if outer:
            programs[str(number)] = compile_body(outer)
    return programs


def compare(engine, directory, world, policies, extracts):
    rows, fields = prepared(some_objects(world))
    if not rows["parent"]:
        return 0
    programs = programs_of(policies, extracts)
    if not programs:
        return 0
    found = codes_in(engine, tables_of(directory, rows, world), programs, TYPES.__getitem__, NOW)
    objects = objects_of(TYPES.__getitem__, Given(fields, without(world)), "parent")
    for policy, program in programs.items():
        for record, row in objects:
            outcome = program.judge(row, NOW)
            texts_ = [condition.check.text() for condition in program.body.conditions]
            code = found[policy].pop((record.account, record.fields["id"]))
            assert code == outcome.code, (texts_, code, outcome, record, behind(row))
        assert not found[policy]
    return len(programs) * len(objects)


def tables_of(directory, rows, world):
    """Write the rows of an estate, a file for each type and account that was read."""
    files = {}
    for name in TYPES:
        unread, own = without(world).get(name, ()), in_accounts(rows[name])
        read = [account for account in accounts_of(world) if account not in unread]
        paths = {account: directory / f"{name} {account}.parquet" for account in read}
        files[name] = [write_table(path, TYPES[name], own.get(account, []), True) for account, path in paths.items()]
    return EstateTables(files, without(world), len(accounts_of(world)) > 1)


def spark(spill):
    """Start a Spark of two workers' worth in this process's JVM, with as many parts of a table as it has."""
    os.environ["SPARK_CONF_DIR"] = str(Path(__file__).parent / "spark-conf")
    return Spark("local[2]")


ENGINES = {"duckdb": lambda spill: DuckDB(spill, threads=1), "datafusion": lambda spill: DataFusion(), "spark": spark}
with_java = pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java (Debian's package default-jre-headless)")
EACH_ENGINE = [pytest.param(name, marks=with_java) if name == "spark" else name for name in ENGINES]
EXAMPLES = {"duckdb": 12, "datafusion": 6, "spark": 2}
FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
if FUZZ:  # more than a million pairs of policy and object
    SIZES = {name: 10 * size for name, size in SIZES.items()}
    EXAMPLES = {"duckdb": 800, "datafusion": 100, "spark": 40}


@pytest.mark.parametrize("name", EACH_ENGINE)
def test_engines_say_what_the_interpreter_says(name, tmp_path):
    # A failing case is shown as it was found: to shrink it takes an engine minutes.
    @settings(max_examples=EXAMPLES[name], phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(worlds, policies, extracts_)
    def same(world, policies, extracts):
        nonlocal pairs
        pairs += compare(engine, tmp_path, world, policies, extracts)

    pairs = 0
    with ENGINES[name](tmp_path / "spill") as engine:
        same()
    print(f"{name}: {pairs} pairs of policy and object, no difference")
