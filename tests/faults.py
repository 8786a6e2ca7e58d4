"""What can happen to an answer on its way: each fault makes of a whole answer one that a bad day gives."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace

from replay import Answer, Fault

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Please sign in to the network.</p></body></html>"


def refusal(code: str, status: int) -> Fault:
    """Refuse with a code, in whichever form the service answers."""

    def refused(answer: Answer, number: int) -> Answer:
        message = "injected by the test"
        if answer.body.lstrip().startswith(b"<"):
            error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            tail = "<RequestId>test</RequestId>"
            body = {
                "ec2": f"<Response><Errors>{error}</Errors><RequestID>test</RequestID></Response>",
                "s3": error,
                "s3control": f"<ErrorResponse>{error}{tail}</ErrorResponse>",
            }.get(answer.service, f"<ErrorResponse>{error}{tail}</ErrorResponse>")
            return replace(answer, status=status, body=body.encode())
        if answer.service == "s3":
            return replace(answer, status=status, body=f"<Error><Code>{code}</Code></Error>".encode())
        return replace(answer, status=status, body=json.dumps({"__type": code, "message": message}).encode())

    return refused


def cut(answer: Answer, number: int) -> Answer:
    """End the connection in the middle of the body."""
    return replace(answer, body=answer.body[: len(answer.body) // 2], length=len(answer.body))


def truncated(answer: Answer, number: int) -> Answer:
    """Give half of the body, as if it were all of it."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def emptied(answer: Answer, number: int) -> Answer:
    """Give no body at all."""
    return replace(answer, body=b"")


def page(answer: Answer, number: int) -> Answer:
    """Give a proxy's page."""
    return replace(answer, headers={"content-type": "text/html"}, body=PAGE)


def unwell(answer: Answer, number: int) -> Answer:
    """Give a proxy's page, with the status of an error."""
    return replace(answer, status=503, headers={"content-type": "text/html"}, body=PAGE)


def nested(answer: Answer, number: int) -> Answer:
    """Give a body nested beyond reason."""
    deep = b"<a>" * 5000 + b"</a>" * 5000 if answer.body.lstrip().startswith(b"<") else b'{"a":' * 5000 + b"1" + b"}" * 5000
    return replace(answer, body=deep)


WHOLE: dict[str, Fault] = {
    "denied": refusal("AccessDenied", 403),
    "throttled for ever": refusal("Throttling", 400),
    "cut in the middle": cut,
    "truncated": truncated,
    "empty": emptied,
    "an HTML page": page,
    "a bad gateway": unwell,
    "nested too deeply": nested,
}
"""Faults of whole answers, by name."""


# Members ---------------------------------------------------------------------------------------------------------------


def local(tag: str) -> str:
    return tag.rpartition("}")[2]


def members(body: bytes) -> list[tuple[str, ...]]:
    """Return the paths of names in a body, items of lists not told apart."""
    found: dict[tuple[str, ...], None] = {}
    if body.lstrip().startswith(b"<"):
        _in_xml(ElementTree.fromstring(body), (), found)
    else:
        _in_json(json.loads(body), (), found)
    return list(found)


def _in_xml(node, path, found):
    for child in node:
        here = (*path, local(child.tag))
        if local(child.tag) not in ("member", "item", "entry", "ResponseMetadata"):
            found[here] = None
        if local(child.tag) != "ResponseMetadata":
            _in_xml(child, here, found)


def _in_json(node, path, found):
    if isinstance(node, dict):
        for name, value in node.items():
            found[(*path, name)] = None
            _in_json(value, (*path, name), found)
    elif isinstance(node, list):
        for value in node:
            _in_json(value, path, found)


def changed(body: bytes, path: tuple[str, ...], change) -> bytes:
    """Return a body with the values at a path changed, all of them; null takes them away."""
    if body.lstrip().startswith(b"<"):
        root = ElementTree.fromstring(body)
        _change_xml(root, path, change)
        return ElementTree.tostring(root)
    value = json.loads(body)
    _change_json(value, path, change)
    return json.dumps(value).encode()


def _change_xml(node, path, change):
    for child in list(node):
        if local(child.tag) != path[0]:
            continue
        if len(path) > 1:
            _change_xml(child, path[1:], change)
        elif change is None:
            node.remove(child)
        else:
            child.text = change(child.text or "")


def _change_json(node, path, change):
    if isinstance(node, list):
        for value in node:
            _change_json(value, path, change)
    elif isinstance(node, dict) and path[0] in node:
        if len(path) > 1:
            _change_json(node[path[0]], path[1:], change)
        elif change is None:
            del node[path[0]]
        else:
            node[path[0]] = change(node[path[0]])


def without(path: tuple[str, ...]) -> Fault:
    """Take a member away, everywhere."""

    def stripped(answer: Answer, number: int) -> Answer:
        return replace(answer, body=changed(answer.body, path, None))

    return stripped


def garbled(path: tuple[str, ...], value: object) -> Fault:
    """Put something else in the place of a member's value, everywhere."""

    def put(answer: Answer, number: int) -> Answer:
        return replace(answer, body=changed(answer.body, path, lambda old: value))

    return put


def kinds(shape, found: dict[str, set[str]] | None = None) -> dict[str, set[str]]:
    """Return the types that botocore's model gives to members, by their names in a body."""
    found = {} if found is None else found
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            if member.type_name not in found.setdefault(wire, set()):
                found[wire].add(member.type_name)
                kinds(member, found)
    elif shape.type_name == "list":
        kinds(shape.member, found)
    elif shape.type_name == "map":
        found.setdefault("value", set()).add(shape.value.type_name)
        kinds(shape.value, found)
    return found


def oddities(body: bytes, types: set[str]) -> Iterator[tuple[str, object]]:
    """Yield what the value of a member of some types could not be, by name."""
    xml = body.lstrip().startswith(b"<")
    if "timestamp" in types:
        yield "no time", "yesterday"
        yield "a time beyond", "99999-01-01T00:00:00Z" if xml else 10**15
    if types & {"integer", "long", "float", "double"}:
        yield "no number", "many"
        yield "a number beyond", "9" * 30 if xml else 10**400
    if "string" in types and not xml:
        yield "half a character", "\ud800"


# Tokens ----------------------------------------------------------------------------------------------------------------


def paged(declared, shape, tokens: list[str | None], more: bool | None) -> Fault:
    """Say that there is more, with tokens in turn (null: none)."""

    def wire(name: str) -> str:
        return shape.members[name].serialization.get("name", name)

    def more_of_it(answer: Answer, number: int) -> Answer:
        token = tokens[(number - 1) % len(tokens)]
        outputs = declared["output_token"]
        put = {wire(outputs if isinstance(outputs, str) else outputs[0]): token}
        if "more_results" in declared and more is not None:
            put[wire(declared["more_results"])] = "true" if answer.body.lstrip().startswith(b"<") else True
        return replace(answer, body=_put(answer.body, put))

    return more_of_it


def _put(body: bytes, members: dict[str, object]) -> bytes:
    if not body.lstrip().startswith(b"<"):
        value = json.loads(body)
        value.update({name: given for name, given in members.items() if given is not None})
        return json.dumps(value).encode()
    root = ElementTree.fromstring(body)
    result = next((child for child in root if local(child.tag).endswith("Result")), root)
    for name, given in members.items():
        for child in [child for child in result if local(child.tag) == name]:
            result.remove(child)
        if given is not None:
            ElementTree.SubElement(result, name).text = str(given)
    return ElementTree.tostring(root)
