"""The calls that are made for an account whatever is judged, and the IAM actions that collecting needs."""

from collections.abc import Iterable

from reeve.collect.recipe import Recipe
from reeve.collect.regions import Regions
from reeve.model import Call

REGIONS = Regions(Call("ec2", "DescribeRegions", ("ec2:DescribeRegions",)), "Regions", "RegionName")
"""Says which regions the account has enabled; regional types are listed there."""
ACCOUNT_NAME = Call("iam", "ListAccountAliases", ("iam:ListAccountAliases",))
"""Says what people call the account; read beside what policies need, and of no consequence where it is refused."""


def permissions(chosen: Iterable[Recipe]) -> tuple[str, ...]:
    """Return the IAM actions that collecting needs, in order."""
    found: set[str] = set(ACCOUNT_NAME.permissions)
    for recipe in chosen:
        collect = recipe.collect
        if collect.regional and any(source.parent is None for source in collect.sources):
            found.update(REGIONS.call.permissions)
        for source in collect.sources:
            found.update(source.call.permissions if source.call else ())
        for name in recipe.calls | recipe.confirming:
            found.update(collect.calls[name].permissions)
    return tuple(sorted(found))
