"""Files of a repository by their path from its root; nothing outside the root is ever read, and only plain files are."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reeve.files import open_plain
from reeve.language.errors import InvalidRepositoryError, Position, Problem
from reeve.language.logic import BadReferenceError
from reeve.language.source import MAX_BYTES

MAX_DEPTH = 32
"""How many parts a path from the root may have: more than any repository needs, few enough to walk by recursion."""


@lru_cache(maxsize=8)
def _real(root: Path) -> str:
    return os.path.realpath(root)


def _invalid(path: str, message: str, code: str) -> InvalidRepositoryError:
    return InvalidRepositoryError([Problem(Position(path), message, code)])


def depth_of(identifier: str) -> int:
    """Return how many parts a path or an id has."""
    return identifier.strip("/").count("/") + 1


@dataclass(frozen=True, slots=True)
class Files:
    """The files below a repository's root. Paths begin with `/`, which is the root."""

    root: Path

    def resolve(self, at: str, reference: str) -> str:
        """Return the path that a reference in the file `at` leads to: from the root if it begins with `/`, else beside it.

        Raises:
            BadReferenceError: the reference leaves the repository, or there is no such file.
        """
        joined = reference if reference.startswith("/") else f"{at.rpartition('/')[0]}/{reference}"
        if not self._inside(joined):
            raise BadReferenceError("outside-repository", f"the path {reference!r} leaves the repository")
        path = os.path.normpath(joined)
        if not self.exists(path):
            raise BadReferenceError("missing-file", f"there is no file {reference!r} (looked for {path})")
        return path

    def _on_disk(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))

    def _inside(self, path: str) -> bool:
        depth = 0
        for part in path.strip("/").split("/"):
            depth += {"..": -1, "": 0, ".": 0}.get(part, 1)
            if depth < 0:
                return False
        if "\0" in path:
            return False
        real = os.path.realpath(self._on_disk(path))
        return real == _real(self.root) or real.startswith(_real(self.root).rstrip(os.sep) + os.sep)

    def exists(self, path: str) -> bool:
        """Return whether there is a file at a path; reading it says so when it is no plain one, or leads out of the root."""
        target = self._on_disk(path)
        return os.path.lexists(target) and not os.path.isdir(target)

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            InvalidRepositoryError: there is no such file inside the root, or it can't be read, is too large, or is no plain
                file: a pipe, a device or a socket could keep a reader waiting for ever.
        """
        if not self._inside(path):
            raise _invalid(path, "the path leaves the repository", "outside-repository")
        try:
            with open_plain(Path(self._on_disk(path))) as file:
                size = os.fstat(file.fileno()).st_size
                if size > MAX_BYTES:
                    raise _invalid(path, f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read", "too-large")
                return file.read(MAX_BYTES)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise _invalid(path, f"can't be read: {reason}", "missing-file") from None

    def text(self, path: str) -> str | None:
        """Return a text file's content, or None when there is no such file.

        Raises:
            InvalidRepositoryError: the file can't be read, or is not UTF-8.
        """
        if not self.exists(path):
            return None
        try:
            return self.read(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _invalid(path, f"not UTF-8: {error.reason}", "not-utf-8") from None

    def walk(self, top: str) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield each directory below `top`, in order, with the names of its files; links to directories are not followed.

        Raises:
            InvalidRepositoryError: a directory can't be read, or lies too deep.
        """
        pending = [top.rstrip("/")]
        while pending:
            directory = pending.pop()
            try:
                with os.scandir(self._on_disk(directory)) as entries:
                    found = sorted((entry.name, entry.is_dir(follow_symlinks=False), os.path.isdir(entry)) for entry in entries)
            except OSError as error:
                if directory == top.rstrip("/") and isinstance(error, FileNotFoundError | NotADirectoryError):
                    return
                reason = (error.strerror or str(error)).lower()
                raise _invalid(directory or "/", f"the directory can't be read: {reason}", "missing-file") from None
            folders = [f"{directory}/{name}" for name, own, _ in found if own]
            if folders and depth_of(directory) >= MAX_DEPTH:
                raise _invalid(folders[0], f"nested deeper than {MAX_DEPTH} directories", "too-deep")
            pending.extend(reversed(folders))
            yield directory or "/", frozenset(name for name, _, linked in found if not linked)
