"""How wide the access is that a resource's policy document gives: who may call, as conditions and denials narrow it.

Source: the IAM User Guide, *AWS JSON policy elements: Principal*, *IAM JSON policy elements: Condition operators* and *AWS
global condition context keys*; for ranges of addresses the S3 User Guide, *The meaning of "public"*.

What narrows is listed here, and nothing else does: an operator, key or value that is not understood leaves the access as
wide as it is without it. So a mistake in a document, or something new at AWS, is never taken for a bound.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, cast

from reeve.language.policy_documents import LEVELS, Condition, Statement, several

NOBODY, SAME_ACCOUNT, SAME_ORG, TRUSTED_PRINCIPAL, AWS_SERVICE, EXTERNAL_PRINCIPAL, ANONYMOUS_PRINCIPAL = range(len(LEVELS))

# The keys that say something of the caller. Those of the resource (aws:ResourceAccount, aws:ResourceOrgID) say nothing of it.
_ORGANISATION_KEYS = ("aws:principalorgid", "aws:principalorgpaths", "aws:sourceorgid", "aws:sourceorgpaths")
_ACCOUNT_KEYS = ("aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "kms:calleraccount")
_ARN_KEYS = ("aws:principalarn", "aws:sourcearn")
_NETWORK_KEYS = ("aws:sourcevpc", "aws:sourcevpce")

_STRINGS = ("stringequals", "stringequalsignorecase", "stringlike")
_ARNS = ("arnequals", "arnlike")
_NEGATIONS = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
}
"""The operators by which a denial spares some: each with the one that says whom."""

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_ORGANISATION = re.compile(r"o-[a-z0-9]+(/.*)?", re.ASCII | re.DOTALL)
_WILD = frozenset("*?$")
"""Letters of values that stand for others: patterns and policy variables."""
_BROAD = {4: 8, 6: 32}
"""By version of the Internet Protocol, the length of prefix below which a range is as good as everybody (S3: *public*)."""


def widest_level(document: Sequence[Statement], actions: Iterable[str], account: str | None) -> str:
    """Return the widest level at which a resource's document allows one of some actions.

    Args:
        document: its statements.
        actions: patterns of actions.
        account: the number of the account that the resource is in; None: not known, then every account is another one.

    Raises:
        ValueError: a statement that allows one of the actions says nobody whom.
    """
    return LEVELS[max((_level_of(document, action.lower(), account) for action in actions), default=NOBODY)]


def _level_of(document: Sequence[Statement], action: str, account: str | None) -> int:
    denying = [one for one in document if not one.allows and one.is_for_everyone() and one.covers_action(action)]
    widest = NOBODY
    for one in document:
        if one.allows and one.touches_action(action):
            left = (_left_by_deny(denial, account) for denial in denying if _covers_resources_of(denial, one))
            widest = max(widest, min(_allowed(one, account), *left, ANONYMOUS_PRINCIPAL))
    return widest


def _covers_resources_of(denial: Statement, one: Statement) -> bool:
    wanted = ("*",) if one.resources is None or one.not_resources else one.resources
    return all(denial.covers_resource(resource) for resource in wanted)


def _left_by_deny(one: Statement, account: str | None) -> int:
    """Return the widest level that a denial for everyone leaves: those for whom one of its conditions doesn't hold.

    A negated operator holds where the key is missing, so that it spares only those for whom it has one of the values. With
    `ForAnyValue` it doesn't: then it spares everybody without the key.
    """
    return max((_spared(condition, account) for condition in one.conditions), default=NOBODY)


def _spared(condition: Condition, account: str | None) -> int:
    operator = _NEGATIONS.get(condition.operator.removesuffix("ifexists"))
    return ANONYMOUS_PRINCIPAL if operator is None else _bound(operator, condition.key, condition.values, account)


def _allowed(one: Statement, account: str | None) -> int:
    """Return the widest level of those whom an allowing statement is for.

    `...IfExists`, `ForAllValues`, `Null` and negated operators hold for who lacks the key, so that they bound nobody.
    """
    level = LEVELS.index(one.level) if one.level is not None else _principal_level(one, account)
    for condition in one.conditions:
        operator = condition.operator.removeprefix("foranyvalue:")
        level = min(level, _bound(operator, condition.key, condition.values, account))
    return level


# Conditions ----------------------------------------------------------------------------------------------------------


def _bound(operator: str, key: str, values: Sequence[str], account: str | None) -> int:
    """Return the widest level of those for whom a condition key has one of some values."""
    if not values:
        return ANONYMOUS_PRINCIPAL
    if key == "aws:sourceip":
        return TRUSTED_PRINCIPAL if operator == "ipaddress" and _is_narrow(values) else ANONYMOUS_PRINCIPAL
    of_value = _BOUNDS.get(key)
    if of_value is None or operator not in (*_STRINGS, *(_ARNS if key in _ARN_KEYS else ())):
        return ANONYMOUS_PRINCIPAL
    return max(of_value(value, account, operator) for value in values)


def _organisation(value: str, account: str | None, operator: str) -> int:
    named = value == "${aws:ResourceOrgID}" or (_ORGANISATION.fullmatch(value) and "$" not in value)
    return SAME_ORG if named else ANONYMOUS_PRINCIPAL


def _account(value: str, account: str | None, operator: str) -> int:
    if value == "${aws:ResourceAccount}":
        return SAME_ACCOUNT
    if not _ACCOUNT.fullmatch(value):
        return ANONYMOUS_PRINCIPAL
    return SAME_ACCOUNT if value == account else EXTERNAL_PRINCIPAL


def _arn(value: str, account: str | None, operator: str) -> int:
    parts = value.split(":", 5)
    # To StringLike an ARN is one text: a star before the account can match over colons, up to a number that stands later.
    if len(parts) < 6 or (operator == "stringlike" and set(":".join(parts[:4])) & _WILD):
        return ANONYMOUS_PRINCIPAL
    return _account(parts[4], account, operator)


def _network(value: str, account: str | None, operator: str) -> int:
    return ANONYMOUS_PRINCIPAL if not value or set(value) & _WILD else TRUSTED_PRINCIPAL


_BOUNDS: Mapping[str, Callable[[str, str | None, str], int]] = {
    **dict.fromkeys(_ORGANISATION_KEYS, _organisation),
    **dict.fromkeys(_ACCOUNT_KEYS, _account),
    **dict.fromkeys(_ARN_KEYS, _arn),
    **dict.fromkeys(_NETWORK_KEYS, _network),
    "s3:dataaccesspointaccount": lambda value, account, operator: max(TRUSTED_PRINCIPAL, _account(value, account, operator)),
}


def _is_narrow(values: Iterable[str]) -> bool:
    """Return whether ranges of addresses are together less than about everybody's: two halves are the whole."""
    try:
        ranges = [ip_network(value.strip(), strict=False) for value in values]
    except ValueError:
        return False
    joined: list[IPv4Network | IPv6Network] = [
        *collapse_addresses(one for one in ranges if isinstance(one, IPv4Network)),
        *collapse_addresses(one for one in ranges if isinstance(one, IPv6Network)),
    ]
    return all(one.prefixlen >= _BROAD[one.version] for one in joined)


