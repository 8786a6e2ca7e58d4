"""The reference of the language's operations, as Markdown, from the operations themselves."""

import json
from collections.abc import Iterator
from typing import Any

from reeve.language.arguments import Argument, Form, arguments
from reeve.language.examples import NOW, read_example
from reeve.language.operations.base import walk
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.operations.registry import Operations
from reeve.language.values import describe

HEAD = f"""# The operations of the policy language

Generated from the operations themselves by `make docs`; a test holds it against them and runs every example. Operands are
written as operations; an argument marked with `!` is required. The examples are judged at {NOW}. *Any* is the
type of a field that no type file declares.

**Empty** are: null; a Text that is '' after trimming; a Bytes that is exactly ''; a Set or List without items (a Set drops
empty items, a List keeps them); Json null, `[]`, `""` and objects whose members are all null. Nothing else is.
An error that no undetermined check covers makes the object UNDETERMINED, with code n·100 + 98.
"""


def language(operations: Operations = BUILT_IN) -> str:
    """Return the reference of some operations, as Markdown."""
    parts = [HEAD]
    for operation in operations.classes:
        parts.extend("\n".join(_section(operation, name, name, operations)) for name in operation.NAMES)
    for operation in operations.legacy:
        own = [name for name in operation.NAMES if name not in operations.current]
        titles = {name: name for name in own} or {name: f"{name} (legacy)" for name in operation.NAMES}
        parts.extend("\n".join(_section(operation, name, title, operations)) for name, title in titles.items())
    return "\n".join(parts)


def _section(operation: type[Any], name: str, title: str, operations: Operations) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{operation.NAMES[name]}\n"
    declared = arguments(operation)
    if declared:
        yield "| argument | what |\n|---|---|"
        for argument_name, (_, argument) in declared.items():
            yield f"| `{argument_name}`{'!' if argument.required else ''} | {_describe(argument)} |"
        yield ""
    example = operation.EXAMPLES.get(name)
    if example is not None:
        found = next(part for part in walk(read_example(example, operations)) if part.operation == name)
        yield f"Result: {found.type}. Text: `{found.text()}`\n"
        yield f"```yaml\n{example.yaml}\n```\n"
        on = f"On `{json.dumps(dict(example.row), ensure_ascii=False)}`" if example.row else "On any object"
        value = example.value
        shown = json.dumps(value) if isinstance(value, (dict, list)) else describe(value)
        yield f"{on}: `{shown}`.\n"


def _describe(argument: Argument) -> str:
    match argument.form:
        case Form.OPERAND | Form.OPERANDS:
            kinds = " or ".join({"Items": "Set or List"}.get(kind, kind) for kind in argument.kinds)
            kinds = "any type" if len(argument.kinds) > 7 else kinds
            many = "operations" if argument.form is Form.OPERANDS else "an operation"
            return f"{many}: {kinds}"
        case Form.ENUM:
            return " \\| ".join(f"`{choice}`" for choice in argument.choices)
        case Form.CHECKS:
            return "messages of undetermined checks: " + ", ".join(
                f"`{name.rstrip('!')}`{'!' if '!' in name else ''}" for name in argument.choices
            )
        case Form.KEYS:
            return "a mapping of " + ", ".join(f"`{name}`{'!' if key.required else ''}" for name, key in argument.keys.items())
        case _:
            return str(argument.form)
