"""What a user installs is what is tested: the built wheel, in clean environments, runs all that it promises (`make wheel`).

One environment for each file of requirements: the runtime's alone, and that of each extra. In each, every command runs, with
every engine and every format, outside the checkout. It is no test of pytest's, as it needs the package registry.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import venv
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import botocore.session

from reeve.demo.company import simulated_account

ROOT = Path(__file__).parent.parent
EXTRAS = ("runtime", "demo", "spark", "spark-connect")
POLICY = "*/user-has-more-than-one-active-access-key"
SOME = ("--policy", "*/iam/*")
"""Enough policies for every engine and format; all of them are judged once, by the scan."""
LEAVES = """
import click, json
from reeve.cli import reeve
def leaves(command, path):
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    return [leaf for name in command.list_commands(context) for leaf in leaves(command.get_command(context, name), [*path, name])]
print(json.dumps(leaves(reeve, [])))
"""


@dataclass
class Installed:
    """The wheel in an environment of its own; `ran` are the commands that ran there."""

    extra: str
    home: Path
    directory: Path
    endpoint: str
    ran: set[tuple[str, ...]] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "JAVA_HOME") if name in os.environ}
        account = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        spark = {"PYSPARK_PYTHON": str(self.home / "bin/python"), "SPARK_LOCAL_IP": "127.0.0.1"}
        return {**kept, **account, **spark, "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(self.directory)}

    def python(self, *arguments: object) -> str:
        command = [str(self.home / "bin/python"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.directory, env=self.environment)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, *arguments: object, codes: tuple[int, ...] = (0,), says: str = "") -> str:
        """Run the command; it must end with one of the codes, and say nothing of an internal error."""
        words = [str(argument) for argument in arguments]
        self.ran.update(tuple(words[: n + 1]) for n in range(2))
        command = [str(self.home / "bin/reeve"), *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.directory, env=self.environment)
        shown = f"{self.extra}: reeve {' '.join(words)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        assert done.returncode in codes, shown
        assert "Traceback" not in done.stderr and "internal error" not in done.stderr, shown
        assert says in done.stderr, shown
        return done.stdout

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        self.ran.add(tuple(map(str, arguments[:2])))
        command = [str(self.home / "bin/reeve"), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=self.directory, env=self.environment)


def install(extra: str, wheel: Path, directory: Path, endpoint: str) -> Installed:
    """Make an environment that holds the requirements of an extra, and the wheel, and nothing else."""
    home = directory / f"env-{extra}"
    venv.create(home, with_pip=True)
    work = directory / f"work-{extra}"
    work.mkdir()
    found = Installed(extra, home, work, endpoint)
    quiet = ("install", "--quiet", "--disable-pip-version-check", "--no-input")
    pip = [str(home / "bin/python"), "-m", "pip", *quiet]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / f"requirements/{extra}.txt")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    found.python("-m", "pip", "check")
    return found


def check_authoring(reeve: Installed) -> None:
    """The commands that need no account."""
    assert reeve.run("--version").strip()
    for leaf in json.loads(reeve.python("-c", LEAVES)):
        assert "Example" in reeve.run(*leaf, "--help"), leaf
    reeve.run("validate")
    reeve.run("test", "/ce/ca/aws/iam")
    reeve.run("policy", "list", "--format", "json")
    reeve.run("policy", "show", POLICY)
    reeve.run("framework", "list")
    reeve.run("framework", "show", "cis-aws-v5.0.0")
    json.loads(reeve.run("permissions"))
    reeve.run("schema", "--out", "schemas")


def check_collecting(reeve: Installed) -> None:
    """Collecting from an account over HTTP, and the simulated one where its extra is there."""
    reeve.run("collect", "--out", "snapshot", codes=(0, 3))
    reeve.run("scan", "--out", "scan", "--format", "terminal,json,html", codes=(1, 3))
    reeve.run("scan", "--out", "s3://wheel/scan", "--policy", POLICY, codes=(1, 3))
    reeve.run("evaluate", "s3://wheel/scan", "--policy", POLICY, codes=(1, 3))
    if reeve.extra == "demo":
        reeve.run("scan", "--demo", "--policy", POLICY, codes=(1, 3))
    else:
        reeve.run("scan", "--demo", codes=(2,), says="pip install 'reeve[demo]'")


def check_judging(reeve: Installed) -> None:
    """Every engine, and every format."""
    for engine in ("interpreter", "duckdb", "auto"):
        for name in ("terminal", "json", "html", *(["parquet"] if engine != "interpreter" else [])):
            out = f"{engine}-{name}"
            reeve.run("evaluate", "scan", *SOME, "--engine", engine, "--format", name, "--out", out, codes=(1, 3))
    reeve.run("evaluate", "scan", *SOME, "--format", "parquet", "--since", "duckdb-parquet", "--out", "again", codes=(1, 3))
    reeve.run("explain", POLICY, offender(reeve), "--snapshot", "scan")
    spark = ("evaluate", "scan", "--policy", POLICY, "--engine", "spark", "--out", "spark")
    if not reeve.extra.startswith("spark"):
        reeve.run(*spark, codes=(2,), says="pip install 'reeve[spark]'")
        return
    reeve.run(*spark, "--master", "local[1]", "--format", "parquet,json", codes=(1, 3))
    if reeve.extra == "spark-connect":
        with connect_server(reeve) as address:
            reeve.run(*spark, "--master", address, "--format", "parquet,json", codes=(1, 3))


def offender(reeve: Installed) -> str:
    """Return the id of an object that is INCOMPLIANT in the report of the scan."""
    report = json.loads((reeve.directory / "scan/report.json").read_text())
    return next(
        one["object"]
        for one in report["findings"]
        if one["policy"].endswith(POLICY.removeprefix("*")) and one["status"] == "INCOMPLIANT"
    )


@contextmanager
def connect_server(reeve: Installed):
    """A server of Spark Connect, as a process of this environment, for as long as the context lasts."""
    port = free_port()
    submit = next((reeve.home / "lib").glob("python*/site-packages/pyspark")) / "bin/spark-submit"
    options = [
        f"spark.connect.grpc.binding.port={port}",
        "spark.connect.grpc.binding.address=127.0.0.1",
        "spark.ui.enabled=false",
    ]
    command = [str(submit), "--master", "local[1]", *(word for option in options for word in ("--conf", option))]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    with (reeve.directory / "connect.log").open("w") as log:
        environment = {**reeve.environment, "SPARK_LOG_DIR": str(reeve.directory)}
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=reeve.directory, env=environment)
        try:
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def free_port() -> int:
    """Return a port of loopback that nothing listens at."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def check_site(reeve: Installed) -> None:
    """The site, built and served."""
    reeve.run("site", "build", "--out", "pages", "--results", "scan")
    assert (reeve.directory / "pages/index.html").is_file()
    port = free_port()
    served = reeve.start("site", "serve", "--port", port)
    try:
        assert served.stdout and f":{port}" in served.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert b"<html" in answer.read()
    finally:
        served.terminate()
        served.wait(30)


def main() -> None:
    """Build the wheel and check it in every environment; the first failure ends it."""
    with tempfile.TemporaryDirectory(prefix="reeve-wheel-") as made, simulated_account() as endpoint:
        directory = Path(made)
        build = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
        session = botocore.session.Session()
        session.set_credentials("testing", "testing")
        session.create_client("s3", region_name="us-east-1", endpoint_url=endpoint).create_bucket(Bucket="wheel")
        subprocess.run([*build, "--no-build-isolation", "--wheel-dir", made, str(ROOT)], check=True)
        (wheel,) = directory.glob("*.whl")
        for extra in EXTRAS:
            reeve = install(extra, wheel, directory, endpoint)
            for check in (check_authoring, check_collecting, check_judging, check_site):
                check(reeve)
            leaves = {tuple(leaf) for leaf in json.loads(reeve.python("-c", LEAVES))}
            assert leaves <= reeve.ran, f"not run: {leaves - reeve.ran}"
            print(f"{extra}: {len(leaves)} commands", flush=True)


if __name__ == "__main__":
    main()
