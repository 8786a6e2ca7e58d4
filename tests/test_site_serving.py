"""`site serve` answers under its own names only, and nothing that a client or the repository does ends it."""

import http.client
import json
import socket
import struct
import urllib.request

import pytest

from reeve.site.serve import serving
from test_site import tiny


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = tmp_path_factory.mktemp("served") / "site"
    (site / "ce").mkdir(parents=True)
    (site / "index.html").write_text("home")
    (site / "ce" / "index.html").write_text("policies")
    (site / "404.html").write_text("There is no such page")
    with serving(site, 0) as server:
        yield server


def asked(server, request):
    """Send a request as it is and return the answer's status and body."""
    with socket.create_connection(server.server_address, timeout=20) as client:
        client.sendall(request)
        answer = http.client.HTTPResponse(client, method=request.partition(b" ")[0].decode())
        answer.begin()
        return answer.status, answer.read()


def request(server, path, host=None, method="GET"):
    port = server.server_address[1]
    return f"{method} {path} HTTP/1.1\r\nHost: {f'127.0.0.1:{port}' if host is None else host}\r\n\r\n".encode()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LocalHost"])
def test_its_own_names(served, name):
    port = served.server_address[1]
    assert asked(served, request(served, "/", f"{name}:{port}")) == (200, b"home")
    assert asked(served, request(served, f"http://{name}:{port}/ce/", "evil.example")) == (200, b"policies")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{}", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1.evil:{}", "a@127.0.0.1:{}"]
)
@pytest.mark.parametrize("path", ["/", "/__version", "/ce/", "/nothing"])
def test_other_names(served, host, path):
    host = host.format(served.server_address[1])
    assert asked(served, request(served, path, host))[0] == 421
    assert asked(served, request(served, f"http://{host}{path}"))[0] in (404, 421)


def test_no_name_and_two_names(served):
    port = served.server_address[1]
    assert asked(served, b"GET / HTTP/1.1\r\n\r\n")[0] == 421
    assert asked(served, f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil\r\n\r\n".encode())[0] == 421


ODD = [
    "/%00",
    "/a%00b/",
    "/" + "x" * 300,
    "/" + "x/" * 3000,
    "/%ED%A0%80",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "*",
    "x",
]
ODD += ["//evil.example/", "/[", "/ce/index.html/", "/%", "/\u00e9", "http://", "/ce/%0d%0aX: y"]


@pytest.mark.parametrize("path", ODD)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_odd_paths(served, path, method, capfd):
    status, body = asked(served, request(served, path, method=method))
    assert status in (400, 404, 421) and b"root:" not in body and (method == "GET" or not body)
    assert asked(served, request(served, "/")) == (200, b"home")
    assert capfd.readouterr() == ("", "")


def test_head_and_other_methods(served):
    for path, length in (("/", "4"), ("/__version", "1")):
        connection = http.client.HTTPConnection(*served.server_address)
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.headers["Content-Length"]) == (200, b"", length)
    assert asked(served, request(served, "/", method="POST"))[0] == 501


def test_clients_that_leave(served, capfd):
    for sent in (b"", b"GET", b"GET / HTTP/1.1\r\nHo", request(served, "/"), request(served, "/__version")):
        client = socket.create_connection(served.server_address)
        client.sendall(sent)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves with a reset
        client.close()
    assert asked(served, request(served, "/")) == (200, b"home")
    assert capfd.readouterr() == ("", "")


def test_a_bad_file_of_moves_is_said_and_the_old_pages_stay(reeve_process, tmp_path):
    repository = tiny(tmp_path / "repo")
    process = reeve_process("site", "serve", "--repo", repository, "--port", 0)
    try:
        address = process.stdout.readline().split()[0]
        read = lambda path: urllib.request.urlopen(address + path).read().decode()  # noqa: E731
        for content in ("{", '{"/ce/x/p": "/ce/x"}', '{"/old": "/nowhere"}', "\ud800"):
            (repository / "moved.json").write_bytes(content.encode("utf-8", "surrogatepass"))
            assert "/moved.json" in process.stderr.readline()
            assert "Plain" in read("ce/x/p/") and read("__version") == "0"
        (repository / "moved.json").write_text(json.dumps({"/ce/old": "/ce/x/p"}))
        while read("__version") == "0":
            pass
        assert "It is now at" in read("ce/old/")
    finally:
        process.terminate()
        process.communicate(timeout=20)
