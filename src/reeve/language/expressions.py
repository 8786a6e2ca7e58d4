"""Reads operations from YAML: arguments as their classes declare them, operand types checked, names resolved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reeve.language import source
from reeve.language.errors import nearest, one_of
from reeve.language.operations import LEGACY, OPERATIONS
from reeve.language.operations.aws_policy import AwsPolicy
from reeve.language.operations.base import Argument, Check, Expression, Form, arguments, operands_of
from reeve.language.operations.comparison import Equal
from reeve.language.operations.constants import DateTimeConstant, DurationConstant, TextConstant
from reeve.language.operations.fields import EmptyLookup, Extract, Field, IsDisappeared
from reeve.language.operations.related import RelatedList
from reeve.language.operations.search import LEGACY_SEARCH_KEYS
from reeve.language.operations.tags import Tag
from reeve.language.source import Node, Scalar, plain_value
from reeve.language.syntax import FileReader, shape_of
from reeve.language.types import ANY, NAMED, Kind, Type, accepts, comparable
from reeve.model import ObjectType

MAX_EXPRESSION = 20_000
"""How many operations a condition may hold, extracts counted in full at every occurrence."""
MAX_NESTING = 150
"""How deep operations may nest, through extracts too."""
TOO_DEEP = f"operations nested deeper than {MAX_NESTING} levels, extracts included"


@dataclass(frozen=True, slots=True)
class ExtractSource:
    """A named expression where it stands: its file's path and its node."""

    path: str
    node: Node


@dataclass(slots=True)
class Scope:
    """What names mean where an expression stands: the object's type, the extracts at hand, the related lists in use.

    `prefix` is the lookup path ("a.b.") from the judged object to the object that the expression speaks of. Conditions
    written as text can't carry undetermined checks; then those that YAML asks for are not `checks_required`.
    """

    object_type: ObjectType
    type_of: Callable[[str], ObjectType]
    extracts: Mapping[str, ExtractSource]
    prefix: str = ""
    checks_required: bool = True
    imports_failed: bool = False
    open_extracts: tuple[str, ...] = ()
    related_lists_used: list[tuple[str, Node]] = field(default_factory=list[tuple[str, Node]])
    extracts_used: set[str] = field(default_factory=set[str])
    imported: set[str] = field(default_factory=set[str])
    read_extracts: dict[tuple[str, str], Expression | None] = field(default_factory=dict[tuple[str, str], Expression | None])

    def behind(self, path: str) -> "Scope | str":
        """Return the scope of the object behind a lookup path, or what is wrong with the path."""
        object_type = self.object_type
        for lookup in path.split(".") if path else ():
            if object_type.untyped:
                continue
            if lookup not in object_type.lookups:
                return f"{object_type.id} has no lookup {lookup!r}{nearest(lookup, object_type.lookups)}"
            object_type = self.type_of(object_type.lookups[lookup].type)
        if not path:
            return self
        return replace(self, object_type=object_type, prefix=f"{self.prefix}{path}.")


_ARGUMENTS: dict[type, dict[str, tuple[str, Argument]]] = {}


def read_expression(reader: FileReader, node: Node, scope: Scope) -> Expression | None:
    """Read one operation with its operands.

    Args:
        reader: the file being read; problems are noted there.
        node: a mapping of one key, the operation's name, to its arguments.
        scope: what names mean here.

    Returns:
        The expression, or None when a problem was noted.
    """
    if not isinstance(node, source.Mapping) or len(node.entries) != 1:
        what = "a mapping with several keys" if isinstance(node, source.Mapping) else shape_of(node)
        reader.report(node, f"an operation is a mapping of its name to its arguments, not {what}", "not-an-operation")
        return None
    ((name, body),) = node.entries
    operation = _class_of(name.text, body)
    if operation is None:
        hint = nearest(name.text, OPERATIONS) or "; the operations are in the language reference"
        reader.report(name, f"unknown operation {name.text!r}{hint}", "unknown-operation")
        return None
    values = _read_arguments(reader, name, body, operation, scope)
    if values is None:
        return None
    try:
        expression: Expression = operation(operation=name.text, **values)
    except ValueError as error:
        reader.report(name, f"{name.text}: {error}", "invalid-value")
        return None
    if isinstance(expression, Equal) and not scope.checks_required:
        expression = _with_instants(expression)
    if isinstance(expression, Equal) and not comparable(expression.left.type, expression.right.type):
        left, right = expression.left, expression.right
        message = f"{name.text} can't compare {left.type} ({left.operation}) with {right.type} ({right.operation})"
        reader.report(name, message, "wrong-type")
        return None
    return _resolve(reader, name, expression, scope)


