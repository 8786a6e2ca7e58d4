"""Calls end: whatever comes, or doesn't, and however often. Real sockets where time or size is the answer's."""

import os
import socket
import threading
import time
from dataclasses import replace
from itertools import islice

import pytest

from account import Failure as Refusal
from reeve.collect.aws.api import Api
from reeve.collect.aws.bounds import USUAL, Bounds
from reeve.collect.aws.paging import read_pages
from reeve.collect.circuit import Circuit
from reeve.collect.failures import ApiError, Failure
from reeve.collect.requests import Request, Requests

SMALL = Bounds(
    call_seconds=5, connect_seconds=0.2, silence_seconds=0.2, body_seconds=0.3, body_bytes=100_000, rests=(0.001,), pages=50
)
ALWAYS = 10**9
GREETING = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"


class Peer:
    """Answers each connection with what `say` sends, and counts them."""

    def __init__(self, say):
        self.say, self.connections, self.open = say, 0, True
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def serve(self):
        while self.open:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection:
            try:
                connection.recv(65536)
                for piece in self.say():
                    if not self.open:
                        return
                    connection.sendall(piece)
            except OSError:
                """The other side has had enough."""

    def close(self):
        self.open = False
        self.socket.close()


@pytest.fixture
def peer():
    opened = []

    def start(say):
        opened.append(Peer(say))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def slowly(head, piece):
    def say():
        yield head
        while True:
            time.sleep(0.02)
            yield piece

    return say


def quickly(head, piece):
    def say():
        yield head
        while True:
            yield piece

    return say


def once(*pieces):
    return lambda: pieces


def silence():
    time.sleep(5)
    yield b""


