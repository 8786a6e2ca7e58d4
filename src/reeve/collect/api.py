"""What the engine needs of a provider's APIs: lists in pages, and how much may be asked of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from reeve.collect.failures import ApiError


class Api(Protocol):
    """One account's APIs, in all of its regions. Calls come from several threads.

    What an answer is worth, another try, a rest, is decided behind it: the engine makes each call once.
    """

    def pages(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a call's answer, as `as_json` makes them, or the one answer of a call without pages.

        Raises:
            ApiError: a page failed in the end, or the list can't be read to its end. Nothing else: whatever comes over a
                network is told apart here.
        """
        ...

    def at_once(self, service: str) -> int:
        """Return how many requests to a service may be under way at once."""
        ...

    def clock(self) -> float:
        """Return the time by which requests are bounded, in seconds."""
        ...

    @property
    def request_seconds(self) -> float:
        """How long a request may be under way until it is left behind."""
        ...

    def left_behind(self, error: ApiError, service: str, region: str, operation: str) -> None:
        """Take note of a request that is waited for no more."""
        ...

    def stop(self) -> None:
        """Let every later call fail at once; for an interrupted scan."""
        ...
