"""Snapshots and outcomes in S3, a real simulated one over HTTP."""

import json
import subprocess
import sys

import botocore.session
import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="module")
def server():
    served = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    served.start()
    yield served._server.server_address[1]
    served.stop()


@pytest.fixture
def s3(server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = botocore.session.get_session().create_client("s3")
    client.create_bucket(Bucket="audit")
    yield client
    for key in keys(client):
        client.delete_object(Bucket="audit", Key=key)
    client.delete_bucket(Bucket="audit")


def keys(client):
    return [one["Key"] for one in client.list_objects_v2(Bucket="audit").get("Contents", ())]


def process(*arguments):
    """Run the command as a process, so that the simulated account's state is its own."""
    return subprocess.run([sys.executable, "-m", "reeve", *map(str, arguments)], capture_output=True, text=True)


def test_from_scan_to_a_second_evaluation(s3, reeve, tmp_path):
    assert process("scan", "--demo", "--out", "s3://audit/monday", "--quiet").returncode in (1, 3)
    found = keys(s3)
    assert {"monday/report.json", "monday/report.html", "monday/snapshot/manifest.json"} <= {*found}
    assert not [key for key in found if ".lock" in key or ".part" in key]
    plain = reeve("evaluate", "s3://audit/monday", "--format", "json")
    expected = json.loads(s3.get_object(Bucket="audit", Key="monday/report.json")["Body"].read())
    assert plain.report["findings"] == expected["findings"]
    assert reeve("evaluate", "s3://audit/monday", "--out", "s3://audit/o", "--format", "parquet").code in (1, 3)
    manifest = json.loads(s3.get_object(Bucket="audit", Key="o/outcomes/outcomes.json")["Body"].read())
    assert manifest["snapshot"] == "s3://audit/monday"
    run = reeve("evaluate", "s3://audit/monday", "--since", "s3://audit/o", "--out", tmp_path, "--format", "parquet")
    assert run.code in (1, 3)
    again = json.loads((tmp_path / "outcomes" / "outcomes.json").read_text())["types"]["aws.iam.User"]
    assert again["policies"] == manifest["types"]["aws.iam.User"]["policies"]
    assert any(folder.endswith("kept") for folder in again["folders"])
    name = next(one["name"] for one in expected["findings"] if "more-than-one" in one["policy"])
    told = reeve("explain", "*more-than-one-active-access-key", name, "--snapshot", "s3://audit/monday")
    assert told.code == 0 and name in told.out


def test_nothing_there(s3, reeve):
    run = reeve("evaluate", "s3://audit/nothing")
    assert run.code == 2 and "no snapshot in s3://audit/nothing" in run.err
    run = reeve("evaluate", "s3://other/nothing")
    assert run.code == 2 and "s3:ListObjectsV2: NoSuchBucket" in run.err and "request" in run.err


def test_a_manifest_that_names_files_elsewhere(s3, reeve, tmp_path):
    s3.put_object(Bucket="audit", Key="x/manifest.json", Body=b'{"tables": {"a": {"file": "../../etc/passwd"}}}')
    s3.put_object(Bucket="audit", Key="x/../../etc/passwd", Body=b"root")
    assert reeve("evaluate", "s3://audit/x").code == 2
    s3.put_object(Bucket="audit", Key="x/manifest.json", Body=b"[1")
    run = reeve("evaluate", "s3://audit/x")
    assert run.code == 2 and "is damaged" in run.err


def test_a_failing_run_puts_nothing(s3, reeve):
    assert reeve("evaluate", "s3://audit/x", "--out", "s3://audit/o").code == 2
    assert not keys(s3)
