"""What the exit code says, in every engine and format; and that no stream and no --debug changes it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import things
from conftest import FIRST
from reeve.findings.exit_codes import of_collecting, of_results
from reeve.inventory.manifest import CollectionError, Manifest
from reeve.model import Status
from test_hostile_snapshots import rewrite

counts = st.lists(st.fixed_dictionaries({status: st.integers(0, 2) for status in Status}), max_size=3)


@given(counts, st.booleans())
def test_the_rule(policies, complete):
    bad = any(one[Status.INCOMPLIANT] for one in policies)
    well = complete and policies and not any(one[Status.UNDETERMINED] for one in policies)
    assert of_results(policies, complete) == (1 if bad else 0 if well else 3)
    assert of_collecting(complete) == (0 if complete else 3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return things.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def snapshot(made, tmp_path):
    return Path(shutil.copytree(made / "snapshot", tmp_path / "snapshot"))


def edited(snapshot, **changes):
    manifest = msgspec.json.decode((snapshot / "manifest.json").read_bytes(), type=Manifest)
    (part,) = manifest.parts
    changed = msgspec.structs.replace(manifest, parts=(msgspec.structs.replace(part, **changes),))
    (snapshot / "manifest.json").write_bytes(msgspec.json.encode(changed))


def failed(**affects):
    return (
        CollectionError(
            "t:Call", "AccessDenied", "No.", "Allow it.", affects={f"t.{name}": of for name, of in affects.items()}
        ),
    )


def only(*ids):
    return lambda snapshot: rewrite(snapshot, f"SELECT * FROM {{t}} WHERE id IN ({', '.join(map(repr, (*ids, '')))})")


def without(type_id):
    def remove(snapshot):
        manifest = json.loads((snapshot / "manifest.json").read_text())
        del manifest["tables"][type_id]
        (snapshot / "manifest.json").write_text(json.dumps(manifest))

    return remove


def error(**affects):
    return lambda snapshot: (only("t1")(snapshot), edited(snapshot, errors=failed(**affects)))


CASES = {
    "all well": (only("t1"), "*", 0),
    "nothing there": (only(), "*", 0),
    "something bad": (only("t1", "t2"), "*", 1),
    "something bad, something unknown": (only("t2", "t3"), "*", 1),
    "all unknown": (only("t3"), "open", 3),
    "unknown for the list": (only("t3"), "parts", 3),
    "known for this policy": (only("t3"), "large", 0),
    "a table of the policy's objects is missing": (without("t.Thing"), "large", 3),
    "a table behind a lookup is missing": (without("t.Owner"), "owner", 3),
    "a table of a list is missing": (without("t.Part"), "parts", 3),
    "a table of others is missing": (lambda snapshot: (only("t1")(snapshot), without("t.Owner")(snapshot)), "large", 0),
    "a failure about anything": (error(), "large", 3),
    "a failure about these objects": (error(Thing=()), "large", 3),
    "a failure about the field that is read": (error(Thing=("name", "size")), "large", 3),
    "a failure about other fields": (error(Thing=("open",)), "large", 0),
    "a failure about other objects": (error(Owner=(), Part=("open",)), "large", 0),
    "a failure about a list": (error(Thing=("parts",)), "parts", 3),
    "a failure about children": (error(Part=("open",)), "parts", 3),
    "a failure behind a lookup": (error(Owner=("good",)), "owner", 3),
    "policies that are not here": (lambda snapshot: edited(snapshot, policies=("/ce/other",)), None, 3),
}
WAYS = [("interpreter", "json"), ("duckdb", "parquet"), ("duckdb", "json"), ("auto", "terminal"), ("duckdb", "html")]
ALL_WAYS = (
    "all well",
    "something bad",
    "all unknown",
    "a table of the policy's objects is missing",
    "policies that are not here",
)


@pytest.mark.parametrize("name", CASES)
def test_every_engine_and_format(name, made, snapshot, reeve, tmp_path):
    change, policy, code = CASES[name]
    change(snapshot)
    chosen = () if policy is None else ("--policy", f"/ce/{policy}")
    for engine, form in WAYS if name in ALL_WAYS else WAYS[:2]:
        where = ("--out", tmp_path / f"{engine}-{form}") if form == "parquet" else ()
        run = reeve("evaluate", snapshot, "--repo", made / "repo", *chosen, "--engine", engine, "--format", form, *where)
        assert run.code == code, (engine, form, run.err)
        if form == "json":
            shown = run.report["snapshot"]
            assert shown["complete"] == (code == 0 or not ("missing" in name or name.startswith("a failure")))
            assert bool(shown["errors"]) == (not shown["complete"])


def test_reports_tell_of_what_policies_need_only(made, snapshot, reeve):
    only("t1")(snapshot)
    edited(snapshot, errors=failed(Thing=("size",)))
    for policy, says in {"large": True, "open": False}.items():
        for form in ("terminal", "html", "json"):
            run = reeve("evaluate", snapshot, "--repo", made / "repo", "--policy", f"/ce/{policy}", "--format", form)
            assert ("t:Call" in run.out) is says


# Streams --------------------------------------------------------------------------------------------------------------


def shell(command, **environment):
    given = {**os.environ, "REEVE": f"{sys.executable} -m reeve", **environment}
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=given)


STREAMS = [
    ">&-",
    "2>&-",
    ">&- 2>&-",
    "<&- >&- 2>&-",
    ">/dev/full",
    "2>/dev/full",
    ">/dev/full 2>&1",
    "| head -1",
    "2>&1 | true",
    "--debug >/dev/full",
]


@pytest.mark.parametrize("streams", STREAMS)
@pytest.mark.parametrize("command", ["$REEVE evaluate {0}/snapshot --repo {0}/repo --format json", "$REEVE evaluate /nowhere"])
def test_streams_change_no_code(command, streams, made, tmp_path):
    expected = 1 if "json" in command else 2
    done = shell(f"{command.format(made)} {streams}; echo ${{PIPESTATUS[0]}} >{tmp_path}/code")
    assert (tmp_path / "code").read_text().strip() == str(expected), done.stderr
    if "--debug" not in streams:
        assert "Traceback" not in done.stderr + done.stdout and "Exception" not in done.stderr
    if streams == ">/dev/full" and expected == 1:
        assert "standard output: no space left on device" in done.stderr


def test_a_file_is_not_taken_for_a_closed_stream(made, tmp_path):
    """With standard output closed, the next file opened has its number: nothing may be printed into that."""
    done = shell(f"$REEVE evaluate {made}/snapshot --repo {made}/repo --out {tmp_path}/o --format terminal,json >&- 2>&-")
    assert done.returncode == 1
    assert json.loads((tmp_path / "o" / "report.json").read_text())["findings"]


def test_output_in_ascii(made, snapshot):
    environment = {"PYTHONIOENCODING": "ascii"}
    only("t2")(snapshot)
    rewrite(snapshot, "SELECT * REPLACE ('Zoë 漢 😀' AS name) FROM {t}")
    plain = shell(f"$REEVE evaluate {snapshot} --repo {made}/repo --policy /ce/open", **environment)
    assert plain.returncode == 1 and plain.stdout.isascii() and "Zo\\xeb" in plain.stdout and "####" in plain.stdout
    assert plain.stderr == ""
    listed = shell(f"$REEVE policy show open --repo {made}/repo --format json", **environment)
    assert json.loads(listed.stdout)["id"] == "/ce/open"


def test_debug_shows_the_traceback_and_the_same_code(reeve):
    done = shell("$REEVE evaluate /nowhere --debug")
    assert done.returncode == 2 and "Traceback" in done.stderr and done.stderr.splitlines()[-1].startswith("reeve: no snapshot")


def test_passwords_in_addresses_are_not_shown(account, reeve, tmp_path):
    """With --debug all is shown that there is: the traceback, and the line."""
    account.add("someone", True)
    address = "http://user:hunter2@127.0.0.1:9"
    scan = f"$REEVE scan --policy '{FIRST[1]}' --debug"
    once = {"AWS_MAX_ATTEMPTS": "1", "NO_PROXY": ""}
    elsewhere = {"AWS_ENDPOINT_URL": "https://127.0.0.1:9", "HTTPS_PROXY": address}
    for environment in ({"AWS_ENDPOINT_URL": address}, {"HTTP_PROXY": address}, elsewhere):
        done = shell(f"{scan} --out {tmp_path}/out", **once, **environment)
        assert done.returncode == 3 and "hunter2" not in done.stderr + done.stdout, done.stderr
    done = shell(f"{scan} --out s3://audit/out", AWS_ENDPOINT_URL_S3=address, **once)
    assert done.returncode == 2 and "hunter2" not in done.stderr + done.stdout, done.stderr
    for master in ("spark://me:hunter2@nowhere", "me:hunter2@nowhere", "sc://nowhere/;token=hunter2@x"):
        run = reeve("scan", "--engine", "spark", "--master", master)
        assert run.code == 2 and "hunter2" not in run.err and "--master takes no user" in run.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
