"""A trace as lines of text."""

from collections.abc import Iterator

from reeve.evaluate.trace import Step, Trace, fired
from reeve.language import codes
from reeve.language.values import describe


def lines(trace: Trace) -> Iterator[str]:
    """Yield the conditions that were looked at, each sub-expression with its value, and what decided."""
    decided = codes.condition_of(trace.outcome.code)
    for condition in trace.conditions:
        mark = "→" if condition.number == decided else " "
        yield f"{mark} condition {condition.number}, {condition.meaning.status}: {condition.meaning.message}"
        for step in condition.steps:
            yield f"    {'  ' * step.depth}{step.text} = {_value(step)}"
    if trace.meaning.text == "otherwise":
        yield f"→ otherwise, {trace.meaning.status}: {trace.meaning.message}"
    for name, value in trace.debugged:
        yield f"  debug {name}: {describe(value)}"
    yield f"{trace.meaning.status}, code {trace.meaning.code}, decided by {trace.meaning.text}: {trace.meaning.message}"
    if trace.outcome.runtime_error:
        yield f"runtime error: {trace.outcome.runtime_error}"


def _value(step: Step) -> str:
    if fired(step):
        return "undetermined"
    return f"error: {step.raised}" if step.raised else describe(step.value)
