"""The one place that writes to standard output and standard error, and escapes what it writes.

No other module prints (`tests/test_outputs.py` holds it), so that no text of a repository, an account or a snapshot can steer a
terminal. No result depends on the streams: closed, full or left by their reader, they never change what a command does.
"""

import codecs
import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from reeve.masking import masked
from reeve.report.escaping import as_json, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


_PLAIN = {"█": "#", "▏": "|", "…": "...", "→": "->", "·": "-", "–": "-", "—": "-"}
"""What the signs that outputs draw with become where a stream knows no more than ASCII."""


class _Lenient(io.RawIOBase):
    """A stream's raw end: when it can't be written to any more, the rest is dropped, and `failure` says why."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.handle

    def isatty(self) -> bool:
        return os.isatty(self.handle)

    def write(self, data: Any, /) -> int:
        if self.failure is None:
            try:
                return os.write(self.handle, data)
            except OSError as error:
                self.failure = error
        return len(data)


def open_streams() -> None:
    """Put streams that never fail in the place of the standard ones.

    They write UTF-8 whatever the locale; what an encoding that was asked for (`PYTHONIOENCODING`) lacks is written out.
    """
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            # Else the next file that is opened would take its number, and what is printed would go into that file.
            os.dup2(os.open(os.devnull, os.O_RDWR), handle)
    codecs.register_error("reeve.plain", _plain)
    sys.stdout, sys.stderr = _lenient(1), _lenient(2)


def flush_streams() -> None:
    """Write out what standard output still holds; if it could not take all of it, say so, but of a reader that left."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, _Lenient) else None
    if failure is not None and failure.errno != errno.EPIPE:
        say(f"standard output: {(failure.strerror or '').lower()}; what was printed is not whole")


def _lenient(handle: int) -> TextIO:
    encoding = os.environ.get("PYTHONIOENCODING", "").partition(":")[0] or "utf-8"
    errors = "backslashreplace" if encoding.lower().replace("-", "") == "utf8" else "reeve.plain"
    buffer = io.BufferedWriter(_Lenient(handle), 1 << 16)
    return io.TextIOWrapper(buffer, encoding, errors, line_buffering=handle == 2 or os.isatty(handle))


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    shown = "".join(_PLAIN.get(letter) or _escaped(letter) for letter in error.object[error.start : error.end])
    return shown, error.end


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode()


def put(*lines: str) -> None:
    """Print lines on standard output; each stays one line, whatever is in it."""
    sys.stdout.write("".join(f"{visible(line)}\n" for line in lines))


def put_text(text: str) -> None:
    """Print lines that a renderer has escaped on standard output."""
    sys.stdout.write(text)


def put_json(data: Any) -> None:
    """Print data as JSON on standard output, which may know no more than ASCII."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write((json.dumps(data, indent=2) if ascii_only else as_json(data)) + "\n")


def put_content(pieces: "Iterable[bytes]") -> None:
    """Write a report that its renderer has escaped, UTF-8, to standard output."""
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)


def say(message: str) -> None:
    """Print one line on standard error, after the command's name."""
    complain(f"reeve: {message}")


def complain(*lines: str) -> None:
    """Print lines on standard error, without the passwords that addresses in them hold; each stays one line."""
    sys.stderr.write("".join(f"{visible(masked(line))}\n" for line in lines))
    sys.stderr.flush()


def complain_text(text: str) -> None:
    """Print a text of several lines, such as a traceback, on standard error."""
    complain(*text.splitlines())


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
