"""A call that failed: why, as far as it matters, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from reeve.collect.collection import Affects
from reeve.inventory.manifest import CollectionError


class Failure(StrEnum):
    """Why a call failed, as far as it matters for what to do."""

    DENIED = "denied"
    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    UNWELL = "unwell"
    """The service answers that something is wrong with itself."""
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    """There is a connection, but no answer, or one without end."""
    UNREADABLE = "unreadable"
    """What came is no whole answer: cut, garbled, or of values that don't parse."""
    NOT_OFFERED = "not offered"
    OTHER = "other"


_ADVICE = {
    Failure.CREDENTIALS: "get new credentials and run again",
    Failure.THROTTLED: "the rate of requests was refused again and again; run again later",
    Failure.UNWELL: "the service said that something is wrong with itself; run again later",
    Failure.UNREACHABLE: "check the network, and the address that is asked",
    Failure.SILENT: "nothing answered in time: check the network, proxies and the address that is asked, and run again",
    Failure.UNREADABLE: "what came is no answer of the API: check proxies and the address that is asked, and run again",
    Failure.NOT_OFFERED: "nothing can be read of the service there; leave its policies out with --policy, or take it as it is",
}


@dataclass(eq=False)
class ApiError(Exception):
    """A call that failed: which one, on what, how, the id that the provider gave the request, and the permissions it needs.

    `known_advice` is what the provider knows better to do about it than what is said of failures of its kind.
    """

    call: str
    failure: Failure
    code: str
    message: str
    request_id: str | None = None
    actions: tuple[str, ...] = ()
    known_advice: str | None = None

    def __str__(self) -> str:
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.call}: {self.code}: {self.message}{request}"

    @property
    def advice(self) -> str:
        """What the user can do about it, in one sentence."""
        if self.failure is Failure.DENIED:
            actions = " and ".join(self.actions or (self.call,))
            return f"allow the action {actions} to the identity that scans, and check for a policy of the organisation"
        return self.known_advice or _ADVICE.get(
            self.failure, "run again; if it stays, look the error code up in the API's reference"
        )

    def about(self, subject: str, affects: Affects) -> CollectionError:
        """Return the failure as a snapshot keeps it, with what the call was about and what it leaves unseen."""
        return CollectionError(
            self.call, self.code, self.message, self.advice, 1, self.request_id, (one_line(subject),), dict(affects)
        )


def one_line(text: object) -> str:
    """Return a text from outside on one line, without halves of surrogate pairs, which no file could hold."""
    return " ".join(str(text).split()).encode("utf-8", "replace").decode()
