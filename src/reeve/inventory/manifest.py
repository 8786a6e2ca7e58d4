"""The manifest of a snapshot: whose it is, when it was taken, which calls were made, what could not be read."""

from datetime import datetime

import msgspec

SCHEMA = "reeve.snapshot/1"


class CollectionError(msgspec.Struct, frozen=True, rename="camel"):
    """Calls that failed in the same way. `subjects` are some of the objects they were about, `count` how many calls."""

    call: str
    code: str
    message: str
    advice: str
    count: int = 1
    request_id: str | None = None
    subjects: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True, rename="camel"):
    """A table of a snapshot: its file beside the manifest, its number of rows, the file's SHA-256."""

    file: str
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What a snapshot says of itself. Times are UTC; `calls` counts requests by action, retries included."""

    schema: str
    reeve_version: str
    account: str
    partition: str
    started_at: datetime
    finished_at: datetime
    calls: dict[str, int]
    errors: tuple[CollectionError, ...]
    notes: tuple[str, ...]
    tables: dict[str, Table]

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for could be read."""
        return not self.errors
