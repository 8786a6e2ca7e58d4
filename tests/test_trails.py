"""Trails, what they record, and the filters and alarms on it: by recommendation, by property, and by answers as documented."""

import itertools
import json

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import serving
from conftest import CATALOG
from reeve.collect.expressions import search
from reeve.language.event_selectors import SelectorsError, read_kind, records
from reeve.language.expressions import Scope, read_check
from reeve.language.log_filters import PatternError, all_of, any_of, read_pattern
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.source import plain_value, read_yaml
from reeve.language.syntax import FileReader
from reeve.language.trail_events import whole
from reeve.model import ObjectType
from reeve.repository.repository import Repository

HOME, OWN, OTHER = "eu-central-1", "210987654321", "111111111111"
CLOUDTRAIL = "/ce/ca/aws/cloudtrail/"
REPOSITORY = Repository.open(CATALOG)
MONITORING = sorted(
    one for one in REPOSITORY.policy_ids if one.startswith(CLOUDTRAIL) and one.endswith("onitoring")
)  # a slug of the format's lacks its m


# What selectors record -----------------------------------------------------------------------------------------------

FIELDS = ("eventName", "eventSource", "readOnly")
TEXTS = {"eventName": ("a", "ab", "b", "ba"), "eventSource": ("a", "ab"), "readOnly": ()}


def values(field):
    """All values that conditions on these texts tell apart: `x` stands for what none of them names."""
    if field == "readOnly":
        return ("true", "false")
    around = ("", *TEXTS[field])
    return (*TEXTS[field], *(f"{head}x{tail}" for head in around for tail in around))


EVENTS = [dict(zip(FIELDS, found, strict=True)) for found in itertools.product(*map(values, FIELDS))]


@st.composite
def conditions(draw):
    """A field with operators, as the API takes them: readOnly is compared whole."""
    field = draw(st.sampled_from(FIELDS))
    if field == "readOnly":
        return {"Field": field, "Equals": [draw(st.sampled_from(("true", "false")))]}
    operators = st.sampled_from(("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"))
    names = draw(st.sets(operators, min_size=1, max_size=2))
    return {"Field": field, **{name: draw(st.lists(st.sampled_from(TEXTS[field]), min_size=1, max_size=2)) for name in names}}


def taken(selector, event):
    """Whether one selector takes one event, written anew from the API's description."""
    tests = {"Equals": str.__eq__, "StartsWith": str.startswith, "EndsWith": str.endswith}

    def holds(field):
        value = event[field["Field"]]
        chosen = [tests[o](value, text) for o in tests for text in field.get(o, ())]
        left_out = [tests[o](value, text) for o in tests for text in field.get(f"Not{o}", ())]
        return (not chosen or any(chosen)) and not any(left_out)

    return all(holds(field) for field in selector)


@given(st.lists(st.lists(conditions(), max_size=3, unique_by=lambda one: one["Field"]), max_size=4))
def test_what_is_recorded_whole_lets_no_event_pass_by(selectors):
    category = {"Field": "eventCategory", "Equals": ["Management"]}
    answer = {"AdvancedEventSelectors": [{"FieldSelectors": [category, *one]} for one in selectors]}
    missed = any(not any(taken(one, event) for one in selectors) for event in EVENTS)
    assert records(answer, read_kind({"eventCategory": "Management"})) is not missed


def test_many_selectors_are_given_up_not_waited_for():
    names = [f"Get{number}" for number in range(240)]
    one = {"Field": "eventName", "NotStartsWith": names, "NotEndsWith": names}
    selectors = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, one]}] * 5
    with pytest.raises(SelectorsError, match="too many"):
        records({"AdvancedEventSelectors": selectors}, read_kind({"eventCategory": "Management"}))


# Events and patterns -------------------------------------------------------------------------------------------------


def policy_events(policy_id):
    """The events of a policy, and the pattern that its remediation proposes."""
    logic = plain_value(read_yaml("logic", (CATALOG / policy_id[1:] / "prod.logic.yaml").read_bytes()))
    filters = logic["relatedLists"][0]["relatedLists"][0]["conditions"]
    (matches,) = [one["check"]["NOT"]["arg"]["AWS_LOG_FILTER_MATCHES"] for one in filters if "NOT" in one["check"]]
    text = (CATALOG / policy_id[1:] / "remediation.md").read_text()
    return matches["events"], text.partition("--filter-pattern '")[2].partition("'")[0]


