"""What evaluating an operation for one object goes by and how it ends: the row, the moment, the checks that fire, errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from reeve.language.values import Value

Row = Mapping[str, Any]
"""An object's fields; lookups are nested objects, related lists nested arrays of objects."""


class Timing(IntEnum):
    """How much of the moment of judging a value depends on."""

    NONE = 0
    DAY = 1
    MOMENT = 2


@dataclass(slots=True)
class Moment:
    """When objects are judged: the snapshot's time, in UTC, and the days counted from its midnight (section 4).

    `debugged` gets the values of DEBUG; `unread` why an operation's value may be another one, if all could have been read.
    """

    now: datetime
    midnight: datetime
    debugged: list[tuple[str, Value]] | None = None
    unread: list[str] = field(default_factory=list[str])

    @classmethod
    def at(cls, now: datetime) -> "Moment":
        """Return the moment of a snapshot taken at `now`, an aware date-time of any zone.

        Raises:
            ValueError: it has no zone, so that it is no moment; or in UTC it lies outside the calendar.
        """
        if now.tzinfo is None:
            raise ValueError(f"{now.isoformat()} has no zone")
        try:
            utc = now.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{now.isoformat()} lies outside the calendar in UTC") from None
        return cls(utc, utc.replace(hour=0, minute=0, second=0, microsecond=0))

    def as_far_as(self, timing: Timing) -> datetime | None:
        """Return as much of it as something depends on: all, its midnight, or nothing."""
        return {Timing.NONE: None, Timing.DAY: self.midnight, Timing.MOMENT: self.now}[timing]

    def day(self, offset: int) -> datetime:
        """Return the UTC midnight `offset` days from the snapshot's; the ends of the calendar stand for what lies beyond."""
        try:
            return self.midnight + timedelta(days=offset)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC) if offset > 0 else datetime.min.replace(tzinfo=UTC)


Evaluate = Callable[[Row, Moment], Value]
"""Gives an expression's value for one object at a moment."""


class FiredError(Exception):
    """A declared undetermined check fired; `number` is its *k* (section 2). `unseen`: for what was not collected."""

    def __init__(self, number: int, runtime_error: str | None = None, unseen: bool = False):
        super().__init__(number)
        self.number = number
        self.runtime_error = runtime_error
        self.unseen = unseen


class EvaluationError(Exception):
    """An error that no declared check covers: the object is UNDETERMINED with code n·100 + 98 (section 2)."""


@dataclass(frozen=True, slots=True)
class Children:
    """How many objects of a related list have each status, how many may have any, and why the counts may be too low.

    `unread` is None if they are not.
    """

    counts: Mapping[str, int]
    unseen: int = 0
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """An undetermined check that a condition declares: its message, and for `noAccessDelegate` the delegate's path."""

    kind: str
    message: str
    path: str | None = None


Checks = Mapping[str, Check]

Gone = tuple[str | None, ...]
"""For each lookup of a path, the field that says that the object behind it is gone; '' if none does, None: by its name."""
