"""Waits for files to change."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

INTERVAL = 0.5
"""Seconds between two looks; a repository of some thousand files is looked through in a few hundredths."""


def _state(root: Path) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            try:
                status = os.lstat(path)
            except OSError:  # gone meanwhile, or not to be read: then it is as if it was not there
                continue
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


def changes(root: Path) -> Iterator[None]:
    """Yield each time a file below `root` has been added, changed or removed since this was called; ends never."""
    return _changes(root, _state(root))


def _changes(root: Path, before: dict[str, tuple[int, int]]) -> Iterator[None]:
    while True:
        time.sleep(INTERVAL)
        after = _state(root)
        if after != before:
            before = after
            yield
