"""Imports point down the list of design only, and starting up loads no AWS library or engine."""

import ast
import inspect
import re
import subprocess
import sys

import pytest

from conftest import ROOT
from reeve.language.evaluation import Timing
from reeve.language.operations.built_in import BUILT_IN

SOURCES = ROOT / "src" / "reeve"
# From the bottom up: a part may import those before it, and those of its own rank that stand with it.
RANKS = [
    {"model", "files", "masking"},
    {"language"},
    {"repository", "inventory"},
    {"evaluate", "collect"},
    {"findings"},
    {"report"},
    {"site"},
    {"cli"},
]
RANK = {part: rank for rank, parts in enumerate(RANKS) for part in parts}


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


def module_of(path):
    return ".".join(["reeve", *path.relative_to(SOURCES).with_suffix("").parts]).removesuffix(".__init__")


def circles(graph):
    """Return the circles of a graph of sets: each as the set of those that can be reached from one another."""
    reached = {}
    for start in graph:
        found, pending = set(), [start]
        while pending:
            pending += (new := graph.get(pending.pop(), set()) - found)
            found |= new
        reached[start] = found
    return {frozenset(other for other in found if start in reached.get(other, ())) for start, found in reached.items()} - {
        frozenset()
    }


CIRCLES = set()
"""Modules that may import one another, as sets; each with its reason."""


def test_no_modules_import_one_another():
    """Not for their types either, nor inside a function; a module's packages are imported before it."""
    paths = {module_of(path): path for path in SOURCES.rglob("*.py")}
    graph = {name: set() for name in paths}
    for name, path in paths.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reeve"):
                named = {f"{node.module}.{one.name}" for one in node.names}
                targets = (named & paths.keys()) | ({node.module} if named - paths.keys() else set())
            elif isinstance(node, ast.Import):
                targets = {one.name for one in node.names}
            else:
                continue
            for target in targets & paths.keys():
                parts = target.split(".")
                graph[name] |= {
                    above for n in range(1, len(parts) + 1) if not f"{name}.".startswith(f"{(above := '.'.join(parts[:n]))}.")
                }
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}}) == {frozenset("abc")}
    assert circles(graph) == CIRCLES


OPERATIONS = SOURCES / "language" / "operations"
KNOWN = {"reeve.language.operations." + name for name in ("base", "registry", "built_in")}
"""What may be known of operations elsewhere: what each of them is, and that there are some."""
OTHERS = {
    "cli/engines.py": {"SIZE"},  # what an option takes
    "language/kinds.py": {"BOOLEAN", "JSON"},  # types of DuckDB
}
"""Texts that are an operation's name, and stand for something else."""


