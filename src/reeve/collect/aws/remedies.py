"""Whether the commands of remedies can be: services, operations and parameters against botocore's models, by which the AWS CLI
is made, and the values against the parameters' shapes.

The CLI makes `aws`, a service, an operation and `--parameters` of a model; of what it adds by hand only a few names are taken.
Structures are given as JSON, a whole one: the CLI's own short form would let a value add members of its own.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import botocore  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own

from reeve.collect.aws.declarations import HELD, Models, misfits
from reeve.collect.aws.inference import infer_query
from reeve.collect.aws.shapes import NO_CONSTANT, STRING, UNKNOWN, Kind, Value, items_of, listing, of_shape
from reeve.language.errors import nearest
from reeve.language.logic import Body
from reeve.language.patterns import Pattern
from reeve.language.queries import Query
from reeve.language.types import NAMED
from reeve.model import ObjectType
from reeve.repository.remedies import GUILTY, ITEM, PLACE_NAMES, CheckRemedies, DeclaredRemedy, Remedies
from reeve.repository.type_checks import Finding, Steps

SERVICES = {"s3api": "s3", "configservice": "config", "deploy": "codedeploy"}
"""The services that the CLI calls otherwise than botocore."""
RENAMED = {("ec2", "ingress"): ("Egress", False), ("ec2", "egress"): ("Egress", True)}
"""Flags that the CLI calls otherwise than the model: the parameter, and what the flag says of it."""
COMMON = ("--region",)
"""Options of every command."""


def kebab(name: str) -> str:
    """Return an operation's or a parameter's name of a model as the CLI writes it."""
    return cast("Any", botocore).xform_name(name, "-")


def remedy_check(models: Models) -> CheckRemedies:
    """Return the function that says what is wrong with the commands of a policy's remedies, by some service models."""

    def check(remedies: Remedies, body: Body, declared: Callable[[str], ObjectType]) -> Sequence[Finding]:
        found = _Check(body, declared, models)
        for number, remedy in enumerate(remedies):
            found.remedy(number, remedy)
        return tuple(dict.fromkeys(found.findings))

    return check


