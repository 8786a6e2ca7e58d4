"""Evidence: what a verdict rests on is what its policy read, with the values that the object has, whatever the object is."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conftest import CATALOG, ROOT
from reeve.evaluate.citations import Citations, Origin
from reeve.evaluate.evidence import MOST_CHILDREN, Fact, evidence_of
from reeve.evaluate.excerpts import CUT, LONGEST_TEXT, MOST_ITEMS, excerpt
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.observed import ObservedProgram
from reeve.evaluate.policy_tests import object_row, run_tests
from reeve.evaluate.trace import trace
from reeve.language import codes
from reeve.language.errors import InvalidRepositoryError, Position
from reeve.language.logic import Body, Condition
from reeve.language.operations.base import leaves, reads_of
from reeve.language.query_reads import names_read
from reeve.language.rows import follow
from reeve.language.times import parse_date_time
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.model import Status
from reeve.report.trace import evidence_lines, lines
from reeve.repository.repository import Repository
from test_language_properties import NOW, TYPED, UNTYPED, any_objects, booleans, read, typed_objects

REPOSITORY = Repository.open(CATALOG)
SUITE = Repository.open(ROOT / "tests" / "conformance" / "operations")
PRODUCTION = [path for path in REPOSITORY.logic_paths() if path.endswith("/prod.logic.yaml")]
LONGEST_LINE = 2 * LONGEST_TEXT


@cache
def judged_cases(repository, path):
    """Return a logic file's policy, watched, and its test objects."""
    found = run_tests(repository, path)
    return ObservedProgram.of(found.logic.body), found.cases


def explained(repository, observed, row, moment, origin=None):
    observation = observed.observe(row, moment)
    return observation, evidence_of(observed, observation, Citations(repository.object_type, lambda of: origin))


def case_of(slug, name):
    path = next(path for path in PRODUCTION if path.endswith(f"/{slug}/prod.logic.yaml"))
    observed, cases = judged_cases(REPOSITORY, path)
    found = next(case for case in cases if case.object == name)
    return observed, found.row, found.moment


def readable(body, code):
    """Return the names of all that the deciding condition looks at; where none decided, those of every condition."""
    if code == codes.DISAPPEARED:
        return {body.object_type.disappearance_field, "disappearanceTime", *body.object_type.fields}
    number = codes.condition_of(code)
    conditions = body.conditions if number > len(body.conditions) else [body.conditions[number - 1]]
    return {path for condition in conditions for leaf in leaves(condition.check) for path in reads_of(leaf).paths}


def walked(row, path):
    for name in path.split("."):
        if row is None or isinstance(row, NotCollected):
            return row
        row = row.get(name)
    return row


def listed(row, name):
    found = walked(row, name)
    return found.rows if isinstance(found, PartlyCollected) else found


def check_values(row, evidence):
    for fact in evidence.facts:
        if fact.counts is not None or fact.path.endswith("."):
            continue
        value = walked(row, fact.path)
        if isinstance(value, NotCollected):
            assert (fact.value, fact.reason) == (None, value.reason)
        elif isinstance(value, datetime):
            assert parse_date_time(fact.value) == value
        elif isinstance(fact.value, list):
            assert (fact.value, fact.more) == (list(value[:MOST_ITEMS]), max(0, len(value) - MOST_ITEMS)) or CUT in str(
                fact.value
            )
        elif isinstance(fact.value, str) and fact.value.endswith(CUT):
            whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            assert whole.startswith(fact.value.removesuffix(CUT)) and len(whole) > LONGEST_TEXT
        else:
            assert fact.value == value
            assert type(fact.value) is (int if isinstance(value, float) and value.is_integer() else type(value))


def check_law(observed, row, moment, evidence):
    """What is told is what this policy reads of this object to judge it, and of its children likewise."""
    check_values(row, evidence)
    allowed = readable(observed.program.body, observed.program.judge(row, moment).code)
    assert {fact.path for fact in evidence.facts} | {child.relation for child in evidence.children} <= allowed
    assert len({fact.path for fact in evidence.facts}) == len(evidence.facts)
    assert len(evidence.children) <= MOST_CHILDREN
    for child in evidence.children:
        assert child.relation in observed.lists
        program = observed.lists[child.relation]
        assert any(_tells(program, one, moment, child) for one in listed(row, child.relation))


def _tells(program, row, moment, child):
    try:
        check_law(program, row, moment, child.evidence)
    except AssertionError:
        return False
    return True


