"""Makes each distinct request once, several at a time, with a bound for each service."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, cast

from reeve.collect.api import Api
from reeve.collect.collection import Progress
from reeve.collect.failures import ApiError, Failure
from reeve.collect.workers import Workers


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
Custom = Callable[[], Mapping[str, Any]]

LOOK = 1.0
"""Seconds between two looks at whether a request has been under way for too long."""


@dataclass(slots=True)
class Requests:
    """Requests under way. What follows an answer runs in the thread that calls `run`, so that it needs no locks.

    `custom` makes calls that are not one request, by name.
    """

    api: Api
    progress: Progress
    custom: Mapping[str, Custom] = field(default_factory=dict[str, Custom])
    _known: dict[str, Answer | list[Then]] = field(default_factory=dict[str, Any])
    _workers: dict[str, Workers] = field(default_factory=dict[str, Workers])
    _done: "SimpleQueue[tuple[str, Answer | BaseException]]" = field(default_factory=SimpleQueue[Any])
    _under_way: dict[str, tuple[Request, float]] = field(default_factory=dict[str, tuple[Request, float]])
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
            self._workers_of(request.service).submit(lambda: self._make(key, request))

    def run(self) -> None:
        """Wait until nothing is under way, giving answers to what waits for them.

        Raises:
            BaseException: what a thread raised that is no failed call, or an interruption; nothing more is requested then.
        """
        look = self.api.clock() + LOOK
        try:
            while self._finished < self._asked:
                try:
                    self._take(*self._done.get(timeout=LOOK))
                except Empty:
                    look = 0.0
                if self.api.clock() >= look:
                    self._leave_behind()
                    look = self.api.clock() + LOOK
        except BaseException:
            self.api.stop()
            raise
        finally:
            for workers in self._workers.values():
                workers.close()
            self._workers.clear()

    def _take(self, key: str, answer: Answer | BaseException) -> None:
        waiting = self._known[key]
        if isinstance(waiting, Answer):  # it was left behind, and comes after all
            return
        self._finished += 1
        if isinstance(answer, BaseException):
            raise answer
        self._known[key] = answer
        for then in waiting:
            then(answer)

    def _leave_behind(self) -> None:
        """Answer, in its place, each request that hangs where no bound of a call holds: in a name's resolution, in headers."""
        latest = self.api.clock() - self.api.request_seconds
        for key, (request, since) in list(self._under_way.items()):
            if since < latest and self._under_way.pop(key, None):
                name = f"{request.service}:{request.operation}"
                error = ApiError(name, Failure.SILENT, "NoAnswer", f"no answer from {request.region}; it was not waited for")
                self.api.left_behind(error, request.service, request.region, request.operation)
                self._workers_of(request.service).replace()
                self._take(key, Answer((), datetime.now(UTC), error))

    def _workers_of(self, service: str) -> Workers:
        if service not in self._workers:
            self._workers[service] = Workers(service, self.api.at_once(service))
        return self._workers[service]

    def _make(self, key: str, request: Request) -> None:
        try:
            self.progress(f"{request.service}:{request.operation} in {request.region}", self._finished, self._asked)
            self._done.put((key, self._answer(key, request)))
        except BaseException as error:  # noqa: BLE001 - a thread's error is raised where the answer is waited for
            self._done.put((key, error))
        finally:
            self._under_way.pop(key, None)

    def _answer(self, key: str, request: Request) -> Answer:
        pages: list[Mapping[str, Any]] = []
        name = f"{request.service}:{request.operation}"
        error = None
        self._under_way[key] = request, self.api.clock()
        try:
            if name in self.custom:
                pages.append(self.custom[name]())
            else:
                for page in self.api.pages(request.service, request.operation, request.arguments, request.region):
                    pages.append(page)  # those before a page that fails stay
                    self._under_way[key] = request, self.api.clock()
        except ApiError as failed:
            error = failed
        return Answer(tuple(pages), datetime.now(UTC), error)
