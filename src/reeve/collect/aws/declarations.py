"""Whether what a type declares of its collection can be: calls, arguments, expressions and errors against botocore's models."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own
import botocore.loaders  # pyright: ignore[reportMissingTypeStubs]
import botocore.model  # pyright: ignore[reportMissingTypeStubs]

from reeve.collect.aws import credential_report, reading_calls
from reeve.collect.aws.inference import infer
from reeve.collect.aws.shapes import (
    NO_CONSTANT,
    STRING,
    UNKNOWN,
    Kind,
    Value,
    either,
    items_of,
    listing,
    member_of,
    names_in,
    of_constant,
    of_shape,
)
from reeve.collect.expressions import ExpressionError
from reeve.language import types
from reeve.language.errors import nearest
from reeve.language.query_reads import members_read
from reeve.language.types import NAMED
from reeve.model import Call, Collect, ObjectType, Source
from reeve.repository.type_checks import CheckCollect, Finding, Steps

BASE = {"_account": STRING, "_partition": STRING, "_region": STRING}
UNMODELLED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "ValidationError", "ValidationException"}
)
"""Errors that every service may answer with, whether its model has them or not."""
_FIELD_KINDS = {
    types.Kind.TEXT: (Kind.STRING, Kind.TIME, Kind.NUMBER),
    types.Kind.BYTES: (Kind.STRING, Kind.TIME, Kind.NUMBER),
    types.Kind.NUMBER: (Kind.NUMBER,),
    types.Kind.BOOLEAN: (Kind.BOOLEAN, Kind.NUMBER),
    types.Kind.DATE_TIME: (Kind.TIME,),
    types.Kind.ITEMS: (Kind.LIST,),
}
"""What a field of a kind can hold; of numbers only 0 and 1 are true or false, which AWS uses where its models say number."""


@dataclass(slots=True)
class Models:
    """botocore's service models, each loaded once, at its first use."""

    loader: Any = field(default_factory=lambda: cast("Any", botocore.loaders.Loader()))
    _services: dict[str, Any] = field(default_factory=dict[str, Any])
    _found: dict[str, Mapping[str, Value]] = field(default_factory=dict[str, Any])

    def service(self, name: str) -> Any:
        """Return the model of a service, or None if botocore knows none of that name."""
        if name not in self._services:
            try:
                self._services[name] = botocore.model.ServiceModel(self.loader.load_service_model(name, "service-2"), name)
            except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError):
                self._services[name] = None
        return self._services[name]

    def found(self, own: ObjectType, declared: Callable[[str], ObjectType]) -> Mapping[str, Value]:
        """Return what is known of the fields of a type."""
        if own.id not in self._found:
            self._found[own.id] = {}  # a type that is listed for itself learns nothing of itself
            check = _checked(own, declared, self)
            self._found[own.id] = check.found if check else {}
        return self._found[own.id]

    def services(self) -> Sequence[str]:
        """Return the names of all services."""
        return self.loader.list_available_services("service-2")


