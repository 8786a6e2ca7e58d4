"""The site after a kill is the old one or the new one, and the next build is as if there had been none."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

import public_form

REPEATED = 40 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 2
"""How many kills of each kind; each is at a moment of its own."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return public_form.build(tmp_path_factory.mktemp("writing") / "repo", sections=340, policies=10)


def build(repository, out, *options):
    command = [sys.executable, "-m", "reeve", "site", "build", "--repo", repository, "--out", out, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def built(repository, out, *options):
    process = build(repository, out, *options)
    said, wrong = process.communicate()
    assert process.returncode == 0, wrong
    return said


def tree(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


NEW = ("--source-url", "https://example.com/blob")
"""An option that changes pages of every policy; with an address every page is another."""


@pytest.fixture(scope="module")
def clean(repository, tmp_path_factory):
    """The old site, the new one, and how long its build takes."""
    base = tmp_path_factory.mktemp("clean")
    built(repository, base / "old")
    began = time.monotonic()
    built(repository, base / "new", *NEW)
    return base / "old", base / "new", time.monotonic() - began


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
@pytest.mark.parametrize("first", [True, False], ids=["first build", "later build"])
def test_a_kill_leaves_the_old_or_the_new(repository, clean, tmp_path, signal_, first):
    (old, new, length), draw = clean, random.Random(f"{signal_}{first}")
    for number in range(REPEATED):
        out = tmp_path / str(number) / "out"
        out.parent.mkdir()
        theirs = {} if first else {"CNAME": b"theirs"}
        if not first:
            shutil.copytree(old, out)
            (out / "CNAME").write_text("theirs")
        found_before = tree(out) if out.exists() else {}
        process = build(repository, out, *NEW)
        time.sleep(length * draw.uniform(0.5, 1.0))
        process.send_signal(signal_)
        _, wrong = process.communicate()
        if process.returncode == 130:
            whole = f"{out} is as it was, or is replaced as a whole"
            assert wrong.strip() in ("reeve: interrupted; nothing was written", f"reeve: interrupted; {whole}")
            assert "nothing" not in wrong or found_before == (tree(out) if out.exists() else {})
        found = tree(out) if out.exists() else {}
        assert found in ({} if first else tree(old) | theirs, tree(new) | theirs)
        built(repository, out, *NEW)
        assert tree(out) == tree(new) | theirs
        assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_page_that_was_cut_is_made_again(repository, tmp_path):
    built(repository, tmp_path / "out")
    whole = tree(tmp_path / "out")
    page = tmp_path / "out" / "frameworks" / "index.html"
    page.write_bytes(page.read_bytes()[:100])
    (tmp_path / "out" / "404.html").unlink()
    assert ": 1 written, 0 removed" in built(repository, tmp_path / "out")
    assert tree(tmp_path / "out") == whole


def test_few_changes_that_were_begun_are_made_again(repository, tmp_path, monkeypatch):
    """A kill among the moves of a few files: the manifest no longer speaks for those pages."""
    from reeve.cli.working import open_repository
    from reeve.site import build as building
    from reeve.site.catalogue import Catalogue

    copy, out = tmp_path / "repo", tmp_path / "out"
    shutil.copytree(repository, copy)
    built(copy, out)
    (copy / "ce" / "ca" / "service-1" / "policy-001" / "todo.md").write_text("# Todo\n")
    built(copy, tmp_path / "clean")
    for after in (1, 4):
        built(repository, out)
        moves = 0

        def stopping(path, target, after=after):
            nonlocal moves
            moves += 1
            if moves > after:
                raise KeyboardInterrupt
            return path.rename(target)

        with monkeypatch.context() as patch:
            patch.setattr(building.Path, "replace", stopping)
            with contextlib.suppress(KeyboardInterrupt):
                building.build(Catalogue(open_repository(copy)), out, building.Options(), lambda *what: None)
        built(copy, out)
        assert tree(out) == tree(tmp_path / "clean")


def test_two_builds_at_once_do_not_mix(repository, clean, tmp_path):
    several = [build(repository, tmp_path / "out", *(NEW if number % 2 else ())) for number in range(4)]
    said = [(process.communicate()[1], process.returncode) for process in several]
    assert {code for _, code in said} <= {0, 2} and 0 in {code for _, code in said}
    assert all("another reeve is building" in wrong for wrong, code in said if code == 2)
    assert tree(tmp_path / "out") in (tree(clean[0]), tree(clean[1]))


def test_what_another_build_has_just_removed_is_busy(tmp_path, monkeypatch):
    from reeve.site.swap import BusyError, beside

    (tmp_path / ".out.reeve").mkdir()
    opening = os.open

    def meanwhile(path, *arguments, **options):
        if os.path.basename(path) == ".out.reeve":
            os.rmdir(path)
        return opening(path, *arguments, **options)

    monkeypatch.setattr("os.open", meanwhile)
    with pytest.raises(BusyError), beside(tmp_path / "out"):
        pass


@pytest.mark.parametrize(("seed", "locale"), [("1", "C"), ("77", "de_DE.ISO-8859-1")])
def test_the_same_bytes_whatever_the_hash_seed_and_the_locale(repository, clean, tmp_path, monkeypatch, seed, locale):
    monkeypatch.setenv("PYTHONHASHSEED", seed)
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.setenv("PYTHONUTF8", "0")
    built(repository, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(clean[0])


def test_a_site_in_the_root_or_through_a_link(repository, tmp_path, reeve):
    assert "holds other files" in reeve("site", "build", "--repo", repository, "--out", "/").err
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    built(repository, out)
    (out / "frameworks").rename(elsewhere)
    (out / "frameworks").symlink_to(elsewhere)
    (elsewhere / "index.html").write_text("theirs")
    run = reeve("site", "build", "--repo", repository, "--out", out)
    assert run.code == 2 and "a link that leaves its directory" in run.err, run.err
    assert (elsewhere / "index.html").read_text() == "theirs"


def test_interrupted_before_anything_is_written(repository, tmp_path, monkeypatch, reeve):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("reeve.cli.site.open_repository", interrupted)
    monkeypatch.setattr("os._exit", lambda code: None)
    assert reeve("site", "build", "--repo", repository, "--out", tmp_path / "out").err.endswith(
        "interrupted; nothing was written\n"
    )
