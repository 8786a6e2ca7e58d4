"""Collects one AWS account."""

from collections.abc import Mapping
from typing import Any

from reeve.collect.aws import credential_report
from reeve.collect.aws.api import Api, ApiError, Failure
from reeve.collect.aws.collector import Collector
from reeve.collect.aws.recipe import Recipe
from reeve.collect.aws.requests import Requests
from reeve.collect.collection import Collection, Progress, Suspect


def collect_account(
    api: Api, recipes: Mapping[str, Recipe], suspect: Mapping[str, Suspect], progress: Progress, live: bool = False
) -> Collection:
    """Collect the account that the session's credentials belong to.

    Args:
        api: the account's APIs.
        recipes: what to collect, by type.
        suspect: by type, which fields make an object INCOMPLIANT; provisional ones are then confirmed live.
        progress: told what is being read.
        live: read every object live; provisional values are not used.

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
        collection.failed(error.about("the account", dict.fromkeys(recipes, ())))

    def report(api: Api) -> Mapping[str, Any]:
        try:
            return {"rows": credential_report.fetch_report(api)}
        except credential_report.ReportUnavailableError as error:
            collection.notes.append(f"{error}; every user was read live")
            return {"rows": []}

    requests = Requests(api, progress, {credential_report.CALL: report})
    Collector(recipes, requests, collection, api.region, suspect, live).collect()
    if live:
        collection.notes.append("provisional values were not used; every user was read live")
    if not collection.account:
        _identify_by_arn(collection)
    return collection


def _identify_by_arn(collection: Collection) -> None:
    for records in collection.records.values():
        for record in records:
            for value in record.fields.values():
                parts = str(value).split(":") if str(value).startswith("arn:") else []
                if len(parts) >= 6 and parts[4]:
                    collection.partition, collection.account = parts[1], parts[4]
                    return
