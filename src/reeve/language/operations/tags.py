"""TAG_EXISTS, TAG_VALUE_TEXT, TAG_VALUE_BYTES: the object's tags, a JSON object kept as a text."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from reeve.language.arguments import operand, string
from reeve.language.evaluation import Evaluate, EvaluationError, Gone, Moment, Row
from reeve.language.json_texts import parse_json
from reeve.language.names import Names
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, Reads
from reeve.language.operations.conversions import string_reader
from reeve.language.rows import follow
from reeve.language.types import ANY, BOOLEAN, BYTES, STRINGS, TEXT, Kind, Type
from reeve.language.unread import NotCollected
from reeve.language.values import WrongTypeError, describe, json_text

DEFAULT_TAGS = "CA10__tagsJson__c"
"""The field with the tags, where neither an operation nor a type says another one."""
_TYPES = {"TAG_EXISTS": BOOLEAN, "TAG_VALUE_TEXT": TEXT, "TAG_VALUE_BYTES": BYTES}


def letters_and_digits(name: str) -> str:
    """Return a tag name as the inexact search compares it: letters and digits only, in lower case."""
    return "".join(character for character in name if character.isalnum()).lower()


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


@dataclass(frozen=True, slots=True)
class Tag:
    """Whether the object has a tag, or the tag's value: by the exact name (Bytes), or by its letters and digits (Text)."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "TAG_EXISTS": "Whether the object has a tag of a name.",
        "TAG_VALUE_TEXT": "The value of the object's tag of a name, as Text; null when there is none.",
        "TAG_VALUE_BYTES": "The value of the object's tag of a name, as Bytes; null when there is none.",
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "TAG_EXISTS": Example(
            "TAG_EXISTS: {name: {TEXT: cost center}, tagsJson: tags}", {"tags": '{"Cost-Center": "7"}'}, True
        ),
        "TAG_VALUE_TEXT": Example(
            "TAG_VALUE_TEXT: {name: {TEXT: cost center}, tagsJson: tags}", {"tags": '{"Cost-Center": "7"}'}, "7"
        ),
        "TAG_VALUE_BYTES": Example(
            "TAG_VALUE_BYTES: {name: {BYTES: Env}, tagsJson: tags}", {"tags": '{"Env": "prod"}'}, "prod"
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(
            Method(method, name, (Part("name"),), Part("tagsJson", How.PATH))
            for method, name in (
                ("hasInexact", "TAG_EXISTS"),
                ("hasExact", "TAG_EXISTS"),
                ("getInexact", "TAG_VALUE_TEXT"),
                ("getExact", "TAG_VALUE_BYTES"),
            )
        ),
    )
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    name: Expression = operand(*STRINGS)
    tags_json: str = string(default="")
    prefix: str = ""
    gone: Gone = ()

    @property
    def type(self) -> Type:
        """Boolean, Text or Bytes, as the operation's name says."""
        return _TYPES[self.operation]

    def text(self) -> str:
        exact = self.name.type.kind is Kind.BYTES
        verb = "has" if self.operation == "TAG_EXISTS" else "get"
        return f"{self.tags_json}.{verb}{'Exact' if exact else 'Inexact'}({self.name.text()})"

    def resolve(self, names: Names) -> Expression | None:
        path = self.tags_json or names.scope.object_type.tags_field or DEFAULT_TAGS
        found = names.field(path) if self.tags_json else (ANY, names.scope.gone)
        return found and replace(self, tags_json=path, prefix=names.prefix, gone=found[1])

    def reads(self) -> Reads:
        return Reads((self.prefix + self.tags_json,))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read_name, read = string_reader(self.name, compiler), follow(self.prefix + self.tags_json, self.gone)
        exact, exists = self.name.type.kind is Kind.BYTES, self.operation == "TAG_EXISTS"

        def find(row: Row, moment: Moment) -> bool | str | None:
            name = read_name(row, moment) or ""
            tags = self._tags(read(row))
            if exact:
                found = name in tags
                return found if exists else (_value(tags[name]) if found else None)
            wanted = letters_and_digits(name)
            matches = [value for key, value in tags.items() if letters_and_digits(key) == wanted]
            return bool(matches) if exists else (_value(matches[0]) if matches else None)

        return find

    def _tags(self, value: Any) -> dict[str, Any]:
        if isinstance(value, NotCollected):
            raise EvaluationError(f"{self.tags_json} was not collected: {value.reason}")
        if isinstance(value, str):
            try:
                value = parse_json(value) if value.strip() else None
            except ValueError as error:
                raise EvaluationError(f"{self.tags_json}: invalid JSON: {error}") from None
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise WrongTypeError(f"{self.tags_json}: tags as a JSON object were wanted, {describe(value)} was found")
        return cast("dict[str, Any]", value)