def check_bounds(evidence):
    """Nothing is longer than a person reads, and all of it is JSON."""
    assert len(evidence.text) < LONGEST_LINE
    for fact in evidence.facts:
        json.dumps(fact.value, allow_nan=False)
        assert len(json.dumps(fact.value, ensure_ascii=False)) < (MOST_ITEMS + 1) * 3 * LONGEST_TEXT
        assert len(fact.text()) < LONGEST_LINE
    for child in evidence.children:
        assert max(len(child.name), len(child.id)) <= LONGEST_TEXT + 1
        check_bounds(child.evidence)


@pytest.mark.parametrize("path", PRODUCTION)
def test_every_verdict_of_every_policy_has_evidence(path):
    observed, cases = judged_cases(REPOSITORY, path)
    for case in cases:
        observation, evidence = explained(REPOSITORY, observed, case.row, case.moment)
        assert observation.outcome.code == case.actual["conditionIndex"]
        assert observation.outcome.runtime_error == case.actual["runtimeError"]
        check_law(observed, case.row, case.moment, evidence)
        check_bounds(evidence)
        if observation.meaning.status is Status.INCOMPLIANT:
            assert evidence.facts or evidence.children
            assert evidence.text
            assert evidence.calls


def test_children_that_decided_are_those_that_were_counted():
    """For each `has` that is true, by the list's own policy: all of those children, and no other."""
    seen = 0
    for path in PRODUCTION:
        observed, cases = judged_cases(REPOSITORY, path)
        for case in cases:
            observation, evidence = explained(REPOSITORY, observed, case.row, case.moment)
            name, _, status = observation.meaning.text.removesuffix(")").partition(".has(")
            decided = observation.outcome.code == codes.true(codes.condition_of(observation.outcome.code))
            if name not in observed.lists or status not in tuple(Status) or not decided:
                continue
            program = observed.lists[name].program
            judged = [program.judge(row, case.moment) for row in listed(case.row, name)]
            wanted = [one for one in judged if program.meanings[one.code].status == status]
            assert len(evidence.children) + evidence.more == len(wanted) > 0
            assert {(child.relation, child.status) for child in evidence.children} == {(name, Status(status))}
            seen += 1
    assert seen > 50


SHOWN = [
    (
        "security-group-allows-unrestricted-cifs-traffic",
        "port 445",
        "#1: The rule lets everybody reach the port of Windows file shares (CIFS, 445)",
        {"ec2:DescribeSecurityGroupRules", "ec2:GetManagedPrefixListEntries"},
    ),
    (
        "config-in-all-regions",
        "one bad",
        "eu-north-1: No recorder records all resources here",
        {"config:DescribeConfigurationRecorders"},
    ),
    (
        "user-has-more-than-one-active-access-key",
        "both keys active",
        "accessKey1Active: true, accessKey2Active: true",
        {"iam:ListAccessKeys"},
    ),
]


@pytest.mark.parametrize(("slug", "name", "text", "calls"), SHOWN)
def test_what_a_person_reads(slug, name, text, calls):
    _, evidence = explained(REPOSITORY, *case_of(slug, name))
    assert evidence.text == text
    assert set(evidence.calls) == calls


def test_a_list_without_deciding_children_is_counted():
    _, evidence = explained(REPOSITORY, *case_of("config-in-all-regions", "one bad"))
    (fact,) = evidence.children[0].evidence.facts
    assert (fact.path, fact.counts, fact.text()) == ("configurationRecorders", {}, "configurationRecorders: none")


def test_where_no_child_is_as_it_must_be_each_tells_what_is_wrong_with_it():
    """The verdict is INCOMPLIANT because no trail is COMPLIANT: a count of them would say nothing."""
    observed, row, moment = case_of("vpc-changes-monitoring", "one region only")
    row = {**row, "trails": [{**row["trails"][0], "name": name} for name in ("one", "other")]}
    observation, evidence = explained(REPOSITORY, observed, row, moment)
    assert observation.meaning.status is Status.INCOMPLIANT
    assert [(child.name, child.status) for child in evidence.children] == [("one", "INCOMPLIANT"), ("other", "INCOMPLIANT")]
    assert evidence.facts[0].counts == {"INCOMPLIANT": 2}
    assert evidence.text == "one: The trail records one region only; other: The trail records one region only"


@pytest.mark.parametrize(("number", "shown"), [(12.0, "12"), (12.5, "12.5"), (-0.0, "0"), (1e18, "1000000000000000000")])
def test_a_whole_number_has_no_fraction(number, shown):
    assert Fact("size", excerpt(number)[0]).text() == f"size: {shown}"


def groups(count, **rule):
    rules = [{"id": f"sgr-{number:02}", "egress": False, **rule} for number in reversed(range(count))]
    return {"ingress": [], "ingressAtMost": [], "largeRanges": [], "rules": rules}


OPEN = [{"protocol": "tcp", "from": 445, "to": 445, "cidrs": ["0.0.0.0/0"]}]


