"""Templates: texts in which `{name}` stands for a value of an object, such as its ARN's form (docs/types.md).

`{{` and `}}` stand for braces. There is nothing else in them: no formats, no paths, no expressions.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from string import Formatter
from typing import Any
from urllib.parse import quote

from reeve.language.errors import nearest
from reeve.language.types import Kind
from reeve.language.unread import NotCollected
from reeve.language.values import describe, text_form
from reeve.model import Template

PLACE = ("account", "region", "partition")
"""The names that stand for an object's place in all of a type's templates, whatever its fields are called."""
ARN, HOST = "arn", "host"
"""The names of an object's full name, which `console` and `summary` can use, and of the console's host, for `console`."""
FILLING = (Kind.TEXT, Kind.BYTES, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE_TIME)
"""The kinds of values that can stand in a text."""


def parse_template(text: str) -> Template:
    """Read a template.

    Raises:
        ValueError: its braces don't match, or what stands in them is no name.
    """
    wrong = ValueError("in braces stands the name of a field, as in {name}; a brace itself is written twice, {{ or }}")
    parts: list[tuple[str, str | None]] = []
    try:
        for before, name, form, conversion in Formatter().parse(text):
            if name is not None and (form or conversion or not name.isidentifier()):
                raise wrong
            parts.append((before, name))
    except ValueError:
        raise wrong from None
    return Template(text, tuple(parts))


def names_in(template: Template) -> frozenset[str]:
    """Return the names that a template stands on."""
    return frozenset(name for _, name in template.parts if name is not None)


def unknown_name(template: Template, known: Collection[str]) -> str | None:
    """Return what is wrong with the names of a template, if one of them is none of those that are known."""
    wrong = next((name for _, name in template.parts if name is not None and name not in known), None)
    return None if wrong is None else f"there is no field {wrong!r}{nearest(wrong, known)}"


def filled(template: Template, values: Mapping[str, Any], encoded: bool = False) -> str | None:
    """Return a template's text for an object.

    Args:
        template: the template.
        values: the values by name; a name that is not there is not known.
        encoded: write every value as an address writes it (RFC 3986), with nothing left that means something there.

    Returns:
        The text; None if a value is null, empty, or was not collected.
    """
    found: list[str] = []
    for before, name in template.parts:
        found.append(before)
        if name is not None:
            value = values.get(name)
            if value is None or value == "" or isinstance(value, NotCollected):
                return None
            text = describe(value) if isinstance(value, datetime) else text_form(value)
            found.append(quote(text, safe="", errors="replace") if encoded else text)
    return "".join(found)
