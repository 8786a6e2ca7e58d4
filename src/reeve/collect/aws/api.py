"""Calls to AWS by botocore: credentials as the AWS CLI finds them, calls counted, failures told apart, all of it bounded."""

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import botocore.config  # pyright: ignore[reportMissingTypeStubs] - botocore has no stubs of its own
import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs]
import botocore.session  # pyright: ignore[reportMissingTypeStubs]

from reeve.collect.aws import bounds
from reeve.collect.aws.bounds import CONNECTIONS, USUAL_CONNECTIONS, Bounds
from reeve.collect.aws.failures import failure_of, no_credentials
from reeve.collect.aws.foreign import guard
from reeve.collect.aws.paging import Page, read_pages
from reeve.collect.aws.transport import Bounded
from reeve.collect.circuit import Circuit
from reeve.collect.expressions import as_json
from reeve.collect.failures import ApiError, Failure

T = TypeVar("T")


def _plain(answer: Mapping[str, Any]) -> Any:
    """Return an answer as plain JSON, without what botocore adds to it."""
    return as_json({name: value for name, value in answer.items() if name != "ResponseMetadata"})


@dataclass(slots=True)
class Api:
    """One account's APIs in all regions. Calls may come from several threads.

    Once the credentials are refused in the region that they start from, every later call fails with the same error, without
    a request. `region` is that one. `sleep` and `clock` are the time that calls rest by and are bounded by.
    """

    session: Any
    region: str
    calls: Counter[str] = field(default_factory=Counter[str])
    endpoint_url: str | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    bounds: Bounds = field(default_factory=lambda: bounds.USUAL)
    circuit: Circuit = field(default_factory=Circuit)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _refused: ApiError | None = None

    @classmethod
    def open(cls, profile: str | None = None, region: str | None = None) -> "Api":
        """Open a session with credentials, profile, region and endpoint as the AWS CLI finds them.

        Raises:
            ApiError: the profile doesn't exist, or no credentials are found.
        """
        try:
            session: Any = botocore.session.Session(profile=profile)
            chosen = region or session.get_config_variable("region") or "us-east-1"
            found = session.get_credentials()
        except Exception as error:  # noqa: BLE001 - botocore stumbles over whatever a program that gives credentials prints
            raise no_credentials(error) from None
        if found is None:
            message = "no credentials were found in the environment, the AWS configuration, or an instance's role"
            raise no_credentials(f"{message}: set --profile, AWS_PROFILE or AWS_ACCESS_KEY_ID")
        session.user_agent_name = "reeve"
        return cls(session, chosen)

    @classmethod
    def at(cls, endpoint_url: str, region: str = "us-east-1") -> "Api":
        """Open a session with a simulated account at an address; nothing of the user's AWS configuration is read."""
        nothing = {"profile": (None, None, None, None)}
        files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
        session: Any = botocore.session.Session(session_vars={**nothing, **files})
        session.set_credentials("demo", "demo")
        return cls(session, region, endpoint_url=endpoint_url)

    @property
    def partition(self) -> str | None:
        """The partition that the account's region is in by the rules that botocore finds endpoints by; null if by none."""
        known: Any = self.session.get_component("data_loader").load_data("partitions")["partitions"]
        named = (one["id"] for one in known if self.region in one["regions"])
        fitting = (one["id"] for one in known if re.search(one["regionRegex"], self.region))
        return next(named, None) or next(fitting, None)

    def client(self, service: str, region: str) -> Any:
        """Return the service's client in a region, made at its first use.

        Raises:
            Exception: botocore has no such service, or finds no endpoint.
        """
        with self._lock:
            if (service, region) not in self._clients:
                elsewhere = self.endpoint_url is not None or "AWS_ENDPOINT_URL" in os.environ
                config = botocore.config.Config(
                    inject_host_prefix=False if elsewhere else None,  # there are no such names below another address
                    retries={"mode": "adaptive", "total_max_attempts": 1},  # its limit of rates; tries are counted in `call`
                    max_pool_connections=self.at_once(service),
                    connect_timeout=self.bounds.connect_seconds,
                    read_timeout=self.bounds.silence_seconds,
                    user_agent_extra="reeve",
                )
                client = self.session.create_client(service, region_name=region, config=config, endpoint_url=self.endpoint_url)
                endpoint = client._endpoint  # no public name leads to where answers are taken in
                endpoint.http_session = Bounded(endpoint.http_session, service, self.bounds, self.clock)
                guard(client, service)
                if elsewhere and service == "s3control":
                    client.meta.events.register("before-call.s3-control", _without_account_in_host)
                client.meta.events.register(
                    f"before-send.{client.meta.service_model.service_id.hyphenize()}", self._count_of(service)
                )
                self._clients[service, region] = client
            return self._clients[service, region]

    def _count_of(self, service: str) -> Callable[..., None]:
        def count(event_name: str, **details: Any) -> None:
            with self._lock:
                self.calls[f"{service}:{event_name.rpartition('.')[2]}"] += 1

        return count

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        region: str | None = None,
        read: Callable[[Any], T] = _plain,
    ) -> T:
        """Make one call.

        Args:
            service: botocore's name of the service, "iam".
            operation: the operation as the API reference writes it, "ListUsers".
            arguments: the operation's parameters.
            region: where; by default the region that the account's credentials start from.
            read: makes of the answer, as botocore parses it, what is returned. An answer that it raises on is no answer.

        Returns:
            What was read; by default the answer as plain JSON.

        Raises:
            ApiError: the call failed in the end.
        """
        where = region or self.region
        place = service, where, operation
        tries, end = 0, self.clock() + self.bounds.call_seconds
        while True:
            refused = self._refused or self.circuit.refusal(*place)
            if refused is not None:
                raise refused
            try:
                client = self.client(service, where)
                answer = client._make_api_call(operation, dict(arguments or {}))  # the method that all operations go through
                found = read(answer)
            except Exception as error:  # noqa: BLE001 - see below
                # What comes over the network, and what botocore's parsers make of it, can raise anything: here, where an
                # answer enters, it becomes the failure of this one call, named in the snapshot. Nothing above catches more.
                failed = failure_of(f"{service}:{operation}", error)
            else:
                self.circuit.answered(*place)
                return found
            tries += 1
            if failed.failure not in self.bounds.tries:
                self._give_up(failed, where)
                self.circuit.answered(*place)
                raise failed
            rest = self.bounds.rest(tries)
            late = self.clock() + rest > end
            if late or tries >= self.bounds.tries[failed.failure] or self.circuit.hurries(*place):
                self.circuit.failed(failed, *place)
                raise failed
            self.sleep(rest)

    def _give_up(self, failed: ApiError, where: str) -> None:
        """Ask nothing more once the credentials are refused where they start from."""
        if failed.failure is Failure.CREDENTIALS and where == self.region:
            self._refused = failed

    def pages(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Iterator[Page]:
        """Yield the pages of a call's answer as plain JSON, or the one answer of a call without pages.

        Raises:
            ApiError: a page failed in the end, or the list can't be read to its end.
        """
        try:
            declared = self.session.get_paginator_model(service).get_paginator(operation)
        except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError, ValueError):
            declared = None

        def ask(given: Mapping[str, Any]) -> Page:
            return self.call(service, operation, given, region)

        return read_pages(f"{service}:{operation}", ask, declared, arguments, self.bounds.pages)

    def at_once(self, service: str) -> int:
        """Return how many requests to a service may be under way at once."""
        return CONNECTIONS.get(service, USUAL_CONNECTIONS)

    @property
    def request_seconds(self) -> float:
        """How long a request may be under way until it is left behind."""
        return self.bounds.request_seconds

    def left_behind(self, error: ApiError, service: str, region: str, operation: str) -> None:
        """Take note of a request that is waited for no more, as of a call that failed."""
        self.circuit.failed(error, service, region, operation)

    def stop(self) -> None:
        """Let every later call fail at once; for an interrupted scan."""
        self._refused = ApiError("reeve", Failure.CREDENTIALS, "Interrupted", "the scan was interrupted")


def _without_account_in_host(params: dict[str, Any], **details: Any) -> None:
    """Take the account's number out of the host: only AWS's own name has one below it for each account."""
    address = urlsplit(str(params["url"]))
    params["url"] = urlunsplit((address.scheme, address.netloc.partition(".")[2], address.path, address.query, ""))
