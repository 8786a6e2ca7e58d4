"""The summary on a terminal or in a pipe: offenders with place, evidence and remedy, counts, what could not be read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from reeve.findings.frameworks import FrameworkResult, Verdict
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.manifest import Manifest
from reeve.model import Status
from reeve.report.accounts import account_text, account_title
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
SOME = 5
"""How many offenders of each of many policies are shown."""
MOST = 100
"""How many offenders of a policy that is shown alone are shown, and as many that are undetermined."""
MANY_ERRORS = 5
"""From how many failed calls on each gets a single line."""


def render(results: Results, console: Console) -> None:
    """Print the summary."""
    manifest = results.manifest
    several = len(manifest.parts) > 1
    said = ", ".join(map(account_title, manifest.parts[:SOME])) + (
        f" and {len(manifest.parts) - SOME} more" if len(manifest.parts) > SOME else ""
    )
    console.print(text(f"{said}, as of {manifest.moment:%Y-%m-%d %H:%M:%S} UTC"))
    if results.left_out:
        shown = f"{results.shown:,} findings, the worst, can be shown with everything; {results.left_out:,} are only counted"
        console.print(text(f"Cut off: {shown}.", style="yellow"))
    if results.many:
        for result in results.worst_first:
            _offenders(result, several, SOME, console)
        _overview(results.worst_first, console)
    else:
        for result in results.policies:
            _policy(result, several, console)
    if not results.policies:
        console.print("No policy with production logic was selected.")
    if results.framework:
        _framework(results.framework, console)
    _incomplete(results, console)
    _requests(manifest, console)


def _requests(manifest: Manifest, console: Console) -> None:
    seconds = sum((part.finished_at - part.started_at).total_seconds() for part in manifest.parts)
    by_service = sorted(manifest.calls_by_service.items(), key=lambda entry: (-entry[1], entry[0]))
    said = ", ".join(f"{service} {count:,}" for service, count in by_service)
    console.print(text(f"{sum(manifest.calls.values()):,} requests in {seconds:.1f} s: {said}", style="dim"))


def _overview(policies: Sequence[PolicyResult], console: Console) -> None:
    """Print a line for each policy, in the order given."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("severity", no_wrap=True)
    for heading in ("bad", "unsure", "good"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("policy", overflow="fold", ratio=1)
    for result in policies:
        counts = result.counts
        shown = (Status.INCOMPLIANT, Status.UNDETERMINED, Status.COMPLIANT)
        cells = [text(f"{counts[status]:,}", style=STYLES[status] if counts[status] else "dim") for status in shown]
        table.add_row(_severity(result), *cells, text(result.policy.full_name))
    console.print()
    console.print(table, width=min(console.width, WIDEST))
    failing = sum(result.counts[Status.INCOMPLIANT] > 0 for result in policies)
    console.print()
    hint = "`--policy NAME` shows one with all that it judged, `--out DIR` writes the whole report"
    console.print(text(f"{failing} of {len(policies)} policies have offenders; {hint}.", style="dim"))


def _severity(result: PolicyResult) -> "Text":
    severity, failed = result.policy.severity or "", result.counts[Status.INCOMPLIANT] > 0
    return text(severity, style=SEVERITY_STYLES.get(severity, "") if failed else "dim")


def _offenders(result: PolicyResult, several: bool, most: int, console: Console) -> None:
    """Print a policy's offenders, the first of them, if it has any."""
    offenders = _with_status(result, Status.INCOMPLIANT)
    if not offenders:
        return
    console.print()
    console.print(joined([text(result.policy.full_name, style="bold"), _severity(result)], "  "))
    for finding in offenders[:most]:
        _offender(finding, several, console)
    _more(result, Status.INCOMPLIANT, offenders[:most], console)


def _policy(result: PolicyResult, several: bool, console: Console) -> None:
    console.print()
    console.print(text(result.policy.full_name, style="bold"))
    console.print(text(result.policy.id, style="dim"), overflow="fold")
    console.print(_counts(result))
    offenders = _with_status(result, Status.INCOMPLIANT)
    if offenders:
        console.print()
        console.print(text(f"Incompliant ({result.counts[Status.INCOMPLIANT]:,})", style=STYLES[Status.INCOMPLIANT]))
        for finding in offenders[:MOST]:
            _offender(finding, several, console)
        _more(result, Status.INCOMPLIANT, offenders[:MOST], console)
    unknown = _with_status(result, Status.UNDETERMINED)
    if unknown:
        console.print()
        console.print(text(f"Undetermined ({result.counts[Status.UNDETERMINED]:,})", style=STYLES[Status.UNDETERMINED]))
        for finding in unknown[:MOST]:
            _unknown(finding, several, console)
        _more(result, Status.UNDETERMINED, unknown[:MOST], console)
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


def _offender(finding: Finding, several: bool, console: Console) -> None:
    _indented(_where(finding, several), console)
    if finding.evidence:
        _indented(text(_flat(finding.evidence.text)), console, 4)
    remedy = finding.remedy
    if remedy is None:
        _indented(text(_flat(finding.meaning.remediation or finding.meaning.message)), console, 4)
        return
    _indented(text(f"→ {_flat(remedy.say)}"), console, 4)
    for command in remedy.commands[:SOME]:
        # A command is copied: it is printed in one piece, whatever the width.
        console.print(text(f"    {command.run}", style="cyan"), soft_wrap=True)
    if len(remedy.commands) > SOME:
        _indented(text(f"… and {len(remedy.commands) - SOME} more commands", style="dim"), console, 4)
    if remedy.cannot_undo:
        _indented(text(f"Can't be undone: {_flat(remedy.cannot_undo)}", style="yellow"), console, 4)


def _where(finding: Finding, several: bool) -> "Text":
    """Return an object's name, and what tells it from others of that name."""
    place = finding.place
    parts = [finding.object_id] if finding.object_id != finding.shown_name else []
    parts += [place.region] + ([account_text(place.account, place.account_name)] if several else [])
    name = text(finding.shown_name, style="bold", overflow="fold")
    return joined([name, text(*parts, separator=" · ", style="dim")], "  ")


def _flat(message: str) -> str:
    """Return a message, which may have been written in several lines, in one."""
    return " ".join(message.split())


def _unknown(finding: Finding, several: bool, console: Console) -> None:
    _indented(_where(finding, several), console)
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
        about += f"; in {error.account or 'an unknown account'}" if len(results.manifest.parts) > 1 else ""
        if len(errors) > MANY_ERRORS:
            _indented(text(f"{error.call}: {error.code}{times}; about {about}"), console)
            continue
        request = f", request {error.request_id}" if error.request_id else ""
        _indented(text(f"{error.call}: {error.code}{times}: {error.message}{request}; about {about}"), console)
        _indented(text(f"→ {error.advice}"), console, 4)
    if len(errors) > MANY_ERRORS:
        hint = "the report says what to do about each; `reeve permissions` prints the IAM policy that a scan needs"
        _indented(text(f"→ {hint}"), console)
