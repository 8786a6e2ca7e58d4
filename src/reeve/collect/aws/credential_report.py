"""The credential report of IAM: three calls for the key states of any number of users.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html describes the columns and values;
columns can be added, so they are read by name.
"""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reeve.collect.aws.api import Api, ApiError, Failure

CALL = "iam:GetCredentialReport"
POLLS = (0.2, 0.3, 0.5, 1, 2, 4, 8, 15)
"""Seconds of rest between two looks at a report in the making; after the last, users are read live."""


class ReportUnavailableError(Exception):
    """There is no report to be had, though nothing refused it: it is too slow, absent or unreadable."""


def fetch_report(api: Api) -> list[Mapping[str, str]]:
    """Have a report made, wait for it, and fetch it.

    Returns:
        The rows of the report, by column; `generated_at` of each is when AWS made it, which can be four hours ago.

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


def parse_report(answer: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """Return the rows of the report in an answer of `GetCredentialReport`.

    Raises:
        ReportUnavailableError: the answer holds no table with a column `user`, or no time.
    """
    content, generated_at = answer.get("Content", b""), answer.get("GeneratedTime")
    if not isinstance(generated_at, datetime):
        raise ReportUnavailableError("the credential report bears no time")
    made = {"generated_at": generated_at.astimezone(UTC).isoformat()}
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8")), strict=True)
        rows = [{key: value for key, value in row.items() if key and value is not None} | made for row in reader]
        if any("user" not in row for row in rows):
            raise ReportUnavailableError("the credential report can't be read: a row names no user")
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReportUnavailableError(f"the credential report can't be read: {error}") from None
    return list(rows)
