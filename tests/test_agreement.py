"""Every verdict of a scan agrees with an independent check by plain boto3 calls, object by object."""

import json
import subprocess
import sys

import pytest

from company import serving
from conftest import CATALOG
from independent import CHECKS, Account
from reeve.repository.repository import Repository

HOME = "eu-central-1"
# What is judged by rules that a second check would only repeat: the report of these is looked at in other tests.
UNCHECKED = {
    "account/object-level-cloudtrail-logging-for-read-events-for-s3-buckets",
    "account/object-level-cloudtrail-logging-for-write-events-for-s3-buckets",
    "iam/root-user-hardware-mfa",
}


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    out = tmp_path_factory.mktemp("scanned")
    with serving() as company:
        environment = {"AWS_ENDPOINT_URL": company.address, "AWS_DEFAULT_REGION": HOME, "PATH": "/usr/bin:/bin"}
        environment |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        command = [sys.executable, "-m", "reeve", "scan", "--out", str(out), "--format", "json", "--quiet"]
        assert subprocess.run(command, env=environment, check=False).returncode == 1
        report = json.loads((out / "report.json").read_text())
        found = {}
        for one in report["findings"]:
            found.setdefault(one["policy"].removeprefix("/ce/ca/aws/"), {})[one["object"]] = one["status"]
        yield found, Account(company.address, HOME)


def test_every_policy_is_checked():
    repository = Repository.open(CATALOG)
    production = {policy_id.removeprefix("/ce/ca/aws/") for policy_id, one in repository.policies.items() if one.is_production}
    assert set(CHECKS) | UNCHECKED == production


@pytest.mark.parametrize("slug", CHECKS)
def test_verdicts_agree(scanned, slug):
    found, account = scanned
    ours, theirs = found.get(slug, {}), CHECKS[slug](account)
    gone = {identifier for identifier, status in ours.items() if status == "DISAPPEARED"} - theirs.keys()
    assert {identifier: status for identifier, status in ours.items() if identifier not in gone} == theirs
    assert len(gone) <= 1, "one user was deleted since the credential report"
    assert theirs
