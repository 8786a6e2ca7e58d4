"""What AWS policy documents mean: patterns that cover patterns, what statements are about, what they grant and deny.

Source: the IAM User Guide, *Policy evaluation logic* and *IAM JSON policy elements reference*. Nothing here asks AWS; what a
document alone can't tell (service control policies, boundaries, the policies of the other side) is left out. How wide the
access to a resource is: `policy_access`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
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

_ELEMENTS = (
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
    "AccessLevel",
)
_KIND = re.compile(r"[\w-]+[/:]\*[*/:]*", re.ASCII)
"""The last part of an ARN that is all of one kind of a service's resources: `role/*`, `dbuser:*/*`."""
_IAM_KINDS = (
    "group",
    "instance-profile",
    "mfa",
    "oidc-provider",
    "policy",
    "role",
    "saml-provider",
    "server-certificate",
    "user",
)
"""Source: the Service Authorization Reference, *Resource types defined by AWS Identity and Access Management*."""
_ANY_ACCOUNT = re.compile(r"[0-9]{12}|[*?]+", re.ASCII)


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
class Condition:
    """One key of a condition: operator and key in lower case, as IAM compares them, and the values, any of which will do."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a document; actions in lower case, as IAM compares them.

    `actions` are those of `Action` (or of `NotAction`, when `not_actions`), `resources` likewise; None when there is neither.
    `level` is an access level that was added to the statement (`AccessLevel`): it takes the place of the principal's.
    """

    allows: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...] | None
    not_resources: bool
    principal: Any
    not_principal: Any
    conditions: tuple[Condition, ...]
    level: str | None = None

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

    def may_cover_resources_of(self, action: str) -> bool:
        """Return whether the statement is about all that a pattern of actions works on, as far as a document can tell.

        All resources are that, or, by `NotResource`, all but some; for actions of one service also all of its resources in a
        region's or account's place, and for one action all of a kind (`role/*`), as which kinds it works on isn't known here.
        """
        if self.resources is None:
            return True
        if self.not_resources:
            return not any(map(_is_everything, self.resources))
        return any(_is_everything(one) or _is_whole_kind(one, action) for one in self.resources)

    def surely_covers_resources_of(self, action: str) -> bool:
        """Return whether the statement is about all that a pattern of actions works on, whatever that is, or all but some."""
        if self.resources is None:
            return True
        if self.not_resources:
            return not any(_is_everything(one) or _is_whole_kind(one, action) for one in self.resources)
        return any(map(_is_everything, self.resources))

    def is_for_everyone(self) -> bool:
        """Return whether the statement is about every principal."""
        principal: Any = self.principal
        if isinstance(principal, Mapping):
            return "*" in several(cast("Mapping[str, Any]", principal).get("AWS"))
        return principal == "*"


def _is_everything(resource: str) -> bool:
    """Return whether a pattern matches every ARN of a partition; an account is in one."""
    partition = resource.split(":")[1] if resource.startswith("arn:") and ":" in resource[4:] else "*"
    return covers(resource, f"arn:{'aws' if set(partition) & set('*?') else partition}:*:*:*:*")


def _is_whole_kind(resource: str, action: str) -> bool:
    """Return whether a pattern matches all resources of a service that an action may be of, or, for one action, of a kind.

    Roles are IAM's, but taken on at STS.
    """
    service, _, name = action.partition(":")
    parts = resource.split(":", 5)
    if resource.endswith("*"):  # a star goes on over colons
        parts += ["*"] * (6 - len(parts))
    if len(parts) < 6 or parts[0] not in ("arn", "*") or not service or set(service) & set("*?"):
        return False
    _, _, owner, region, account, rest = parts
    if region.strip("*") or not (covers(owner, service) or (owner, service) == ("iam", "sts")):
        return False
    if rest.startswith("*") and not rest.strip("*/:"):
        return not account or bool(_ANY_ACCOUNT.fullmatch(account))
    # Without an account the first word is a name, not a kind: buckets of S3. IAM's kinds are known: `r*` is all of its roles.
    whole = _KIND.fullmatch(rest) or (owner == "iam" and any(covers(rest, f"{kind}/*") for kind in _IAM_KINDS))
    return bool(_ANY_ACCOUNT.fullmatch(account) and whole) and not set(name) & set("*?")


