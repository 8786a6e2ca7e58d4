"""Which of a user's active access keys to keep and which to switch off, and why.

A policy declares for which of its findings that is the remedy (`credentials` in `policy.yaml`); no other finding gets advice.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reeve.language.operations.base import Row
from reeve.language.unread import NotCollected
from reeve.model import Credentials

YOUNG = timedelta(days=90)
"""How old a key may be that is kept without being replaced (CIS AWS Foundations, on rotation)."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key as it was read. `use_known` is false when its last use could not be read; then the three are None."""

    id: str
    active: bool
    created_at: datetime
    use_known: bool
    last_used_at: datetime | None = None
    last_used_region: str | None = None
    last_used_service: str | None = None

    @classmethod
    def of(cls, row: Row) -> "AccessKey | None":
        """Return the key that an object is; None when id, status or time of creation is not known."""
        raw = [row.get(name) for name in Credentials.FIELDS]
        known: list[Any] = [None if isinstance(value, NotCollected) else value for value in raw]
        identifier, status, created_at, used_at, region, service = known
        if identifier is None or status is None or not isinstance(created_at, datetime):
            return None
        use_known = "lastUsedAt" in row and not isinstance(row["lastUsedAt"], NotCollected)
        return cls(identifier, status == "Active", created_at, use_known, used_at, region, service)

    def use(self, now: datetime) -> str:
        """Return when, where and for what the key was last used, as a phrase."""
        if not self.use_known:
            return "last use not known"
        if self.last_used_at is None:
            return "never used"
        service = f" for {self.last_used_service}" if self.last_used_service not in (None, "N/A") else ""
        region = f" in {self.last_used_region}" if self.last_used_region not in (None, "N/A") else ""
        return f"last used {age(now - self.last_used_at)} ago{service}{region}"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about an offender: the key to keep, the one to switch off, why, and the command that does it."""

    keep: str
    switch_off: str
    why: str
    command: str


def age(length: timedelta) -> str:
    """Return a length of time as a person says it."""
    hours = max(0, int(length.total_seconds() // 3600))
    count, unit = (length.days, "day") if hours >= 48 else (hours, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}" if count else "less than an hour"


def advise(user_name: str, keys: Sequence[AccessKey], now: datetime) -> Advice | None:
    """Choose between a user's two active keys.

    Args:
        user_name: the user.
        keys: all keys of the user.
        now: the snapshot's time.

    Returns:
        The advice, or None when fewer than two keys are active, or when the last use of one is not known: it might be the one
        that is in use. A used key is kept before one that never was, then one younger than 90 days before an older one, then
        one used later, then one made later.
    """
    active = [key for key in keys if key.active]
    if len(active) < 2 or not all(key.use_known for key in active):
        return None
    ranked = sorted(active, key=lambda key: _worth(key, now), reverse=True)
    keep, off = ranked[0], ranked[-1]
    user, key = shlex.quote(user_name), shlex.quote(off.id)
    command = f"aws iam update-access-key --user-name {user} --access-key-id {key} --status Inactive"
    return Advice(keep.id, off.id, _why(keep, off, now), command)


def _worth(key: AccessKey, now: datetime) -> tuple[bool, bool, datetime, datetime]:
    never = datetime.min.replace(tzinfo=now.tzinfo)
    return key.last_used_at is not None, now - key.created_at < YOUNG, key.last_used_at or never, key.created_at


def _why(keep: AccessKey, off: AccessKey, now: datetime) -> str:
    young, also_young = now - keep.created_at < YOUNG, now - off.created_at < YOUNG
    made = f"{age(now - keep.created_at)} old, {keep.use(now)}"
    if keep.last_used_at and not off.last_used_at:
        reason = f"Keep {keep.id}: the only one that was ever used ({made})."
    elif young and not also_young:
        reason = f"Keep {keep.id}: the only one younger than 90 days ({made})."
    elif keep.last_used_at != off.last_used_at:
        reason = f"Keep {keep.id}: used more recently ({made})."
    else:
        reason = f"Keep {keep.id}: the younger one ({made})."
    reason += f" Switch off {off.id}: {age(now - off.created_at)} old, {off.use(now)}."
    if off.last_used_at and now - off.last_used_at < YOUNG:
        reason += " It is in use: move what signs with it to the other key first."
    if not young:
        reason += " The key that stays is over 90 days old: replace it next."
    return reason
