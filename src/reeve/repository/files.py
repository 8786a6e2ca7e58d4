"""Files of a repository by their path from its root; nothing outside the root is ever read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reeve.language.errors import InvalidRepositoryError, Place, Problem
from reeve.language.source import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Files:
    """The files below a repository's root. Paths begin with `/`, which is the root."""

    root: Path

    def resolve(self, at: str, reference: str) -> str:
        """Return the path that a reference in the file `at` leads to: from the root if it begins with `/`, else beside it.

        Raises:
            ValueError: the reference leaves the repository, or there is no such file.
        """
        joined = reference if reference.startswith("/") else f"{at.rpartition('/')[0]}/{reference}"
        if not self._inside(joined):
            raise ValueError(f"the path {reference!r} leaves the repository")
        path = os.path.normpath(joined)
        if not (self.root / path.lstrip("/")).is_file():
            raise ValueError(f"there is no file {reference!r} (looked for {path})")
        return path

    def _inside(self, path: str) -> bool:
        depth = 0
        for part in path.strip("/").split("/"):
            depth += {"..": -1, "": 0, ".": 0}.get(part, 1)
            if depth < 0:
                return False
        root = self.root.resolve()
        return (root / path.lstrip("/")).resolve().is_relative_to(root)

    def exists(self, path: str) -> bool:
        """Return whether there is a file at a path inside the root."""
        return self._inside(path) and (self.root / path.lstrip("/")).is_file()

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            InvalidRepositoryError: there is no such file inside the root, or it can't be read, or is too large.
        """
        place = Place(path)
        if not self._inside(path):
            raise InvalidRepositoryError([Problem(place, "the path leaves the repository", "missing-file")])
        target = self.root / path.lstrip("/")
        try:
            size = target.stat().st_size
            if size > MAX_BYTES:
                message = f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read"
                raise InvalidRepositoryError([Problem(place, message, "too-large")])
            return target.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InvalidRepositoryError([Problem(place, f"can't be read: {reason}", "missing-file")]) from None

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
            raise InvalidRepositoryError([Problem(Place(path), f"not UTF-8: {error.reason}", "wrong-encoding")]) from None

    def walk(self, top: str) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield each directory below `top`, in order, with the names of its files; links to directories are not followed."""
        start = self.root / top.lstrip("/")
        for directory, folders, names in os.walk(start):
            folders.sort()
            relative = Path(directory).relative_to(self.root).as_posix()
            yield "/" if relative == "." else f"/{relative}", frozenset(names)
