"""Collection as types declare it: the fewest calls, the permissions, and the truth when something can't be read."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from company import serving
from reeve.collect.aws import bounds

HOME, CLOSED = "eu-central-1", "ap-southeast-2"


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


def operations(company):
    return Counter(f"{service}:{operation}" for service, _, operation, _ in company.requests())


def test_no_request_is_made_twice(company, reeve):
    run = reeve("scan", "--format", "json")
    made = Counter(map(tuple, company.requests()))
    polls = ("iam", "us-east-1", "GenerateCredentialReport")
    assert not {key: count for key, count in made.items() if count > 1 and key[0] + key[2] != polls[0] + polls[2]}
    assert sum(made.values()) == sum(run.report["snapshot"]["parts"][0]["calls"].values()) > 200


ONE_POLICY = {
    "root-user-mfa": {"iam:GetAccountSummary"},
    "password-policy-minimum-password-length-14": {"iam:GetAccountPasswordPolicy"},
    "delete-expired-server-certificate": {"iam:ListServerCertificates"},
    "file-system-encryption": {"ec2:DescribeRegions", "elasticfilesystem:/2015-02-01/file-systems"},
    "instance-imdsv2": {"ec2:DescribeRegions", "ec2:DescribeInstances"},
    "flow-logs": {"ec2:DescribeRegions", "ec2:DescribeVpcs", "ec2:DescribeFlowLogs"},
    "security-group-allows-unrestricted-cifs-traffic": {
        *("ec2:DescribeRegions", "ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules"),
        "ec2:GetManagedPrefixListEntries",
    },
    "log-file-validation": {"ec2:DescribeRegions", "cloudtrail:DescribeTrails"},
    "encryption-with-kms-cmk": {"ec2:DescribeRegions", "cloudtrail:DescribeTrails"},
    "delete-user-inline-or-directly-attached-policies": {"iam:ListUsers", "iam:GetAccountAuthorizationDetails"},
}


@pytest.mark.parametrize("policy", ONE_POLICY)
def test_one_policy_calls_only_what_it_needs(company, reeve, policy):
    reeve("scan", "--policy", policy, "--format", "json")
    found = operations(company)
    asked = {name.partition("?")[0] for name in found} - {"sts:GetCallerIdentity", "iam:ListAccountAliases"}
    assert asked == ONE_POLICY[policy]
    assert all(count <= 4 for count in found.values()), "once, or once in each region"


def test_a_bucket_is_asked_only_for_what_the_policy_reads(company, reeve):
    reeve("scan", "--policy", "bucket-versioning", "--format", "json")
    paths = [path for service, _, path, _ in company.requests() if service == "s3"]
    assert len(paths) == 1 + 7 and sum("versioning" in path for path in paths) == 7


def test_log_groups_are_read_only_for_trails(company, reeve):
    reeve("scan", "--policy", "*-monitoring", "--format", "json")
    asked = [(operation, body) for service, _, operation, body in company.requests() if service == "logs"]
    assert [operation for operation, _ in asked] == ["DescribeMetricFilters"]
    assert json.loads(asked[0][1])["logGroupName"] == "company-trail"


def by_policy(run, name):
    return {one["name"]: one["status"] for one in run.report["findings"] if one["policy"].endswith(name)}


def test_a_region_that_is_denied_leaves_the_rest_judged(company, reeve):
    run = reeve("scan", "--policy", "*/ec2/*", "--policy", "flow-logs", "--format", "json")
    groups = [one for one in run.report["findings"] if one["policy"].endswith("cifs-traffic")]
    assert {one["status"] for one in groups if one.get("notCollected")} == {"UNDETERMINED"}
    assert sum(one["status"] == "UNDETERMINED" for one in groups) == 1 and len(groups) > 20
    (unknown,) = [one for one in groups if one["status"] == "UNDETERMINED"]
    assert "ec2:DescribeSecurityGroupRules" in unknown["notCollected"]["rules"]
    assert run.code == 1
    assert {"ec2:DescribeFlowLogs", "ec2:DescribeInstances"} <= {one["call"] for one in run.report["snapshot"]["errors"]}


def test_a_region_where_everything_is_denied(company, reeve):
    company.rules({"region": "eu-west-1", "service": "ec2", "code": "UnauthorizedOperation"})
    run = reeve(
        "scan", "--policy", "ebs-volume-encryption-attribute-in-all-regions", "--policy", "instance-imdsv2", "--format", "json"
    )
    assert run.code == 1
    assert by_policy(run, "instance-imdsv2")["web-1"] == "COMPLIANT"
    (account,) = [one for one in run.report["findings"] if "ebs" in one["policy"]]
    assert account["status"] == "INCOMPLIANT", "another region is known to be wrong"


def test_regions_that_are_not_known_are_not_passed(company, reeve):
    company.rules({"operation": "DescribeRegions", "code": "UnauthorizedOperation"})
    run = reeve("scan", "--policy", "*-in-all-regions", "--policy", "multi-region-cloudtrail", "--format", "json")
    assert run.code == 3
    assert set(by_policy(run, "config-in-all-regions").values()) == {"UNDETERMINED"}
    assert set(by_policy(run, "multi-region-cloudtrail").values()) == {"COMPLIANT"}, "one trail that was seen is enough"


def test_one_bucket_that_can_not_be_read(company, reeve):
    run = reeve("scan", "--policy", "bucket-policy-deny-http-requests", "--format", "json")
    found = by_policy(run, "deny-http-requests")
    assert found["shop-backup"] == "UNDETERMINED" and found["shop-invoices"] == "COMPLIANT"
    assert found["shop-assets"] == "INCOMPLIANT" and found["data-lake-raw"] == "INCOMPLIANT"
    finding = next(one for one in run.report["findings"] if one["name"] == "shop-backup")
    assert "s3:GetBucketPolicy failed with AccessDenied" in finding["notCollected"]["policy"]
    assert run.code == 1


def test_a_bucket_deleted_between_list_and_description_has_disappeared(company, reeve):
    run = reeve("scan", "--policy", "bucket-versioning", "--format", "json")
    assert by_policy(run, "bucket-versioning")["shop-exports-2019"] == "DISAPPEARED"


def test_the_advice_names_the_action_not_the_call(company, reeve):
    company.rules({"service": "s3", "words": "publicAccessBlock", "code": "AccessDenied"})
    run = reeve("scan", "--policy", "bucket-block-public-access", "--format", "json")
    advice = {one["call"]: one["advice"] for one in run.report["snapshot"]["errors"]}
    assert "s3:GetBucketPublicAccessBlock" in advice["s3:GetPublicAccessBlock"]
    assert "COMPLIANT" not in by_policy(run, "bucket-block-public-access").values()


def test_throttling_of_one_service_is_ridden_out(company, reeve, impatient):
    company.rules({"service": "kms", "operation": "ListKeys", "code": "ThrottlingException", "status": 400, "times": 12})
    run = reeve("scan", "--policy", "symmetric-cmk-rotation", "--policy", "instance-imdsv2", "--format", "json")
    assert sorted(by_policy(run, "cmk-rotation").values()) == [
        "COMPLIANT",
        *["INAPPLICABLE"] * 2,
        "INCOMPLIANT",
        "UNDETERMINED",
    ]
    assert not [one for one in run.report["snapshot"]["errors"] if one["code"] == "ThrottlingException"]


def test_throttling_that_does_not_end_leaves_the_others_judged(company, reeve, impatient, monkeypatch):
    monkeypatch.setattr(bounds, "USUAL", replace(impatient, call_seconds=0.1))
    company.rules({"service": "elasticfilesystem", "code": "ThrottlingException", "status": 400})
    run = reeve("scan", "--policy", "file-system-encryption", "--policy", "instance-imdsv2", "--format", "json")
    assert run.code == 1 and by_policy(run, "instance-imdsv2")["web-1"] == "COMPLIANT"
    assert not by_policy(run, "file-system-encryption")
    tree = reeve("scan", "--policy", "file-system-encryption", "--framework", "cis-aws-v5.0.0", "--format", "json").report
    assert {one["id"]: one["verdict"] for one in tree["framework"]}["/frameworks/cis-aws-v5.0.0/02/03/01"] == "incomplete"


def group_rule(number):
    rule = (
        f"<securityGroupRuleId>sgr-{number}</securityGroupRuleId><groupId>sg-{number}</groupId><isEgress>false</isEgress>"
        f"<ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><cidrIpv4>{'0.0.0.0/0' if number % 2 else '10.0.0.0/8'}</cidrIpv4>"
    )
    return f"<item>{rule}</item>"


def pages(operation, items, tokens):
    for chunk, token in zip(items, tokens, strict=True):
        tail = f"<nextToken>{token}</nextToken>" if token else ""
        field = {"DescribeSecurityGroups": "securityGroupInfo", "DescribeSecurityGroupRules": "securityGroupRuleSet"}[operation]
        yield f"<{operation}Response><{field}>{''.join(chunk)}</{field}>{tail}</{operation}Response>"


WHOLE = "<ownerId>210987654321</ownerId><ipPermissions/>"


def many_groups(company, count, size=1000):
    groups = [
        f"<item><groupId>sg-{n}</groupId><groupName>group {n}</groupName><vpcId>vpc-1</vpcId>{WHOLE}</item>"
        for n in range(count)
    ]
    rules = [group_rule(n) for n in range(count)]
    answers = []
    for operation, items in (("DescribeSecurityGroups", groups), ("DescribeSecurityGroupRules", rules)):
        chunks = [items[start : start + size] for start in range(0, count, size)]
        tokens = [*(f"after-{n}" for n in range(len(chunks) - 1)), ""]
        answers.append({"region": HOME, "operation": operation, "bodies": list(pages(operation, chunks, tokens))})
    company.answers(*answers)


def test_ten_thousand_security_groups(company, reeve):
    many_groups(company, 10_000)
    run = reeve("scan", "--policy", "group-security-allows-unrestricted-ipv4-*", "--format", "json")
    found = [one["status"] for one in run.report["findings"] if one["name"].startswith("group ")]
    assert Counter(found) == {"INCOMPLIANT": 5_000, "COMPLIANT": 5_000}
    made = Counter((region, operation) for _, region, operation, _ in company.requests())
    assert made[HOME, "DescribeSecurityGroups"] == made[HOME, "DescribeSecurityGroupRules"] == 10


def test_pagination_tokens_that_repeat_end_in_what_was_seen(company, reeve):
    bodies = list(pages("DescribeSecurityGroupRules", [[group_rule(1)], [group_rule(3)]], ["again", "again"]))
    groups = [
        [f"<item><groupId>sg-{n}</groupId><groupName>group {n}</groupName><vpcId>vpc-1</vpcId>{WHOLE}</item>" for n in (1, 2)]
    ]
    company.answers(
        {"region": HOME, "operation": "DescribeSecurityGroupRules", "bodies": bodies},
        {"region": HOME, "operation": "DescribeSecurityGroups", "bodies": list(pages("DescribeSecurityGroups", groups, [""]))},
    )
    run = reeve("scan", "--policy", "group-security-allows-unrestricted-ipv4-*", "--format", "json")
    found = by_policy(run, "administration-ports")
    assert (found["group 1"], found["group 2"]) == ("INCOMPLIANT", "UNDETERMINED")
    assert run.code == 1 and "RepeatedToken" in {one["code"] for one in run.report["snapshot"]["errors"]}


def test_an_answer_that_is_not_as_documented_is_no_verdict(company, reeve):
    company.answers(
        {"service": "elasticfilesystem", "bodies": ['{"FileSystems": [{"FileSystemId": "fs-1", "FileSystemArn": "arn:fs-1"}]}']}
    )
    run = reeve("scan", "--policy", "file-system-encryption", "--format", "json")
    assert {one["status"] for one in run.report["findings"]} == {"UNDETERMINED"}


def test_the_permissions_that_are_printed_are_enough(reeve, monkeypatch):
    """moto enforces them; what the test's own answers stand for is looked at by the test."""
    actions = reeve("permissions", "--format", "text").out.split()
    assert json.loads(reeve("permissions").out)["Statement"][0]["Action"] == actions
    with serving() as company:
        monkeypatch.setenv("AWS_ENDPOINT_URL", company.address)
        monkeypatch.setenv("AWS_DEFAULT_REGION", HOME)
        key, secret = company.allow(actions)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        run = reeve("scan", "--format", "json")
        ours = ("explicit deny", "by the bucket's policy", "its policy does not allow", "on user ")
        denied = [one for one in run.report["snapshot"]["errors"] if not any(words in one["message"] for words in ours)]
        assert not denied, [(one["call"], one["message"]) for one in denied]
        assert len(run.report["findings"]) > 500


