"""AWS_POLICY_ALLOWS and AWS_POLICY_GRANTS have laws, and agree with a model: who, of some callers, may call."""

import json
import re
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.language import codes
from reeve.language.policy_access import widest_level
from reeve.language.policy_documents import LEVELS, grants, statements
from reeve.language.unread import NotCollected
from test_language_properties import NOW, UNTYPED, program, read

OWN, SISTER, STRANGER = "111122223333", "444455556666", "777788889999"
ROLE = "arn:aws:iam::{}:role/{}"


def identity(account, organisation, ip="198.51.100.7", vpc=None):
    return {
        "kind": "AWS",
        "names": {"*", account, f"arn:aws:iam::{account}:root", ROLE.format(account, "app")},
        "aws:principalaccount": account,
        "aws:principalarn": ROLE.format(account, "app"),
        "aws:principalorgid": organisation,
        "aws:sourceip": ip,
        "aws:sourcevpc": vpc,
    }


def service(source):
    return {
        "kind": "Service",
        "names": {"*", "sns.amazonaws.com"},
        "aws:sourceaccount": source,
        "aws:sourcearn": f"arn:aws:sns:eu-west-1:{source}:topic",
    }


def nobody_known(ip="198.51.100.7", vpc=None):
    return {"kind": "AWS", "names": {"*"}, "aws:sourceip": ip, "aws:sourcevpc": vpc}


CALLERS = [
    ("SAME_ACCOUNT", identity(OWN, "o-own")),
    ("SAME_ACCOUNT", service(OWN)),
    ("SAME_ORG", identity(SISTER, "o-own")),
    ("TRUSTED_PRINCIPAL", identity(STRANGER, "o-strange", ip="192.0.2.1")),
    ("TRUSTED_PRINCIPAL", nobody_known(vpc="vpc-1")),
    ("AWS_SERVICE", service(STRANGER)),
    ("EXTERNAL_PRINCIPAL", identity(STRANGER, "o-strange")),
    ("ANONYMOUS_PRINCIPAL", nobody_known()),
]
"""Each with the narrowest level that lets it in. The network that is trusted is 192.0.2.0/24 and vpc-1, the organisation o-own."""
RESOURCE = {"aws:resourceaccount": OWN, "aws:resourceorgid": "o-own", "aws:securetransport": "true"}


# The model: what IAM does with one caller ----------------------------------------------------------------------------


def like(pattern, text):
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern), text, re.DOTALL)


def arn_like(pattern, text):
    mine, theirs = pattern.split(":", 5), text.split(":", 5)
    return len(mine) == len(theirs) == 6 and all(map(like, mine, theirs))


def in_range(pattern, text):
    try:
        return ip_address(text) in ip_network(pattern)
    except ValueError:
        return False


TESTS = {
    "StringEquals": lambda pattern, text: pattern == text,
    "StringEqualsIgnoreCase": lambda pattern, text: pattern.lower() == text.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "IpAddress": in_range,
    "Bool": lambda pattern, text: pattern == text,
}
NEGATED = {one.replace("String", "StringNot").replace("Arn", "ArnNot").replace("Ip", "NotIp"): one for one in TESTS}


def holds(operator, key, values, caller):
    found = {**caller, **RESOURCE}.get(key.lower())
    values = [str(RESOURCE["aws:resourceorgid"]) if value == "${aws:ResourceOrgID}" else value for value in values]
    name = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:").removesuffix("IfExists")
    if name == "Null":
        return any((found is None) == (value == "true") for value in values)
    negative = name in NEGATED and name not in TESTS
    if found is None:
        return operator.endswith("IfExists") or operator.startswith("ForAllValues") or (negative and "Any" not in operator)
    return any(TESTS[NEGATED[name] if negative else name](value, found) for value in values) is not negative


def applies(statement, caller):
    principal = statement["Principal"]
    named = [principal] if isinstance(principal, str) else principal.get(caller["kind"], [])
    conditions = statement.get("Condition", {})
    if not set(named) & caller["names"] and principal != {"AWS": ["*"]}:
        return False
    return all(holds(name, key, values, caller) for name, keys in conditions.items() for key, values in keys.items())


def let_in(document):
    for level, caller in CALLERS:
        fits = [one["Effect"] for one in document if applies(one, caller)]
        if "Allow" in fits and "Deny" not in fits:
            yield level


# Documents -----------------------------------------------------------------------------------------------------------

# A document can't tell whose an organisation is: the one that it names is taken for the own.
VALUES = {
    "aws:PrincipalOrgID": ["o-own", "o-*", "*", "${aws:ResourceOrgID}", ""],
    "aws:ResourceOrgID": ["o-own"],
    "aws:PrincipalAccount": [OWN, SISTER, STRANGER, "1111*", "*"],
    "aws:SourceAccount": [OWN, STRANGER, "*"],
    "AWS:ResourceAccount": [OWN],
    "aws:PrincipalArn": [ROLE.format(OWN, "*"), ROLE.format(STRANGER, "app"), ROLE.format("*", "app"), "arn:*", "*"],
    "aws:SourceArn": [f"arn:aws:sns:*:{OWN}:*", f"arn:*:{OWN}:*", "arn:aws:sns:*:*:*", f"arn:aws:sns:*:{STRANGER}:topic"],
    "aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "192.0.0.0/7", "::/0", "2001:db8::/32", "office"],
    "aws:SourceVpc": ["vpc-1", "vpc-*", "*"],
    "aws:SecureTransport": ["true", "false"],
}
names = st.sampled_from([*TESTS, *(name for name in NEGATED if name not in TESTS)])
operators = st.one_of(
    names,
    st.just("Null"),
    st.builds(
        lambda prefix, name, suffix: prefix + name + suffix,
        st.sampled_from(["", "ForAnyValue:", "ForAllValues:"]),
        names,
        st.sampled_from(["", "IfExists"]),
    ),
)
conditions = st.dictionaries(
    operators,
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda key: st.fixed_dictionaries({key: st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=2)})
    ),
    max_size=2,
)
principals = st.one_of(
    st.sampled_from(["*", {"AWS": ["*"]}, {"Service": ["sns.amazonaws.com"]}]),
    st.lists(st.sampled_from([OWN, STRANGER, f"arn:aws:iam::{SISTER}:root", ROLE.format(STRANGER, "app")]), min_size=1).map(
        lambda found: {"AWS": found}
    ),
)
either = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Principal": principals,
        "Action": st.just("s3:GetObject"),
        "Resource": st.just("*"),
        "Condition": conditions,
    }
)
documents = st.lists(either, min_size=1, max_size=4)


