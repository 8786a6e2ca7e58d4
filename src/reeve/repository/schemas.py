"""JSON Schemas of a repository's files, from the declarations that the loader reads by."""

from collections.abc import Mapping
from typing import Any

from reeve.language.arguments import Argument, Form, arguments
from reeve.language.logic import CONDITION_KEYS, EXTRACTS_KEYS, LOGIC_KEYS, RELATED_LIST_KEYS
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.operations.registry import Operations
from reeve.language.syntax import Key, Keys, Shape
from reeve.model import Status
from reeve.repository.metadata import (
    FOLDER_KEYS,
    FRAMEWORK_ENTRY_KEYS,
    POLICY_KEYS,
    RULE_KEYS,
    SECTION_KEYS,
)
from reeve.repository.object_types import TYPE_KEYS
from reeve.repository.remedies import REMEDY_KEYS

Schema = dict[str, Any]

KINDS: Mapping[str, str] = {
    "logic": "**/*.logic.yaml",
    "extracts": "**/*.extracts.yaml",
    "policy": "ce/**/policy.yaml",
    "remedies": "ce/**/remedies.yaml",
    "folder": "ce/**/folder.yaml",
    "section": "frameworks/**/section.yaml",
    "framework": "frameworks/*.yaml",
    "internal-rule": "internal/rules/**/*.yaml",
    "type": "types/*/type.yaml",
    "test-data": "ce/**/test-data.json",
}
"""The kinds of files, each with the pattern of its paths from the root."""

_TEXT: Schema = {"type": "string"}
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(kind: str, operations: Operations | None = None) -> Schema:
    """Return the JSON Schema of a kind of file, in which logic may use some operations, by default those that are built in.

    Raises:
        KeyError: there is no such kind.
    """
    body = {
        "logic": lambda: _logic(operations or BUILT_IN),
        "extracts": lambda: _with_expressions(_object(EXTRACTS_KEYS), operations or BUILT_IN),
        "policy": lambda: _object(POLICY_KEYS),
        "remedies": lambda: {"type": "array", "items": _object(REMEDY_KEYS)},
        "folder": lambda: _object(FOLDER_KEYS),
        "section": lambda: _object(SECTION_KEYS),
        "framework": lambda: {"type": "array", "items": _object(FRAMEWORK_ENTRY_KEYS)},
        "internal-rule": lambda: _object(RULE_KEYS),
        "type": lambda: _object(TYPE_KEYS),
        "test-data": _test_data,
    }[kind]()
    return {"$schema": _DRAFT, "title": f"Reeve: {kind} ({KINDS[kind]})", **body}


def _object(keys: Keys) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, key in keys.items() if key.required],
        "properties": {name: {"description": key.description, **_value(key)} for name, key in keys.items()},
    }


def _value(key: Key) -> Schema:  # noqa: C901 - a case for each shape
    match key.shape:
        case Shape.STRING:
            return dict(_TEXT)
        case Shape.STRINGS:
            return {"type": "array", "items": dict(_TEXT)}
        case Shape.BOOLEAN:
            return {"type": "boolean"}
        case Shape.INTEGER:
            return {"type": "integer", "minimum": 0}
        case Shape.CHOICE:
            return {"enum": list(key.choices)}
        case Shape.CHOICES:
            return {"type": "array", "items": {"enum": list(key.choices)}}
        case Shape.MAPPING:
            return _object(key.keys)
        case Shape.RECORDS:
            return {"type": "array", "items": _object(key.keys)}
        case Shape.TABLE:
            return {"type": "object", "additionalProperties": _object(key.keys)}
        case Shape.TEXTS:
            return {"type": "object", "additionalProperties": dict(_TEXT)}
        case Shape.EXPRESSION:
            return {"$ref": "#/$defs/operation"}
        case Shape.ANYTHING:
            return {}