def read_check(reader: FileReader, node: Node, scope: Scope) -> Expression | None:
    """Read a condition's check: an operation, or a text in the form that condition texts print."""
    if not isinstance(node, Scalar) or node.is_null:
        return read_expression(reader, node, scope)
    from reeve.language.text import read_text

    parsed = read_text(reader, node)
    return None if parsed is None else read_expression(reader, parsed, replace(scope, checks_required=False, read_extracts={}))


def _with_instants(expression: Equal) -> Equal:
    """Return a comparison whose quoted side is a DATE_TIME or DURATION, as it prints, when the other side is one."""
    left, right = expression.left, expression.right
    return replace(expression, left=_like(left, right.type), right=_like(right, left.type))


def _like(expression: Expression, other: Type) -> Expression:
    if isinstance(expression, TextConstant):
        try:
            if other.kind is Kind.DATE_TIME:
                return DateTimeConstant("DATE_TIME", expression.value)
            if other.kind is Kind.DURATION:
                return DurationConstant("DURATION", expression.value)
        except ValueError:
            return expression
    return expression


def _class_of(name: str, body: Node) -> type[Any] | None:
    """Choose the class: CONTAINS and its like are the legacy dialect's when their arguments are."""
    legacy_key = LEGACY_SEARCH_KEYS.get(name)
    if legacy_key and isinstance(body, source.Mapping) and any(key.text == legacy_key for key, _ in body.entries):
        return LEGACY[name]
    return OPERATIONS.get(name)


def _read_arguments(reader: FileReader, name: Scalar, body: Node, operation: type[Any], scope: Scope) -> dict[str, Any] | None:
    declared = _ARGUMENTS.setdefault(operation, arguments(operation))
    if not declared:
        if not (isinstance(body, Scalar) and body.is_null) and not (isinstance(body, source.Mapping) and not body.entries):
            reader.report(body, f"{name.text} takes no arguments: write {{{name.text}: {{}}}}", "unknown-key")
        return {}
    first_field, first_argument = next(iter(declared.values()))
    alone = sum(argument.required for _, argument in declared.values()) <= 1 and first_argument.form is not Form.OPERAND
    if first_argument.form is Form.YAML or (alone and isinstance(body, Scalar)):
        value = _read_argument(reader, body, first_argument, f"{name.text}", scope)
        return None if value is None and first_argument.form is not Form.YAML else {first_field: value}
    found = reader.entries(body, declared, name.text)
    if found is None:
        return None
    values: dict[str, Any] = {}
    complete = True
    for key, (field_name, argument) in declared.items():
        node = found.get(key)
        if node is None or (isinstance(node, Scalar) and node.is_null and argument.form is not Form.YAML):
            if argument.required and (scope.checks_required or argument.form is not Form.CHECKS):
                reader.report(name, f"{name.text} needs the argument {key!r}, {_wanted(argument)}", "missing-key")
                complete = False
            continue
        value = _read_argument(reader, node, argument, f"{key!r} of {name.text}", scope)
        complete = complete and (value is not None or argument.form is Form.YAML)
        values[field_name] = value
    return values if complete else None


def _wanted(argument: Argument) -> str:
    return f"one of {', '.join(argument.choices)}" if argument.form is Form.ENUM else f"{argument.form}"


def _read_argument(reader: FileReader, node: Node, argument: Argument, what: str, scope: Scope) -> Any:
    match argument.form:
        case Form.OPERAND:
            return _read_operand(reader, node, argument, what, scope)
        case Form.OPERANDS:
            return _read_operands(reader, node, argument, what, scope)
        case Form.STRING:
            return reader.string(node, what)
        case Form.STRINGS:
            return reader.strings(node, what)
        case Form.INTEGER:
            return reader.integer(node, what)
        case Form.NUMBER:
            return reader.number(node, what)
        case Form.BOOLEAN:
            return reader.boolean(node, what)
        case Form.ENUM:
            return reader.choice(node, argument.choices, what)
        case Form.YAML:
            return plain_value(node)
        case Form.CHECKS:
            return _read_checks(reader, node, argument, what)


