"""What the remedies of the account's and the trails' policies do: an object on which their commands were run is COMPLIANT."""

import json
import shlex
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CATALOG
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.policy_tests import run_tests
from reeve.findings.remedies import Subject, guilty_children, remedy_of
from reeve.language.operations.base import Moment
from reeve.model import Place, Status
from reeve.repository.repository import Repository

REPOSITORY = Repository.open(CATALOG)
MOMENT = Moment.at(datetime(2026, 11, 20, 12, tzinfo=UTC))
ACCOUNT, HOME = "123456789012", "eu-west-1"
PLACE = Place("aws", ACCOUNT, None, "aws", "global", "account", f"arn:aws:account::{ACCOUNT}:account")
CATALOGUE = "/ce/ca/aws"
MONITORING = [one for one in REPOSITORY.policy_ids if one.startswith(f"{CATALOGUE}/cloudtrail/") and one.endswith("onitoring")]
OBJECTS = f"{CATALOGUE}/account/object-level-cloudtrail-logging-for-{{}}-events-for-s3-buckets"
RECORDING = [f"{CATALOGUE}/account/multi-region-cloudtrail", OBJECTS.format("read"), OBJECTS.format("write")]
REGIONS = {
    f"{CATALOGUE}/account/ebs-volume-encryption-attribute-in-all-regions": {"ebsEncryptionByDefault": False},
    f"{CATALOGUE}/account/iam-access-analyzer-for-all-regions": {"analyzers": []},
    f"{CATALOGUE}/account/security-hub": {"securityHubArn": None},
}
CONFIG = f"{CATALOGUE}/account/config-in-all-regions"
LENGTH = f"{CATALOGUE}/account/password-policy-minimum-password-length-14"
REUSE = f"{CATALOGUE}/account/password-policy-number-of-passwords-to-remember-24"


def judged(policy_id, row):
    program = compile_body(REPOSITORY.logic(policy_id).body)
    code = program.judge(row, MOMENT).code
    return code, program.meanings[code].status


def commands(policy_id, row):
    """Return the commands for an object that is INCOMPLIANT, each with what undoes it."""
    body = REPOSITORY.logic(policy_id).body
    code, status = judged(policy_id, row)
    assert status is Status.INCOMPLIANT
    guilty = guilty_children(compile_body(body), row, MOMENT)
    subject = Subject(row, body.object_type, PLACE, ACCOUNT, None, guilty, REPOSITORY.type_ids)
    found = remedy_of(REPOSITORY.remedies(policy_id, body), code, subject, MOMENT)
    assert found is not None and found.say
    return [(words(one.run), words(one.undo)) for one in found.commands]


def words(command):
    """Return a command's operation and its options, each with its value; a flag has none."""
    _, service, operation, *rest = shlex.split(command)
    options = {}
    for word in rest:
        if word.startswith("--"):
            options[name := word] = None
        else:
            assert options[name] is None
            options[name] = word
    return f"{service} {operation}", options


def cases(policy_id, status):
    """Return the account of each test object of a status, its trails in their place."""
    found = []
    for case in run_tests(REPOSITORY, f"{policy_id}/prod.logic.yaml").cases:
        if case.actual["status"] == status and isinstance(case.row.get("trails"), list):
            trails = [trail_of(number, dict(one)) for number, one in enumerate(case.row["trails"])]
            found.append({**case.row, "trails": trails})
    return found


def trail_of(number, given):
    arn = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/t{number}"
    return {
        "id": arn,
        "name": f"t{number}",
        "ownerId": ACCOUNT,
        "accountId": ACCOUNT,
        "logGroupName": f"group{number}",
        **given,
    }


# Metric filters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy_id", MONITORING)
def test_the_filter_and_an_alarm_on_it_are_what_is_missing(policy_id):
    (good,) = [one for one in cases(policy_id, "COMPLIANT") if len(one["trails"]) == 1][:1]
    (alarms,) = [one["alarms"] for one in good["trails"][0]["metricFilters"]]
    mended = 0
    for row in cases(policy_id, "INCOMPLIANT"):
        for (called, options), (undone, undo) in commands(policy_id, row):
            assert (called, undone) == ("logs put-metric-filter", "logs delete-metric-filter")
            (trail,) = [one for one in row["trails"] if one["logGroupName"] == options["--log-group-name"]]
            assert options["--region"] == HOME and undo.items() <= options.items()
            made = {"accountId": ACCOUNT, "filterPattern": options["--filter-pattern"], "selective": False, "alarms": alarms}
            (metric,) = json.loads(options["--metric-transformations"])
            assert metric["metricValue"] == "1"
            trails = [{**trail, "metricFilters": [made]}]
            assert judged(policy_id, {**row, "trails": trails})[1] is Status.COMPLIANT
            mended += 1
    assert mended


