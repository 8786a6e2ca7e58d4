"""Remedies: what is filled into commands, what is refused in their files, and those of the catalogue."""

import json
import re
import shlex
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account import Failure
from conftest import CATALOG, FIRST, ROOT
from reeve.collect.aws.declarations import Models
from reeve.collect.aws.remedies import remedy_check
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.policy_tests import run_tests
from reeve.findings.remedies import MOST_COMMANDS, Subject, guilty_children, remedy_of
from reeve.language.errors import InvalidRepositoryError
from reeve.language.evaluation import Moment
from reeve.language.patterns import Known, Search, UnfilledError, parse_command
from reeve.language.queries import compile_dated
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.model import Place
from reeve.repository.remedies import incompliant_codes, read_for, read_remedies
from reeve.repository.repository import Repository

REPOSITORY, MODELS = Repository.open(CATALOG), Models()
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLACE = Place("aws", "123456789012", None, "aws", "eu-west-1", "ec2", "arn:aws:ec2:eu-west-1:123456789012:thing/1")
KEYS = "/ce/ca/aws/iam/user-has-more-than-one-active-access-key"
CIFS = "/ce/ca/aws/ec2/security-group-allows-unrestricted-cifs-traffic"
WITH = [policy_id for policy_id in REPOSITORY.policy_ids if "remedies.yaml" in REPOSITORY.policy(policy_id).files]


def body_of(policy_id):
    return REPOSITORY.logic(policy_id).body


def read(policy_id, text):
    return read_remedies("/remedies.yaml", text.encode(), body_of(policy_id), REPOSITORY.declared_type)


def remedy(policy_id, row, code, guilty=None, text=None, tables=REPOSITORY.type_ids, place=PLACE):
    body = body_of(policy_id)
    remedies = REPOSITORY.remedies(policy_id, body) if text is None else read(policy_id, text)
    subject = Subject(row, body.object_type, place, "an id", row.get("name"), guilty or {}, tables)
    return remedy_of(remedies, code, subject, Moment.at(NOW))


# Quoting ---------------------------------------------------------------------------------------------------------------

VALUES = st.text() | st.sampled_from(
    ["-x", "--profile", "file:///etc/passwd", "a b", "'", "$(id)", "`id`", "\n", ";", "{{x}}", "ü", ""]
)


@given(VALUES, VALUES)
def test_a_value_is_one_word_whatever_it_holds(first, second):
    search = Search(Known(a=first, b=second), NOW)
    line = parse_command("aws iam get-user --user-name {{a}} --tag '{{ b }}' --both=x{{a}}y")
    try:
        filled = line.fill(search)
    except UnfilledError:
        assert any(not one.isprintable() or re.match("-|(file|fileb|https?)://", one) for one in (first, second))
        return
    words = ["aws", "iam", "get-user", "--user-name", first, "--tag", second, f"--both=x{first}y"]
    assert shlex.split(filled) == words
    assert "\n" not in filled
    assert not first.startswith("-")


@pytest.mark.parametrize(
    "value", [None, NotCollected("no"), PartlyCollected([], "no"), [], ["a"], {"a": 1}, "a\x1b[0m", "\u202e", "http://x"]
)
def test_what_fills_in_nothing(value):
    with pytest.raises(UnfilledError):
        parse_command("aws {{a}}").fill(Search(Known(a=value), NOW))


@pytest.mark.parametrize(("value", "shown"), [(443.0, "443"), (1.5, "1.5"), (True, "true"), (10**20, str(10**20)), ("", "''")])
def test_plain_values(value, shown):
    assert parse_command("aws {{a}}").fill(Search(Known(a=value), NOW)) == f"aws {shown}"


@pytest.mark.parametrize(
    "text", ["aws {{a", "aws '{{a}}", "aws {{[?}}", "aws\nrm", "aws {{a}} \0", "aws {{nope(a)}}", "aws \u202e{{a}}", "aws \x7f"]
)
def test_no_command_line(text):
    with pytest.raises(ValueError, match=r"JMESPath|command|closed"):
        parse_command(text)


WHOLES = ("to_string(@)", "to_string(rules)", "to_string(rules[0])", "to_string({a: rules})", "rules[0].*", "rules[*].*")
COMPARED = ("rules[0] == rules[1]", "rules[0] != rules[1]", "[rules[0]] == others", "contains(rules, others[0])")


