"""The one place that writes to standard output and standard error, and escapes what it writes.

No other module prints (`tests/test_outputs.py` holds it), so that no text of a repository, an account or a snapshot can steer a
terminal.
"""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from reeve.report.escaping import as_json, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def prepare() -> None:
    """Make standard streams write UTF-8 whatever the locale; what an encoding that was asked for lacks is written out."""
    asked = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding=asked or "utf-8", errors="backslashreplace")


def put(*lines: str) -> None:
    """Print lines on standard output; each stays one line, whatever is in it."""
    sys.stdout.write("".join(f"{visible(line)}\n" for line in lines))


def put_text(text: str) -> None:
    """Print lines that a renderer has escaped on standard output."""
    sys.stdout.write(text)


def put_json(data: Any) -> None:
    """Print data as JSON on standard output."""
    sys.stdout.write(as_json(data) + "\n")


def put_content(content: bytes) -> None:
    """Write a report that its renderer has escaped, UTF-8, to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def flush() -> None:
    """Pass on what was printed."""
    sys.stdout.flush()


def say(message: str) -> None:
    """Print one line on standard error, after the command's name."""
    complain(f"reeve: {message}")


def complain(*lines: str) -> None:
    """Print lines on standard error; each stays one line."""
    sys.stderr.write("".join(f"{visible(line)}\n" for line in lines))
    sys.stderr.flush()


def stdout_is_terminal() -> bool:
    """Return whether a person reads standard output."""
    return sys.stdout.isatty()


def stderr_is_terminal() -> bool:
    """Return whether a person reads standard error."""
    return sys.stderr.isatty()


def text(*parts: str, style: str = "", overflow: str | None = None, separator: str = "") -> "Text":
    """Return a text for a console: nothing in it is markup, and each part stays in one line."""
    from rich.text import Text

    shown = separator.join(map(visible, parts))
    return Text(shown, style=style, overflow=overflow)  # pyright: ignore[reportArgumentType]


def joined(parts: "Iterable[Text]", separator: str) -> "Text":
    """Return texts as one, with a separator of ours between them."""
    from rich.text import Text

    return Text(separator).join(parts)


def error_console() -> "Console":
    """Return a console on standard error."""
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False)


def console(color: bool) -> "Console":
    """Return a console on standard output: 80 columns in a pipe, no colours where they are not wanted (`NO_COLOR` too)."""
    from rich.console import Console

    width = None if stdout_is_terminal() else 80
    return Console(
        file=sys.stdout,
        width=width,
        no_color=not color,
        color_system="auto" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
