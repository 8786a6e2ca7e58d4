"""Names that others chose lead nowhere else, whatever they are; only plain files are read."""

import json
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import things
from conftest import FIRST
from reeve.files import inside, open_plain, read_plain
from reeve.masking import masked

names = st.lists(st.sampled_from(["..", ".", "", "a", "b.parquet", "\0", "\\", "C:", "~", "*", "ü", " ", "...", "-x"])).map(
    "/".join
)


@given(names | st.text(max_size=20))
def test_a_name_leads_below_its_root_or_nowhere(name):
    root = Path("/tmp/nowhere/root")
    with suppress(OSError):
        path = inside(root, name)
        assert os.path.normpath(path) == str(path) and path.is_relative_to(root) and path != root
        assert str(path) == f"{root}/{name}"


def test_links_that_lead_out(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "inner").mkdir(parents=True)
    outside.mkdir()
    (outside / "x").touch()
    (root / "link").symlink_to(outside)
    (root / "up").symlink_to("..")
    (root / "loop").symlink_to("loop")
    (root / "fine").symlink_to("inner")
    for name in ("link", "link/x", "up", "up/outside/x"):
        with pytest.raises(OSError, match="A link that leaves"):
            inside(root, name)
    assert inside(root, "fine/x") == root / "fine" / "x"
    (tmp_path / "other").symlink_to(root)
    assert inside(tmp_path / "other", "inner") == tmp_path / "other" / "inner"
    with pytest.raises(OSError, match="symbolic links"):
        read_plain(inside(root, "loop"))


def others(directory):
    """Make one of each kind that is no plain file, and yield them."""
    os.mkfifo(directory / "fifo")
    yield directory / "fifo"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(directory / "socket"))
        yield directory / "socket"
    yield directory
    yield Path("/dev/zero")


