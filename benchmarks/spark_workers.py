"""Spark standalone on loopback with one worker and with two, of one core each: the same codes, and the seconds of each.

`spark_workers.py OBJECTS` prints `one two duckdb`; fails if the codes are not DuckDB's.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyspark
from columnar import NOW, first, run_ours

from reeve.evaluate.engines.spark import Spark
from reeve.evaluate.estate import EstateTables
from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.judge_tables import judge_tables

HOME = Path(pyspark.__file__).parent
LOCAL = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_HOME": str(HOME), "PYSPARK_PYTHON": sys.executable}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on {port}")


@contextmanager
def cluster(workers: int, directory: Path) -> Iterator[str]:
    """Start a master and workers, for as long as the context lasts."""
    port, started = free_port(), []
    command = [str(HOME / "bin" / "spark-class")]
    environment = {**os.environ, **LOCAL, "SPARK_WORKER_DIR": str(directory / "work")}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    where = ["--host", "127.0.0.1", "--webui-port", "0"]
    try:
        master = ["org.apache.spark.deploy.master.Master", *where, "--port", str(port)]
        started.append(subprocess.Popen([*command, *master], **quiet))
        wait_for(port)
        for _ in range(workers):
            worker = ["org.apache.spark.deploy.worker.Worker", *where, "-c", "1", "-m", "3g", f"spark://127.0.0.1:{port}"]
            started.append(subprocess.Popen([*command, *worker], **quiet))
        yield f"spark://127.0.0.1:{port}"
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


def judged(workers: int, built, directory: Path) -> float:
    repository, policies, tables, _ = built
    programs = {policy: compile_body(repository.logic(policy).body) for policy in policies}
    with cluster(workers, directory) as master, Spark(master) as engine:
        wait_until_ready(engine, workers)
        for run in range(3):  # the first ones are the JVM's warming up, which a cluster in use has behind it
            started = time.perf_counter()
            out = directory / f"of-{workers}-{run}"
            judge_tables(engine, EstateTables(tables), programs, repository.object_type, NOW, str(out))
            taken = time.perf_counter() - started
        out.rename(directory / f"of-{workers}")
        return taken


def wait_until_ready(engine: Spark, workers: int) -> None:
    """Wait for the workers' executors, and let them start a task each, which a cluster in use has done."""
    context = engine._session.sparkContext
    for _ in range(300):
        if context._jsc.sc().getExecutorMemoryStatus().size() > workers:
            context.parallelize(range(workers * 2), workers * 2).count()
            return
        time.sleep(0.1)
    raise TimeoutError("the workers did not come")


def counts(directory: Path) -> list[tuple[int, int]]:
    query = f"SELECT code0::INTEGER, count(*), sum(hash(id) % 1000003) FROM '{directory}/*/*/*.parquet' GROUP BY ALL ORDER BY 1"
    return duckdb.sql(query).fetchall()


def main() -> None:
    os.environ.update(LOCAL)
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as name:
        directory = Path(name)
        built = first(directory, int(sys.argv[1]))
        run_ours(built, directory / "warm", directory / "spill")
        duck = run_ours(built, directory / "of-duckdb", directory / "spill")
        one, two = judged(1, built, directory), judged(2, built, directory)
        assert counts(directory / "of-1") == counts(directory / "of-2") == counts(directory / "of-duckdb")
        print(one, two, duck)


if __name__ == "__main__":
    main()
