"""The documentation site: what its pages hold, that every link leads somewhere, and how it behaves in a real browser."""

import json
import re
import shutil
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import html5lib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import CATALOG
from reeve.site.addresses import absolute, parts_of, path_of, relative
from reeve.site.serve import serving

FIRST = "/ce/ca/aws/iam/user-has-more-than-one-active-access-key/"
CIS = "/frameworks/cis-aws-v5.0.0/"
BROWSER = [pytest.mark.browser, pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")]


@pytest.fixture(scope="module")
def site(once, demo_scan):
    """The site of the catalogue with the demo's scan beside it."""
    return once("site", "site", "build", "--results", demo_scan, codes=(0,))


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[name] for name in ("href", "src") if found.get(name)]
        if "id" in found:
            assert found["id"] not in self.ids, f"the id {found['id']} stands twice"
            self.ids.add(found["id"])


def page(site, address):
    return (site / path_of(address)).read_text()


def test_every_link_leads_somewhere(site):
    pages = {"/" + file.relative_to(site).as_posix(): Links(file.read_text()) for file in site.rglob("*.html")}
    assert len(pages) > 4000
    known = {"/" + file.relative_to(site).as_posix() for file in site.rglob("*") if file.is_file()}
    for path, found in pages.items():
        here = f"http://site{path.removesuffix('index.html')}"
        for link in found.links:
            target = urlsplit(urljoin(here, link))
            if target.netloc != "site":
                assert target.scheme == "https", link
                continue
            file = unquote(target.path) + ("index.html" if target.path.endswith("/") else "")
            assert file in known, (path, link)
            if target.fragment:
                assert unquote(target.fragment) in pages[file].ids, (path, link)


def test_pages_are_valid_html(site):
    files = sorted(site.rglob("*.html"))
    for file in [*files[::97], site / path_of(FIRST), site / path_of(CIS), site / "404.html", site / "language" / "index.html"]:
        html5lib.HTMLParser(strict=True).parse(file.read_text())


