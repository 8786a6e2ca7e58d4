"""Collects one AWS account."""

from reeve.collect.aws.api import Api, ApiError, Failure
from reeve.collect.aws.iam_users import IamUsers
from reeve.collect.collection import Collection, Progress, Suspect
from reeve.inventory.manifest import CollectionError


def collect_account(api: Api, suspect: Suspect, progress: Progress, live: bool = False) -> Collection:
    """Collect the account that the session's credentials belong to.

    Args:
        api: the account's APIs.
        suspect: says whether a user would be INCOMPLIANT as the credential report shows it, and so is confirmed live.
        progress: told what is being read.
        live: read every user live; the credential report is not used.

    Returns:
        The collection. A call that is refused is noted in it.

    Raises:
        ApiError: nothing can be read: the credentials are missing, expired or refused, or AWS can't be reached.
    """
    collection = Collection()
    progress("identifying the account", 0, None)
    try:
        identity = api.call("sts", "GetCallerIdentity", attempts=3)
        collection.account = identity["Account"]
        collection.partition = identity["Arn"].split(":")[1]
    except ApiError as error:
        if error.failure is not Failure.DENIED:
            raise
        details = CollectionError(error.call, error.code, error.message, error.advice, 1, error.request_id, ("the account",))
        collection.failed(details)
    IamUsers(api, collection, suspect, progress, live).collect()
    return collection
