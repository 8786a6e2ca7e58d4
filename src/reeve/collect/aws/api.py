"""Calls to AWS by botocore: credentials as the AWS CLI finds them, calls counted, failures told apart."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import botocore.config  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own
import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs]
import botocore.paginate  # pyright: ignore[reportMissingTypeStubs]
import botocore.session  # pyright: ignore[reportMissingTypeStubs]

from reeve.collect.collection import Affects
from reeve.inventory.manifest import CollectionError

CONNECTIONS = {"iam": 4, "account": 1, "organizations": 2}
"""Requests to a service under way at once, where it allows few for an account; more would only be throttled."""
USUAL_CONNECTIONS = 8
"""Requests to any other service under way at once, over all regions."""

ATTEMPTS = 8
"""How often botocore makes a request before it gives up."""

# A storm of throttling can outlast botocore's own retries; then the call rests for these many seconds and is made again.
RESTS = (1, 2, 4, 8, 16, 30)


class Failure(StrEnum):
    """Why a call failed, as far as it matters for what to do."""

    DENIED = "denied"
    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    NOT_OFFERED = "not offered"
    OTHER = "other"


_CODES = {
    Failure.DENIED: "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError AuthorizationErrorException"
    " Forbidden 403 OptInRequired SubscriptionRequiredException",
    Failure.CREDENTIALS: "ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId InvalidAccessKeyId AuthFailure"
    " UnrecognizedClientException SignatureDoesNotMatch MissingAuthenticationToken TokenRefreshRequired",
    Failure.THROTTLED: "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException"
    " RequestLimitExceeded TooManyRequestsException SlowDown BandwidthLimitExceeded",
}
_FAILURES = {code: failure for failure, codes in _CODES.items() for code in codes.split()}
"""What the codes that services answer with mean: each service has its own spelling."""


@dataclass(eq=False)
class ApiError(Exception):
    """A call that failed: which one, on what, how, the id that AWS gave the request, and the IAM actions that it needs."""

    call: str
    failure: Failure
    code: str
    message: str
    request_id: str | None = None
    actions: tuple[str, ...] = ()

    def __str__(self) -> str:
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.call}: {self.code}: {self.message}{request}"

    @property
    def advice(self) -> str:
        """What the user can do about it, in one sentence."""
        match self.failure:
            case Failure.DENIED:
                actions = " and ".join(self.actions or (self.call,))
                return f"allow the action {actions} to the identity that scans, and check for a policy of the organisation"
            case Failure.CREDENTIALS:
                return "get new credentials (for example with `aws sso login`) and run again"
            case Failure.THROTTLED:
                return "AWS kept refusing the rate of requests; run again later"
            case Failure.UNREACHABLE:
                return "check the network, the region and AWS_ENDPOINT_URL"
            case Failure.NOT_OFFERED:
                return "nothing can be read of the service there; leave its policies out with --policy, or take this as it is"
            case _:
                return "run again; if it stays, look the error code up in the API's reference"

    def about(self, subject: str, affects: Affects) -> CollectionError:
        """Return the failure as a snapshot keeps it, with what the call was about and what it leaves unseen."""
        return CollectionError(self.call, self.code, self.message, self.advice, 1, self.request_id, (subject,), dict(affects))


def no_credentials(message: str) -> ApiError:
    """Return the error for credentials that could not be found or made."""
    return ApiError("sts:GetCallerIdentity", Failure.CREDENTIALS, "NoCredentials", message)


@dataclass(slots=True)
class Api:
    """One account's APIs in all regions. Calls may come from several threads.

    Once the credentials are refused in the region that they start from, every later call fails with the same error, without
    a request. `region` is that one.
    """

    session: Any
    region: str
    calls: Counter[str] = field(default_factory=Counter[str])
    endpoint_url: str | None = None
    sleep: Callable[[float], None] = time.sleep
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])
    _offered: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _refused: ApiError | None = None

    @classmethod
    def open(cls, profile: str | None = None, region: str | None = None) -> "Api":
        """Open a session with credentials, profile, region and endpoint as the AWS CLI finds them.

        Raises:
            ApiError: the profile doesn't exist, or no credentials are found.
        """
        try:
            session: Any = botocore.session.Session(profile=profile)
            chosen = region or session.get_config_variable("region") or "us-east-1"
            if session.get_credentials() is None:
                message = "no credentials were found in the environment, the AWS configuration, or an instance's role"
                raise no_credentials(f"{message}: set --profile, AWS_PROFILE or AWS_ACCESS_KEY_ID")
        except botocore.exceptions.BotoCoreError as error:
            raise no_credentials(_one_line(error)) from None
        session.user_agent_name = "reeve"
        return cls(session, chosen)

    @classmethod
    def at(cls, endpoint_url: str, region: str = "us-east-1") -> "Api":
        """Open a session with a simulated account at an address; nothing of the user's AWS configuration is read."""
        nothing = {"profile": (None, None, None, None)}
        files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
        session: Any = botocore.session.Session(session_vars={**nothing, **files})
        session.set_credentials("demo", "demo")
        return cls(session, region, endpoint_url=endpoint_url)

    def client(self, service: str, region: str, attempts: int | None = None) -> Any:
        """Return the service's client in a region, made at its first use."""
        with self._lock:
            if (service, region) not in self._clients:
                elsewhere = self.endpoint_url is not None or "AWS_ENDPOINT_URL" in os.environ
                config = botocore.config.Config(
                    inject_host_prefix=False if elsewhere else None,  # there are no such names below another address
                    retries={"mode": "adaptive", "total_max_attempts": attempts or ATTEMPTS},
                    max_pool_connections=CONNECTIONS.get(service, USUAL_CONNECTIONS),
                    connect_timeout=10,
                    read_timeout=30,
                    user_agent_extra="reeve",
                )
                client = self.session.create_client(service, region_name=region, config=config, endpoint_url=self.endpoint_url)
                if elsewhere and service == "s3control":
                    client.meta.events.register("before-call.s3-control", _without_account_in_host)
                client.meta.events.register(
                    f"before-send.{client.meta.service_model.service_id.hyphenize()}", self._count_of(service)
                )
                self._clients[service, region] = client
            return self._clients[service, region]

    def _count_of(self, service: str) -> Callable[..., None]:
        def count(event_name: str, **details: Any) -> None:
            with self._lock:
                self.calls[f"{service}:{event_name.rpartition('.')[2]}"] += 1

        return count

    def offers(self, service: str, region: str) -> bool:
        """Return whether botocore knows an endpoint of a service in a region, or one for the region's whole partition."""
        if (service, region) not in self._offered:
            partition = self.session.get_partition_for_region(region)
            regional: list[str] = self.session.get_available_regions(service, partition)
            found = region in regional if regional else bool(self.session.get_available_regions(service, partition, True))
            self._offered[service, region] = found
        return self._offered[service, region]

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        region: str | None = None,
        attempts: int | None = None,
    ) -> dict[str, Any]:
        """Make one call.

        Args:
            service: botocore's name of the service, "iam".
            operation: the operation as the API reference writes it, "ListUsers".
            arguments: the operation's parameters.
            region: where; by default the region that the account's credentials start from.
            attempts: how often botocore tries, if not as usual; it counts when the client is made, at the service's first call.

        Returns:
            The answer as botocore parses it.

        Raises:
            ApiError: the call failed in the end.
        """
        name, where = f"{service}:{operation}", region or self.region
        for rest in (*RESTS, None):
            if self._refused is not None:
                raise self._refused
            try:
                client = self.client(service, where, attempts)
                return client._make_api_call(operation, dict(arguments or {}))  # the one method that all operations go through
            except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
                failed = _failed(name, error)
            if failed.failure is Failure.THROTTLED and rest is not None:
                self.sleep(rest)
                continue
            if failed.failure is Failure.CREDENTIALS and where == self.region:
                self._refused = failed
            raise failed
        raise AssertionError("unreachable: the last round raises")

    def pages(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Iterator[dict[str, Any]]:
        """Yield the pages of a call's answer, or the one answer of a call without pages.

        Raises:
            ApiError: a page failed in the end, or repeats the token of the one before.
        """
        try:
            model: Any = self.session.get_paginator_model(service).get_paginator(operation)
        except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError, ValueError):
            yield self.call(service, operation, arguments, region)
            return

        def page(**given: Any) -> dict[str, Any]:
            return self.call(service, operation, given, region)

        described = self.client(service, region).meta.service_model.operation_model(operation)
        paginator: Any = botocore.paginate.Paginator(page, model, described)
        try:
            yield from paginator.paginate(**arguments)
        except botocore.exceptions.PaginationError as error:
            raise ApiError(f"{service}:{operation}", Failure.OTHER, "RepeatedToken", _one_line(error)) from None

    def stop(self) -> None:
        """Let every later call fail at once; for an interrupted scan."""
        self._refused = ApiError("reeve", Failure.CREDENTIALS, "Interrupted", "the scan was interrupted")


