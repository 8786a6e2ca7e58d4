"""Secrets that addresses carry: an endpoint's, a proxy's or a master's URL may hold a user and a password."""

import re
from functools import lru_cache

# As greedy as the letters of an address go: a password may hold an @, a stroke or an apostrophe that nobody escaped.
_USER = re.compile(r"(?<=://)[^\s\"<>]*@")
_PARAMETER = re.compile(r"(?i)((?:token|password|secret|signature|\bsig)=)[^;&\s'\"<>]+")


@lru_cache(maxsize=1024)
def masked(text: str) -> str:
    """Return a text in which addresses show neither user nor password, nor a token among their parameters."""
    return _PARAMETER.sub(r"\1***", _USER.sub("***@", text))
