"""Serves a built site on loopback, with a version that changes when the site is built again."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


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


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/__version":
            self._answer(200, "text/plain", str(getattr(self.server, "version", 0)).encode())
        else:
            super().do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the site's own page where there is none."""
        page = Path(self.directory) / "404.html"
        if code == 404 and page.is_file():
            self._answer(404, "text/html; charset=utf-8", page.read_bytes())
        else:
            super().send_error(code, message, explain)

    def list_directory(self, path: Any) -> None:
        """Show no directories: a folder without a page is no page."""
        self.send_error(404)

    def _answer(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
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
