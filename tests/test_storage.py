"""Snapshots and outcomes in object stores: a real simulated S3 over HTTP, and the others' shapes of requests."""

import json
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from conftest import FIRST


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
    assert process("scan", "--demo", "--policy", "*/iam/*", "--out", "s3://audit/monday", "--quiet").returncode in (1, 3)
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
    assert any("/kept/" in file for file in again["files"])
    name = next(one["name"] for one in expected["findings"] if "more-than-one" in one["policy"])
    told = reeve("explain", "*more-than-one-active-access-key", name, "--snapshot", "s3://audit/monday")
    assert told.code == 0 and name in told.out


def test_nothing_there(s3, reeve):
    run = reeve("evaluate", "s3://audit/nothing")
    assert run.code == 2 and "no snapshot in s3://audit/nothing" in run.err
    run = reeve("evaluate", "s3://other/nothing")
    assert run.code == 2 and "s3:ListObjectsV2: NoSuchBucket" in run.err and "request" in run.err


def body(s3, key):
    return s3.get_object(Bucket="audit", Key=key)["Body"].read()


def upload(s3, directory, prefix):
    for path in directory.rglob("*"):
        if path.is_file():
            s3.put_object(Bucket="audit", Key=f"{prefix}/{path.relative_to(directory)}", Body=path.read_bytes())


def test_keys_that_lead_elsewhere_lead_nowhere(s3, reeve, tmp_path, demo_scan, monkeypatch):
    """Only what a manifest names is fetched, below a directory of its own."""
    upload(s3, demo_scan / "snapshot", "x")
    secret = tmp_path / "home" / ".bashrc"
    secret.parent.mkdir()
    secret.write_text("mine")
    for key in (
        f"x/{secret}",
        f"x//{secret}",
        "x/../../../../etc/passwd",
        "x/./manifest.json",
        "x/outcomes//run-0/x.parquet",
        "x/\\",
    ):
        s3.put_object(Bucket="audit", Key=key, Body=b"theirs")
    before = set(tmp_path.rglob("*"))
    assert reeve("evaluate", "s3://audit/x", *FIRST).code in (1, 3)
    assert secret.read_text() == "mine" and set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a//b", "", ".", "a\\b", "C:/x", "a\0b", "x/../../y"])
def test_a_manifest_that_names_files_elsewhere(s3, reeve, name):
    for key, content in {
        "manifest.json": {"schema": "reeve.snapshot/2", "tables": {"a": [{"file": name}]}},
        "outcomes/outcomes.json": {"types": {"a": {"files": {name: ""}}}},
    }.items():
        s3.put_object(Bucket="audit", Key=f"x/{key}", Body=json.dumps(content).encode())
        run = reeve("evaluate", "s3://audit/x")
        assert run.code == 2 and "a manifest names the file" in run.err and run.err.count("\n") == 1, run.err
        s3.delete_object(Bucket="audit", Key=f"x/{key}")


def test_manifests_that_are_none(s3, reeve):
    for content in (b"[1", b"[]", b'{"tables": 1}', b'{"tables": {"a": []}}', b"[" * 100_000, b"\xff"):
        s3.put_object(Bucket="audit", Key="x/manifest.json", Body=content)
        run = reeve("evaluate", "s3://audit/x")
        assert run.code == 2 and "is damaged" in run.err and run.err.count("\n") == 1, run.err


def test_a_new_result_takes_the_place_of_the_old_one(account, s3, reeve):
    account.add("someone", True)
    for _ in range(2):
        assert reeve("scan", *FIRST, "--out", "s3://audit/out", "--format", "json,html,parquet").code == 0
        found = [key.removeprefix("out/") for key in keys(s3)]
        known = json.loads(body(s3, "out/snapshot/manifest.json"))["tables"].values()
        tables = {one["file"] for files in known for one in files}
        outcomes = json.loads(body(s3, "out/outcomes/outcomes.json"))["types"]["aws.iam.User"]["files"]
        expected = {"report.json", "report.html", "snapshot/manifest.json", "outcomes/outcomes.json"}
        assert {*found} == expected | {f"snapshot/{name}" for name in tables} | {f"outcomes/{name}" for name in outcomes}
    assert reeve("scan", *FIRST, "--out", "s3://audit/out", "--format", "json").code == 0
    assert not [key for key in keys(s3) if "html" in key], "it was of the old snapshot"
    s3.put_object(Bucket="audit", Key="out/report.pdf", Body=b"")
    s3.put_object(Bucket="audit", Key="out/notes.txt", Body=b"")
    assert reeve("evaluate", "s3://audit/out", "--out", "s3://audit/out", "--format", "html").code == 0
    assert {"out/report.json", "out/report.html", "out/report.pdf", "out/notes.txt"} <= {*keys(s3)}