def test_of_many_children_the_first_by_name_are_told():
    observed, _, moment = case_of("security-group-allows-unrestricted-cifs-traffic", "port 445")
    _, evidence = explained(REPOSITORY, observed, groups(25, packets=OPEN), moment)
    assert [child.name for child in evidence.children] == [f"sgr-{number:02}" for number in range(10)]
    assert evidence.more == 15
    assert evidence.text.startswith("sgr-00: The rule lets everybody")
    assert evidence.text.endswith(" and 22 more")


def test_what_is_missing_is_told_with_the_reason():
    observed, _, moment = case_of("security-group-allows-unrestricted-cifs-traffic", "port 445")
    row = groups(2, packets=NotCollected("refused"))
    observation, evidence = explained(REPOSITORY, observed, row, moment)
    assert observation.meaning.status is Status.UNDETERMINED
    assert [child.evidence.facts[1].reason for child in evidence.children] == ["refused", "refused"]
    assert evidence.children[0].evidence.text == "packets: not collected: refused"
    for rows, counts in ((NotCollected("no answer"), {}), (PartlyCollected([{"egress": True}], "no answer"), {"COMPLIANT": 1})):
        observation, evidence = explained(REPOSITORY, observed, {**row, "rules": rows}, moment)
        assert (observation.meaning.status, observation.outcome.runtime_error) == (
            "UNDETERMINED",
            "rules was not collected: no answer",
        )
        assert (evidence.text, evidence.facts[0].counts) == ("rules: not collected: no answer", counts)


def test_a_child_is_told_by_the_summary_of_its_type():
    observed, row, moment = case_of("security-group-allows-unrestricted-cifs-traffic", "port 445")
    rule = {**row["rules"][0], "traffic": "tcp 445", "direction": "from", "peer": "0.0.0.0/0", "id": "sgr-0a1"}
    _, evidence = explained(REPOSITORY, observed, {**row, "rules": [rule]}, moment)
    assert evidence.text == "sgr-0a1: tcp 445 from 0.0.0.0/0"


def test_where_a_child_is_comes_from_its_record():
    origin = Origin("123456789012", "eu-west-1", None, frozenset({"ec2:DescribeSecurityGroupRules"}))
    observed, row, moment = case_of("security-group-allows-unrestricted-cifs-traffic", "port 445")
    _, evidence = explained(REPOSITORY, observed, row, moment, origin)
    assert (evidence.children[0].account, evidence.children[0].region) == (origin.account, origin.region)
    assert evidence.calls == ("ec2:DescribeSecurityGroupRules",), "no prefix list was asked for"


# Citations -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "calls"),
    [
        ({"iam:GetCredentialReport"}, ("iam:GetCredentialReport",)),
        ({"iam:GetCredentialReport", "iam:ListAccessKeys"}, ("iam:ListAccessKeys",)),
        ({"iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"}, ("iam:ListAccessKeys",)),
        (set(), ("iam:ListAccessKeys",)),
    ],
)
def test_a_provisional_value_is_cited_as_such(made, calls):
    observed, row, moment = case_of("user-has-more-than-one-active-access-key", "both keys active")
    _, evidence = explained(REPOSITORY, observed, row, moment, Origin(calls=frozenset(made)))
    assert evidence.calls == calls


TYPES = [REPOSITORY.object_type(path.name) for path in sorted((CATALOG / "types").iterdir())]


NO_CALL = {"_account", "_region", "_partition"}
"""What is known before any call of a type is made."""


def declared_calls(own):
    """Return the calls that a type declares, those of the types that its objects are a part of too."""
    found = {source.call.name for source in own.collect.sources if source.call}
    found |= {call.name for call in own.collect.calls.values()}
    parents = {source.parent for source in own.collect.sources if source.parent}
    return found.union(*(declared_calls(REPOSITORY.object_type(parent)) for parent in parents))


@pytest.mark.parametrize("own", TYPES, ids=lambda own: own.id)
def test_every_field_of_every_type_has_its_calls(own):
    citations = Citations(REPOSITORY.object_type, lambda row: None)
    for name in own.fields:
        _, calls = citations.read(own, name, {})
        assert calls or names_read(own.fields[name].source or "@") <= NO_CALL, name
        assert set(calls) <= declared_calls(own), name


def test_a_field_behind_a_lookup_comes_from_the_calls_of_its_own_type():
    citations = Citations(REPOSITORY.object_type, lambda row: row.get("made"))
    own = REPOSITORY.object_type("aws.ec2.Subnet")
    row = {
        "main": {"id": "rtbassoc-1", "tableId": "rtb-1", "made": Origin(calls=frozenset({"ec2:DescribeRouteTables"}))},
        "made": Origin(calls=frozenset({"x:Y"})),
    }
    assert citations.read(own, "main.tableId", row) == ("rtb-1", ("ec2:DescribeRouteTables",))
    assert citations.read(own, "main.", row) == ("rtbassoc-1", ("ec2:DescribeRouteTables",))
    assert citations.read(own, "main.", {})[0] is None