def test_what_is_no_plain_file_is_not_read(tmp_path):
    (tmp_path / "plain").write_bytes(b"content")
    assert read_plain(tmp_path / "plain") == b"content"
    before = len(os.listdir("/proc/self/fd"))
    for path in others(tmp_path):
        with pytest.raises(OSError, match=r"Not a plain file|No such device"):
            open_plain(path)
    for name in ("a\0b", "\ud800"):
        with pytest.raises(OSError, match="A name that no file can have"):
            read_plain(tmp_path / name)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return things.make(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("engine", ["interpreter", "duckdb"])
def test_a_pipe_in_a_file_s_place_is_said_at_once(engine, made, reeve, tmp_path):
    snapshot = Path(shutil.copytree(made / "snapshot", tmp_path / "snapshot"))
    options = ("--repo", made / "repo", "--engine", engine)
    for name in [path.name for path in snapshot.iterdir()]:
        (snapshot / name).rename(tmp_path / name)
        os.mkfifo(snapshot / name)
        run = reeve("evaluate", snapshot, *options)
        assert run.code == 2 and "not a plain file" in run.err and run.err.count("\n") == 1, run.err
        assert reeve("explain", "owner", "t1", "--snapshot", snapshot, "--repo", made / "repo").code == 2 or "Part" in name
        (tmp_path / name).replace(snapshot / name)
    assert reeve("evaluate", snapshot, *options).code == 1


def test_pipes_in_the_place_of_outcomes(made, reeve, tmp_path):
    options = ("--repo", made / "repo", "--format", "parquet")
    assert reeve("evaluate", made / "snapshot", *options, "--out", tmp_path / "a").code == 1
    for path in [path for path in (tmp_path / "a").rglob("*") if path.is_file()]:
        path.rename(tmp_path / "kept")
        os.mkfifo(path)
        run = reeve("evaluate", made / "snapshot", *options, "--out", tmp_path / "b", "--since", tmp_path / "a")
        assert run.code == 2 and "not a plain file" in run.err, run.err
        (tmp_path / "kept").replace(path)


def test_outcomes_of_a_snapshot_that_has_no_name(made, reeve, tmp_path):
    options = ("--repo", made / "repo", "--format", "parquet")
    assert reeve("evaluate", made / "snapshot", *options, "--out", tmp_path / "a").code == 1
    manifest = tmp_path / "a" / "outcomes" / "outcomes.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "snapshot": "a\0b"}))
    run = reeve("evaluate", made / "snapshot", *options, "--out", tmp_path / "b", "--since", tmp_path / "a")
    assert run.code == 2 and "a name that no file can have" in run.err, run.err


def test_paths_of_a_user_stay_in_the_repository(made, reeve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (made / "elsewhere").mkdir()
    for name in ("../elsewhere", "ce/../../elsewhere", "..", str(made / "elsewhere")):
        for command in ("test", "validate"):
            run = reeve(command, name, "--repo", made / "repo")
            assert run.code == 2 and "neither on disk nor in the repository" in run.err, run.err
    assert reeve("validate", "/", "--repo", made / "repo").out == reeve("validate", made / "repo", "--repo", made / "repo").out


def test_a_report_s_name_may_lead_nowhere(made, reeve, tmp_path):
    (tmp_path / "report.html").symlink_to("nowhere")
    run = reeve("evaluate", made / "snapshot", "--repo", made / "repo", "--out", tmp_path, "--format", "html")
    assert run.code == 1 and (tmp_path / "report.html").is_file() and not (tmp_path / "nowhere").exists(), run.err


@pytest.mark.parametrize("address", ["s3://", "gcs://bucket/x", "S3://bucket", "file:///tmp/x"])
def test_an_address_of_an_unknown_kind_is_no_directory(address, made, reeve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (
        ("evaluate", made / "snapshot", "--out", address),
        ("evaluate", address),
        ("explain", "open", "t1", "--snapshot", address),
        ("site", "build", "--out", address),
        ("site", "build", "--out", "site", "--results", address),
    ):
        run = reeve(*command, "--repo", made / "repo")
        assert run.code == 2 and "no address that is known" in run.err, run.err
    assert "not at s3://b/x" in reeve("site", "build", "--out", "s3://b/x", "--repo", made / "repo").err
    assert not list(tmp_path.iterdir())


ODD = "s?*[x]{a,b}'=1"
"""The name of a directory that is a pattern to every engine, and says that a column `s…` is 1."""


@pytest.mark.parametrize("name", ["s?", "s[abX]", "open=true", "~", ODD])
def test_no_character_of_a_directory_is_a_wild_card(name, made, reeve, tmp_path, monkeypatch):
    """`s?` is no other name for `sX`, and a directory called `open=true` makes no column."""
    monkeypatch.chdir(tmp_path)
    expected = reeve("evaluate", made / "snapshot", "--repo", made / "repo", "--format", "json").report["findings"]
    for other in ("sX", name):
        shutil.copytree(made / "snapshot", tmp_path / other)
    for engine in ("interpreter", "duckdb"):
        run = reeve("evaluate", name, "--repo", made / "repo", "--engine", engine, "--format", "json")
        assert run.code == 1 and run.report["findings"] == expected, run.err


def test_results_in_a_directory_of_such_a_name(account, reeve, tmp_path, monkeypatch):
    account.add("offender", True, True)
    (tmp_path / "t*").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t*"))
    out, formats = tmp_path / ODD, ("--format", "json,parquet")
    assert reeve("scan", *FIRST, "--out", out, *formats).code == 1
    run = reeve("evaluate", out, "--out", out / ODD, *formats, "--since", out)
    assert run.code == 1, run.err
    assert "offender" in (out / ODD / "report.json").read_text()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("mail me@example.com", "mail me@example.com"),
        ("http://me:secret@host:1/x", "http://***@host:1/x"),
        ("(http://me:s@ecret@host)", "(http://***@host)"),
        ("http://me:se/cret@host", "http://***@host"),
        ("https://host/x and http://me@host", "https://host/x and http://***@host"),
        ("http://me:it's secret's@host", "http://me:it's secret's@host"),
        ("'http://me:it's@host/x'", "'http://***@host/x'"),
        ("https://account.blob/x?sv=1&sig=a%3D&b=1", "https://account.blob/x?sv=1&sig=***&b=1"),
        ("sc://host/;token=secret;use_ssl=true", "sc://host/;token=***;use_ssl=true"),
    ],
)
def test_masked(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize("content", [b"[" * 100_000, b"9" * 5_000, b"\xff", b"[1]", b"", b'{"a": NaN'])
def test_odd_objects_to_explain(content, made, reeve, tmp_path):
    (tmp_path / "x.json").write_bytes(content)
    run = reeve("explain", "open", tmp_path / "x.json", "--repo", made / "repo")
    assert run.code == 2 and str(tmp_path / "x.json") in run.err and run.err.count("\n") == 1, run.err
