"""`reeve evaluate` as a whole process, on snapshots that `snapshots` makes; what it leaves, and how a browser takes it.

`report.py users OBJECTS RUNS` prints, of one policy over so many users, with the default formats: seconds, processor seconds,
peak MB, MB of JSON and of HTML, seconds until the page is interactive, and until a filter has shown what it leaves.
`report.py estate OBJECTS RUNS` prints the processor seconds that all policies take on a hundred accounts, those that they take
on one with as many objects, and the ratio.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from snapshots import write_snapshot

from reeve.evaluate.reach import types_read
from reeve.findings.scan import production_programs
from reeve.repository.repository import Repository

CATALOG = Path(__file__).parent.parent / "catalog"
POLICY = "user-has-more-than-one-active-access-key"
EVALUATE = [sys.executable, "-m", "reeve", "evaluate"]


@dataclass(frozen=True)
class Run:
    """What a process took: seconds by the clock, and of processors; its peak memory in MB."""

    wall: float
    processor: float
    memory: float


def run(*arguments: object) -> Run:
    started = time.perf_counter()
    process = subprocess.Popen([*EVALUATE, *map(str, arguments)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1, 3), process.returncode
    return Run(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def write_users(directory: Path, users: int) -> None:
    """A third of the users have two access keys, and are offenders."""
    repository = Repository.open(CATALOG)
    programs = production_programs(repository, repository.select((POLICY,)))
    types = dict.fromkeys([*types_read(programs.values(), repository.object_type), "aws.iam.AccessKey"])
    user = {"accessKey1Active": "i % 2 = 0 OR i % 3 = 0", "accessKey2Active": "i % 3 = 0", "name": "'user-' || hash(i)"}
    key = {"userId": "'user-' || lpad(((i // 2) * 3)::VARCHAR, 9, '0')", "active": "true"}
    rows = {"aws.iam.User": users, "aws.iam.AccessKey": 2 * users // 3}
    chosen = [repository.object_type(name) for name in types]
    write_snapshot(directory, chosen, 1, rows, {"aws.iam.User": user, "aws.iam.AccessKey": key})


def users(directory: Path, objects: int, runs: int) -> None:
    write_users(directory / "snapshot", objects)
    out = directory / "out"
    found = [run(directory / "snapshot", "--policy", POLICY, "--out", out) for _ in range(runs)]
    middle = [statistics.median(values) for values in zip(*((one.wall, one.processor) for one in found), strict=True)]
    sizes = [(out / f"report.{name}").stat().st_size / 1e6 for name in ("json", "html")]
    print(*middle, max(one.memory for one in found), *sizes, *in_browser(out / "report.html"))


def in_browser(page: Path) -> tuple[float, float]:
    """Return the seconds until a page in Chromium is interactive, and until it has filtered."""
    from playwright.sync_api import sync_playwright

    loaded: list[float] = []
    filtered: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for _ in range(3):
            tab = browser.new_page(viewport={"width": 1000, "height": 800})
            tab.goto(page.as_uri(), wait_until="load")
            loaded.append(tab.evaluate("performance.getEntriesByType('navigation')[0].domInteractive") / 1000)
            # A key pressed, then the frame that shows it: what a person waits for.
            filtered.append(
                tab.evaluate("""() => new Promise(done => {
                    const input = document.querySelector("input[data-filter]"), began = performance.now();
                    input.value = "7";
                    input.dispatchEvent(new Event("input"));
                    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
                })""")
                / 1000
            )
            tab.close()
        browser.close()
    return statistics.median(loaded), statistics.median(filtered)


def write_estate(directory: Path, accounts: int, objects: int) -> None:
    """All types that the catalogue's policies read, the account itself once for each account."""
    repository = Repository.open(CATALOG)
    programs = production_programs(repository, repository.policies)
    types = types_read(programs.values(), repository.object_type)
    rows = dict.fromkeys(types, objects // accounts // len(types)) | {"aws.Account": 1}
    write_snapshot(directory, map(repository.object_type, types), accounts, rows, {})


def estate(directory: Path, objects: int, runs: int) -> None:
    for name, accounts in (("many", 100), ("one", 1)):
        write_estate(directory / name, accounts, objects)
    arguments = ("--format", "parquet", "--engine", "duckdb", "--out")
    pairs = [
        tuple(run(directory / name, *arguments, directory / f"out-{name}").processor for name in ("many", "one"))
        for _ in range(runs)
    ]
    many, one = (statistics.median(values) for values in zip(*pairs, strict=True))
    print(many, one, statistics.median(a / b for a, b in pairs))


def main() -> None:
    kind, objects, runs = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as directory:
        {"users": users, "estate": estate}[kind](Path(directory), int(objects), int(runs))


if __name__ == "__main__":
    main()