# Any object ----------------------------------------------------------------------------------------------------------

HOSTILE = [
    *(
        None,
        "",
        "x" * 100_000,
        "\x1b[2J\r\n\u202e",
        10**400,
        -1,
        1.5,
        True,
        [],
        ["y" * 5_000] * 500,
        {},
        {"a": {"b": "z" * 5_000}},
    ),
    *(datetime(2026, 1, 1, tzinfo=UTC), NotCollected("refused " * 1_000), [{"id": "\n" * 5_000}, {}], {"id": 3}, [None]),
]


def spoiled(value, random, share):
    """Return an object some of whose members, at any depth, are what no API would say."""
    if isinstance(value, PartlyCollected):
        return PartlyCollected([spoiled(one, random, share) for one in value.rows], value.reason)
    if random.random() < share:
        return random.choice(HOSTILE)
    if isinstance(value, Mapping):
        return {name: spoiled(one, random, share) for name, one in value.items()}
    return [spoiled(one, random, share) for one in value] if isinstance(value, list) else value


def check_any(repository, observed, row, moment):
    """Whatever the interpreter judges has evidence, a trace, and lines of both; the verdict stays."""
    outcome = observed.program.judge(row, moment)
    observation, evidence = explained(repository, observed, row, moment)
    assert observation.outcome == outcome
    assert [*lines(trace(observed, observation)), *evidence_lines(evidence)]
    check_bounds(evidence)
    return evidence


@pytest.mark.parametrize("repository", [REPOSITORY, SUITE], ids=["catalogue", "suite"])
def test_no_object_is_too_odd_to_be_explained(repository):
    random = Random(12)
    for path in repository.logic_paths():
        try:
            observed, cases = judged_cases(repository, path)
        except InvalidRepositoryError:
            continue
        for case in cases:
            row = {name: spoiled(value, random, random.choice([0.05, 0.3])) for name, value in case.row.items()}
            try:
                observed.program.judge(row, case.moment)
            except Exception:  # noqa: BLE001 - of what the interpreter can't judge nothing is to be told
                continue
            check_any(repository, observed, row, case.moment)


def body_of(checks, object_type):
    conditions = tuple(Condition(Status.INCOMPLIANT, "Bad.", None, check, Position("x")) for check in checks)
    return Body(object_type, conditions, Status.COMPLIANT, "Good.", None, {})


@given(st.lists(booleans(2), min_size=1, max_size=3), typed_objects | any_objects, st.sets(st.sampled_from([*TYPED.fields])))
def test_facts_are_what_the_deciding_condition_reads(data, row, hidden):
    checks = [read(one, UNTYPED)[0] for one in data]
    assume(all(checks))
    row = object_row({**row, "_notCollected": dict.fromkeys(hidden, "refused")})
    observed = ObservedProgram.of(body_of(checks, UNTYPED))
    repository_types = Citations(lambda name: UNTYPED, lambda of: None)
    observation = observed.observe(row, NOW)
    evidence = evidence_of(observed, observation, repository_types)
    assert observation.outcome == compile_body(observed.program.body).judge(row, NOW)
    assert {fact.path for fact in evidence.facts} <= readable(observed.program.body, observation.outcome.code)
    for fact in evidence.facts:
        if fact.reason is None and not fact.path.endswith("."):
            assert fact.value == excerpt(follow(fact.path)(row))[0] or fact.value != fact.value
    check_bounds(evidence)


def test_what_was_not_reached_is_no_fact():
    text = {"AND": {"args": [{"FIELD": {"path": name}} for name in ("o1", "o2")]}}
    observed = ObservedProgram.of(body_of([read(text)[0]], TYPED))
    for row, told in (({"o1": True, "o2": True}, ["o1", "o2"]), ({"o1": False, "o2": True}, ["o1"])):
        evidence = evidence_of(observed, observed.observe(row, NOW), Citations(lambda name: TYPED, lambda of: None))
        assert [(fact.path, fact.value) for fact in evidence.facts] == [(name, row[name]) for name in told]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda of: st.lists(of) | st.dictionaries(st.text(), of),
    )
)
def test_excerpts_are_the_value_or_its_beginning(value):
    shown, more = excerpt(value)
    json.dumps(shown, allow_nan=False)
    if isinstance(value, list):
        assert len(shown) + more == len(value)
    if isinstance(value, (str, bool, type(None))):
        assert shown == value or shown == value[:LONGEST_TEXT] + CUT
