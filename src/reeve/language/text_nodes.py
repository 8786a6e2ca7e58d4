"""Builds the nodes of a condition's YAML form from the grammar's tree of its text."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lark import Token, Transformer
from lark import v_args as _untyped_v_args  # pyright: ignore[reportUnknownVariableType]

from reeve.language.errors import nearest
from reeve.language.json_texts import NotJsonError, parse_json
from reeve.language.source import Mapping, Node, Scalar, Sequence
from reeve.language.values import parse_date_time, parse_duration

v_args: Any = _untyped_v_args  # pyright: ignore[reportUnknownVariableType]

_COMPARISONS = {
    "==": "IS_EQUAL",
    "!=": "NOT_EQUAL",
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_EQUAL",
    "<": "LESS_THAN",
    "<=": "LESS_THAN_EQUAL",
}
_YAML_NUMBERS = {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}

# Methods by name: the operation, and its arguments' names after `arg`.
_OPERANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "isEmpty": ("IS_EMPTY", ()),
    "isNotEmpty": ("NOT_EMPTY", ()),
    "contains": ("CONTAINS", ("search",)),
    "startsWith": ("STARTS_WITH", ("search",)),
    "endsWith": ("ENDS_WITH", ("search",)),
    "containsAll": ("CONTAINS_ALL", ("search",)),
    "containsAny": ("CONTAINS_ANY", ("search",)),
    "matches": ("REGEX_MATCHES", ("regex",)),
    "cover": ("CIDRS_COVER", ("search",)),
    "beforeToday": ("IS_BEFORE_TODAY", ()),
    "afterToday": ("IS_AFTER_TODAY", ()),
    "durationSince": ("DURATION_SINCE", ()),
    "durationUntil": ("DURATION_UNTIL", ()),
    "asJson": ("JSON_FROM", ()),
    "asAttributes": ("ATTRIBUTES_FROM", ()),
    "attribute": ("ATTRIBUTE_VALUE", ("key",)),
    "size": ("SIZE", ()),
}
# Methods whose one argument is a plain text or number, not an operation.
_PLAIN: dict[str, tuple[str, str]] = {
    "beyondLastDays": ("IS_BEYOND_LAST_DAYS", "offsetDays"),
    "withinLastDays": ("IS_WITHIN_LAST_DAYS", "offsetDays"),
    "beyondNextDays": ("IS_BEYOND_NEXT_DAYS", "offsetDays"),
    "withinNextDays": ("IS_WITHIN_NEXT_DAYS", "offsetDays"),
    "jsonQueryText": ("JSON_QUERY_TEXT", "expression"),
    "jsonQueryBytes": ("JSON_QUERY_BYTES", "expression"),
    "jsonQueryNumber": ("JSON_QUERY_NUMBER", "expression"),
    "jsonQueryBoolean": ("JSON_QUERY_BOOLEAN", "expression"),
    "asSetOfText": ("SET_FROM", "separator"),
    "asSetOfBytes": ("SET_FROM", "separator"),
    "asListOfText": ("LIST_FROM", "separator"),
    "asListOfBytes": ("LIST_FROM", "separator"),
    "gcpLoggingQueryMatch": ("GCP_LOGGING_QUERY_MATCH", "value"),
    "logFilterMatches": ("AWS_LOG_FILTER_MATCHES", "events"),
    "trailRecords": ("AWS_TRAIL_RECORDS", "events"),
    "admitsInternet": ("ADMITS_INTERNET", "ports"),
    "admitsIpv4Internet": ("ADMITS_IPV4_INTERNET", "ports"),
    "admitsIpv6Internet": ("ADMITS_IPV6_INTERNET", "ports"),
}
_SECOND = {"logFilterMatches": "account"}
"""An operand that may follow that argument."""
_RELATED = {"has": "RELATED_LIST_HAS", "hasNo": "RELATED_LIST_HAS_NO", "count": "RELATED_LIST_COUNT"}
_TAGS = {
    "hasInexact": "TAG_EXISTS",
    "hasExact": "TAG_EXISTS",
    "getInexact": "TAG_VALUE_TEXT",
    "getExact": "TAG_VALUE_BYTES",
}
_ITEMS = {f"{shape}Of{item}": (shape.upper(), item.upper()) for shape in ("set", "list") for item in ("Text", "Bytes")}
_POLICIES = {
    "awsPolicyAllows": ("AWS_POLICY_ALLOWS", ("widestAcceptableAccessLevel", "actions")),
    "awsPolicyGrants": ("AWS_POLICY_GRANTS", ("actions",)),
    "awsPolicyDenies": ("AWS_POLICY_DENIES", ("actions", "resourceField", "conditionKey", "conditionValue")),
}
METHODS = (*_OPERANDS, *_PLAIN, *_RELATED, *_TAGS, *_POLICIES, "between", "asBoolean", "asDateTime", "asDuration")
CALLS = (*_ITEMS, "extract", "bytes", "number", "not", "isEmptyLookup", "notEmptyLookup", "isDisappeared")
_ENDS = ("exclusiveFrom", "exclusiveTo")


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


def nodes_of(scalar: Scalar, tree: Any) -> Node:
    """Return the nodes of a condition's text.

    Args:
        scalar: the text as it stands in its file.
        tree: the text as the grammar reads it.

    Raises:
        TextError: the text says something that no operation does; it may stand inside an error of the grammar's library.
    """
    transformer: Any = _Nodes(scalar)
    return transformer.transform(tree)


@v_args(inline=True)
class _Nodes(Transformer[Token, Any]):
    """Builds nodes from the grammar's tree."""

    def __init__(self, scalar: Scalar):
        super().__init__()
        self.scalar = scalar

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
        return self._junction("OR", args)

    def and_(self, *args: Node) -> Node:
        return self._junction("AND", args)

    def _junction(self, name: str, args: tuple[Node, ...]) -> Node:
        first = args[0]
        sequence = Sequence(args, first.line, first.column)
        key = Scalar(name, False, first.line, first.column)
        body = Mapping(((Scalar("args", False, first.line, first.column), sequence),), first.line, first.column)
        return Mapping(((key, body),), first.line, first.column)

    def compare(self, left: Node, symbol: Token, right: Node) -> Node:
        name = _COMPARISONS[str(symbol)]
        if name not in ("IS_EQUAL", "NOT_EQUAL"):
            left, right = _instant(left), _instant(right)
        return self._operation(name, {"left": left, "right": right}, symbol.start_pos or 0)

    def text(self, token: Token) -> Node:
        return self._operation("TEXT", self._scalar(_unquoted(token), token.start_pos or 0), token.start_pos or 0)

    def true(self, token: Token) -> Node:
        return self._operation("BOOLEAN", self._plain("true", token.start_pos or 0), token.start_pos or 0)

    def false(self, token: Token) -> Node:
        return self._operation("BOOLEAN", self._plain("false", token.start_pos or 0), token.start_pos or 0)

    def json(self, value: Node) -> Node:
        return self._wrapped("JSON", value)

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
            return self._wrapped("JSON", self._value(found))
        place = texts[0] if texts else self.scalar
        key = Scalar("items", False, place.line, place.column)
        inside = Sequence(tuple(texts), place.line, place.column)
        return self._wrapped("COLLECTION", Mapping(((key, inside),), place.line, place.column))

    def _value(self, found: Any) -> Node:
        if isinstance(found, _Item):
            raise TextError(0, "a list of texts in single quotes, or JSON: not both in one list")
        if not isinstance(found, _Array):
            return found
        items = tuple(map(self._value, found.items))
        place = items[0] if items else self.scalar
        return Sequence(items, place.line, place.column)

    def _wrapped(self, name: str, body: Node) -> Node:
        return Mapping(((Scalar(name, False, body.line, body.column), body),), body.line, body.column)

    def path(self, token: Token) -> Node:
        offset = token.start_pos or 0
        return self._operation("FIELD", {"path": self._scalar(str(token), offset)}, offset)

    def number(self, token: Token) -> Node:
        return self._plain(_YAML_NUMBERS.get(str(token), str(token)), token.start_pos or 0)

    def arguments(self, *given: Node) -> tuple[Node, ...]:
        return given

    def call(self, name: Token, given: tuple[Node, ...] | None) -> Node:
        offset, args = name.start_pos or 0, given or ()
        called = str(name)
        if called not in CALLS:
            raise TextError(offset, f"unknown function {called}(){nearest(called, CALLS)}")
        if len(args) != 1:
            raise TextError(offset, f"{called}() takes one argument, {len(args)} are given")
        arg = args[0]
        if called in _ITEMS:
            operation, item = _ITEMS[called]
            texts = _texts(arg)
            if texts is None:
                raise TextError(offset, f"{called}() takes a list of texts, ['a', 'b']")
            return self._operation(operation, {"itemType": self._scalar(item, offset), "items": texts}, offset)
        if called == "not":
            return self._operation("NOT", {"arg": arg}, offset)
        if called == "number":
            number = arg if isinstance(arg, Scalar) else _operation_of(arg)
            return self._operation("NUMBER", number[1] if isinstance(number, tuple) else number or arg, offset)
        if called == "isDisappeared":
            return self._operation("IS_DISAPPEARED", {}, offset)
        return self._text_call(called, self._plain_text(arg, f"{called}()", offset), offset)

    def _text_call(self, called: str, text: str, offset: int) -> Node:
        names = {
            "extract": "EXTRACT",
            "bytes": "BYTES",
            "isEmptyLookup": "IS_EMPTY_LOOKUP",
            "notEmptyLookup": "NOT_EMPTY_LOOKUP",
        }
        return self._operation(names[called], self._scalar(text, offset), offset)

    def _plain_text(self, node: Node, what: str, offset: int) -> str:
        text = _literal(node)
        if text is None:
            raise TextError(offset, f"{what} takes a text in quotes")
        return text

    def method(self, arg: Node, name: Token, given: tuple[Node, ...] | None) -> Node:
        offset, args, called = name.start_pos or 0, given or (), str(name)
        for build in (self._operand_method, self._plain_method, self._path_method, self._between, self._conversion):
            built = build(arg, called, args, offset)
            if built is not None:
                return built
        raise TextError(offset, f"unknown method .{called}(){nearest(called, METHODS)}")

    def _operand_method(self, arg: Node, called: str, args: tuple[Node, ...], offset: int) -> Node | None:
        if called not in _OPERANDS:
            return None
        operation, names = _OPERANDS[called]
        _count(called, args, len(names), offset)
        convert: Callable[[Node], Node] = _instant if called in ("beforeToday", "afterToday") else _same
        entries = {"arg": convert(arg), **{key: convert(value) for key, value in zip(names, args, strict=True)}}
        return self._operation(operation, entries, offset)

    def _between(self, arg: Node, called: str, args: tuple[Node, ...], offset: int) -> Node | None:
        if called != "between":
            return None
        ends = [_path(one) for one in args[2:]]
        if len(args) < 2 or ends not in ([], [_ENDS[0]], [_ENDS[1]], list(_ENDS)):
            raise TextError(offset, ".between() takes two numbers, then exclusiveFrom, exclusiveTo")
        entries = {"arg": arg, "rangeFrom": args[0], "rangeTo": args[1]}
        return self._operation("BETWEEN", {**entries, **{str(end): self._plain("true", offset) for end in ends}}, offset)

    def _plain_method(self, arg: Node, called: str, args: tuple[Node, ...], offset: int) -> Node | None:
        if called not in _PLAIN:
            return None
        operation, key = _PLAIN[called]
        second = {_SECOND[called]: args[1]} if called in _SECOND and len(args) == 2 else {}
        _count(called, args[: len(args) - len(second)], 1, offset)
        days = key == "offsetDays"
        number = _operation_of(args[0])
        value = (
            (number[1] if number and number[0] == "JSON" else args[0])
            if days
            else self._scalar(self._plain_text(args[0], f".{called}()", offset), offset)
        )
        return self._operation(operation, {"arg": _instant(arg) if days else arg, key: value, **second}, offset)

    def _path_method(self, arg: Node, called: str, args: tuple[Node, ...], offset: int) -> Node | None:
        if called not in (*_RELATED, *_TAGS, *_POLICIES):
            return None
        path = _path(arg)
        if path is None:
            raise TextError(offset, f".{called}() follows the name of a field or related list")
        if called in _TAGS:
            _count(called, args, 1, offset)
            return self._operation(_TAGS[called], {"name": args[0], "tagsJson": self._scalar(path, offset)}, offset)
        words = [_path(word) or "" for word in args[:1]]
        if called in _RELATED:
            _count(called, args, 1, offset)
            entries: dict[str, Node] = {"status": self._scalar(words[0], offset)}
            return self._operation(_RELATED[called], {**entries, "relationshipName": self._scalar(path, offset)}, offset)
        operation, names = _POLICIES[called]
        _count(called, args, len(names), offset)
        entries = {"policyExtField": self._scalar(path, offset)}
        for name, value in zip(names, args, strict=True):
            plain = name != "actions"
            entries[name] = (
                self._scalar(_path(value) or self._plain_text(value, f".{called}()", offset), offset)
                if plain
                else _texts(value) or value
            )
        return self._operation(operation, entries, offset)

    def _conversion(self, arg: Node, called: str, args: tuple[Node, ...], offset: int) -> Node | None:
        entries: dict[str, Node] = {"arg": arg}
        if called == "asBoolean":
            if args:
                _count(called, args, 1, offset)
                entries["trueValue"] = self._scalar(self._plain_text(args[0], ".asBoolean()", offset), offset)
            return self._operation("BOOLEAN_FROM", entries, offset)
        if called in ("asDateTime", "asDuration"):
            _count(called, args, 0, offset)
            entries["format"] = self._scalar("ISO_8601", offset)
            return self._operation("DATE_TIME_FROM" if called == "asDateTime" else "DURATION_FROM", entries, offset)
        return None