@dataclass(slots=True)
class _Check:
    """One type being checked; what is wrong is in `findings`, what is known of the fields in `found`."""

    own: ObjectType
    collect: Collect
    declared: Callable[[str], ObjectType]
    models: Models
    findings: list[Finding] = field(default_factory=list[Finding])
    found: dict[str, Value] = field(default_factory=dict[str, Value])
    texts: set[str] = field(default_factory=set[str])

    def note(self, steps: Steps, message: str, code: str = "unknown-value") -> None:
        self.findings.append(Finding(steps, message, code))

    def expression(self, steps: Steps, text: str | None, top: Value) -> Value:
        """Return what is known of what an expression finds; what can't be right about it is noted."""
        if text is None:
            return UNKNOWN
        try:
            self.texts.add(text)
            found, problems = infer(text, top)
        except ExpressionError as error:
            self.note(steps, str(error), "bad-jmespath")
            return UNKNOWN
        for problem in problems:
            self.note(steps, problem, "bad-jmespath")
        return found

    def run(self) -> None:
        items = either([self._source(number, source) for number, source in enumerate(self.collect.sources)])
        own = dict(_members(items))
        parents = [source.parent for source in self.collect.sources if source.parent]
        if parents:
            own["_parent"] = either([self._parent(parent) for parent in parents])
        rest = UNKNOWN if items.kind is Kind.UNKNOWN else None
        outputs = {name: self._answer(("collect", "calls", name), call) for name, call in self.collect.calls.items()}
        top = Value(Kind.OBJECT, members={**own, **BASE, **outputs}, rest=rest)
        if self.collect.region is not None:
            found = self.expression(("collect", "region"), self.collect.region, replace(top, members={**own, **BASE}))
            self._fits(("collect", "region"), found, "Text")
        for name, call in self.collect.calls.items():
            self._call(("collect", "calls", name), call, top)
        self._provisional(items, outputs)
        self._gone()
        for declared in self.own.fields.values():
            for key, text in (("from", declared.source), ("hint", declared.hint)):
                found = self.expression(("fields", declared.name, key), text, top)
                self._fits(("fields", declared.name, key), found, declared.type)
                self.found.setdefault(declared.name, found)
        self._optional()

    # Calls -----------------------------------------------------------------------------------------------------------

    def _operation(self, steps: Steps, call: Call) -> Any:
        """Return the model of a call's operation, or None, noted, if there is none or the call may not be made."""
        steps = (*steps, "call")
        service = self.models.service(call.service)
        if service is None:
            self.note(steps, f"botocore knows no service {call.service!r}{nearest(call.service, self.models.services())}")
            return None
        if call.operation not in service.operation_names:
            hint = nearest(call.operation, service.operation_names)
            self.note(steps, f"the service {call.service} has no operation {call.operation!r}{hint}")
            return None
        refused = reading_calls.refusal(call.name)
        if refused is not None:
            self.note(steps, f"{call.name} may not be called by a declaration: {refused}", "not-a-reading-call")
        return service.operation_model(call.operation)

    def _answer(self, steps: Steps, call: Call) -> Value:
        """Return what is known of a call's answer, or, with `match`, of the one item of it."""
        operation = self._operation(steps, call)
        if operation is None:
            return UNKNOWN
        whole = credential_report.ANSWER if call.name == credential_report.CALL else _output(operation)
        if call.match is None:
            return _from(whole, steps[-1])
        found = self.expression((*steps, "items"), call.items or "@", whole)
        self._list((*steps, "items"), found)
        self.expression((*steps, "match"), call.match[0], items_of(found))
        return _from(items_of(found), steps[-1])

    def _call(self, steps: Steps, call: Call, top: Value) -> None:
        service = self.models.service(call.service)
        if service is None or call.operation not in service.operation_names:
            return
        operation = service.operation_model(call.operation)
        if call.match:
            self.expression((*steps, "match"), call.match[1], top)
        self._request(steps, call, operation, top)
        self._errors((*steps, "absent"), call.absent, [operation])

    def _request(self, steps: Steps, call: Call, operation: Any, top: Value) -> None:
        """Check what a call is asked with, whether it is made, and the actions that it is said to need."""
        self.expression((*steps, "when"), call.when, top)
        shape = operation.input_shape
        parameters: Mapping[str, Any] = shape.members if shape else {}
        for name, text in call.arguments.items():
            where = (*steps, "with", name)
            given = self.expression(where, text, top)
            if name not in parameters:
                self.note(where, f"{call.name} has no parameter {name!r}{nearest(name, parameters)}")
            else:
                self._given(where, given, parameters[name])
        for name in shape.required_members if shape else ():
            if name not in call.arguments:
                self.note(
                    (*steps, "with") if call.arguments else steps, f"{call.name} needs the parameter {name!r}", "missing-key"
                )
        wanted = reading_calls.actions(call.name, operation)
        where = (*steps, "permissions") if call.permissions != (call.name,) else (*steps, "call")
        if set(wanted) != set(call.permissions):
            self.note(where, f"{call.name} needs the permissions {list(wanted)}, not {list(call.permissions)}")

    def _given(self, steps: Steps, given: Value, shape: Any) -> None:
        """Note an argument that its parameter can't take."""
        wanted = of_shape(shape)
        if given.kind not in (Kind.UNKNOWN, Kind.NULL, wanted.kind) and not (given.is_text and wanted.is_text):
            self.note(steps, f"{wanted.kind} is needed here, not {given.kind}", "wrong-type")
        elif given.constant is not NO_CONSTANT:
            for message in misfits(given.constant, shape):
                self.note(steps, message)
        elif given.kind is Kind.LIST:
            self._given(steps, items_of(given), shape.member)

    def _errors(self, steps: Steps, codes: Sequence[str], operations: Iterable[Any]) -> None:
        """Note an error that no operation answers with, where all of their models say which errors there are."""
        known: set[str] = set()
        for operation in operations:
            shapes = operation.error_shapes
            codes_of = {shape.name: str(shape.metadata.get("error", {}).get("code", shape.name)) for shape in shapes}
            modelled = {*codes_of, *codes_of.values()}
            if not modelled:
                return
            known |= modelled
        for number, code in enumerate(codes):
            name = code.partition(": ")[0]
            if name not in known | UNMODELLED:
                self.note((*steps, number), f"there is no error {name!r}{nearest(name, known)}")

    def _gone(self) -> None:
        if not self.collect.gone or not self.collect.calls:
            return
        services = ((self.models.service(call.service), call.operation) for call in self.collect.calls.values())
        found = [service.operation_model(name) for service, name in services if service and name in service.operation_names]
        self._errors(("collect", "gone"), self.collect.gone, found)

    def _optional(self) -> None:
        """Note a member that may be missing, and that nothing reads; what is read is known to exist."""
        used = frozenset(path for text in self.texts for path in members_read(text))
        for number, text in enumerate(self.collect.optional):
            steps, path = ("collect", "optional", number), tuple(text.split("."))
            if path not in used:
                self.note(steps, f"nothing reads {text!r}{nearest(text, ['.'.join(one) for one in used])}")

    # What is listed ----------------------------------------------------------------------------------------------------

    def _source(self, number: int, source: Source) -> Value:
        """Check a source; return what is known of its items."""
        steps: Steps = ("collect", "sources", number)
        base = dict(BASE)
        if source.parent is not None:
            base["_parent"] = self._parent(source.parent)
        top, answer = Value(Kind.OBJECT, members=base), Value(Kind.OBJECT, members={})
        self.expression((*steps, "when"), source.when, top)
        if source.call is not None:
            operation = self._operation(steps, source.call)
            if operation is None:
                return UNKNOWN
            self._request(steps, replace(source.call, when=None), operation, top)
            answer = _output(operation)
        found = self.expression((*steps, "items"), source.items, Value(Kind.OBJECT, members={**_members(answer), **base}))
        self._list((*steps, "items"), found)
        items = Value(Kind.OBJECT, members=base) if source.items == "[@]" else items_of(found)
        self.expression((*steps, "where"), source.where, Value(Kind.OBJECT, members={**_members(items), **base}))
        return items

    def _parent(self, type_id: str) -> Value:
        """Return what is known of the fields of a type that a source is for; of JSON, what they are picked from."""
        above = self.declared(type_id)
        members: dict[str, Value] = {}
        for name, one in above.fields.items():
            kind = NAMED[one.type].kind
            known = HELD.get(kind) or self.models.found(above, self.declared).get(name, UNKNOWN)
            members[name] = replace(known, constant=NO_CONSTANT, origins=frozenset({("_parent", name)}))
        return Value(Kind.OBJECT, members=members, origins=frozenset({("_parent",)}))

    def _list(self, steps: Steps, found: Value) -> None:
        if found.kind not in (Kind.UNKNOWN, Kind.LIST):
            self.note(steps, f"a list is needed here, not {found.kind}", "wrong-type")

    def _provisional(self, items: Value, outputs: Mapping[str, Value]) -> None:
        declared = self.collect.provisional
        if declared is None or declared.call not in outputs:
            return
        made = self.expression(("collect", "provisional", "item"), declared.item, outputs[declared.call])
        if items.kind is Kind.OBJECT and made.kind is Kind.OBJECT:
            for name in names_in(made):
                if name not in names_in(items):
                    hint = nearest(name, names_in(items))
                    self.note(("collect", "provisional", "item"), f"no source lists an item with {name!r}{hint}")
        found = self.expression(("collect", "provisional", "madeAt"), declared.made_at, items)
        self._fits(("collect", "provisional", "madeAt"), found, "DateTime")

    def _fits(self, steps: Steps, found: Value, declared: str) -> None:
        """Note a value that a field can't hold."""
        wanted = NAMED[declared]
        kinds = _FIELD_KINDS.get(wanted.kind)
        if kinds is None or found.kind in (Kind.UNKNOWN, Kind.NULL):
            return
        inner = items_of(found).kind if found.kind is Kind.LIST else Kind.STRING
        if found.kind not in kinds or inner not in (Kind.STRING, Kind.TIME, Kind.NUMBER, Kind.UNKNOWN, Kind.NULL):
            what = f"a list of {inner}" if found.kind in kinds else found.kind
            self.note(steps, f"the field is {declared}; this finds {what}", "wrong-type")


