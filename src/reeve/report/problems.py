"""A repository's problems as text with a caret line, as JSON, as SARIF, or as annotations of a forge's checks."""

from collections.abc import Callable, Sequence
from typing import Any

from reeve import __version__
from reeve.language.errors import Problem
from reeve.report import escaping
from reeve.report.escaping import visible

Read = Callable[[str], bytes]
"""Gives a file's bytes by its path from the root."""

WIDEST = 100


def text(problems: Sequence[Problem], root: str, read: Read) -> str:
    """Return each problem as `path:line:column: …`, with the line it is in and a caret below the column."""
    shown: list[str] = []
    cache: dict[str, list[str]] = {}
    for problem in problems:
        position = problem.position
        kind = "warning: " if problem.warning else ""
        shown.append(f"{visible(root + position.path)}:{position.line}:{position.column}: {kind}{visible(problem.message)}")
        if position.path not in cache:
            cache[position.path] = _lines(position.path, read)
        shown.extend(_caret(cache[position.path], position.line, position.column))
    errors = sum(not problem.warning for problem in problems)
    shown.append(f"{_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')}")
    return "\n".join(shown) + "\n"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _lines(path: str, read: Read) -> list[str]:
    try:
        return read(path).decode("utf-8").splitlines()
    except Exception:  # noqa: BLE001 - the problem itself may be that the file can't be read; then no line is shown
        return []


def _caret(lines: Sequence[str], line: int, column: int) -> list[str]:
    if not 1 <= line <= len(lines) or not lines[line - 1].strip():
        return []
    content, start = lines[line - 1], max(0, column - WIDEST + 20)
    part = content[start : start + WIDEST]
    before = visible(content[start : column - 1].replace("\t", " "))
    return [f"    {visible(part.replace(chr(9), ' '))}", f"    {' ' * len(before)}^"]


def as_json(problems: Sequence[Problem], root: str) -> str:
    """Return the problems as JSON: `{"errors": n, "warnings": n, "problems": [...]}`."""
    shown: list[dict[str, Any]] = [
        {
            "path": root + problem.position.path,
            "line": problem.position.line,
            "column": problem.position.column,
            "key": problem.position.key,
            "severity": "warning" if problem.warning else "error",
            "rule": problem.rule,
            "message": problem.message,
        }
        for problem in problems
    ]
    errors = sum(not problem.warning for problem in problems)
    result = {"errors": errors, "warnings": len(problems) - errors, "problems": shown}
    return escaping.as_json(result) + "\n"


def sarif(problems: Sequence[Problem], root: str) -> str:
    """Return the problems as SARIF 2.1.0, for code scanning."""
    rules = [{"id": rule} for rule in sorted({problem.rule for problem in problems})]
    results: list[dict[str, Any]] = [
        {
            "ruleId": problem.rule,
            "level": "warning" if problem.warning else "error",
            "message": {"text": problem.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": (root + problem.position.path).lstrip("/")},
                        "region": {"startLine": problem.position.line, "startColumn": problem.position.column},
                    },
                    **({"logicalLocations": [{"fullyQualifiedName": problem.position.key}]} if problem.position.key else {}),
                }
            ],
        }
        for problem in problems
    ]
    driver = {"name": "reeve", "version": __version__, "rules": rules}
    return escaping.as_json({"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}) + "\n"


def github(problems: Sequence[Problem], root: str) -> str:
    """Return the problems as workflow commands, which annotate a change."""
    lines = [
        f"::{'warning' if problem.warning else 'error'} file={_property(root + problem.position.path)},"
        f"line={problem.position.line},col={problem.position.column},"
        f"title={_property(problem.rule)}::{_data(problem.message + _at(problem))}"
        for problem in problems
    ]
    return "".join(line + "\n" for line in lines)


def _at(problem: Problem) -> str:
    return f" (at {problem.position.key})" if problem.position.key else ""


def _data(text: str) -> str:
    """Return a text as a workflow command holds it, in one line."""
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