@pytest.mark.parametrize("policy_id", MONITORING)
def test_no_filter_for_a_trail_that_would_not_do(policy_id):
    (good,) = [one for one in cases(policy_id, "COMPLIANT") if len(one["trails"]) == 1][:1]
    (trail,) = good["trails"]
    partly = {"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}
    for spoilt in (
        {"multiRegion": False},
        {"logging": False},
        {"logGroupIsHere": None, "metricFilters": []},
        {"eventSelectors": partly},
    ):
        assert commands(policy_id, {**good, "trails": [{**trail, **spoilt}]}) == []
    assert commands(policy_id, {**good, "trails": []}) == []


# Trails ----------------------------------------------------------------------------------------------------------------


def changed(trail, called, options):
    """Return a trail after a command."""
    assert trail["id"] in options.values() and options["--region"] == HOME
    match called:
        case "cloudtrail start-logging":
            return {**trail, "logging": True}
        case "cloudtrail stop-logging":
            return {**trail, "logging": False}
        case "cloudtrail update-trail":
            return {**trail, "multiRegion": "--is-multi-region-trail" in options}
        case "cloudtrail put-event-selectors":
            options = {name: json.loads(value) for name, value in options.items() if name.endswith("selectors")}
            ((name, selectors),) = options.items()
            assert name == "--advanced-event-selectors" or len(selectors) <= 5
            kind = "EventSelectors" if name == "--event-selectors" else "AdvancedEventSelectors"
            return {**trail, "eventSelectors": {kind: selectors}}


@pytest.mark.parametrize("policy_id", RECORDING)
def test_a_trail_that_is_changed_records_and_is_as_before_when_that_is_undone(policy_id):
    done = set()
    for row in cases(policy_id, "INCOMPLIANT"):
        for run, undo in commands(policy_id, row):
            (trail,) = row["trails"]
            after = changed(trail, *run)
            assert judged(policy_id, {**row, "trails": [after]})[1] is Status.COMPLIANT, trail
            assert changed(after, *undo) == trail
            done.add((run[0], *(name for name in run[1] if name.endswith("selectors"))))
    selectors = {("cloudtrail put-event-selectors", f"--{kind}event-selectors") for kind in ("", "advanced-")}
    others = {("cloudtrail start-logging",), ("cloudtrail update-trail",)} if policy_id == RECORDING[0] else set()
    assert done == selectors | others


@pytest.mark.parametrize("policy_id", RECORDING)
def test_what_a_trail_records_beside_is_kept(policy_id):
    lambdas = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}
    basic = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": [lambdas]}
    row = {"trails": [trail_of(0, {"multiRegion": True, "logging": True, "eventSelectors": {"EventSelectors": [basic]}})]}
    (((_, options), _),) = commands(policy_id, row)
    made = json.loads(options["--event-selectors"])
    assert [one["ReadWriteType"] for one in made if lambdas in one["DataResources"]] == ["WriteOnly"]
    assert sum(one["IncludeManagementEvents"] for one in made) == 1
    full = [{**basic, "DataResources": [lambdas]}] * 5
    row["trails"][0]["eventSelectors"] = {"EventSelectors": full}
    assert commands(policy_id, row) == []


@pytest.mark.parametrize("policy_id", RECORDING)
def test_a_trail_of_the_organisation_is_not_changed_in_a_member(policy_id):
    for row in cases(policy_id, "INCOMPLIANT"):
        trails = [{**one, "ownerId": "210987654321"} for one in row["trails"]]
        assert commands(policy_id, {**row, "trails": trails}) == []


# Regions ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy_id", REGIONS)
def test_each_region_that_lacks_it_has_its_command(policy_id):
    names = ["eu-west-1", "us-east-1"]
    row = {"regions": [{"id": f"{ACCOUNT}/{name}", "name": name, **REGIONS[policy_id]} for name in names]}
    found = commands(policy_id, row)
    assert [(run[1]["--region"], undo[1]["--region"]) for run, undo in found] == [(name, name) for name in names]


def recorder(region, **more):
    group = {"allSupported": True, "includeGlobalResourceTypes": False}
    channel = {"name": "main", "s3BucketName": "recordings", "s3KeyPrefix": "config"}
    known = {"id": f"{ACCOUNT}/{region}/default", "name": "default", "regionId": f"{ACCOUNT}/{region}", "accountId": ACCOUNT}
    works = {"allSupported": True, "recording": True, "lastStatus": "Success", "deliveryChannels": 1, "globalResources": False}
    given = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/config", "recordingGroup": group, "deliveryChannel": channel}
    return {**known, **works, **given, "recordingMode": {"recordingFrequency": "DAILY"}, **more}


def recorded(*recorders, others=()):
    regions = [{"name": one["regionId"].split("/")[1], "configurationRecorders": [one]} for one in recorders]
    more = [{"name": name, "configurationRecorders": []} for name in others]
    return {"regions": [*regions, *more], "configurationRecorders": list(recorders)}


