"""What keeps failing is given up as a whole, so that a scan's time doesn't grow with the number of what waits for it."""

import threading
from dataclasses import dataclass, field

from reeve.collect.failures import ApiError, Failure

OPERATIONS, CALLS = 2, 3
"""So many operations of a service in a region give the service up there if none was ever answered, so many calls of one
operation in a row give the operation up: one alone may be the fault of the object that it is about."""

NO_ANSWER = (Failure.SILENT, Failure.UNREACHABLE)


@dataclass(slots=True)
class Circuit:
    """Counts what failed in the end since the last answer, by service, region and operation. Safe for several threads."""

    _silent: dict[tuple[str, str], set[str]] = field(default_factory=dict[tuple[str, str], set[str]])
    _failed: dict[tuple[str, str, str], list[ApiError]] = field(default_factory=dict[tuple[str, str, str], list[ApiError]])
    _alive: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refusal(self, service: str, region: str, operation: str) -> ApiError | None:
        """Return why nothing more is asked: the service gives no answer there, or the operation gives none."""
        if not self._failed:
            return None
        with self._lock:
            failed = self._failed.get((service, region, operation), [])
            silent = len(failed) >= CALLS and failed[-1].failure in NO_ANSWER
            dead = len(self._silent.get((service, region), ())) >= OPERATIONS and (service, region) not in self._alive
            if not silent and not dead:
                return None
        what = f"{service}:{operation}" if silent else service
        message = f"{what} gave no answer in {region}, again and again; nothing more was asked of it there"
        return ApiError(what if silent else f"{service}:*", Failure.SILENT, "GivenUp", message)

    def hurries(self, service: str, region: str, operation: str) -> bool:
        """Return whether an operation fails so often that a call is made once, without rests."""
        return len(self._failed.get((service, region, operation), ())) >= CALLS

    def answered(self, service: str, region: str, operation: str) -> None:
        """Note an answer, be it a refusal: what failed before is forgotten."""
        self._alive.add((service, region))
        if self._failed:
            with self._lock:
                self._failed.pop((service, region, operation), None)

    def failed(self, error: ApiError, service: str, region: str, operation: str) -> None:
        """Note a call that was tried as often as it makes sense."""
        with self._lock:
            self._failed.setdefault((service, region, operation), []).append(error)
            if error.failure in NO_ANSWER:
                self._silent.setdefault((service, region), set()).add(operation)
            else:
                self._alive.add((service, region))
