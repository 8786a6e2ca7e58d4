"""What a collector hands over: records by type, what failed, and whose account it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from reeve.inventory.manifest import CollectionError
from reeve.inventory.records import Record

Progress = Callable[[str, int, int | None], None]
"""Told what is being read, how many are done, and of how many (None: not known)."""

Suspect = Callable[[Mapping[str, Any]], frozenset[str]]
"""Says which fields the policies read that would make an object INCOMPLIANT; none if it would not be."""

Affects = Mapping[str, tuple[str, ...]]
"""What a failure leaves unseen: by the id of a type, names of fields and related lists; none stands for the whole type."""

MAX_SUBJECTS = 5


@dataclass(slots=True)
class Collection:
    """Everything that was read from one account, and everything that was not; `calls` counts requests, retries included."""

    account: str = ""
    account_name: str | None = None
    partition: str = ""
    records: dict[str, list[Record]] = field(default_factory=dict[str, list[Record]])
    calls: Mapping[str, int] = field(default_factory=dict[str, int])
    notes: list[str] = field(default_factory=list[str])
    _errors: dict[tuple[str, str], CollectionError] = field(default_factory=dict[tuple[str, str], CollectionError])

    @property
    def errors(self) -> tuple[CollectionError, ...]:
        """What failed, each kind of failure once."""
        return tuple(self._errors.values())

    def failed(self, error: CollectionError) -> None:
        """Note a failed call; the same failure on another object is counted, not repeated."""
        key = (error.call, error.code)
        known = self._errors.get(key)
        if known is None:
            self._errors[key] = error
            return
        subjects = (*known.subjects, *error.subjects)[:MAX_SUBJECTS]
        affects = together(known.affects, error.affects)
        self._errors[key] = msgspec.structs.replace(known, count=known.count + 1, subjects=subjects, affects=affects)

    def affected(self, call: str, code: str, affects: Affects) -> None:
        """Add to a failure that was noted what else it leaves unseen."""
        known = self._errors[call, code]
        self._errors[call, code] = msgspec.structs.replace(known, affects=together(known.affects, affects))


def together(one: Affects, other: Affects) -> dict[str, tuple[str, ...]]:
    """Return what two failures leave unseen; the whole of a type holds all of its names."""
    both = {
        name: () if () in (one[name], other[name]) else tuple(sorted({*one[name], *other[name]}))
        for name in one.keys() & other.keys()
    }
    return dict(sorted({**one, **other, **both}.items()))
