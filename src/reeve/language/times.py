"""Reads dates, date-times and durations: ISO 8601, and Google Cloud's durations (policy language, section 3)."""

import re
from datetime import UTC, datetime, timedelta

_DATE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?", re.ASCII)
_TO_THE_MILLISECOND = len("hh:mm:ss.fff")
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,18})Y)?(?:(\d{1,18})M)?(?:(\d{1,18})W)?(?:(\d{1,18})D)?"
    r"(?:T(?=\d)(?:(\d{1,18})H)?(?:(\d{1,18})M)?(?:(\d{1,18}(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_GCP_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)
_LONGEST = timedelta(microseconds=2**63 - 1)
_GCP_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_date_time(text: str) -> datetime | None:
    """Return the instant that an ISO 8601 text names (a date alone: its UTC midnight), or None if it is not one.

    Milliseconds count, finer digits are cut off.
    """
    found = _DATE_TIME.fullmatch(text.strip())
    if not found:
        return None
    day, clock, zone = found.groups()
    try:
        parsed = datetime.fromisoformat(f"{day}T{clock[:_TO_THE_MILLISECOND]}{zone or ''}" if clock else day)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_duration(text: str) -> timedelta | None:
    """Return the length of an ISO 8601 duration, a month being 30 days and a year 12 months, or None."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        return None
    numbers = found.groups()
    years, months, weeks, days, hours, minutes = (int(number or 0) for number in numbers[:6])
    try:
        length = timedelta(days=(years * 12 + months) * 30 + weeks * 7 + days, hours=hours, minutes=minutes)
        length += timedelta(seconds=float(numbers[6] or 0))
    except OverflowError:
        return None
    return _counted(length)


def _counted(length: timedelta) -> timedelta | None:
    """Return a length if its microseconds fit into 64 bits (292,000 years), as columns hold it; else None."""
    return length if abs(length) <= _LONGEST else None


def parse_gcp_duration(text: str) -> timedelta | None:
    """Return the length of a duration as Google Cloud writes it: a number with s, m, h or d; or None."""
    found = _GCP_DURATION.fullmatch(text.strip())
    if not found:
        return None
    try:
        return _counted(timedelta(**{_GCP_UNITS[found[2]]: float(found[1])}))
    except OverflowError:
        return None
