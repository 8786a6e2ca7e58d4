"""Collects IAM users with their access keys in the fewest calls.

The credential report finds candidates, live calls confirm them; users newer than the report are read live, users in the
report that are no longer listed have disappeared. Without a report, or with `live`, everybody is read live.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reeve.collect.aws.api import CONNECTIONS, Api, ApiError, Failure
from reeve.collect.aws.credential_report import (
    ROOT,
    CredentialReport,
    ReportUnavailableError,
    fetch_report,
    flag,
    instant,
)
from reeve.collect.collection import Collection, Progress, Suspect
from reeve.inventory.manifest import CollectionError
from reeve.inventory.records import Record

USER, ACCESS_KEY, ROOT_USER = "aws.iam.User", "aws.iam.AccessKey", "aws.iam.RootUser"
TYPES = (USER, ACCESS_KEY, ROOT_USER)
KEY_FIELDS: tuple[str, ...] = ("accessKey1Active", "accessKey2Active")
LAST_USED_FIELDS: tuple[str, ...] = ("lastUsedAt", "lastUsedRegion", "lastUsedService")
REPORT = "iam:GetCredentialReport"


@dataclass(frozen=True, slots=True)
class Listed:
    """A user as `ListUsers` gives it."""

    name: str
    arn: str
    created_at: datetime


@dataclass(slots=True)
class IamUsers:
    """One account's users being collected into `collection`."""

    api: Api
    collection: Collection
    suspect: Suspect
    progress: Progress
    live: bool = False
    records: dict[str, Record] = field(default_factory=dict[str, Record])
    keys: list[Record] = field(default_factory=list[Record])

    def collect(self) -> None:
        """Read users, their access keys where they matter, and the root user.

        What can't be read is noted in the collection and marked in the records; nothing is raised for it.
        """
        listed, report = self._list_and_report()
        if not self.collection.account:
            self._identify_by_arn(listed or {}, report)
        as_of = datetime.now(UTC)
        if report is not None:
            self._root_user(report)
        to_read = self._from_report(listed, report, as_of)
        self._read_live(to_read)
        self.collection.records.update({USER: list(self.records.values()), ACCESS_KEY: self.keys})
        self.collection.records.setdefault(ROOT_USER, [])

    # Listing and report ----------------------------------------------------------------------------------------------

    def _list_and_report(self) -> tuple[dict[str, Listed] | None, CredentialReport | None]:
        with ThreadPoolExecutor(1) as executor:
            waiting = None if self.live else executor.submit(fetch_report, self.api)
            listed = self._list_users()
            return listed, self._finish_report(waiting)

    def _finish_report(self, waiting: "Future[CredentialReport] | None") -> CredentialReport | None:
        if waiting is None:
            self.collection.notes.append("the credential report was not read; every user was read live")
            return None
        self.progress("waiting for the credential report", 0, None)
        try:
            return waiting.result()
        except ApiError as error:
            self._failed(error, "the credential report")
            self.collection.notes.append("the credential report could not be read; every user was read live")
        except ReportUnavailableError as error:
            self.collection.notes.append(f"{error}; every user was read live")
        return None

    def _list_users(self) -> dict[str, Listed] | None:
        """Return all users by name, or None when the list could not be read to its end."""
        found: dict[str, Listed] = {}
        marker: dict[str, str] = {}
        while True:
            self.progress("listing users", len(found), None)
            try:
                page = self.api.call("iam", "ListUsers", {"MaxItems": 1000, **marker})
            except ApiError as error:
                self._failed(error, "the list of users")
                return None
            for user in page["Users"]:
                found[user["UserName"]] = Listed(user["UserName"], user["Arn"], user["CreateDate"].astimezone(UTC))
            following = page.get("Marker")
            if not page.get("IsTruncated") or not following:
                return found
            if marker.get("Marker") == following:
                self._failed(
                    ApiError("iam:ListUsers", Failure.OTHER, "RepeatedMarker", "the list of users repeats a page"),
                    "the list of users",
                )
                return None
            marker = {"Marker": following}

    def _identify_by_arn(self, listed: Mapping[str, Listed], report: CredentialReport | None) -> None:
        arns = [user.arn for user in listed.values()] or [row.get("arn", "") for row in _rows(report).values()]
        parts = (arns[0] if arns else "").split(":")
        if len(parts) >= 6:
            self.collection.partition, self.collection.account = parts[1], parts[4]

    def _failed(self, error: ApiError, subject: str) -> None:
        self.collection.failed(
            CollectionError(error.call, error.code, error.message, error.advice, 1, error.request_id, (subject,))
        )

    # From the report -------------------------------------------------------------------------------------------------

    def _from_report(self, listed: dict[str, Listed] | None, report: CredentialReport | None, as_of: datetime) -> list[Listed]:
        """Record what the report alone can say, and return the users that must be read live."""
        rows = {name: row for name, row in _rows(report).items() if name != ROOT}
        to_read: list[Listed] = []
        if listed is None:
            # Who is there now is unknown: the report's users are judged as of the report, its offenders still confirmed.
            epoch = datetime.fromtimestamp(0, UTC)
            users = [
                Listed(name, row.get("arn", name), instant(row, "user_creation_time") or epoch) for name, row in rows.items()
            ]
        else:
            users = list(listed.values())
            for name in rows.keys() - listed.keys():
                self._disappeared(rows[name], name, as_of)
        for user in users:
            row = rows.get(user.name)
            provisional = self._provisional(user, row, report)
            if provisional is None or self.suspect(provisional.fields):
                to_read.append(user)
            else:
                self.records[user.name] = provisional
        return to_read

    def _provisional(self, user: Listed, row: Mapping[str, str] | None, report: CredentialReport | None) -> Record | None:
        """Return the user as the report shows it; None when the report can't speak of this user."""
        if row is None or report is None or user.created_at >= report.generated_at:
            return None
        states = [flag(row, f"access_key_{number}_active") for number in (1, 2)]
        if None in states:
            return None
        fields = {**_identity(user), "accessKey1Active": states[0], "accessKey2Active": states[1]}
        return Record(fields, report.generated_at, REPORT, {})

    def _disappeared(self, row: Mapping[str, str], name: str, as_of: datetime) -> None:
        fields = {
            "id": row.get("arn", name),
            "name": name,
            "createdAt": instant(row, "user_creation_time"),
            "disappearanceTime": as_of,
        }
        self.records[name] = Record(fields, as_of, "iam:ListUsers", {})

    def _root_user(self, report: CredentialReport) -> None:
        row = report.rows.get(ROOT)
        if row is None:
            self.collection.notes.append("the credential report has no row for the root user")
            return
        columns = {
            "accessKey1Active": "access_key_1_active",
            "accessKey2Active": "access_key_2_active",
            "mfaActive": "mfa_active",
        }
        values = {name: flag(row, column) for name, column in columns.items()}
        missing = {name: "the credential report doesn't say" for name, value in values.items() if value is None}
        fields = {"id": row.get("arn", ROOT), **values}
        self.collection.records[ROOT_USER] = [Record(fields, report.generated_at, REPORT, missing)]

    # Live ------------------------------------------------------------------------------------------------------------

    def _read_live(self, users: list[Listed]) -> None:
        """Read users' keys in parallel, a bounded number of them under way at once."""
        executor = ThreadPoolExecutor(CONNECTIONS)
        try:
            for done, result in enumerate(_in_parallel(executor, self._read_user, users), start=1):
                record, keys, errors = result
                self.records[record.fields["name"]] = record
                self.keys.extend(keys)
                for error, subject in errors:
                    self._failed(error, subject)
                self.progress("reading access keys", done, len(users))
        except BaseException:
            self.api.stop()
            raise
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _read_user(self, user: Listed) -> tuple[Record, list[Record], list[tuple[ApiError, str]]]:
        """Read one user's keys, and when each was last used if the user is an offender."""
        call = "iam:ListAccessKeys"
        try:
            metadata = self.api.call("iam", "ListAccessKeys", {"UserName": user.name})["AccessKeyMetadata"]
        except ApiError as error:
            as_of = datetime.now(UTC)
            if error.failure is Failure.MISSING:
                return Record({**_identity(user), "disappearanceTime": as_of}, as_of, call, {}), [], []
            reasons = dict.fromkeys(KEY_FIELDS, f"{error.call} failed with {error.code}: {error.advice}")
            return Record(_identity(user), as_of, call, reasons), [], [(error, user.name)]
        as_of = datetime.now(UTC)
        found = sorted(metadata, key=lambda key: (key["CreateDate"], key["AccessKeyId"]))
        active = [key["Status"] == "Active" for key in found] + [False, False]
        fields = {**_identity(user), **dict(zip(KEY_FIELDS, active, strict=False))}
        keys = [_key(user, key, as_of) for key in found]
        if not self.suspect(fields):
            return Record(fields, as_of, call, {}), keys, []
        used = [self._last_used(key) for key in keys]
        return Record(fields, as_of, call, {}), [key for key, _ in used], [(error, user.name) for _, error in used if error]

    def _last_used(self, key: Record) -> tuple[Record, ApiError | None]:
        call = "iam:GetAccessKeyLastUsed"

        try:
            answer = self.api.call("iam", "GetAccessKeyLastUsed", {"AccessKeyId": key.fields["id"]})["AccessKeyLastUsed"]
        except ApiError as error:
            reason = f"{call} failed with {error.code}: {error.advice}"
            return Record(key.fields, key.as_of, key.source, dict.fromkeys(LAST_USED_FIELDS, reason)), error
        used_at = answer.get("LastUsedDate")
        values: dict[str, Any] = {"lastUsedAt": used_at.astimezone(UTC) if used_at else None}
        if used_at:
            values |= {"lastUsedRegion": answer.get("Region"), "lastUsedService": answer.get("ServiceName")}
        return Record({**key.fields, **values}, datetime.now(UTC), f"{key.source}, {call}", {}), None


def _rows(report: CredentialReport | None) -> Mapping[str, Mapping[str, str]]:
    return report.rows if report is not None else {}


def _identity(user: Listed) -> dict[str, Any]:
    return {"id": user.arn, "name": user.name, "createdAt": user.created_at}


def _key(user: Listed, key: Mapping[str, Any], as_of: datetime) -> Record:
    """Return an access key's record; when it was last used is known only for offenders, and not null for others."""
    fields = {
        "id": key["AccessKeyId"],
        "userId": user.arn,
        "status": key["Status"],
        "createdAt": key["CreateDate"].astimezone(UTC),
    }
    unread = "when a key was last used is read for users with two active keys only"
    missing = dict.fromkeys(LAST_USED_FIELDS, unread)
    return Record(fields, as_of, "iam:ListAccessKeys", missing)


def _in_parallel(executor: ThreadPoolExecutor, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterable[Any]:
    """Yield the function's results as they come, with a bounded number of calls waiting."""
    pending: set[Future[Any]] = set()
    for item in items:
        pending.add(executor.submit(function, item))
        if len(pending) >= 4 * CONNECTIONS:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)