def matches(pattern, events, account=OWN):
    return all_of(read_pattern(pattern)(one) for event in events for one in whole(event, account))


ALWAYS = [
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "eventID",
    "readOnly",
    "eventType",
]


@pytest.mark.parametrize("policy_id", MONITORING)
def test_events_are_whole_records(policy_id):
    events, _ = policy_events(policy_id)
    for one in (one for event in events for one in whole(event, OWN)):
        assert all(one[name] is not None and one[name] != "" for name in ALWAYS)
        assert one["managementEvent"] is True and one["eventCategory"] == "Management"
        assert one["recipientAccountId"] == one["userIdentity"]["accountId"] == OWN
        assert {"requestParameters", "responseElements"} <= one.keys() and one["userIdentity"]["type"]
        assert "ACCOUNT" not in json.dumps(one)


@pytest.mark.parametrize("policy_id", MONITORING)
def test_the_pattern_of_the_recommendation_is_enough_and_a_narrower_one_is_not(policy_id):
    events, pattern = policy_events(policy_id)
    assert matches(pattern, events)
    inside = pattern.strip()[1:-1]
    for true in (
        "$.managementEvent IS TRUE",
        '$.eventCategory = "Management"',
        f'$.recipientAccountId = "{OWN}"',
        f'$.userIdentity.accountId = "{OWN}"',
        '$.eventType != "AwsServiceEvent"',
        "$.eventID = *",
        "$.userIdentity.type EXISTS",
        "$.vpcEndpointId NOT EXISTS",
    ):
        assert matches(f"{{ ({inside}) && {true} }}", events), true
    for narrow in (
        f'$.recipientAccountId = "{OTHER}"',
        '$.awsRegion = "eu-west-1"',
        '$.userIdentity.userName = "ann"',
        '$.userIdentity.arn = "*:user/ann"',
        '$.userAgent = "aws-cli*"',
        '$.sourceIPAddress = "203.0.113.*"',
        "$.readOnly IS TRUE && $.eventType = AwsApiCall",
        '$.eventVersion = "1.08"',
        "$.sessionCredentialFromConsole EXISTS",
    ):
        assert matches(f"{{ ({inside}) && {narrow} }}", events) is False, narrow


BY_MANY = [
    one for one in MONITORING if one.rpartition("/")[2] not in ("root-account-usage-monitoring",) and "sign-in" not in one
]


@pytest.mark.parametrize("policy_id", BY_MANY)
def test_one_kind_of_caller_is_not_enough(policy_id):
    events, pattern = policy_events(policy_id)
    for caller in ("Root", "IAMUser", "AssumedRole"):
        assert matches(f'{{ ({pattern.strip()[1:-1]}) && $.userIdentity.type = "{caller}" }}', events) is False


OF_THE_BENCHMARK = {
    "unauthorized-api-calls-monitoring": '{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*")'
    ' && ($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket") }',
    "management-console-sign-in-without-mfa-onitoring": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
    "root-account-usage-monitoring": '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}',
    "configuration-changes-monitoring": "{($.eventName=CreateTrail)||($.eventName=UpdateTrail)||($.eventName=DeleteTrail)"
    "||($.eventName=StartLogging)||($.eventName=StopLogging)}",
    "disable-or-schedule-deletion-cmk-events-monitoring": "{($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)"
    "||($.eventName=ScheduleKeyDeletion)) }",
    "route-table-changes-monitoring": "{($.eventSource = ec2.amazonaws.com) && ($.eventName = CreateRoute) ||"
    " ($.eventName = CreateRouteTable) || ($.eventName = ReplaceRoute) || ($.eventName = ReplaceRouteTableAssociation) ||"
    " ($.eventName = DeleteRouteTable) || ($.eventName = DeleteRoute) || ($.eventName = DisassociateRouteTable) }",
}


