"""A provider is a folder: one that only tests have, from its declarations to findings, without a module of ours knowing it."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from account import Failure
from conftest import CATALOG, FIRST, ROOT
from reeve import collect as collecting
from reeve.collect.api import Api
from reeve.collect.provider import Account, Provider, UnknownProviderError, provider, provider_ids

PROVIDERS = Path(__file__).parent / "providers"
REPOSITORY = PROVIDERS / "repository"
TYPE, POLICY = "types/plain.Server/type.yaml", "ce/servers-are-encrypted"
SERVERS = [{"id": "s1", "name": "web", "rack": "a"}, {"id": "s2", "name": "db", "rack": "b"}]


class Inventory:
    """What the inventory holds: `clear` are the servers whose disks are not encrypted, `denied` paths that are refused."""

    def __init__(self):
        self.account, self.servers, self.clear, self.denied = "rack-7", SERVERS, {"s1"}, set()
        self.asked = Counter()

    def answer(self, address):
        """Return a status, and the JSON beside it."""
        parts = urlsplit(address)
        server = parse_qs(parts.query).get("server", [""])[0]
        self.asked[parts.path] += 1
        if {parts.path, f"{parts.path}/{server}"} & self.denied:
            return 403, {}
        found = {
            "/inventory/about": {"account": self.account},
            "/inventory/list": {"servers": self.servers},
            "/inventory/disks": {"encrypted": server not in self.clear},
        }
        return (200, found[parts.path]) if parts.path in found else (404, {})


@pytest.fixture
def inventory(monkeypatch):
    held = Inventory()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = held.answer(self.path)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(BrokenPipeError):
                self.wfile.write(content)

        def log_message(self, *given):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PLAIN_INVENTORY_URL", f"http://127.0.0.1:{server.server_port}")
    yield held
    server.shutdown()
    server.server_close()


@pytest.fixture
def plain(monkeypatch):
    """Put the provider beside those that are there."""
    monkeypatch.setattr(collecting, "__path__", [*collecting.__path__, str(PROVIDERS)])


@pytest.fixture
def copy(tmp_path):
    """Return the repository with some texts of a file replaced."""

    def replaced(file, *pairs):
        root = tmp_path / "repository"
        if not root.exists():
            shutil.copytree(REPOSITORY, root)
        text = (root / file).read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (root / file).write_text(text)
        return root

    return replaced


def test_declarations_and_test_data_are_right(plain, reeve):
    assert reeve("validate", "--strict", "--repo", REPOSITORY).code == 0
    assert "3 passed, 0 failed" in reeve("test", "--repo", REPOSITORY).out


def test_a_finding_has_its_place_its_evidence_and_its_remedy(plain, inventory, reeve):
    run = reeve("scan", "--repo", REPOSITORY, "--format", "json")
    assert run.code == 1
    found = run.finding("web")
    place = {
        "provider": "plain",
        "account": "rack-7",
        "region": "global",
        "service": "inventory",
        "arn": "plain:rack-7:server/s1",
        "console": "https://inventory.example.com/servers/s1",
    }
    assert {name: found[name] for name in place} == place
    assert (found["status"], found["source"], found["evidence"]["text"]) == (
        "INCOMPLIANT",
        "inventory:disks",
        "encrypted: false",
    )
    commands = [{"run": "inventoryctl encrypt --server s1", "undo": "inventoryctl decrypt --server s1"}]
    assert found["remedy"]["commands"] == commands
    assert run.names("COMPLIANT") == ["db"]
    (part,) = run.report["snapshot"]["parts"]
    assert part["calls"] == {"inventory:about": 1, "inventory:list": 1, "inventory:disks": 2} and part["provider"] == "plain"
    assert sum(inventory.asked.values()) == 4


def test_people_read_its_name(plain, inventory, reeve, tmp_path):
    run = reeve("scan", "--repo", REPOSITORY, "--format", "terminal,html", "--out", tmp_path / "out")
    assert "Plain inventory account rack-7" in run.out
    assert "Plain inventory account rack-7" in (tmp_path / "out/report.html").read_text()


def test_what_is_denied_of_an_object_is_undetermined(plain, inventory, reeve):
    inventory.denied.add("/inventory/disks/s2")
    run = reeve("scan", "--repo", REPOSITORY, "--format", "json")
    assert run.names("INCOMPLIANT") == ["web"] and not run.names("COMPLIANT")
    found = run.finding("db")
    assert (found["status"], found["message"]) == ("UNDETERMINED", "The disks could not be read.")
    assert found["notCollected"]["encrypted"].startswith(
        "inventory:disks failed with HTTP403: allow the action inventory:disks"
    )
    (error,) = run.report["snapshot"]["errors"]
    assert (error["call"], error["affects"], error["subjects"]) == ("inventory:disks", {"plain.Server": ["encrypted"]}, ["db"])


def test_a_list_that_is_denied_is_no_empty_list(plain, inventory, reeve):
    inventory.denied.add("/inventory/list")
    run = reeve("scan", "--repo", REPOSITORY, "--format", "json")
    assert run.code == 3 and not run.report["findings"] and not run.report["snapshot"]["complete"]
    assert [error["affects"] for error in run.report["snapshot"]["errors"]] == [{"plain.Server": []}]


def test_an_account_that_can_not_be_read_at_all(plain, inventory, reeve):
    inventory.denied.add("/inventory/about")
    run = reeve("scan", "--repo", REPOSITORY)
    assert run.code == 3 and run.err.count("\n") == 1 and run.err.startswith("reeve: inventory:about: HTTP403: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("permissions",), "a plain inventory has no permissions: whoever may read it may read all of it"),
        (
            ("scan", "--profile", "x"),
            "Plain inventory knows no --profile; leave it out, or choose other policies with --policy",
        ),
        (("scan", "--region", "x"), "Plain inventory knows no --region; leave it out, or choose other policies with --policy"),
        (("scan",), "no inventory is known: set PLAIN_INVENTORY_URL"),
    ],
    ids=str,
)
def test_what_it_has_nothing_like_is_refused_in_a_line(plain, reeve, arguments, message):
    run = reeve(*arguments, "--repo", REPOSITORY)
    assert (run.code, run.out, run.err) == (2, "", f"reeve: {message}\n")


def test_the_simulated_account_is_of_another_provider(plain):
    """In a process of its own: the simulation sets itself up for one account, for as long as its process lasts."""
    script = (
        "import sys, reeve.collect; reeve.collect.__path__.append(sys.argv.pop())\n"
        "from reeve.cli import main; sys.argv = ['reeve', *sys.argv[1:]]; main()"
    )
    command = [sys.executable, "-c", script, "scan", "--demo", "--repo", REPOSITORY, PROVIDERS]
    done = subprocess.run(command, capture_output=True, text=True)
    said = "there is no simulated account of Plain inventory; choose other policies with --policy"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"reeve: {said}\n")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            TYPE,
            "inventory:list",
            "inventory:lists",
            f"{TYPE}:12:14: an inventory has no operation 'inventory:lists'; did you mean",
        ),
        (
            f"{POLICY}/remedies.yaml",
            "run: inventoryctl",
            "run: aws",
            f"{POLICY}/remedies.yaml:4:12: an inventory is changed by inventoryctl, not by 'aws'",
        ),
    ],
)
def test_its_own_checks_find_what_is_wrong(plain, inventory, reeve, copy, file, old, new, message):
    root = copy(file, (old, new))
    for run in (reeve("validate", "--repo", root), reeve("scan", "--repo", root)):
        assert run.code == 2 and message in run.out + run.err


def test_a_type_of_no_provider_is_an_error_that_names_those_there_are(plain, reeve, copy):
    root = copy(f"{POLICY}/prod.logic.yaml", ("plain.Server", "plan.Server"))
    (root / "types/plain.Server").rename(root / "types/plan.Server")
    expected = "the id of a type begins with its provider's: there is no provider 'plan'; did you mean plain?"
    run = reeve("validate", "--repo", root)
    assert run.code == 2 and f"types/plan.Server/type.yaml:10:3: {expected}" in run.out


def test_a_provider_that_is_not_there(reeve):
    expected = "there is no provider 'plain'; expected one of aws"
    for run in (reeve("validate", "--repo", REPOSITORY), reeve("permissions", "--repo", REPOSITORY)):
        assert run.code == 2 and expected in run.out + run.err
    run = reeve("scan", "--repo", REPOSITORY)
    assert run.code == 2 and expected in run.err


def test_nothing_is_listed_for_objects_of_another_provider(plain, reeve, copy):
    root = copy(TYPE, ("items: servers", "items: servers, of: aws.Account"))
    shutil.copytree(CATALOG / "types/aws.Account", root / "types/aws.Account")
    run = reeve("validate", "--repo", root)
    assert run.code == 2 and f"{TYPE}:12:50: aws.Account is of another provider" in run.out


def test_a_snapshot_is_judged_where_its_provider_is_not(plain, inventory, reeve, tmp_path, monkeypatch):
    assert reeve("collect", "--repo", REPOSITORY, "--out", tmp_path / "s").code == 0
    monkeypatch.setattr(collecting, "__path__", collecting.__path__[:1])
    run = reeve("evaluate", tmp_path / "s", "--repo", REPOSITORY, "--format", "json")
    assert run.names("INCOMPLIANT") == ["web"] and run.finding("web").get("console") is None
    assert "plain account rack-7" in reeve("evaluate", tmp_path / "s", "--repo", REPOSITORY).out


def both(root):
    """Make a repository with types and policies of two providers; return it."""
    shutil.copytree(CATALOG, root)
    shutil.copytree(REPOSITORY, root, dirs_exist_ok=True)
    return root


def test_accounts_of_two_providers_are_one_estate(plain, inventory, account, reeve, tmp_path):
    account.add("someone", True, True)
    root, chosen = both(tmp_path / "both"), (*FIRST, "--policy", "servers-are-encrypted")
    run = reeve("scan", "--repo", root, *chosen, "--format", "json")
    parts = run.report["snapshot"]["parts"]
    assert [part["provider"] for part in parts] == ["aws", "plain"]
    assert {
        finding["provider"]: finding["name"] for finding in run.report["findings"] if finding["status"] == "INCOMPLIANT"
    } == {
        "aws": "someone",
        "plain": "web",
    }
    inventory.account = parts[0]["account"]
    run = reeve("scan", "--repo", root, *chosen)
    assert run.code == 2 and "accounts of aws and plain are of one number" in run.err


def test_an_account_without_a_number_is_not_put_beside_another_providers(plain, inventory, account, reeve, tmp_path):
    """Such a snapshot would be refused by whoever reads it."""
    account.add("someone", True, True)
    account.failures["GetCallerIdentity"] = Failure("AccessDenied", 403, 99)
    root, chosen = both(tmp_path / "both"), (*FIRST, "--policy", "servers-are-encrypted")
    run = reeve("scan", "--repo", root, *chosen, "--out", tmp_path / "out")
    assert run.code == 2 and "accounts of aws and plain have a number that could not be read; collect them into" in run.err
    assert not (tmp_path / "out" / "snapshot" / "manifest.json").exists()
    assert reeve("scan", "--repo", root, *FIRST).code == 1


def test_only_the_providers_that_policies_need_are_asked(plain, inventory, account, reeve, tmp_path):
    root = both(tmp_path / "both")
    assert reeve("scan", "--repo", root, *FIRST, "--format", "json").code == 0
    assert account.counts and not inventory.asked
    account.counts.clear()
    assert reeve("scan", "--repo", root, "--policy", "servers-are-encrypted", "--format", "json").code == 1
    assert inventory.asked and not account.counts


@pytest.mark.parametrize(
    "name", ["", ".", "..", "aws.provider", "aws/provider", "AWS", "failures", "collection", "os", "__pycache__"]
)
def test_nothing_else_is_taken_for_a_provider(name):
    assert provider_ids() == ("aws",)
    with pytest.raises(UnknownProviderError, match="there is no provider"):
        provider(name)


def test_the_documentation_names_all_that_is_to_be_written():
    text = (ROOT / "docs/providers.md").read_text()
    for protocol in (Provider, Account, Api):
        for name in vars(protocol):
            assert name.startswith("_") or re.search(rf"`{name}[`(]", text), f"{protocol.__name__}.{name}"