def test_the_first_policy_holds_what_the_seed_page_holds(site):
    text = page(site, FIRST)
    order = ["Contextual name", "Located in", "Production policy", "Our Metadata", "Similar Policies", "Similar Internal Rules"]
    order += [
        "prod.logic.yaml",
        "Test data: 20 objects",
        ">Description ",
        ">Remediation ",
        "policy.yaml",
        "Linked Framework Sections (30)",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    rows = re.findall(r'<td class="dim">(.*?)</td>', text[text.index("Linked Framework Sections") :])
    assert len(rows) == 30 and sum("internal rule dec-x-30795016" in row for row in rows) == 17
    assert "Unnecessary Access Keys" in text and 'aria-label="in production"' in text
    assert len(text.encode()) < 200_000


def test_no_page_is_large(site):
    assert max(file.stat().st_size for file in (site / "ce").rglob("*.html")) < 200_000


def test_results_are_beside_the_catalogue(site):
    assert "ci-deploy" in page(site, FIRST) and "The last scan" in page(site, FIRST)
    assert "Verdict of the last scan" in page(site, CIS)
    assert "of-the-auditors" in page(site, "/ce/ca/aws/cloudtrail/s3-bucket-access-logging/")


def test_without_results_nothing_of_them_shows(reeve, tmp_path):
    repository = tiny(tmp_path / "repo")
    assert reeve("site", "build", "--repo", repository, "--out", tmp_path / "out").code == 0
    for file in (tmp_path / "out").rglob("*.html"):
        text = file.read_text()
        assert not any(words in text for words in ("last scan", "Verdict", ">Unsure<"))


def tiny(root, name="Plain", framework="F"):
    """Write a small repository."""
    policy = root / "ce" / "x" / "p"
    policy.mkdir(parents=True)
    (policy / "policy.yaml").write_text(
        json.dumps(
            {
                "names": {"full": name, "contextual": name},
                "description": "What it asks for.",
                "frameworkMappings": ["/frameworks/f/1"],
            }
        )
    )
    (policy / "description.md").write_text(
        "# Description\n\nText.\n\n## Rationale\n\n<b>raw</b> [bad](javascript:alert(1))\n\n|a|b|\n|-|-|\n|1|2|\n"
    )
    (policy / "todo.md").write_text("# Todo\n\nMore.\n")
    (root / "frameworks").mkdir()
    sections = [
        {"id": "/frameworks/f", "name": framework},
        {"id": "/frameworks/f/1", "name": "1.12 One"},
        {"id": "/frameworks/f/2", "name": "Two", "similar": ["/frameworks/f/1"]},
    ]
    (root / "frameworks" / "f.yaml").write_text(json.dumps(sections))
    return root


def test_only_what_changed_is_written_again(reeve, tmp_path):
    repository, out = tiny(tmp_path / "repo"), tmp_path / "out"
    build = ("site", "build", "--repo", repository, "--out", out)
    first = re.match(r"(\d+) pages in .*: (\d+) written, 0 removed", reeve(*build).out.replace("\n", " "))
    assert first and first[1] == first[2]
    assert ": 0 written, 0 removed" in reeve(*build).out
    (repository / "ce" / "x" / "p" / "todo.md").write_text("# Todo\n\nOther words.\n")
    assert ": 1 written, 0 removed" in reeve(*build).out
    assert "Other words." in page(out, "/ce/x/p/")
    shutil.rmtree(repository / "ce" / "x" / "p")
    run = reeve(*build)
    assert "1 removed" in run.out or "2 removed" in run.out
    assert not (out / "ce" / "x" / "p").exists()


def test_moved_pages_lead_on(reeve, tmp_path):
    repository, out = tiny(tmp_path / "repo"), tmp_path / "out"
    (repository / "moved.json").write_text('{"/ce/old/name": "/ce/x/p"}')
    assert reeve("site", "build", "--repo", repository, "--out", out, "--source-url", "https://example.com/blob/main").code == 0
    text = page(out, "/ce/old/name/")
    assert 'http-equiv="refresh" content="0; url=../../../ce/x/p/"' in text and 'rel="canonical"' in text
    assert 'href="https://example.com/blob/main/ce/x/p/policy.yaml"' in page(out, "/ce/x/p/")
    assert "<loc>http://127.0.0.1:8000/ce/x/p/</loc>" in (out / "sitemap.xml").read_text()


@pytest.mark.parametrize(
    ("moved", "says"),
    [
        ('{"/ce/x/p": "/ce/x"}', "has a page of its own"),
        ('{"/": "/ce/x/p"}', "has a page of its own"),
        ('{"/ce/x/../x/p/./": "/ce/x/gone"}', "there is no page /ce/x/gone"),
        ('{"/old": "https://example.com/"}', "there is no page https://example.com/"),
        ("[1]", "must be an object"),
    ],
)
def test_moves_that_lead_nowhere(reeve, tmp_path, moved, says):
    repository = tiny(tmp_path / "repo")
    (repository / "moved.json").write_text(moved)
    run = reeve("site", "build", "--repo", repository, "--out", tmp_path / "out")
    assert run.code == 2 and says in run.err and run.err.count("\n") == 1, run.err


def test_a_hostile_manifest_removes_nothing_elsewhere(reeve, tmp_path):
    other, out = tmp_path / "other.txt", tmp_path / "out"
    other.write_text("mine")
    build = ("site", "build", "--repo", tiny(tmp_path / "repo"), "--out", out)
    assert reeve(*build).code == 0
    manifest = out / ".reeve-site.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "../other.txt": "", str(other): ""}))
    assert reeve(*build).code == 0 and other.read_text() == "mine"


def test_markdown_is_text_not_markup(reeve, tmp_path):
    assert reeve("site", "build", "--repo", tiny(tmp_path / "repo"), "--out", tmp_path / "out").code == 0
    text = page(tmp_path / "out", "/ce/x/p/")
    assert "&lt;b&gt;raw&lt;/b&gt;" in text and 'href="javascript' not in text and "<td>1</td>" in text
    assert 'id="description-rationale"' in text and 'class="header-anchor"' in text


HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "a\u202eb", "{{ 7 * 7 }}", "</title>", "x" * 5000]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_text(reeve, tmp_path, name):
    assert reeve("site", "build", "--repo", tiny(tmp_path / "repo", name, name), "--out", tmp_path / "out").code == 0
    for file in (tmp_path / "out").rglob("*.html"):
        text = file.read_text()
        assert "<script>alert" not in text and "<img" not in text and "\u202e" not in text and ">49<" not in text
        assert "default-src 'none'" in text and "unsafe-inline" not in text
        html5lib.HTMLParser(strict=True).parse(text)
    index = (tmp_path / "out" / "assets" / "search-index.js").read_text()
    assert "<script" not in index


