"""From the API to the verdicts: the fewest calls, and the truth when the credential report is stale."""

from datetime import UTC, datetime, timedelta

import pytest

from conftest import FIRST


def mixed(account, count, offenders):
    """`count` users, of whom `offenders` have two active keys and the others fewer."""
    for number in range(count):
        states = (True, True) if number < offenders else [(), (True,), (False,), (True, False), (False, False)][number % 5]
        account.add(f"user-{number:05d}", *states)


@pytest.mark.parametrize(("count", "offenders"), [(0, 0), (7, 7), (200, 30), (1500, 12)])
def test_names_exactly_the_offenders_within_the_budget_of_requests(account, reeve, count, offenders):
    mixed(account, count, offenders)
    account.freeze_report()
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.names("INCOMPLIANT") == [f"user-{number:05d}" for number in range(offenders)]
    assert len(run.names("COMPLIANT")) == count - offenders
    assert run.code == (1 if offenders else 0)
    assert sum(account.counts.values()) <= 10 + count / 1000 + 3 * offenders
    assert account.counts["ListUsers"] == max(1, -(-count // 1000))
    assert sum(run.report["snapshot"]["parts"][0]["calls"].values()) == sum(account.counts.values())


def test_iam_has_at_most_four_requests_under_way(account, reeve):
    mixed(account, 20, 20)
    account.delay = 0.02
    assert reeve("scan", *FIRST, "--format", "json").code == 1
    assert 1 < account.most_under_way <= 4


def test_an_offender_comes_with_the_command_that_mends_it(account, reeve):
    user = account.add("ci deploy", True, True)
    old, young = user.keys
    old.created_at, young.created_at = (datetime.now(UTC) - timedelta(days=days) for days in (300, 20))
    old.last_used_at, young.last_used_at = (datetime.now(UTC) - timedelta(days=days) for days in (3, 4))
    run = reeve("scan", *FIRST, "--format", "json")
    finding = run.finding("ci deploy")
    assert finding["code"] == 199
    expected = f"aws iam update-access-key --user-name 'ci deploy' --access-key-id {old.id} --status Inactive"
    assert finding["remedy"]["commands"] == [{"run": expected, "undo": expected.replace("Inactive", "Active")}]
    assert f"Keep {young.id} (20 d old, last used 4 d ago for s3 in eu-west-1)" in finding["remedy"]["say"]
    assert finding["source"] == "iam:ListAccessKeys"
    assert [len(policy["sections"]) for policy in run.report["policies"]] == [30]


ROTATION, UNUSED = "user-access-keys-are-not-rotated-every-90-days", "disable-user-with-unused-credentials-45-days-and-more"


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    "keys",
    [
        ((True, 30, 1), (True, 300, 2)),
        ((False, 30, 100), (True, 300, 1)),
        ((True, 30, 50), (False, 300, 1)),
        ((True, 300, 50), (False, 20, 1)),
        ((True, 80, 2), (True, 85, 46)),
        ((True, 95, 46), (False, 100, 1)),
    ],
    ids=str,
)
def test_slots_of_the_report_are_not_the_live_order(account, reeve, keys, swapped):
    """The report's first slot may hold the younger key: a hint about one must not stand beside a live fact about the other."""
    keys = keys[::-1] if swapped else keys
    user = account.add("someone", *(active for active, _, _ in keys))
    for key, (_, age, used) in zip(user.keys, keys, strict=True):
        key.created_at, key.last_used_at = (datetime.now(UTC) - timedelta(days=days) for days in (age, used))
    account.freeze_report()
    run = reeve("scan", "--policy", ROTATION, "--policy", UNUSED, "--format", "json")
    found = {one["policy"].rpartition("/")[2]: one["status"] for one in run.report["findings"]}
    offends = {
        ROTATION: any(active and age > 90 for active, age, _ in keys),
        UNUSED: any(active and used >= 45 for active, _, used in keys),
    }
    assert found == {policy: "INCOMPLIANT" if bad else "COMPLIANT" for policy, bad in offends.items()}
    assert account.counts["GetAccessKeyLastUsed"] in (0, 2), "of both keys, or of none"


@pytest.mark.parametrize(("hours", "status"), [(45 * 24 - 4, "COMPLIANT"), (45 * 24 + 20, "INCOMPLIANT")])
def test_days_are_counted_to_the_moment(account, reeve, hours, status):
    (key,) = account.add("someone", True).keys
    key.last_used_at = datetime.now(UTC) - timedelta(hours=hours)
    run = reeve("scan", "--policy", UNUSED, "--format", "json")
    assert run.finding("someone")["status"] == status


def test_a_user_mended_since_the_report_is_not_reported(account, reeve):
    account.add("mended", True, True)
    account.add("offender", True, True)
    account.freeze_report()
    account.users["mended"].keys[0].active = False
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.names("INCOMPLIANT") == ["offender"]
    assert run.finding("mended")["source"] == "iam:ListAccessKeys"


def test_a_user_deleted_since_the_report_has_disappeared(account, reeve):
    account.add("gone", True, True)
    account.add("there", True)
    account.freeze_report()
    del account.users["gone"]
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.names("DISAPPEARED") == ["gone"]
    assert run.finding("gone")["text"] == "isDisappeared(disappearanceTime)"
    assert run.code == 0


def test_a_user_deleted_while_being_confirmed_has_disappeared(account, reeve):
    account.add("going", True, True)
    account.on_call = lambda action, form: account.users.clear() if action == "ListAccessKeys" else None
    assert reeve("scan", *FIRST, "--format", "json").names("DISAPPEARED") == ["going"]


def test_a_user_made_since_the_report_is_read_live(account, reeve):
    account.add("old", True)
    account.freeze_report()
    account.add("new offender", True, True, days=0)
    account.add("new", True, days=0)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.names("INCOMPLIANT") == ["new offender"]
    assert run.names("COMPLIANT") == ["new", "old"]
    assert account.counts["ListAccessKeys"] == 2


def test_a_user_made_again_under_the_same_name_is_not_judged_by_the_old_row(account, reeve):
    account.add("twice", False)
    account.freeze_report()
    account.add("twice", True, True, days=0)
    assert reeve("scan", *FIRST, "--format", "json").names("INCOMPLIANT") == ["twice"]


def test_a_finding_from_the_report_is_as_of_the_report(account, reeve):
    account.add("quiet", True)
    account.freeze_report(timedelta(hours=3))
    finding = reeve("scan", *FIRST, "--format", "json").finding("quiet")
    assert finding["source"] == "iam:GetCredentialReport"
    assert datetime.fromisoformat(finding["asOf"]) == account.report_time.replace(microsecond=0)


def test_live_reads_everybody_and_sees_what_the_report_misses(account, reeve):
    account.add("second key since the report", True)
    account.freeze_report()
    account.users["second key since the report"].keys.append(account.add("x", True).keys[0])
    run = reeve("scan", *FIRST, "--live", "--format", "json")
    assert run.names("INCOMPLIANT") == ["second key since the report"]
    assert account.counts["GetCredentialReport"] == account.counts["GenerateCredentialReport"] == 0


def test_paging(account, reeve):
    mixed(account, 25, 3)
    account.page_size = 10
    run = reeve("scan", *FIRST, "--format", "json")
    assert len(run.report["findings"]) == 25
    assert account.counts["ListUsers"] == 3


def test_five_thousand_users(account, reeve):
    mixed(account, 5000, 5)
    account.freeze_report()
    run = reeve("scan", *FIRST, "--format", "json")
    assert len(run.report["findings"]) == 5000
    assert len(run.names("INCOMPLIANT")) == 5


def test_users_with_paths_are_told_apart_by_their_arn(account, reeve):
    account.add("same.path", True, True, path="/division/team/")
    assert reeve("scan", *FIRST, "--format", "json").finding("same.path")["object"].endswith(":user/division/team/same.path")


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "eu-west-3"), ("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")]
)
def test_partitions(account, reeve, partition, region):
    account.partition = partition
    account.add("someone", True, True)
    run = reeve("scan", *FIRST, "--region", region, "--format", "json")
    assert run.report["snapshot"]["parts"][0]["partition"] == partition
    assert run.finding("someone")["object"].startswith(f"arn:{partition}:iam:")
    home = {"aws": "us-east-1"}.get(partition, region)
    assert home in account.regions or region in account.regions