def test_a_region_without_a_recorder_gets_one_after_the_model_of_one_that_works():
    works = recorder(HOME)
    found = commands(CONFIG, recorded(works, others=["eu-north-1"]))
    assert {one["--region"] for pair in found for _, one in pair} == {"eu-north-1"}
    assert [called.split()[1] for (called, _), _ in found] == [
        "put-configuration-recorder",
        "put-delivery-channel",
        "start-configuration-recorder",
    ]
    made = json.loads(found[0][0][1]["--configuration-recorder"])
    assert made["roleARN"] == works["roleArn"] and made["recordingGroup"]["allSupported"]
    assert json.loads(found[1][0][1]["--delivery-channel"]) == works["deliveryChannel"]
    with_topic = recorder(HOME, deliveryChannel={**works["deliveryChannel"], "snsTopicARN": "arn:aws:sns:eu-west-1:1:t"})
    for models in ([], [with_topic]):
        assert commands(CONFIG, recorded(*models, others=["eu-north-1"])) == []


def test_recorders_that_stand_still_or_leave_types_out():
    group = {"allSupported": False, "resourceTypes": ["AWS::EC2::Instance"]}
    partial = recorder("us-east-1", allSupported=False, recordingGroup=group)
    still = recorder("eu-north-1", recording=False)
    silent = recorder("eu-south-1", recording=False, deliveryChannels=0)
    found = commands(CONFIG, recorded(recorder(HOME), partial, still, silent, others=["sa-east-1"]))
    (put, before), (start, stop) = found
    assert (put[1]["--region"], start[1]["--region"]) == ("us-east-1", "eu-north-1")
    assert (start[0], stop[0]) == ("configservice start-configuration-recorder", "configservice stop-configuration-recorder")
    made, old = (json.loads(one[1]["--configuration-recorder"]) for one in (put, before))
    assert made["recordingGroup"] == {"allSupported": True, "includeGlobalResourceTypes": False}
    assert old["recordingGroup"] == group
    assert made["recordingMode"] == old["recordingMode"] == {"recordingFrequency": "DAILY"}


def test_global_types_are_recorded_in_the_first_region():
    found = commands(CONFIG, recorded(recorder(HOME), recorder("us-east-1")))
    (((_, options), (_, undo)),) = found
    assert options["--region"] == undo["--region"] == "us-east-1"
    made, old = (json.loads(one["--configuration-recorder"])["recordingGroup"] for one in (options, undo))
    assert made["includeGlobalResourceTypes"] and not old["includeGlobalResourceTypes"]
    assert commands(CONFIG, recorded(recorder(HOME))) == []


# The password policy ---------------------------------------------------------------------------------------------------

KINDS = {
    "--require-symbols": "requireSymbols",
    "--require-numbers": "requireNumbers",
    "--require-uppercase-characters": "requireUppercase",
    "--require-lowercase-characters": "requireLowercase",
}
FLAGS = {**KINDS, "--allow-users-to-change-password": "usersChangePasswords", "--hard-expiry": "hardPasswordExpiry"}
NUMBERS = {
    "--minimum-password-length": "minimumPasswordLength",
    "--password-reuse-prevention": "passwordReusePrevention",
    "--max-password-age": "maximumPasswordAge",
}


def put(options):
    """Return the account's fields after a command that puts the whole password policy."""
    numbers = {field: float(options[name]) if name in options else None for name, field in NUMBERS.items()}
    assert not options.keys() - NUMBERS.keys() - FLAGS.keys()
    return {"passwordPolicyExists": True, **numbers, **{field: name in options for name, field in FLAGS.items()}}


@given(
    st.fixed_dictionaries({field: st.sampled_from([True, True, True, False]) for field in FLAGS.values()}),
    st.floats(6, 13).map(round),
    st.none() | st.integers(1, 23),
    st.none() | st.integers(1, 1095),
)
def test_a_password_policy_keeps_what_the_command_is_not_about(flags, length, reuse, age):
    numbers = {"minimumPasswordLength": float(length), "passwordReusePrevention": reuse, "maximumPasswordAge": age}
    row = {"passwordPolicyExists": True, **numbers, **flags}
    usual = all(value != (field == "hardPasswordExpiry") for field, value in flags.items())
    for policy_id, own, least in ((LENGTH, "minimumPasswordLength", 14), (REUSE, "passwordReusePrevention", 24)):
        found = commands(policy_id, row)
        assert len(found) == usual
        for (_, options), (_, undo) in found:
            assert put(options) == {**row, own: least}
            assert judged(policy_id, put(options))[1] is Status.COMPLIANT
            assert put(undo) == row


def test_a_first_password_policy_is_good_for_both():
    for policy_id in (LENGTH, REUSE):
        (((_, options), (undone, _)),) = commands(policy_id, {"passwordPolicyExists": False})
        assert undone == "iam delete-account-password-policy"
        assert all(judged(one, put(options))[1] is Status.COMPLIANT for one in (LENGTH, REUSE))
        assert all(put(options)[field] for field in KINDS.values())