def test_hostile_ids_never_leave_the_directory(reeve, tmp_path):
    repository = tiny(tmp_path / "repo")
    sections = [
        {"id": "/frameworks/g", "name": "G"},
        *(
            {"id": f"/frameworks/g/{part}", "name": "x"}
            for part in ("../../../../escaped", "a\\b", "%2e%2e", "c:d", "é ü", "y" * 400)
        ),
    ]
    (repository / "frameworks" / "g.yaml").write_text(json.dumps(sections))
    odd = repository / "ce" / "x" / "<b>&\"'é"
    odd.mkdir()
    (odd / "policy.yaml").write_text("names: {full: Odd, contextual: Odd}\ndescription: Odd.\n")
    assert reeve("site", "build", "--repo", repository, "--out", tmp_path / "deep" / "er" / "out").code == 0
    assert not list(tmp_path.rglob("escaped/../../index.html")) and not (tmp_path / "escaped").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"repo", "deep"}
    assert {path.name for path in (tmp_path / "deep" / "er").iterdir()} == {"out"}


@given(st.text(max_size=30), st.text(max_size=30))
@example("..", "a/../../b")
@example("./a", ".")
def test_addresses_stay_inside_and_links_lead_there(source, target):
    source, target = f"/{source.replace('#', '')}/", f"/{target.replace('#', '')}/"
    for address in (source, target):
        assert not {"..", ".", ""} & set(parts_of(address))
    link = urljoin("http://h" + absolute("", source), relative(source, target))
    assert link == "http://h" + absolute("", target)


