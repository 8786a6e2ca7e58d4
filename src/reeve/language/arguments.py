"""How an operation's class declares its arguments: `syntax` reads them, `reeve schema` and the reference are made of them.

Beside `operation`, a field of an operation is an argument in YAML (`range_from` is `rangeFrom` there) if one of the functions
below declares it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, cast

from reeve.language.evaluation import Check
from reeve.language.json_texts import parse_json
from reeve.language.syntax import Key, Keys
from reeve.language.types import Kind


class ArgumentError(ValueError):
    """An argument of an operation is refused when the operation is read: its name in YAML, and the code of section 7."""

    def __init__(self, argument: str, rule: str, message: str):
        super().__init__(message)
        self.argument = argument
        self.rule = rule


class Form(StrEnum):
    """How an argument is written in YAML."""

    OPERAND = "operation"
    OPERANDS = "list of operations"
    STRING = "text"
    STRINGS = "list of texts"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "true or false"
    ENUM = "one of"
    YAML = "any YAML"
    KEYS = "mapping"
    CHECKS = "undetermined checks"


@dataclass(frozen=True, slots=True)
class Argument:
    """The declaration of one argument of an operation.

    `kinds` are the operand types that fit, `choices` the values of an enumeration or the names of undetermined checks
    (a name with `!` must be declared), `keys` those of a mapping. One that stands `alone` is the operation's whole body.
    """

    form: Form
    required: bool = True
    kinds: tuple[Kind, ...] = ()
    choices: tuple[str, ...] = ()
    keys: Keys = field(default_factory=dict[str, Key])
    alone: bool = False


def _declare(argument: Argument, default: Any = dataclasses.MISSING) -> Any:
    if default is dataclasses.MISSING:
        return field(metadata={"argument": argument})
    return field(default=default, metadata={"argument": argument})


def operand(*kinds: Kind) -> Any:
    """Declare a required operand of one of the kinds."""
    return _declare(Argument(Form.OPERAND, kinds=kinds))


def optional_operand(*kinds: Kind) -> Any:
    """Declare an operand of one of the kinds that may be left out; None then."""
    return _declare(Argument(Form.OPERAND, False, kinds), None)


def operands(*kinds: Kind) -> Any:
    """Declare a required, non-empty list of operands of one of the kinds."""
    return _declare(Argument(Form.OPERANDS, kinds=kinds))


def string(default: Any = dataclasses.MISSING, alone: bool = False) -> Any:
    """Declare a plain text."""
    return _declare(Argument(Form.STRING, default is dataclasses.MISSING, alone=alone), default)


def strings(default: Any = dataclasses.MISSING) -> Any:
    """Declare a list of plain texts."""
    return _declare(Argument(Form.STRINGS, default is dataclasses.MISSING), default)


def integer() -> Any:
    """Declare a whole number from 0 up."""
    return _declare(Argument(Form.INTEGER))


def number(alone: bool = False) -> Any:
    """Declare a number."""
    return _declare(Argument(Form.NUMBER, alone=alone))


def boolean(default: Any = dataclasses.MISSING, alone: bool = False) -> Any:
    """Declare `true` or `false`."""
    return _declare(Argument(Form.BOOLEAN, default is dataclasses.MISSING, alone=alone), default)


def one_of(*choices: str, default: Any = dataclasses.MISSING) -> Any:
    """Declare a text that is one of the choices."""
    return _declare(Argument(Form.ENUM, default is dataclasses.MISSING, choices=choices), default)


def anything(default: Any = dataclasses.MISSING, alone: bool = False) -> Any:
    """Declare a value of any YAML shape."""
    return _declare(Argument(Form.YAML, default is dataclasses.MISSING, alone=alone), default)


def record(keys: Keys, default: Any = dataclasses.MISSING) -> Any:
    """Declare a mapping of some keys."""
    return _declare(Argument(Form.KEYS, default is dataclasses.MISSING, keys=keys), default)


def given_items(value: Any) -> list[Any]:
    """Return the list that an argument of any YAML shape is, or that its text of JSON holds; of any other value: no items.

    Raises:
        ValueError: it is a text that is not JSON, or beyond the bounds on it.
    """
    given = parse_json(value) if isinstance(value, str) else value
    return cast("list[Any]", given) if isinstance(given, list) else []


def undetermined_if(*names: str, optional: bool = False) -> Any:
    """Declare the undetermined checks an operation may carry, in numbering order.

    A name ending in `!` is required, so are they all then, unless they are `optional`.
    """
    required = not optional and any(name.endswith("!") for name in names)
    argument = Argument(Form.CHECKS, required, choices=names)
    return field(default_factory=dict[str, Check], metadata={"argument": argument})


@cache
def arguments(operation: type) -> Mapping[str, tuple[str, Argument]]:
    """Return an operation's declared arguments: YAML name to (field name, declaration), in the order of declaration."""
    found: dict[str, tuple[str, Argument]] = {}
    for declared in dataclasses.fields(operation):
        argument = declared.metadata.get("argument")
        if argument is not None:
            head, *rest = declared.name.rstrip("_").split("_")
            found[head + "".join(part.capitalize() for part in rest)] = (declared.name, argument)
    return found
