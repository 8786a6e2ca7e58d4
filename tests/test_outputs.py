"""Hostile texts of a repository and an account reach no output raw, in whatever field and format; one module writes."""

import ast
import json
import shutil
import unicodedata

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CATALOG, ROOT
from conftest import FIRST as SELECTED
from reeve.language.errors import Position, Problem
from reeve.report import markdown, problems
from reeve.report.escaping import as_json, visible
from reeve.report.pages import environment
from reeve.site import markdown as site_markdown

SOURCES = ROOT / "src" / "reeve"
FIRST = "ce/ca/aws/iam/user-has-more-than-one-active-access-key"
HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HOSTILE = '\x1b]0;pwned\x07\u202e\u200b\x85\u2066\r\x7f<b onload="x">&amp;{{ 7 * 7 }}[red]%0A::error::[x](javascript:alert(1))![p](https://evil.example/p.png)'
NAME = "\u202e\u200b[red]<img src=x>"
"""What the simulated account can hold: its answers are XML."""


def harmful(text, keep="\n"):
    return {character for character in text if character not in keep and unicodedata.category(character) in HARMFUL}


# The rule -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_one_module_writes(path):
    """Nothing but report/streams.py prints, touches a standard stream, or makes a console or its texts."""
    if path.name == "streams.py" or "demo" in path.parts:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {
                ("sys", "stdout"),
                ("sys", "stderr"),
                ("click", "echo"),
                ("click", "secho"),
            }
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert not (called == "print" and isinstance(node.func, ast.Name)) and called not in {"Console", "Text"}
            assert called != "Markup" or path.name in MARKUP
            if path.name == "terminal.py" and called in ("print", "add_row"):
                assert not any(isinstance(argument, ast.JoinedStr) for argument in node.args)


MARKUP = {"markdown.py", "flags.py"}
"""The modules that say of a text that it is HTML: what they make of Markdown, and the cell of flags."""


# Properties of the writers ----------------------------------------------------------------------------------------------

texts = st.text(st.characters(codec=None), max_size=40) | st.sampled_from([HOSTILE, NAME])


@given(texts)
def test_no_writer_lets_it_through(text):
    assert not harmful(visible(text), "")
    shown = as_json({text: [text]})
    assert not harmful(shown) and json.loads(shown) == {text: [text]}
    problem = Problem(Position(text, 1, 1), text, text)
    for written in (problems.github([problem], text), problems.as_json([problem], text), problems.sarif([problem], text)):
        assert not harmful(written)
    assert problems.github([problem], text).count("\n") == 1
    assert not harmful(problems.text([problem], text, lambda path: text.encode("utf-8", "replace")))


@given(texts)
def test_html_is_read_as_the_same_text(text):
    page = environment("reeve.report").from_string('<p title="{{ x }}">{{ x }}</p><pre>\n{{ x }}</pre>').render(x=text)
    assert not harmful(page, "\n\t")
    found = html5lib.parse(page, namespaceHTMLElements=False)
    assert found.find(".//p").text or visible(text, "\n\t") == ""
    assert (found.find(".//p").text or "", found.find(".//p").get("title"), found.find(".//pre").text or "") == (
        visible(text, "\n\t"),
    ) * 3


@given(texts)
def test_markdown_loads_nothing_and_leads_to_the_web_only(text):
    source = f"{text}\n\n![{text}]({text})\n\n[{text}]({text})\n\n[a]: {text}\n"
    for rendered in (markdown.render(source), site_markdown.render(source, "p")):
        assert not harmful(rendered, "\n\t")
        for element in html5lib.parseFragment(str(rendered), namespaceHTMLElements=False).iter():
            assert element.tag not in ("img", "script", "style", "link", "iframe", "object", "svg")
            assert not {"src", "style", "srcset", "onload", "onerror"} & set(element.attrib)
            link = element.get("href", "https://")
            assert link.lower().startswith(("https://", "http://", "mailto:", "#"))


