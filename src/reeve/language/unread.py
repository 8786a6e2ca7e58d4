"""How objects say what could not be read of them: marks that stand where values would, and are never values (decision 0004)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOT_COLLECTED = "_notCollected"
"""Where a snapshot's table and a test object keep the reasons for what could not be read, by field."""


@dataclass(frozen=True, slots=True)
class NotCollected:
    """Stands in an object for a field that could not be read, with the reason; never a value."""

    reason: str

    def __str__(self) -> str:
        return f"not collected: {self.reason}"


@dataclass(frozen=True, slots=True)
class PartlyCollected:
    """Stands in an object for a related list of which not everything could be read: what was read of it, and the reason."""

    rows: list[Mapping[str, Any]]
    reason: str

    def __str__(self) -> str:
        return f"partly collected: {self.reason}"