def test_the_root_user_is_no_user(account, reeve, tmp_path):
    account.add("someone", True)
    run = reeve("scan", "--policy", "root-account-used-recently", "--policy", "root-user-mfa", "--format", "json")
    assert run.code == 3, "the account has no GetAccountSummary: what was not seen is never COMPLIANT"
    assert [(one["object"], one["status"]) for one in run.report["findings"]] == [
        ("arn:aws:iam::123456789012:root", "COMPLIANT"),
        ("arn:aws:iam::123456789012:root", "UNDETERMINED"),
    ]
    assert account.counts["ListUsers"] == 0


def test_collect_then_evaluate_is_a_scan(account, reeve, tmp_path):
    mixed(account, 12, 2)
    scanned = reeve("scan", *FIRST, "--format", "json").report
    assert reeve("collect", *FIRST, "--out", tmp_path / "snapshot").code == 0
    before = account.counts.total()
    run = reeve("evaluate", tmp_path / "snapshot", "--format", "json")
    assert account.counts.total() == before
    assert run.code == 1
    key = "name", "status", "code", "text"
    assert [[f[k] for k in key] for f in run.report["findings"]] == [[f[k] for k in key] for f in scanned["findings"]]


def test_selecting_by_framework_and_by_policy(account, reeve):
    account.add("someone", True)
    assert reeve("scan", *FIRST, "--framework", "cis-aws-v5.0.0", "--format", "json").report["policies"]
    assert not reeve("scan", *FIRST, "--framework", "cis-aws-v1.2.0", "--format", "json").report["policies"]
    assert reeve("scan", "--policy", "user-has-*", "--format", "json").report["policies"]
    wrong = reeve("scan", "--policy", "user-has-more-than-one-active-acces-key")
    assert wrong.code == 2
    assert "did you mean /ce/ca/aws/iam/user-has-more-than-one-active-access-key?" in wrong.err
    assert reeve("scan", "--framework", "cis").code == 2
