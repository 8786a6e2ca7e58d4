"""Replaces a directory as a whole: whoever looks, and whatever is killed, finds the old one or the new one.

What is to take its place is made beside it, in a directory of a fixed name that is locked while somebody writes in it. What a
killed process left there is thrown away by the next.
"""

import ctypes
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class BusyError(Exception):
    """Another process is writing the same directory."""


@contextmanager
def beside(target: Path) -> Generator[Path]:
    """Give an empty directory beside a target to prepare things in, which nobody else has and which is gone afterwards.

    Args:
        target: a directory, or nothing yet; no symbolic link.

    Raises:
        BusyError: another process has that directory.
        OSError: it can't be made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    directory = target.with_name(f".{target.name}.reeve")
    handle = _taken(directory)
    try:
        if not target.exists() and _moved_away(target).is_dir():
            _moved_away(target).rename(target)
        _emptied(directory)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(handle)


def _taken(directory: Path) -> int:
    """Make a directory, or take one that was left, and lock it; the lock ends with the process."""
    try:
        try:
            directory.mkdir()
        except FileExistsError:
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:  # another process, which had it, has just put it in place or removed it
        raise BusyError(str(directory)) from None
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), directory.lstat()):  # else another process has just put it in place
            return handle
    os.close(handle)
    raise BusyError(str(directory))


def _emptied(directory: Path) -> None:
    for entry in list(os.scandir(directory)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def swap(new: Path, target: Path) -> None:
    """Put a directory in another's place, which takes its name if there was one; whoever looks sees the one or the other.

    Raises:
        OSError: it can't be done; the target is as it was.
    """
    if target.is_dir():
        new.chmod(stat.S_IMODE(target.stat().st_mode))
    try:
        new.rename(target)  # there was none, or an empty one
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        _exchange(new, target)


def _exchange(new: Path, target: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        names = os.fsencode(new), os.fsencode(target)
        if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(number, os.strerror(number), str(target))
    # Where two names can't be exchanged there are two steps; after a kill between them the next build goes the first one back.
    old = _moved_away(target)
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    old.rename(new)


def _moved_away(target: Path) -> Path:
    return target.with_name(f".{target.name}.reeve-before")


def carried(source: Path, to: Path) -> None:
    """Make a file of one tree be in another too, without copying it where the disk can do that.

    Raises:
        OSError: it can't be done.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, to, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV):
            raise
        shutil.copy2(source, to, follow_symlinks=False)
