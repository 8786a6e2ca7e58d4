"""AWS_POLICY_ALLOWS: how wide the access is that a resource's policy document grants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, ClassVar, cast

from reeve.language.columns import Column, Columns, NotInSqlError
from reeve.language.operations.base import (
    Compiler,
    Evaluate,
    EvaluationError,
    Moment,
    NotCollected,
    Precedence,
    Row,
    one_of,
    string,
    strings,
)
from reeve.language.operations.documents import parse_json
from reeve.language.operations.fields import follow
from reeve.language.types import BOOLEAN, Type
from reeve.language.values import describe, quoted

LEVELS = (
    "NOBODY",
    "SAME_ACCOUNT",
    "SAME_ORG",
    "TRUSTED_PRINCIPAL",
    "AWS_SERVICE",
    "EXTERNAL_PRINCIPAL",
    "ANONYMOUS_PRINCIPAL",
)
"""Access levels from narrow to wide."""


def several(value: Any) -> list[Any]:
    """Return a policy element that may be one value or a list of them as a list."""
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _matches(action: str, patterns: Iterable[Any]) -> bool:
    return any(
        fnmatchcase(action.lower(), str(pattern).lower()) or fnmatchcase(str(pattern).lower(), action.lower())
        for pattern in patterns
    )


def allows_action(statement: Mapping[str, Any], actions: Iterable[str]) -> bool:
    """Return whether a statement covers one of the actions, by `Action` or by everything but its `NotAction`."""
    if "NotAction" in statement:
        excluded = several(statement["NotAction"])
        return any(not any(fnmatchcase(a.lower(), str(p).lower()) for p in excluded) for a in actions)
    return any(_matches(action, several(statement.get("Action"))) for action in actions)


def access_level(statement: Mapping[str, Any]) -> str:
    """Return the widest level of the principals that a statement names; what the document alone can tell."""
    if "NotPrincipal" in statement:
        return "ANONYMOUS_PRINCIPAL"
    principal = statement.get("Principal")
    if principal is None:
        return "NOBODY"
    if principal == "*":
        return "ANONYMOUS_PRINCIPAL"
    if not isinstance(principal, Mapping):
        return "EXTERNAL_PRINCIPAL"
    widest = "NOBODY"
    for kind, names in cast("Mapping[str, Any]", principal).items():
        for name in several(names):
            level = "ANONYMOUS_PRINCIPAL" if name == "*" else "EXTERNAL_PRINCIPAL"
            level = "AWS_SERVICE" if kind == "Service" and name != "*" else level
            widest = max(widest, level, key=LEVELS.index)
    return widest


@dataclass(frozen=True, slots=True)
class AwsPolicyAllows:
    """Whether some statement of a policy document allows one of the actions to a wider level than is acceptable."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "AWS_POLICY_ALLOWS": "Whether a policy document allows an action to a wider level than is acceptable."
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    policy_ext_field: str = string()
    widest_acceptable_access_level: str = one_of(*LEVELS)
    actions: tuple[str, ...] = strings()
    prefix: str = ""

    def text(self) -> str:
        actions = ", ".join(map(quoted, self.actions))
        return f"{self.policy_ext_field}.awsPolicyAllows({self.widest_acceptable_access_level}, [{actions}])"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        read, limit = follow(self.prefix + self.policy_ext_field), LEVELS.index(self.widest_acceptable_access_level)

        def allows(row: Row, moment: Moment) -> bool:
            return any(
                statement.get("Effect") == "Allow"
                and LEVELS.index(access_level(statement)) > limit
                and allows_action(statement, self.actions)
                for statement in self._statements(read(row))
            )

        return allows

    def _statements(self, value: Any) -> list[Mapping[str, Any]]:
        if isinstance(value, NotCollected):
            raise EvaluationError(f"{self.policy_ext_field} was not collected: {value.reason}")
        if isinstance(value, str):
            try:
                value = parse_json(value) if value.strip() else None
            except ValueError as error:
                raise EvaluationError(f"{self.policy_ext_field}: invalid JSON: {error}") from None
        if value is None:
            return []
        statements = several(cast("Mapping[str, Any]", value).get("Statement")) if isinstance(value, Mapping) else [value]
        if not all(isinstance(statement, Mapping) for statement in statements):
            raise EvaluationError(f"{self.policy_ext_field}: {describe(value)} is no policy document")
        return cast("list[Mapping[str, Any]]", statements)

    def column(self, table: Columns) -> Column:
        raise NotInSqlError
