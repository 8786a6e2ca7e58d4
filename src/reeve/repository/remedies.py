"""`remedies.yaml`: how an object that is INCOMPLIANT under a policy is mended, by the code that says so (docs/authoring.md).

Remedies are data: words, and commands with the object's values in them. Nothing is ever executed. What is wrong in the file
is an error wherever the policy is used: a name that no type has, a code that is no INCOMPLIANT one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reeve.language import codes, source
from reeve.language.errors import InvalidRepositoryError, Position, Problem, nearest, one_of
from reeve.language.logic import Body
from reeve.language.patterns import CommandLine, Pattern, parse_command, parse_pattern
from reeve.language.queries import Query, compile_dated
from reeve.language.query_reads import Found, Path, reads
from reeve.language.source import position_at, read_yaml
from reeve.language.syntax import FileReader, Key, Keys, Paths, Shape
from reeve.language.types import NAMED, Kind
from reeve.model import Code, ObjectType, Status
from reeve.repository.type_checks import Finding, Steps

REMEDIES = "remedies.yaml"
MOST_VALUES = 20
"""How many values a remedy may name: each may be made of those before it."""
PLACE_NAMES = ("_account", "_region", "_partition", "_arn", "_id", "_name")
"""What of an object's place and identity expressions see."""
GUILTY, ITEM = "guilty", "item"
"""The names by which expressions see the children that are INCOMPLIANT, by list, and the item that a command is for."""

_COMMAND_KEYS: Keys = {
    "run": Key(Shape.STRING, "The command, `{{JMESPath}}` in place of values.", True),
    "undo": Key(Shape.STRING, "The command that undoes it."),
    "each": Key(Shape.STRING, "JMESPath of a list: the command stands once for each of its items, which is `item`."),
}
REMEDY_KEYS: Keys = {
    "code": Key(Shape.INTEGER, "The INCOMPLIANT code: a condition's number * 100 + 99, or that of `otherwise`.", True),
    "when": Key(Shape.STRING, "JMESPath of whether this remedy is the object's; of several for a code the first holds."),
    "values": Key(Shape.TEXTS, "Names for what JMESPath finds, for those below."),
    "say": Key(Shape.STRING, "What to do, in one or two sentences, `{{JMESPath}}` in place of values.", True),
    "commands": Key(Shape.RECORDS, "The commands, in order.", keys=_COMMAND_KEYS),
    "breaks": Key(Shape.STRING, "What the commands can break; needed with them."),
    "cannotUndo": Key(Shape.STRING, "Why a command can't be undone; needed where one has no `undo`."),
}


@dataclass(frozen=True, slots=True)
class RemedyCommand:
    """A command as it is declared, the one that undoes it, and the list for whose items it stands."""

    run: CommandLine
    undo: CommandLine | None
    each: Query | None


@dataclass(frozen=True, slots=True)
class DeclaredRemedy:
    """A remedy as it is declared, for the objects of a code of which `when` holds.

    `reads` are the paths that it reads of an object, its place and its lists.
    """

    code: Code
    when: Query | None
    values: Mapping[str, Query]
    say: Pattern
    commands: tuple[RemedyCommand, ...]
    breaks: str | None
    cannot_undo: str | None
    reads: frozenset[Path] = frozenset()


Remedies = tuple[DeclaredRemedy, ...]
"""What a policy declares, in the order of its file."""


CheckRemedies = Callable[[Remedies, Body, Callable[[str], ObjectType]], Iterable[Finding]]
"""Says what is wrong with a policy's commands, as its type's provider knows; it is given the logic, and the types by id."""


def incompliant_codes(body: Body) -> frozenset[Code]:
    """Return the codes of a policy that say that an object is INCOMPLIANT."""
    found = {
        codes.true(number)
        for number, condition in enumerate(body.conditions, start=1)
        if condition.status is Status.INCOMPLIANT
    }
    last = {codes.otherwise(len(body.conditions))} if body.otherwise_status is Status.INCOMPLIANT else set[Code]()
    return frozenset(found | last)


