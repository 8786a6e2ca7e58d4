"""Whether an answer is what was asked for: a body of the operation, and the members that expressions read.

A member that is missing is no fact. What an answer may lack, and means something by lacking it, a type declares (`optional`);
every other member that an expression reads must be there, or nothing is known of what is picked from it. That is also what
tells an empty list from a foreign body: an empty list is there, as an element or member without items.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own

from reeve.collect.aws.expressions import ExpressionError, items_of, search
from reeve.collect.aws.reading import OWN, refusal
from reeve.collect.aws.shapes import Path
from reeve.language.query_reads import members_read
from reeve.model import Collect

_OURS = ("_parent", "_item", "_account", "_partition", "_region")


def optional_paths(collect: Collect) -> frozenset[Path]:
    """Return the members that what a type's expressions see may lack: those that it declares, and a call that is not made."""
    return frozenset(tuple(path.split(".")) for path in (*collect.optional, *collect.calls))


def lacking(expression: str, data: Any, optional: frozenset[Path] = frozenset()) -> str | None:
    """Return the first member that an expression reads and that is not there, as names joined by dots; None if all are.

    Args:
        expression: JMESPath.
        data: what it sees.
        optional: the members that may be missing.
    """
    for path in _ordered(expression):
        if not _is_there(data, path, 0, optional):
            return ".".join(path)
    return None


@cache
def _ordered(expression: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in members_read(expression) if path[0] not in _OURS))


def _is_there(value: Any, path: Path, start: int, optional: frozenset[Path]) -> bool:
    for position in range(start, len(path)):
        if not isinstance(value, dict):  # first, as nearly all are
            if isinstance(value, list):
                return all(_is_there(item, path, position, optional) for item in cast("list[Any]", value))
            return True
        value = cast("dict[str, Any]", value).get(path[position])
        if value is None:
            return path[: position + 1] in optional
    return True


def find(expression: str, data: Any, optional: frozenset[Path] = frozenset()) -> Any:
    """Return what an expression finds in plain data that holds all that it reads.

    Raises:
        ExpressionError: a member that it reads is not there, or it fails on this data.
    """
    _refuse_lacking(expression, data, optional)
    return search(expression, data)


def _refuse_lacking(expression: str, data: Any, optional: frozenset[Path]) -> None:
    name = lacking(expression, data, optional)
    if name is not None:
        raise ExpressionError(f"the answer lacks {name}")


def find_items(
    expression: str, page: Mapping[str, Any], base: Mapping[str, Any], alone: bool, optional: frozenset[Path] = frozenset()
) -> list[Any]:
    """Return the items of a list that are in a page of it.

    One of several pages (not `alone`) of a call that lists several things at once may hold some of them only.

    Raises:
        ExpressionError: the page lacks the list.
    """
    if not alone and lacking(expression, page, optional) and any(isinstance(value, list) for value in page.values()):
        return []
    return find_list(expression, {**page, **base}, optional)


def find_list(expression: str, data: Any, optional: frozenset[Path] = frozenset()) -> list[Any]:
    """Return the list that an expression finds in plain data that holds all that it reads; null is an empty one.

    Raises:
        ExpressionError: as `find`, or it finds something else.
    """
    _refuse_lacking(expression, data, optional)
    return items_of(expression, data)


class ForeignBodyError(botocore.exceptions.IncompleteReadError):
    """A body that is no answer of the operation; as one that was cut off, it is worth another try."""

    fmt = "the answer to {operation} is {what}: is there a proxy?"


class NotReadingError(botocore.exceptions.BotoCoreError):
    """A call that changes something, or gives a secret; it is not made."""

    fmt = "{call} is not called: {why}"


def guard(client: Any, service: str) -> None:
    """Have a client make only calls that read, and take only answers of the operation."""

    def refuse(model: Any, **details: Any) -> None:
        name = f"{service}:{model.name}"
        why = None if name in OWN else refusal(name)
        if why is not None:
            raise NotReadingError(call=name, why=why)

    client.meta.events.register("before-call", refuse)
    client.meta.events.register("before-parse", refuse_foreign)


def refuse_foreign(operation_model: Any, response_dict: Mapping[str, Any], **details: Any) -> None:
    """Refuse a body that can't be an answer of an operation; to be registered for botocore's event `before-parse`.

    botocore makes an empty answer of a page of HTML, and of JSON that is no object.

    Raises:
        ForeignBodyError: the body is a page, or no answer of this operation.
    """
    body, protocol = response_dict["body"], str(operation_model.service_model.metadata.get("protocol", ""))
    if response_dict["status_code"] >= 300 or not isinstance(body, bytes):
        return
    if response_dict.get("headers", {}).get("smithy-protocol") or "cbor" in protocol:
        return
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:512]
    name = operation_model.name
    if start[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise ForeignBodyError(operation=name, what="a page of HTML")
    if protocol in ("json", "rest-json") and start and not start.startswith(b"{"):
        if _has_payload(operation_model):
            return
        raise ForeignBodyError(operation=name, what="no JSON object")
    if protocol in ("query", "ec2"):
        shape = operation_model.output_shape
        wrapper: str = shape.serialization.get("resultWrapper", "") if shape is not None else ""
        for wanted in (f"{name}Response", wrapper):
            if wanted and f"<{wanted}".encode() not in body[:2048]:
                raise ForeignBodyError(operation=name, what=f"no {wanted}")
    if protocol == "rest-xml" and not _fits_xml(operation_model, start, body):
        raise ForeignBodyError(operation=name, what="no XML of it")


_ELEMENT = re.compile(rb"<(?:\w+:)?(\w+)")


def _fits_xml(operation_model: Any, start: bytes, body: bytes) -> bool:
    """Return whether a body can be an answer whose root has no name of its own: it is empty, or holds a member."""
    shape = operation_model.output_shape
    if shape is None or operation_model.has_streaming_output or _has_payload(operation_model):
        return True
    members: Mapping[str, Any] = shape.members
    inside = shape.members[shape.serialization["payload"]].members if "payload" in shape.serialization else members
    names = {str(one.serialization.get("name", name)) for name, one in inside.items() if "location" not in one.serialization}
    if not names:
        return True
    root, *elements = _ELEMENT.findall(body) or [b""]
    found = {element.decode("ascii", "replace") for element in (root, *elements)}
    return start.startswith(b"<") and (not elements or bool(found & names))


def _has_payload(operation_model: Any) -> bool:
    shape = operation_model.output_shape
    if shape is None or "payload" not in shape.serialization:
        return False
    return shape.members[shape.serialization["payload"]].type_name in ("string", "blob")
