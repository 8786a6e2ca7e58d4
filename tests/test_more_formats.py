"""A format of reports is one module, wholly: one outside the package is found, offered and written."""

import pytest

from conftest import FIRST
from reeve.report import formats

MODULE = '''"""A line for each finding."""

from collections.abc import Iterator

from reeve.findings.results import Results


def render(results: Results) -> Iterator[bytes]:
    for result in results.policies:
        for finding in result.findings:
            yield f"{finding.meaning.status} {finding.place.arn}\\n".encode()
'''


@pytest.fixture
def lines(tmp_path, monkeypatch):
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "lines.py").write_text(MODULE)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path / "formats")])


def test_a_format_is_one_module(account, reeve, lines, tmp_path):
    account.add("someone", True)
    account.add("both", True, True)
    arns = [f"arn:aws:iam::123456789012:user/{name}" for name in ("both", "someone")]
    wanted = f"INCOMPLIANT {arns[0]}\nCOMPLIANT {arns[1]}\n"
    assert reeve("scan", *FIRST, "--format", "lines").out == wanted
    run = reeve("scan", *FIRST, "--out", tmp_path / "out", "--format", "lines,json", "--quiet")
    assert (run.code, run.out) == (1, "")
    assert (tmp_path / "out/report.lines").read_text() == wanted and (tmp_path / "out/report.json").exists()
    assert "did you mean lines?" in reeve("scan", *FIRST, "--format", "line").err


def test_without_the_module_there_is_no_such_format(account, reeve):
    run = reeve("scan", *FIRST, "--format", "lines")
    assert run.code == 2 and run.err == "reeve: there is no format 'lines'; there are terminal, html, json, parquet\n"
