"""What tests share: the simulated account, and the command run as a user runs it."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from account import Account, Server
from reeve.cli import reeve as group
from reeve.cli.failures import failing_well
from reeve.collect.aws import bounds
from reeve.language.operations.registry import Operations

# The gate judges a commit, so it says the same of it each time; what is new is looked for by `make fuzz`.
settings.register_profile("default", max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("fuzz", max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# What was started in the background of a shell ignores SIGINT, and so does all that it starts; our own are to hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
CATALOG = ROOT / "catalog"
FIRST = ("--policy", "user-has-more-than-one-active-access-key")
"""Selects the first policy, for an account that has users only."""


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """No test sees the user's AWS configuration, nor leaves the files it makes behind."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def account(monkeypatch):
    """An empty account, served on loopback, with the environment pointing at it."""
    served = Server(Account())
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    yield served.account
    served.stop()


@pytest.fixture
def impatient(monkeypatch):
    """Let rests, and looks at a report in the making, take no time; how often a call is made stays."""
    quick = replace(bounds.USUAL, call_seconds=5, rests=(0.01,), polls=(0.01,) * 8)
    monkeypatch.setattr(bounds, "USUAL", quick)
    # botocore's limit of rates learns from throttling for minutes.
    monkeypatch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda self, request, **kwargs: None)
    return quick


@dataclass
class Run:
    code: int
    out: str
    err: str

    @property
    def report(self):
        return json.loads(self.out)

    def names(self, status):
        return sorted(finding["name"] for finding in self.report["findings"] if finding["status"] == status)

    def finding(self, name):
        return next(finding for finding in self.report["findings"] if finding["name"] == name)


@pytest.fixture
def reeve(capfdbinary):
    """Run the command in this process: exit code, standard output, standard error; with other operations, if some are given."""

    def run(*args: object, operations: Operations | None = None) -> Run:
        capfdbinary.readouterr()
        words = [str(arg) for arg in args]
        code = failing_well(lambda: group.main(words, "reeve", standalone_mode=False, obj=operations), debug=False)
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = capfdbinary.readouterr()
        assert b"Traceback" not in err
        return Run(code, out.decode(), err.decode())

    return run


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Return a directory filled by a command as a process, by the first of all workers that asks for it; for reading only."""
    workers = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp().parent if workers else tmp_path_factory.getbasetemp()

    def filled(name, *command, codes):
        with (base / f"{name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (base / f"{name}.done").exists():
                command = [sys.executable, "-m", "reeve", *map(str, command), "--out", str(base / name), "--quiet"]
                done = subprocess.run(command, capture_output=True, text=True)
                assert done.returncode in codes, done.stderr
                (base / f"{name}.done").touch()
        return base / name

    return filled


@pytest.fixture(scope="session")
def demo_scan(once):
    """What a scan of the demo wrote."""
    return once("demo", "scan", "--demo", codes=(1, 3))


@pytest.fixture
def reeve_process():
    """Start the command as a process of its own, which ends with the test at the latest."""
    with ExitStack() as started:

        def start(*args: object, **options) -> subprocess.Popen:
            command = [sys.executable, "-m", "reeve", *map(str, args)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield start