def test_permissions_that_lack_one_action_are_found_out(reeve, monkeypatch):
    actions = reeve("permissions", "--policy", "instance-imdsv2", "--format", "text").out.split()
    assert actions == ["ec2:DescribeInstances", "ec2:DescribeRegions", "iam:ListAccountAliases"]
    with serving() as company:
        monkeypatch.setenv("AWS_ENDPOINT_URL", company.address)
        key, secret = company.allow(["ec2:DescribeRegions"])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        run = reeve("scan", "--policy", "instance-imdsv2", "--format", "json")
        assert run.code == 3 and {one["call"] for one in run.report["snapshot"]["errors"]} == {"ec2:DescribeInstances"}


def affected(run):
    return {one["call"]: one["affects"] for one in run.report["snapshot"]["errors"]}


def test_a_failure_says_what_it_leaves_unseen(company, reeve):
    company.rules(
        {"service": "cloudtrail", "operation": "DescribeTrails", "code": "AccessDeniedException"},
        {"service": "s3", "words": "versioning", "code": "AccessDenied"},
        {"service": "ec2", "operation": "DescribeRegions", "code": "UnauthorizedOperation"},
        {"service": "iam", "operation": "GetAccountAuthorizationDetails", "code": "AccessDenied"},
    )
    found = affected(reeve("scan", "--format", "json"))
    assert found["cloudtrail:DescribeTrails"].keys() >= {"aws.cloudtrail.Trail", "aws.logs.MetricFilter", "aws.sns.AlarmTopic"}
    assert not any(found["cloudtrail:DescribeTrails"].values()), "whole types: those, and what is listed below them"
    assert found["s3:GetBucketVersioning"] == {"aws.s3.Bucket": ["mfaDelete", "versioning"]}
    assert found["ec2:DescribeRegions"]["aws.ec2.Vpc"] == []
    assert "aws.s3.Bucket" not in found["ec2:DescribeRegions"]
    details = found["iam:GetAccountAuthorizationDetails"]
    assert details["aws.iam.User"] == ["attachedPolicies", "inlinePolicies"] and details["aws.iam.Policy"] == []


