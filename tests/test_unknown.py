"""What is not known stays not known: the account, what a stand-in can't say, what a failed call leaves; and why, truly."""

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from account import Failure, iso
from conftest import FIRST
from reeve.cli.working import open_repository
from reeve.collect.affected import of_account, parts, whole
from reeve.collect.aws.account import collect_account
from reeve.collect.aws.api import Api
from reeve.collect.objects import UNNEEDED, Collected
from reeve.collect.provisional import missing, undoubted
from reeve.collect.recipe import recipes
from reeve.findings.scan import collecting, production_programs
from reeve.repository.selection import select_policies

ALWAYS = 10**9
UNUSED = "disable-user-with-unused-credentials-45-days-and-more"


@pytest.fixture(scope="module")
def repository():
    return open_repository(None)


def programs_of(repository, *patterns):
    return production_programs(repository, select_policies(repository, patterns, None))


def recipes_for(repository, *patterns):
    return collecting(repository, programs_of(repository, *patterns))


# The account ------------------------------------------------------------------------------------------------------------


def instance(name, public):
    arn = f"arn:aws:rds:us-east-1:123456789012:db:{name}"
    return (
        f"<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceArn>{arn}</DBInstanceArn>"
        f"<DBClusterIdentifier>aurora</DBClusterIdentifier><PubliclyAccessible>{public}</PubliclyAccessible></DBInstance>"
    )


CLUSTER = (
    "<DBClusters><DBCluster><DBClusterIdentifier>aurora</DBClusterIdentifier><Engine>aurora-mysql</Engine>"
    "<DBClusterArn>arn:aws:rds:us-east-1:123456789012:cluster:aurora</DBClusterArn></DBCluster></DBClusters>"
)
REGION = "<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName></item></regionInfo></DescribeRegionsResponse>"

