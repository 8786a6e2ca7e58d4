"""Killed or interrupted at every moment at which something is written: the old result or the new one, and nothing left over."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import FIRST
from reeve.evaluate.outcomes import Outcomes
from reeve.inventory.directory import sha256, writing
from reeve.inventory.manifest import SnapshotError, read_manifest
from reeve.inventory.temporary import kept, temporary

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
# Runs a command in forks of one process, each of which gets a signal at a later one of the moments at which Python opens, renames
# or removes something below its directory; ends with the first that gets none.
SCRIPT = """
import os, shutil, signal, sys
from reeve.cli import main
import reeve.cli.scan, reeve.evaluate.engines.duckdb, reeve.evaluate.outcomes, reeve.report.formats.html, reeve.report.formats.json
old, number, step, arguments = sys.argv[1], getattr(signal, sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
moment, ended = 1 - step, False
while not ended:
    moment += step
    out = f"{old}-{number}-{moment}"
    shutil.copytree(old, out)
    child = os.fork()
    if child == 0:
        seen = 0
        def hook(event, given):
            global seen
            if event in ("open", "os.rename", "os.remove", "os.rmdir") and any(str(one).startswith(out + "/") for one in given):
                seen += 1
                if seen == moment:
                    os.kill(os.getpid(), number)
        sys.addaudithook(hook)
        os.dup2(os.open(out + ".err", os.O_WRONLY | os.O_CREAT), 2)
        sys.argv = ["reeve", *arguments, "--out", out]
        try:
            main()
        except SystemExit as ended:
            os._exit(ended.code)
        os._exit(99)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    print(moment, code)
    ended = code in (0, 1, 3)
"""


def results(out):
    found = {path.relative_to(out).as_posix(): path.stat().st_ino for path in out.rglob("*") if path.is_file()}
    return {name: inode for name, inode in found.items() if name.startswith("report.") or name.endswith(".json")}


def belong_together(out):
    """Return the number of users of the snapshot, after a look whether all that is said beside it is said of it."""
    manifest = read_manifest(out / "snapshot")
    for table in (table for tables in manifest.tables.values() for table in tables):
        assert sha256(out / "snapshot" / table.file) == table.sha256
    if (out / "report.json").exists():
        said = json.loads((out / "report.json").read_text())["snapshot"]
        assert said["parts"][0]["startedAt"] == manifest.moment.isoformat().replace("+00:00", "Z")
    if (out / "report.html").exists():
        assert f"{manifest.moment:%Y-%m-%d %H:%M:%S} UTC" in (out / "report.html").read_text()
    if (out / "outcomes" / "outcomes.json").exists():
        assert Outcomes.read(out / "outcomes").manifest.snapshot_sha256 == sha256(out / "snapshot" / "manifest.json")
    return manifest.rows("aws.iam.User")


COMMAND = ("scan", *FIRST, "--format", "json,html,parquet")


@pytest.fixture
def old(account, reeve, tmp_path, monkeypatch):
    """What an earlier scan wrote, of an account that has one more user meanwhile."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    account.add("someone", True)
    assert reeve(*COMMAND, "--out", tmp_path / "old").code == 0
    account.add("another", True)
    account.freeze_report()
    return tmp_path / "old"


def moments(old, name, step):
    steps = "1" if FUZZ else str(step)
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(old), name, steps, *COMMAND], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pairs = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    return [(Path(f"{old}-{getattr(signal, name):d}-{moment}"), code) for moment, code in pairs]


def test_killed_at_every_moment(old, reeve):
    *killed, (last, code) = moments(old, "SIGKILL", 3)
    assert code == 0 and belong_together(last) == 2 and len(killed) > 8
    assert all(code == -signal.SIGKILL for _, code in killed)
    found = [belong_together(out) for out, _ in killed]
    assert found == sorted(found) and {*found} == {1, 2}
    print(f"{len(killed)} moments")
    for out, _ in killed[::4]:
        assert reeve(*COMMAND, "--out", out).code == 0
        assert belong_together(out) == 2
        names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
        tables = {table.file for of in read_manifest(out / "snapshot").tables.values() for table in of}
        outcomes = Outcomes.read(out / "outcomes").manifest.types["aws.iam.User"].files
        whole = {"report.json", "report.html", "snapshot/manifest.json", "outcomes/outcomes.json"}
        assert names == whole | {f"snapshot/{name}" for name in tables} | {f"outcomes/{name}" for name in outcomes}
        assert len([*(out / "outcomes").iterdir()]) == 2, "the manifest and one run"
    assert not os.listdir(os.environ["TMPDIR"])


@pytest.mark.parametrize(("name", "code", "step"), [("SIGINT", 130, 4), ("SIGTERM", 143, 8)])
def test_interrupted_it_says_what_was_written(old, name, code, step):
    *interrupted, _ = moments(old, name, step)
    assert [found for _, found in interrupted] == [code] * len(interrupted)
    said = set()
    for out, _ in interrupted:
        belong_together(out)
        err = Path(f"{out}.err").read_text().strip()
        assert err.count("\n") == 0 and err.startswith("reeve: interrupted; "), err
        new = [name for name in results(out) if results(out)[name] in new_inodes(out, old)]
        assert ("nothing was written" in err) == (not new), (err, new)
        assert all(name in err for name in new)
        said.add(bool(new))
        left = [path for path in out.rglob("*") if path.name.startswith(".") or path.name.endswith(".part")]
        assert not left
    assert said == {True, False}
    assert not os.listdir(os.environ["TMPDIR"])


def new_inodes(out, old):
    """Return the inodes of results of which the content is not the old one."""
    before = {name: (old / name).read_bytes() for name in results(old)}
    return {inode for name, inode in results(out).items() if before.get(name) != (out / name).read_bytes()}


def test_a_lock_that_its_holder_has_removed_meanwhile(tmp_path):
    with writing(tmp_path), pytest.raises(SnapshotError, match="another reeve is writing"), writing(tmp_path):
        pass
    with writing(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert not [*tmp_path.iterdir()]
    os.mkfifo(tmp_path / ".lock")
    with writing(tmp_path):
        pass
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SnapshotError, match="can't write to"), writing(tmp_path):
        pass


def test_temporary_directories(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    abandoned, foreign = tmp_path / f"reeve-{'0' * 16}", tmp_path / "reeve-results"
    for path in (abandoned, foreign):
        path.mkdir()
        (path / "file").touch()
    (tmp_path / f"reeve-{'1' * 16}").symlink_to(foreign)
    with temporary() as one, temporary() as two:
        assert one.is_dir() and two.is_dir() and one != two
        assert oct(one.stat().st_mode & 0o777) == "0o700"
        assert not abandoned.exists() and (foreign / "file").exists()
        (two / "x").touch()
        moved = kept(two)
    assert not one.exists() and (moved / "x").exists()
    shutil.rmtree(moved)


def test_the_umask_says_who_may_read(account, reeve, tmp_path):
    account.add("someone", True)
    for mask, mode in ((0o077, 0o600), (0o027, 0o640), (0o022, 0o644)):
        before = os.umask(mask)
        try:
            out = tmp_path / f"{mask:o}"
            assert reeve(*COMMAND, "--out", out).code == 0
        finally:
            os.umask(before)
        files = [path for path in out.rglob("*") if path.is_file()]
        assert len(files) > 5 and {path.stat().st_mode & 0o777 for path in files} == {mode}
        assert {path.stat().st_mode & 0o777 for path in (out, *out.rglob("*")) if path.is_dir()} == {0o777 & ~mask}
