"""The credential report of IAM: three calls for the key states of any number of users.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html describes the columns and values;
columns can be added, so they are read by name.
"""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reeve.collect.aws.api import Api
from reeve.collect.aws.shapes import UNKNOWN, Kind, Value, listing
from reeve.collect.failures import ApiError, Failure

CALL = "iam:GetCredentialReport"
_PASSWORD = ("password_enabled", "password_last_used", "password_last_changed", "password_next_rotation")
_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_COLUMNS = (
    *("user", "arn", "user_creation_time", *_PASSWORD, "mfa_active"),
    *(f"access_key_{number}_{name}" for number in (1, 2) for name in _KEY),
    *(f"cert_{number}_{name}" for number in (1, 2) for name in ("active", "last_rotated")),
    *("additional_credentials_info", "generated_at"),
)
ANSWER = Value(Kind.OBJECT, members={"rows": listing(Value(Kind.OBJECT, members=dict.fromkeys(_COLUMNS, UNKNOWN)))})
"""The report as expressions see it: the columns of the table, and when it was made; texts, of whatever they say."""


def fetch_report(api: Api) -> list[Mapping[str, str]]:
    """Have a report made, wait for it, and fetch it.

    Returns:
        The rows of the report, by column; `generated_at` of each is when AWS made it, which can be four hours ago.

    Raises:
        ApiError: a call failed, the report is not ready after about half a minute, or it is no report.
    """
    for rest in (*api.bounds.polls, None):
        state = api.call("iam", "GenerateCredentialReport").get("State")
        if state == "COMPLETE":
            break
        if rest is None:
            waited = f"the credential report was not ready after {sum(api.bounds.polls):.0f} s"
            raise ApiError(CALL, Failure.UNWELL, "ReportNotReady", waited)
        api.sleep(rest)
    return api.call("iam", "GetCredentialReport", read=parse_report)


def parse_report(answer: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """Return the rows of the report in an answer of `GetCredentialReport`.

    Raises:
        ApiError: the answer holds no table with a column `user`, or no time.
    """
    content, generated_at = answer.get("Content", b""), answer.get("GeneratedTime")
    if not isinstance(generated_at, datetime):
        raise _unreadable("it bears no time")
    made = {"generated_at": generated_at.astimezone(UTC).isoformat()}
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8")), strict=True)
        rows = [{key: value for key, value in row.items() if key and value is not None} | made for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(str(error)) from None
    if any("user" not in row for row in rows):
        raise _unreadable("a row names no user")
    if not rows:
        raise _unreadable("it has no rows, not even the root user's")
    return list(rows)


def _unreadable(why: str) -> ApiError:
    return ApiError(CALL, Failure.UNREADABLE, "UnreadableReport", f"the credential report can't be read: {why}")
