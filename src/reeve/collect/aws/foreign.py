"""Which calls a client of botocore makes, and which bodies it takes for answers of them."""

import re
from collections.abc import Mapping
from typing import Any

import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own

from reeve.collect.aws.reading_calls import OWN, refusal


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
