"""What a trail of CloudTrail records: whether its event selectors, together, let no event of a kind pass by.

Sources: the shapes EventSelector, AdvancedEventSelector and AdvancedFieldSelector of CloudTrail's API, and its User Guide on
how operators of one field add up: what the selecting operators name is added, what the others name is taken off. An event is
recorded if one selector takes it, so a kind is recorded whole if no event of it escapes them all. An escaping event breaks a
condition of every selector; as each condition is about one field, it is found field by field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

BOOLEAN_FIELDS = ("readOnly",)
"""The fields of which events have no other value than true and false."""
CHOSEN = ("Equals", "StartsWith", "EndsWith")
LEFT_OUT = ("NotEquals", "NotStartsWith", "NotEndsWith")
MAX_STEPS = 100_000
"""How many values are tried on conditions before it is given up."""
_OTHER = "\0"
"""Stands in a value for what no selector names."""
_ALL_OBJECTS = re.compile(r"arn:[a-z0-9-]+:s3(:::)?")


class SelectorsError(Exception):
    """Selectors can't be understood; the message says why."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a selector asks of one field: a value that `chosen` takes (none: any), and that `left_out` doesn't take."""

    chosen: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]

    def holds(self, value: str) -> bool:
        """Return whether an event with this value is taken."""
        taken = not self.chosen or any(_fits(operator, text, value) for operator, text in self.chosen)
        return taken and not any(_fits(operator, text, value) for operator, text in self.left_out)


@dataclass(frozen=True, slots=True)
class Values:
    """The values that a field has in the events of a kind: `some`, or, where that is None, all but `never`."""

    some: tuple[str, ...] | None = None
    never: frozenset[str] = frozenset()

    def within(self, conditions: Sequence[Condition]) -> list[str]:
        """Return values that stand for all: two that no condition tells apart need not both be there."""
        if self.some is not None:
            return list(self.some)
        texts = [pair for one in conditions for pair in one.left_out]
        heads = ["", *(text for operator, text in texts if operator == "NotStartsWith")]
        tails = ["", *(text for operator, text in texts if operator == "NotEndsWith")]
        exact = [text for operator, text in texts if operator == "NotEquals"]
        return [
            value for value in (*(head + _OTHER + tail for head in heads for tail in tails), *exact) if value not in self.never
        ]


Kind = Mapping[str, Values]
"""A kind of event: the values of fields that it says something about. Other fields have any value."""
Selector = Mapping[str, Condition]


def read_kind(given: Any) -> Kind:
    """Return a kind of events as a policy writes it: by field a text, a Boolean, or `{not: [texts]}`.

    Raises:
        ValueError: it is not written so.
    """
    if not isinstance(given, Mapping) or not given:
        raise ValueError("a kind of events is a mapping such as {eventCategory: Management}")
    return {str(name): _values(value) for name, value in cast("Mapping[Any, Any]", given).items()}


def _values(value: Any) -> Values:
    match value:
        case bool():
            return Values((str(value).lower(),))
        case str():
            return Values((value,))
        case {"not": [*texts]} if len(value) == 1 and all(isinstance(text, str) for text in texts):
            return Values(None, frozenset(texts))
        case _:
            raise ValueError("a field's value is a text, true, false, or {not: [texts]}")


def records(selectors: Any, kind: Kind) -> bool:
    """Return whether every event of a kind is recorded.

    Args:
        selectors: `EventSelectors` or `AdvancedEventSelectors` as GetEventSelectors answers.
        kind: the events.

    Raises:
        SelectorsError: the selectors can't be understood, or are too many to be looked through.
    """
    taking = [one for one in read_selectors(selectors) if _may_take(one, kind)]
    return not _escapes(kind, [], sorted(taking, key=len), [MAX_STEPS])


def read_selectors(answer: Any) -> Iterator[Selector]:
    """Yield the selectors of an answer, basic ones as the advanced ones that they stand for.

    Raises:
        SelectorsError: they can't be understood.
    """
    if not isinstance(answer, Mapping):
        raise SelectorsError("event selectors are no object")
    found = cast("Mapping[str, Any]", answer)
    basic, advanced = found.get("EventSelectors"), found.get("AdvancedEventSelectors")
    if basic is None and advanced is None:
        raise SelectorsError("there are neither event selectors nor advanced ones")
    for one in _objects(advanced):
        yield _advanced(one)
    for one in _objects(basic):
        yield from _basic(one)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    items = cast("list[Any]", [] if value is None else value)
    if not isinstance(value, (list, type(None))) or not all(isinstance(item, Mapping) for item in items):
        raise SelectorsError("event selectors are no list of objects")
    return items


def _texts(value: Any) -> list[str]:
    items = cast("list[Any]", [] if value is None else value)
    if not isinstance(value, (list, type(None))) or not all(isinstance(item, str) for item in items):
        raise SelectorsError("the values of a selector are no list of texts")
    return items


def _advanced(one: Mapping[str, Any]) -> Selector:
    found: dict[str, Condition] = {}
    for field in _objects(one.get("FieldSelectors")):
        name = field.get("Field")
        operators = [key for key, value in field.items() if key != "Field" and value]
        if not isinstance(name, str) or not operators or not {*operators} <= {*CHOSEN, *LEFT_OUT}:
            raise SelectorsError("a field selector has no field, or no operator that is known")
        chosen, left_out = (
            tuple((operator, text) for operator in names for text in _texts(field.get(operator)))
            for names in (CHOSEN, LEFT_OUT)
        )
        known = found.get(name, Condition((), ()))
        if known.chosen and chosen:
            raise SelectorsError(f"two field selectors choose values of {name}")
        found[name] = Condition(known.chosen + chosen, known.left_out + left_out)
    if "eventCategory" not in found:
        raise SelectorsError("an advanced event selector has no eventCategory")
    return _without_all_objects(found)


def _basic(one: Mapping[str, Any]) -> Iterator[Selector]:
    """Yield what a basic selector stands for: one for management events, one for each of its resources."""
    reading, management = one.get("ReadWriteType"), one.get("IncludeManagementEvents")
    if reading not in ("All", "ReadOnly", "WriteOnly") or not isinstance(management, bool):
        raise SelectorsError("an event selector lacks a known ReadWriteType, or IncludeManagementEvents")
    half = {} if reading == "All" else {"readOnly": _equals(str(reading == "ReadOnly").lower())}
    if management:
        excluded = tuple(("NotEquals", text) for text in _texts(one.get("ExcludeManagementEventSources")))
        sources = {"eventSource": Condition((), excluded)} if excluded else {}
        yield {"eventCategory": _equals("Management"), **half, **sources}
    for resource in _objects(one.get("DataResources")):
        kind = resource.get("Type")
        if not isinstance(kind, str):
            raise SelectorsError("a data resource of an event selector has no Type")
        for value in _texts(resource.get("Values")):
            places = {
                "resources.type": _equals(kind),
                "resources.ARN": Condition((("StartsWith", value),), ()),
            }
            yield _without_all_objects({"eventCategory": _equals("Data"), **places, **half})


def _equals(value: str) -> Condition:
    return Condition((("Equals", value),), ())


def _without_all_objects(selector: dict[str, Condition]) -> Selector:
    """Return a selector without a condition on the ARN that every S3 object meets."""
    arn = selector.get("resources.ARN")
    of_objects = selector.get("resources.type") == _equals("AWS::S3::Object")
    if of_objects and arn and not arn.left_out and any(o == "StartsWith" and _ALL_OBJECTS.fullmatch(t) for o, t in arn.chosen):
        return {name: condition for name, condition in selector.items() if name != "resources.ARN"}
    return selector


def _may_take(selector: Selector, kind: Kind) -> bool:
    """Return whether a selector can take some event of a kind at all."""
    known = ((condition, kind[name].some) for name, condition in selector.items() if name in kind)
    return all(some is None or any(condition.holds(value) for value in some) for condition, some in known)


def _escapes(kind: Kind, broken: list[tuple[str, Condition]], left: list[Selector], steps: list[int]) -> bool:
    """Return whether some event of a kind breaks these conditions, and one of every selector that is left."""
    if not left:
        return True
    for name, condition in left[0].items():
        together = [one for field, one in broken if field == name] + [condition]
        values = kind.get(name, Values(("true", "false") if name in BOOLEAN_FIELDS else None)).within(together)
        steps[0] -= len(values)
        if steps[0] < 0:
            raise SelectorsError("the trail has too many event selectors to be looked through")
        breaks_all = any(not any(one.holds(value) for one in together) for value in values)
        if breaks_all and _escapes(kind, [*broken, (name, condition)], left[1:], steps):
            return True
    return False


def _fits(operator: str, text: str, value: str) -> bool:
    match operator.removeprefix("Not"):
        case "Equals":
            return value == text
        case "StartsWith":
            return value.startswith(text)
        case _:
            return value.endswith(text)
