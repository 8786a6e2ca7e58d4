"""Why one object was judged as it was: what the deciding condition read, the children that decided, and which calls said so."""

from dataclasses import dataclass
from typing import Any

from reeve.model import Status


@dataclass(frozen=True, slots=True)
class Fact:
    """What the deciding condition read: a field by its path (through lookups, `vpc.id`), or a related list by its name.

    `value` is the field's as JSON, cut where it is long; instants are ISO 8601 texts. Of a related list it is how many of its
    objects have each status, for lists none of whose objects decided. `reason` says why it was not collected; then the value
    is null, or of a list what was read of it.
    """

    path: str
    value: Any
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """An object of a related list that decided: where it is, what was said of it, and why.

    `relation` is the related list's name, `type` its objects' type. `account` and `region` are None where the objects don't say
    them, as in test data; `summary` is what the type says of such an object in one line, None where it says nothing.
    """

    relation: str
    type: str
    id: str
    name: str
    account: str | None
    region: str | None
    summary: str | None
    status: Status
    message: str
    evidence: "Evidence"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on: facts in the order of reading, and the first of the children that decided, by name.

    `more` is how many children beyond these decided too. `calls` are the API calls (`service:Operation`) that the facts, the
    children's too, came from. `text` says it in one line.
    """

    facts: tuple[Fact, ...]
    children: tuple[Child, ...]
    more: int
    calls: tuple[str, ...]
    text: str