@pytest.mark.parametrize("query", [*WHOLES, *COMPARED, "rules[0].cidr", "contains(to_string(rules), 'x')"])
def test_a_mark_of_what_was_not_read_is_no_value(query):
    rules = [Known({"id": "1", "cidr": NotCollected("denied")}), Known({"id": "2", "cidr": "10.0.0.0/8"})]
    search = Search(Known({"rules": rules, "others": [Known({"id": "1", "cidr": "::/0"})]}), NOW)
    with pytest.raises(UnfilledError, match="denied"):
        search(compile_dated(query))
    assert search(compile_dated("rules[].id")) == ["1", "2"]
    assert search(compile_dated("rules[?id == '2'] | to_string(@)")) == '[{"id":"2","cidr":"10.0.0.0/8"}]'
    assert search(compile_dated('others[0] == `{"cidr": "::/0", "id": "1"}` && others[0] != rules[1]')) is True


# The choice of an access key -------------------------------------------------------------------------------------------


def key(name, age, used=None, **more):
    last = None if used is None else NOW - timedelta(days=used)
    fields = {"id": name, "status": "Active", "createdAt": NOW - timedelta(days=age), "lastUsedAt": last}
    return {**fields, "lastUsedRegion": "eu-west-1", "lastUsedService": "s3", **more}


def off(*keys, **more):
    found = remedy(KEYS, {"name": "some one", "accessKeys": list(keys), **more}, 199)
    return None if found is None else [shlex.split(command.run)[6] for command in found.commands]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (key("old", 300, 1), key("unused", 10), ["unused"]),
        (key("old", 300, 1), key("young", 10, 3), ["old"]),
        (key("a", 300, 50), key("b", 400, 2), ["a"]),
        (key("a", 20, 5), key("b", 10, 6), ["b"]),
        (key("a", 89.9, 5), key("b", 90.1, 1), ["b"]),
        (key("a", 90.1, 700), key("b", 1), ["b"]),
    ],
)
def test_which_key_is_switched_off(first, second, expected):
    for keys in ([first, second], [second, first], [first, key("inactive", 1, 1, status="Inactive"), second]):
        assert off(*keys) == expected


@given(st.lists(st.tuples(st.floats(0, 2000), st.none() | st.floats(0, 2000)), min_size=2, max_size=2))
def test_an_unused_key_never_stays(ages):
    keys = [key(str(number), age, used) for number, (age, used) in enumerate(ages)]
    switched = off(*keys)
    unused = {str(number) for number, (_, used) in enumerate(ages) if used is None}
    assert unused <= set(switched)
    assert len(switched) == max(1, len(unused))
    young = [number for number, (age, used) in enumerate(ages) if used is not None and age < 90]
    if len(young) == 1:
        assert str(young[0]) not in switched


def test_no_command_where_a_last_use_or_a_key_is_not_known():
    known = key("a", 300, 1)
    assert off(known, key("b", 200, lastUsedAt=NotCollected("denied"))) is None
    assert off(accessKeys=PartlyCollected([known, key("b", 1)], "denied")) is None
    assert off(accessKeys=NotCollected("denied")) is None
    found = remedy(KEYS, {"name": NotCollected("denied"), "accessKeys": [known, key("b", 1)]}, 199)
    assert found.say and not found.commands and found.breaks is None
    assert remedy(KEYS, {"name": "x", "accessKeys": [known, key("b", 1)]}, 199, tables=()) is None


def test_the_words_say_why_and_the_undo_undoes():
    found = remedy(KEYS, {"name": "ci", "accessKeys": [key("old", 300, 3), key("young", 20, 4)]}, 199)
    assert "Keep young (20 d old, last used 4 d ago for s3 in eu-west-1)" in found.say
    assert "switch off old (300 d old, last used 3 d ago). It is in use" in found.say
    (command,) = found.commands
    assert command.undo == command.run.replace("Inactive", "Active")


# What children and places give -----------------------------------------------------------------------------------------

RULE = {"id": "sgr-1", "egress": False, "protocol": "tcp", "fromPort": 445.0, "toPort": 445.0, "cidrIpv4": "0.0.0.0/0"}


