"""What AWS policy documents mean: patterns that cover patterns, statements that allow or deny, how wide the access is.

Source: the IAM User Guide, *Policy evaluation logic* and *IAM JSON policy elements reference*. Nothing here asks AWS; what a
document alone can't tell (service control policies, boundaries, the policies of the other side) is left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import re2  # pyright: ignore[reportMissingTypeStubs]

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

EVERYTHING = tuple(f"arn:{partition}:*:*:*:*" for partition in ("aws", "aws-cn", "aws-us-gov"))
"""All resources, by partition: an account is in one of them."""

_ORGANISATION_KEYS = (
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:resourceorgid",
)
_ACCOUNT_KEYS = ("aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "kms:calleraccount")
_ARN_KEYS = ("aws:principalarn", "aws:sourcearn")
_NETWORK_KEYS = ("aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "s3:dataaccesspointaccount")
_POSITIVE = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
_NEGATIVE = ("stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike", "notipaddress")


def several(value: Any) -> list[Any]:
    """Return a policy element that may be one value or a list of them as a list."""
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


# Patterns ------------------------------------------------------------------------------------------------------------


_re2: Any = re2  # it has no stubs


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> Any:
    # A star of the covered pattern stands in its text as itself: only a star may take it up, a question mark may not.
    parts: dict[str, str] = {"*": ".*", "?": "[^*]"}
    return _re2.compile("(?s)" + "".join(parts.get(letter) or str(_re2.escape(letter)) for letter in pattern))


def covers(pattern: str, wanted: str) -> bool:
    """Return whether a pattern (`*`, `?`) matches all that another one matches; never true where it is not so."""
    return _expression(pattern).fullmatch(wanted) is not None


def overlaps(one: str, other: str) -> bool:
    """Return whether some text matches both patterns."""
    row = [True] + [False] * len(other)
    for column, letter in enumerate(other, start=1):
        row[column] = letter == "*" and row[column - 1]
    for mine in one:
        above, row = row, [mine == "*" and row[0]]
        for column, theirs in enumerate(other, start=1):
            if mine == "*" or theirs == "*":
                row.append(above[column] or row[column - 1])
            else:
                row.append(above[column - 1] and (mine == theirs or "?" in (mine, theirs)))
    return row[-1]


def _texts(value: Any, lower: bool) -> list[str]:
    return [str(item).lower() if lower else str(item) for item in several(value)]


# Statements ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a document; actions in lower case, as IAM compares them.

    `actions` are those of `Action` (or of `NotAction`, when `not_actions`), `resources` likewise; None when there is neither.
    """

    allows: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...] | None
    not_resources: bool
    principal: Any
    not_principal: Any
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def covers_action(self, wanted: str) -> bool:
        """Return whether the statement is about all actions of a pattern."""
        if self.not_actions:
            return not any(overlaps(pattern, wanted) for pattern in self.actions)
        return any(covers(pattern, wanted) for pattern in self.actions)

    def touches_action(self, wanted: str) -> bool:
        """Return whether the statement is about some action of a pattern."""
        if self.not_actions:
            return not any(covers(pattern, wanted) for pattern in self.actions)
        return any(overlaps(pattern, wanted) for pattern in self.actions)

    def covers_resource(self, wanted: str) -> bool:
        """Return whether the statement is about all resources of a pattern."""
        if self.resources is None:
            return True
        if self.not_resources:
            return not any(overlaps(pattern, wanted) for pattern in self.resources)
        return any(covers(pattern, wanted) for pattern in self.resources)

    def is_about_everything(self) -> bool:
        """Return whether the statement is about all resources, or, by `NotResource`, all but some."""
        return self.not_resources or any(self.covers_resource(wanted) for wanted in EVERYTHING)

    def is_for_everyone(self) -> bool:
        """Return whether the statement is about every principal."""
        principal: Any = self.principal
        if isinstance(principal, Mapping):
            return "*" in several(cast("Mapping[str, Any]", principal).get("AWS"))
        return principal == "*"