# Principals ----------------------------------------------------------------------------------------------------------


def _principal_level(one: Statement, account: str | None) -> int:
    if one.not_principal is not None:
        return ANONYMOUS_PRINCIPAL
    principal: Any = one.principal
    if principal is None:
        raise ValueError("a statement of a resource's policy names a principal")
    kinds = cast("Mapping[str, Any]", principal) if isinstance(principal, Mapping) else {"AWS": principal}
    return max((_one_principal(kind, str(name), account) for kind in kinds for name in several(kinds[kind])), default=NOBODY)


def _one_principal(kind: str, name: str, account: str | None) -> int:
    if name == "*":
        return ANONYMOUS_PRINCIPAL
    match kind.lower():
        case "service":
            return AWS_SERVICE
        case "federated" | "canonicaluser":
            return EXTERNAL_PRINCIPAL
        case "aws":
            return _of_aws(name, account)
        case _:
            return ANONYMOUS_PRINCIPAL


def _of_aws(name: str, account: str | None) -> int:
    """Return the level of an account, by its number or root ARN, of an identity by its ARN, or of a deleted one's unique id."""
    number = name.split(":", 5)[4] if name.count(":") >= 5 else name
    if set(number) & _WILD:
        return ANONYMOUS_PRINCIPAL
    return SAME_ACCOUNT if account is not None and number == account else EXTERNAL_PRINCIPAL
