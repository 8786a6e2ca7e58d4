"""Structured texts: JSON_FROM, the four JSON_QUERY operations, ATTRIBUTES_FROM, ATTRIBUTE_VALUE."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, cast

from reeve.language.arguments import ArgumentError, operand, string, undetermined_if
from reeve.language.columns import DEFERRED, Column, Columns, Guard, NotInSqlError, with_checks
from reeve.language.evaluation import Checks, Evaluate, EvaluationError, FiredError, Moment, Row
from reeve.language.json_columns import find, simple_query
from reeve.language.json_texts import parse_json
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
from reeve.language.operations.conversions import invalid_input, is_blank, string_reader
from reeve.language.operations.fields import Extract, Field
from reeve.language.queries import QueryError, compile_query
from reeve.language.types import ATTRIBUTES, BOOLEAN, BYTES, JSON, NUMBER, STRINGS, TEXT, Kind, Type
from reeve.language.value_columns import blank, text_column
from reeve.language.value_columns import emptiness as emptiness_column
from reeve.language.values import Value, WrongTypeError, describe, emptiness, normalise, quoted


@dataclass(frozen=True, slots=True)
class JsonFrom:
    """The Json that a text holds; of an empty text: null."""

    NAMES: ClassVar[Mapping[str, str]] = {"JSON_FROM": "The Json that a text holds; of an empty text: null."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "JSON_FROM": Example(
            "JSON_FROM: {arg: {FIELD: {path: a}}, undeterminedIf: {isInvalid: Not JSON.}}", {"a": '{"b": 1}'}, {"b": 1}
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("asJson", "JSON_FROM"),)
    type: Type = field(default=JSON, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    undetermined_if: Checks = undetermined_if("isEmpty", "isInvalid!")

    def text(self) -> str:
        return f"{inner(self.arg)}.asJson()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = string_reader(self.arg, compiler)
        empty = compiler.declare(self.undetermined_if, "isEmpty", f"{inner(self.arg)}.isEmpty()")
        invalid = compiler.declare(self.undetermined_if, "isInvalid", f"{self.text()}.isInvalid()")

        def convert(row: Row, moment: Moment) -> Value:
            text = read(row, moment)
            if text is None or is_blank(self.arg, text):
                if empty is not None:
                    raise FiredError(empty)
                return None
            try:
                return parse_json(text)
            except ValueError as error:
                raise invalid_input(invalid, f"invalid JSON: {error}", f"invalid JSON: {error}") from None

        return convert

    def column(self, table: Columns) -> Column:
        json = table.json()
        arg = table.column(self.arg)
        text, empty = text_column(table, arg, self.arg.type), blank(table, arg, self.arg.type)
        is_empty, valid = table.share(empty.value), table.share(json.valid(text.value))
        odd = table.share(valid & json.odd(text.value))
        # What is not JSON is null here: an engine would fail at it.
        value = table.cases((is_empty | ~valid, table.literal(None, Kind.TEXT)), otherwise=text.value)
        parsed = empty.then(value, Guard(~is_empty & odd, DEFERRED), nullable=True)
        invalid = ("isInvalid", ~is_empty & ~valid, True)
        return with_checks(parsed, self.undetermined_if, ("isEmpty", is_empty, False), invalid)


_QUERY_TYPES = {
    "JSON_QUERY_TEXT": TEXT,
    "JSON_QUERY_BYTES": BYTES,
    "JSON_QUERY_NUMBER": NUMBER,
    "JSON_QUERY_BOOLEAN": BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class JsonQuery:
    """What a JMESPath expression finds in Json, as one of four types; a null result is null."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "JSON_QUERY_TEXT": "The Text that a JMESPath expression finds in Json.",
        "JSON_QUERY_BYTES": "The Bytes that a JMESPath expression finds in Json.",
        "JSON_QUERY_NUMBER": "The Number that a JMESPath expression finds in Json.",
        "JSON_QUERY_BOOLEAN": "The Boolean that a JMESPath expression finds in Json.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "JSON_QUERY_TEXT": Example(
            "JSON_QUERY_TEXT: {arg: {JSON_FROM: {arg: {FIELD: {path: a}}, "
            "undeterminedIf: {isInvalid: Not JSON.}}}, expression: 'b[0]', "
            "undeterminedIf: {resultTypeMismatch: Another type., evaluationError: It failed.}}",
            {"a": '{"b": ["x"]}'},
            "x",
        ),
        "JSON_QUERY_BYTES": Example(
            "JSON_QUERY_BYTES: {arg: {JSON_FROM: {arg: {FIELD: {path: a}}, "
            "undeterminedIf: {isInvalid: Not JSON.}}}, expression: b, "
            "undeterminedIf: {resultTypeMismatch: Another type., evaluationError: It failed.}}",
            {"a": '{"b": "x"}'},
            "x",
        ),
        "JSON_QUERY_NUMBER": Example(
            "JSON_QUERY_NUMBER: {arg: {JSON_FROM: {arg: {FIELD: {path: a}}, "
            "undeterminedIf: {isInvalid: Not JSON.}}}, expression: length(b), "
            "undeterminedIf: {resultTypeMismatch: Another type., evaluationError: It failed.}}",
            {"a": '{"b": [1, 2]}'},
            2,
        ),
        "JSON_QUERY_BOOLEAN": Example(
            "JSON_QUERY_BOOLEAN: {arg: {JSON_FROM: {arg: {FIELD: {path: a}}, "
            "undeterminedIf: {isInvalid: Not JSON.}}}, expression: b, "
            "undeterminedIf: {resultTypeMismatch: Another type., evaluationError: It failed.}}",
            {"a": '{"b": true}'},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(
            Method(f"jsonQuery{kind}", f"JSON_QUERY_{kind.upper()}", (Part("expression", How.QUOTED),))
            for kind in ("Text", "Bytes", "Number", "Boolean")
        ),
    )
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.JSON)
    expression: str = string()
    undetermined_if: Checks = undetermined_if("resultTypeMismatch!", "evaluationError!", "resultIsEmpty")

    def __post_init__(self) -> None:
        try:
            compile_query(self.expression)
        except ValueError as error:
            raise ArgumentError("expression", "bad-jmespath", str(error)) from None

    @property
    def type(self) -> Type:
        """The type that the operation's name ends with."""
        return _QUERY_TYPES[self.operation]

    def text(self) -> str:
        return f"{inner(self.arg)}.jsonQueryText({quoted(self.expression)})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, arg_type, text = compiler.compile(self.arg), self.arg.type, self.text()
        mismatch = compiler.declare(self.undetermined_if, "resultTypeMismatch", f"{text}.isResultTypeMismatch()")
        failed = compiler.declare(self.undetermined_if, "evaluationError", f"{text}.isEvaluationFailed()")
        empty = compiler.declare(self.undetermined_if, "resultIsEmpty", f"{text}.isEmpty()")
        query, kind, is_empty = compile_query(self.expression), self.type.kind, emptiness(self.type)

        def search(row: Row, moment: Moment) -> Value:
            document = evaluate(row, moment)
            if arg_type.kind is Kind.ANY and isinstance(document, str):
                raise WrongTypeError(f"Json was wanted, {describe(document)} was found")
            try:
                result = query.search(document)
            except QueryError as error:
                raise invalid_input(failed, f"the query failed: {error}", f"the query failed: {error}") from None
            if result is not None and not _fits(kind, result):
                raise invalid_input(mismatch, f"the query gave {describe(result)}, not {kind}")
            if empty is not None and is_empty(result):
                raise FiredError(empty)
            return result

        return search

    def column(self, table: Columns) -> Column:
        json, query = table.json(), simple_query(compile_query(self.expression).parsed)
        arg = table.column(self.arg)
        document, written = table.share(arg.value), source_of(self.arg)
        if not isinstance(written, Field):
            # A snapshot's JSON says each member once; other texts may not.
            if not isinstance(query.source, tuple):
                raise NotInSqlError
            objects = [query.source[:n] for n, step in enumerate(query.source) if isinstance(step, str)]
            arg = arg.then(document, *(Guard(json.repeats(document, path), DEFERRED) for path in objects))
        found = find(table, json, document, query, self.type.kind)
        value = Column(table.share(found.value), (*arg.guards, *found.guards), arg.declared)
        empty = emptiness_column(table, value, self.type) if "resultIsEmpty" in self.undetermined_if else None
        failed = table.literal(False, Kind.BOOLEAN) if found.failed is None else found.failed
        checks = [("resultTypeMismatch", found.mismatch, True), ("evaluationError", failed, True)]
        if empty is not None:
            value = empty.then(value.value, nullable=True)
            checks.append(("resultIsEmpty", empty.value, False))
        return with_checks(replace(value, nullable=True), self.undetermined_if, *checks)