@pytest.mark.parametrize(
    "link",
    [
        "javascript:x",
        "JaVaScRiPt:x",
        "data:image/png;base64,AA",
        "file:///etc/passwd",
        "//evil",
        "vbscript:x",
        "x.md",
    ],
)
def test_what_is_no_link(link):
    assert not markdown.is_link(link) and "<a " not in markdown.render(f"[a](<{link}>) <{link}>")


def test_references_to_harmful_characters_are_written_out_too():
    assert "\\u{202e}" in markdown.render("&#x202e; &rlm;") and not harmful(markdown.render("&#x202e; &rlm; &#27;"))


def test_many_equal_headings_have_ids_of_their_own():
    rendered = str(site_markdown.render("## Same\n" * 20_000 + "## Same 5\n", "d"))
    assert 'id="d-same-19999"' in rendered and rendered.count('id="d-same-5"') == 1 and rendered.count("<h3 ") == 20_001


# Every command ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def hostile(tmp_path):
    """The first policy with hostile texts in every field of every kind of file that may hold a text."""
    repo = tmp_path / "repo"
    for part in ("frameworks", "internal", "types", FIRST):
        shutil.copytree(CATALOG / part, repo / part)
    policy = repo / FIRST
    vendor = [{"name": HOSTILE, "url": HOSTILE}]
    similar = {"internal": ["dec-x-30795016", HOSTILE], "prowler": vendor, "awsConfig": vendor}
    names = {"full": HOSTILE, "contextual": HOSTILE}
    mapped = ["/frameworks/h/1", "/frameworks/cis-aws-v4.0.0/01/13"]
    content = {
        "names": names,
        "description": HOSTILE,
        "tags": [HOSTILE],
        "similarPolicies": similar,
        "frameworkMappings": mapped,
    }
    (policy / "policy.yaml").write_text(json.dumps(content))
    for name in ("description", "remediation", "todo", "internal"):
        (policy / f"{name}.md").write_text(f"# T\n\n{HOSTILE}\n\n## {HOSTILE}\n")
    logic = policy / "prod.logic.yaml"
    quoted = json.dumps(HOSTILE)
    logic.write_text(
        logic.read_text()
        .replace("currentStateMessage: The user has two active access keys.", f"currentStateMessage: {quoted}")
        .replace("otherwise:", "otherwise:", 1)
    )
    assert quoted in logic.read_text()
    (policy / "wip.logic.yaml").write_text(json.dumps({HOSTILE: HOSTILE}))
    data = policy / "test-data.json"
    objects = json.loads(data.read_text())
    for one in objects:
        one["Id"] = HOSTILE + str(one.get("Id"))
    objects[0]["expectedResult"] |= {"conditionText": HOSTILE, "runtimeError": HOSTILE}
    data.write_text(json.dumps(objects))
    (repo / "ce" / "folder.yaml").write_text(json.dumps({"names": names}))
    sections = [{"id": "/frameworks/h", "name": HOSTILE, "description": HOSTILE}, {"id": "/frameworks/h/1", "name": HOSTILE}]
    (repo / "frameworks" / "h.yaml").write_text(json.dumps(sections))
    rule = {"name": HOSTILE, "description": HOSTILE, "references": [HOSTILE], "attributes": {HOSTILE: HOSTILE}}
    (repo / "internal" / "rules" / "own.yaml").write_text(json.dumps({**rule, "code": [{"type": HOSTILE, "text": HOSTILE}]}))
    return repo


def check(run):
    assert run.code != 70 and "internal error" not in run.err
    assert not harmful(run.out) and not harmful(run.err), (run.out, run.err)
    assert not any(word in run.out + run.err for word in ("NotCollected(", "PartlyCollected(", "None"))


