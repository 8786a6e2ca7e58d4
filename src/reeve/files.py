"""Files by names that others chose: a path never leaves its root, and what is read is a plain file."""

import errno
import os
import re
import stat
from io import BufferedReader
from pathlib import Path

_DRIVE = re.compile(r"[A-Za-z]:")


def inside(root: Path, name: str) -> Path:
    """Return the path below a root that a name means, which came from a manifest, a bucket, a snapshot or a repository.

    All such paths are made here (`tests/test_architecture.py` holds it).

    Args:
        root: the directory that the path must not leave.
        name: parts parted by strokes.

    Raises:
        OSError: the name is empty, absolute or a drive's, has an empty part, `.` or `..`, holds a NUL or a backslash, or
            symbolic links below the root lead out of it; `filename` is the name.
    """
    parts = name.split("/")
    odd = "\0" in name or "\\" in name or any(map(_DRIVE.match, parts))
    if odd or not {"", ".", ".."}.isdisjoint(parts):
        raise OSError(errno.EINVAL, "A name that could leave its directory", name)
    path = root.joinpath(*parts)
    real = os.path.realpath(root)
    if not os.path.realpath(path).startswith(real.rstrip(os.sep) + os.sep):
        raise OSError(errno.ELOOP, "A link that leaves its directory", name)
    return path


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file for reading, never waiting for anyone: pipes, devices, sockets and directories are refused.

    Raises:
        OSError: it can't be opened, or is no plain file.
    """
    try:
        # Without O_NONBLOCK opening a pipe waits until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except ValueError:
        raise OSError(errno.EINVAL, "A name that no file can have", str(path)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "Not a plain file", str(path))
    return os.fdopen(handle, "rb")


def read_plain(path: Path) -> bytes:
    """Return the content of a plain file.

    Raises:
        OSError: it can't be read, or is no plain file.
    """
    with open_plain(path) as file:
        return file.read()
