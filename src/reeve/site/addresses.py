"""Where pages are: their addresses are the ids of what they show, and none lies outside the site."""

import hashlib
import re
from functools import lru_cache
from urllib.parse import quote

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\%:?*\"<>|]")
LONGEST = 200
"""How many bytes a part of a path may have on disk; a longer one is cut, and ends with a digest of the whole."""


def parts_of(identifier: str) -> tuple[str, ...]:
    """Return an id's parts as they are on disk: what could leave the site, or can't be a name, is written as %XX."""
    return tuple(_part(part) for part in identifier.strip("/").split("/") if part)


def _part(part: str) -> str:
    if part in (".", "..", "index.html"):
        return part.replace(".", "%2E")
    safe = _UNSAFE.sub(lambda found: f"%{ord(found.group()):02X}", part).encode("utf-8", "replace")
    if len(safe) > LONGEST:
        digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        safe = safe[: LONGEST - 17].decode("utf-8", "ignore").encode() + f"~{digest}".encode()
    return safe.decode()


def path_of(address: str) -> str:
    """Return the file of a page's address, from the site's root: `index.html` in a folder, or the file itself."""
    parts = "/".join(parts_of(address))
    if address.endswith("/"):
        return f"{parts}/index.html" if parts else "index.html"
    return parts


@lru_cache(maxsize=50_000)
def _quoted(path: str) -> tuple[int, str]:
    """Return how many parts a path has, and the path as links hold it; pages link to the same ones again and again."""
    parts = parts_of(path)
    return len(parts), "/".join(map(quote, parts))


def relative(source: str, target: str) -> str:
    """Return the link from the page at one address to another address, or to a file of the site."""
    depth, _ = _quoted(source.rpartition("/")[0])
    path, hash_, fragment = target.partition("#")
    up, there = "../" * depth, _quoted(path)[1]
    slash = "/" if path.endswith("/") and there else ""
    return (f"{up}{there}{slash}" or "./") + hash_ + quote(fragment)


def absolute(base: str, target: str) -> str:
    """Return the address of a page or file below a base, "" for the root of whatever host."""
    return f"{base.rstrip('/')}/{relative('/', target).removeprefix('./')}"
