"""The credential report of IAM: three calls for the key states of any number of users.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html describes the columns and values;
columns can be added, so they are read by name.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reeve.collect.aws.api import Api, ApiError, Failure
from reeve.language.values import parse_date_time

ROOT = "<root_account>"

POLLS = (0.2, 0.3, 0.5, 1, 2, 4, 8, 15)
"""Seconds of rest between two looks at a report in the making; after the last, users are read live."""


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """A report: when AWS made it, and its rows by user name; `<root_account>` is the root user's."""

    generated_at: datetime
    rows: Mapping[str, Mapping[str, str]]


class ReportUnavailableError(Exception):
    """There is no report to be had, though nothing refused it: it is too slow, absent or unreadable."""


def fetch_report(api: Api) -> CredentialReport:
    """Have a report made, wait for it, and fetch it.

    Returns:
        The report; AWS repeats one that is up to four hours old.

    Raises:
        ApiError: a call was refused.
        ReportUnavailableError: the report is not ready after about half a minute, or is not a report.
    """
    for rest in (*POLLS, None):
        state = api.call("iam", "GenerateCredentialReport").get("State")
        if state == "COMPLETE":
            break
        if rest is None:
            raise ReportUnavailableError(f"the credential report was not ready after {sum(POLLS):.0f} s")
        api.sleep(rest)
    try:
        answer = api.call("iam", "GetCredentialReport")
    except ApiError as error:
        if error.failure in (Failure.DENIED, Failure.CREDENTIALS, Failure.UNREACHABLE):
            raise
        raise ReportUnavailableError(f"the credential report can't be fetched: {error.code}") from None
    return parse_report(answer)


def parse_report(answer: Mapping[str, Any]) -> CredentialReport:
    """Return the report in an answer of `GetCredentialReport`.

    Raises:
        ReportUnavailableError: the answer holds no table with a column `user`, or no time.
    """
    content, generated_at = answer.get("Content", b""), answer.get("GeneratedTime")
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8")), strict=True)
        rows = {row["user"]: {key: value for key, value in row.items() if key and value is not None} for row in reader}
    except (UnicodeDecodeError, csv.Error, KeyError) as error:
        raise ReportUnavailableError(f"the credential report can't be read: {error}") from None
    if not isinstance(generated_at, datetime):
        raise ReportUnavailableError("the credential report bears no time")
    return CredentialReport(generated_at.astimezone(UTC), rows)


def flag(row: Mapping[str, str], column: str) -> bool | None:
    """Return a column's `true` or `false`, or None for anything else: it was not seen."""
    return {"true": True, "false": False}.get(row.get(column, "").strip().lower())


def instant(row: Mapping[str, str], column: str) -> datetime | None:
    """Return a column's instant, or None where it holds none (`N/A`, `no_information`, `not_supported`, an odd date)."""
    return parse_date_time(row.get(column, ""))
