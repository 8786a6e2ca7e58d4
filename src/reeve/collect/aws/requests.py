"""Makes each distinct request once, several at a time, with a bound for each service."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, cast

from reeve.collect.aws.api import CONNECTIONS, USUAL_CONNECTIONS, Api, ApiError, Failure
from reeve.collect.aws.expressions import plain
from reeve.collect.collection import Progress


@dataclass(frozen=True, slots=True)
class Request:
    """An API call in a region with its arguments."""

    service: str
    operation: str
    region: str
    arguments: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What two requests have in common if they are the same."""
        return json.dumps([self.service, self.operation, self.region, self.arguments], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """A request's pages as plain JSON, as far as they could be read, when they were, and what failed."""

    pages: tuple[Mapping[str, Any], ...]
    at: datetime
    error: ApiError | None = None

    def whole(self) -> Mapping[str, Any]:
        """Return the pages as one: lists of the same name put together."""
        if len(self.pages) == 1:
            return self.pages[0]
        found: dict[str, Any] = {}
        for page in self.pages:
            for key, value in page.items():
                if isinstance(value, list) and isinstance(found.get(key), list):
                    found[key] = [*found[key], *cast("list[Any]", value)]
                else:
                    found.setdefault(key, value)
        return found


Then = Callable[[Answer], None]
Custom = Callable[[Api], Mapping[str, Any]]


@dataclass(slots=True)
class Requests:
    """Requests under way. What follows an answer runs in the thread that calls `run`, so that it needs no locks.

    `custom` makes calls that are not one request, by name.
    """

    api: Api
    progress: Progress
    custom: Mapping[str, Custom] = field(default_factory=dict[str, Custom])
    _known: dict[str, Answer | list[Then]] = field(default_factory=dict[str, Any])
    _executors: dict[str, ThreadPoolExecutor] = field(default_factory=dict[str, ThreadPoolExecutor])
    _done: "SimpleQueue[tuple[str, Answer | BaseException]]" = field(default_factory=SimpleQueue[Any])
    _asked: int = 0
    _finished: int = 0

    def ask(self, request: Request, then: Then) -> None:
        """Have a request made, if it is not known yet, and its answer given to `then`, at once if it is known."""
        key = request.key
        known = self._known.get(key)
        if isinstance(known, Answer):
            then(known)
        elif known is not None:
            known.append(then)
        else:
            self._known[key] = [then]
            self._asked += 1
            self._executor(request.service).submit(self._make, key, request)

    def run(self) -> None:
        """Wait until nothing is under way, giving answers to what waits for them.

        Raises:
            BaseException: what a thread raised that is no refused call, or an interruption; nothing more is requested then.
        """
        try:
            while self._finished < self._asked:
                key, answer = self._done.get()
                self._finished += 1
                if isinstance(answer, BaseException):
                    raise answer  # noqa: TRY301 - it stops everything, as an interruption does
                waiting = cast("list[Then]", self._known[key])
                self._known[key] = answer
                for then in waiting:
                    then(answer)
        except BaseException:
            self.api.stop()
            raise
        finally:
            for executor in self._executors.values():
                executor.shutdown(wait=False, cancel_futures=True)
            self._executors.clear()

    def _executor(self, service: str) -> ThreadPoolExecutor:
        if service not in self._executors:
            self._executors[service] = ThreadPoolExecutor(CONNECTIONS.get(service, USUAL_CONNECTIONS), f"reeve-{service}")
        return self._executors[service]

    def _make(self, key: str, request: Request) -> None:
        try:
            self.progress(f"{request.service}:{request.operation} in {request.region}", self._finished, self._asked)
            self._done.put((key, self._answer(request)))
        except BaseException as error:  # noqa: BLE001 - a thread's error is raised where the answer is waited for
            self._done.put((key, error))

    def _answer(self, request: Request) -> Answer:
        pages: list[Mapping[str, Any]] = []
        name = f"{request.service}:{request.operation}"
        error = None
        try:
            if name in self.custom:
                pages.append(self.custom[name](self.api))
            elif self.api.offers(request.service, request.region):
                found = self.api.pages(request.service, request.operation, request.arguments, request.region)
                pages.extend(plain(page) for page in found)  # those before a page that fails stay
            else:
                message = f"the service {request.service} is not offered in {request.region}, as far as botocore knows"
                error = ApiError(name, Failure.NOT_OFFERED, "NotOffered", message)
        except ApiError as failed:
            error = failed
        return Answer(tuple(pages), datetime.now(UTC), error)