@pytest.mark.parametrize(
    "path",
    sorted(path for path in SOURCES.rglob("*.py") if OPERATIONS not in path.parents),
    ids=lambda path: path.relative_to(SOURCES).as_posix(),
)
def test_no_operation_is_known_outside_its_class(path):
    """Neither by its class nor by its name in YAML."""
    tree = ast.parse(path.read_text())
    imported = {name for name in imports(path) if name.startswith("reeve.language.operations.")}
    assert imported <= KNOWN
    classes = {one.__name__ for one in (*BUILT_IN.classes, *BUILT_IN.legacy)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    outside = {one.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for one in node.names}
    assert not (classes & names) - own - outside
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert texts & BUILT_IN.by_name.keys() == OTHERS.get(path.relative_to(SOURCES).as_posix(), set())


MOMENT = {"now", "midnight", "day", "as_far_as"}


@pytest.mark.parametrize("operation", [*BUILT_IN.classes, *BUILT_IN.legacy], ids=lambda one: one.__name__)
def test_operations_that_look_at_the_moment_say_so(operation):
    """Else `--since` would keep verdicts that time has changed."""
    tree = ast.parse(inspect.getsource(sys.modules[operation.__module__]))
    looks = any(isinstance(node, ast.Attribute) and node.attr in MOMENT for node in ast.walk(tree))
    assert (getattr(operation, "TIMING", Timing.NONE) is not Timing.NONE) is looks


PROVIDERS = [path.parent for path in (SOURCES / "collect").glob("*/provider.py")]
ELSEWHERE = [path for path in sorted(SOURCES.rglob("*.py")) if not any(path.is_relative_to(own) for own in PROVIDERS)]


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_a_provider_is_imported_by_nobody_but_itself(path):
    own = tuple(f"reeve.collect.{provider.name}" for provider in PROVIDERS)
    assert not [module for module in imports(path) if module.startswith(own)]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "reeve.collect":
            assert not {name.name for name in node.names} & {provider.name for provider in PROVIDERS}


@pytest.mark.parametrize("path", sorted((SOURCES / "collect").glob("*.py")), ids=lambda path: path.name)
def test_what_all_providers_share_names_none(path):
    assert not re.findall(r"(?i)\b(?:aws|iam|botocore|boto3)\b|_aws_|amazon", path.read_text())


def test_every_folder_of_collect_is_a_provider():
    folders = {path.parent for path in (SOURCES / "collect").glob("*/*.py")}
    assert folders == {*PROVIDERS} and PROVIDERS


def test_what_is_known_of_a_provider_without_an_account_loads_no_library():
    script = (
        "import sys; from reeve.collect.provider import console_host, label_of, provider_ids\n"
        "print(*[(label_of(one), console_host(one, one)) for one in provider_ids()])\n"
        "assert not {'botocore', 'urllib3'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "('AWS', 'console.aws.amazon.com')\n", done.stderr


ENGINES = ("botocore", "duckdb", "ibis")
LISTS = [["policy", "list"], ["framework", "list"], ["policy", "show", "*/root-user-mfa"]]


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [(one, (*ENGINES, "jinja2", "rich", "yaml", "msgspec")) for one in (["--version"], ["--help"], ["nonsense"])]
    + [(one, ENGINES) for one in LISTS],
    ids=str,
)
def test_start_up_imports_no_heavy_library(arguments, heavy):
    script = (
        "import sys; from reeve.cli import main; sys.argv = ['reeve', *sys.argv[1:-1]]; heavy = set(sys.orig_argv[-1].split())\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('loaded:', *sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, *arguments, " ".join(heavy)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


def test_modules_stay_small():
    long = {path.name: lines for path in SOURCES.rglob("*.py") if (lines := len(path.read_text().splitlines())) > 420}
    assert not long


# Where names come from buckets, snapshots, manifests and repositories: there only `reeve.files` makes paths of them and opens them.
GUARDED = ("inventory", "repository", "evaluate", "findings", "cli", "report", "site")
CONSTANTS = {"MANIFEST", "OUTCOMES", "OUTCOMES_FOLDER", "SNAPSHOT_FOLDER", "LOCK"}
JOINS = {  # joins of names that are our own or a user's argument, and divisions
    "repository/files.py": 1,  # the one place there; its own check lets `..` lead to a file that is inside
    "repository/repository.py": 2,  # names of parts, and a path that a walk or `cli/working.py` has looked at
    "repository/validation.py": 2,  # ids, which are no paths on a disk
    "site/build.py": 11,  # what `site.addresses` made, or `inside` has looked at
    "cli/watching.py": 1,  # what a walk finds
    "cli/schema.py": 1,  # names of KINDS
    "cli/test.py": 1,  # `--update` writes where the repository has read
    "report/formats/html.py": 1,  # a percentage
    "report/terminal.py": 1,  # a bar's width
    "inventory/temporary.py": 1,  # a name of random letters
}
OPENS = {
    "inventory/storage.py": 1,  # writes a copy, at a path that `inside` made
    "inventory/lines.py": 1,  # writes lines, at a path that `inside` made
    "cli/schema.py": 1,  # writes names of KINDS
    "site/build.py": 2,  # an asset in the package; writes beside the site, at a path that `site.addresses` made
}


def joins(tree):
    """Yield the lines where paths are joined by anything but a name that stands in the code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            right = node.right
            if not isinstance(right, ast.Constant) and not (isinstance(right, ast.Name) and right.id in CONSTANTS):
                yield node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".joinpath", "path.join")):
            yield node.lineno


def opens(tree):
    """Yield the lines where files are opened, read or written by their paths."""
    for node in ast.walk(tree):
        name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        words = ("read_text", "read_bytes", "write_text", "write_bytes", "path.open", "lines.open")
        if name == "open" or name.endswith(words):
            yield node.lineno


@pytest.mark.parametrize(
    "path",
    sorted(path for part in GUARDED for path in (SOURCES / part).rglob("*.py")),
    ids=lambda path: path.relative_to(SOURCES).as_posix(),
)
def test_names_from_elsewhere_become_paths_in_one_place(path):
    name, tree = path.relative_to(SOURCES).as_posix(), ast.parse(path.read_text())
    assert len([*joins(tree)]) == JOINS.get(name, 0), f"join by `reeve.files.inside`: lines {[*joins(tree)]}"
    assert len([*opens(tree)]) == OPENS.get(name, 0), f"open by `reeve.files.open_plain`: lines {[*opens(tree)]}"