@dataclass(slots=True)
class _Check:
    body: Body
    declared: Callable[[str], ObjectType]
    models: Models
    findings: list[Finding] = field(default_factory=list[Finding])

    def note(self, steps: Steps, message: str, code: str = "unknown-value") -> None:
        self.findings.append(Finding(steps, message, code))

    def remedy(self, number: int, remedy: DeclaredRemedy) -> None:
        members = self._top()
        for name, query in remedy.values.items():
            found = self._infer((number, "values", name), query, members)
            members[name] = replace(found, origins=frozenset({(name,)}))
        if remedy.when is not None:
            self._infer((number, "when"), remedy.when, members)
        self._plain((number, "say"), remedy.say, members)
        for at, command in enumerate(remedy.commands):
            steps, inside = (number, "commands", at), members
            if command.each is not None:
                found = self._infer((*steps, "each"), command.each, members)
                if found.kind not in (Kind.UNKNOWN, Kind.LIST):
                    self.note((*steps, "each"), f"a list is needed here, not {found.kind}", "wrong-type")
                inside = {**members, ITEM: items_of(found) if found.kind is Kind.LIST else UNKNOWN}
            self._command((*steps, "run"), command.run.words, inside)
            if command.undo is not None:
                self._command((*steps, "undo"), command.undo.words, inside)

    # What expressions see ----------------------------------------------------------------------------------------------

    def _top(self) -> dict[str, Value]:
        own = self.body.object_type
        members = dict.fromkeys(PLACE_NAMES, STRING) | self._fields(own)
        lists = {name: listing(self._object(relation.type)) for name, relation in own.related_lists.items()}
        lookups = {name: self._object(relation.type) for name, relation in own.lookups.items()}
        guilty = Value(Kind.OBJECT, members={name: lists[name] for name in self.body.related_lists if name in lists})
        return {**members, **lists, **lookups, GUILTY: guilty}

    def _object(self, type_id: str) -> Value:
        own = self.declared(type_id)
        return Value(Kind.OBJECT, members=self._fields(own), rest=UNKNOWN if own.untyped else None)

    def _fields(self, own: ObjectType) -> dict[str, Value]:
        """Return what is known of the fields of a type; of JSON, what they are picked from, but a text holds a document."""
        members: dict[str, Value] = {}
        for name, one in own.fields.items():
            found = self.models.found(own, self.declared).get(name, UNKNOWN)
            held = HELD.get(NAMED[one.type].kind)
            if held is STRING:
                held = replace(STRING, choices=found.choices)
            elif held is None and found.is_text:
                found = UNKNOWN
            members[name] = replace(held or found, constant=NO_CONSTANT, origins=frozenset({(name,)}))
        return members

    def _infer(self, steps: Steps, query: Query, members: Mapping[str, Value]) -> Value:
        rest = UNKNOWN if self.body.object_type.untyped else None
        found, problems = infer_query(query, Value(Kind.OBJECT, members=members, rest=rest))
        for problem in problems:
            self.note(steps, problem, "bad-jmespath")
        return found

    def _plain(self, steps: Steps, pattern: Pattern, members: Mapping[str, Value]) -> None:
        """Note a place in a text that is filled with what is no plain value."""
        for query in pattern.queries:
            found = self._infer(steps, query, members)
            if found.kind in (Kind.LIST, Kind.OBJECT, Kind.BYTES, Kind.NULL):
                self.note(
                    steps, f"a place in a text is filled with {found.kind}; to_string() and join() make texts", "wrong-type"
                )

    # Commands ----------------------------------------------------------------------------------------------------------

    def _command(self, steps: Steps, words: Sequence[Pattern], members: Mapping[str, Value]) -> None:
        for word in words:
            self._plain(steps, word, members)
        names = [word.constant for word in words[:3]]
        if len(names) < 3 or names[0] != "aws" or None in names:
            self.note(steps, "a command begins with aws, a service and an operation", "wrong-type")
            return
        operation = self._operation(steps, str(names[1]), str(names[2]))
        if operation is not None:
            self._arguments(steps, str(names[1]), operation, words[3:], members)

    def _operation(self, steps: Steps, called: str, name: str) -> Any:
        """Return the model of an operation, or None, noted, if there is none."""
        known = {*self.models.services(), *SERVICES} - {*SERVICES.values()}
        service = self.models.service(SERVICES.get(called, called)) if called in known else None
        if service is None:
            self.note(steps, f"the AWS CLI has no API service {called!r}{nearest(called, known)}")
            return None
        names = {kebab(one): one for one in service.operation_names}
        if name not in names:
            self.note(steps, f"the service {called} has no operation {name!r}{nearest(name, names)}")
            return None
        return service.operation_model(names[name])

    def _arguments(
        self, steps: Steps, service: str, operation: Any, words: Sequence[Pattern], members: Mapping[str, Value]
    ) -> None:
        shape = operation.input_shape
        parameters: Mapping[str, Any] = shape.members if shape else {}
        options = {f"--{kebab(name)}": name for name in parameters}
        given: set[str] = set()
        common: set[str] = set()
        for option, values in self._split(steps, words):
            renamed = RENAMED.get((service, option.removeprefix("--")))
            flag = options.get(option.replace("--no-", "--", 1), "") if option not in options else ""
            if renamed is not None and renamed[0] in parameters:
                name, values = renamed[0], [*values, Pattern("", (json.dumps(renamed[1]),))]
            elif option in options:
                name = options[option]
            elif flag and parameters[flag].type_name == "boolean":
                name = flag
            elif option in COMMON:
                common.add(option)
                continue
            else:
                self.note(steps, f"{service} {operation.name} has no {option}{nearest(option, (*options, *COMMON))}")
                continue
            given.add(name)
            self._given(steps, option, values, parameters[name], members)
        for name in shape.required_members if shape else ():
            if name not in given:
                self.note(steps, f"{operation.name} needs --{kebab(name)}", "missing-key")
        own = self.body.object_type
        if own.collect is not None and own.collect.regional and not common:
            self.note(steps, f"a command for an {own.name} says where: --region {{{{_region}}}}", "missing-key")

    def _split(self, steps: Steps, words: Sequence[Pattern]) -> Iterator[tuple[str, list[Pattern]]]:
        """Yield each option of a command with its values."""
        option, values = "", list[Pattern]()
        for word in words:
            text = word.constant
            if text is not None and text.startswith("--"):
                if option:
                    yield option, values
                option, values = text, []
            elif not option:
                self.note(steps, "after the operation come --options, each with its values", "wrong-type")
                return
            else:
                values.append(word)
        if option:
            yield option, values

    def _given(self, steps: Steps, option: str, values: Sequence[Pattern], shape: Any, members: Mapping[str, Value]) -> None:
        """Note values that a parameter can't take."""
        if shape.type_name == "boolean":
            if any(value.constant not in ("true", "false") for value in values):
                self.note(steps, f"{option} is a flag: it has no value", "wrong-type")
            return
        plain = shape.type_name not in ("structure", "map", "list")
        texts = shape.type_name == "list" and shape.member.type_name not in ("structure", "map", "list")
        if not values or (len(values) > 1 and not texts):
            self.note(steps, f"{option} takes {'values' if texts else 'one value'}, {len(values)} are given", "wrong-type")
            return
        if plain or (texts and not str(values[0].constant or "").startswith("[")):
            for value in values:
                self._scalar(steps, option, value, shape if plain else shape.member)
            return
        constant = values[0].constant
        if constant is None:
            self._made(steps, option, values[0], shape, members)
            return
        try:
            found = json.loads(constant)
        except ValueError:
            self.note(steps, f"{option} takes JSON: write it in quotes, or make it with to_string()", "wrong-type")
            return
        for message in misfits(found, shape):
            self.note(steps, f"{option}: {message}")

    def _scalar(self, steps: Steps, option: str, value: Pattern, shape: Any) -> None:
        text = value.constant
        if text is None:
            return
        constant: Any = text
        if of_shape(shape).kind is Kind.NUMBER:
            try:
                constant = float(text)
            except ValueError:
                self.note(steps, f"{option} takes a number, not {text!r}", "wrong-type")
                return
        for message in misfits(constant, shape):
            self.note(steps, f"{option}: {message}")

    def _made(self, steps: Steps, option: str, value: Pattern, shape: Any, members: Mapping[str, Value]) -> None:
        """Note a place for a structure that is not JSON as a whole, made by to_string() of what the parameter takes."""
        (first, *others), query = value.parts, next(iter(value.queries))
        parsed = query.parsed
        if others or first is not query or parsed["type"] != "function_expression" or parsed["value"] != "to_string":
            self.note(steps, f"{option} takes JSON: make all of it with to_string()", "wrong-type")
            return
        inner = self._infer(steps, replace(query, parsed=parsed["children"][0]), members)
        for message in _unfit(inner, shape):
            self.note(steps, f"{option}: {message}")


def _unfit(given: Value, shape: Any) -> Iterator[str]:
    """Yield why a parameter can't take what an expression makes."""
    wanted = of_shape(shape)
    if given.kind in (Kind.UNKNOWN, Kind.NULL):
        return
    if given.constant is not NO_CONSTANT:
        yield from misfits(given.constant, shape)
    elif given.kind is not wanted.kind and not (given.is_text and wanted.is_text):
        yield f"{wanted.kind} is needed here, not {given.kind}"
    elif given.kind is Kind.LIST:
        yield from _unfit(items_of(given), shape.member)
    elif given.kind is Kind.OBJECT and given.members is not None and shape.type_name == "structure":
        for name, value in given.members.items():
            if name not in shape.members:
                yield f"there is no member {name!r}{nearest(name, shape.members)}"
            else:
                yield from _unfit(value, shape.members[name])
        yield from (f"the member {name!r} is needed" for name in shape.required_members if name not in given.members)
