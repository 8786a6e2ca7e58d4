"""Provisional values: a report on all objects finds candidates, live calls confirm them.

A report is stale (IAM's credential report for up to four hours), so that what it would make INCOMPLIANT is read again, with
everything that the same calls say; an object that is newer than the report, or of which it does not say everything, is read
live.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reeve.collect.aws.expressions import search
from reeve.collect.aws.objects import Collected
from reeve.collect.aws.recipe import Recipe
from reeve.collect.aws.requests import Answer
from reeve.collect.collection import Suspect
from reeve.language.values import parse_date_time


def suspects(one: Collected, suspect: Suspect | None) -> frozenset[str]:
    """Return the fields of an object that must be read live: none if its provisional values make nothing INCOMPLIANT."""
    fields = one.recipe.object_type.fields
    hinted = frozenset(name for name in one.recipe.needed if fields[name].hint)
    provisional = one.recipe.collect.provisional
    report_time = one.report_time()
    if provisional is None or report_time is None:
        return hinted
    made_at = parse_date_time(str(search(provisional.made_at, one.context)))
    if made_at is None or made_at >= report_time:
        return hinted
    values, _ = one.fields(one.recipe.needed, hinted)
    unknown = frozenset(name for name in hinted if values[name] is None and fields[name].type == "Boolean")
    return _of_one_piece(one.recipe, unknown if suspect is None else unknown | (suspect(values) & hinted), hinted)


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


def without_item(recipe: Recipe, report: Answer, listed: Answer, base: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a source would list for the items of a report that the list does not name."""
    provisional = recipe.collect.provisional
    if provisional is None:
        return
    call = recipe.collect.calls[provisional.call]
    theirs, own = call.match or ("@", "@")
    source = recipe.collect.sources[0]
    names = {search(own, item) for page in listed.pages for item in search(source.items, {**page, **base}) or ()}
    for item in search(call.items or "@", report.whole()) or ():
        if search(theirs, item) not in names:
            yield search(provisional.item, item)