PAGE = "<!DOCTYPE html><html><body>Please log in</body></html>"


def statuses(run):
    return Counter(one["status"] for one in run.report["findings"])


FOREIGN = [
    ("group-security-allows-unrestricted-ipv4-*", {"service": "ec2", "operation": "DescribeSecurityGroupRules"}, PAGE),
    ("group-security-allows-unrestricted-ipv4-*", {"service": "ec2", "operation": "DescribeSecurityGroupRules"}, "<html/>"),
    ("instance-imdsv2", {"service": "ec2", "operation": "DescribeRegions"}, PAGE),
    ("user-has-more-than-one-active-access-key", {"service": "iam", "operation": "ListUsers"}, "<ListUsersResponse/>"),
    ("instance-publicly-accessible-in-public-subnet", {"service": "rds", "operation": "DescribeDBInstances"}, PAGE),
]


@pytest.mark.parametrize(("policy", "asked", "body"), FOREIGN, ids=[f"{one[1]['operation']} {one[2][:8]}" for one in FOREIGN])
def test_an_answer_that_is_none_is_no_verdict(company, reeve, impatient, policy, asked, body):
    company.answers({**asked, "bodies": [body] * 40})
    run = reeve("scan", "--policy", policy, "--format", "json")
    assert run.code in (1, 3) and run.report["snapshot"]["errors"]
    found = statuses(run)
    assert found["DISAPPEARED"] <= 1, "one user was deleted since the report, which live calls say"
    if asked["operation"] not in ("DescribeRegions", "ListUsers"):  # the region at home, and the report, say what they do
        assert not found["COMPLIANT"]