@dataclass(frozen=True, slots=True)
class _Item:
    """A text in single quotes in a list."""

    scalar: Scalar


@dataclass(frozen=True, slots=True)
class _Array:
    """A list that has not been taken for a collection or for JSON yet."""

    items: Any


def _same(node: Node) -> Node:
    return node


def _count(called: str, args: tuple[Node, ...], wanted: int, offset: int) -> None:
    if len(args) != wanted:
        raise TextError(offset, f".{called}() takes {wanted} argument{'' if wanted == 1 else 's'}, {len(args)} are given")


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


def _texts(node: Node) -> Node | None:
    """Return the items of a list of texts in single quotes."""
    operation = _operation_of(node)
    if operation and operation[0] == "COLLECTION" and isinstance(operation[1], Mapping):
        return operation[1].entries[0][1]
    return None


def _literal(node: Node) -> str | None:
    """Return the text of a quoted literal."""
    operation = _operation_of(node)
    return operation[1].text if operation and operation[0] == "TEXT" and isinstance(operation[1], Scalar) else None


def _path(node: Node) -> str | None:
    """Return the path of a bare name."""
    operation = _operation_of(node)
    if operation and operation[0] == "FIELD" and isinstance(operation[1], Mapping):
        value = operation[1].entries[0][1]
        return value.text if isinstance(value, Scalar) else None
    return None


def _instant(node: Node) -> Node:
    """Return a quoted literal as the DATE_TIME or DURATION it is, where only those have a meaning."""
    text = _literal(node)
    operation = _operation_of(node)
    if text is None or operation is None or not isinstance(node, Mapping):
        return node
    name = "DATE_TIME" if parse_date_time(text) is not None else "DURATION" if parse_duration(text) is not None else "TEXT"
    key = node.entries[0][0]
    return Mapping(((Scalar(name, False, key.line, key.column), operation[1]),), node.line, node.column)