def read_remedies(path: str, content: bytes, body: Body, object_type: Callable[[str], ObjectType]) -> Remedies:
    """Read `remedies.yaml`.

    Args:
        path: the file's, from the root.
        content: the file's bytes.
        body: the policy's production logic, whose codes, fields and lists the remedies are about.
        object_type: gives a type by its id.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    root = read_yaml(path, content)
    reader = FileReader(path, [], Paths(root))
    entries = [reader.read(node, REMEDY_KEYS, "a remedy") for node in reader.items(root, "remedies") or ()]
    if reader.problems:
        raise InvalidRepositoryError(reader.problems)
    building = _Building([])
    remedies = tuple(building.remedy(number, entry) for number, entry in enumerate(entries))
    found = building.findings or [*_codes(remedies, body), *_names(remedies, body, object_type)]
    if found:
        raise InvalidRepositoryError(problems_at(path, root, found))
    return tuple(replace(remedy, reads=_reads(remedy)) for remedy in remedies)


def problems_at(path: str, root: source.Node, findings: Iterable[Finding]) -> list[Problem]:
    """Return what was found wrong with a file's remedies as problems, each where it stands."""
    return [Problem(Position(path, *position_at(root, one.steps)), one.message, one.code) for one in findings]


@dataclass(frozen=True, slots=True)
class _Building:
    """Makes remedies of a file's entries; what is wrong with their expressions is noted, and something harmless made."""

    findings: list[Finding]

    def remedy(self, number: int, entry: Mapping[str, Any]) -> DeclaredRemedy:
        if len(entry.get("values", ())) > MOST_VALUES:
            self.findings.append(Finding((number, "values"), f"more than {MOST_VALUES} values", "too-large"))
        commands = tuple(
            self._command((number, "commands", at), declared) for at, declared in enumerate(entry.get("commands", ()))
        )
        if commands and "breaks" not in entry:
            self.findings.append(Finding((number,), "a remedy with commands needs the key 'breaks', a text", "missing-key"))
        if any(command.undo is None for command in commands) and "cannotUndo" not in entry:
            message = "a remedy with a command without 'undo' needs the key 'cannotUndo', a text"
            self.findings.append(Finding((number,), message, "missing-key"))
        return DeclaredRemedy(
            Code(entry["code"]),
            self._made((number, "when"), compile_dated, entry.get("when")),
            {
                name: found
                for name, text in entry.get("values", {}).items()
                if (found := self._made((number, "values", name), compile_dated, text))
            },
            self._made((number, "say"), parse_pattern, entry["say"]) or Pattern("", ()),
            commands,
            entry.get("breaks"),
            entry.get("cannotUndo"),
        )

    def _command(self, steps: Steps, declared: Mapping[str, Any]) -> RemedyCommand:
        return RemedyCommand(
            self._made((*steps, "run"), parse_command, declared["run"]) or CommandLine("", ()),
            self._made((*steps, "undo"), parse_command, declared.get("undo")),
            self._made((*steps, "each"), compile_dated, declared.get("each")),
        )

    def _made(self, steps: Steps, make: Callable[[str], Any], text: str | None) -> Any:
        try:
            return None if text is None else make(text)
        except ValueError as error:
            self.findings.append(Finding(steps, str(error), "bad-jmespath"))
            return None


def _codes(remedies: Remedies, body: Body) -> Iterator[Finding]:
    """Yield codes that are no INCOMPLIANT ones, and remedies that one before them leaves no object."""
    known, always = incompliant_codes(body), set[Code]()
    for number, remedy in enumerate(remedies):
        if remedy.code not in known:
            message = f"{remedy.code} is no INCOMPLIANT code of the policy; expected one of {one_of(map(str, known))}"
            yield Finding((number, "code"), message, "invalid-value")
        elif remedy.code in always:
            yield Finding((number,), f"never taken: one before it for {remedy.code} has no 'when'", "unreachable")
        if remedy.when is None:
            always.add(remedy.code)


# What they read --------------------------------------------------------------------------------------------------------


