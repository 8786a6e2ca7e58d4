"""Directories for the length of a run; what killed runs left behind, the next run removes."""

import fcntl
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "reeve-"
_OWN = re.compile(_PREFIX + r"[0-9a-f]{16}")


@contextmanager
def temporary() -> Generator[Path]:
    """Give a directory of this user's alone that is gone when the context ends, however it ends.

    Raises:
        OSError: it can't be made.
    """
    parent = Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    # It gets its name when it is locked: so whatever has such a name and is not locked was left by a killed run.
    made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent))
    directory = parent.joinpath(_PREFIX + secrets.token_hex(8))
    handle = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        made.rename(directory)
        yield directory
    finally:
        for path in (directory, made):
            shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def kept(directory: Path) -> Path:
    """Take a temporary directory out of its context's hands, for whoever asked for what is in it; return where it is now.

    Raises:
        OSError: it can't be moved.
    """
    return directory.rename(directory.with_name(f"reeve-result-{secrets.token_hex(4)}"))


def _remove_abandoned(parent: Path) -> None:
    """Remove the directories of runs that ended without doing so; another user's are let be."""
    for path in parent.glob(f"{_PREFIX}*"):
        if not _OWN.fullmatch(path.name):
            continue
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(handle).st_uid == os.getuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)
