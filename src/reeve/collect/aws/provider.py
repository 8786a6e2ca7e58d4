"""AWS as a provider. Each function imports what it needs: botocore is loaded where an account or its models are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reeve.collect.aws import partitions
from reeve.collect.collection import Collection, Progress, Suspect
from reeve.collect.provider import Access, Checks, Permissions, Provider
from reeve.collect.recipe import Recipe

if TYPE_CHECKING:
    from reeve.collect.aws.api import Api
    from reeve.collect.aws.declarations import Models


@dataclass(frozen=True, slots=True)
class Aws:
    """The provider of the types `aws.…`; `open`, `checks` and so on are as the protocol says."""

    label: str = "AWS"

    def open(self, access: Access) -> "AwsAccount":
        """Open the account of a profile's credentials, found as the AWS CLI finds them, or the simulated one.

        Raises:
            ApiError: the profile doesn't exist, or no credentials are found.
        """
        from reeve.collect.aws.api import Api

        if access.simulation is not None:
            return AwsAccount(Api.at(access.simulation.address), access.live)
        return AwsAccount(Api.open(access.profile, access.region), access.live)

    def checks(self) -> Checks:
        """Return the checks against the service models of the installed botocore."""
        from reeve.collect.aws.declarations import Models

        return _checks(Models())

    def permissions(self, recipes: Iterable[Recipe]) -> Permissions:
        """Return the IAM actions that collecting needs, and the policy that allows them."""
        from reeve.collect.aws.permissions import permissions

        actions = permissions(recipes)
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        return Permissions(actions, {"Version": "2012-10-17", "Statement": [statement]})

    def console_host(self, partition: str) -> str | None:
        """Return the host of the management console in a partition; None of one whose console is not public."""
        return partitions.console_host(partition)


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """An account by its APIs; `live` leaves the credential report out."""

    api: "Api"
    live: bool

    def checks(self) -> Checks:
        """Return the checks against the service models that the account's clients are made of."""
        from reeve.collect.aws.declarations import Models

        return _checks(Models(self.api.session.get_component("data_loader")))

    def collect(self, recipes: Mapping[str, Recipe], suspect: Mapping[str, Suspect], progress: Progress) -> Collection:
        """Collect the account.

        Raises:
            ApiError: the credentials are missing, expired or refused, or AWS can't be reached.
        """
        from reeve.collect.aws.account import collect_account

        return collect_account(self.api, recipes, suspect, progress, self.live)


def _checks(models: "Models") -> Checks:
    from reeve.collect.aws.declarations import collect_check
    from reeve.collect.aws.remedies import remedy_check

    return Checks(collect_check(models), remedy_check(models))


PROVIDER: Provider = Aws()
