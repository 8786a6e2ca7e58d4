"""Why calls fail: each service's codes and each library's errors told apart by what they mean."""

import socket
from dataclasses import replace
from typing import Any

import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own

from reeve.collect.failures import ApiError, Failure, one_line

_CODES = {
    Failure.DENIED: "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError AuthorizationErrorException"
    " Forbidden 403 OptInRequired SubscriptionRequiredException",
    Failure.CREDENTIALS: "ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId InvalidAccessKeyId AuthFailure"
    " UnrecognizedClientException SignatureDoesNotMatch MissingAuthenticationToken TokenRefreshRequired",
    Failure.THROTTLED: "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException"
    " RequestLimitExceeded TooManyRequestsException SlowDown BandwidthLimitExceeded EC2ThrottledException"
    " PriorRequestNotComplete 429",
    Failure.UNWELL: "InternalError InternalFailure InternalServerError InternalServerException InternalServiceError"
    " InternalServiceException InternalException ServiceUnavailable ServiceUnavailableException Unavailable RequestTimeout"
    " RequestTimeoutException ServiceFailure KMSInternalException",
}
_FAILURES = {code: failure for failure, codes in _CODES.items() for code in codes.split()}
"""What the codes that services answer with mean: each service has its own spelling."""

_ADVICE = {
    Failure.CREDENTIALS: "get new credentials (for example with `aws sso login`) and run again",
    Failure.THROTTLED: "AWS kept refusing the rate of requests; run again later",
    Failure.UNREACHABLE: "check the network, the region and AWS_ENDPOINT_URL; a region may lack the service",
    Failure.SILENT: "nothing answered in time: check the network, proxies and AWS_ENDPOINT_URL, and run again",
    Failure.UNREADABLE: "what came is no answer of the API: check proxies and AWS_ENDPOINT_URL, and run again",
}


def no_credentials(message: object) -> ApiError:
    """Return the error for credentials that could not be found or made."""
    return _advised(ApiError("sts:GetCallerIdentity", Failure.CREDENTIALS, "NoCredentials", one_line(message)))


def failure_of(call: str, error: Any) -> ApiError:
    """Return what an exception says about a call; of which kind it is decides about another try.

    Args:
        call: the call's name.
        error: whatever making the call, or reading its answer, raised.
    """
    return _advised(_told_apart(call, error))


def _advised(error: ApiError) -> ApiError:
    return replace(error, known_advice=_ADVICE.get(error.failure))


def _told_apart(call: str, error: Any) -> ApiError:
    match error:
        case ApiError():
            return replace(error, call=call)
        case botocore.exceptions.ClientError():
            return _client_error(call, error)
        case botocore.exceptions.NoCredentialsError() | botocore.exceptions.CredentialRetrievalError():
            kind = Failure.CREDENTIALS
        case botocore.exceptions.ReadTimeoutError() | botocore.exceptions.ConnectTimeoutError():
            kind = Failure.SILENT
        case botocore.exceptions.ConnectionClosedError():
            kind = Failure.UNREADABLE
        case botocore.exceptions.HTTPClientError() | botocore.exceptions.ConnectionError() | socket.gaierror():
            kind = Failure.UNREACHABLE
        case botocore.exceptions.IncompleteReadError():
            kind = Failure.UNREADABLE
        case (
            botocore.exceptions.EndpointProviderError()
            | botocore.exceptions.UnknownRegionError()
            | botocore.exceptions.InvalidRegionError()
        ):
            kind = Failure.NOT_OFFERED
        case botocore.exceptions.BotoCoreError():
            kind = Failure.CREDENTIALS if _is_about_credentials(error) else Failure.OTHER
        case _:  # a parser of an answer, or what came after it, met what it does not expect
            kind = Failure.UNREADABLE
    return ApiError(call, kind, type(error).__name__, one_line(error) or "no message")


def _is_about_credentials(error: Exception) -> bool:
    name = type(error).__name__
    return any(word in name for word in ("SSO", "Token", "Credential", "Login", "Refresh"))


def _client_error(call: str, error: Any) -> ApiError:
    details: dict[str, Any] = error.response.get("Error", {})
    metadata: dict[str, Any] = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode")
    code = one_line(details.get("Code") or "Unknown")
    unknown = Failure.UNWELL if isinstance(status, int) and status >= 500 else Failure.OTHER
    message = one_line(details.get("Message") or "no message")
    request = metadata.get("RequestId")
    return ApiError(call, _FAILURES.get(code, unknown), code, message, one_line(request) if request else None)
