"""The summary on a terminal or in a pipe: counts by status, offenders with their keys, what could not be read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from reeve.findings.frameworks import FrameworkResult, Verdict
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.model import Status
from reeve.report.streams import joined, text

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {
    Status.INCOMPLIANT: "bold red",
    Status.UNDETERMINED: "yellow",
    Status.COMPLIANT: "green",
    Status.INAPPLICABLE: "dim",
    Status.DISAPPEARED: "dim",
}

VERDICT_STYLES = {
    Verdict.FAILED: STYLES[Status.INCOMPLIANT],
    Verdict.INCOMPLETE: STYLES[Status.UNDETERMINED],
    Verdict.PASSED: STYLES[Status.COMPLIANT],
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.NOT_JUDGED: "dim",
}

SEVERITY_STYLES = {"CRITICAL": "bold red", "HIGH": "red", "MEDIUM": "yellow"}

WIDEST = 110
SOME = 3
"""How many offenders are named beside each of many policies."""
MANY_ERRORS = 5
"""From how many failed calls on each gets a single line."""


def render(results: Results, console: Console) -> None:
    """Print the summary."""
    manifest = results.manifest
    console.print(text(f"AWS account {manifest.accounts}, as of {manifest.moment:%Y-%m-%d %H:%M:%S} UTC"))
    if results.many:
        _overview(results.worst_first, console)
    else:
        for result in results.policies:
            _policy(result, console)
    if not results.policies:
        console.print("No policy with production logic was selected.")
    if results.framework:
        _framework(results.framework, console)
    _incomplete(results, console)
    seconds = (manifest.finished_at - manifest.moment).total_seconds()
    by_service = sorted(manifest.calls_by_service.items(), key=lambda entry: (-entry[1], entry[0]))
    said = ", ".join(f"{service} {count:,}" for service, count in by_service)
    console.print(text(f"{sum(manifest.calls.values()):,} requests to AWS in {seconds:.1f} s: {said}", style="dim"))


def _overview(policies: Sequence[PolicyResult], console: Console) -> None:
    """Print a line for each policy, in the order given, with the names of some offenders."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("severity", no_wrap=True)
    for heading in ("bad", "unsure", "good"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("policy", overflow="fold", ratio=1)
    for result in policies:
        counts = result.counts
        shown = (Status.INCOMPLIANT, Status.UNDETERMINED, Status.COMPLIANT)
        cells = [text(f"{counts[status]:,}", style=STYLES[status] if counts[status] else "dim") for status in shown]
        severity = result.policy.severity or ""
        failed = counts[Status.INCOMPLIANT] > 0
        table.add_row(text(severity, style=SEVERITY_STYLES.get(severity, "") if failed else "dim"), *cells, _named(result))
    console.print()
    console.print(table, width=min(console.width, WIDEST))
    failing = sum(result.counts[Status.INCOMPLIANT] > 0 for result in policies)
    console.print()
    hint = "`--policy NAME` shows one with its offenders and what to do, `--out DIR` writes the whole report"
    console.print(text(f"{failing} of {len(policies)} policies have offenders; {hint}.", style="dim"))


def _named(result: PolicyResult) -> "Text":
    """Return a policy's name, and below it its first offenders: a name once, though objects in many regions may have it."""
    found = [text(result.policy.full_name)]
    offenders = _with_status(result, Status.INCOMPLIANT)
    names = list(dict.fromkeys(finding.object_name for finding in offenders))
    if names:
        more = len(names) > SOME or result.counts[Status.INCOMPLIANT] > len(offenders)
        found.append(text(", ".join([*names[:SOME], *(["…"] if more else [])]), style="dim"))
    return joined(found, "\n")


def _policy(result: PolicyResult, console: Console) -> None:
    console.print()
    console.print(text(result.policy.full_name, style="bold"))
    console.print(text(result.policy.id, style="dim"), overflow="fold")
    console.print(_counts(result))
    offenders = _with_status(result, Status.INCOMPLIANT)
    if offenders:
        console.print()
        console.print(text(f"Incompliant ({result.counts[Status.INCOMPLIANT]})", style=STYLES[Status.INCOMPLIANT]))
        for finding in offenders:
            _offender(finding, console)
        _more(result, Status.INCOMPLIANT, offenders, console)
    unknown = _with_status(result, Status.UNDETERMINED)
    if unknown:
        console.print()
        console.print(text(f"Undetermined ({result.counts[Status.UNDETERMINED]})", style=STYLES[Status.UNDETERMINED]))
        for finding in unknown:
            _unknown(finding, console)
        _more(result, Status.UNDETERMINED, unknown, console)
    frameworks = sorted({link.section.framework for link in result.links})
    if frameworks:
        console.print()
        console.print(text(f"Touches {len(result.links)} sections of {len(frameworks)} frameworks.", style="dim"))


def _framework(framework: FrameworkResult, console: Console) -> None:
    """Print the sections that a policy judged, with those above them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("section", overflow="fold", ratio=1)
    table.add_column("verdict", no_wrap=True)
    for heading in ("bad", "unsure", "good", "judged"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in framework.sections:
        if one.verdict is Verdict.NOT_JUDGED and one.depth:
            continue
        counts = (one.counts[status] for status in (Status.INCOMPLIANT, Status.UNDETERMINED, Status.COMPLIANT))
        name = Padding(text(one.section.name, style="" if one.depth else "bold"), (0, 0, 0, 2 * one.depth))
        judged = f"{one.judged}/{one.leaves}" if one.leaves > 1 else ""
        table.add_row(name, text(one.verdict, style=VERDICT_STYLES[one.verdict]), *map(str, counts), judged)
    console.print()
    console.print(table, width=min(console.width, WIDEST))
    whole = framework.whole
    console.print(
        text(f"{whole.leaves - whole.judged:,} of {whole.leaves:,} sections have no policy that judged.", style="dim")
    )


def _more(result: PolicyResult, status: Status, shown: Sequence[Finding], console: Console) -> None:
    more = result.counts[status] - len(shown)
    if more:
        _indented(text(f"… and {more:,} more", style="dim"), console)


def _with_status(result: PolicyResult, status: Status) -> Sequence[Finding]:
    return [finding for finding in result.findings if finding.meaning.status is status]


def _counts(result: PolicyResult) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    counts = result.counts
    total = max(1, sum(counts.values()))
    for status in SHOWN_ORDER:
        count = counts[status]
        bar = "█" * round(24 * count / total) or ("▏" if count else "")
        style = STYLES[status] if count else "dim"
        table.add_row(text(status, style=style), text(str(count), style=style), text(bar, style=style))
    return table


def _indented(shown: "Text", console: Console, by: int = 2) -> None:
    console.print(Padding(shown, (0, 0, 0, by), expand=False), width=min(console.width, WIDEST))


def _offender(finding: Finding, console: Console) -> None:
    _indented(text(finding.object_name, style="bold", overflow="fold"), console)
    if finding.advice is None:
        _indented(text(_flat(finding.meaning.remediation or finding.meaning.message)), console, 4)
        return
    _indented(text(finding.advice.why), console, 4)
    # A command is copied: it is printed in one piece, whatever the width.
    console.print(text(f"    {finding.advice.command}", style="cyan"), soft_wrap=True)


def _flat(message: str) -> str:
    """Return a message, which may have been written in several lines, in one."""
    return " ".join(message.split())


def _unknown(finding: Finding, console: Console) -> None:
    _indented(text(finding.object_name, style="bold", overflow="fold"), console)
    reasons = dict.fromkeys(finding.not_collected.values()) or {finding.runtime_error or finding.meaning.message: None}
    for reason in reasons:
        _indented(text(_flat(reason)), console, 4)


def _incomplete(results: Results, console: Console) -> None:
    console.print()
    for note in results.manifest.notes:
        console.print(text(f"Note: {note}."))
    errors = results.errors
    if errors:
        console.print(text("Incomplete: something could not be read", style="yellow"))
    for error in errors:
        times = f" ({error.count} times)" if error.count > 1 else ""
        about = ", ".join(error.subjects) + (", …" if error.count > len(error.subjects) else "")
        if len(errors) > MANY_ERRORS:
            _indented(text(f"{error.call}: {error.code}{times}; about {about}"), console)
            continue
        request = f", request {error.request_id}" if error.request_id else ""
        _indented(text(f"{error.call}: {error.code}{times}: {error.message}{request}; about {about}"), console)
        _indented(text(f"→ {error.advice}"), console, 4)
    if len(errors) > MANY_ERRORS:
        hint = "the report says what to do about each; `reeve permissions` prints the IAM policy that a scan needs"
        _indented(text(f"→ {hint}"), console)