def test_each_guilty_child_has_its_command():
    rules = [RULE, {**RULE, "id": "sgr-2", "cidrIpv4": None, "cidrIpv6": "::/0"}, {**RULE, "id": "sgr-3", "cidrIpv4": None}]
    found = remedy(CIFS, {"id": "sg-1", "rules": [*rules, {**RULE, "id": "sgr-4"}]}, 299, {"rules": rules})
    assert [shlex.split(one.run)[-1] for one in found.commands] == ["sgr-1", "sgr-2", "sgr-3"]
    assert all("--region eu-west-1" in one.run for one in found.commands)
    given = json.loads(shlex.split(found.commands[0].undo)[-1])
    assert given == [{"IpProtocol": "tcp", "FromPort": 445, "ToPort": 445, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    assert found.commands[2].undo is None and found.cannot_undo


def test_no_command_without_a_region_and_for_a_list_not_wholly_read():
    row = {"id": "sg-1", "rules": [RULE]}
    assert not remedy(CIFS, row, 299, {"rules": [RULE]}, place=replace(PLACE, region="")).commands
    partly = {**row, "rules": PartlyCollected([RULE], "denied")}
    assert not remedy(CIFS, partly, 299, {"rules": [RULE]}).commands
    many = [{**RULE, "id": f"sgr-{number}"} for number in range(MOST_COMMANDS + 1)]
    assert not remedy(CIFS, row, 299, {"rules": many}).commands


def test_values_made_of_each_other_are_bounded():
    grown = {f"a{number}": f"[{', '.join([f'a{number - 1}'] * 20)}]" for number in range(1, 20)}
    text = json.dumps([{"code": 299, "say": "x{{a19[0] && 'y'}}", "values": {"a0": "[id]", **grown}}])
    assert remedy(CIFS, {"id": "sg-1", "rules": []}, 299, text=text) is None
    assert "more than 20 values" in refused(
        json.dumps([{"code": 299, "say": "x", "values": {f"a{n}": "id" for n in range(21)}}])
    )


# Files -----------------------------------------------------------------------------------------------------------------


def refused(text, policy_id=CIFS):
    with pytest.raises(InvalidRepositoryError) as caught:
        read(policy_id, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "remedies must be a list"),
        ("- code: 299\n", "needs the key 'say'"),
        ("- {code: 298, say: x}\n", "298 is no INCOMPLIANT code of the policy; expected one of 299, 399"),
        ("- {code: .inf, say: x}\n", "whole number"),
        ("- {code: 299, say: x}\n- {code: 299, say: y}\n", ":2:3: never taken"),
        ("- {code: 299, say: '{{idd}}'}\n", "there is no 'idd' in aws.ec2.SecurityGroup; did you mean id?"),
        ("- {code: 299, say: '{{rules[0].idd}}'}\n", "there is no 'idd' in aws.ec2.SecurityGroupRule; did you mean id?"),
        ("- {code: 299, say: '{{guilty.rule[0].id}}'}\n", "guilty has no list 'rule': the policy judges rules"),
        ("- {code: 299, say: '{{id.x}}'}\n", "'x' is read from 'id' of aws.ec2.SecurityGroup, which is Bytes"),
        ("- {code: 299, say: '{{item.id}}'}\n", "there is no 'item'"),
        ("- {code: 299, say: x, values: {id: name}}\n", "'id' is the object's own"),
        ("- {code: 299, say: x, values: {a: rules}, when: 'a[?nope]'}\n", "there is no 'nope' in aws.ec2.SecurityGroupRule"),
        ("- {code: 299, say: x, values: {a: '{b: rules[].nope}'}}\n", "there is no 'nope'"),
        ("- {code: 299, say: '{{id'}\n", "{{ is not closed by }}"),
        ("- {code: 299, say: '{{nope(id)}}'}\n", "unknown function nope()"),
        (f"- {{code: 299, say: '{{{{{'to_array(' * 200}id{')' * 200}}}}}'}}\n", "nested"),
        (f"- {{code: 299, say: '{{{{{'a.' * 6000}a}}}}'}}\n", "characters"),
        ("- {code: 299, say: x, commands: [{run: aws iam list-users}]}\n", "needs the key 'breaks'"),
        ("- {code: 299, say: x, breaks: y, commands: [{run: aws iam list-users}]}\n", "needs the key 'cannotUndo'"),
        ("- {code: 299, say: x, command: aws}\n", "unknown key 'command'"),
        ("- {code: 299, say: x, values: []}\n", "must be a mapping"),
        ("- {code: 299, say: null}\n", "needs the key 'say'"),
    ],
)
def test_files_that_are_refused(text, says):
    assert says in refused(text)