def _without_account_in_host(params: dict[str, Any], **details: Any) -> None:
    """Take the account's number out of the host: only AWS's own name has one below it for each account."""
    address = urlsplit(str(params["url"]))
    params["url"] = urlunsplit((address.scheme, address.netloc.partition(".")[2], address.path, address.query, ""))


def _is_about_credentials(error: Exception) -> bool:
    name = type(error).__name__
    return any(word in name for word in ("SSO", "Token", "Credential", "Login", "Refresh"))


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _failed(name: str, error: Any) -> ApiError:
    match error:
        case botocore.exceptions.ClientError():
            return _client_error(name, error)
        case botocore.exceptions.NoCredentialsError() | botocore.exceptions.CredentialRetrievalError():
            kind = Failure.CREDENTIALS
        case botocore.exceptions.HTTPClientError() | botocore.exceptions.ConnectionError():
            kind = Failure.UNREACHABLE
        case _:
            kind = Failure.CREDENTIALS if _is_about_credentials(error) else Failure.OTHER
    return ApiError(name, kind, type(error).__name__, _one_line(error))


def _client_error(name: str, error: Any) -> ApiError:
    details: dict[str, Any] = error.response.get("Error", {})
    metadata: dict[str, Any] = error.response.get("ResponseMetadata", {})
    code = str(details.get("Code") or "Unknown")
    failure = _FAILURES.get(code, Failure.OTHER)
    message = _one_line(details.get("Message") or "no message")
    return ApiError(name, failure, code, message, metadata.get("RequestId"))
