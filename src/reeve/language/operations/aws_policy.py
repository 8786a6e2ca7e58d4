"""AWS_POLICY_ALLOWS, AWS_POLICY_GRANTS, AWS_POLICY_DENIES: what a policy document allows and denies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from reeve.language.arguments import one_of, string, strings
from reeve.language.evaluation import Evaluate, EvaluationError, Gone, Moment, Row
from reeve.language.json_texts import parse_json
from reeve.language.names import Names
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, Reads
from reeve.language.policy_access import widest_level
from reeve.language.policy_documents import LEVELS, Statement, denies, grants, statements
from reeve.language.rows import follow
from reeve.language.types import BOOLEAN, Type
from reeve.language.unread import NotCollected
from reeve.language.values import quoted

ACCOUNT_FIELD = "accountId"
"""The field of an object with the number of its account, by which principals of the same account are known."""


def read_document(path: str, value: Any) -> list[Statement]:
    """Return the statements of a policy document in a field: JSON, or a text that holds it.

    Raises:
        EvaluationError: the field was not collected, or holds no policy document.
    """
    if isinstance(value, NotCollected):
        raise EvaluationError(f"{path} was not collected: {value.reason}")
    try:
        if isinstance(value, str):
            value = parse_json(value) if value.strip() else None
        return statements(value)
    except ValueError as error:
        raise EvaluationError(f"{path} is no policy document: {error}") from None


@dataclass(frozen=True, slots=True)
class AwsPolicyAllows:
    """Whether some statement of a policy document allows one of the actions to a wider level than is acceptable."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "AWS_POLICY_ALLOWS": "Whether a resource's policy document allows an action to a wider level than is acceptable."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "AWS_POLICY_ALLOWS": Example(
            "AWS_POLICY_ALLOWS: {policyExtField: policy, widestAcceptableAccessLevel: AWS_SERVICE, actions: ['s3:GetObject']}",
            {"policy": '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*"}}'},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method(
            "awsPolicyAllows",
            "AWS_POLICY_ALLOWS",
            (Part("widestAcceptableAccessLevel", How.WORD), Part("actions", How.LISTED)),
            Part("policyExtField", How.PATH),
        ),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    policy_ext_field: str = string()
    widest_acceptable_access_level: str = one_of(*LEVELS)
    actions: tuple[str, ...] = strings()
    prefix: str = ""
    gone: Gone = ()

    def text(self) -> str:
        return f"{self.policy_ext_field}.awsPolicyAllows({self.widest_acceptable_access_level}, [{_quoted(self.actions)}])"

    def resolve(self, names: Names) -> Expression | None:
        found = names.field(self.policy_ext_field)
        return found and replace(self, prefix=names.prefix, gone=found[1])

    def reads(self) -> Reads:
        return Reads((self.prefix + self.policy_ext_field, _beside(self.prefix + self.policy_ext_field, ACCOUNT_FIELD)))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        document, account = (follow(path, self.gone) for path in self.reads().fields)
        limit = LEVELS.index(self.widest_acceptable_access_level)

        def allows(row: Row, moment: Moment) -> bool:
            number = account(row)
            own = number if isinstance(number, str) else None
            found = read_document(self.policy_ext_field, document(row))
            try:
                level = widest_level(found, self.actions, own)
            except ValueError as error:
                raise EvaluationError(f"{self.policy_ext_field} is no policy of a resource: {error}") from None
            # Who is a stranger to an unknown account may be of that account; no other level depends on it.
            if isinstance(number, NotCollected) and level == "EXTERNAL_PRINCIPAL" and LEVELS.index(level) > limit:
                raise EvaluationError(f"{ACCOUNT_FIELD} was not collected: {number.reason}")
            return LEVELS.index(level) > limit

        return allows