REVOKE = (
    "aws ec2 revoke-security-group-ingress --region {{_region}} --group-id {{id}} --security-group-rule-ids {{rules[0].id}}"
)


def checked(run, policy_id=CIFS, code=299):
    text = json.dumps([{"code": code, "say": "x", "breaks": "y", "cannotUndo": "z", "commands": [{"run": run}]}])
    found = remedy_check(MODELS)(read(policy_id, text), body_of(policy_id), REPOSITORY.declared_type)
    return [one.message for one in found]


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (REVOKE.replace("aws", "rm"), "begins with aws"),
        (REVOKE.replace("ec2", "ec3"), "no API service 'ec3'"),
        (REVOKE.replace("ec2", "s3"), "no API service 's3'"),
        (
            REVOKE.replace("revoke", "evoke"),
            "no operation 'evoke-security-group-ingress'; did you mean revoke-security-group-ingress",
        ),
        (REVOKE.replace("--group-id", "--group"), "has no --group; did you mean"),
        (REVOKE.replace("{{id}}", ""), "--group-id takes one value, 0 are given"),
        (REVOKE.replace("{{id}}", "{{id}} {{id}}"), "--group-id takes one value, 2 are given"),
        (REVOKE.replace("--region {{_region}} ", ""), "--region {{_region}}"),
        (REVOKE.replace("{{rules[0].id}}", "{{rules}}"), "a place in a text is filled with a list"),
        (REVOKE + " --ip-permissions IpProtocol={{name}}", "all of it with to_string()"),
        (
            REVOKE + " --ip-permissions {{to_string([{IpProtocl: id}])}}",
            "there is no member 'IpProtocl'; did you mean IpProtocol?",
        ),
        (REVOKE + " --ip-permissions {{to_string({IpProtocol: id})}}", "a list is needed here, not an object"),
        (REVOKE + " --ip-permissions '[{\"IpProtocol\": 1}]'", "a text is needed here, not a number"),
        (REVOKE + " --from-port many", "takes a number, not 'many'"),
        (REVOKE + " --dry-run yes", "is a flag"),
        (REVOKE + " --no-egress", "has no --no-egress"),
        ("aws ec2 delete-network-acl-entry --region {{_region}} --network-acl-id {{id}} --ingress", "needs --rule-number"),
        ("aws ec2 {{name}} --region x", "begins with aws"),
        ("aws ec2 describe-instances x", "after the operation come --options"),
        (
            "aws ec2 modify-instance-metadata-options --region x --instance-id i --http-tokens must",
            "'must' is none of its values",
        ),
    ],
)
def test_commands_that_are_refused(run, says):
    assert any(says in message for message in checked(run)), checked(run)


def test_commands_that_are_taken():
    assert checked(REVOKE) == []
    assert checked(REVOKE + " --dry-run --ip-permissions {{to_string([{IpProtocol: id, FromPort: rules[0].fromPort}])}}") == []
    entry = "aws ec2 delete-network-acl-entry --region {{_region}} --network-acl-id {{id}} --rule-number 7 --ingress"
    assert checked(entry) == []


def test_a_value_that_a_field_never_has_is_refused():
    text = "- {code: 199, say: x, values: {a: \"accessKeys[?status == 'active']\"}}\n"
    found = remedy_check(MODELS)(read(KEYS, text), body_of(KEYS), REPOSITORY.declared_type)
    assert "'active' is no value of" in found[0].message


def test_what_remedies_read_is_known():
    body = body_of(CIFS)
    found = read_for(REPOSITORY.remedies(CIFS, body), body, REPOSITORY.object_type)
    fields = {"id", "groupId", "protocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6"}
    assert found == {"aws.ec2.SecurityGroup": {"id"}, "aws.ec2.SecurityGroupRule": fields}


