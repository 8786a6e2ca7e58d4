"""Collects one AWS account."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from reeve.collect.affected import of_account
from reeve.collect.aws import credential_report
from reeve.collect.aws.api import Api
from reeve.collect.aws.permissions import ACCOUNT_NAME, REGIONS
from reeve.collect.collection import Collection, Progress, Suspect
from reeve.collect.collector import Collector
from reeve.collect.failures import ApiError, Failure, one_line
from reeve.collect.noting import reason_of
from reeve.collect.recipe import Recipe
from reeve.collect.requests import Answer, Request, Requests

IDENTITY = "sts:GetCallerIdentity"
NUMBER = re.compile(r"\d{12}")


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
        The collection. A call that fails is noted in it; so is that the account, or its partition, is not known.

    Raises:
        ApiError: nothing can be read: the credentials are missing, expired or refused, or AWS can't be reached.
    """
    collection = Collection(partition="aws")
    requests = Requests(api, progress, {credential_report.CALL: lambda: {"rows": credential_report.fetch_report(api)}})
    unknown = _identify(api, requests, recipes, collection)
    Collector(recipes, requests, collection, api.region, REGIONS, suspect, live, unknown).collect()
    collection.calls = dict(sorted(api.calls.items()))
    if live:
        collection.notes.append("provisional values were not used; every user was read live")
    return collection


def _identify(api: Api, requests: Requests, recipes: Mapping[str, Recipe], collection: Collection) -> dict[str, str]:
    """Find out whose account it is, and what people call it; return why `_account` or `_partition` is not known, if so."""
    answers: dict[str, Answer] = {}
    for call in (IDENTITY, ACCOUNT_NAME.name):
        service, _, operation = call.partition(":")
        requests.ask(Request(service, operation, api.region, {}), partial(answers.__setitem__, call))
    requests.run()
    answer, named = answers[IDENTITY], answers[ACCOUNT_NAME.name].whole()
    # Nothing is judged by the name: where it may not be read, there is none.
    aliases: Any = named.get("AccountAliases") or ()
    collection.account_name = next((one_line(alias) for alias in aliases), None)
    error, found = answer.error, answer.whole()
    if error is not None and error.failure in (Failure.CREDENTIALS, Failure.UNREACHABLE):
        raise error
    number, arn = str(found.get("Account")), str(found.get("Arn")).split(":")
    collection.account = number if NUMBER.fullmatch(number) else ""
    collection.partition = (arn[1] if len(arn) > 1 and arn[0] == "arn" else api.partition) or ""
    missing = {"_account": collection.account, "_partition": collection.partition}
    unknown = frozenset(name for name, value in missing.items() if not value)
    if error is None and unknown:
        error = ApiError(IDENTITY, Failure.OTHER, "UnexpectedAnswer", "the answer names no account")
    if error is None:
        return {}
    collection.failed(error.about("the account", of_account(recipes, unknown)))
    return dict.fromkeys(unknown, reason_of(error))
