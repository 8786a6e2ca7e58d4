"""Where an account's regions are listed."""

from dataclasses import dataclass

from reeve.model import Call


@dataclass(frozen=True, slots=True)
class Regions:
    """The call that lists the regions of an account: `items` of its answer, and the `name` of each, both JMESPath."""

    call: Call
    items: str
    name: str