def _expressions(remedy: DeclaredRemedy, number: int) -> Iterator[tuple[Steps, Query, Mapping[str, Found]]]:
    """Yield each expression of a remedy: where it stands, and what the names mean that it sees beside the object's."""
    names: dict[str, Found] = {}
    for name, query in remedy.values.items():
        yield (number, "values", name), query, dict(names)
        names[name] = reads(query, names)[0]
    if remedy.when is not None:
        yield (number, "when"), remedy.when, names
    for query in remedy.say.queries:
        yield (number, "say"), query, names
    for at, command in enumerate(remedy.commands):
        steps, inside = (number, "commands", at), names
        if command.each is not None:
            yield (*steps, "each"), command.each, names
            inside = {**names, ITEM: reads(command.each, names)[0]}
        for key, line in (("run", command.run), ("undo", command.undo)):
            yield from (((*steps, key), query, inside) for query in (line.queries if line else ()))


def _reads(remedy: DeclaredRemedy) -> frozenset[Path]:
    return frozenset(path for _, query, names in _expressions(remedy, 0) for path in reads(query, names)[1])


def _names(remedies: Remedies, body: Body, object_type: Callable[[str], ObjectType]) -> Iterator[Finding]:
    """Yield what remedies read that the policy's type doesn't have."""
    own = body.object_type
    if own.untyped:
        return
    for number, remedy in enumerate(remedies):
        for name in remedy.values:
            if name in own.fields or name in (*own.related_lists, *own.lookups, *PLACE_NAMES, GUILTY, ITEM):
                yield Finding((number, "values", name), f"{name!r} is the object's own", "duplicate-key")
        for steps, query, names in _expressions(remedy, number):
            known = (*own.fields, *own.related_lists, *own.lookups, *PLACE_NAMES, GUILTY, *names)
            for path in sorted(reads(query, names)[1]):
                if message := _unknown(path, body, known, object_type):
                    yield Finding(steps, message, "unknown-field")


def _unknown(path: Path, body: Body, known: Iterable[str], object_type: Callable[[str], ObjectType]) -> str | None:
    """Return what is wrong with a path that is read: its first name that the types don't have."""
    here = own = body.object_type
    if path[0] == GUILTY:
        lists = [one for one in body.related_lists if one in own.related_lists]
        path = path[1:]
        if path and path[0] not in lists:
            return f"{GUILTY} has no list {path[0]!r}: the policy judges {one_of(lists) or 'none'}{nearest(path[0], lists)}"
    relation = (own.related_lists.get(path[0]) or own.lookups.get(path[0])) if path else None
    if relation is not None:
        here, path = object_type(relation.type), path[1:]
        known = here.fields
    if not path or here.untyped or (here is own and path[0] in PLACE_NAMES):
        return None
    declared = here.fields.get(path[0])
    if declared is None:
        return f"there is no {path[0]!r} in {here.id}{nearest(path[0], known)}"
    if len(path) > 1 and NAMED[declared.type].kind is not Kind.JSON:
        return f"{path[1]!r} is read from {path[0]!r} of {here.id}, which is {declared.type}"
    return None


def read_for(remedies: Remedies, body: Body, object_type: Callable[[str], ObjectType]) -> dict[str, frozenset[str]]:
    """Return the names of fields and lists that remedies read, by the id of the type that has them."""
    own = body.object_type
    found: dict[str, set[str]] = {own.id: set()}
    for path in {path for remedy in remedies for path in remedy.reads}:
        inner = path[1:] if path[0] == GUILTY else path
        name = inner[0] if inner else ""
        if name in own.fields:
            found[own.id].add(name)
        relation = own.related_lists.get(name) or own.lookups.get(name)
        if relation is None:
            continue
        if name in own.lookups and relation.foreign_key:
            found[own.id].add(relation.foreign_key)
        held = object_type(relation.type)
        key = relation.foreign_key if name in own.related_lists else held.id_field
        found.setdefault(held.id, set()).update({key or "", *inner[1:2]} & held.fields.keys())
    return {type_id: frozenset(names) for type_id, names in found.items()}
