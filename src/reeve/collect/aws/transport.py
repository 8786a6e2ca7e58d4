"""Answers taken in within bounds: botocore waits for each piece of a body, but not for the whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own
import urllib3.exceptions

from reeve.collect.aws.bounds import Bounds
from reeve.collect.failures import ApiError, Failure

PIECE = 2**16


@dataclass(frozen=True, slots=True)
class Bounded:
    """botocore's HTTP session of a client, with bounds on the bodies of answers.

    `inner` is that session; `call` names the operations for errors.
    """

    inner: Any
    service: str
    bounds: Bounds
    clock: Callable[[], float] = time.monotonic

    def send(self, request: Any) -> Any:
        """Send a prepared request and take its answer in.

        Raises:
            HTTPClientError: there is no connection, or it ends before the answer does.
            ApiError: the body is too large, or takes too long.
        """
        request.stream_output = True  # the body is read here, not by the session
        response = self.inner.send(request)
        try:
            response._content = self._body(response.raw)  # what `content` gives: there is no public way to set it
        except urllib3.exceptions.ReadTimeoutError as error:
            raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url, error=error) from None
        except urllib3.exceptions.HTTPError as error:
            raise botocore.exceptions.ConnectionClosedError(endpoint_url=request.url, error=error) from None
        return response

    def close(self) -> None:
        """Close the connections."""
        self.inner.close()

    def _body(self, raw: Any) -> bytes:
        raw.enforce_content_length = True  # a body that is cut short is an error, not an answer
        pieces: list[bytes] = []
        size, end = 0, self.clock() + self.bounds.body_seconds
        while piece := raw.read1(PIECE, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if size > self.bounds.body_bytes:
                raw.close()
                message = f"an answer of more than {self.bounds.body_bytes} bytes was not read to its end"
                raise ApiError(self.service, Failure.OTHER, "BodyTooLarge", message)
            if self.clock() > end:
                raw.close()
                message = f"an answer that had not come whole after {self.bounds.body_seconds:.0f} s was not waited for"
                raise ApiError(self.service, Failure.SILENT, "BodyTooSlow", message)
        raw.release_conn()
        return b"".join(pieces)
