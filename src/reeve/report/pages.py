"""What pages are made with, a report's and the site's: templates in which all is escaped, and the colours of verdicts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jinja2
from markupsafe import Markup

from reeve.findings.frameworks import Verdict
from reeve.model import Status
from reeve.report import markdown
from reeve.report.accounts import account_text
from reeve.report.escaping import visible

COLORS: Mapping[Status, str] = {
    Status.INCOMPLIANT: "bad",
    Status.UNDETERMINED: "unsure",
    Status.COMPLIANT: "good",
    Status.INAPPLICABLE: "off",
    Status.DISAPPEARED: "gone",
}
VERDICT_COLORS: Mapping[Verdict, str] = {
    Verdict.FAILED: "bad",
    Verdict.INCOMPLETE: "unsure",
    Verdict.PASSED: "good",
    Verdict.NOT_APPLICABLE: "off",
    Verdict.NOT_JUDGED: "off",
}


def environment(folder: str) -> jinja2.Environment:
    """Return what renders templates of pages: whatever they show is escaped, and a name that is not given is an error.

    Args:
        folder: the package whose folder `templates` holds them, beside those of reports (`finding.html.j2`).
    """
    places = [jinja2.PackageLoader(package, "templates") for package in dict.fromkeys((folder, "reeve.report"))]
    found = jinja2.Environment(
        loader=jinja2.ChoiceLoader(places),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known: dict[str, Any] = found.filters  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    known.update(time=_time, markdown=markdown.render)
    names: dict[str, Any] = found.globals  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    names.update(account_text=account_text)
    return found


def _shown(value: object) -> object:
    """Return what a page shows of a value: what Python has no text for is left blank, harmful characters are written out."""
    if isinstance(value, str):
        return value if isinstance(value, Markup) else visible(value, markdown.LAYOUT)
    return "" if value is None else value


def _time(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if value else ""
