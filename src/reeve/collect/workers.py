"""Threads that make requests, a few for each service; one that hangs is left behind and keeps nothing from ending."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

Task = Callable[[], None]


@dataclass(slots=True)
class Workers:
    """Up to `limit` threads, started as tasks come. They are daemons: an interpreter that ends doesn't wait for them."""

    name: str
    limit: int
    _started: int = 0
    _tasks: "SimpleQueue[Task | None]" = field(default_factory=SimpleQueue["Task | None"])

    def submit(self, task: Task) -> None:
        """Have a task done, by the next thread that is free."""
        self._tasks.put(task)
        if self._started < self.limit:
            self._start()

    def replace(self) -> None:
        """Start a thread in the place of one that hangs."""
        self._start()

    def close(self) -> None:
        """Let the threads end once they are done with what they do; tasks that wait are not begun."""
        with suppress(Empty):
            while True:
                self._tasks.get_nowait()
        for _ in range(self._started):
            self._tasks.put(None)

    def _start(self) -> None:
        self._started += 1
        threading.Thread(target=self._work, name=f"reeve-{self.name}-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
