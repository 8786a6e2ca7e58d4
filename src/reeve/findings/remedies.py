"""How an object that is INCOMPLIANT is mended: a policy's remedies with the object's values filled in.

Where a value is not known, was not read, or comes from a list of which not everything was read, there is no command, only
words; where it is not known which of several remedies is the object's, there is none.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from reeve.evaluate.interpreter import Program
from reeve.language.evaluation import Moment, Row
from reeve.language.patterns import Known, Search, UnfilledError
from reeve.language.unread import NotCollected, PartlyCollected
from reeve.model import Code, ObjectType, Place, Status
from reeve.repository.remedies import GUILTY, ITEM, DeclaredRemedy, Remedies, RemedyCommand

MOST_COMMANDS = 100
"""How many commands of one remedy are made; an object that needs more gets words only."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command in one line, quoted for a POSIX shell, and the one that undoes it, if it can be undone."""

    run: str
    undo: str | None


@dataclass(frozen=True, slots=True)
class Remedy:
    """How one object is mended: in words, and by commands if all that they need is known.

    `breaks` is what the commands can break, `cannot_undo` why one of them has no way back.
    """

    say: str
    commands: tuple[Command, ...] = ()
    breaks: str | None = None
    cannot_undo: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that a remedy is for: its fields and lists, its place, its id, and its name if it has one.

    `guilty` are the children that are INCOMPLIANT, by related list. `tables` are the ids of the types that were collected.
    """

    row: Row
    object_type: ObjectType
    place: Place
    id: str
    name: str | None
    guilty: Mapping[str, Sequence[Row]]
    tables: Container[str]


def remedy_of(remedies: Remedies, code: Code, subject: Subject, moment: Moment) -> Remedy | None:
    """Return how an object is mended.

    Args:
        remedies: those of the policy.
        code: what the policy says of the object.
        subject: the object.
        moment: when it was judged.

    Returns:
        The remedy; None when the policy has none for the code, or it is not known which one is the object's.
    """
    try:
        for declared in remedies:
            if declared.code == code:
                search = Search(_known(subject, frozenset(path[0] for path in declared.reads)), moment.now)
                within = _with_values(declared, search)
                if declared.when is None or _is_true(within(declared.when)):
                    return _filled(declared, within)
    except UnfilledError:
        return None
    return None


def reads_guilty(remedies: Remedies, code: Code) -> bool:
    """Return whether a remedy for a code speaks of the children that are INCOMPLIANT: they are judged again to be found."""
    return any(path[0] == GUILTY for declared in remedies if declared.code == code for path in declared.reads)


def guilty_children(program: Program, row: Row, moment: Moment) -> dict[str, list[Row]]:
    """Return, by related list, an object's children that are INCOMPLIANT under what the policy says of that list."""
    found: dict[str, list[Row]] = {}
    for name, child in program.children.items():
        listed: Any = row.get(name)
        rows: Any = listed.rows if isinstance(listed, PartlyCollected) else listed
        if isinstance(rows, list | tuple):
            judged = ((one, child.judge(one, moment).code) for one in cast("Sequence[Row]", rows))
            found[name] = [one for one, code in judged if child.meanings[code].status is Status.INCOMPLIANT]
    return found


def _is_true(value: Any) -> bool:
    """Return whether a value counts as true, as in a filter of JMESPath."""
    return value is not None and value is not False and value not in ("", [], {})


def _with_values(declared: DeclaredRemedy, search: Search) -> Search:
    """Return the search that sees what a remedy gives names to; what can't be found is as if it had not been read."""
    for name, query in declared.values.items():
        try:
            value: Any = search(query)
        except UnfilledError as error:
            value = NotCollected(str(error))
        search = search.beside(name, value)
    return search


def _filled(declared: DeclaredRemedy, search: Search) -> Remedy:
    """Return a remedy filled in.

    Raises:
        UnfilledError: its words can't be.
    """
    say = " ".join(declared.say.fill(search).split())
    try:
        commands = tuple(made for command in declared.commands for made in _commands(command, search))
    except UnfilledError:
        commands = ()
    if not commands or len(commands) > MOST_COMMANDS:
        return Remedy(say)
    return Remedy(say, commands, declared.breaks, declared.cannot_undo)


def _commands(declared: RemedyCommand, search: Search) -> Iterator[Command]:
    for one in _each(declared, search):
        undo = declared.undo.fill(one) if declared.undo is not None else None
        yield Command(declared.run.fill(one), undo)


def _each(declared: RemedyCommand, search: Search) -> Iterator[Search]:
    if declared.each is None:
        yield search
        return
    items: Any = search(declared.each)
    if not isinstance(items, list):
        raise UnfilledError("no list")
    for item in cast("list[Any]", items)[: MOST_COMMANDS + 1]:
        yield search.beside(ITEM, item)


# What expressions see --------------------------------------------------------------------------------------------------


def _known(subject: Subject, names: frozenset[str]) -> Known:
    """Return what expressions see of an object, of its own fields, lists and lookups those of some names."""
    place, row, own = subject.place, subject.row, subject.object_type
    fields = names if own.untyped else own.fields.keys() & names
    known = Known((name, _plain(row.get(name))) for name in fields)
    for name, relation in (*own.related_lists.items(), *own.lookups.items()):
        if name in names:
            held = relation.type in subject.tables
            known[name] = _plain(row.get(name)) if held else NotCollected(f"the snapshot holds no {relation.type}")
    guilty = Known()
    for name, children in subject.guilty.items() if GUILTY in names else ():
        listed: Any = row.get(name)
        unread = isinstance(listed, NotCollected | PartlyCollected)
        guilty[name] = listed if unread else _plain(children)
    places = {"_account": place.account, "_region": place.region, "_partition": place.partition, "_arn": place.arn}
    unempty = {name: value or None for name, value in places.items()}
    return Known({**known, **unempty, "_id": subject.id, "_name": subject.name, GUILTY: guilty})


def _plain(value: Any) -> Any:
    """Return a value as plain JSON: an instant as ISO 8601 in UTC, a whole number without a fraction, marks as they are."""
    match value:
        case Mapping():
            row = cast("Mapping[str, Any]", value)
            return Known((name, _plain(row[name])) for name in row)
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in cast("Sequence[Any]", value)]
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