def test_a_member_that_every_instance_has_is_missing(company, reeve):
    instance = (
        "<DBInstance><DBInstanceArn>arn:db</DBInstanceArn><DBInstanceIdentifier>db</DBInstanceIdentifier>"
        "<Engine>postgres</Engine><DBInstanceStatus>available</DBInstanceStatus></DBInstance>"
    )
    result = f"<DescribeDBInstancesResult><DBInstances>{instance}</DBInstances></DescribeDBInstancesResult>"
    company.answers(
        {
            "service": "rds",
            "operation": "DescribeDBInstances",
            "bodies": [f"<DescribeDBInstancesResponse>{result}</DescribeDBInstancesResponse>"] * 9,
        }
    )
    run = reeve("scan", "--policy", "instance-publicly-accessible-in-public-subnet", "--format", "json")
    assert set(statuses(run)) == {"UNDETERMINED"} and run.code == 3
    assert "the answer lacks PubliclyAccessible" in {one["message"] for one in run.report["snapshot"]["errors"]}


def test_a_bucket_whose_region_is_not_said_is_asked_about_nowhere(company, reeve):
    listed = "".join(f"<Bucket><Name>{name}</Name>{said}</Bucket>" for name, said in BUCKETS.items())
    body = f"<ListAllMyBucketsResult><Owner/><Buckets>{listed}</Buckets></ListAllMyBucketsResult>"
    company.answers({"service": "s3", "bodies": [body, "<VersioningConfiguration/>"]})
    run = reeve("scan", "--policy", "bucket-versioning", "--format", "json")
    assert {one["name"] for one in run.report["findings"]} == {"shop-logs"} and run.code in (1, 3)
    assert [one["message"] for one in run.report["snapshot"]["errors"]] == ["the answer lacks BucketRegion"]
    asked = [path for service, _, path, _ in company.requests() if service == "s3"]
    assert len(asked) == 2 and not any("shop-invoices" in path for path in asked)


CREATED = "<CreationDate>2024-01-01T00:00:00.000Z</CreationDate>"
BUCKETS = {"shop-invoices": CREATED, "shop-logs": f"{CREATED}<BucketRegion>{HOME}</BucketRegion>"}