def level_of(document):
    return LEVELS.index(widest_level(statements({"Statement": document}), ["s3:GetObject"], OWN))


@settings(max_examples=600)
@given(documents)
def test_whoever_may_call_is_within_the_level(document):
    for level in let_in(document):
        assert LEVELS.index(level) <= level_of(document), level


@given(st.lists(st.fixed_dictionaries({"Principal": principals}), max_size=3))
def test_without_conditions_the_level_is_that_of_the_widest_who_may_call(some):
    document = [{"Effect": "Allow", "Action": "*", "Resource": "*", **one} for one in some]
    named = (
        {name for one in some for name in one["Principal"].get("AWS", ()) if isinstance(one["Principal"], dict)}
        if not any(one["Principal"] == "*" for one in some)
        else set()
    )
    widest = max((LEVELS.index(level) for level in let_in(document)), default=0)
    # An account's number names all of that account, of which a sister is as strange as any other to who can't ask.
    strange = named & {f"arn:aws:iam::{SISTER}:root"}
    assert level_of(document) == (max(widest, LEVELS.index("EXTERNAL_PRINCIPAL")) if strange else widest)


@pytest.mark.parametrize(
    ("principal", "outcome"),
    [
        (f"arn:aws:iam::{OWN}:root", codes.error(1)),
        ("*", codes.true(1)),
        ({"Service": "sns.amazonaws.com"}, codes.otherwise(1)),
    ],
)
def test_an_account_that_was_not_collected_is_no_other_account(principal, outcome):
    check = {"policyExtField": "t1", "widestAcceptableAccessLevel": "AWS_SERVICE", "actions": ["s3:*"]}
    named = principal if principal == "*" or isinstance(principal, dict) else {"AWS": principal}
    document = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": named}]}
    row = {"t1": json.dumps(document), "accountId": NotCollected("denied")}
    expression, problems = read({"AWS_POLICY_ALLOWS": check}, UNTYPED)
    assert not problems
    assert program(expression, UNTYPED).judge(row, NOW).code == outcome


@given(documents, st.integers(0, 3), conditions)
def test_a_condition_more_never_widens_what_is_allowed(document, which, more):
    chosen = document[which % len(document)]
    if chosen["Effect"] == "Allow":
        merged = {**more, **chosen["Condition"]}
        narrower = [one if one is not chosen else {**one, "Condition": merged} for one in document]
        assert level_of(narrower) <= level_of(document)


@given(documents, st.integers(0, 3))
def test_a_denial_less_never_narrows(document, which):
    without = [one for number, one in enumerate(document) if number != which or one["Effect"] == "Allow"]
    assert level_of(without) >= level_of(document)


@given(documents, st.integers(0, 3))
def test_a_star_in_place_of_values_never_narrows(document, which):
    chosen = document[which % len(document)]
    starred = {name: {key: ["*"] for key in keys} for name, keys in chosen["Condition"].items()}
    wider = [one if one is not chosen else {**one, "Condition": starred} for one in document]
    assert level_of(wider) >= level_of(document)
    open_to_all = [one if one is not chosen or one["Effect"] == "Deny" else {**one, "Principal": "*"} for one in document]
    assert level_of(open_to_all) >= level_of(document)


ACTIONS = ["iam:CreateUser", "iam:CreateRole", "s3:GetObject", "sts:AssumeRole"]
PATTERNS = ["*", "*:*", "iam:*", "iam:Create*", "iam:CreateUser", "IAM:createrole", "s3:*", "s?:GetObject", "sts:*", "no:Such"]
plain = st.builds(
    lambda effect, name, patterns: {"Effect": effect, name: patterns, "Resource": "*"},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["Action", "NotAction"]),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
)


@given(st.lists(plain, max_size=4), st.sampled_from(ACTIONS))
def test_what_is_granted_is_what_each_action_is_granted(document, action):
    def about(one):
        matched = any(like(pattern.lower(), action.lower()) for pattern in one.get("Action", one.get("NotAction")))
        return matched is ("Action" in one)

    fits = [one["Effect"] for one in document if about(one)]
    assert grants(statements({"Statement": document}), action) is ("Allow" in fits and "Deny" not in fits)


@given(st.lists(plain, max_size=4), st.sampled_from(["*:*", "iam:*", "iam:create*"]))
def test_what_is_granted_whole_is_granted_in_each_part(document, pattern):
    read = statements({"Statement": document})
    if grants(read, pattern) and not any(one["Effect"] == "Deny" for one in document):
        assert all(grants(read, action) for action in ACTIONS if like(pattern, action.lower()))
