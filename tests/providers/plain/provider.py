"""A plain HTTP inventory as a provider: `GET /SERVICE/OPERATION?argument=value`, at PLAIN_INVENTORY_URL."""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from reeve.collect.collection import Collection, Progress, Suspect
from reeve.collect.collector import Collector
from reeve.collect.expressions import as_json
from reeve.collect.failures import ApiError, Failure, one_line
from reeve.collect.provider import Access, AccessError, Checks, Permissions, Provider
from reeve.collect.recipe import Recipe
from reeve.collect.requests import Requests
from reeve.language.errors import nearest
from reeve.repository.type_checks import Finding

OPERATIONS = ("inventory:list", "inventory:disks", "inventory:about")
STATUSES = {401: Failure.CREDENTIALS, 403: Failure.DENIED, 429: Failure.THROTTLED}


@dataclass(slots=True)
class PlainAccount:
    """An inventory, by its address; it is its own API."""

    address: str
    request_seconds: float = 10
    calls: dict[str, int] = field(default_factory=dict)

    def pages(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Iterator[Mapping[str, Any]]:
        """Yield the one answer; a list has no pages."""
        name = f"{service}:{operation}"
        self.calls[name] = self.calls.get(name, 0) + 1
        try:
            with urlopen(
                f"{self.address}/{service}/{operation}?{urlencode(arguments)}", timeout=self.request_seconds
            ) as answer:
                found = as_json(json.load(answer))
        except HTTPError as error:
            error.close()
            failure = STATUSES.get(error.code, Failure.OTHER)
            raise ApiError(name, failure, f"HTTP{error.code}", one_line(error.reason)) from None
        except URLError as error:
            raise ApiError(name, Failure.UNREACHABLE, "NoConnection", one_line(error.reason)) from None
        except (OSError, ValueError, RecursionError) as error:
            raise ApiError(name, Failure.UNREADABLE, type(error).__name__, one_line(error)) from None
        if not isinstance(found, dict):
            raise ApiError(name, Failure.UNREADABLE, "NoObject", "the answer is no JSON object")
        yield found

    def at_once(self, service: str) -> int:
        return 2

    def clock(self) -> float:
        return time.monotonic()

    def left_behind(self, error: ApiError, service: str, region: str, operation: str) -> None:
        """Nothing is given up as a whole."""

    def stop(self) -> None:
        """A request ends by itself, after its time."""

    def checks(self) -> Checks:
        return PROVIDER.checks()

    def collect(self, recipes: Mapping[str, Recipe], suspect: Mapping[str, Suspect], progress: Progress) -> Collection:
        (about,) = self.pages("inventory", "about", {}, "")
        account = about.get("account")
        if not isinstance(account, str) or not account:
            raise ApiError("inventory:about", Failure.OTHER, "UnexpectedAnswer", "the answer names no account")
        collection = Collection(account, partition="plain")
        Collector(recipes, Requests(self, progress), collection, "global", None, suspect).collect()
        collection.calls = dict(self.calls)
        return collection


@dataclass(frozen=True, slots=True)
class Plain:
    label: str = "Plain inventory"

    def open(self, access: Access) -> PlainAccount:
        access.refuse_other_than(self.label, "live")
        address = os.environ.get("PLAIN_INVENTORY_URL")
        if not address:
            raise AccessError("no inventory is known: set PLAIN_INVENTORY_URL")
        return PlainAccount(address)

    def checks(self) -> Checks:
        return Checks(_check_collect, _check_remedies)

    def permissions(self, recipes: Iterable[Recipe]) -> Permissions:
        raise AccessError("a plain inventory has no permissions: whoever may read it may read all of it")

    def console_host(self, partition: str) -> str | None:
        return "inventory.example.com"


def _check_collect(own, declared):
    collect = own.collect
    calls = [(("collect", "sources", n, "call"), source.call) for n, source in enumerate(collect.sources) if source.call]
    calls += [(("collect", "calls", name, "call"), call) for name, call in collect.calls.items()]
    for steps, call in calls:
        if call.name not in OPERATIONS:
            yield Finding(steps, f"an inventory has no operation {call.name!r}{nearest(call.name, OPERATIONS)}")


def _check_remedies(remedies, body, declared):
    for number, remedy in enumerate(remedies):
        for at, command in enumerate(remedy.commands):
            program = command.run.words[0].text
            if program != "inventoryctl":
                yield Finding((number, "commands", at, "run"), f"an inventory is changed by inventoryctl, not by {program!r}")


PROVIDER: Provider = Plain()
