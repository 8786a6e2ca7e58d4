"""Whole events of CloudTrail, of what a policy says of them: `trail_records.json` holds records of each kind of caller.

Source: the CloudTrail User Guide, *CloudTrail record contents*, *userIdentity element* and *AWS Management Console sign-in
events*. A filter is tried on whole events, so that what a pattern says of a region, a caller or a program counts.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

NO_ACCOUNT = "111122223333"
"""Stands for the account where none is known."""

Event = Mapping[str, Any]


@cache
def _records(account: str) -> Mapping[str, list[Event]]:
    text = files("reeve.language").joinpath("trail_records.json").read_text("utf-8")
    return json.loads(text.replace("ACCOUNT", account))


def whole(event: Event, account: str | None = None) -> list[Event]:
    """Return the events that some members stand for: one by each kind of caller that may have caused it.

    Args:
        event: the members that are given; of `eventType` AwsApiCall if it doesn't say so.
        account: the number of the account that the events are of.

    Raises:
        ValueError: there is no such kind of event, or of caller.
    """
    known = _records(account if account and account.isdigit() else NO_ACCOUNT)
    kind, caller = str(event.get("eventType", "AwsApiCall")), _caller(event)
    found = [_over(record, event) for record in known.get(kind, ()) if caller in (None, _caller(record))]
    if not found:
        by = f" by {caller}" if caller else ""
        raise ValueError(f"there are no events of the type {kind!r}{by}; there are {', '.join(known)}")
    return found


def _caller(event: Event) -> Any:
    identity = event.get("userIdentity")
    return cast("Event", identity).get("type") if isinstance(identity, Mapping) else None


def _over(record: Event, event: Event) -> Event:
    return dict(_members(record, event))


def _members(record: Event, event: Event) -> Iterator[tuple[str, Any]]:
    for name in {**record, **event}:
        own, given = record.get(name), event.get(name)
        if isinstance(own, Mapping) and isinstance(given, Mapping):
            yield name, _over(cast("Event", own), cast("Event", given))
        else:
            yield name, given if name in event else own
