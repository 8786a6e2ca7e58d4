"""Which of a user's active access keys to keep and which to switch off, and why."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reeve.language.operations.base import NotCollected, Row

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
    def of(cls, row: Row) -> "AccessKey":
        """Return the key that an object of `aws.iam.AccessKey` is."""
        fields: dict[str, Any] = {k: v for k, v in row.items() if not isinstance(v, NotCollected)}
        return cls(
            fields["id"],
            fields["status"] == "Active",
            fields["createdAt"],
            not isinstance(row["lastUsedAt"], NotCollected),
            fields.get("lastUsedAt"),
            fields.get("lastUsedRegion"),
            fields.get("lastUsedService"),
        )

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
        The advice, or None when fewer than two keys are active. A key younger than 90 days is kept before an older one,
        then one used later, then one made later.
    """
    active = [key for key in keys if key.active]
    if len(active) < 2:
        return None
    never = datetime.min.replace(tzinfo=now.tzinfo)
    ranked = sorted(
        active, key=lambda key: (now - key.created_at < YOUNG, key.last_used_at or never, key.created_at), reverse=True
    )
    keep, off = ranked[0], ranked[-1]
    user, key = shlex.quote(user_name), shlex.quote(off.id)
    command = f"aws iam update-access-key --user-name {user} --access-key-id {key} --status Inactive"
    return Advice(keep.id, off.id, _why(keep, off, now), command)


def _why(keep: AccessKey, off: AccessKey, now: datetime) -> str:
    young, also_young = now - keep.created_at < YOUNG, now - off.created_at < YOUNG
    made = f"{age(now - keep.created_at)} old, {keep.use(now)}"
    if young and not also_young:
        reason = f"Keep {keep.id}: the only one younger than 90 days ({made})."
    elif keep.use_known and off.use_known and keep.last_used_at != off.last_used_at:
        reason = f"Keep {keep.id}: used more recently ({made})."
    else:
        reason = f"Keep {keep.id}: the younger one ({made})."
    reason += f" Switch off {off.id}: {age(now - off.created_at)} old, {off.use(now)}."
    if off.use_known and off.last_used_at and now - off.last_used_at < YOUNG:
        reason += " It is in use: move what signs with it to the other key first."
    elif not off.use_known:
        reason += " Find out what uses it first."
    if not young:
        reason += " The key that stays is over 90 days old: replace it next."
    return reason
