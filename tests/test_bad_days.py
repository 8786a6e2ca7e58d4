"""What goes wrong between here and AWS: the rest is judged, nothing unseen is COMPLIANT, the message says what to do."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from account import Failure
from conftest import FIRST

ALWAYS = 10**9


def three(account):
    account.add("clean", True)
    account.add("offender", True, True)
    account.add("inactive", False, False)
    account.freeze_report()


DENIED_CALLS = {
    "GetCallerIdentity": {"COMPLIANT": ["clean", "inactive"], "INCOMPLIANT": ["offender"]},
    "ListUsers": {"COMPLIANT": ["clean", "inactive"], "INCOMPLIANT": ["offender"]},
    "GenerateCredentialReport": {"COMPLIANT": ["clean", "inactive"], "INCOMPLIANT": ["offender"]},
    "GetCredentialReport": {"COMPLIANT": ["clean", "inactive"], "INCOMPLIANT": ["offender"]},
    "ListAccessKeys": {"COMPLIANT": ["clean", "inactive"], "UNDETERMINED": ["offender"]},
    "GetAccessKeyLastUsed": {"COMPLIANT": ["clean", "inactive"], "INCOMPLIANT": ["offender"]},
}


@pytest.mark.parametrize("action", DENIED_CALLS)
def test_a_denied_call_leaves_the_others_judged(account, reeve, action):
    three(account)
    account.failures[action] = Failure("AccessDenied", 403, ALWAYS)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == (1 if "INCOMPLIANT" in DENIED_CALLS[action] else 3)
    found = {status: run.names(status) for status in ("COMPLIANT", "INCOMPLIANT", "UNDETERMINED") if run.names(status)}
    assert found == DENIED_CALLS[action]
    (error,) = run.report["snapshot"]["errors"]
    assert error["call"].endswith(f":{action}")
    assert f"allow the action {error['call']}" in error["advice"]
    assert error["requestId"] == "request-of-the-test"
    assert run.report["snapshot"]["parts"][0]["account"] == ("" if action == "GetCallerIdentity" else "123456789012")


def test_the_missing_permission_is_named_where_it_was_missed(account, reeve):
    three(account)
    account.failures["ListAccessKeys"] = Failure("AccessDenied", 403, ALWAYS)
    finding = reeve("scan", *FIRST, "--format", "json").finding("offender")
    assert finding["code"] == 101
    assert "iam:ListAccessKeys" in finding["notCollected"]["accessKey1Active"]
    assert finding["remedy"] is None
    summary = reeve("scan", *FIRST)
    assert "iam:ListAccessKeys" in summary.out
    assert summary.code == 3


def test_with_everything_denied_nothing_is_compliant(account, reeve):
    three(account)
    for action in DENIED_CALLS:
        account.failures[action] = Failure("AccessDenied", 403, ALWAYS)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 3
    assert run.report["findings"] == []


def test_with_no_report_and_keys_denied_nothing_is_compliant(account, reeve):
    three(account)
    for action in ("GenerateCredentialReport", "ListAccessKeys"):
        account.failures[action] = Failure("AccessDenied", 403, ALWAYS)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.names("UNDETERMINED") == ["clean", "inactive", "offender"]
    assert account.counts["ListAccessKeys"] == 3


def test_one_user_denied(account, reeve):
    three(account)
    account.add("hidden", True, True)
    account.freeze_report()
    account.failures["ListAccessKeys"] = Failure("AccessDenied", 403, ALWAYS, lambda form: form["UserName"] == "hidden")
    run = reeve("scan", *FIRST, "--format", "json")
    assert (run.names("UNDETERMINED"), run.names("INCOMPLIANT")) == (["hidden"], ["offender"])


def test_a_second_page_that_is_denied_makes_nobody_disappear(account, reeve):
    for number in range(25):
        account.add(f"user-{number}", True)
    account.freeze_report()
    account.page_size = 10
    account.failures["ListUsers"] = Failure("AccessDenied", 403, ALWAYS, lambda form: "Marker" in form)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 3
    assert len(run.names("COMPLIANT")) == 25
    assert run.names("DISAPPEARED") == []


def test_no_credentials(account, reeve, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    run = reeve("scan", *FIRST)
    assert (run.code, run.out) == (3, "")
    assert "no credentials were found" in run.err
    assert "--profile" in run.err
    assert run.err.count("\n") == 1


def test_a_profile_that_does_not_exist(account, reeve):
    run = reeve("scan", *FIRST, "--profile", "nobody")
    assert run.code == 3
    assert "nobody" in run.err


@pytest.mark.parametrize("says", ["no JSON", "[]", '{"Version": 1}', '{"Version": "x"}'])
def test_a_program_that_gives_odd_credentials(account, reeve, monkeypatch, tmp_path, says):
    (tmp_path / "config").write_text(f"[profile odd]\ncredential_process = printf '%s' '{says}'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    run = reeve("scan", *FIRST, "--profile", "odd")
    assert run.code == 3 and "NoCredentials" in run.err and run.err.count("\n") == 1, run.err
    run = reeve("scan", *FIRST, "--profile", "odd", "--out", "s3://bucket/x")
    assert run.code == 2 and "s3://bucket/x: open" in run.err and run.err.count("\n") == 1, run.err


def test_a_wrong_endpoint(account, reeve, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    run = reeve("scan", *FIRST)
    assert run.code == 3
    assert "check the network, the region and AWS_ENDPOINT_URL" in run.err


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch"])
def test_credentials_refused_at_the_start(account, reeve, code, tmp_path):
    three(account)
    account.failures["GetCallerIdentity"] = Failure(code, 403, ALWAYS)
    run = reeve("scan", *FIRST, "--out", tmp_path / "out")
    assert (run.code, run.out) == (3, "")
    assert code in run.err
    assert "get new credentials" in run.err
    assert not list((tmp_path / "out" / "snapshot").glob("*.parquet"))


def test_credentials_that_expire_half_way(account, reeve):
    for number in range(40):
        account.add(f"offender-{number:02d}", True, True)
    account.add("clean", True)
    account.freeze_report()
    account.on_call = lambda action, form: (
        account.failures.update(ListAccessKeys=Failure("ExpiredToken", 403, ALWAYS)) if account.counts[action] == 10 else None
    )
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 1
    assert len(run.names("UNDETERMINED")) + len(run.names("INCOMPLIANT")) == 40
    assert len(run.names("UNDETERMINED")) >= 25
    assert run.names("COMPLIANT") == ["clean"]
    assert account.counts["ListAccessKeys"] < 20, "once the credentials are refused, nothing more is asked"
    assert "get new credentials" in run.finding(run.names("UNDETERMINED")[0])["notCollected"]["accessKey1Active"]


def test_a_storm_of_throttling_is_waited_out(account, reeve, impatient):
    for number in range(30):
        account.add(f"offender-{number:02d}", True, True)
    account.freeze_report()
    for action in ("ListUsers", "ListAccessKeys", "GetAccessKeyLastUsed", "GetCredentialReport"):
        account.failures[action] = Failure("Throttling", 400, 60 if "Key" in action else 5)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 1
    assert len(run.names("INCOMPLIANT")) == 30


def test_throttling_without_end_is_no_answer(account, reeve, impatient):
    three(account)
    account.failures["ListAccessKeys"] = Failure("Throttling", 400, ALWAYS)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 3
    assert run.names("UNDETERMINED") == ["offender"]


@pytest.mark.parametrize("states", [["STARTED", "INPROGRESS"], ["INPROGRESS"]])
def test_a_report_that_never_completes(account, reeve, impatient, states):
    three(account)
    account.report_states = list(states)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 1
    assert run.names("INCOMPLIANT") == ["offender"]
    assert run.names("COMPLIANT") == ["clean", "inactive"]
    (error,) = run.report["snapshot"]["errors"]
    assert error["code"] == "ReportNotReady" and "aws.iam.User" in error["affects"]
    assert account.counts["GenerateCredentialReport"] == 9


@pytest.mark.parametrize(
    ("code", "status"), [("ReportNotPresent", 410), ("ReportExpired", 410), ("ReportInProgress", 404), ("ServiceFailure", 400)]
)
def test_a_report_that_is_not_given(account, reeve, impatient, code, status):
    three(account)
    account.failures["GetCredentialReport"] = Failure(code, status, ALWAYS)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.code == 1 and code in {one["code"] for one in run.report["snapshot"]["errors"]}
    assert run.names("INCOMPLIANT") == ["offender"]
    assert {finding["source"] for finding in run.report["findings"]} == {"iam:ListAccessKeys"}


def edited(account, edit):
    three(account)
    account.report = edit(account.report)


REPORTS = {
    "unknown columns": lambda text: "\n".join(f"zodiac,{line}" for line in text.split("\n")),
    "no column for the second key": lambda text: text.replace("access_key_2_active", "access_key_two_active"),
    "odd dates": lambda text: text.replace("T", " at "),
    "odd states": lambda text: text.replace("true", "perhaps"),
    "rows cut short": lambda text: "\n".join(line[:40] if line.startswith('"clean') else line for line in text.split("\n")),
    "only a head": lambda text: text.split("\n")[0],
    "nothing": lambda text: "",
    "no table": lambda text: "\x00\x01 not a table",
    "a row for nobody": lambda text: text + "\n,,,",
}


@pytest.mark.parametrize("name", REPORTS)
def test_odd_reports_never_make_a_wrong_verdict(account, reeve, impatient, name):
    edited(account, REPORTS[name])
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.names("INCOMPLIANT") == ["offender"]
    assert run.names("COMPLIANT") == ["clean", "inactive"]


HOSTILE = [
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "ü" * 64,
    "a,b\"c'd",
    "--profile",
    "$(reboot)`reboot`",
    "{{ 7777 * 7777 }}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_harmless_everywhere(account, reeve, tmp_path, name):
    # XML 1.0 has no escape characters: botocore can't receive one, but a snapshot of another source might hold it.
    sent = name.replace("\x1b", "\u241b")
    account.add(sent, True, True)
    account.freeze_report()
    run = reeve("scan", *FIRST, "--out", tmp_path / "out")
    assert run.code == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "60481729" not in page
    assert not any(ord(character) < 32 and character != "\n" for character in run.out)
    assert "\u202e" not in run.out + page
    json_run = reeve("evaluate", tmp_path / "out", "--format", "json")
    assert json_run.names("INCOMPLIANT") == [sent]


def test_an_output_directory_that_can_not_be_written(account, reeve, tmp_path):
    (tmp_path / "file").write_text("")
    run = reeve("scan", *FIRST, "--out", tmp_path / "file" / "out")
    assert run.code == 2
    assert "can't write to" in run.err
    assert "choose another --out" in run.err
    assert account.counts.total() == 0, "it is found out before anything is asked"


def test_two_scans_at_once_into_one_directory(account, reeve, tmp_path):
    from reeve.inventory.directory import writing

    three(account)
    with writing(tmp_path / "out" / "snapshot"):
        run = reeve("scan", *FIRST, "--out", tmp_path / "out")
    assert run.code == 2
    assert "another reeve is writing to" in run.err
    assert reeve("scan", *FIRST, "--out", tmp_path / "out").code == 1


def test_a_full_disk_leaves_the_old_snapshot(account, reeve, tmp_path):
    three(account)
    assert reeve("scan", *FIRST, "--out", tmp_path / "out").code == 1
    before = reeve("evaluate", tmp_path / "out", "--format", "json").report
    for number in range(3000):
        account.add(f"more-{number}", True)
    account.freeze_report()
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        "from reeve.cli import main; sys.argv = ['reeve', 'scan', '--policy', '*-one-active-access-key', '--out', sys.argv[1]]; main()"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "can't write the snapshot" in done.stderr
    assert "Traceback" not in done.stderr
    assert reeve("evaluate", tmp_path / "out", "--format", "json").report == before
    assert len(list((tmp_path / "out" / "snapshot").glob("*.parquet*"))) == 2


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_in_the_middle_nothing_is_half_written(account, reeve, reeve_process, tmp_path, by):
    three(account)
    assert reeve("scan", *FIRST, "--out", tmp_path / "out").code == 1
    before = reeve("evaluate", tmp_path / "out", "--format", "json").report
    for number in range(200):
        account.add(f"more-{number}", True, True)
    account.freeze_report()
    account.on_call = lambda action, form: time.sleep(0.05) if action == "ListAccessKeys" else None
    account.counts.clear()
    process = reeve_process("scan", *FIRST, "--out", tmp_path / "out", env=dict(os.environ))
    deadline = time.monotonic() + 20
    while account.counts["ListAccessKeys"] < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(by)
    _, err = process.communicate(timeout=20)
    assert process.returncode == (130 if by is signal.SIGINT else -signal.SIGKILL)
    if by is signal.SIGINT:
        assert "interrupted; nothing was written" in err
        assert "Traceback" not in err
    assert reeve("evaluate", tmp_path / "out", "--format", "json").report == before


def test_a_clock_that_is_wrong_here_does_not_hide_new_users(account, reeve):
    """The comparison is between two times of AWS's own clock: the user's and the report's."""
    account.add("ahead", True)
    account.report, account.report_time = account.make_report(), datetime.now(UTC) + timedelta(days=1)
    run = reeve("scan", *FIRST, "--format", "json")
    assert run.names("COMPLIANT") == ["ahead"]