def statements(document: Any) -> list[Statement]:
    """Return the statements of a policy document, as it was parsed from JSON.

    Raises:
        ValueError: it is no policy document, or one that IAM would not take; the message says why.
    """
    if document is None:
        return []
    if not isinstance(document, Mapping):
        raise ValueError("a policy document is an object")  # noqa: TRY004 - to callers any wrong document is one thing
    elements = _elements(cast("Mapping[str, Any]", document), ("Statement",))
    if document and "Statement" not in elements:
        raise ValueError("a policy document has statements")
    return [_statement(one) for one in several(elements.get("Statement"))]


def _elements(raw: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the elements that a document or statement has, by their names, however their case."""
    known = {name.lower(): name for name in names}
    found: dict[str, Any] = {}
    for key, value in raw.items():
        name = known.get(str(key).lower())
        if name in found:
            raise ValueError(f"{name} stands twice")
        if name is not None:
            found[name] = value
    return found


def _statement(raw: Any) -> Statement:
    if not isinstance(raw, Mapping):
        raise ValueError("a statement is an object")  # noqa: TRY004
    one = _elements(cast("Mapping[str, Any]", raw), _ELEMENTS)
    if one.get("Effect") not in ("Allow", "Deny"):
        raise ValueError("a statement's effect is Allow or Deny")
    for name in ("Action", "Resource", "Principal"):
        if name in one and f"Not{name}" in one:
            raise ValueError(f"a statement has {name} or Not{name}, not both")
    if "Action" not in one and "NotAction" not in one:
        raise ValueError("a statement names no action")
    resources, allows = one.get("NotResource", one.get("Resource")), one["Effect"] == "Allow"
    actions = _texts(one.get("NotAction", one.get("Action")), lower=True)
    return Statement(
        allows=allows,
        actions=tuple(_existing(actions) if allows and "NotAction" in one else actions),
        not_actions="NotAction" in one,
        resources=None if resources is None else tuple(_texts(resources, lower=False)),
        not_resources="NotResource" in one,
        principal=one.get("Principal"),
        not_principal=one.get("NotPrincipal"),
        conditions=tuple(_conditions(one.get("Condition"))),
        level=_added_level(one.get("AccessLevel")),
    )


def _existing(patterns: Iterable[str]) -> Iterator[str]:
    """Yield the patterns that may match an action: what doesn't exist leaves nothing out of what `NotAction` allows."""
    for pattern in patterns:
        service, colon, name = pattern.partition(":")
        if not pattern.strip("*") or (colon and name and _is_service(service)):
            yield pattern


@lru_cache(maxsize=4096)
def _is_service(pattern: str) -> bool:
    return pattern in _services() or any(covers(pattern, name) for name in _services())


@cache
def _services() -> frozenset[str]:
    lines = files("reeve.language").joinpath("aws_services.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _added_level(level: Any) -> str | None:
    if level is not None and level not in LEVELS:
        raise ValueError(f"there is no access level {level!r:.40}")
    return level


def _conditions(condition: Any) -> Iterator[Condition]:
    if condition is None:
        return
    if not isinstance(condition, Mapping):
        raise ValueError("a condition is an object")  # noqa: TRY004
    for operator, keys in cast("Mapping[str, Any]", condition).items():
        if not isinstance(keys, Mapping):
            raise ValueError("a condition's operator has an object of keys")  # noqa: TRY004
        for key, values in cast("Mapping[str, Any]", keys).items():
            texts = (str(v).lower() if isinstance(v, bool) else str(v) for v in several(values))
            yield Condition(operator.lower(), str(key).lower(), tuple(texts))


# What documents of identities grant ----------------------------------------------------------------------------------


def grants(document: Sequence[Statement], action: str) -> bool:
    """Return whether a document allows all actions of a pattern on all that they work on, in some circumstances.

    A condition narrows when, not what: such a statement counts. So does one with `NotResource`, which is about all but some.
    `Deny` takes the grant away if it is about all of these actions and their resources, in all circumstances.
    """
    wanted = action.lower()
    for one in document:
        if not one.allows and not one.conditions and one.covers_action(wanted) and one.surely_covers_resources_of(wanted):
            return False
    open_ = {wanted}
    for one in document:
        if one.allows:
            open_ = {left for pattern in open_ for left in _left_open(one, pattern)}
    return not open_


def _left_open(one: Statement, wanted: str) -> Iterable[str]:
    """Return what an allowing statement leaves of a pattern of actions."""
    if not one.may_cover_resources_of(wanted):
        return (wanted,)
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
    return all(found.key == key and _satisfied(found.operator, found.values, value) for found in one.conditions)


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
        case "stringnotequalsignorecase":
            return value.lower() not in (one.lower() for one in values)
        case "stringnotlike":
            return not any(overlaps(one, value) for one in values)
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
