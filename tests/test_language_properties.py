"""Laws of the language, on generated expressions and objects."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reeve.evaluate.interpreter import compile_body
from reeve.language import values
from reeve.language.doubles import java_double
from reeve.language.errors import Position
from reeve.language.evaluation import Moment
from reeve.language.expressions import read_check, read_expression
from reeve.language.logic import Body, Condition
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.scopes import Scope
from reeve.language.source import Mapping, Scalar, Sequence
from reeve.language.syntax import FileReader
from reeve.language.times import parse_date_time
from reeve.language.types import BYTES, NAMED, TEXT, Kind, list_of, set_of
from reeve.model import Field, ObjectType, Status

FIELDS = {
    "Text": ("t1", "t2"),
    "Bytes": ("b1", "b2"),
    "Number": ("n1", "n2"),
    "Boolean": ("o1", "o2"),
    "DateTime": ("d1", "d2"),
    "Set of Text": ("s1",),
    "List of Text": ("l1",),
    "List of Bytes": ("m1",),
}
TYPED = ObjectType(
    "x", "X", fields={name: Field(name, kind) for kind, names in FIELDS.items() for name in names}, id_field="id"
)
UNTYPED = ObjectType("x", "X", untyped=True)
NOW = Moment.at(datetime(2026, 1, 31, 12, tzinfo=UTC))

texts = st.text(st.sampled_from("aB \t\n'\\\"ü,:x0{}[]"), max_size=6)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=0).isoformat().replace("+00:00", "Z")
)
durations = st.builds(lambda days, hours: f"P{days}DT{hours}H", st.integers(0, 99), st.integers(0, 99))
numbers = st.one_of(st.integers(-10, 10).map(float), st.floats(allow_nan=False, allow_infinity=False))


def field(kind):
    return st.sampled_from(FIELDS[kind]).map(lambda name: {"FIELD": {"path": name}})


def strings(depth, item=None):
    """Text or Bytes, or one of them."""
    of_text = [field("Text"), texts.map(lambda text: {"TEXT": text})]
    of_bytes = [field("Bytes"), texts.map(lambda text: {"BYTES": text})]
    leaves = {None: of_text + of_bytes, "TEXT": of_text, "BYTES": of_bytes}[item]
    if depth == 0 or item == "BYTES":
        return st.one_of(leaves)
    inner = strings(0)
    attribute = st.builds(lambda a, k: {"ATTRIBUTE_VALUE": {"arg": {"ATTRIBUTES_FROM": {"arg": a}}, "key": k}}, inner, inner)
    query = inner.map(lambda a: {"JSON_QUERY_TEXT": {"arg": {"JSON_FROM": {"arg": a}}, "expression": "x[0].y"}})
    return st.one_of(*leaves, attribute, query)


def ordered(depth, kind):
    arg = strings(depth)
    return {
        "Number": st.one_of(field("Number"), numbers.map(lambda n: {"NUMBER": n}), items(depth).map(size)),
        "DateTime": st.one_of(field("DateTime"), instants.map(lambda t: {"DATE_TIME": t}), arg.map(date_time)),
        "Duration": st.one_of(
            durations.map(lambda d: {"DURATION": d}),
            arg.map(duration),
            st.builds(
                lambda name, time: {name: {"arg": time}},
                st.sampled_from(["DURATION_SINCE", "DURATION_UNTIL"]),
                st.one_of(field("DateTime"), arg.map(date_time)),
            ),
        ),
    }[kind]


def size(arg):
    return {"SIZE": {"arg": arg}}


def date_time(arg):
    return {"DATE_TIME_FROM": {"arg": arg, "format": "ISO_8601"}}


def duration(arg):
    return {"DURATION_FROM": {"arg": arg, "format": "ISO_8601"}}


KINDS_OF_ITEMS = [(shape, item) for shape in ("SET", "LIST") for item in ("TEXT", "BYTES")]
FIELDS_OF_ITEMS = {("SET", "TEXT"): "Set of Text", ("LIST", "TEXT"): "List of Text", ("LIST", "BYTES"): "List of Bytes"}


def items(depth, of=None):
    """Sets and lists; or those of one kind."""
    if of is None:
        return st.sampled_from(KINDS_OF_ITEMS).flatmap(lambda one: items(depth, one))
    shape, item = of
    constant = st.lists(texts, max_size=3).map(lambda parts: {shape: {"itemType": item, "items": parts}})
    split = st.builds(
        lambda arg, separator: {f"{shape}_FROM": {"arg": arg, "separator": separator}},
        strings(depth, item),
        texts.filter(bool),
    )
    return st.one_of(*([field(FIELDS_OF_ITEMS[of])] if of in FIELDS_OF_ITEMS else []), constant, split)


def items_of(depth, item):
    return st.sampled_from(["SET", "LIST"]).flatmap(lambda shape: items(depth, (shape, item)))


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text("ab ", max_size=3)),
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(st.sampled_from("xy"), inside, max_size=2)),
    max_leaves=5,
)


def booleans(depth):
    leaves = [field("Boolean"), st.booleans().map(lambda value: {"BOOLEAN": value})]
    if depth == 0:
        return st.one_of(leaves)
    text, boolean, item = strings(depth - 1), booleans(depth - 1), items(depth - 1)
    instant = ordered(depth - 1, "DateTime")
    kinds = st.sampled_from(["Number", "DateTime", "Duration"])
    of_item, of_items = st.sampled_from(["TEXT", "BYTES"]), st.sampled_from(KINDS_OF_ITEMS)
    any_value = st.one_of(text, boolean, item, *(ordered(depth - 1, kind) for kind in ("Number", "DateTime", "Duration")))
    return st.one_of(
        *leaves,
        st.builds(
            lambda name, args: {name: {"args": args}}, st.sampled_from(["AND", "OR"]), st.lists(boolean, min_size=2, max_size=3)
        ),
        boolean.map(lambda arg: {"NOT": {"arg": arg}}),
        st.builds(lambda name, arg: {name: {"arg": arg}}, st.sampled_from(["IS_EMPTY", "NOT_EMPTY"]), any_value),
        st.builds(equal, st.sampled_from(["IS_EQUAL", "NOT_EQUAL"]), text, text),
        of_items.flatmap(lambda of: st.builds(equal, st.sampled_from(["IS_EQUAL", "NOT_EQUAL"]), *[items(depth - 1, of)] * 2)),
        st.builds(
            equal,
            st.just("IS_EQUAL"),
            text.map(lambda arg: {"JSON_FROM": {"arg": arg}}),
            json_values.map(lambda v: {"JSON": v}),
        ),
        kinds.flatmap(lambda kind: st.builds(equal, st.just("IS_EQUAL"), *[ordered(depth - 1, kind)] * 2)),
        st.sampled_from(["Number", "Duration"]).flatmap(
            lambda kind: st.builds(
                equal,
                st.sampled_from(["GREATER_THAN", "GREATER_THAN_EQUAL", "LESS_THAN", "LESS_THAN_EQUAL"]),
                *[ordered(depth - 1, kind)] * 2,
            )
        ),
        st.builds(
            lambda a, b, c, ends: {"BETWEEN": {"arg": a, "rangeFrom": b, "rangeTo": c, **dict.fromkeys(ends, True)}},
            *[ordered(depth - 1, "Number")] * 3,
            st.sets(st.sampled_from(["exclusiveFrom", "exclusiveTo"])),
        ),
        st.builds(
            lambda name, arg, search: {name: {"arg": arg, "search": search}},
            st.sampled_from(["CONTAINS", "STARTS_WITH", "ENDS_WITH"]),
            text,
            text,
        ),
        of_item.flatmap(
            lambda of: st.builds(
                lambda name, arg, search: {name: {"arg": arg, "search": search}},
                st.sampled_from(["CONTAINS", "STARTS_WITH", "ENDS_WITH"]),
                items_of(depth - 1, of),
                strings(depth - 1, of),
            )
        ),
        st.builds(
            lambda name, arg, search: {name: {"arg": arg, "search": search}},
            st.sampled_from(["CONTAINS_ALL", "CONTAINS_ANY"]),
            text,
            item,
        ),
        of_item.flatmap(
            lambda of: st.builds(
                lambda name, arg, search: {name: {"arg": arg, "search": search}},
                st.sampled_from(["CONTAINS_ALL", "CONTAINS_ANY"]),
                *[items_of(depth - 1, of)] * 2,
            )
        ),
        st.builds(
            lambda arg, pattern: {"REGEX_MATCHES": {"arg": arg, "regex": {"TEXT": pattern}}},
            text,
            st.sampled_from(["a*", "^.x", "[ab]+$", "a.b"]),
        ),
        instant.map(lambda arg: {"IS_BEFORE_TODAY": {"arg": arg}}),
        instant.map(lambda arg: {"IS_AFTER_TODAY": {"arg": arg}}),
        st.builds(
            lambda name, arg, days: {name: {"arg": arg, "offsetDays": days}},
            st.sampled_from(["IS_BEYOND_LAST_DAYS", "IS_WITHIN_LAST_DAYS", "IS_BEYOND_NEXT_DAYS", "IS_WITHIN_NEXT_DAYS"]),
            instant,
            st.integers(0, 5000),
        ),
        text.map(lambda arg: {"BOOLEAN_FROM": {"arg": arg}}),
        st.builds(lambda arg, on: {"BOOLEAN_FROM": {"arg": arg, "trueValue": on}}, text, texts),
        texts.map(lambda name: {"TAG_EXISTS": {"name": {"TEXT": name}, "tagsJson": "t1"}}),
        st.sampled_from(["IS_EMPTY_LOOKUP", "NOT_EMPTY_LOOKUP"]).map(lambda name: {name: "o.p"}),
    )


def equal(name, left, right):
    return {name: {"left": left, "right": right}}


typed_objects = st.fixed_dictionaries(
    {},
    optional={
        name: st.none() | of
        for kind, of in {
            "Text": texts | instants,
            "Bytes": texts,
            "Number": numbers,
            "Boolean": st.booleans(),
            "DateTime": instants,
            "Set of Text": st.lists(texts, max_size=3),
            "List of Text": st.lists(texts, max_size=3),
            "List of Bytes": st.lists(texts, max_size=3),
        }.items()
        for name in FIELDS[kind]
    },
)
any_objects = st.dictionaries(
    st.sampled_from([name for names in FIELDS.values() for name in names] + ["tags", "o"]),
    st.one_of(json_values, instants, numbers, st.floats(), texts),
)


def node(data):
    if isinstance(data, dict):
        return Mapping(tuple((Scalar(key, True, 1, 1), node(value)) for key, value in data.items()), 1, 1)
    if isinstance(data, list):
        return Sequence(tuple(node(item) for item in data), 1, 1)
    if isinstance(data, str):
        return Scalar(data, False, 1, 1)
    return Scalar(json.dumps(data), True, 1, 1)


def read(data, object_type=TYPED, checks_required=False):
    reader = FileReader("x", [])
    scope = Scope(object_type, lambda name: object_type, BUILT_IN, checks_required=checks_required)
    expression = read_expression(reader, node(data), scope)
    return expression, [str(problem) for problem in reader.problems]


def program(expression, object_type=TYPED):
    condition = Condition(Status.INCOMPLIANT, "Bad.", None, expression, Position("x"))
    return compile_body(Body(object_type, (condition,), Status.COMPLIANT, "Good.", None, {}))


@given(booleans(3))
def test_parsing_is_the_inverse_of_printing(data):
    object_type = TYPED if "LOOKUP" not in json.dumps(data) else UNTYPED
    expression, problems = read(data, object_type)
    assert expression is not None, problems
    text = expression.text()
    reader = FileReader("x", [])
    again = read_check(reader, Scalar(text, False, 1, 1), Scope(object_type, lambda name: object_type, BUILT_IN))
    assert again is not None, (text, [str(problem) for problem in reader.problems])
    assert again.text() == text
    if not same_junctions_nested(data) and not two_quoted(data):
        assert again == expression


def same_junctions_nested(data):
    """A text does not say how ANDs nest in ANDs: `a && b && c`."""
    if isinstance(data, dict):
        for name, body in data.items():
            if name in ("AND", "OR") and any(name in arg for arg in body["args"]):
                return True
        return any(same_junctions_nested(value) for value in data.values())
    return isinstance(data, list) and any(same_junctions_nested(item) for item in data)


def two_quoted(data):
    """'2000-01-01' == '2000-01-02' does not say whether it compares texts or instants."""
    if isinstance(data, dict):
        for name, body in data.items():
            if name in ("IS_EQUAL", "NOT_EQUAL", "IS_EMPTY", "NOT_EMPTY") and all(
                set(side) & {"DATE_TIME", "DURATION"} for side in body.values()
            ):
                return True
        return any(two_quoted(value) for value in data.values())
    return isinstance(data, list) and any(two_quoted(item) for item in data)


@given(booleans(3), typed_objects)
@example({"TAG_EXISTS": {"tagsJson": "t1", "name": {"TEXT": "a"}}}, {"t1": "0"})
def test_what_the_type_checker_accepts_does_not_fail_on_typed_objects(data, row):
    assume("LOOKUP" not in json.dumps(data))
    expression, problems = read(data)
    assert expression is not None, problems
    outcome = program(expression).judge(row, NOW)
    if outcome.code == 198:
        # What only the data can be wrong about, and no check is declared for here.
        allowed = (
            "invalid JSON",
            "as a JSON object were wanted",
            "the query",
            "is no ISO 8601",
            "is no duration",
            "stands twice",
        )
        assert any(reason in outcome.runtime_error for reason in allowed), outcome.runtime_error


WRONG = {
    "NOT": [{"TEXT": "a"}, {"NUMBER": 1}],
    "IS_BEFORE_TODAY": [{"TEXT": "a"}, {"BOOLEAN": True}],
    "BOOLEAN_FROM": [{"NUMBER": 1}, {"BOOLEAN": True}, {"SET": {"itemType": "TEXT", "items": []}}],
    "SIZE": [{"TEXT": "a"}, {"NUMBER": 1}],
    "JSON_FROM": [{"NUMBER": 1}],
    "ATTRIBUTES_FROM": [{"BOOLEAN": True}],
}


@pytest.mark.parametrize(("name", "arg"), [(name, arg) for name, args in WRONG.items() for arg in args])
def test_what_fails_is_not_accepted(name, arg):
    expression, problems = read({name: {"arg": arg}})
    assert expression is None
    assert f"'arg' of {name} wants" in problems[0]


@given(booleans(3), any_objects)
def test_any_object_gets_a_status_and_always_the_same(data, row):
    expression, _ = read(data, UNTYPED)
    assume(expression is not None)
    judging = program(expression, UNTYPED)
    outcome = judging.judge(row, NOW)
    assert judging.meaning(outcome, row).status in Status
    assert judging.judge(row, NOW) == outcome
    assert outcome.code in judging.meanings


# Values --------------------------------------------------------------------------------------------------------------


@given(texts, texts)
def test_normalisation_is_idempotent_and_decides_equality(one, other):
    assert values.normalise(values.normalise(one)) == values.normalise(one)
    same = values.equality(TEXT, TEXT)
    assert same(one, other) == same(other, one) == (values.normalise(one) == values.normalise(other))
    assert values.equality(BYTES, TEXT)(one, other) == (one == other)


@given(st.lists(texts), st.lists(texts))
def test_sets_forget_order_and_duplicates_lists_do_not(one, other):
    sets = values.equality(set_of(Kind.TEXT), set_of(Kind.TEXT))
    assert sets(one, [*reversed(one), *one, ""])
    assert values.equality(list_of(Kind.TEXT), list_of(Kind.TEXT))(one, other) == (
        [values.normalise(x) for x in one] == [values.normalise(x) for x in other]
    )


@given(json_values, json_values)
def test_json_equality(one, other):
    same = values.equality(NAMED["Json"], NAMED["Json"])
    assert same(one, json.loads(json.dumps(one)))
    assert same(one, other) == same(other, one)
    assert same({"x": one, "n": None}, {"x": one})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_java_doubles_read_back(number):
    text = java_double(number)
    assert float(text) == number
    assert "." in text and "e" not in text
    if number and not 1e-3 <= abs(number) < 1e7:
        mantissa, exponent = text.split("E")
        assert 1 <= abs(float(mantissa)) < 10 and str(int(exponent)) == exponent


def test_java_doubles_that_are_no_numbers():
    assert [java_double(n) for n in (math.nan, math.inf, -math.inf)] == ["NaN", "Infinity", "-Infinity"]


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_offsets_are_resolved(time, minutes):
    sign, rest = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{time:%H:%M:%S}{sign}{rest // 60:02d}:{rest % 60:02d}"
    parsed = parse_date_time(f"{time.date().isoformat()}T{text}")
    assert parsed == (time.replace(microsecond=0) - timedelta(minutes=minutes)).replace(tzinfo=UTC)


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.integers(-14 * 60, 14 * 60), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_in_every_zone(time, one, other):
    utc = time.replace(tzinfo=UTC)
    first, second = (Moment.at(utc.astimezone(timezone(timedelta(minutes=minutes)))) for minutes in (one, other))
    assert first == second and first.now.tzinfo is UTC and first.midnight.date() == utc.date()
    with pytest.raises(ValueError, match="no zone"):
        Moment.at(time)
