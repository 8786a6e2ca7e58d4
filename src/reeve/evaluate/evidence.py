"""Why one object was judged as it was: what the deciding condition read, the children that decided, and which calls said so."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reeve.evaluate.citations import Citations, Origin
from reeve.evaluate.excerpts import MOST_ITEMS, cut, excerpt
from reeve.evaluate.interpreter import Classified, Event
from reeve.evaluate.observed import Member, Observation, ObservedProgram, members, statuses
from reeve.inventory.places import summary_of
from reeve.language import codes
from reeve.language.rows import disappearance_field
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.language.values import WrongTypeError, describe
from reeve.model import Outcome, Status

MOST_CHILDREN = MOST_ITEMS
"""How many children are shown."""
MOST_NAMED = 3
"""How many children are named in the line that a person reads."""
_WRONG = frozenset({Status.INCOMPLIANT, Status.UNDETERMINED})


@dataclass(frozen=True, slots=True)
class Fact:
    """What the deciding condition read: a field by its path (through lookups, `vpc.id`), or a related list by its name.

    `value` is the field's as JSON, cut where it is long (`excerpts`); of a path that ends in a dot it is the id of the object
    that is there. `more` is how many more items a list has. Of a related list none of whose objects decided, `counts` is how
    many have each status; then there is no value. `reason` says why the value, or a part of the list, is not known.
    """

    path: str
    value: Any
    reason: str | None = None
    more: int = 0
    counts: Mapping[Status, int] | None = None

    def text(self) -> str:
        """Return the fact as a person reads it: `path: value`."""
        name = self.path.removesuffix(".")
        if self.reason is not None:
            return f"{name}: not collected: {self.reason}"
        if self.counts is not None:
            return f"{name}: {' and '.join(f'{count} {status}' for status, count in self.counts.items()) or 'none'}"
        more = f" and {self.more} more" if self.more else ""
        return f"{name}: {describe(self.value)}{more}"


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

    def text(self) -> str:
        """Return the child as a person reads it: `NAME: what is so of it`; a summary with the name in it says less."""
        telling = self.summary if self.summary and self.name not in self.summary else None
        return f"{self.name}: {cut(telling or self.message.removesuffix('.'))}"


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


def evidence_of(observed: ObservedProgram, observation: Observation, citations: Citations) -> Evidence:
    """Return what a verdict rests on: what the condition that decided read, or where none did, all that were looked at.

    Args:
        observed: the policy that judged.
        observation: the object as it was judged, and what happened while it was judged.
        citations: says what its fields, and those of its children, come from.
    """
    found = _Gathering(observed, observation, citations)
    if observation.outcome.code == codes.DISAPPEARED:
        gone = disappearance_field(observation.row, observed.object_type.disappearance_field)
        found.add_field(gone or observed.object_type.id_field)
    deciding = _deciding(observed, observation)
    for event in deciding:
        if isinstance(event, Classified):
            found.add_list([one for one in deciding if isinstance(one, Classified) and one.relationship == event.relationship])
        elif reads := observed.reads.get(id(event.expression)):
            for path in (*reads.fields, *(f"{lookup}." for lookup in reads.lookups)):
                found.add_field(path)
    return found.evidence()


def _deciding(observed: ObservedProgram, observation: Observation) -> Sequence[Event]:
    number = codes.condition_of(observation.outcome.code)
    every = number > len(observed.program.checks)
    return [event for event in observation.events if every or event.condition == number]


@dataclass(slots=True)
class _Gathering:
    """Evidence while it is put together: each field and each related list once, in order."""

    observed: ObservedProgram
    observation: Observation
    citations: Citations
    looked_at: set[str] = field(default_factory=set[str])
    facts: list[Fact] = field(default_factory=list[Fact])
    children: list[Child] = field(default_factory=list[Child])
    more: int = 0
    calls: dict[str, None] = field(default_factory=dict[str, None])

    def add_field(self, path: str) -> None:
        """Add a field that was read, or what was looked at behind lookups."""
        if path in self.looked_at:
            return
        self.looked_at.add(path)
        try:
            value, calls = self.citations.read(self.observed.object_type, path, self.observation.row)
        except WrongTypeError as error:
            self.facts.append(Fact(path, None, cut(str(error))))
            return
        self._cite(calls)
        reason = cut(value.reason) if isinstance(value, (NotCollected, PartlyCollected)) else None
        if isinstance(value, (NotCollected, PartlyCollected)):
            value = value.rows if isinstance(value, PartlyCollected) else None
        shown, more = excerpt(value)
        self.facts.append(Fact(path, shown, reason, more))

    def add_list(self, found: Sequence[Classified]) -> None:
        """Add a related list that was judged for some operations: the objects that they counted, else how many there are.

        Where none is as it was asked for, what is wrong with each of them decided.
        """
        classified, program = found[0], self.observed.lists[found[0].relationship]
        if classified.relationship in self.looked_at:
            return
        self.looked_at.add(classified.relationship)
        asked, doubted = {one.status for one in found}, codes.is_error(self.observation.outcome.code)

        def having(wanted: Collection[str]) -> tuple[Sequence[Member], int]:
            def decided(outcome: Outcome) -> bool:
                if outcome.unseen:
                    return doubted or Status.UNDETERMINED in wanted
                return program.program.meanings[outcome.code].status in wanted

            return members(classified, program.object_type, decided, MOST_CHILDREN - len(self.children))

        chosen, more = having(asked)
        if not chosen or (doubted and classified.unread is not None):
            reason = cut(classified.unread) if classified.unread is not None else None
            self.facts.append(Fact(classified.relationship, None, reason, counts=statuses(classified, program.program)))
            self._cite(self.citations.listing(program.object_type))
        if not chosen and self.observation.meaning.status is Status.INCOMPLIANT:
            chosen, more = having(_WRONG)
        self.more += more
        for member in chosen:
            self._add_child(classified.relationship, program, member)

    def _add_child(self, relation: str, program: ObservedProgram, member: Member) -> None:
        observation = program.observe(member.row, self.observation.moment)
        evidence = evidence_of(program, observation, self.citations)
        own, origin = program.object_type, self.citations.origin(member.row) or Origin()
        self._cite(evidence.calls or self.citations.listing(own))
        summary = summary_of(own, member.row, origin.account, origin.region, origin.arn)
        self.children.append(
            Child(
                relation,
                own.id,
                cut(member.id),
                cut(member.name),
                origin.account,
                origin.region,
                summary and cut(summary),
                observation.meaning.status,
                observation.meaning.message,
                evidence,
            )
        )

    def _cite(self, calls: Sequence[str]) -> None:
        self.calls.update(dict.fromkeys(calls))

    def evidence(self) -> Evidence:
        """Return what was found."""
        calls = tuple(self.calls) or self.citations.listing(self.observed.object_type)
        return Evidence(tuple(self.facts), tuple(self.children), self.more, calls, self._text())

    def _text(self) -> str:
        missing = [fact.text() for fact in self.facts if fact.reason is not None]
        if missing and self.observation.meaning.status is Status.UNDETERMINED:
            return cut(", ".join(missing))
        if not self.children:
            return cut(", ".join(fact.text() for fact in self.facts))
        named, more = self.children[:MOST_NAMED], self.more + max(0, len(self.children) - MOST_NAMED)
        return cut("; ".join(child.text() for child in named)) + (f" and {more} more" if more else "")
