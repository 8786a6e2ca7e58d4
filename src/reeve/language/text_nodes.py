"""Builds the nodes of a condition's YAML form from the grammar's tree of its text."""

from dataclasses import dataclass, replace
from typing import Any

from lark import Token, Transformer
from lark import v_args as _untyped_v_args  # pyright: ignore[reportUnknownVariableType]

from reeve.language.errors import nearest
from reeve.language.json_texts import NotJsonError, parse_json
from reeve.language.notation import How, Method, Notation, Role
from reeve.language.source import Mapping, Node, Scalar, Sequence
from reeve.language.times import parse_date_time, parse_duration

v_args: Any = _untyped_v_args  # pyright: ignore[reportUnknownVariableType]

_YAML_NUMBERS = {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class TextError(Exception):
    """What is wrong with a text, at an offset in it."""

    def __init__(self, offset: int, message: str):
        super().__init__(message)
        self.offset = offset


def at(scalar: Scalar, offset: int) -> Scalar:
    """Return a node at the place of an offset in a text; exact for texts in one line, by line for folded ones."""
    lines = scalar.text[:offset].split("\n")
    quote = 0 if scalar.plain else 1
    column = scalar.column + quote + len(lines[-1]) if len(lines) == 1 else 1 + len(lines[-1])
    return Scalar("", False, scalar.line + len(lines) - 1, column)


def nodes_of(scalar: Scalar, tree: Any, notation: Notation) -> Node:
    """Return the nodes of a condition's text.

    Args:
        scalar: the text as it stands in its file.
        tree: the text as the grammar reads it.
        notation: how operations are written.

    Raises:
        TextError: the text says something that no operation does; it may stand inside an error of the grammar's library.
    """
    transformer: Any = _Nodes(scalar, notation)
    return transformer.transform(tree)


@v_args(inline=True)
class _Nodes(Transformer[Token, Any]):
    """Builds nodes from the grammar's tree."""

    def __init__(self, scalar: Scalar, notation: Notation):
        super().__init__()
        self.scalar, self.notation = scalar, notation

    def _scalar(self, text: str, offset: int) -> Scalar:
        place = at(self.scalar, offset)
        return Scalar(text, False, place.line, place.column)

    def _plain(self, text: str, offset: int) -> Scalar:
        return replace(self._scalar(text, offset), plain=True)

    def _mapping(self, entries: dict[str, Node], offset: int) -> Mapping:
        place = at(self.scalar, offset)
        return Mapping(tuple((self._scalar(k, offset), v) for k, v in entries.items()), place.line, place.column)

    def _operation(self, name: str, body: Node | dict[str, Node], offset: int) -> Mapping:
        return self._mapping({name: self._mapping(body, offset) if isinstance(body, dict) else body}, offset)

    def start(self, expression: Node) -> Node:
        return expression

    def or_(self, *args: Node) -> Node:
        return self._junction(Role.SOME, args)

    def and_(self, *args: Node) -> Node:
        return self._junction(Role.EVERY, args)

    def _junction(self, role: Role, args: tuple[Node, ...]) -> Node:
        return self._literal(role, Sequence(args, args[0].line, args[0].column))

    def _literal(self, role: Role, value: Node) -> Mapping:
        """Return the operation of a form of the grammar's own, at the place of what it holds."""
        form = self.notation.literals[role]
        body = _wrapped(form.argument, value) if form.argument else value
        return _wrapped(form.operation, body)

    def compare(self, left: Node, symbol: Token, right: Node) -> Node:
        sign, offset = self.notation.signs[str(symbol)], symbol.start_pos or 0
        sides = (self._part(side, sign.how, str(symbol), offset) for side in (left, right))
        return self._operation(sign.operation, dict(zip(("left", "right"), sides, strict=True)), offset)

    def text(self, token: Token) -> Node:
        return self._literal(Role.TEXT, self._scalar(_unquoted(token), token.start_pos or 0))

    def true(self, token: Token) -> Node:
        return self._literal(Role.BOOLEAN, self._plain("true", token.start_pos or 0))

    def false(self, token: Token) -> Node:
        return self._literal(Role.BOOLEAN, self._plain("false", token.start_pos or 0))

    def json(self, value: Node) -> Node:
        return self._literal(Role.JSON, value)

    def word(self, token: Token) -> Node:
        return self._plain(str(token), token.start_pos or 0)

    def string(self, token: Token) -> Node:
        offset = token.start_pos or 0
        try:
            return self._scalar(parse_json(str(token)), offset)
        except NotJsonError:
            raise TextError(offset, f"{str(token)[:40]} is no text of JSON; other texts are in single quotes") from None

    def item(self, token: Token) -> "_Item":
        return _Item(self._scalar(_unquoted(token), token.start_pos or 0))

    def member(self, key: Token, value: Any) -> tuple[Node, Node]:
        return self.string(key), self._value(value)

    def object(self, *members: tuple[Scalar, Node] | None) -> Node:
        entries = tuple(member for member in members if member is not None)
        place = entries[0][0] if entries else self.scalar
        return Mapping(entries, place.line, place.column)

    def array(self, *items: Any) -> "_Array":
        return _Array([item for item in items if item is not None])

    def list(self, found: "_Array") -> Node:
        texts = [item.scalar for item in found.items if isinstance(item, _Item)]
        if len(texts) < len(found.items):
            return self._literal(Role.JSON, self._value(found))
        place = texts[0] if texts else self.scalar
        return self._literal(Role.TEXTS, Sequence(tuple(texts), place.line, place.column))

    def _value(self, found: Any) -> Node:
        if isinstance(found, _Item):
            raise TextError(0, "a list of texts in single quotes, or JSON: not both in one list")
        if not isinstance(found, _Array):
            return found
        items = tuple(map(self._value, found.items))
        place = items[0] if items else self.scalar
        return Sequence(items, place.line, place.column)

    def path(self, token: Token) -> Node:
        return self._literal(Role.PATH, self._scalar(str(token), token.start_pos or 0))

    def number(self, token: Token) -> Node:
        return self._plain(_YAML_NUMBERS.get(str(token), str(token)), token.start_pos or 0)

    def arguments(self, *given: Node) -> tuple[Node, ...]:
        return given

    def call(self, name: Token, given: tuple[Node, ...] | None) -> Node:
        offset, args, called = name.start_pos or 0, given or (), str(name)
        form = self.notation.calls.get(called)
        if form is None:
            raise TextError(offset, f"unknown function {called}(){nearest(called, self.notation.calls)}")
        if len(args) != 1:
            raise TextError(offset, f"{called}() takes one argument, {len(args)} are given")
        if form.part is None:
            return self._operation(form.operation, {}, offset)
        value = self._part(args[0], form.part.how, f"{called}()", offset)
        fixed: dict[str, Node] = {key: self._scalar(text, offset) for key, text in form.fixed.items()}
        return self._operation(form.operation, {**fixed, form.part.argument: value} if form.part.argument else value, offset)

    def method(self, arg: Node, name: Token, given: tuple[Node, ...] | None) -> Node:
        offset, args, called = name.start_pos or 0, given or (), str(name)
        form = self.notation.methods.get(called)
        if form is None:
            raise TextError(offset, f"unknown method .{called}(){nearest(called, self.notation.methods)}")
        flags = [path for path in map(self._path, args[len(form.parts) :]) if path in form.flags]
        _count(form, len(args) - len(flags), offset)
        entries: dict[str, Node] = {key: self._scalar(text, offset) for key, text in form.fixed.items()}
        if form.subject.how is How.PATH and self._path(arg) is None:
            raise TextError(offset, f".{called}() follows the name of a field or related list")
        for part, value in zip((form.subject, *form.parts), (arg, *args), strict=False):
            entries[part.argument] = self._part(value, part.how, f".{called}()", offset)
        return self._operation(form.operation, {**entries, **{flag: self._plain("true", offset) for flag in flags}}, offset)

    def _part(self, node: Node, how: How, what: str, offset: int) -> Node:
        """Return a part of the text as the argument that it is; `what` it is a part of, at an offset."""
        match how:
            case How.OPERAND:
                return node
            case How.INSTANT:
                return self._instant(node)
            case How.NUMBER:
                operation = _operation_of(node)
                return operation[1] if operation and isinstance(operation[1], Scalar) else node
            case How.LISTED:
                texts = self._held(Role.TEXTS, node)
                if texts is None:
                    raise TextError(offset, f"{what} takes a list of texts, ['a', 'b']")
                return texts
            case How.PATH:
                return self._scalar(self._path(node) or "", offset)
            case How.WORD | How.QUOTED:
                text = (self._path(node) if how is How.WORD else None) or self._text(node)
                if text is None:
                    raise TextError(offset, f"{what} takes a text in quotes")
                return self._scalar(text, offset)

    def _held(self, role: Role, node: Node) -> Node | None:
        """Return what a form of the grammar's own holds; None when the node is another one."""
        form, found = self.notation.literals[role], _operation_of(node)
        if found is None or found[0] != form.operation:
            return None
        body = found[1]
        return body.entries[0][1] if form.argument and isinstance(body, Mapping) else body

    def _text(self, node: Node) -> str | None:
        """Return the text of a quoted literal."""
        held = self._held(Role.TEXT, node)
        return held.text if isinstance(held, Scalar) else None

    def _path(self, node: Node) -> str | None:
        """Return the path of a bare name."""
        held = self._held(Role.PATH, node)
        return held.text if isinstance(held, Scalar) else None

    def _instant(self, node: Node) -> Node:
        """Return a quoted literal as the instant or length it is, where only those have a meaning."""
        held = self._held(Role.TEXT, node)
        if not isinstance(held, Scalar):
            return node
        if parse_date_time(held.text) is not None:
            return self._literal(Role.DATE_TIME, held)
        return node if parse_duration(held.text) is None else self._literal(Role.DURATION, held)


@dataclass(frozen=True, slots=True)
class _Item:
    """A text in single quotes in a list."""

    scalar: Scalar


@dataclass(frozen=True, slots=True)
class _Array:
    """A list that has not been taken for a collection or for JSON yet."""

    items: Any


def _wrapped(name: str, value: Node) -> Mapping:
    """Return a mapping of one key, at its value's place."""
    return Mapping(((Scalar(name, False, value.line, value.column), value),), value.line, value.column)


def _count(form: Method, given: int, offset: int) -> None:
    """Refuse too few parts, or too many."""
    least, most = sum(not part.optional for part in form.parts), len(form.parts)
    if not least <= given <= most:
        wanted = f"{least} argument{'' if least == 1 else 's'}" if least == most else f"{least} or {most} arguments"
        also = f", then {', '.join(form.flags)}" if form.flags else ""
        raise TextError(offset, f".{form.name}() takes {wanted}{also}; {given} are given")


def _unquoted(token: Token) -> str:
    text, result, position = str(token)[1:-1], "", 0
    while (escape := text.find("\\", position)) >= 0:
        following = text[escape + 1]
        result += text[position:escape] + _UNESCAPED.get(following, following)
        position = escape + 2
    return result + text[position:]


def _operation_of(node: Node) -> tuple[str, Node] | None:
    if isinstance(node, Mapping) and len(node.entries) == 1:
        key, body = node.entries[0]
        return key.text, body
    return None