def test_a_directory_of_other_things_is_left_alone(reeve, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x")
    run = reeve("site", "build", "--repo", tiny(tmp_path / "repo"), "--out", tmp_path / "out")
    assert run.code == 2 and "holds other files" in run.err
    (tmp_path / "file").write_text("")
    run = reeve("site", "build", "--repo", tmp_path / "repo", "--out", tmp_path / "file" / "out")
    assert run.code == 2 and "choose another --out" in run.err


def test_serve_reloads_and_survives_mistakes(reeve_process, tmp_path):
    repository = tiny(tmp_path / "repo")
    process = reeve_process("site", "serve", "--repo", repository, "--port", 0)
    try:
        address = process.stdout.readline().split()[0]
        assert address.startswith("http://127.0.0.1:")
        read = lambda path: urllib.request.urlopen(address + path).read().decode()  # noqa: E731
        assert 'data-live="1"' in read("ce/x/p/") and read("__version") == "0"
        with pytest.raises(urllib.error.HTTPError) as missing:
            read("nothing/")
        assert missing.value.code == 404 and "There is no such page" in missing.value.read().decode()
        (repository / "ce" / "x" / "p" / "policy.yaml").write_text("colour: red\n")
        assert "/ce/x/p/policy.yaml:1:1" in process.stderr.readline()
        (repository / "ce" / "x" / "p" / "policy.yaml").write_text(
            "names: {full: Renamed, contextual: Renamed}\ndescription: Text.\n"
        )
        while read("__version") == "0":
            pass
        assert "Renamed" in read("ce/x/p/")
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


class TestInABrowser:
    pytestmark = BROWSER

    @pytest.fixture
    def opened(self, site, chromium):
        """A page on the served site; no error, and no request to elsewhere, is left unseen."""
        with serving(site, 0) as server:
            tab = chromium.new_page(viewport={"width": 1100, "height": 900})
            problems = []
            tab.on("pageerror", lambda error: problems.append(str(error)))
            tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            tab.on("request", lambda request: None if request.url.startswith(server.address) else problems.append(request.url))
            yield tab, server.address.rstrip("/")
            tab.close()
            assert not problems

    def test_from_a_framework_to_a_finding(self, opened):
        tab, address = opened
        tab.goto(f"{address}/")
        tab.get_by_label("Parts of the site").get_by_role("link", name="Frameworks").click()
        tab.get_by_role("link", name="CIS AWS v5.0.0").click()
        assert tab.get_by_role("progressbar").is_visible()
        tab.get_by_label("Filter").fill("1.12")
        assert tab.locator("[data-tree-count]").inner_text() == "1 found"
        tab.get_by_role("link", name="1.12 Ensure there is only one active").click()
        assert tab.url == f"{address}{CIS}01/12/"
        tab.get_by_role("link", name="AWS IAM User has more than one active access key").click()
        assert tab.url == address + FIRST
        assert tab.get_by_role("region", name="Offenders").get_by_text("ci-deploy").first.is_visible()

    @pytest.mark.parametrize(
        ("words", "first"),
        [
            ("more than one active access key", "AWS IAM User has more than one active access key"),
            ("user-has-more-than-one", "AWS IAM User has more than one active access key"),
            ("imdsv2", "AWS EC2 Instance IMDSv2 is not enabled"),
            ("aws.kms.key", "AWS KMS Key"),
            ("NIST CSF v2.0", "NIST CSF v2.0"),
        ],
    )
    def test_search(self, opened, words, first):
        tab, address = opened
        tab.goto(f"{address}/types/")
        tab.keyboard.press("/")
        tab.keyboard.type(words)
        hits = tab.get_by_role("option")
        hits.first.wait_for()
        assert hits.first.inner_text().startswith(first)
        tab.keyboard.press("ArrowDown")
        assert hits.first.get_attribute("aria-selected") == "true"
        tab.keyboard.press("Enter")
        tab.wait_for_url(lambda url: url != f"{address}/types/")
        assert first in tab.get_by_role("heading", level=1).inner_text()

    def test_search_by_the_number_of_a_recommendation(self, opened):
        tab, address = opened
        tab.goto(f"{address}/")
        tab.get_by_role("combobox").fill("1.12 cis v5.0.0")
        tab.get_by_role("option").first.wait_for()
        assert any("1.12 Ensure" in text for text in tab.get_by_role("option").all_inner_texts()[:3])
        tab.get_by_role("combobox").fill("zzz qqq")
        assert tab.locator("#found").inner_text() == "Nothing found."

    def test_long_texts_fold_and_code_is_copied(self, opened):
        tab, address = opened
        tab.goto(address + FIRST)
        text = tab.locator("#description-text")
        folded = text.bounding_box()["height"]
        button = tab.get_by_role("button", name="see more").first
        assert button.get_attribute("aria-expanded") == "false"
        button.click()
        assert text.bounding_box()["height"] > folded and tab.get_by_role("button", name="see less").count() == 1
        tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
        tab.get_by_role("button", name="Copy").nth(2).scroll_into_view_if_needed()
        text.get_by_role("button", name="Copy").first.click()
        assert tab.evaluate("navigator.clipboard.readText()").startswith("aws iam list-users")

    def test_a_permalink_opens_what_is_folded(self, opened):
        tab, address = opened
        tab.goto(f"{address}{FIRST}#description-from-command-line")
        assert "folded" not in tab.locator("#description-text").get_attribute("class")

    def test_sections_fold(self, opened):
        tab, address = opened
        tab.goto(address + CIS)
        link = tab.get_by_role("link", name="2.1.1 Ensure S3 Bucket Policy")
        assert not link.is_visible()
        tab.get_by_role("button", name="Unfold all").click()
        assert link.is_visible()
        tab.get_by_role("button", name="Fold all", exact=True).click()
        assert not link.is_visible()

    def test_dark_mode_is_the_systems_until_chosen(self, opened):
        tab, address = opened
        background = "getComputedStyle(document.body).backgroundColor"
        tab.emulate_media(color_scheme="dark")
        tab.goto(f"{address}/")
        assert tab.evaluate(background) == "rgb(13, 17, 23)"
        tab.get_by_role("button", name="Light").click()
        assert tab.evaluate(background) == "rgb(255, 255, 255)"
        tab.goto(address + FIRST)
        assert tab.evaluate(background) == "rgb(255, 255, 255)"

    @pytest.mark.parametrize("path", ["/", FIRST, CIS, "/policies/", "/types/aws.s3.Bucket/", "/language/"])
    def test_on_a_telephone(self, opened, path):
        tab, address = opened
        tab.set_viewport_size({"width": 360, "height": 740})
        tab.goto(address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(
        "path", ["/", FIRST, CIS, f"{CIS}01/12/", "/types/aws.iam.User/", "/internal/rules/", "/language/", "/404.html"]
    )
    def test_no_serious_finding_of_accessibility(self, opened, path, scheme):
        import axe_playwright_python

        tab, address = opened
        tab.emulate_media(color_scheme=scheme)
        tab.goto(address + path)
        # The checker is put into the page by the browser, past the page's own policy.
        tab.evaluate(Path(axe_playwright_python.__file__).parent.joinpath("axe.min.js").read_text())
        found = tab.evaluate("axe.run().then(found => found.violations)")
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert not serious, [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious]

    def test_without_scripts_everything_can_be_read(self, site, chromium):
        with serving(site, 0) as server:
            context = chromium.new_context(java_script_enabled=False)
            tab = context.new_page()
            tab.goto(server.address.rstrip("/") + FIRST)
            assert tab.get_by_text("A user for whom more than one key id is printed fails.").is_visible()
            context.close()


def test_the_catalogue_of_the_wheel_builds(site):
    assert (site / "sitemap.xml").read_text().count("<loc>") > 4000
    assert {policy.parent.relative_to(CATALOG).as_posix() for policy in CATALOG.glob("ce/**/policy.yaml")} <= {
        file.parent.relative_to(site).as_posix() for file in site.glob("ce/**/index.html")
    }