def _read_operand(reader: FileReader, node: Node, argument: Argument, what: str, scope: Scope) -> Expression | None:
    if argument.literal and isinstance(node, Scalar) and not node.is_null:
        return TextConstant("TEXT", node.text)
    expression = read_expression(reader, node, scope)
    if expression is None:
        return None
    if not accepts(argument.kinds, expression.type):
        wanted = " or ".join(argument.kinds)
        reader.report(node, f"{what} wants {wanted}, {expression.operation} gives {expression.type}", "wrong-type")
        return None
    return expression


def _read_operands(
    reader: FileReader, node: Node, argument: Argument, what: str, scope: Scope
) -> tuple[Expression, ...] | None:
    items = reader.items(node, what)
    if items is None:
        return None
    if not items:
        reader.report(node, f"{what} must hold at least one operation", "missing-key")
        return None
    read = [_read_operand(reader, item, argument, what, scope) for item in items]
    return tuple(item for item in read if item is not None) if None not in read else None


def _read_checks(reader: FileReader, node: Node, argument: Argument, what: str) -> dict[str, Check] | None:
    names = {choice.rstrip("!"): choice.endswith("!") for choice in argument.choices}
    found = reader.entries(node, names, what)
    if found is None:
        return None
    checks: dict[str, Check] = {}
    complete = True
    for name, required in names.items():
        if name not in found:
            if required:
                reader.report(node, f"{what} needs the check {name!r} with its message", "missing-key")
                complete = False
            continue
        check = _read_check(reader, found[name], name, what)
        if check is None:
            complete = False
        else:
            checks[name] = check
    return checks if complete else None


def _read_check(reader: FileReader, node: Node, name: str, what: str) -> Check | None:
    """Read a check: its message, or a mapping with `currentStateMessage`; `noAccessDelegate` has a `path` as well."""
    if isinstance(node, Scalar) and name != "noAccessDelegate":
        message = reader.string(node, f"{name!r} in {what}")
        return None if message is None else Check(name, message)
    keys = ("path", "currentStateMessage") if name == "noAccessDelegate" else ("currentStateMessage",)
    found = reader.entries(node, keys, f"{name!r} in {what}")
    if found is None:
        return None
    for key in keys:
        if key not in found:
            reader.report(node, f"{name!r} in {what} needs the key {key!r}, a text", "missing-key")
            return None
    texts = [reader.string(found[key], f"{key!r} of {name!r}") for key in keys]
    return None if None in texts else Check(name, texts[-1] or "", texts[0] if len(texts) > 1 else None)


# Names ---------------------------------------------------------------------------------------------------------------


def _resolve(reader: FileReader, node: Scalar, expression: Expression, scope: Scope) -> Expression | None:
    match expression:
        case Field():
            return _resolve_field(reader, node, expression, scope)
        case Extract():
            return _resolve_extract(reader, node, expression, scope)
        case EmptyLookup():
            behind = scope.behind(expression.path)
            if isinstance(behind, str):
                reader.report(node, behind, "unknown-field")
                return None
            return replace(expression, prefix=scope.prefix, disappearance_field=behind.object_type.disappearance_field)
        case IsDisappeared():
            declared = scope.object_type.disappearance_field
            return replace(expression, field=disappearance_name(scope.object_type), declared=declared, prefix=scope.prefix)
        case Tag():
            return replace(expression, field=_tags_name(scope.object_type), prefix=scope.prefix)
        case _ if isinstance(expression, AwsPolicy):
            return _resolve_policy(reader, node, expression, scope)
        case RelatedList():
            scope.related_lists_used.append((expression.relationship_name, node))
            return expression
        case _:
            return expression


