"""Reads operations from YAML: arguments as their classes declare them, operand types checked, names resolved."""

from dataclasses import replace
from typing import Any

from reeve.language import source
from reeve.language.arguments import Argument, ArgumentError, Form, arguments
from reeve.language.errors import nearest
from reeve.language.evaluation import Check
from reeve.language.names import Names, argument_node, resolved
from reeve.language.operations.base import Expression
from reeve.language.scopes import Scope
from reeve.language.source import Node, Scalar, plain_value
from reeve.language.syntax import FileReader, Paths, is_text, shape_of
from reeve.language.types import accepts


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
        several = isinstance(node, source.Mapping)
        what = f"a mapping of {len(node.entries)} keys" if isinstance(node, source.Mapping) else shape_of(node)
        rule = "not-one-operation" if several else "wrong-kind"
        reader.report(node, f"an operation is a mapping of its name to its arguments, not {what}", rule)
        return None
    ((name, body),) = node.entries
    given = [key.text for key, _ in body.entries] if isinstance(body, source.Mapping) else []
    operation = scope.operations.class_of(name.text, given)
    if operation is None:
        hint = nearest(name.text, scope.operations.by_name) or "; the operations are in the language reference"
        reader.report(name, f"unknown operation {name.text!r}{hint}", "unknown-operation")
        return None
    values = _read_arguments(reader, name, body, operation, scope)
    if values is None:
        return None
    try:
        expression: Expression = operation(operation=name.text, **values)
    except ArgumentError as error:
        reader.report(argument_node(name, body, error.argument), f"{name.text}: {error}", error.rule)
        return None
    except ValueError as error:
        reader.report(name, f"{name.text}: {error}", "invalid-value")
        return None
    return resolved(expression, Names(reader, name, body, scope, read_expression))


def read_check(reader: FileReader, node: Node, scope: Scope) -> Expression | None:
    """Read a condition's check: an operation, or a text in the form that condition texts print."""
    if not is_text(node):
        return read_expression(reader, node, scope)
    from reeve.language.text import read_text

    inside = FileReader(reader.path, reader.problems, Paths(around=(reader.paths, node)))
    parsed = read_text(inside, node, scope.operations.notation)
    return None if parsed is None else read_expression(inside, parsed, replace(scope, checks_required=False, read_extracts={}))


def _read_arguments(reader: FileReader, name: Scalar, body: Node, operation: type[Any], scope: Scope) -> dict[str, Any] | None:
    declared = arguments(operation)
    first_field, first = next(iter(declared.values()), ("", None))
    if first is not None and first.alone:
        value = _read_argument(reader, body, first, name.text, scope)
        return None if value is None and first.form is not Form.YAML else {first_field: value}
    if not declared and isinstance(body, Scalar) and body.is_null:
        return {}
    found = reader.entries(body, declared, name.text)
    if found is None:
        return None
    values: dict[str, Any] = {}
    complete = len(found) == len(getattr(body, "entries", ()))
    for key, (field_name, argument) in declared.items():
        node = found.get(key)
        if node is None:
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
        case Form.KEYS:
            count = len(reader.problems)
            values = reader.read(node, argument.keys, what)
            return values if len(reader.problems) == count else None
        case Form.CHECKS:
            return _read_checks(reader, node, argument, what, scope)


def _read_operand(reader: FileReader, node: Node, argument: Argument, what: str, scope: Scope) -> Expression | None:
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
        reader.report(node, f"{what} must hold at least one operation", "empty-list")
        return None
    read = [_read_operand(reader, item, argument, what, scope) for item in items]
    return tuple(item for item in read if item is not None) if None not in read else None


def _read_checks(reader: FileReader, node: Node, argument: Argument, what: str, scope: Scope) -> dict[str, Check] | None:
    names = {choice.rstrip("!"): choice.endswith("!") for choice in argument.choices}
    found = reader.entries(node, names, what)
    if found is None:
        return None
    checks: dict[str, Check] = {}
    complete = len(found) == len(getattr(node, "entries", ()))
    for name, required in names.items():
        if name not in found:
            if required and scope.checks_required:
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
    if not isinstance(node, source.Mapping) and name != "noAccessDelegate":
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
