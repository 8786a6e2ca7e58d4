"""Provisional values: a report on all objects finds candidates, live calls confirm them.

A report is stale (by hours), so that what it would make INCOMPLIANT is read again, with
everything that the same calls say; an object that is newer than the report, or of which it does not say everything, is read
live.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from reeve.collect.answers import find
from reeve.collect.collection import Suspect
from reeve.collect.expressions import ExpressionError, items_of, key_of, members, search
from reeve.collect.objects import Collected
from reeve.collect.recipe import Recipe
from reeve.collect.requests import Answer
from reeve.language.times import parse_date_time
from reeve.model import Provisional


def suspects(one: Collected, suspect: Suspect | None) -> frozenset[str]:
    """Return the fields of an object that must be read live: none if its provisional values make nothing INCOMPLIANT."""
    hinted = one.recipe.hinted
    provisional = one.recipe.collect.provisional
    report_time = one.report_time()
    if provisional is None or report_time is None:
        return hinted
    if not _is_older(one, provisional, report_time):
        return hinted
    values, _ = one.fields(one.recipe.needed, hinted)
    unknown = _unsaid(one, values, hinted)
    return _of_one_piece(one.recipe, unknown if suspect is None else unknown | (suspect(values) & hinted), hinted)


def _unsaid(one: Collected, values: Mapping[str, Any], hinted: frozenset[str]) -> frozenset[str]:
    """Return the hinted fields that the report says nothing of that is known: null is none of a Boolean's values."""
    fields = one.recipe.object_type.fields
    return frozenset(
        name for name in hinted if values.get(name) is None and (name not in values or fields[name].type == "Boolean")
    )


def _of_one_piece(recipe: Recipe, doubted: frozenset[str], hinted: frozenset[str]) -> frozenset[str]:
    """Return doubted fields with all hinted ones whose live values come from the same calls.

    A report may count an object's parts in another order than the live list (the slots of access keys are not their order
    by age), so that a fact of one next to a fact of the other may be about two different things: all are live, or none.
    """
    found = doubted
    while True:
        calls = recipe.calls_for(found) & recipe.confirming
        more = frozenset(name for name in hinted - found if recipe.calls_for((name,)) & calls)
        if not more:
            return found
        found |= more


def _is_older(one: Collected, provisional: Provisional, report_time: datetime) -> bool:
    try:
        made_at = parse_date_time(str(search(provisional.made_at, one.context)))
    except ExpressionError:
        return False
    return made_at is not None and made_at < report_time


def undoubted(one: Collected, suspect: Suspect | None) -> frozenset[str]:
    """Return the fields whose live call failed, and whose provisional values make nothing INCOMPLIANT beside what was read.

    That a call was refused takes nothing from what the report says: only a value that a policy would find an object
    INCOMPLIANT by is to be confirmed. What comes from the same calls stays provisional together, or not at all: a report may
    count an object's parts otherwise than the calls do.
    """
    fields, report_time, provisional = one.recipe.object_type.fields, one.report_time(), one.recipe.collect.provisional
    if provisional is None or report_time is None or not _is_older(one, provisional, report_time):
        return frozenset()
    calls = {name: one.recipe.calls_for((name,)) & one.recipe.confirming for name in one.recipe.needed if fields[name].hint}
    failed = {name for name, used in calls.items() if name not in one.hints and used and used <= one.failures.keys()}
    if not failed:
        return frozenset()
    values, _ = one.fields(one.recipe.needed, one.hints | failed)
    doubted = set(_unsaid(one, values, frozenset(failed)))
    doubted |= failed & suspect(values) if suspect is not None else set()
    doubtful = frozenset[str]().union(*(calls[name] for name in doubted))
    return frozenset(name for name in failed if not calls[name] & doubtful)


def missing(recipe: Recipe) -> Mapping[str, str]:
    """Return why members of a listed item are not known of an object that only the report names."""
    provisional, source = recipe.collect.provisional, recipe.collect.sources[0]
    if provisional is None or source.call is None:
        return {}
    report = recipe.collect.calls[provisional.call].name
    reason = f"{source.call.name} doesn't list the object, and {report} doesn't say it"
    return dict.fromkeys(recipe.members - members(provisional.item), reason)


def without_item(recipe: Recipe, report: Answer, listed: Answer, base: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a source would list for the items of a report that the list does not name."""
    provisional = recipe.collect.provisional
    if provisional is None:
        return
    call = recipe.collect.calls[provisional.call]
    theirs, own = call.match or ("@", "@")
    source = recipe.collect.sources[0]
    names = {key_of(own, item) for page in listed.pages for item in items_of(source.items, {**page, **base})}
    for item in items_of(call.items or "@", report.whole()):
        if key_of(theirs, item) not in names:
            yield find(provisional.item, item)
