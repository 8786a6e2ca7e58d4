"""Directories and files that are written as a whole: one process at a time, and a kill leaves what was there or what is new."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from reeve.files import inside, open_plain
from reeve.inventory.manifest import MANIFEST, SnapshotError

LOCK = ".lock"
SNAPSHOT_FOLDER, OUTCOMES_FOLDER = "snapshot", "outcomes"
OUTCOMES = "outcomes.json"
RUN = re.compile(r"run-[0-9a-f]{12}")
REPORT = re.compile(r"report\.[a-z0-9-]+")
"""In an output directory: the folder of a scan's snapshot, that of outcomes with their manifest and runs, the reports."""
_PAUSE = 0.1
"""Seconds between two tries to hold a directory that another process holds."""
_BEGUN = re.compile(r"\..+-[0-9a-f]{12}\.begun")


@contextmanager
def writing(directory: Path, patience: float = 0) -> Generator[None]:
    """Hold a directory for writing, made if it is not there; one process at a time. What a killed one began is removed.

    Args:
        directory: the directory.
        patience: for how many seconds to wait for another process that is writing to it.

    Raises:
        SnapshotError: it can't be made or written, or another process is writing to it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = _locked(directory, time.monotonic() + patience)
    except OSError as error:
        raise SnapshotError(f"can't write to {directory}: {(error.strerror or '').lower()}; choose another --out") from None
    try:
        for path in directory.iterdir():
            if _BEGUN.fullmatch(path.name):
                path.unlink(missing_ok=True)
        yield
    finally:
        # While it is still held: nobody else can have taken the lock that this name leads to.
        (directory / LOCK).unlink(missing_ok=True)
        os.close(handle)


def _locked(directory: Path, deadline: float) -> int:
    """Return the open lock of a directory; `deadline` is until when to wait for it, by the monotonic clock.

    Raises:
        OSError: it can't be made.
        SnapshotError: another process holds it.
    """
    while True:
        handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(directory / LOCK, handle):
                return handle
        except BlockingIOError:
            os.close(handle)
            if time.monotonic() < deadline:
                time.sleep(_PAUSE)
                continue
            message = f"another reeve is writing to {directory}; wait for it, or choose another --out"
            raise SnapshotError(message) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder has removed it meanwhile: the name leads to another file, or to none


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with open_plain(path) as file:
        os.fsync(file.fileno())


def sha256(path: Path) -> str:
    """Return a plain file's SHA-256 in hexadecimal digits.

    Raises:
        OSError: it can't be read, or is no plain file.
    """
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill, finds the old content or the new one; who may read it, the umask says.

    Raises:
        OSError: it could not be written; the old content is still there.
    """
    replace_files(path.parent, {path.name: (content,)})


def replace_files(directory: Path, contents: Mapping[str, Iterable[bytes]]) -> None:
    """Write files of one directory, which belong together: none of the old is ever beside one of the new.

    Args:
        directory: where to; it is there.
        contents: by file name, in pieces, so that none need be held in memory.

    Raises:
        OSError: they could not be written; the old ones are still there.
    """
    begun: dict[str, Path] = {}
    try:
        for name, content in contents.items():
            begun[name] = inside(directory, f".{name}-{secrets.token_hex(6)}.begun")
            _write(begun[name], content)
        for name in contents if len(contents) > 1 else ():
            inside(directory, name).unlink(missing_ok=True)
        for name, part in begun.items():
            part.replace(inside(directory, name))
    except BaseException:
        for part in begun.values():
            with suppress(OSError):
                part.unlink()
        raise


def snapshot_directory(given: Path) -> Path:
    """Return where the snapshot lies: the directory itself, or `snapshot` in a scan's output."""
    nested = given / SNAPSHOT_FOLDER
    return nested if not (given / MANIFEST).exists() and nested.is_dir() else given


def remove_results(out: Path) -> None:
    """Remove the reports and the outcomes of an output directory: the snapshot that they are of is about to be replaced.

    Raises:
        OSError: one can't be removed.
    """
    outcomes = out / OUTCOMES_FOLDER
    (outcomes / OUTCOMES).unlink(missing_ok=True)
    remove_reports(out)
    for path in outcomes.iterdir() if outcomes.is_dir() else ():
        if RUN.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def remove_reports(out: Path) -> None:
    """Remove the reports of an output directory: the outcomes that they are of are about to be replaced.

    Raises:
        OSError: one can't be removed.
    """
    for path in out.iterdir():
        if REPORT.fullmatch(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)


def _write(path: Path, content: Iterable[bytes]) -> None:
    # 0o666 less the umask, as for any file that a program makes.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    with os.fdopen(handle, "wb") as file:
        for piece in content:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def why(error: OSError) -> str:
    """Return what went wrong, in small letters, as part of a sentence."""
    return (error.strerror or os.strerror(error.errno or errno.EIO)).lower()
