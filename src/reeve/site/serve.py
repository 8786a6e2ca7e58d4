"""Serves a built site on loopback, with a version that changes when the site is built again."""

import os
import re
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from reeve.files import read_plain

HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""The names of this machine. A page of another name that resolves to it (DNS rebinding) must not read the site."""
HTTP = 80
"""The port that a host may leave out."""
LONGEST_PATH = 4096
_ABSOLUTE = re.compile(r"http://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
PATIENCE = 30
"""Seconds after which a client that says nothing is left."""


class Server(ThreadingHTTPServer):
    """The server of one directory; `version` is what pages compare."""

    daemon_threads = True

    def __init__(self, directory: Path, port: int) -> None:
        """Listen on 127.0.0.1.

        Raises:
            OSError: the port is taken.
        """
        super().__init__(("127.0.0.1", port), partial(_Handler, directory=str(directory)))
        self.version = 0

    @property
    def address(self) -> str:
        """Where the site is."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def names(self, host: str) -> bool:
        """Return whether a request's host is this server: one of this machine's names, with the port."""
        port = self.server_address[1]
        return host.lower() in {f"{name}:{port}" for name in HOSTS} or (port == HTTP and host.lower() in HOSTS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let clients leave when they like; what else goes wrong is shown as the library does."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    timeout = PATIENCE

    @property
    def _own(self) -> Server:
        return cast("Server", self.server)

    def parse_request(self) -> bool:
        """Refuse what is not meant for this server, or is no path."""
        if not super().parse_request():
            return False
        hosts = self.headers.get_all("Host", [])
        absolute = _ABSOLUTE.fullmatch(self.path)
        if absolute:  # this form counts more than the header
            hosts, self.path = [absolute[1]], f"/{absolute[2].lstrip('/')}"
        if len(hosts) != 1 or not self._own.names(hosts[0].strip()):
            self._answer(421, "text/plain; charset=utf-8", b"This server answers to its own name only.\n")
            return False
        if not self._is_path():
            self.send_error(404)
            return False
        return True

    def _is_path(self) -> bool:
        if not self.path.startswith("/") or len(self.path) > LONGEST_PATH:
            return False
        try:
            return b"\0" not in os.fsencode(self.translate_path(self.path))
        except UnicodeEncodeError:
            return False

    def do_GET(self) -> None:
        """Answer with the version, or a file."""
        if self.path.partition("?")[0] == "/__version":
            self._answer(200, "text/plain", str(self._own.version).encode())
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        if self.path.partition("?")[0] == "/__version":
            self.do_GET()
        else:
            super().do_HEAD()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the site's own page where there is none."""
        page = Path(self.directory) / "404.html"
        if code == 404 and page.is_file():
            self._answer(404, "text/html; charset=utf-8", read_plain(page))
        else:
            super().send_error(code, message, explain)

    def list_directory(self, path: Any) -> None:
        """Show no directories: a folder without a page is no page."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Say that nothing is to be kept, and that a file is what its name says."""
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def _answer(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Print nothing."""


@contextmanager
def serving(directory: Path, port: int) -> Generator[Server]:
    """Serve a directory while the context lasts.

    Raises:
        OSError: the port is taken.
    """
    server = Server(directory, port)
    thread = threading.Thread(target=server.serve_forever, name="site", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