def test_no_command_lets_a_repositorys_texts_through(reeve, hostile):
    slug = FIRST.rpartition("/")[2]
    for command in (
        *(["validate", "--format", form] for form in ("text", "json", "sarif", "github")),
        *(["test", "--format", form] for form in ("text", "json")),
        ["test", "--coverage"],
        ["test", f"/{FIRST}/wip.logic.yaml"],
        *(["policy", *what, "--format", form] for form in ("text", "json") for what in (["list"], ["show", slug])),
        *(["framework", *what, "--format", form] for form in ("text", "json") for what in (["list"], ["show", "h"])),
        ["explain", slug, hostile / FIRST / "test-data.json"],
        ["policy", "show", HOSTILE],
        ["framework", "show", HOSTILE],
        ["validate", HOSTILE.replace("/", "")],
        ["explain", slug, HOSTILE],
        ["permissions", "--format", "text"],
        [HOSTILE],
    ):
        where = [] if command == [HOSTILE] else ["--repo", hostile]
        check(reeve(*command, *where))


def test_no_report_or_page_lets_an_accounts_texts_through(account, reeve, hostile, tmp_path):
    from account import Failure

    account.add(NAME, True, True)
    account.add("plain", True, True)
    account.failures["GetAccessKeyLastUsed"] = Failure("AccessDenied", 403, 10**9)
    for form in ("terminal", "json", "html"):
        check(reeve("scan", *SELECTED, "--repo", hostile, "--format", form, "--framework", "h"))
    check(reeve("scan", *SELECTED, "--repo", hostile, "--out", tmp_path / "scan"))
    for name in (NAME, "plain"):
        check(reeve("explain", FIRST.rpartition("/")[2], name, "--repo", hostile, "--snapshot", tmp_path / "scan"))
    (hostile / FIRST / "wip.logic.yaml").unlink()
    check(reeve("site", "build", "--repo", hostile, "--results", tmp_path / "scan", "--out", tmp_path / "site"))
    files = [tmp_path / "scan" / "report.html", tmp_path / "scan" / "report.json", *(tmp_path / "site").rglob("*.js")]
    pages = [tmp_path / "site" / part for part in (f"{FIRST}/index.html", "ce/index.html", "frameworks/h/1/index.html")]
    pages += [tmp_path / "site" / part for part in ("internal/rules/own/index.html", "policies/index.html", "index.html")]
    for path in [*files, *pages]:
        text = path.read_text()
        assert not harmful(text, "\n\t"), path
        assert not any(word in text for word in ("NotCollected(", ">None<")), path
        if path.suffix == ".html":
            document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
            for element in document.iter():
                assert element.tag not in ("img", "b") or element.text != "", path
                assert not str(element.get("href", "")).lower().startswith(("javascript", "data", "//"))
            assert not document.findall(".//img") and not [one for one in document.iter() if "onload" in one.attrib], path
    assert NAME in json.loads((tmp_path / "scan" / "report.json").read_text())["findings"][0]["name"] + NAME


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_standard_output_in_any_encoding(reeve_process, hostile, monkeypatch, encoding):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    for command in (["policy", "list"], ["validate"], ["framework", "list", "--format", "json"]):
        process = reeve_process(*command, "--repo", hostile, encoding="utf-8", errors="replace")
        _, wrong = process.communicate()
        assert process.returncode in (0, 2) and "Traceback" not in wrong and "internal error" not in wrong


def test_the_same_report_whatever_the_hash_seed_and_the_locale(account, reeve, reeve_process, tmp_path, monkeypatch):
    for number in range(6):
        account.add(f"user-{number}", number % 2 == 0, number % 3 == 0)
    policies = ("--policy", "*/iam/*")
    reeve("scan", *policies, "--out", tmp_path / "scan")
    given_out = {}
    for seed, locale in (("0", "C.UTF-8"), ("1", "C"), ("42", "de_DE.ISO-8859-1")):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("LC_ALL", locale)
        monkeypatch.setenv("PYTHONUTF8", "0")
        for form in ("terminal", "json", "html"):
            process = reeve_process("evaluate", tmp_path / "scan", *policies, "--format", form, encoding="utf-8")
            out, _ = process.communicate()
            assert given_out.setdefault(form, out) == out and out