def _output(operation: Any) -> Value:
    return of_shape(operation.output_shape) if operation.output_shape is not None else Value(Kind.OBJECT, members={})


def _from(value: Value, name: str | int) -> Value:
    return replace(value, origins=frozenset({(str(name),)}))


def _members(value: Value) -> Mapping[str, Value]:
    """Return what expressions see of an item, by name."""
    if value.kind is not Kind.OBJECT:
        return {"_item": value}
    top = replace(value, origins=frozenset({()}))
    return {name: found for name in names_in(value) if (found := member_of(top, name)) is not None}


HELD = {
    types.Kind.TEXT: STRING,
    types.Kind.BYTES: STRING,
    types.Kind.NUMBER: of_constant(0),
    types.Kind.BOOLEAN: of_constant(False),
    types.Kind.DATE_TIME: Value(Kind.TIME),
    types.Kind.ITEMS: listing(STRING),
}
"""What a field of a kind holds, as plain JSON."""


def misfits(constant: Any, shape: Any) -> Iterator[str]:
    """Yield why a parameter can't take a constant."""
    wanted, given = of_shape(shape), of_constant(constant)
    if given.kind is Kind.NULL:
        return
    if given.kind is not wanted.kind and not (given.is_text and wanted.is_text):
        yield f"{wanted.kind} is needed here, not {given.kind}"
        return
    match constant:
        case str() if wanted.choices and constant not in wanted.choices:
            yield f"{constant!r} is none of its values{nearest(constant, wanted.choices)}"
        case int() | float() if not isinstance(constant, bool):
            least, most = shape.metadata.get("min", constant), shape.metadata.get("max", constant)
            if not least <= constant <= most:
                yield f"{constant} is not between {least} and {most}"
        case list():
            for item in cast("list[Any]", constant):
                yield from misfits(item, shape.member)
        case dict() if shape.type_name == "structure":
            yield from _misfit_members(cast("dict[str, Any]", constant), shape)
        case _:
            return


def _misfit_members(constant: Mapping[str, Any], shape: Any) -> Iterator[str]:
    for name, value in constant.items():
        if name not in shape.members:
            yield f"there is no member {name!r}{nearest(name, shape.members)}"
        else:
            yield from misfits(value, shape.members[name])
    yield from (f"the member {name!r} is needed" for name in shape.required_members if name not in constant)


def collect_check(models: Models) -> CheckCollect:
    """Return the function that says what is wrong with how a type is collected, by some service models."""
    return lambda own, declared: _findings(own, declared, models)


def _findings(own: ObjectType, declared: Callable[[str], ObjectType], models: Models) -> tuple[Finding, ...]:
    check = _checked(own, declared, models)
    return tuple(dict.fromkeys(check.findings)) if check else ()


def _checked(own: ObjectType, declared: Callable[[str], ObjectType], models: Models) -> _Check | None:
    if own.collect is None:
        return None
    check = _Check(own, own.collect, declared, models)
    check.run()
    return check
