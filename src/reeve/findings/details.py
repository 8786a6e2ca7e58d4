"""One finding with all that it rests on: where the object is, why it was judged so, and how it is mended."""

from dataclasses import dataclass
from typing import Any

