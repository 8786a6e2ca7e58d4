"""The public repository's form loads as it is, at its size; and what is wrong in it is said with its place."""

import json
import os
import re
import socket
import subprocess

import pytest

import public_form
from reeve.repository.repository import Repository
from reeve.site.addresses import path_of


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return public_form.build(tmp_path_factory.mktemp("public") / "repo")


@pytest.fixture
def small(tmp_path):
    return public_form.build(tmp_path / "repo", sections=340, policies=20)


def test_validate_at_its_size(reeve, large):
    repository = Repository.open(large)
    assert len(repository.sections) > 6300 and len(repository.policies) == 290 and len(repository.rules) == 150
    run = reeve("validate", "--repo", large, "--format", "json")
    problems = {problem["rule"] for problem in json.loads(run.out)["problems"] if problem["severity"] == "error"}
    # The only errors are in what is in progress; warnings are about texts that the drawn policies lack.
    assert all("wip.logic.yaml" in one["path"] for one in json.loads(run.out)["problems"] if one["severity"] == "error"), (
        problems
    )


def test_test_and_site_at_its_size(reeve, large, tmp_path):
    run = reeve("test", "--repo", large)
    assert run.code == 0 and run.out == "926 passed, 0 failed\n"
    run = reeve("site", "build", "--repo", large, "--out", tmp_path / "out")
    assert run.code == 0 and int(run.out.split()[0]) > 6800, run.err


def page(site, address):
    return (site / path_of(address)).read_text()


def test_the_site_counts_what_section_8_says(reeve, small, tmp_path):
    site = tmp_path / "out"
    assert reeve("site", "build", "--repo", small, "--out", site).code == 0
    listed = {
        "categories": 10,
        "type": 10,
        "production": 16,
        "work-in-progress": 2,
        "todo": 2,
        "internal-notes": 2,
        "not-automated": 2,
        "without-description": 3,
        "without-remediation": 3,
        "without-test-data": 3,  # an example, and the two in progress
        "without-test-results": 0,
    }
    for flag, count in listed.items():
        assert page(site, f"/policies/{flag}/").count('<a href="../../ce/') == count, flag
    text = page(site, "/ce/ca/service-5/policy-005/")
    for words in ("Policy with categories", "Policy with type", "Work in progress", "Has todo", "Logic without test data"):
        assert f">{words}</a>" in text
    assert "can't be loaded yet" in text and ">Production policy</a>" not in text
    assert "<code>network</code>" in text and "Cloud Custodian: <a" in text and "AWS Trusted Advisor: <a" in text
    folder = page(site, "/ce/ca/")
    assert re.search(
        r'Service 5</a></td><td class="num">2</td><td>.*title="Policy with categories: 2\nPolicy with type: 2', folder
    )
    assert 'title="Work in progress: 2\nHas todo: 2\nLogic without test data: 2' in folder
    assert "<h1>Policies</h1>" in page(site, "/ce/")


def test_a_rules_sections_are_those_that_name_its_own(reeve, small, tmp_path):
    sections = json.loads((small / "internal-rule-sections.json").read_text())
    repository = Repository.open(small)
    rule, own = next(iter(sections.items()))
    expected = {one.id for one in repository.sections.values() if set(one.internal_sections) & set(own)}
    assert reeve("site", "build", "--repo", small, "--out", tmp_path / "out").code == 0
    text = page(tmp_path / "out", f"/internal/rules/{rule}/")
    assert expected and f"Framework sections ({len(expected)})" in text


def test_test_objects_without_an_expected_result_are_a_flag(reeve, small, tmp_path):
    folder = small / "ce" / "ca" / "service-1" / "policy-001"
    (folder / "test-data.json").write_text('[{"Id": "x", "open": true}]')
    run = reeve("validate", "--repo", small, "--format", "json")
    assert "missing-expected-result" in {one["rule"] for one in json.loads(run.out)["problems"]}
    assert reeve("site", "build", "--repo", small, "--out", tmp_path / "out").code == 0
    assert "policy-001" in page(tmp_path / "out", "/policies/without-test-results/")