def source_of(expression: Expression) -> Expression:
    """Return the expression that an extract stands for, or the expression itself."""
    return source_of(expression.body) if isinstance(expression, Extract) else expression


def _fits(kind: Kind, result: Value) -> bool:
    if kind is Kind.NUMBER:
        return isinstance(result, (int, float)) and not isinstance(result, bool)
    return isinstance(result, bool if kind is Kind.BOOLEAN else str)


@dataclass(frozen=True, slots=True)
class AttributesFrom:
    """The attributes in a text of lines `key: value`; of null: null."""

    NAMES: ClassVar[Mapping[str, str]] = {"ATTRIBUTES_FROM": "The attributes in a text of lines `key: value`; of null: null."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "ATTRIBUTES_FROM": Example("ATTRIBUTES_FROM: {arg: {FIELD: {path: a}}}", {"a": "port: 22"}, (("port", "22"),)),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("asAttributes", "ATTRIBUTES_FROM"),)
    type: Type = field(default=ATTRIBUTES, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*STRINGS)
    undetermined_if: Checks = undetermined_if("isEmpty!", optional=True)

    def text(self) -> str:
        return f"{inner(self.arg)}.asAttributes()"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = string_reader(self.arg, compiler)
        empty = compiler.declare(self.undetermined_if, "isEmpty", f"{inner(self.arg)}.isEmpty()")

        def convert(row: Row, moment: Moment) -> tuple[tuple[str, str], ...] | None:
            text = read(row, moment)
            if empty is not None and is_blank(self.arg, text):
                raise FiredError(empty)
            return None if text is None else tuple(_attributes(text))

        return convert


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip():
            yield key.strip(), value.strip()


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """The value of an attribute; null when there is none."""

    NAMES: ClassVar[Mapping[str, str]] = {"ATTRIBUTE_VALUE": "The value of an attribute; null when there is none."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "ATTRIBUTE_VALUE": Example(
            "ATTRIBUTE_VALUE: {arg: {ATTRIBUTES_FROM: {arg: {FIELD: {path: a}}}}, key: {TEXT: Port}, "
            "undeterminedIf: {duplicateKey: Twice.}}",
            {"a": "port: 22"},
            "22",
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("attribute", "ATTRIBUTE_VALUE", (Part("key"),)),)
    type: Type = field(default=TEXT, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.ATTRIBUTES)
    key: Expression = operand(*STRINGS)
    undetermined_if: Checks = undetermined_if("keyNotFound", "duplicateKey!", "valueIsEmpty")

    def text(self) -> str:
        return f"{inner(self.arg)}.attribute({self.key.text()})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, read_key, text = compiler.compile(self.arg), string_reader(self.key, compiler), self.text()
        not_found = compiler.declare(self.undetermined_if, "keyNotFound", f"{text}.isKeyNotFound()")
        duplicate = compiler.declare(self.undetermined_if, "duplicateKey", f"{text}.isDuplicateKey()")
        empty = compiler.declare(self.undetermined_if, "valueIsEmpty", f"{text}.isEmpty()")
        exact = self.key.type.kind is Kind.BYTES

        def find(row: Row, moment: Moment) -> str | None:
            attributes, key = evaluate(row, moment), read_key(row, moment) or ""
            if attributes is not None and not isinstance(attributes, tuple):
                raise WrongTypeError(f"Attributes were wanted, {describe(attributes)} was found")
            pairs = cast("tuple[tuple[str, str], ...]", attributes or ())
            found = [value for name, value in pairs if _same_key(name, key, exact)]
            if not found and not_found is not None:
                raise FiredError(not_found)
            if len(found) > 1:
                raise FiredError(duplicate) if duplicate else EvaluationError(f"the key {key!r} stands twice")
            value = found[0] if found else None
            if empty is not None and not normalise(value or ""):
                raise FiredError(empty)
            return value

        return find


def _same_key(name: str, key: str, exact: bool) -> bool:
    return name == key if exact else normalise(name) == normalise(key)
