"""The documentation site: seconds of a build, a rebuild, twice the pages; beside MkDocs; first paint in a browser.

`site.py build`, `site.py mkdocs PYTHON`, `site.py paint` each print a line of numbers.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
REEVE = [sys.executable, "-m", "reeve", "site", "build", "--quiet"]
PAGE = "ce/ca/aws/iam/user-has-more-than-one-active-access-key/"


def timed(command):
    start = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def pages(directory):
    return len(list(directory.rglob("index.html")))


def twice(base):
    """Return a repository with every framework a second time."""
    repository = base / "twice"
    shutil.copytree(ROOT / "catalog", repository)
    for file in sorted((ROOT / "catalog" / "frameworks").glob("*.yaml")):
        text = file.read_text().replace("/frameworks/", "/frameworks/second-")
        (repository / "frameworks" / f"second-{file.name}").write_text(text)
    return repository


def build(base):
    repository, out = base / "repository", base / "out"
    shutil.copytree(ROOT / "catalog", repository)
    whole = timed([*REEVE, "--repo", repository, "--out", out])
    description = repository / PAGE / "description.md"
    description.write_text(description.read_text() + "\nOne line more.\n")
    again = timed([*REEVE, "--repo", repository, "--out", out])
    second = timed([*REEVE, "--repo", twice(base), "--out", base / "second"])
    print(whole, again, pages(out), second, pages(base / "second"))


def mkdocs(base, python):
    """The same pages' texts, plain, in MkDocs."""
    from reeve.repository.repository import Repository

    repository, docs = Repository.open(ROOT / "catalog"), base / "docs"
    texts = {f"{one.id}/index.md": f"# {one.name}\n\n{one.description}\n" for one in repository.sections.values()}
    for policy_id, policy in repository.policies.items():
        parts = [repository.files.text(f"{policy_id}/{name}.md") or "" for name in ("description", "remediation")]
        texts[f"{policy_id}/index.md"] = "\n\n".join([f"# {policy.full_name}", policy.description, *parts])
    for path, text in {"index.md": "# Home\n", **texts}.items():
        target = docs / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    configuration = {"site_name": "Policies", "theme": {"name": "mkdocs"}, "docs_dir": "docs", "nav": [{"Home": "index.md"}]}
    (base / "mkdocs.yml").write_text(json.dumps(configuration))
    print(timed([python, "-m", "mkdocs", "build", "--quiet", "--config-file", base / "mkdocs.yml"]), len(texts) + 1)


def paint(base):
    """First paint of a policy's page at 1.6 Mbit/s and 150 ms, and its size."""
    from playwright.sync_api import sync_playwright

    from reeve.site.serve import serving

    out = base / "out"
    timed([*REEVE, "--out", out])
    with serving(out, 0) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page()
        slow = {"offline": False, "downloadThroughput": 200_000, "uploadThroughput": 90_000, "latency": 150}
        session = tab.context.new_cdp_session(tab)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", slow)
        found = []
        for _ in range(5):
            session.send("Network.clearBrowserCache")
            tab.goto(server.address + PAGE)
            tab.wait_for_timeout(300)
            found.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        browser.close()
    print(sorted(found)[2] / 1000, (out / PAGE / "index.html").stat().st_size)


with tempfile.TemporaryDirectory() as directory:
    {"build": build, "mkdocs": mkdocs, "paint": paint}[sys.argv[1]](Path(directory), *sys.argv[2:])