def _logic(operations: Operations) -> Schema:
    condition = _object(CONDITION_KEYS)
    condition["properties"]["check"] = {
        "description": CONDITION_KEYS["check"].description,
        "anyOf": [{"$ref": "#/$defs/operation"}, {"type": "string"}],
    }
    condition["oneOf"] = [{"required": ["check"]}, {"required": ["condition"]}]
    related = _object(RELATED_LIST_KEYS)
    root = _object(LOGIC_KEYS)
    for owner in (root, related):
        conditions: Schema = owner["properties"]["conditions"]
        conditions |= {"type": "array", "items": {"$ref": "#/$defs/condition"}}
        lists: Schema = owner["properties"]["relatedLists"]
        lists |= {"type": "array", "items": {"$ref": "#/$defs/relatedList"}}
    root["oneOf"] = [{"required": ["inputType"]}, {"required": ["inputObject"]}]
    return _with_expressions(root, operations, {"condition": condition, "relatedList": related})


def _with_expressions(schema: Schema, operations: Operations, definitions: Mapping[str, Schema] | None = None) -> Schema:
    """Add the operations as definitions: an operation is an object of one key, its name."""
    named: dict[str, list[type[Any]]] = {}
    for operation in (*operations.classes, *operations.legacy):
        for name in operation.NAMES:
            named.setdefault(name, []).append(operation)
    properties: Schema = {}
    for name, classes in named.items():
        bodies = [body for operation in classes for body in _bodies(operation)]
        described = " / ".join(operation.NAMES[name] for operation in classes)
        properties[name] = {"description": described, **(bodies[0] if len(bodies) == 1 else {"anyOf": bodies})}
    operation_schema: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": properties,
    }
    return {**schema, "$defs": {"operation": operation_schema, **(definitions or {})}}


def _bodies(operation: type[Any]) -> list[Schema]:
    """Return the shapes of an operation's body: all its arguments, or the one it needs alone."""
    declared = arguments(operation)
    if not declared:
        return [{"type": ["object", "null"], "maxProperties": 0}]
    _, first = next(iter(declared.values()))
    if first.alone:
        return [_argument(first)]
    full: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, (_, argument) in declared.items() if argument.required],
        "properties": {name: _argument(argument) for name, (_, argument) in declared.items()},
    }
    return [full]


def _argument(argument: Argument) -> Schema:
    match argument.form:
        case Form.OPERAND:
            return {"$ref": "#/$defs/operation"}
        case Form.OPERANDS:
            return {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/operation"}}
        case Form.STRING:
            return dict(_TEXT)
        case Form.STRINGS:
            return {"type": "array", "items": dict(_TEXT)}
        case Form.INTEGER:
            return {"type": "integer", "minimum": 0}
        case Form.NUMBER:
            return {"type": "number"}
        case Form.BOOLEAN:
            return {"type": "boolean"}
        case Form.ENUM:
            return {"enum": list(argument.choices)}
        case Form.YAML:
            return {}
        case Form.KEYS:
            return _object(argument.keys)
        case Form.CHECKS:
            return _checks(argument)


def _checks(argument: Argument) -> Schema:
    names = [choice.rstrip("!") for choice in argument.choices]
    message: Schema = {
        "anyOf": [
            dict(_TEXT),
            {"type": "object", "required": ["currentStateMessage"], "properties": {"currentStateMessage": dict(_TEXT)}},
        ]
    }
    delegate: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["path", "currentStateMessage"],
        "properties": {"path": dict(_TEXT), "currentStateMessage": dict(_TEXT)},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [choice.rstrip("!") for choice in argument.choices if choice.endswith("!")],
        "properties": {name: delegate if name == "noAccessDelegate" else message for name in names},
    }


def _test_data() -> Schema:
    expected: Schema = {
        "type": "object",
        "required": ["status", "conditionIndex", "conditionText"],
        "properties": {
            "status": {"enum": list(Status)},
            "conditionIndex": {"type": ["integer", "string"]},
            "conditionText": {"type": "string"},
            "runtimeError": {"type": ["string", "null"]},
        },
    }
    context: Schema = {"type": "object", "properties": {"snapshotTime": {"type": "string"}}}
    item: Schema = {
        "type": "object",
        "required": ["expectedResult"],
        "properties": {"expectedResult": expected, "context": context, "Id": {}},
    }
    return {"type": "array", "items": item}
