"""Makes hostile text harmless where a terminal shows it. HTML is escaped by its templates, JSON by its encoder."""

import unicodedata

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return a text in one line, with control and formatting characters (escapes, bidirectional marks) written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in _HARMFUL else character for character in text
    )
