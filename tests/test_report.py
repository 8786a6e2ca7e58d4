"""The outputs: a schema that holds, a terminal of 80 columns or a pipe, a page that a browser shows."""

import json
import re
import shutil

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import things
from conftest import FIRST, ROOT
from reeve.findings.choosing import shares
from reeve.findings.results import SHOWN_ORDER
from reeve.model import Policy
from reeve.report.escaping import visible
from reeve.report.formats import json as json_report


@pytest.fixture
def company(account):
    for number in range(5):
        account.add(f"clean-{number}", True)
    account.add("offender", True, True)
    account.add("with a very long name that goes on and on and on until it ends: " + "x" * 60, True, True)
    account.freeze_report()
    return account


def test_json_holds_to_the_documented_schema(company, reeve):
    documented = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    assert documented == json.loads(json.dumps(json_report.json_schema())), "make docs writes it anew"
    report = reeve("scan", *FIRST, "--format", "json").report
    jsonschema.Draft202012Validator(documented).validate(report)
    assert report["schema"] == "reeve.report/2" and report["cutOff"] is None
    broken = {**report, "findings": [{**report["findings"][0], "status": "FINE"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(documented).validate(broken)


def test_the_summary_fits_80_columns_but_for_commands(company, reeve):
    lines = reeve("scan", *FIRST).out.splitlines()
    assert all(len(line) <= 80 for line in lines if "aws iam" not in line)
    assert sum("aws iam update-access-key" in line for line in lines) == 4  # of each offender both keys, which nobody used
    assert any(line.split()[:2] == ["INCOMPLIANT", "2"] for line in lines)


@pytest.mark.parametrize("how", [["--no-color"], []])
def test_no_colours_in_a_pipe(company, reeve, how):
    assert "\x1b" not in reeve("scan", *FIRST, *how).out


def test_quiet_with_files_prints_nothing(company, reeve, tmp_path):
    run = reeve("scan", *FIRST, "--quiet", "--out", tmp_path)
    assert (run.out, run.err) == ("", "")
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot", "outcomes", "report.json", "report.html"}


def test_several_formats_need_a_directory(account, reeve):
    run = reeve("scan", *FIRST, "--format", "json,html")
    assert run.code == 2
    assert "--out DIR" in run.err
    assert reeve("scan", *FIRST, "--format", "pdf").code == 2


def test_html_asks_nothing_of_any_host(company, reeve):
    page = reeve("scan", *FIRST, "--format", "html").out
    assert "default-src 'none'" in page
    links = re.sub(r'<a href="https://console\.aws\.amazon\.com/[^"]*" rel="noreferrer">', "", page)
    for text in ("http://", "https://", "//cdn", "@import", "url("):
        assert text not in links.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_html_in_a_browser(company, reeve, tmp_path):
    from playwright.sync_api import sync_playwright

    company.add("<img src=x onerror=document.title='hacked'>", True, True)
    company.freeze_report()
    assert reeve("scan", *FIRST, "--out", tmp_path, "--format", "html").code == 1
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        errors, requests = [], []
        page.on("pageerror", lambda error: errors.append(error))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((tmp_path / "report.html").as_uri())
        assert page.title() == "Reeve report: AWS account 123456789012 (example)"
        assert page.locator("tbody tr[data-s]").count() == 8
        page.locator("select[data-status]").select_option("INCOMPLIANT")
        assert page.locator("tbody tr[data-s]:visible").count() == 3
        page.get_by_label("Filter by name, place or message").fill("offender")
        assert page.locator("tbody tr[data-s]:visible").count() == 1
        assert "1 of 8 shown" in page.get_by_role("status").inner_text()
        page.get_by_label("Filter by name, place or message").fill("")
        page.locator("select[data-status]").select_option("")
        names = lambda: [text.split("\n")[0] for text in page.locator("tbody tr[data-s] summary").all_inner_texts()]  # noqa: E731
        button = page.get_by_role("button", name="Object")
        button.focus()
        page.keyboard.press("Enter")
        assert names() == sorted(names(), key=str.casefold) or names()[0].startswith("<img")
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Object")
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.title() != "hacked"
        assert not errors
        assert all(url.startswith("file:") for url in requests)
        browser.close()


@pytest.fixture
def small_reports(monkeypatch):
    """Reports that hold few findings, so that few objects are too many."""
    monkeypatch.setattr("reeve.findings.choosing.shares.__defaults__", (3,))


def test_what_a_report_can_not_hold_is_cut_off_and_said(company, reeve, tmp_path, small_reports):
    run = reeve("scan", *FIRST, "--out", tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["cutOff"] == {"detailed": 3, "brief": 4}
    assert (tmp_path / "report.json").read_text().index('"cutOff"') < 200
    assert "Cut off: 3 findings" in run.out.splitlines()[1]
    page = (tmp_path / "report.html").read_text()
    assert "Cut off: 3 findings" in page and page.index("Cut off") < page.index("<main")
    assert len(report["findings"]) == sum(report["policies"][0]["counts"].values()) == 7
    statuses = [one["status"] for one in report["findings"]]
    assert statuses == sorted(statuses, key=["INCOMPLIANT", "UNDETERMINED", "COMPLIANT"].index)
    assert ["evidence" in one for one in report["findings"]] == [True, True, False, False, False, False, False]
    assert all(one["arn"] and one["region"] == "global" and one["message"] for one in report["findings"])
    jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "report.schema.json").read_text())).validate(report)


SEVERITIES = st.sampled_from([None, "CRITICAL", "HIGH", "LOW"])
COUNTS = st.fixed_dictionaries({status: st.integers(0, 60) for status in SHOWN_ORDER})


@given(st.lists(st.tuples(SEVERITIES, COUNTS), max_size=6), st.integers(0, 200))
def test_the_worst_are_shown(declared, at_most):
    counts = [(Policy(f"/ce/{number}", "", "", "", severity=one), own) for number, (one, own) in enumerate(declared)]
    found = shares(counts, at_most)
    every = sum(sum(own.values()) for _, own in counts)
    assert sum(sum(own.values()) for own in found.values()) == min(at_most, every)
    for policy, own in counts:
        assert all(0 <= found[policy.id][status] <= own[status] for status in SHOWN_ORDER)
    left_out = [status for status in SHOWN_ORDER if any(found[policy.id][status] < own[status] for policy, own in counts)]
    for status in SHOWN_ORDER[SHOWN_ORDER.index(left_out[0]) + 1 :] if left_out else ():
        assert not any(found[policy.id][status] for policy, _ in counts), "a better status is shown before all of a worse one"


def test_objects_of_one_name_are_told_apart(reeve, demo_scan):
    report = json.loads((demo_scan / "report.json").read_text())
    default = [
        one for one in report["findings"] if one["name"] == "default" and one["policy"].endswith("-restrict-all-traffic")
    ]
    shown = reeve("evaluate", demo_scan, "--policy", "*restrict-all-traffic").out
    page = (demo_scan / "report.html").read_text()
    assert len({one["arn"] for one in default}) == len(default) > 2
    for one in default:
        assert one["object"] in page
        assert one["status"] == "COMPLIANT" or (one["object"] in shown and one["region"] in shown)


def test_accounts_of_one_name_are_told_apart(reeve, tmp_path):
    things.make(tmp_path)
    things.write(tmp_path, "222222222222", keep_others=True)
    path = tmp_path / "snapshot" / "manifest.json"
    manifest = json.loads(path.read_text())
    error = {"call": "t:List", "code": "Denied", "message": "no", "advice": "ask", "affects": {"t.Thing": ["open"]}}
    for part in manifest["parts"]:
        part.update(accountName="Production", errors=[error])
    path.write_text(json.dumps(manifest))
    run = reeve("evaluate", tmp_path / "snapshot", "--repo", tmp_path / "repo", "--policy", "open", "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    for part in manifest["parts"]:
        assert f"here · {part['account']} (Production)" in run.out
        assert f"…; in {part['account']}" in run.out
        assert f"{part['account']} (Production)</span></td>" in page


def test_what_was_not_judged_is_not_said_to_have_no_objects(reeve, tmp_path):
    things.make(tmp_path)
    path = tmp_path / "snapshot" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["tables"]["t.Owner"]
    path.write_text(json.dumps(manifest))
    run = reeve("evaluate", tmp_path / "snapshot", "--repo", tmp_path / "repo", "--policy", "owner", "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert run.code == 3 and "Not judged: a type that it reads was not collected." in page
    assert "No object of the type" not in page


def test_what_can_not_be_undone_is_said_beside_the_command(reeve, demo_scan):
    shown = reeve("evaluate", demo_scan, "--policy", "delete-expired-server-certificate").out
    assert "aws iam delete-server-certificate" in shown and "Can't be undone: The private key can't be read back" in shown


def test_visible():
    assert visible("plain") == "plain"
    assert visible("Ä 漢字") == "Ä 漢字"
    assert visible("\x1b[31m\n\u202e") == "\\u{1b}[31m\\u{a}\\u{202e}"
