"""The report as one self-contained HTML file: no request to anywhere, readable without scripts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reeve import __version__
from reeve.findings.choosing import shares
from reeve.findings.results import SHOWN_ORDER, Finding, PolicyResult, Results
from reeve.inventory.manifest import Manifest
from reeve.report.accounts import account_title
from reeve.report.pages import COLORS, VERDICT_COLORS, environment

AT_MOST = 1_000
"""How many findings a page holds: a browser shows so many at once, and the file stays below 3 MB."""


def render(results: Results) -> Iterator[bytes]:
    """Yield the report as HTML, UTF-8: pieces of it, as they are made."""
    template = environment("reeve.report").get_template("report.html.j2")
    policies = results.worst_first
    findings = _held(policies)
    shown = sum(map(len, findings))
    pieces = template.generate(
        results=results,
        manifest=results.manifest,
        title=_title(results.manifest),
        policies=policies,
        findings=findings,
        shown=shown,
        left_out=results.shown + results.left_out - shown,
        many=results.many,
        sections=[_sections(result, results.framework_names) for result in policies],
        bars=[_bar(result) for result in policies],
        statuses=SHOWN_ORDER,
        colors=COLORS,
        verdict_colors=VERDICT_COLORS,
        version=__version__,
    )
    return (piece.encode("utf-8", "replace") for piece in pieces)


def _held(policies: Sequence[PolicyResult]) -> list[Sequence[Finding]]:
    """Return the findings of each policy that the page holds."""
    counts = [(result.policy, Counter(finding.meaning.status for finding in result.findings)) for result in policies]
    held = shares(counts, AT_MOST)
    found: list[Sequence[Finding]] = []
    for result in policies:
        left = dict(held[result.policy.id])
        own: list[Finding] = []
        for finding in result.findings:
            if left[finding.meaning.status]:
                left[finding.meaning.status] -= 1
                own.append(finding)
        found.append(own)
    return found


def _title(manifest: Manifest) -> str:
    if len(manifest.parts) == 1:
        return account_title(manifest.parts[0])
    return f"{len(manifest.parts)} accounts"


def _bar(result: PolicyResult) -> list[dict[str, Any]]:
    """Return the pieces of the bar by status: offset and width in percent, status, count."""
    total, offset = max(1, sum(result.counts.values())), 0.0
    pieces: list[dict[str, Any]] = []
    for status in SHOWN_ORDER:
        count = result.counts[status]
        width = 100 * count / total
        if count:
            pieces.append({"status": status, "count": count, "offset": round(offset, 3), "width": round(width, 3)})
        offset += width
    return pieces


def _sections(result: PolicyResult, names: Mapping[str, str]) -> list[tuple[str, list[Any]]]:
    """Return a policy's links by the name of their framework, in order."""
    found: dict[str, list[Any]] = {}
    for link in result.links:
        found.setdefault(names.get(link.section.framework, link.section.framework), []).append(link)
    return list(found.items())