def test_the_example_of_the_documentation():
    (example,) = re.findall(r"```yaml\n(- code: .*?)```", (ROOT / "docs/authoring.md").read_text(), re.DOTALL)
    body = body_of(CIFS)
    remedies = read(CIFS, example)
    assert not remedy_check(MODELS)(remedies, body, REPOSITORY.declared_type)
    assert {one.code for one in remedies} == incompliant_codes(body)
    found = remedy(CIFS, {"id": "sg-1", "rules": [RULE]}, 299, {"rules": [RULE]}, example)
    assert len(found.commands) == 1 and found.say == "Revoke 1 rules of the group sg-1 in eu-west-1."
    assert not remedy(CIFS, {"id": "sg-1", "rules": [RULE]}, 299, {"rules": []}, example).commands


def test_what_only_a_remedy_reads_makes_nothing_undetermined(account, reeve):
    account.add("offender", True, True)
    account.failures["GetAccessKeyLastUsed"] = Failure("AccessDenied", 403, 10**9)
    run = reeve("scan", *FIRST, "--format", "json")
    finding = run.finding("offender")
    assert (run.code, finding["status"], finding.get("remedy")) == (1, "INCOMPLIANT", None)


# Where they are shown --------------------------------------------------------------------------------------------------


def test_a_policy_is_shown_with_its_remedies(reeve, tmp_path):
    shown = reeve("policy", "show", KEYS).out
    assert "Remedy for 199: Keep {{keep.id}}" in shown and "--access-key-id {{item.id}} --status Inactive" in shown
    for part in ("types", CIFS.lstrip("/")):
        shutil.copytree(CATALOG / part, tmp_path / "repo" / part)
    assert reeve("site", "build", "--repo", tmp_path / "repo", "--out", tmp_path / "site").code == 0
    page = (tmp_path / "site" / CIFS.lstrip("/") / "index.html").read_text()
    for text in ("How an object is mended", "revoke-security-group-ingress", "To undo it", "What it can break", "be undone"):
        assert text in page, text


# The catalogue ---------------------------------------------------------------------------------------------------------

SAMPLES = {"Text": "text", "Number": 7, "Boolean": True, "DateTime": "2026-01-02T03:04:05Z", "Json": {}}


def whole(row, own, inside=False):
    """Return a test object with the fields that it leaves out, and those of its children."""
    left = {
        name: SAMPLES.get(field.type, f"{name}-1" if field.type == "Bytes" else [f"{name}-1"])
        for name, field in own.fields.items()
    }
    found = {**left, **row}
    for name, relation in () if inside else (*own.related_lists.items(), *own.lookups.items()):
        held, behind = REPOSITORY.object_type(relation.type), found.get(name)
        if isinstance(behind, dict):
            found[name] = whole(behind, held, True)
        elif isinstance(behind, list):
            found[name] = [whole(child, held, True) for child in behind]
    return found


def made_for(policy_id):
    """Yield what each INCOMPLIANT test object of a policy gets: the object's name, its code, and its remedy."""
    body = body_of(policy_id)
    remedies, program, own = REPOSITORY.remedies(policy_id, body), compile_body(body), body.object_type
    for case in run_tests(REPOSITORY, f"{policy_id}/prod.logic.yaml").cases:
        code = case.actual["conditionIndex"]
        if code in incompliant_codes(body):
            lists = guilty_children(program, case.row, case.moment)
            held = {name: REPOSITORY.object_type(own.related_lists[name].type) for name in lists}
            guilty = {name: [whole(child, held[name], True) for child in children] for name, children in lists.items()}
            subject = Subject(whole(case.row, own), own, PLACE, case.object, "name", guilty, REPOSITORY.type_ids)
            yield case.object, code, remedy_of(remedies, code, subject, case.moment)


@pytest.mark.parametrize("policy_id", WITH)
def test_every_remedy_of_the_catalogue(policy_id):
    """Every INCOMPLIANT code has words, all commands can be, and each stands for some test object."""
    body = body_of(policy_id)
    remedies = REPOSITORY.remedies(policy_id, body)
    found = remedy_check(MODELS)(remedies, body, REPOSITORY.declared_type)
    assert not found, [f"{one.steps}: {one.message}" for one in found]
    assert {one.code for one in remedies} == incompliant_codes(body)
    made = list(made_for(policy_id))
    without = {name for name, code, one in made if one is None and any(not one.when for one in remedies if one.code == code)}
    assert not without
    lines = [shlex.split(command.run) for _, _, one in made if one for command in one.commands]
    for declared in (command.run for one in remedies for command in one.commands):
        fits = [
            all(word.constant in (None, given) for word, given in zip(declared.words, line, strict=False)) for line in lines
        ]
        assert any(fits), f"no test object gets the command: {declared.text}"