@pytest.mark.parametrize("slug", OF_THE_BENCHMARK)
def test_patterns_as_benchmarks_print_them(slug):
    assert matches(OF_THE_BENCHMARK[slug], policy_events(f"{CLOUDTRAIL}{slug}")[0])


@pytest.mark.parametrize("rest", ["", ", accountId"])
def test_a_check_can_be_written_as_its_text(rest):
    text = f"""filterPattern.logFilterMatches('[{{"eventName":"DeleteTrail"}}]'{rest})"""
    own, reader = ObjectType("own", "Own", untyped=True), FileReader("x", [])
    read = read_check(reader, read_yaml("x", json.dumps(text).encode()), Scope(own, lambda name: own, BUILT_IN))
    assert not reader.problems and read.text() == text


def test_a_rule_that_is_modified_counts():
    events, pattern = policy_events(f"{CLOUDTRAIL}security-group-changes-monitoring")
    assert "ModifySecurityGroupRules" in {event["eventName"] for event in events}
    assert matches(pattern.replace("($.eventName = ModifySecurityGroupRules) || ", ""), events) is False


def test_failed_sign_ins_of_users_with_a_second_factor_count():
    events, _ = policy_events(f"{CLOUDTRAIL}management-console-authentication-failures-monitoring")
    assert matches('{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed != "Yes" }', events) is False


EVENT = {
    "name": "DeleteVpc",
    "flag": True,
    "nothing": None,
    "size": 12.5,
    "list": [{"key": "a"}, {"key": "b"}],
    "a.b": "c",
    "object": {"x": "1"},
}
PATTERNS = {
    '{ $.name = "Delete*" }': True,
    "{ $.name = DeleteVpc && $.size >= 12.5 && $.size < 1e3 && $.size != 3 }": True,
    "{ $.name = Other || $.flag IS TRUE }": True,
    "{ $.flag IS FALSE }": False,
    "{ $.nothing IS NULL && $.absent NOT EXISTS && $.nothing EXISTS }": True,
    "{ $.absent IS NULL }": False,
    "{ $.absent != x }": False,
    "{ $.name = %^Delete(Vpc|Subnet)$% }": True,
    "{ $.list[1].key = b && $.list[*].key = a && $.list[2].key NOT EXISTS }": True,
    """{ $.['a.b'] = c && $["a.b"] = c && $['a.b'] = "c" }""": True,
    "{ $.object = 1 }": False,
    "{ $.object != 1 }": False,
    "{ $.list = a }": False,
    # The guide says how a Boolean is tested (IS TRUE), not what comparing it with a text gives.
    "{ $.flag = true }": None,
    "{ $.flag != true }": None,
    "{ $.nothing = null }": None,
    "{ $.flag = true && $.name = Other }": False,
    "{ $.flag = true || $.name = DeleteVpc }": True,
    "{ $.flag = true || $.name = Other }": None,
    "": True,
    "ERROR": False,
    "?ERROR ?Timeout": False,
    '"DeleteVpc"': None,
    "DeleteVpc -DryRun": None,
    "DeleteVpc missing": False,
    "%Delete.*%": None,
    "[ip, user, ...]": None,
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(pattern):
    assert read_pattern(pattern)(EVENT) is PATTERNS[pattern]


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a is null }",
        "{ $.a = 'x' }",
        '{ $.a = "x\\q" }',
        "{ $.a = %(% }",
        "{ $.a < many }",
        "{ $.a = }",
        "{ $.a = x & $.b = y }",
        "{ a = x }",
        "{ $ = x }",
        "{ !($.a = x) }",
    ],
)
def test_a_pattern_that_is_not_understood_is_an_error(pattern):
    with pytest.raises(PatternError):
        read_pattern(pattern)(EVENT)


@given(st.lists(st.sampled_from((True, False, None)), max_size=6))
def test_what_is_known_of_some_is_known_of_all_ways_to_fill_in_the_rest(found):
    """Three-valued logic: the result is known exactly if every completion gives it."""
    ways = [[value] if value is not None else [True, False] for value in found]
    every = list(itertools.product(*ways))
    for ours, theirs in ((all_of, all), (any_of, any)):
        results = {theirs(way) for way in every}
        assert ours(found) is (results.pop() if len(results) == 1 else None)


