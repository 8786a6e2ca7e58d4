"""Reads the examples that operations give of themselves, for the reference."""

from reeve.language.expressions import read_expression
from reeve.language.operations.base import Example, Expression
from reeve.language.operations.registry import Operations
from reeve.language.scopes import ExtractSource, Scope
from reeve.language.source import read_yaml
from reeve.language.syntax import FileReader
from reeve.model import ObjectType

NOW = "2026-01-31T12:00:00Z"
"""When the examples' objects are judged."""


def read_example(example: Example, operations: Operations) -> Expression:
    """Return an example's expression.

    Raises:
        ValueError: the example has an error.
    """
    reader, object_type = FileReader("example", []), ObjectType("example", "Example", untyped=True)
    extracts = {"name": ExtractSource("example", read_yaml("example", b"FIELD: {path: name}"))}
    scope = Scope(object_type, lambda name: object_type, operations, (extracts,))
    expression = read_expression(reader, read_yaml("example", example.yaml.encode()), scope)
    if expression is None:
        raise ValueError("; ".join(map(str, reader.problems)))
    return expression