def _resolve_field(reader: FileReader, node: Scalar, expression: Field, scope: Scope) -> Expression | None:
    checks = expression.undetermined_if.values()
    types = [field_type(scope, path) for path in (expression.path, *(check.path for check in checks if check.path))]
    for found in types:
        if isinstance(found, str):
            reader.report(node, found, "unknown-field")
            return None
    return replace(expression, type=types[0], prefix=scope.prefix)


def _resolve_policy(reader: FileReader, node: Scalar, expression: AwsPolicy, scope: Scope) -> Expression | None:
    found = field_type(scope, expression.policy_ext_field)
    if isinstance(found, str):
        reader.report(node, found, "unknown-field")
        return None
    return replace(expression, prefix=scope.prefix)


def field_type(scope: Scope, path: str) -> Type | str:
    """Return the type of a field behind a path, ANY where no type file says, or what is wrong with the path."""
    lookups, _, name = path.rpartition(".")
    behind = scope.behind(lookups)
    if isinstance(behind, str):
        return behind
    object_type = behind.object_type
    if object_type.untyped:
        return ANY
    if name not in object_type.fields:
        hint = nearest(name, object_type.fields) or f"; it has {one_of(object_type.fields)}"
        return f"{object_type.id} has no field {name!r}{hint}"
    return NAMED[object_type.fields[name].type]


def _namespace(object_type: ObjectType) -> str | None:
    head, found, _ = object_type.id.partition("__")
    return f"{head}__" if found else None


def disappearance_name(object_type: ObjectType) -> str:
    """Return the name of the field that `isDisappeared(…)` prints for a type."""
    if object_type.disappearance_field:
        return object_type.disappearance_field
    namespace = _namespace(object_type)
    return f"{namespace}disappearanceTime__c" if namespace else "disappearanceTime"


def _tags_name(object_type: ObjectType) -> str:
    if object_type.tags_field:
        return object_type.tags_field
    namespace = _namespace(object_type)
    return f"{namespace}tagsJson__c" if namespace else "tags"


def _resolve_extract(reader: FileReader, node: Scalar, expression: Extract, scope: Scope) -> Expression | None:
    name, path = expression.name, ""
    if name not in scope.extracts:
        path, _, name = name.rpartition(".")
    if name not in scope.extracts:
        hint = nearest(name, scope.extracts) or (
            f"; imported are {one_of(scope.extracts)}" if scope.extracts else "; no file with extracts is imported"
        )
        if not scope.imports_failed:
            reader.report(node, f"unknown extract {expression.name!r}{hint}", "unknown-extract")
        return None
    if name in scope.open_extracts:
        circle = " → ".join((*scope.open_extracts[scope.open_extracts.index(name) :], name))
        reader.report(node, f"circular extracts: {circle}", "circular-extract")
        return None
    behind = scope.behind(path)
    if isinstance(behind, str):
        reader.report(node, behind, "unknown-field")
        return None
    scope.extracts_used.add(name)
    key = (name, behind.prefix + behind.object_type.id)
    if key not in scope.read_extracts:
        found = scope.extracts[name]
        inside = replace(behind, open_extracts=(*scope.open_extracts, name), checks_required=True)
        scope.read_extracts[key] = read_expression(FileReader(found.path, reader.problems), found.node, inside)
    body = scope.read_extracts[key]
    return None if body is None else replace(expression, expression=body)


# Walking -------------------------------------------------------------------------------------------------------------


def size_problem(expression: Expression) -> str | None:
    """Return what is wrong when an expression is too large or too deep, extracts counted in full; else None."""
    sizes: dict[int, tuple[int, int]] = {}
    size, depth = _measure(expression, sizes, 0)
    if depth > MAX_NESTING:
        return TOO_DEEP
    if size > MAX_EXPRESSION:
        return f"more than {MAX_EXPRESSION:,} operations, extracts counted at every occurrence"
    return None


def _measure(expression: Expression, sizes: dict[int, tuple[int, int]], level: int) -> tuple[int, int]:
    if level > MAX_NESTING:
        return 1, 1
    known = sizes.get(id(expression))
    if known is None:
        parts = [_measure(part, sizes, level + 1) for part in operands_of(expression)]
        known = 1 + sum(size for size, _ in parts), 1 + max((depth for _, depth in parts), default=0)
        sizes[id(expression)] = known
    return known
