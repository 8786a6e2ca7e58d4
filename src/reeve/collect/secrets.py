"""Which texts of answers are secrets, by their names; they are left out where answers are taken in."""

import re
from functools import cache

SECRET = re.compile(
    r"(?i:(password|passphrase|secret|secretaccesskey|secretkey|secretstring|secretbinary|privatekey|plaintext|keymaterial"
    r"|credentials?|seed|passworddata|userdata|signed\w*url|downloadurl|authkey|apikey"
    r"|(environment)?variables|connectionproperties)$)"
    r"|^(?!.*(?i:next|client|continuation|request|page|pagination|idempotency|creation))(.*[tT]oken)$"
)
"""Names of texts and bytes that are secrets; tokens of pages and of repeated requests are none."""


@cache
def is_secret_name(name: str) -> bool:
    """Return whether a text or bytes of this name are taken for a secret."""
    return SECRET.search(name) is not None