def statements(document: Any) -> list[Statement]:
    """Return the statements of a policy document, as it was parsed from JSON.

    Raises:
        ValueError: it is no policy document; the message says why.
    """
    if document is None:
        return []
    if not isinstance(document, Mapping):
        raise ValueError("a policy document is an object")  # noqa: TRY004 - to callers any wrong document is one thing
    return [_statement(one) for one in several(cast("Mapping[str, Any]", document).get("Statement"))]


def _statement(raw: Any) -> Statement:
    if not isinstance(raw, Mapping):
        raise ValueError("a statement is an object")  # noqa: TRY004
    one = cast("Mapping[str, Any]", raw)
    resources = one.get("NotResource", one.get("Resource"))
    return Statement(
        allows=one.get("Effect") == "Allow",
        actions=tuple(_texts(one.get("NotAction", one.get("Action")), lower=True)),
        not_actions="NotAction" in one,
        resources=None if resources is None else tuple(_texts(resources, lower=False)),
        not_resources="NotResource" in one,
        principal=one.get("Principal"),
        not_principal=one.get("NotPrincipal"),
        conditions=tuple(_conditions(one.get("Condition"))),
    )


def _conditions(condition: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if condition is None:
        return
    if not isinstance(condition, Mapping):
        raise ValueError("a condition is an object")  # noqa: TRY004
    for operator, keys in cast("Mapping[str, Any]", condition).items():
        if not isinstance(keys, Mapping):
            raise ValueError("a condition's operator has an object of keys")  # noqa: TRY004
        for key, values in cast("Mapping[str, Any]", keys).items():
            texts = (str(v).lower() if isinstance(v, bool) else str(v) for v in several(values))
            yield operator.lower(), str(key).lower(), tuple(texts)


# What documents of identities grant ----------------------------------------------------------------------------------


def grants(document: Sequence[Statement], action: str) -> bool:
    """Return whether a document allows all actions of a pattern on all resources, in some circumstances.

    A condition narrows when, not what: such a statement counts. So does one with `NotResource`, which is about all but some.
    `Deny` takes the grant away if it is about all of these actions and all resources, in all circumstances.
    """
    wanted = action.lower()
    for one in document:
        if not one.allows and not one.conditions and one.covers_action(wanted) and one.is_about_everything():
            return False
    open_ = {wanted}
    for one in document:
        if one.allows and one.is_about_everything():
            open_ = {left for pattern in open_ for left in _left_open(one, pattern)}
    return not open_


def _left_open(one: Statement, wanted: str) -> Iterable[str]:
    """Return what an allowing statement leaves of a pattern of actions."""
    if one.covers_action(wanted):
        return ()
    if not one.not_actions or any(covers(pattern, wanted) for pattern in one.actions):
        return (wanted,)
    return [pattern if covers(wanted, pattern) else wanted for pattern in one.actions if overlaps(pattern, wanted)]


# What documents of resources deny ------------------------------------------------------------------------------------


def denies(document: Sequence[Statement], actions: Iterable[str], resources: Iterable[str], key: str, value: str) -> bool:
    """Return whether a document denies everyone all actions on all resources, whenever a condition key has a value."""
    denying = [one for one in document if not one.allows and one.is_for_everyone() and _holds(one, key.lower(), value)]
    pairs = [(action.lower(), resource) for action in actions for resource in resources]
    return all(
        any(one.covers_action(action) and one.covers_resource(resource) for one in denying) for action, resource in pairs
    )


def _holds(one: Statement, key: str, value: str) -> bool:
    """Return whether a statement's conditions hold for certain when all that is known is one key's value."""
    return all(found == key and _satisfied(operator, values, value) for operator, found, values in one.conditions)


def _satisfied(operator: str, values: Sequence[str], value: str) -> bool:
    operator = operator.removeprefix("foranyvalue:").removeprefix("forallvalues:").removesuffix("ifexists")
    match operator:
        case "bool" | "stringequalsignorecase":
            return value.lower() in (one.lower() for one in values)
        case "stringequals":
            return value in values
        case "stringlike":
            return any(covers(one, value) for one in values)
        case "stringnotequals":
            return value not in values
        case "null":
            return "false" in values
        case _ if operator.startswith("numeric"):
            return any(_compared(operator.removeprefix("numeric"), value, one) for one in values)
        case _:
            return False


def _compared(how: str, value: str, limit: str) -> bool:
    try:
        one, other = float(value), float(limit)
    except ValueError:
        return False
    return {
        "equals": one == other,
        "notequals": one != other,
        "lessthan": one < other,
        "lessthanequals": one <= other,
        "greaterthan": one > other,
        "greaterthanequals": one >= other,
    }.get(how, False)


# How wide the access to a resource is --------------------------------------------------------------------------------


def widest_level(document: Sequence[Statement], actions: Iterable[str], account: str | None) -> str:
    """Return the widest level at which a resource's document allows one of some actions.

    Args:
        document: its statements.
        actions: patterns of actions.
        account: the number of the account that the resource is in; None: not known, then every account is another one.
    """
    return LEVELS[max((_level_of(document, action.lower(), account) for action in actions), default=0)]


def _level_of(document: Sequence[Statement], action: str, account: str | None) -> int:
    denying = [one for one in document if not one.allows and one.is_for_everyone() and one.covers_action(action)]
    widest = 0
    for one in document:
        if one.allows and one.touches_action(action):
            left = (_left_by_deny(denial, account) for denial in denying if _covers_resources_of(denial, one))
            widest = max(widest, min(_allowed(one, account), *left, len(LEVELS) - 1))
    return widest


def _covers_resources_of(denial: Statement, one: Statement) -> bool:
    wanted = ("*",) if one.resources is None or one.not_resources else one.resources
    return all(denial.covers_resource(resource) for resource in wanted)


def _left_by_deny(one: Statement, account: str | None) -> int:
    """Return the widest level that a denial for everyone leaves: those outside its bounds have none."""
    if not one.conditions:
        return LEVELS.index("NOBODY")
    ((operator, key, values), *more) = one.conditions
    narrows = not more and operator.removesuffix("ifexists") in _NEGATIVE
    return _bound(key, values, account) if narrows else len(LEVELS) - 1


def _allowed(one: Statement, account: str | None) -> int:
    level = _principal_level(one, account)
    for operator, key, values in one.conditions:
        if operator.removeprefix("foranyvalue:") in _POSITIVE:
            level = min(level, _bound(key, values, account))
    return level


def _bound(key: str, values: Sequence[str], account: str | None) -> int:
    """Return the widest level of those for whom a condition key has one of some values."""
    widest = len(LEVELS) - 1
    if not values or any(value in ("*", "0.0.0.0/0", "::/0") for value in values):
        return widest
    if key in _ORGANISATION_KEYS:
        return LEVELS.index("SAME_ORG")
    if key in _NETWORK_KEYS:
        return LEVELS.index("TRUSTED_PRINCIPAL")
    accounts: list[str] = []
    if key in _ACCOUNT_KEYS:
        accounts = list(values)
    elif key in _ARN_KEYS:
        accounts = [value.split(":")[4] if value.count(":") >= 5 else "" for value in values]
    if not accounts or any("*" in one or not one for one in accounts):
        return widest
    same = account is not None and all(one == account for one in accounts)
    return LEVELS.index("SAME_ACCOUNT" if same else "EXTERNAL_PRINCIPAL")


def _principal_level(one: Statement, account: str | None) -> int:
    if one.not_principal is not None:
        return LEVELS.index("ANONYMOUS_PRINCIPAL")
    principal: Any = one.principal
    if principal is None:
        return LEVELS.index("NOBODY")
    if not isinstance(principal, Mapping):
        return LEVELS.index("ANONYMOUS_PRINCIPAL" if principal == "*" else "EXTERNAL_PRINCIPAL")
    kinds = cast("Mapping[str, Any]", principal).items()
    return max((_one_principal(kind, str(name), account) for kind, names in kinds for name in several(names)), default=0)


def _one_principal(kind: str, name: str, account: str | None) -> int:
    if name == "*":
        return LEVELS.index("ANONYMOUS_PRINCIPAL")
    if kind == "Service":
        return LEVELS.index("AWS_SERVICE")
    number = name.split(":")[4] if name.count(":") >= 5 else name
    same = kind == "AWS" and account is not None and number == account
    return LEVELS.index("SAME_ACCOUNT" if same else "EXTERNAL_PRINCIPAL")
