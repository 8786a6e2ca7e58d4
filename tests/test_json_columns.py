"""JMESPath by an engine's own JSON functions: what they find is what the interpreter finds."""

import json

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reeve.evaluate.columnar import plan
from reeve.evaluate.engines.duckdb import DuckDB
from reeve.evaluate.field_columns import Setting
from reeve.evaluate.interpreter import compile_body
from reeve.inventory.columns import kinds_of
from reeve.language.errors import Position
from reeve.language.expressions import read_expression
from reeve.language.logic import Body, Condition
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.scopes import Scope
from reeve.language.syntax import FileReader
from reeve.model import Field, ObjectType, Status
from tables import codes_of, write_table
from test_engines import FUZZ
from test_language_properties import NOW, node

KINDS = {"id": "Bytes", "text": "Text", "bytes": "Bytes", "json": "Json"}
TYPE = ObjectType("documents", "Documents", fields={name: Field(name, kind) for name, kind in KINDS.items()}, id_field="id")
SIMPLE = [
    *("a", "a.b", "a[0]", "a[-1]", "a[1].b", "b.c[0]", "@", "[0]", "a.b.c", "a | [0] | b"),
    *("to_string(a)", "to_number(a)", "type(a)", "length(a)", "length(@)", "to_number(a.b)", "to_string(a[0])", "type(b)"),
]
FILTERS = [
    *("a[?b=='x'] | [0]", "length(a[?b=='x'])", "a[?b=='x'] | [0].c", "length(a[?b.c==`true`].c)", "a[?b=='x'].c | [0]"),
    *("a[?@=='x'] | [0]", "length(a[?b=='x'].c)", "(a[?b=='x'] | [-1]).c.b", "type(a[?b=='1'] | [0])"),
]
HARD = ["a[*].b | [0]", "a[?b=='x']", "a || b", "sort(a)[0]", "a[?b==`1`] | [0]", "a[?c]", "keys(a)[0]", "a[0:1] | [0]"]
OPERATIONS = {
    "JSON_QUERY_TEXT": lambda query: {"CONTAINS": {"arg": query, "search": {"TEXT": "x"}}},
    "JSON_QUERY_BYTES": lambda query: {"IS_EQUAL": {"left": query, "right": {"BYTES": "string"}}},
    "JSON_QUERY_NUMBER": lambda query: {"GREATER_THAN": {"left": query, "right": {"NUMBER": 1}}},
    "JSON_QUERY_BOOLEAN": lambda query: {"AND": {"args": [query]}},
}
QUERY_CHECKS = [[], ["resultTypeMismatch", "evaluationError"], ["resultTypeMismatch", "evaluationError", "resultIsEmpty"]]


def program(operation, field, query, checks, source_checks):
    arg = {"FIELD": {"path": field}}
    if field != "json":
        arg = {"JSON_FROM": {"arg": arg, **({"undeterminedIf": dict.fromkeys(source_checks, "m")} if source_checks else {})}}
    fired = {"undeterminedIf": dict.fromkeys(checks, "m")} if checks else {}
    data = OPERATIONS[operation]({operation: {"arg": arg, "expression": query, **fired}})
    check = read_expression(FileReader("x", []), node(data), Scope(TYPE, lambda _: TYPE, BUILT_IN, checks_required=False))
    condition = Condition(Status.INCOMPLIANT, "m", None, check, Position("x"))
    return compile_body(Body(TYPE, (condition,), Status.COMPLIANT, "m", None, {}))


def programs(queries):
    found = {}
    for number, query in enumerate(queries):
        for shift, operation in enumerate(OPERATIONS):
            for field in ("text", "bytes", "json"):
                n = number + shift
                source = [[], ["isEmpty", "isInvalid"], ["isInvalid"]][n % 3]
                found[f"{operation} {field} {query}"] = program(operation, field, query, QUERY_CHECKS[n % 3], source)
    return found


words = st.sampled_from(["x", "", "é", "1", "-2.5", " 7", "1_0", "nan", 'x"y', "a\nb", "true", "null", "9" * 25, "0x1", "\\"])
scalars = st.none() | st.booleans() | st.sampled_from([0, 1, -3, -0.0, 1.5, 1e16, 12345678901234567890, 10**400]) | words
values = st.recursive(scalars, lambda of: st.lists(of, max_size=3) | st.dictionaries(st.sampled_from("abc"), of), max_leaves=12)
ODD = [
    *("", " ", "\u00a0", "null", "[" * 400 + "]" * 400, "[" * 1500 + "]" * 1500, "1" * 5000, '{"a":%s}' % ("9" * 4400)),
    *('{"a":"\\ud800"}', '{"a":1,"a":"x"}', '{"a":{"b":1,"\\u0062":2}}', '{"a":1e999}', "[1,]", '{"a":NaN}', "-inf", "\ufeff1"),
]


@st.composite
def texts(draw):
    value = draw(values)
    separators, indent = draw(st.sampled_from([((",", ":"), None), ((", ", ": "), None), ((", ", ": "), 2)]))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators, indent=indent)
    spoils = [("]", ",]"), ("}", ", }"), ("null", "NaN"), ("true", "-inf"), ('"b"', '"a"'), ('"a"', '"\\u0061"'), ("1", "1 2")]
    return text.replace(*draw(st.sampled_from(spoils))) if draw(st.integers(0, 4)) == 0 else text


@pytest.mark.parametrize("queries", [SIMPLE, FILTERS, HARD], ids=["simple", "filters", "hard"])
def test_queries(queries, tmp_path):
    judging = programs(queries)

    @settings(max_examples=40 if FUZZ else 3, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(st.lists(values, min_size=20, max_size=120), st.lists(texts() | st.sampled_from(ODD), min_size=60, max_size=120))
    def same(documents, some_texts):
        rows = [
            {
                "id": str(number),
                "text": some_texts[number % len(some_texts)],
                "bytes": some_texts[-number % len(some_texts)],
                "json": None if number % 9 == 8 else documents[number % len(documents)],
            }
            for number in range(120)
        ]
        written = [{**row, "json": None if row["json"] is None else json.dumps(row["json"])} for row in rows]
        files = {"documents": [write_table(tmp_path / "documents.parquet", TYPE, written)]}
        with DuckDB(tmp_path / "spill", 1) as engine:
            found = codes_of(engine, files, judging, lambda _: TYPE, NOW)
        for name, one in judging.items():
            for row in rows:
                assert found[name][row["id"]] == one.judge(row, NOW).code, (name, row)

    same()


def test_simple_queries_need_no_function_of_pythons(tmp_path):
    """They are only judged again where a text is odd; a filter of a text, which may say a member twice, is not simple."""
    with DuckDB(tmp_path / "spill", 1) as engine:
        file = write_table(tmp_path / "documents.parquet", TYPE, [{"id": "1"}])
        columns = engine.open_table("objects_documents", [file], kinds_of(TYPE))
        setting = Setting(engine.dialect, lambda _: TYPE, lambda _: columns, NOW)
        assert not plan(TYPE, list(programs(SIMPLE).values()), setting).steps
        of_json = {name: one for name, one in programs(FILTERS).items() if " json " in name}
        assert not plan(TYPE, list(of_json.values()), setting).steps
        assert plan(TYPE, list(programs(HARD).values()), setting).steps