@pytest.mark.parametrize("policy_id", WITH)
def test_a_slip_in_a_command_of_the_catalogue_is_found(policy_id):
    """Each service, operation and option of each command, with one letter too many, is refused; so is the whole without one."""
    body = body_of(policy_id)
    check = remedy_check(MODELS)
    for declared in REPOSITORY.remedies(policy_id, body):
        for command in declared.commands:
            words = command.run.words
            names = [number for number, word in enumerate(words) if number < 3 or (word.constant or "").startswith("--")]
            for number in names:
                wrong = parse_command(f"{words[number].constant}x").words
                line = replace(command.run, words=(*words[:number], *wrong, *words[number + 1 :]))
                slipped = replace(declared, commands=(replace(command, run=line, undo=None),))
                assert check((slipped,), body, REPOSITORY.declared_type), f"{words[number].text}x"


def test_every_policy_of_the_catalogue_says_how_to_mend():
    needing = [policy_id for policy_id in REPOSITORY.policy_ids if REPOSITORY.policy(policy_id).is_production]
    lacking = {policy_id for policy_id in needing if incompliant_codes(body_of(policy_id))} - set(WITH)
    assert not lacking


# What commands leave behind --------------------------------------------------------------------------------------------

HTTP = "/ce/ca/aws/s3/bucket-policy-deny-http-requests"
ACL = "/ce/ca/aws/vpc/network-acl-allows-unrestricted-ingress-traffic-to-remote-server-administration-ports"


def mended(policy_id):
    """Yield each INCOMPLIANT test object that commands mend: its row, the commands' words, and what judges a row after."""
    body = body_of(policy_id)
    program = compile_body(body)
    for case in run_tests(REPOSITORY, f"{policy_id}/prod.logic.yaml").cases:
        code = case.actual["conditionIndex"]
        found = remedy(policy_id, whole(case.row, body.object_type), code) if code in incompliant_codes(body) else None
        if found is not None and found.commands:
            words = [shlex.split(command.run) for command in found.commands]
            yield case.row, code, words, lambda row, moment=case.moment: program.judge(row, moment).code


def test_a_policy_with_the_statement_added_denies_http():
    found = list(mended(HTTP))
    assert {code for _, code, _, _ in found} == {199, 300}
    for row, _, ((*_, document),), judge in found:
        policy = json.loads(document)
        before = row.get("policy") or {"Statement": []}
        kept = before["Statement"] if isinstance(before["Statement"], list) else [before["Statement"]]
        assert policy["Statement"][:-1] == kept and policy.get("Id") == before.get("Id")
        assert judge({**row, "policy": policy}) == 299


def changed(rules, words):
    """Return the rules of a network ACL after a command."""
    given = dict(pairwise(words[3:]))
    number = float(given["--rule-number"])
    left = [rule for rule in rules if rule["number"] != number]
    if words[2] == "delete-network-acl-entry":
        return left
    assert len(left) == len(rules)
    port = float(json.loads(given["--port-range"])["From"])
    made = {"number": number, "action": given["--rule-action"], "protocol": given["--protocol"], "from": port, "to": port}
    return [*left, {**made, "cidrs": [given.get("--cidr-block"), given.get("--ipv6-cidr-block")]}]


def test_an_acl_after_the_commands_lets_nobody_reach_the_port():
    found = list(mended(ACL))
    assert {code for _, code, _, _ in found} == {299, 399}
    assert {words[0][2] for _, _, words, _ in found} == {"create-network-acl-entry", "delete-network-acl-entry"}
    for row, code, commands, judge in found:
        rules = row["ingress"]
        for words in commands:
            rules = changed(rules, words)
        after = judge({**row, "ingress": rules})
        assert after == 400 or (code, after) == (299, 399)
