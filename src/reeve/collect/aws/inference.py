"""JMESPath typed over what is known of its data: the type of what it finds, and what can't be right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from reeve.collect.aws.shapes import (
    BOOLEAN,
    NO_CONSTANT,
    NULL,
    NUMBER,
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
)
from reeve.collect.expressions import FUNCTIONS, compiled
from reeve.collect.secrets import is_secret_name
from reeve.language.errors import nearest
from reeve.language.queries import Query

_RESULTS = {
    **dict.fromkeys(("abs", "avg", "ceil", "floor", "length", "sum", "to_number"), NUMBER),
    **dict.fromkeys(("contains", "starts_with", "ends_with"), BOOLEAN),
    "days_since": NUMBER,
    **dict.fromkeys(("join", "to_string", "type"), STRING),
    **dict.fromkeys(("keys", "split"), listing(STRING)),
}
_CHOSEN = ("max", "min", "max_by", "min_by")
_REORDERED = ("sort", "sort_by", "reverse")
_TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.NUMBER: "number",
    Kind.STRING: "string",
    Kind.TIME: "string",
    Kind.LIST: "array",
    Kind.OBJECT: "object",
    Kind.NULL: "null",
}


@dataclass(slots=True)
class _Inference:
    """One walk through an expression; `problems` is filled by `of`."""

    problems: list[str] = field(default_factory=list[str])

    def of(self, node: Any, current: Value) -> Value:
        """Return what is known of what a part of an expression finds in `current`."""
        kind, children = str(node["type"]), cast("list[Any]", node.get("children", []))
        match kind:
            case "field":
                return self._member(current, str(node["value"]))
            case "literal":
                return of_constant(node["value"])
            case "subexpression" | "index_expression" | "pipe":
                for child in children:
                    current = self.of(child, current)
                return current
            case "index":
                return items_of(self._listed(current, "[…]"))
            case "slice":
                return self._listed(current, "[…:…]")
            case "current" | "identity":
                return current
            case "function_expression":
                return self._call(str(node["value"]), children, current)
            case _:
                return _PARTS[kind](self, node, children, current)

    def _member(self, value: Value, name: str) -> Value:
        if value.kind is Kind.NULL:
            return NULL
        if value.kind not in (Kind.UNKNOWN, Kind.OBJECT):
            self.problems.append(f"{name!r} is read from {value.kind}{_where(value)}, which has no members")
            return UNKNOWN
        found = member_of(value, name)
        if found is None:
            self.problems.append(f"there is no {name!r}{_where(value, 'in ')}{nearest(name, names_in(value))}")
            return UNKNOWN
        if found.kind is Kind.BYTES or (found.kind is Kind.STRING and found.shape is not None and is_secret_name(name)):
            self.problems.append(f"{name!r} is bytes or a secret: it is left out of every answer")
        return found

    def _listed(self, value: Value, what: str) -> Value:
        if value.kind not in (Kind.UNKNOWN, Kind.NULL, Kind.LIST):
            self.problems.append(f"{what} is applied to {value.kind}{_where(value)}, which is no list")
            return UNKNOWN
        return value

    def projection(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        left = self._listed(self.of(children[0], current), "[*]")
        return listing(self.of(children[1], items_of(left)))

    def filtered(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        items = items_of(self._listed(self.of(children[0], current), "[?…]"))
        self.of(children[2], items)
        return listing(self.of(children[1], items))

    def all_values(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        left = self.of(children[0], current)
        if left.kind not in (Kind.UNKNOWN, Kind.NULL, Kind.OBJECT):
            self.problems.append(f"* is applied to {left.kind}{_where(left)}, which has no members")
        found = [one for name in names_in(left) if (one := member_of(left, name)) is not None]
        return listing(self.of(children[1], either(found) if found else UNKNOWN))

    def flatten(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        left = self._listed(self.of(children[0], current), "[]")
        inner = items_of(left)
        return listing(items_of(inner) if inner.kind is Kind.LIST else inner)

    def multi_list(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        found = [self.of(child, current) for child in children]
        constants = [value.constant for value in found]
        known = not any(value is NO_CONSTANT for value in constants)
        origins = frozenset(path for value in found for path in value.origins)
        return Value(Kind.LIST, items=either(found), origins=origins, constant=constants if known else NO_CONSTANT)

    def multi_dict(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        members = {str(pair["value"]): self.of(pair["children"][0], current) for pair in children}
        constants = {name: value.constant for name, value in members.items()}
        known = not any(value is NO_CONSTANT for value in constants.values())
        return Value(Kind.OBJECT, members=members, constant=constants if known else NO_CONSTANT)

    def or_(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        return either([self.of(child, current) for child in children])

    def and_(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        left, right = (self.of(child, current) for child in children)
        return either([left, right]) if left.kind is Kind.BOOLEAN else right

    def not_(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        self.of(children[0], current)
        return BOOLEAN

    def comparison(self, node: Any, children: Sequence[Any], current: Value) -> Value:
        left, right = (self.of(child, current) for child in children)
        self._compared(left, right)
        if node["value"] not in ("eq", "ne"):
            for value in (left, right):
                if value.kind not in (Kind.UNKNOWN, Kind.NUMBER):
                    self.problems.append(f"only numbers are less or greater; this is {value.kind}{_where(value)}")
        return BOOLEAN

    def _compared(self, left: Value, right: Value) -> None:
        """Note a comparison that is the same for all objects."""
        open_kinds = (Kind.UNKNOWN, Kind.NULL)
        if left.kind in open_kinds or right.kind in open_kinds:
            return
        if left.kind is not right.kind and not (left.is_text and right.is_text):
            self.problems.append(
                f"{left.kind}{_where(left)} is compared with {right.kind}{_where(right)}: they are never equal"
            )
        for value, other in ((left, right), (right, left)):
            if value.choices and isinstance(other.constant, str) and other.constant not in value.choices:
                hint = nearest(other.constant, value.choices)
                self.problems.append(f"{other.constant!r} is no value of{_where(value, '')}{hint}")

    def _call(self, name: str, children: Sequence[Any], current: Value) -> Value:
        function: Any = FUNCTIONS.get(name)
        if function is None:
            self.problems.append(f"there is no function {name!r}{nearest(name, FUNCTIONS)}")
            return UNKNOWN
        signature: Sequence[Mapping[str, Any]] = function["signature"]
        variadic = bool(signature) and bool(signature[-1].get("variadic"))
        if len(children) < len(signature) or (len(children) > len(signature) and not variadic):
            self.problems.append(f"{name}() takes {len(signature)} arguments, not {len(children)}")
            return UNKNOWN
        given = [UNKNOWN if child["type"] == "expref" else self.of(child, current) for child in children]
        found = [self._by(child, given, current) if child["type"] == "expref" else UNKNOWN for child in children]
        for number, value in enumerate(given):
            self._argument(name, value, signature[min(number, len(signature) - 1)]["types"])
        if name == "contains":
            self._compared(items_of(given[0]) if given[0].kind is Kind.LIST else given[0], given[1])
        return self._result(name, given, found)

    def _by(self, child: Any, given: Sequence[Value], current: Value) -> Value:
        """Return what an `&expression` finds in the items of the list beside it."""
        lists = [value for value in given if value.kind is Kind.LIST]
        others = [items_of(value) for value in given if value.kind is Kind.UNKNOWN and value.origins]
        return self.of(child["children"][0], items_of(lists[0]) if lists else others[0] if others else UNKNOWN)

    def _argument(self, name: str, value: Value, types: Sequence[str]) -> None:
        own = _TYPES.get(value.kind)
        if not types or own is None or own in types or (value.kind is Kind.LIST and _fits_list(value, types)):
            return
        self.problems.append(f"{name}() takes {' or '.join(types)}, not {value.kind}{_where(value)}")

    def _result(self, name: str, given: Sequence[Value], found: Sequence[Value]) -> Value:
        if name in _RESULTS:
            return _RESULTS[name]
        if name in _REORDERED:
            return given[0]
        if name in _CHOSEN:
            return items_of(given[0])
        match name:
            case "not_null":
                return either(given)
            case "map":
                return listing(found[0])
            case "to_array":
                return given[0] if given[0].kind in (Kind.LIST, Kind.UNKNOWN) else listing(given[0])
            case _:
                return UNKNOWN


def _fits_list(value: Value, types: Sequence[str]) -> bool:
    inner = _TYPES.get(items_of(value).kind)
    return inner is None or inner == "null" or f"array-{inner}" in types


def _where(value: Value, before: str = "") -> str:
    names = [".".join(path) for path in sorted(value.origins) if path]
    name = names[0] if names else f"the {value.shape.name}" if value.shape is not None else ""
    return f" {before}{name}" if name else " here" if before else ""


_Part = Callable[[_Inference, Any, Sequence[Any], Value], Value]

_PARTS: Mapping[str, _Part] = {
    "projection": _Inference.projection,
    "filter_projection": _Inference.filtered,
    "value_projection": _Inference.all_values,
    "flatten": _Inference.flatten,
    "multi_select_list": _Inference.multi_list,
    "multi_select_dict": _Inference.multi_dict,
    "or_expression": _Inference.or_,
    "and_expression": _Inference.and_,
    "not_expression": _Inference.not_,
    "comparator": _Inference.comparison,
}


def infer(expression: str, top: Value) -> tuple[Value, tuple[str, ...]]:
    """Return what is known of what an expression finds, and what can't be right about it.

    Raises:
        ExpressionError: it is not JMESPath.
    """
    return infer_query(compiled(expression), top)


def infer_query(query: Query, top: Value) -> tuple[Value, tuple[str, ...]]:
    """Return what is known of what a compiled expression finds, and what can't be right about it."""
    walk = _Inference()
    found = walk.of(query.parsed, top)
    return found, tuple(dict.fromkeys(walk.problems))