IDENTITIES = {
    "denied": (403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"),
    "without an account": (
        200,
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>",
    ),
    "an odd account": (
        200,
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>../../etc</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
    ),
    "a page": (200, "<!DOCTYPE html><html><body>Sign in</body></html>"),
}


def keyed_by_account(repository):
    """Return recipes of which an instance's key to its cluster is made of the account."""

    def declared(name):
        own = repository.object_type(name)
        if name != "aws.rds.DBInstance":
            return own
        key = replace(own.fields["clusterKey"], source="join(':', [_account, DBClusterIdentifier])")
        return replace(own, fields={**own.fields, "clusterKey": key})

    needs = {"aws.rds.DBInstance": frozenset({"clusterKey"}), "aws.rds.DBCluster": frozenset({"instances"})}
    return recipes(needs, declared)


@pytest.mark.parametrize("name", IDENTITIES)
def test_without_the_account_a_key_that_is_made_of_it_is_not_known(account, impatient, repository, name):
    account.do_GetCallerIdentity = lambda form: IDENTITIES[name]
    account.do_DescribeRegions = lambda form: (200, REGION)
    instances = f"<DBInstances>{instance('one', 'true')}{instance('two', 'false')}</DBInstances>"
    account.do_DescribeDBInstances = lambda form: account.result("DescribeDBInstances", instances)
    account.do_DescribeDBClusters = lambda form: account.result("DescribeDBClusters", CLUSTER)
    api = Api.at(os.environ["AWS_ENDPOINT_URL"])
    collection = collect_account(api, keyed_by_account(repository), {}, lambda *told: None)
    one, two = collection.records["aws.rds.DBInstance"]
    assert "clusterKey" not in one.fields and "sts:GetCallerIdentity" in two.not_collected["clusterKey"]
    (cluster,) = collection.records["aws.rds.DBCluster"]
    assert "sts:GetCallerIdentity" in cluster.not_collected["instances"], "any instance may be one of its"
    (error,) = [one for one in collection.errors if one.call == "sts:GetCallerIdentity"]
    assert error.affects == {"aws.rds.DBInstance": ("clusterKey",)}


def test_an_object_whose_id_is_the_account_is_left_out_and_noted(account, reeve):
    account.do_GetCallerIdentity = lambda form: IDENTITIES["denied"]
    account.do_GetAccountSummary = lambda form: account.result(
        "GetAccountSummary",
        "<SummaryMap>"
        + "".join(
            f"<entry><key>{key}</key><value>1</value></entry>"
            for key in ("AccountMFAEnabled", "AccountPasswordPresent", "AccountAccessKeysPresent")
        )
        + "</SummaryMap>",
    )
    run = reeve("scan", "--policy", "root-user-mfa", "--format", "json")
    assert (run.code, run.report["findings"]) == (3, [])
    (error,) = run.report["snapshot"]["errors"]
    assert error["affects"] and not any(error["affects"].values())


def test_the_partition_is_known_from_the_region(account, reeve):
    account.do_GetCallerIdentity = lambda form: IDENTITIES["denied"]
    run = reeve("scan", *FIRST, "--region", "us-gov-west-1", "--format", "json")
    assert run.report["snapshot"]["parts"][0]["partition"] == "aws-us-gov"


def test_every_type_that_reads_the_account_is_named_with_what_reads_it(repository):
    found = recipes_for(repository)
    affects = of_account(found, frozenset({"_account", "_partition"}))
    for name, recipe in found.items():
        if "_account" in recipe.reads[recipe.object_type.id_field]:
            assert affects[name] == ()
    assert "aws.iam.Group" not in affects


def test_what_is_picked_from_a_field_of_a_parent_is_named_too(repository):
    found = recipes_for(repository)
    affects = parts(found, "aws.logs.MetricFilter", frozenset({"_parent.id"}))
    assert affects.items() >= whole(found, "aws.logs.MetricFilter").items()


# What stands in for a refused list -----------------------------------------------------------------------------------------


def with_password(report, used):
    """Return a report in which users have a password, last used at a time."""
    return report.replace("false,N/A,N/A,N/A,false", f"true,{used},2020-01-01T00:00:00+00:00,N/A,false")


def test_a_stand_in_knows_when_the_password_was_used_if_the_report_says_it(account, reeve):
    used = f"{datetime.now(UTC) - timedelta(days=100):%Y-%m-%dT%H:%M:%S+00:00}"
    account.add("unused", False, False)
    account.report = with_password(account.make_report(), used)
    account.report_time = datetime.now(UTC) - timedelta(hours=1)
    account.do_GetLoginProfile = lambda form: account.result(
        "GetLoginProfile",
        "<LoginProfile><UserName>unused</UserName><CreateDate>2020-01-01T00:00:00Z</CreateDate></LoginProfile>",
    )
    account.failures["ListUsers"] = Failure("AccessDenied", 403, ALWAYS)
    run = reeve("scan", "--policy", UNUSED, "--format", "json")
    assert (run.code, run.names("INCOMPLIANT")) == (1, ["unused"])


def without_last_use(found):
    """Return recipes whose report doesn't say when a password was used."""
    recipe = found["aws.iam.User"]
    item = "{UserName: user, Arn: arn, CreateDate: user_creation_time}"
    provisional = replace(recipe.collect.provisional, item=item)
    return {**found, "aws.iam.User": replace(recipe, collect=replace(recipe.collect, provisional=provisional))}


def test_what_a_stand_in_can_not_say_is_not_collected(account, repository):
    account.add("someone", True)
    account.freeze_report()
    account.failures["ListUsers"] = Failure("AccessDenied", 403, ALWAYS)
    found = without_last_use(recipes_for(repository, UNUSED))
    collection = collect_account(Api.at(os.environ["AWS_ENDPOINT_URL"]), found, {}, lambda *told: None)
    (record,) = collection.records["aws.iam.User"]
    assert "passwordLastUsedAt" not in record.fields
    reason = record.not_collected["passwordLastUsedAt"]
    assert reason == "iam:ListUsers doesn't list the object, and iam:GetCredentialReport doesn't say it"
    assert record.fields["name"] == "someone" and record.fields["createdAt"]
    assert record.as_of == account.report_time.replace(microsecond=0), "what the report says was so when it was made"


def test_only_what_the_report_makes_no_member_of_is_missing(repository):
    found = recipes_for(repository, UNUSED)
    assert not missing(found["aws.iam.User"]), "the catalogue's report says all that fields of users are picked from"
    assert set(missing(without_last_use(found)["aws.iam.User"])) == {"PasswordLastUsed"}


# Live calls that fail ------------------------------------------------------------------------------------------------------


def collected(repository, failures, **context):
    recipe = recipes_for(repository, UNUSED, "mfa-for-all-users-with-console-password")["aws.iam.User"]
    row = {"password_enabled": "true", "mfa_active": "false", "access_key_1_active": "false", "access_key_2_active": "false"}
    columns = [f"access_key_{number}_{name}" for number in (1, 2) for name in ("last_rotated", "last_used_date")]
    row |= dict.fromkeys(columns, "N/A")
    report = {**row, "generated_at": "2026-11-20T00:00:00Z", "password_last_changed": "2026-01-01T00:00:00Z"}
    base = {"UserName": "a", "Arn": "arn:aws:iam::1:user/a", "CreateDate": "2020-01-01T00:00:00Z", "report": report}
    now = datetime(2026, 11, 20, tzinfo=UTC)
    one = Collected(recipe, "us-east-1", "global", {**base, **dict.fromkeys(failures), **context}, "iam:ListUsers", now)
    one.failures.update(dict.fromkeys(failures, "refused"))
    return one


def no_second_factor(values):
    offends = values.get("passwordEnabled") is True and values.get("mfaActive") is False
    return frozenset({"passwordEnabled", "mfaActive"}) if offends else frozenset()


def test_a_hint_that_nothing_doubts_any_more_stays(repository):
    """The second factor was added since the report; that the password can't be asked for takes nothing from the report."""
    one = collected(repository, ["password"], mfaDevices={"MFADevices": [{}]})
    assert undoubted(one, no_second_factor) >= {"passwordEnabled", "passwordChangedAt"}


def test_a_hint_that_a_policy_finds_an_object_incompliant_by_does_not_stay(repository):
    one = collected(repository, ["password"], mfaDevices={"MFADevices": []})
    assert "passwordEnabled" not in undoubted(one, no_second_factor)
    assert "passwordChangedAt" not in undoubted(one, no_second_factor), "it comes from the same call"


def test_hints_of_what_was_read_live_in_part_do_not_stay(repository):
    """The report's slots of keys are not the live order: a hint of one beside a live fact of the other may be of two keys."""
    one = collected(repository, ["key1Use"], keys={"AccessKeyMetadata": []}, mfaDevices={"MFADevices": [{}]})
    assert not undoubted(one, None) & {"accessKey1LastUsedAt", "accessKey1Active"}
    one = collected(repository, ["keys", "key1Use", "key2Use"], mfaDevices={"MFADevices": [{}]})
    assert undoubted(one, None) >= {"accessKey1LastUsedAt", "accessKey1Active", "accessKey2Active"}


def test_a_user_is_judged_by_what_the_report_says_and_nothing_doubts(account, reeve):
    account.add("mended", False)
    account.report = with_password(account.make_report(), "no_information")
    account.report_time = datetime.now(UTC) - timedelta(hours=1)
    account.failures["GetLoginProfile"] = Failure("AccessDenied", 403, ALWAYS)
    device = "<member><UserName>mended</UserName><SerialNumber>1</SerialNumber><EnableDate>2026-01-01T00:00:00Z</EnableDate></member>"
    devices = f"<IsTruncated>false</IsTruncated><MFADevices>{device}</MFADevices>"
    account.do_ListMFADevices = lambda form: account.result("ListMFADevices", devices)
    run = reeve("scan", "--policy", "mfa-for-all-users-with-console-password", "--format", "json")
    assert (run.code, run.names("COMPLIANT")) == (3, ["mended"])
    assert run.finding("mended")["source"] == "iam:ListMFADevices, iam:GetCredentialReport"


def test_an_object_newer_than_the_report_keeps_no_hint(repository):
    one = collected(repository, ["password"], mfaDevices={"MFADevices": [{}]}, CreateDate="2026-11-21T00:00:00Z")
    assert not undoubted(one, no_second_factor)


# Why ------------------------------------------------------------------------------------------------------------------------


def test_what_a_policy_reads_is_asked_for(repository):
    """Under no policy of the catalogue is a field left unread that it needs, whatever the report says."""
    for policy_id in programs_of(repository):
        for recipe in recipes_for(repository, policy_id).values():
            for name in recipe.needed:
                hinted = recipe.object_type.fields[name].hint and recipe.collect.provisional
                made = recipe.calls if hinted else recipe.calls - recipe.confirming
                assert recipe.calls_for((name,)) <= made, f"{policy_id} reads {name}"


def test_a_call_that_a_field_without_a_hint_needs_is_made_for_every_object(repository):
    declared = repository.object_type("aws.iam.User")
    field = replace(declared.fields["passwordChangedAt"], hint=None)
    changed = replace(declared, fields={**declared.fields, "passwordChangedAt": field})
    needs = {"aws.iam.User": frozenset({"passwordEnabled", "passwordChangedAt"})}
    recipe = recipes(needs, lambda name: changed)["aws.iam.User"]
    assert "password" in recipe.calls and "password" not in recipe.confirming


def test_the_reason_is_true_under_a_policy_that_the_snapshot_was_not_collected_for(account, reeve, tmp_path):
    account.add("someone", True)
    account.freeze_report()
    reeve("collect", *FIRST, "--out", tmp_path / "out")
    run = reeve("evaluate", tmp_path / "out", "--policy", UNUSED, "--format", "json")
    (finding,) = run.report["findings"]
    assert UNNEEDED in finding["notCollected"].values()
    assert "collected for" in UNNEEDED and "selected" not in UNNEEDED


# Answers that are not as a declaration expects them ------------------------------------------------------------------------


def changed(found, type_id, **changes):
    """Return recipes of which one's way of collecting is changed."""
    recipe = found[type_id]
    return {**found, type_id: replace(recipe, collect=replace(recipe.collect, **changes))}


ODD = {
    "a list that is a text": lambda recipe: {"sources": (replace(recipe.collect.sources[0], items="Users[0].UserName"),)},
    "an expression that fails": lambda recipe: {"sources": (replace(recipe.collect.sources[0], items="sum(Users)"),)},
    "a region that can't be found": lambda recipe: {"region": "sum(UserName)"},
    "a key that is a list": lambda recipe: {
        "calls": {**recipe.collect.calls, "report": replace(recipe.collect.calls["report"], match=("[user]", "UserName"))}
    },
    "a key of the object that is a list": lambda recipe: {
        "calls": {**recipe.collect.calls, "report": replace(recipe.collect.calls["report"], match=("user", "[UserName]"))}
    },
    "a report that is no list": lambda recipe: {
        "calls": {**recipe.collect.calls, "report": replace(recipe.collect.calls["report"], items="rows[0].user")}
    },
    "a time that can't be found": lambda recipe: {"provisional": replace(recipe.collect.provisional, made_at="sum(UserName)")},
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_not_as_declared_is_noted_and_ends_nothing(account, repository, name):
    account.add("someone", True)
    account.freeze_report()
    found = recipes_for(repository, *FIRST[1:])
    found = changed(found, "aws.iam.User", **ODD[name](found["aws.iam.User"]))
    collection = collect_account(Api.at(os.environ["AWS_ENDPOINT_URL"]), found, {}, lambda *told: None)
    users = collection.records["aws.iam.User"]
    if name == "a time that can't be found":  # the user is read live then
        assert users[0].fields["accessKey1Active"] is True and not collection.errors
        return
    assert "aws.iam.User" in {affected for error in collection.errors for affected in error.affects}
    assert {error.code for error in collection.errors} == {"UnexpectedAnswer"}


# What came in part ---------------------------------------------------------------------------------------------------------


def live_users(account, change):
    """Have the list of users be what a function makes of it."""
    listed = account.do_ListUsers
    account.do_ListUsers = lambda form: (200, change(listed(form)[1]))


@pytest.mark.parametrize("lacks", [r"<Users>.*</Users>", r"<UserName>one</UserName>"])
def test_who_is_not_in_a_list_that_lacks_something_is_not_gone(account, impatient, reeve, lacks):
    for name in ("one", "two"):
        account.add(name, True)
    account.freeze_report()
    live_users(account, lambda body: re.sub(lacks, "", body))
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 3 and not run.names("DISAPPEARED")


def without_column(report, name):
    """Return a report without a column."""
    rows = [line.split(",") for line in report.splitlines()]
    number = rows[0].index(name)
    return "\n".join(",".join(row[:number] + row[number + 1 :]) for row in rows)


def test_what_a_report_has_no_column_for_is_read_live(account, reeve):
    """Else a key without a time would be none, and none is as it should be."""
    account.add("old", True)
    account.report = without_column(account.make_report(), "access_key_1_last_rotated")
    account.report_time = datetime.now(UTC) - timedelta(hours=1)
    run = reeve("scan", "--policy", "user-access-keys-are-not-rotated-every-90-days", "--format", "json")
    assert run.names("INCOMPLIANT") == ["old"]


def test_a_time_that_is_none_is_not_never(account, reeve):
    account.add("old", True)
    account.report = account.make_report().replace(iso(account.users["old"].keys[0].created_at), "yesterday")
    account.report_time = datetime.now(UTC) - timedelta(hours=1)
    run = reeve("scan", "--policy", "user-access-keys-are-not-rotated-every-90-days", "--format", "json")
    assert run.names("INCOMPLIANT") == ["old"]


def test_a_stand_in_whose_row_lacks_a_column_is_not_judged_without_it(account, reeve):
    changed = f"{datetime.now(UTC) - timedelta(days=20):%Y-%m-%dT%H:%M:%SZ}"
    account.add("someone", False, False)
    report = with_password(account.make_report(), "2020-01-01T00:00:00+00:00").replace(
        "2020-01-01T00:00:00+00:00,N/A", f"{changed},N/A"
    )
    account.report = without_column(report, "password_last_used")
    account.report_time = datetime.now(UTC) - timedelta(hours=1)
    account.failures["ListUsers"] = Failure("AccessDenied", 403, ALWAYS)
    profile = f"<LoginProfile><UserName>someone</UserName><CreateDate>{changed}</CreateDate></LoginProfile>"
    account.do_GetLoginProfile = lambda form: account.result("GetLoginProfile", profile)
    run = reeve("scan", "--policy", UNUSED, "--format", "json")
    assert run.code == 3 and not run.names("COMPLIANT")


def test_a_hint_stands_beside_no_fact_of_a_call_that_is_made_for_every_object(repository):
    """A field of one's own that counts the keys has them read live: the report's slots are of another order."""
    declared = repository.object_type("aws.iam.User")
    count = replace(declared.fields["accessKey1CreatedAt"], name="keyCount", hint=None)
    changed = replace(declared, fields={**declared.fields, "keyCount": count})
    needs = {"aws.iam.User": frozenset({"keyCount", "accessKey1Active", "accessKey1LastUsedAt", "mfaActive"})}
    recipe = recipes(needs, lambda name: changed)["aws.iam.User"]
    assert recipe.hinted == {"mfaActive"}
    assert {"keys", "key1Use"} <= recipe.calls - recipe.confirming


def test_nothing_is_asked_with_an_argument_that_is_null(account, repository):
    """`iam:ListAccessKeys` without a name lists the keys of whoever asks."""
    account.add("someone", True)
    recipe = recipes_for(repository, UNUSED)["aws.iam.User"]
    keys = replace(recipe.collect.calls["keys"], arguments={"UserName": "PasswordLastUsed"})
    changed = replace(recipe, collect=replace(recipe.collect, calls={**recipe.collect.calls, "keys": keys}))
    collection = collect_account(
        Api.at(os.environ["AWS_ENDPOINT_URL"]), {"aws.iam.User": changed}, {}, lambda *told: None, live=True
    )
    (record,) = collection.records["aws.iam.User"]
    (error,) = collection.errors
    assert "ListAccessKeys" not in account.counts and "accessKey1Active" in record.not_collected
    assert error.message.startswith("UserName is null")
