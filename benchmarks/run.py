"""`make bench`: Reeve beside its peers and bars, each pair in one run, as ratios.

Every command is a whole process; wall time and peak memory are the operating system's own accounting.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = sys.executable
REEVE = [PYTHON, "-m", "reeve"]
SCAN = [*REEVE, "scan", "--policy", "user-has-more-than-one-active-access-key", "--format", "json"]
"""The first policy's question, which the peers were measured with."""


def measure(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return wall seconds and peak memory in MB of one run."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def pairs(ours: Sequence[str], theirs: Sequence[str], environment: dict[str, str], runs: int) -> dict[str, float]:
    """Run two commands in turn; return medians and the median of the ratios of their wall times."""
    measured = [(measure(ours, environment), measure(theirs, environment)) for _ in range(runs)]
    return {
        "ours": statistics.median(a[0] for a, _ in measured),
        "theirs": statistics.median(b[0] for _, b in measured),
        "ratio": statistics.median(a[0] / b[0] for a, b in measured),
        "memory": max(a[1] for a, _ in measured),
    }


def row(what: str, bar: str, measured: str) -> None:
    print(f"{what:<58} {bar:<18} {measured}", flush=True)


def start_up() -> None:
    found = pairs([*REEVE, "--version"], [PYTHON, "-c", "pass"], dict(os.environ), 9)
    row("start-up: `reeve --version` / `python -c pass`", "< 10", f"{found['ratio']:.1f}")


def validating(runs: int) -> None:
    """The whole catalogue, its declarations checked against botocore's models."""
    took = statistics.median(measure([*REEVE, "validate"], dict(os.environ))[0] for _ in range(runs))
    row("`reeve validate`, botocore's models included", "< 1.5 s", f"{took:.2f} s")


def scan(users: int, runs: int) -> None:
    """Reeve beside a plain boto3 loop on a simulated account in a process of its own."""
    server = subprocess.Popen([PYTHON, str(HERE / "simulated_account.py"), str(users)], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[-1]
        environment = {**os.environ, "AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1"}
        environment |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        loop = [PYTHON, str(HERE / "boto3_loop.py")]
        measure(loop, environment)
        offenders = len(subprocess.run(loop, env=environment, capture_output=True, text=True, check=True).stdout.split())
        urllib.request.urlopen(f"{address}/__counts").read()
        measure(SCAN, environment)
        requests = int(urllib.request.urlopen(f"{address}/__counts").read())
        row(f"requests, {users} users, {offenders} offenders", f"<= {10 + users // 1000 + 3 * offenders}", str(requests))
        found = pairs(SCAN, loop, environment, runs)
        text = f"{found['ratio']:.2f} ({found['ours']:.2f} s / {found['theirs']:.2f} s)"
        row(f"scan of {users} users / plain boto3 loop, wall", "<= 0.65" if users >= 2000 else "", text)
        row(f"scan of {users} users, peak memory", "< 150 MB", f"{found['memory']:.0f} MB")
    finally:
        server.terminate()
        server.wait()


def write_policies(root: Path, policies: int, objects: int) -> None:
    """Write a repository of policies of six conditions, with an equal share of the test objects each."""
    for number in range(policies):
        folder = root / "ce" / f"p{number:04d}"
        folder.mkdir(parents=True)
        conditions = "".join(
            f"""  - status: INCOMPLIANT
    currentStateMessage: Condition {level} holds for the object.
    remediationMessage: Change the setting.
    check:
      AND:
        args:
          - IS_EQUAL: {{left: {{FIELD: {{path: kind, undeterminedIf: {{isEmpty: The kind is not known.}}}}}}, right: {{TEXT: k{level}}}}}
          - OR:
              args:
                - IS_EMPTY: {{arg: {{FIELD: {{path: changedAt}}}}}}
                - IS_BEYOND_LAST_DAYS: {{arg: {{FIELD: {{path: changedAt}}}}, offsetDays: {level + 10}}}
"""
            for level in range(6)
        )
        (folder / "prod.logic.yaml").write_text(
            "inputType: bench.Thing\ntestData: [{file: test-data.json}]\nconditions:\n"
            + conditions
            + "otherwise: {status: COMPLIANT, currentStateMessage: None holds.}\n"
        )
        share = range(number * objects // policies, (number + 1) * objects // policies)
        rows = [
            {
                "expectedResult": {
                    "status": "COMPLIANT",
                    "conditionIndex": 700,
                    "conditionText": "otherwise",
                    "runtimeError": None,
                },
                "context": {"snapshotTime": "2026-01-31T12:00:00Z"},
                "Id": f"object {item}",
                "kind": f"other {item}",
                "changedAt": "2026-01-01T00:00:00Z",
            }
            for item in share
        ]
        (folder / "test-data.json").write_text(json.dumps(rows))


def policy_tests(runs: int) -> None:
    """`reeve test` as a whole process, the share of reading YAML, and how it grows."""
    walls: dict[int, float] = {}
    for objects in (1_000, 10_000):
        with tempfile.TemporaryDirectory() as directory:
            write_policies(Path(directory), 170, objects)
            command = [*REEVE, "test", "--quiet", "--repo", directory]
            walls[objects] = statistics.median(measure(command, dict(os.environ))[0] for _ in range(runs))
            yaml = [PYTHON, str(HERE / "read_yaml.py"), directory]
            reading = float(subprocess.run(yaml, capture_output=True, text=True, check=True).stdout)
        bar = "< 1.5 s" if objects == 1_000 else ""
        text = f"{walls[objects]:.2f} s, {100 * reading / walls[objects]:.0f} % of it reading YAML"
        row(f"`reeve test`, 170 policies, {objects:,} objects, whole process", bar, text)
    per_object = (walls[10_000] - walls[1_000]) / 9_000 * 1e6
    row("`reeve test`, each further object", "linear", f"{per_object:.0f} µs")


def judging() -> None:
    output = subprocess.run([PYTHON, str(HERE / "judging.py")], capture_output=True, text=True, check=True).stdout
    ours, by_hand = map(float, output.split())
    row("interpreter, first policy, judgements a second", ">= 200,000", f"{ours:,.0f} (by hand: {by_hand:,.0f})")


def numbers(script: str, *arguments: object, python: str = PYTHON) -> list[float]:
    """Run a script of this folder; return the numbers that it prints."""
    command = [python, str(HERE / script), *map(str, arguments)]
    return list(map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()))


def columnar(runs: int) -> None:
    """The columnar evaluator on DuckDB, beside SQL written by hand."""
    scenarios = {
        "first": ("first policy, 10 million users", 10_000_000, "<= 1.3"),
        "json": ("facts in JSON, JMESPath, 10 million users", 10_000_000, "<= 2"),
        "fifty": ("50 policies, 1 million objects, one pass", 1_000_000, "<= 1.5"),
        "children": ("1 million parents, 5 million children", 1_000_000, "<= 1.5"),
    }
    for name, (what, objects, bar) in scenarios.items():
        ours, theirs, ratio = numbers("columnar.py", name, objects, runs)
        row(f"{what} / SQL by hand", bar, f"{ratio:.2f} ({ours:.2f} s / {theirs:.2f} s)")
    (seconds,) = numbers("columnar.py", "compile", 200)
    row("planning 200 policies", "< 2 s", f"{seconds:.2f} s")
    seconds, megabytes = numbers("columnar.py", "memory", 100_000_000)
    row("first policy, 100 million users, peak memory", "< 2,000 MB", f"{megabytes:,.0f} MB, {seconds:.1f} s")
    functions = subprocess.run([PYTHON, str(HERE / "columnar.py"), "functions"], capture_output=True, text=True, check=True)
    expressions = functions.stdout.splitlines()
    shown = "; ".join(f"{text[:60]}…" if len(text) > 60 else text for text in expressions[:3])
    row("catalogue's expressions that run as functions", "", f"{len(expressions)}: {shown}")


def peers_python() -> str:
    """Return the Python of an environment with the peers, made if it is not there."""
    environment = HERE.parent / ".venv" / "peers"
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    subprocess.run([PYTHON, "-m", "venv", str(environment)], check=True)
    subprocess.run([*pip, "-r", str(HERE.parent / "requirements" / "peers.txt")], check=True, stderr=subprocess.DEVNULL)
    return str(environment / "bin" / "python")


def site() -> None:
    """The documentation site of the catalogue, beside MkDocs with the same texts."""
    whole, again, count, second, more = numbers("site.py", "build")
    row(f"site of {count:,.0f} pages", "< 30 s", f"{whole:.1f} s")
    row("  rebuilt after one policy changed", "< 2 s", f"{again:.2f} s")
    row("  with twice the frameworks: seconds / pages", "proportional", f"{second / whole:.2f} / {more / count:.2f}")
    theirs, texts = numbers("site.py", "mkdocs", peers_python())
    row(f"  beside MkDocs, {texts:,.0f} pages of the same texts", "", f"{whole / theirs:.2f} ({theirs:.1f} s)")
    seconds, size = numbers("site.py", "paint")
    row("a policy's page: first paint at 1.6 Mbit/s, 150 ms", "< 1 s", f"{seconds:.2f} s")
    row("  its size", "< 200 kB", f"{size / 1000:.0f} kB")


def demo() -> None:
    """A full scan of the demonstration, the simulated account in the same process."""
    seconds, megabytes = measure([*REEVE, "scan", "--demo", "--format", "json"], dict(os.environ))
    row("full scan of the demonstration, account included", "< 30 s", f"{seconds:.1f} s, {megabytes:.0f} MB")


def report(runs: int) -> None:
    """What `reeve evaluate` leaves of a hundred thousand users, and of ten times as many; an estate beside one account."""
    wall, _, memory, json_size, html_size, loaded, filtered = numbers("report.py", "users", 100_000, runs)
    row("100,000 users, one policy, default formats", "<= 6 s, 300 MB", f"{wall:.1f} s, {memory:.0f} MB")
    row("  report.json, report.html", "< 80 MB, < 3 MB", f"{json_size:.1f} MB, {html_size:.2f} MB")
    row("  in Chromium: interactive, filtered", "< 1.5 s, < 0.2 s", f"{loaded:.2f} s, {filtered:.2f} s")
    wall, _, more, *_ = numbers("report.py", "users", 1_000_000, 1)
    row("  1 million users: peak memory / that of 100,000", "<= 1.2", f"{more / memory:.2f} ({more:.0f} MB, {wall:.1f} s)")
    many, one, ratio = numbers("report.py", "estate", 1_000_000, runs)
    row("100 accounts, all policies / 1 account, 1 million objects", "<= 1.3", f"{ratio:.2f} ({many:.1f} s / {one:.1f} s)")


def peers() -> None:
    """Engines that judge one object at a time, from an environment of their own, beside the same policy on DuckDB."""
    cel, rego = numbers("peers.py", 50_000, python=peers_python())
    ours, _, _ = numbers("columnar.py", "first", 10_000_000, 3)
    rate = 10_000_000 / ours
    row("first policy, objects a second", "", f"{rate:,.0f}")
    row("  cel-python, one by one", "", f"{cel:,.0f} (1 / {rate / cel:,.0f})")
    row("  regopy, in a batch", "", f"{rego:,.0f} (1 / {rate / rego:,.0f})")


def spark() -> None:
    one, two, duck = numbers("spark_workers.py", 20_000_000)
    row("Spark, 20 million users, 1 worker / 2, warm", "", f"{one:.1f} s / {two:.1f} s = {one / two:.2f}")
    row("  the same on DuckDB, two threads", "", f"{duck:.1f} s")


def main() -> None:
    benchmarks: dict[str, Callable[[], None]] = {
        "start-up": start_up,
        "validate": lambda: validating(arguments.runs),
        "judging": judging,
        "test": lambda: policy_tests(arguments.runs),
        "columnar": lambda: columnar(arguments.runs),
        "peers": peers,
        "spark": spark,
        "report": lambda: report(arguments.runs),
        "site": site,
        "demo": demo,
        "scan": lambda: [scan(users, arguments.runs) for users in (500, 2000)] and None,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", help=f"which: {', '.join(benchmarks)} (default: all)")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    row("what", "bar", "measured (median)")
    for name in arguments.only or benchmarks:
        benchmarks[name]()


if __name__ == "__main__":
    main()
