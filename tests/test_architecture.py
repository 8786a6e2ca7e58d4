"""Imports point down the list of design only, and starting up loads no AWS library or engine."""

import ast
import subprocess
import sys

import pytest

from conftest import ROOT

SOURCES = ROOT / "src" / "reeve"
# From the bottom up: a part may import those before it, and those of its own rank that stand with it.
RANKS = [
    {"model"},
    {"language"},
    {"repository", "inventory"},
    {"evaluate", "collect"},
    {"findings"},
    {"report"},
    {"site"},
    {"cli"},
]
RANK = {part: rank for rank, parts in enumerate(RANKS) for part in parts}
WITHIN_COLLECT = {"collect", "inventory", "language", "model"}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reeve"):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("reeve"))


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_imports_point_down(path):
    part = path.relative_to(SOURCES).parts[0].removesuffix(".py")
    if part in ("__init__", "__main__"):
        return
    for module in imports(path):
        target = module.split(".")[1] if "." in module else None
        if target is None:
            continue
        if part == "demo" and target != "demo":
            pytest.fail("the simulated account imports nothing of ours")
        if target == "demo":
            assert part in ("cli", "demo")
        else:
            same = target == part
            assert same or RANK[target] < RANK[part], f"{part} imports {module}"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["nonsense"]])
def test_start_up_imports_no_heavy_library(arguments):
    script = (
        "import sys; from reeve.cli import main; sys.argv = ['reeve', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('loaded:', *sorted({'botocore', 'duckdb', 'ibis', 'jinja2', 'rich', 'yaml', 'msgspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


def test_modules_stay_small():
    long = {path.name: lines for path in SOURCES.rglob("*.py") if (lines := len(path.read_text().splitlines())) > 420}
    assert not long
