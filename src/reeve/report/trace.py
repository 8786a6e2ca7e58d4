"""A trace and its evidence as lines of text."""

from collections.abc import Iterator

from reeve.evaluate.evidence import Child, Evidence
from reeve.evaluate.trace import ListTrace, Step, Trace, fired
from reeve.language import codes
from reeve.language.values import describe

_INDENT = "    "


def lines(trace: Trace) -> Iterator[str]:
    """Yield the conditions that were looked at, each sub-expression with its value, the related lists, and what decided."""
    yield from _looked_at(trace)
    yield f"{trace.meaning.status}, code {trace.meaning.code}, decided by {trace.meaning.text}: {trace.meaning.message}"
    if trace.outcome.runtime_error:
        yield f"runtime error: {trace.outcome.runtime_error}"


def _looked_at(trace: Trace) -> Iterator[str]:
    decided = codes.condition_of(trace.outcome.code)
    for condition in trace.conditions:
        mark = "→" if condition.number == decided else " "
        yield f"{mark} condition {condition.number}, {condition.meaning.status}: {condition.meaning.message}"
        for step in condition.steps:
            yield f"{_INDENT}{'  ' * step.depth}{step.text} = {_value(step)}"
    if trace.meaning.text == "otherwise":
        yield f"→ otherwise, {trace.meaning.status}: {trace.meaning.message}"
    for related in trace.lists:
        yield from _list(related)
    for name, value in trace.debugged:
        yield f"  debug {name}: {describe(value)}"


def _list(related: ListTrace) -> Iterator[str]:
    counts = ", ".join(f"{count} {status}" for status, count in related.counts.items())
    unread = f"; not collected: {related.unread}" if related.unread else ""
    yield f"  related list {related.relationship}: {counts or 'none'}{unread}"
    for name, child in related.children:
        yield f"{_INDENT}{name}, {child.meaning.status}, code {child.meaning.code}: {child.meaning.message}"
        yield from (f"{_INDENT}{line}" for line in _looked_at(child))
    if related.more:
        yield f"{_INDENT}and {related.more} more"


def evidence_lines(evidence: Evidence) -> Iterator[str]:
    """Yield the facts that decided, the children with their own, and the calls that said so."""
    if evidence.facts or evidence.children:
        yield "evidence:"
        yield from _evidence(evidence)
    if evidence.calls:
        yield f"calls: {', '.join(evidence.calls)}"


def _evidence(evidence: Evidence) -> Iterator[str]:
    for fact in evidence.facts:
        yield f"  {fact.text()}"
    for child in evidence.children:
        yield f"  {_child(child)}"
        yield from (f"  {line}" for line in _evidence(child.evidence))
    if evidence.more:
        yield f"  and {evidence.more} more"


def _child(child: Child) -> str:
    where = " ".join(filter(None, (child.account, child.region)))
    return f"{child.relation} {child.text()}{f' ({where})' if where else ''}, {child.status}"


def _value(step: Step) -> str:
    if fired(step):
        return "undetermined"
    return f"error: {step.raised}" if step.raised else describe(step.value)