BODIES = {
    "a byte at a time": (slowly(GREETING + b"Content-Length: 100000\r\n\r\n", b" "), Failure.SILENT, "BodyTooSlow", 2),
    "a byte at a time, in chunks": (
        slowly(GREETING + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        Failure.SILENT,
        "BodyTooSlow",
        2,
    ),
    "without end": (quickly(GREETING + b"Connection: close\r\n\r\n", b" " * 9999), Failure.OTHER, "BodyTooLarge", 1),
    "cut in the middle": (once(GREETING + b"Content-Length: 100\r\n\r\n{"), Failure.UNREADABLE, "ConnectionClosedError", 3),
    "cut in a chunk": (
        once(GREETING + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"),
        Failure.UNREADABLE,
        "ConnectionClosedError",
        3,
    ),
    "no answer": (silence, Failure.SILENT, "ReadTimeoutError", 2),
    "cut in the head": (once(b"HTTP/1.1 2"), Failure.UNREADABLE, "ConnectionClosedError", 3),
}


@pytest.mark.parametrize("name", BODIES)
def test_an_answer_that_does_not_come_whole_is_a_failure(peer, name):
    say, failure, code, tries = BODIES[name]
    served = peer(say)
    with pytest.raises(ApiError) as raised:
        Api(Api.at(served.address).session, "us-east-1", endpoint_url=served.address, bounds=SMALL).call("kms", "ListKeys")
    assert (raised.value.failure, raised.value.code) == (failure, code)
    assert raised.value.call == "kms:ListKeys"
    assert served.connections == tries


def test_a_head_that_never_ends_is_left_behind(peer, monkeypatch):
    """No bound of a socket holds there; the request is given up from outside, its thread replaced."""
    from reeve.collect import requests

    monkeypatch.setattr(requests, "LOOK", 0.05)
    served = peer(slowly(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"))
    bounds = replace(SMALL, call_seconds=0.2, silence_seconds=1)
    api = Api(Api.at(served.address).session, "us-east-1", endpoint_url=served.address, bounds=bounds)
    asked, answers = Requests(api, lambda *told: None), []
    asked.ask(Request("account", "GetAlternateContact", "us-east-1", {"AlternateContactType": "SECURITY"}), answers.append)
    asked.run()
    assert [(answer.error.failure, answer.error.code) for answer in answers] == [(Failure.SILENT, "NoAnswer")]


# Time that is given -----------------------------------------------------------------------------------------------------


class Time:
    """A clock that only rests move."""

    def __init__(self):
        self.now = 0.0
        self.rests = []

    def sleep(self, seconds):
        self.rests.append(seconds)
        self.now += seconds


@pytest.fixture
def timed(account, monkeypatch):
    """An API of the simulated account, with a clock that only rests move."""
    monkeypatch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda self, request, **rest: None)
    passed = Time()
    address = os.environ["AWS_ENDPOINT_URL"]
    api = Api(Api.at(address).session, "us-east-1", endpoint_url=address, sleep=passed.sleep, clock=lambda: passed.now)
    return api, passed


def failing(api, name="someone"):
    with pytest.raises(ApiError) as raised:
        api.call("iam", "ListAccessKeys", {"UserName": name})
    return raised.value


@pytest.mark.parametrize(
    ("code", "status", "failure", "tries"),
    [
        ("Throttling", 400, Failure.THROTTLED, 15),
        ("SomethingElse", 503, Failure.UNWELL, 8),
        ("AccessDenied", 403, Failure.DENIED, 1),
        ("NoSuchEntity", 404, Failure.OTHER, 1),
    ],
)
def test_a_call_is_tried_as_often_as_its_failure_deserves(account, timed, code, status, failure, tries):
    api, passed = timed
    account.failures["ListAccessKeys"] = Refusal(code, status, ALWAYS)
    assert failing(api).failure is failure
    assert account.counts["ListAccessKeys"] == tries
    assert passed.now <= USUAL.call_seconds


def test_what_is_throttled_for_ever_costs_one_deadline_not_one_for_each_object(account, timed):
    api, _ = timed
    account.failures["ListAccessKeys"] = Refusal("Throttling", 400, ALWAYS)
    for number in range(40):
        failing(api, f"user-{number}")
    assert account.counts["ListAccessKeys"] == 3 * 15 + 37
    account.failures.clear()
    account.add("someone", True)
    api.call("iam", "ListAccessKeys", {"UserName": "someone"})
    account.failures["ListAccessKeys"] = Refusal("Throttling", 400, 5)
    api.call("iam", "ListAccessKeys", {"UserName": "someone"})
    assert account.counts["ListAccessKeys"] == 3 * 15 + 37 + 1 + 6, "after an answer there is patience again"


def test_one_object_that_fails_is_not_the_service():
    circuit, place = Circuit(), ("iam", "us-east-1", "GetLoginProfile")
    silent = ApiError("iam:GetLoginProfile", Failure.SILENT, "ReadTimeoutError", "silence")
    circuit.failed(silent, *place)
    circuit.failed(silent, *place)
    assert circuit.refusal(*place) is None and not circuit.hurries(*place)
    circuit.answered(*place)
    circuit.failed(silent, *place)
    assert circuit.refusal(*place) is None


def test_an_operation_without_answers_is_given_up_and_the_service_is_not():
    circuit, place = Circuit(), ("iam", "us-east-1", "GetLoginProfile")
    for _ in range(3):
        circuit.failed(ApiError("", Failure.SILENT, "", ""), *place)
        circuit.answered("iam", "us-east-1", "ListUsers")
    assert "iam:GetLoginProfile gave no answer in us-east-1" in circuit.refusal(*place).message
    assert circuit.refusal("iam", "us-east-1", "ListUsers") is None


def test_a_service_that_gives_no_answer_is_given_up_in_that_region_only():
    circuit = Circuit()
    for operation in ("ListKeys", "ListAliases"):
        assert circuit.refusal("kms", "eu-west-1", "DescribeKey") is None
        circuit.failed(ApiError("", Failure.UNREACHABLE, "", ""), "kms", "eu-west-1", operation)
    refusal = circuit.refusal("kms", "eu-west-1", "DescribeKey")
    assert (refusal.call, refusal.code) == ("kms:*", "GivenUp")
    assert circuit.refusal("kms", "eu-west-2", "ListKeys") is None
    circuit.answered("kms", "eu-west-1", "DescribeKey")
    assert circuit.refusal("kms", "eu-west-1", "ListKeys") is None, "what answers once is not gone as a whole"
    assert circuit.refusal("ec2", "eu-west-1", "DescribeVpcs") is None


def test_what_is_wrong_and_not_silent_gives_up_nothing():
    circuit, place = Circuit(), ("kms", "eu-west-1", "DescribeKey")
    for _ in range(9):
        circuit.failed(ApiError("", Failure.UNREADABLE, "", ""), *place)
    assert circuit.refusal(*place) is None and circuit.hurries(*place)


# Pages ------------------------------------------------------------------------------------------------------------------

BY_FLAG = {"input_token": "Marker", "output_token": "Marker", "more_results": "IsTruncated"}
BY_TOKEN = {"input_token": "NextToken", "output_token": "NextToken"}


def flagged(token, more, *items):
    return {"Items": list(items), "IsTruncated": more, **({"Marker": token} if token else {})}


def tokened(token, *items):
    return {"Items": list(items), **({"NextToken": token} if token is not None else {})}


PAGES = {
    "one page": (BY_FLAG, [flagged(None, False, 1)], 1, None),
    "two pages": (BY_FLAG, [flagged("a", True, 1), flagged(None, False, 2)], 2, None),
    "a token, and no more": (BY_FLAG, [flagged("a", False, 1)], 1, None),
    "a token, and nothing of more": (BY_FLAG, [{"Items": [1], "Marker": "a"}, flagged(None, False, 2)], 2, None),
    "more without a token": (BY_FLAG, [flagged(None, True, 1)], 1, "MoreWithoutToken"),
    "an empty token": (BY_TOKEN, [tokened("", 1)], 1, None),
    "empty pages": (BY_TOKEN, [tokened("a"), tokened("b"), tokened(None, 1)], 3, None),
    "the same token": (BY_TOKEN, [tokened("a", 1), tokened("a", 2)], 2, "RepeatedToken"),
    "tokens in turn": (BY_TOKEN, [tokened("a", 1), tokened("b", 2), tokened("a", 3), tokened("b", 4)], 3, "RepeatedToken"),
    "the same page": (BY_TOKEN, [tokened("a", 1), tokened("b", 1)], 2, "RepeatedPage"),
    "without end": (BY_TOKEN, [tokened(str(number), number) for number in range(99)], 50, "TooManyPages"),
    "no pages are known": (None, [{"Items": [1]}], 1, None),
    "no pages are known, and there is more": (None, [tokened("a", 1)], 1, "MoreWithoutPages"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_list_is_read_to_its_end_or_said_not_to_be(name):
    declared, given, count, code = PAGES[name]
    asked, found = [], []

    def ask(arguments):
        asked.append(arguments)
        return given[len(asked) - 1]

    pages = read_pages("x:List", ask, declared, {"MaxItems": 5}, 50)
    found.extend(islice(pages, count))
    with pytest.raises(StopIteration if code is None else ApiError) as raised:
        next(pages)
    assert code is None or raised.value.code == code
    assert found == given[:count], "what was read stays"
    assert all(arguments["MaxItems"] == 5 for arguments in asked)
    if declared and count > 1:
        token = declared["output_token"]
        assert [arguments.get(token) for arguments in asked[1:]] == [page.get(token) for page in given[: count - 1]]


# Answers that are none ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"KeyMetadata": {"KeyId": "\\ud83d"}}', "UnicodeEncodeError"),
        ('{"KeyMetadata": {"CreationDate": "yesterday"}}', "ValueError"),
        ('{"KeyMetadata": {"CreationDate": 1e300}}', None),
        ('{"a":' * 9_000, "RecursionError"),
    ],
)
def test_what_no_parser_takes_is_the_failure_of_its_call(peer, body, code):
    content = body.encode()
    served = peer(once(GREETING + f"Content-Length: {len(content)}\r\n\r\n".encode() + content))
    api = Api(Api.at(served.address).session, "us-east-1", endpoint_url=served.address, bounds=SMALL)
    with pytest.raises(ApiError) as raised:
        api.call("kms", "DescribeKey", {"KeyId": "k"})
    assert raised.value.failure is Failure.UNREADABLE
    assert code is None or raised.value.code == code
    raised.value.message.encode()


def test_a_mistake_of_ours_is_not_taken_for_an_answer(peer):
    """Only the making of a call and the reading of its answer are guarded."""
    body = b'{"Keys": []}'
    served = peer(once(GREETING + f"Content-Length: {len(body)}\r\n\r\n".encode() + body))
    api = Api(Api.at(served.address).session, "us-east-1", endpoint_url=served.address, bounds=SMALL)
    requests = Requests(api, lambda *told: None)

    def then(answer):
        raise KeyError("a mistake")

    requests.ask(Request("kms", "ListKeys", "us-east-1", {}), then)
    with pytest.raises(KeyError, match="a mistake"):
        requests.run()
