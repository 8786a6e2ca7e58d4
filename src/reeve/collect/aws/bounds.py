"""How long, how often and how much: every bound on what is asked of AWS and on what comes back, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reeve.collect.failures import Failure

CONNECTIONS = {"iam": 4, "account": 1, "organizations": 2}
"""Requests to a service under way at once, where it allows few for an account; more would only be throttled."""
USUAL_CONNECTIONS = 8
"""Requests to any other service under way at once, over all regions."""


def _tries() -> Mapping[Failure, int]:
    # Throttling is waited out until the call's deadline. A service that is unwell recovers within half a minute, or not
    # soon. A connection that is refused fails at once, silence costs `silence_seconds` each time.
    return {
        Failure.THROTTLED: 1000,
        Failure.UNWELL: 8,
        Failure.UNREACHABLE: 4,
        Failure.UNREADABLE: 3,
        Failure.SILENT: 2,
    }


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a scan; tests give smaller ones. Times are seconds."""

    call_seconds: float = 90
    """No try of a call (of one page) begins later than this after the first: throttling storms of AWS are over by then."""
    connect_seconds: float = 10
    silence_seconds: float = 30
    """How long nothing may come while an answer is waited for; the slowest answers of IAM take ten."""
    body_seconds: float = 30
    """How long an answer may take to come in whole, from its first byte."""
    body_bytes: int = 64 * 2**20
    """The largest answer; the largest that the APIs give, a thousand IAM entities with their policies, is about 15 MB."""
    pages: int = 20_000
    """The longest list: a million log groups, the most that an account can have, come in pages of 50."""
    rests: tuple[float, ...] = (0.5, 1, 2, 4, 8)
    """Between two tries; the last one again and again."""
    tries: Mapping[Failure, int] = field(default_factory=_tries)
    """How often a call is made that fails so; of other failures another try would come to the same."""
    polls: tuple[float, ...] = (0.2, 0.3, 0.5, 1, 2, 4, 8, 15)
    """Between two looks at a credential report in the making."""

    @property
    def request_seconds(self) -> float:
        """How long a request may be under way until it is given up from outside, whatever it waits for: names, headers."""
        return self.call_seconds + self.connect_seconds + self.silence_seconds + self.body_seconds

    def rest(self, tries: int) -> float:
        """Return the rest after so many tries."""
        return self.rests[min(tries, len(self.rests)) - 1]


USUAL = Bounds()