@dataclass(frozen=True, slots=True)
class AwsPolicyGrants:
    """Whether a policy document allows all of what one of the action patterns says, on all that it works on."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "AWS_POLICY_GRANTS": "Whether an identity's policy document allows one of the action patterns whole, on all resources"
        " or on all of a kind that it may work on."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "AWS_POLICY_GRANTS": Example(
            "AWS_POLICY_GRANTS: {policyExtField: policy, actions: ['*:*']}",
            {
                "policy": '{"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},'
                ' {"Effect": "Allow", "Action": "IAM:*", "Resource": ["*"]}]}'
            },
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method("awsPolicyGrants", "AWS_POLICY_GRANTS", (Part("actions", How.LISTED),), Part("policyExtField", How.PATH)),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    policy_ext_field: str = string()
    actions: tuple[str, ...] = strings()
    prefix: str = ""
    gone: Gone = ()

    def text(self) -> str:
        return f"{self.policy_ext_field}.awsPolicyGrants([{_quoted(self.actions)}])"

    def resolve(self, names: Names) -> Expression | None:
        found = names.field(self.policy_ext_field)
        return found and replace(self, prefix=names.prefix, gone=found[1])

    def reads(self) -> Reads:
        return Reads((self.prefix + self.policy_ext_field,))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read = follow(self.prefix + self.policy_ext_field, self.gone)

        def granted(row: Row, moment: Moment) -> bool:
            document = read_document(self.policy_ext_field, read(row))
            return any(grants(document, action) for action in self.actions)

        return granted


@dataclass(frozen=True, slots=True)
class AwsPolicyDenies:
    """Whether a resource's document denies everyone all of the actions on it, whenever a condition key has a value."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "AWS_POLICY_DENIES": "Whether a resource's policy document denies everyone all of the actions, on the resource and on"
        " what is in it (its ARN and `/*`), whenever a condition key has a value."
    }
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "AWS_POLICY_DENIES": Example(
            "AWS_POLICY_DENIES:\n"
            "  policyExtField: policy\n"
            "  actions: ['s3:*']\n"
            "  resourceField: arn\n"
            "  conditionKey: aws:SecureTransport\n"
            "  conditionValue: 'false'",
            {
                "arn": "arn:aws:s3:::logs",
                "policy": '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",'
                ' "Condition": {"Bool": {"aws:SecureTransport": false}}}}',
            },
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        Method(
            "awsPolicyDenies",
            "AWS_POLICY_DENIES",
            (
                Part("actions", How.LISTED),
                Part("resourceField", How.WORD),
                Part("conditionKey", How.WORD),
                Part("conditionValue", How.WORD),
            ),
            Part("policyExtField", How.PATH),
        ),
    )
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    policy_ext_field: str = string()
    actions: tuple[str, ...] = strings()
    resource_field: str = string()
    condition_key: str = string()
    condition_value: str = string()
    prefix: str = ""
    gone: Gone = ()

    def text(self) -> str:
        where = _quoted((self.resource_field, self.condition_key, self.condition_value))
        return f"{self.policy_ext_field}.awsPolicyDenies([{_quoted(self.actions)}], {where})"

    def resolve(self, names: Names) -> Expression | None:
        found = names.field(self.policy_ext_field)
        return found and replace(self, prefix=names.prefix, gone=found[1])

    def reads(self) -> Reads:
        return Reads((self.prefix + self.policy_ext_field, _beside(self.prefix + self.policy_ext_field, self.resource_field)))

    def evaluator(self, compiler: Compiler) -> Evaluate:
        document, resource = (follow(path, self.gone) for path in self.reads().fields)

        def denied(row: Row, moment: Moment) -> bool:
            arn = resource(row)
            if not isinstance(arn, str) or not arn:
                raise EvaluationError(f"{self.resource_field} is no ARN")
            found = read_document(self.policy_ext_field, document(row))
            return denies(found, self.actions, (arn, f"{arn}/*"), self.condition_key, self.condition_value)

        return denied


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(map(quoted, texts))


def _beside(path: str, name: str) -> str:
    lookups, dot, _ = path.rpartition(".")
    return f"{lookups}{dot}{name}"
