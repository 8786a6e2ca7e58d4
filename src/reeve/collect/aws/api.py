"""Calls to AWS by botocore: credentials as the AWS CLI finds them, calls counted, failures told apart."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import botocore.config  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own
import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs]
import botocore.session  # pyright: ignore[reportMissingTypeStubs]

CONNECTIONS = 4
"""Requests under way at once. IAM allows some tens a second for an account; more would only be throttled."""

# A storm of throttling can outlast botocore's own retries; then the call rests for these many seconds and is made again.
RESTS = (1, 2, 4, 8, 16, 30)


class Failure(StrEnum):
    """Why a call failed, as far as it matters for what to do."""

    DENIED = "denied"
    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    MISSING = "missing"
    UNREACHABLE = "unreachable"
    OTHER = "other"


_FAILURES = {
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"), Failure.DENIED),
    **dict.fromkeys(
        (
            *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException"),
            *(
                "SignatureDoesNotMatch",
                "AuthFailure",
                "InvalidAccessKeyId",
                "MissingAuthenticationToken",
                "TokenRefreshRequired",
            ),
        ),
        Failure.CREDENTIALS,
    ),
    **dict.fromkeys(
        (
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
            "SlowDown",
        ),
        Failure.THROTTLED,
    ),
    **dict.fromkeys(("NoSuchEntity", "NoSuchEntityException"), Failure.MISSING),
}


@dataclass(eq=False)
class ApiError(Exception):
    """A call that failed: which one, on what, how, and the id that AWS gave the request."""

    call: str
    failure: Failure
    code: str
    message: str
    request_id: str | None = None

    def __str__(self) -> str:
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.call}: {self.code}: {self.message}{request}"

    @property
    def advice(self) -> str:
        """What the user can do about it, in one sentence."""
        match self.failure:
            case Failure.DENIED:
                return f"allow the action {self.call} to the identity that scans, and check for a policy of the organisation"
            case Failure.CREDENTIALS:
                return "get new credentials (for example with `aws sso login`) and run again"
            case Failure.THROTTLED:
                return "AWS kept refusing the rate of requests; run again later"
            case Failure.UNREACHABLE:
                return "check the network, the region and AWS_ENDPOINT_URL"
            case _:
                return "run again; if it stays, look the error code up in the API's reference"


def no_credentials(message: str) -> ApiError:
    """Return the error for credentials that could not be found or made."""
    return ApiError("sts:GetCallerIdentity", Failure.CREDENTIALS, "NoCredentials", message)


@dataclass(slots=True)
class Api:
    """One account's APIs. Calls may come from several threads.

    Once the credentials are refused, every later call fails with the same error, without a request.
    """

    session: Any
    region: str
    calls: Counter[str] = field(default_factory=Counter[str])
    endpoint_url: str | None = None
    sleep: Callable[[float], None] = time.sleep
    _clients: dict[str, Any] = field(default_factory=dict[str, Any])
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

    def client(self, service: str, attempts: int = 8) -> Any:
        """Return the service's client, made at its first use."""
        with self._lock:
            if service not in self._clients:
                config = botocore.config.Config(
                    retries={"mode": "adaptive", "total_max_attempts": attempts},
                    max_pool_connections=CONNECTIONS,
                    connect_timeout=10,
                    read_timeout=30,
                    user_agent_extra="reeve",
                )
                client = self.session.create_client(
                    service, region_name=self.region, config=config, endpoint_url=self.endpoint_url
                )
                client.meta.events.register(f"before-send.{service}", self._count)
                self._clients[service] = client
            return self._clients[service]

    def _count(self, event_name: str, **details: Any) -> None:
        service, operation = event_name.split(".")[1:]
        with self._lock:
            self.calls[f"{service}:{operation}"] += 1

    def call(
        self, service: str, operation: str, arguments: Mapping[str, Any] | None = None, attempts: int = 8
    ) -> dict[str, Any]:
        """Make one call.

        Args:
            service: botocore's name of the service, "iam".
            operation: the operation as the API reference writes it, "ListUsers".
            arguments: the operation's parameters.
            attempts: how often botocore tries; it counts when the client is made, at the service's first call.

        Returns:
            The answer as botocore parses it.

        Raises:
            ApiError: the call failed in the end.
        """
        name = f"{service}:{operation}"
        for rest in (*RESTS, None):
            if self._refused is not None:
                raise self._refused
            try:
                client = self.client(service, attempts)
                return client._make_api_call(operation, dict(arguments or {}))  # the one method that all operations go through
            except botocore.exceptions.ClientError as error:
                failed = _client_error(name, error)
                if failed.failure is Failure.THROTTLED and rest is not None:
                    self.sleep(rest)
                    continue
            except (botocore.exceptions.NoCredentialsError, botocore.exceptions.CredentialRetrievalError) as error:
                failed = ApiError(name, Failure.CREDENTIALS, type(error).__name__, _one_line(error))
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError) as error:
                failed = ApiError(name, Failure.UNREACHABLE, type(error).__name__, _one_line(error))
            except botocore.exceptions.BotoCoreError as error:
                kind = Failure.CREDENTIALS if _is_about_credentials(error) else Failure.OTHER
                failed = ApiError(name, kind, type(error).__name__, _one_line(error))
            if failed.failure is Failure.CREDENTIALS:
                self._refused = failed
            raise failed
        raise AssertionError("unreachable: the last round raises")

    def stop(self) -> None:
        """Let every later call fail at once; for an interrupted scan."""
        self._refused = ApiError("reeve", Failure.CREDENTIALS, "Interrupted", "the scan was interrupted")


def _is_about_credentials(error: Exception) -> bool:
    name = type(error).__name__
    return any(word in name for word in ("SSO", "Token", "Credential", "Login", "Refresh"))


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _client_error(name: str, error: Any) -> ApiError:
    details: dict[str, Any] = error.response.get("Error", {})
    metadata: dict[str, Any] = error.response.get("ResponseMetadata", {})
    code = str(details.get("Code") or "Unknown")
    failure = _FAILURES.get(code, Failure.OTHER)
    message = _one_line(details.get("Message") or "no message")
    return ApiError(name, failure, code, message, metadata.get("RequestId"))