def test_what_can_not_be_listed_is_said_and_stays(account, s3, reeve):
    account.add("someone", True)
    s3.put_object(Bucket="audit", Key="out/outcomes//x", Body=b"")
    run = reeve("scan", *FIRST, "--out", "s3://audit/out")
    assert run.code == 0 and "what was there before is not removed" in run.err
    assert "out/snapshot/manifest.json" in keys(s3)


def test_the_profile_that_was_chosen(account, s3, reeve, monkeypatch, tmp_path):
    account.add("someone", True)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "config").write_text("[profile audit]\naws_access_key_id = a\naws_secret_access_key = b\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert reeve("scan", *FIRST, "--profile", "audit", "--out", "s3://audit/out").code == 0
    assert "out/report.json" in keys(s3)
    run = reeve("scan", *FIRST, "--out", "s3://audit/other")
    assert run.code == 2 and "no credentials were found" in run.err and "--profile" in run.err
    run = reeve("scan", *FIRST, "--profile", "nobody", "--out", "s3://audit/other")
    assert run.code == 2 and "nobody" in run.err and run.err.count("\n") == 1


class Store(BaseHTTPRequestHandler):
    """A store in the shape of the XML API that Google's and Amazon's share, and of Azure's for single blobs."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_HEAD(self):
        self.answer(200, x_amz_bucket_region="us-east-1")

    def do_GET(self):
        place = urlsplit(self.path)
        asked = parse_qs(place.query)
        if "list-type" in asked or asked.get("comp") == ["list"]:
            self.answer(403, b"<Error><Code>AccessDenied</Code><Message>No lists.</Message></Error>")
            return
        found = self.server.objects.get(unquote(place.path))
        details = {"ETag": '"x"', "Last_Modified": "Wed, 25 Nov 2026 12:00:00 GMT", "x_goog_generation": "1"}
        self.answer(404) if found is None else self.answer(200, found, **details)

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refuses in self.path:
            message = b"<Error><Code>AccessDenied</Code><Message>Not yours.</Message><RequestId>r1</RequestId></Error>"
            self.answer(403, message)
            return
        self.server.objects[unquote(urlsplit(self.path).path)] = content
        self.answer(201 if "x-ms-version" in self.headers else 200, ETag='"x"', x_goog_generation="1")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def other():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    server.objects, server.refuses = {}, "\0"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_result_that_can_not_be_put_is_kept_here(account, other, reeve, monkeypatch, tmp_path):
    server, address = other
    server.refuses = "manifest.json"
    account.add("offender", True, True)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run = reeve("scan", *FIRST, "--out", "s3://audit/out")
    assert run.code == 2 and "AccessDenied: Not yours. (request r1)" in run.err
    here = run.err.split("what was made is in ")[1].strip()
    assert not [key for key in server.objects if "manifest" in key or "report" in key]
    assert reeve("evaluate", here, "--format", "json").names("INCOMPLIANT") == ["offender"]
    assert Path(here, "report.html").exists()


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_other_clouds(scheme, account, other, reeve, monkeypatch):
    server, address = other
    account.add("offender", True, True)
    key = {"gcs_base_url": address, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(key))
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", address)
    run = reeve("scan", *FIRST, "--out", f"{scheme}://audit/out")
    assert run.code == 1 and "not removed" in run.err, run.err
    assert any(name.endswith("audit/out/snapshot/manifest.json") for name in server.objects)
    assert reeve("evaluate", f"{scheme}://audit/out", "--format", "json").names("INCOMPLIANT") == ["offender"]
    run = reeve("evaluate", f"{scheme}://audit/nothing")
    assert run.code == 2 and f"no snapshot in {scheme}://audit/nothing" in run.err


def test_a_failing_run_puts_nothing(s3, reeve):
    assert reeve("evaluate", "s3://audit/x", "--out", "s3://audit/o").code == 2
    assert not keys(s3)
