"""Directories that are written as a whole: one process at a time, and a kill leaves what was there or what is new."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from reeve.inventory.manifest import SnapshotError

LOCK = ".lock"


@contextmanager
def writing(directory: Path) -> Generator[None]:
    """Hold a directory for writing a snapshot, made if it is not there; one process at a time.

    Raises:
        SnapshotError: it can't be made or written, or another process is writing to it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SnapshotError(f"can't write to {directory}: {(error.strerror or '').lower()}; choose another --out") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another reeve is writing to {directory}; wait for it, or choose another --out"
            raise SnapshotError(message) from None
        yield
    finally:
        os.close(handle)


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill, finds the old content or the new one.

    Raises:
        OSError: it could not be written; the old content is still there.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