def test_events_of_no_kind_are_refused():
    for event in ({"eventType": "AwsServiceEvent"}, {"userIdentity": {"type": "Nobody"}}):
        with pytest.raises(ValueError, match="there are no events"):
            whole(event)


# Scans ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served():
    with serving() as company:
        yield company


@pytest.fixture
def company(served, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", HOME)
    served.requests()
    yield served
    served.rules()
    served.answers()


def trail(owner=OTHER, home="us-east-1", group_owner=OTHER, **more):
    arn = f"arn:aws:cloudtrail:{home}:{owner}:trail/all"
    group = f"arn:aws:logs:{home}:{group_owner}:log-group:company-trail:*"
    return {
        "Name": "all",
        "TrailARN": arn,
        "HomeRegion": home,
        "S3BucketName": "elsewhere",
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "LogFileValidationEnabled": True,
        "HasCustomEventSelectors": True,
        "IsOrganizationTrail": owner != OWN,
        "CloudWatchLogsLogGroupArn": group,
        **more,
    }


def answers(company, *trails, selectors=None, logging=True):
    management = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
    bodies = {
        "DescribeTrails": {"trailList": trails},
        "GetTrailStatus": {"IsLogging": logging},
        "GetEventSelectors": selectors or {"AdvancedEventSelectors": [management]},
    }
    company.answers(
        *({"service": "cloudtrail", "operation": name, "bodies": [json.dumps(body)]} for name, body in bodies.items())
    )


def statuses(run):
    return {one["policy"].rpartition("/")[2]: one["status"] for one in run.report["findings"]}


MULTI = ("--policy", "multi-region-cloudtrail", "--format", "json")
ALARMS = ("--policy", "*/cloudtrail/*-monitoring", "--format", "json")


def test_a_trail_of_the_organisation_covers_its_members(company, reeve):
    answers(company, trail())
    assert statuses(reeve("scan", *MULTI)) == {"multi-region-cloudtrail": "COMPLIANT"}
    made = [(operation, region) for service, region, operation, _ in company.requests() if service == "cloudtrail"]
    assert len(made) == 4 + 2, "listed in each region, and asked of once"
    assert {region for operation, region in made if operation != "DescribeTrails"} == {"us-east-1"}


@pytest.mark.parametrize("operation", ["GetTrailStatus", "GetEventSelectors"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "TrailNotFoundException"])
def test_what_a_member_may_not_read_is_not_known(company, reeve, operation, code):
    answers(company, trail())
    company.rules({"service": "cloudtrail", "operation": operation, "code": code, "status": 400})
    run = reeve("scan", *MULTI)
    assert statuses(run) == {"multi-region-cloudtrail": "UNDETERMINED"} and run.code == 3
    assert [(one["call"], one["code"]) for one in run.report["snapshot"]["errors"]] == [(f"cloudtrail:{operation}", code)]


def test_a_log_group_of_another_account_is_not_its_namesake_here(company, reeve):
    answers(company, trail(home=HOME))
    found = statuses(reeve("scan", *ALARMS))
    assert len(found) == 14 and set(found.values()) == {"UNDETERMINED"}
    assert not [one for one in company.requests() if one[0] == "logs"]
    answers(company, trail(home=HOME, owner=OWN, group_owner=OWN))
    found = statuses(reeve("scan", *ALARMS))
    assert {"COMPLIANT", "INCOMPLIANT"} == set(found.values())
    answers(company, trail(home="us-east-1", owner=OWN, group_owner=OWN, CloudWatchLogsLogGroupArn=group_in(HOME)))
    assert set(statuses(reeve("scan", *ALARMS)).values()) == {"UNDETERMINED"}, "a group in another region"


def group_in(region):
    return f"arn:aws:logs:{region}:{OWN}:log-group:company-trail:*"


def test_a_trail_of_the_organisation_is_judged_by_its_owner(company, reeve):
    answers(company, trail(LogFileValidationEnabled=False), trail(owner=OWN, home=HOME, LogFileValidationEnabled=False))
    run = reeve("scan", "--policy", "log-file-validation", "--format", "json")
    found = {one["object"].split(":")[4]: one["status"] for one in run.report["findings"]}
    assert len(run.report["findings"]) == 2
    assert found == {OTHER: "INAPPLICABLE", OWN: "INCOMPLIANT"}


def test_a_trail_whose_home_is_denied_is_not_judged_from_elsewhere(company, reeve):
    answers(company, trail(owner=OWN, home="us-east-1"))
    company.rules({"service": "cloudtrail", "region": "us-east-1", "code": "AccessDeniedException", "status": 400})
    assert statuses(reeve("scan", *MULTI)) == {"multi-region-cloudtrail": "UNDETERMINED"}


def test_kms_left_out(company, reeve):
    everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}
    left_out = {"EventSelectors": [{**everything, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}
    answers(company, trail(home=HOME, owner=OWN, group_owner=OWN), selectors=left_out)
    found = statuses(reeve("scan", *ALARMS, "--policy", "multi-region-cloudtrail"))
    assert found["disable-or-schedule-deletion-cmk-events-monitoring"] == found["multi-region-cloudtrail"] == "INCOMPLIANT"
    assert found["security-group-changes-monitoring"] == "COMPLIANT"


@pytest.fixture
def made(company):
    """A filter and an alarm of a test's own, made as anybody would make them, and taken away again."""
    clients = {
        name: boto3.Session("testing", "testing", region_name=HOME).client(name, endpoint_url=company.address)
        for name in ("logs", "cloudwatch", "sns")
    }
    (topic,) = [one["TopicArn"] for one in clients["sns"].list_topics()["Topics"] if one["TopicArn"].endswith(":security")]

    def make(pattern, transformation, alarm):
        metric = {"metricName": "own", "metricNamespace": "test", "metricValue": "1", **transformation}
        named = {"logGroupName": "company-trail", "filterName": "own", "filterPattern": pattern}
        clients["logs"].put_metric_filter(**named, metricTransformations=[metric])
        on = {} if "Metrics" in alarm else {"MetricName": "own", "Namespace": "test", "Statistic": "Sum", "Period": 300}
        when = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0, "EvaluationPeriods": 1}
        clients["cloudwatch"].put_metric_alarm(AlarmName="own", AlarmActions=[topic], **{**on, **when, **alarm})

    yield make
    clients["logs"].delete_metric_filter(logGroupName="company-trail", filterName="own")
    clients["cloudwatch"].delete_alarms(AlarmNames=["own"])


BY_USER = {"dimensions": {"user": "$.userIdentity.arn"}}
ON_ANN = {"Dimensions": [{"Name": "user", "Value": "ann"}]}
STATISTIC = {"Metric": {"Namespace": "test", "MetricName": "own"}, "Period": 300, "Stat": "Sum"}
FORMULA = {
    "Metrics": [{"Id": "m", "MetricStat": STATISTIC, "ReturnData": False}, {"Id": "e", "Expression": "m * 2", "Label": "e"}]
}


@pytest.mark.parametrize(
    ("transformation", "alarm", "expected"),
    [
        ({}, {}, "COMPLIANT"),
        (BY_USER, {}, "INCOMPLIANT"),
        ({}, ON_ANN, "INCOMPLIANT"),
        (BY_USER, ON_ANN, "UNDETERMINED"),
        ({}, {"MetricName": "another"}, "INCOMPLIANT"),
        ({}, {"ComparisonOperator": "LessThanThreshold"}, "INCOMPLIANT"),
        ({}, {"Statistic": "Maximum", "Threshold": 1}, "INCOMPLIANT"),
        ({}, {"Statistic": "Maximum", "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}, "COMPLIANT"),
        ({"metricValue": "5"}, {"Statistic": "Average", "Threshold": 4}, "COMPLIANT"),
        ({}, FORMULA, "UNDETERMINED"),
    ],
)
def test_alarms(company, reeve, made, transformation, alarm, expected):
    _, pattern = policy_events(f"{CLOUDTRAIL}iam-policy-changes-monitoring")
    made(pattern, transformation, alarm)
    assert statuses(reeve("scan", "--policy", "iam-policy-changes-monitoring", "--format", "json")) == {
        "iam-policy-changes-monitoring": expected
    }


def test_alarms_of_a_region_are_read_once(company, reeve):
    run = reeve("scan", *ALARMS)
    asked = [operation for service, _, operation, _ in company.requests() if service == "monitoring"]
    assert asked == ["DescribeAlarms"] and run.report["snapshot"]["parts"][0]["calls"]["cloudwatch:DescribeAlarms"] == 1
    company.rules({"service": "monitoring", "code": "AccessDenied"})
    found = statuses(reeve("scan", *ALARMS))
    assert "COMPLIANT" not in found.values() and found["security-group-changes-monitoring"] == "UNDETERMINED"
    assert found["route-table-changes-monitoring"] == "INCOMPLIANT", "no filter counts the events, whatever the alarms"


def recorder(**group):
    return {"name": "default", "roleARN": f"arn:aws:iam::{OWN}:role/x", "recordingGroup": group}


IAM = [f"AWS::IAM::{name}" for name in ("User", "Group", "Role", "Policy")]
EXCEPT, ONLY = "EXCLUSION_BY_RESOURCE_TYPES", "INCLUSION_BY_RESOURCE_TYPES"
ALL = {"allSupported": True, "includeGlobalResourceTypes": True}
ALL_BUT_IAM = {"allSupported": True, "includeGlobalResourceTypes": False}


def excluding(types):
    return {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "recordingStrategy": {"useOnly": EXCEPT},
        "exclusionByResourceTypes": {"resourceTypes": types},
    }


EVERYTHING_HERE = [  # group, region, whether all types are recorded apart from IAM's, and whether IAM's are
    (ALL, HOME, True, True),
    (ALL, "eu-central-2", True, False),
    (ALL_BUT_IAM, HOME, True, False),
    (excluding([]), HOME, True, True),
    (excluding(IAM), HOME, True, False),
    (excluding(IAM[:1]), HOME, True, False),
    (excluding(["AWS::EC2::VPC"]), HOME, False, True),
    ({**excluding(IAM), "includeGlobalResourceTypes": True}, HOME, True, False),
    ({"allSupported": False, "resourceTypes": IAM, "recordingStrategy": {"useOnly": ONLY}}, HOME, False, True),
    ({"allSupported": False, "resourceTypes": IAM[1:]}, HOME, False, False),
    (None, HOME, None, None),
]


@pytest.mark.parametrize(("group", "region", "types", "iam"), EVERYTHING_HERE)
def test_what_a_recorder_records(group, region, types, iam):
    fields = REPOSITORY.object_type("aws.config.ConfigurationRecorder").fields
    seen = {"_region": region, **({"recordingGroup": group} if group else {})}
    assert [search(fields[name].source, seen) for name in ("allSupported", "globalResources")] == [types, iam]


@pytest.mark.parametrize(
    ("everywhere", "at_home", "expected"),
    [(ALL_BUT_IAM, ALL, "COMPLIANT"), (excluding(IAM), ALL_BUT_IAM, "INCOMPLIANT"), (ALL_BUT_IAM, None, "UNDETERMINED")],
)
def test_global_resources_are_recorded_somewhere(company, reeve, everywhere, at_home, expected):
    """Answers in the shape of the API reference; the region `at_home` is one of four, denied where it is None."""
    status = {"ConfigurationRecordersStatus": [{"name": "default", "recording": True, "lastStatus": "Success"}]}
    channels = {"DeliveryChannels": [{"name": "default", "s3BucketName": "x"}]}
    kept = ({"ConfigurationRecorders": [recorder(**group)]} for group in (at_home or {}, everywhere))
    names = (
        "DescribeConfigurationRecorders",
        "DescribeConfigurationRecorders",
        "DescribeConfigurationRecorderStatus",
        "DescribeDeliveryChannels",
    )
    regions = (HOME, None, None, None)
    company.answers(
        *(
            {"service": "config", "region": region, "operation": name, "bodies": [json.dumps(body)]}
            for region, name, body in zip(regions, names, (*kept, status, channels), strict=True)
        )
    )
    company.rules(
        {"service": "config", "region": HOME, "code": "AccessDeniedException", "status": 400}
        if at_home is None
        else {"times": 0}
    )
    assert set(statuses(reeve("scan", "--policy", "config-in-all-regions", "--format", "json")).values()) == {expected}