@pytest.mark.parametrize("content", ["[]", "{", '{"a": 1}', '{"a": [1]}', "\ud800", "[" * 5000, '{"a": ' + "[" * 5000])
def test_a_wrong_file_of_rules_is_one_error(reeve, small, content):
    (small / "internal-rule-sections.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    for command in (["validate"], ["framework", "list"], ["site", "build", "--out", small / "out"]):
        run = reeve(*command, "--repo", small)
        assert run.code == 2 and "/internal-rule-sections.json:1:1" in run.out + run.err


def test_dead_ends(reeve, small):
    policy = small / "ce" / "ca" / "service-1" / "policy-001" / "policy.yaml"
    known = json.loads(policy.read_text())
    known["frameworkMappings"] += ["/frameworks/none"]
    known["frameworkIgnoreMappings"] = known["frameworkMappings"][:1]
    known["similarPolicies"]["internal"] += ["nothing"]
    policy.write_text(json.dumps(known, indent=1))
    section = small / "frameworks" / "framework-00" / "section.yaml"
    section.write_text('name: F\nsimilar: {sections: ["/frameworks/none"], internal: [own/part-1, own/unheard-of]}\n')
    found = json.loads(reeve("validate", "--repo", small, "--format", "json").out)["problems"]
    said = {(one["severity"], one["rule"], os.path.basename(one["path"])) for one in found if "wip" not in one["path"]}
    assert {one for one in said if one[0] == "error"} == {
        ("error", "unknown-section", "policy.yaml"),
        ("error", "unknown-rule", "policy.yaml"),
        ("error", "mapped-and-ignored", "policy.yaml"),
    }
    assert ("warning", "unknown-section", "section.yaml") in said
    assert reeve("test", "--repo", small).code == 0
    assert reeve("site", "build", "--repo", small, "--out", small / "out").code == 0


@pytest.mark.parametrize(
    "similar",
    [
        "{cloudConformity: [{name: a, url: [b]}]}",
        "{cloudConformity: [{name: a, url: {b: c}}]}",
        "{cloudConformity: {name: a, url: b}}",
        "{prowler: [{name: [a], url: b}]}",
        "{awsTrustedAdvisor: [{name: a, url: b}]}",
        "{awsConfig: [a]}",
        "{awsConfig: [{name: a, colour: b}]}",
    ],
)
def test_vendors_policies_of_a_wrong_form(reeve, small, similar):
    policy = small / "ce" / "ca" / "service-0" / "policy-000" / "policy.yaml"
    policy.write_text(f"names: {{full: A, contextual: A}}\ndescription: A.\nsimilarPolicies: {similar}\n")
    for command in (["validate"], ["policy", "list"], ["site", "build", "--out", small / "out"]):
        run = reeve(*command, "--repo", small)
        assert run.code == 2 and re.search(r"policy-000/policy\.yaml:3:\d+: ", run.out + run.err)


def deep_directories(root, depth):
    here = os.open(root, os.O_RDONLY)
    try:
        for _ in range(depth):
            os.mkdir("1", dir_fd=here)
            below = os.open("1", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
            with open(os.open("section.yaml", os.O_WRONLY | os.O_CREAT, dir_fd=here), "w") as file:
                file.write("name: Deep\n")
    finally:
        os.close(here)


@pytest.mark.parametrize("form", ["directories", "file"])
def test_frameworks_of_any_depth(reeve, tmp_path, form):
    repo = tmp_path / "repo"
    (repo / "frameworks" / "f").mkdir(parents=True)
    if form == "file":
        ids = ["/frameworks/f" + "/1" * depth for depth in range(1500)]
        (repo / "frameworks" / "f.yaml").write_text(json.dumps([{"id": one, "name": "Deep"} for one in ids]))
    else:
        (repo / "frameworks" / "f" / "section.yaml").write_text("name: F\n")
        deep_directories(repo / "frameworks" / "f", 1500)
    try:
        for command in (["validate"], ["framework", "show", "f"], ["site", "build", "--out", tmp_path / "out"]):
            run = reeve(*command, "--repo", repo)
            said = (run.out + run.err).splitlines()
            assert (
                run.code == 2 and sum("at most 32" in line or "deeper than 32" in line for line in said) == 1 and len(said) < 5
            )
    finally:
        subprocess.run(["rm", "-rf", repo], check=True)  # deeper than Python's own removal goes


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a device", "link out", "link in a circle", "directory"])
@pytest.mark.parametrize("name", ["policy.yaml", "prod.logic.yaml", "test-data.json", "description.md", "folder.yaml"])
def test_only_plain_files_are_read(reeve, tmp_path, kind, name):
    small = public_form.build(tmp_path / "repo", sections=34, policies=2)
    folder = small / "ce" / "ca" / "service-1" / ("policy-001" if name != "folder.yaml" else "")
    path = folder / name
    path.unlink(missing_ok=True)
    (tmp_path / "secret").write_text("names: {full: SECRET, contextual: SECRET}\n")
    held = make_odd(path, kind, tmp_path / "secret")
    for command in (["validate"], ["test"], ["policy", "list"]):
        run = reeve(*command, "--repo", small)
        assert run.code in (0, 2) and "SECRET" not in run.out + run.err
    run = reeve("site", "build", "--repo", small, "--out", tmp_path / "out")
    if kind != "directory":
        assert run.code == 2 and name in run.err and run.err.count(":1:1: ") <= 1, run
    if held:
        held.close()


def make_odd(path, kind, secret):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        held = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(path.parent)
        held.bind(path.name)
        os.chdir(here)
        return held
    elif kind == "directory":
        path.mkdir()
    else:
        targets = {"device": "/dev/zero", "link to a device": "/dev/zero", "link out": secret, "link in a circle": path}
        path.symlink_to(targets[kind])
    return None
