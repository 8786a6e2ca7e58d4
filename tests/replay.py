"""The demo's answers, recorded once and given again without a server; with a fault, if one is asked for.

botocore's way to the network is what is replaced: requests are made and signed, answers taken in and parsed by the real code.
"""

import io
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import botocore.awsrequest
import botocore.httpsession
import pytest
import urllib3

from reeve.cli.working import open_repository
from reeve.collect.aws.api import Api
from reeve.collect.aws.bounds import USUAL
from reeve.collect.aws.provider import AwsAccount
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.write_outcomes import write_outcomes
from reeve.findings.completeness import completeness
from reeve.findings.scan import collect_part, collecting, production_programs
from reeve.inventory.directory import writing
from reeve.inventory.snapshot import write_snapshot
from reeve.model import Status
from reeve.repository.selection import select_policies

ADDRESS = "http://127.0.0.1:1"
SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
QUICK = replace(USUAL, call_seconds=0.05, rests=(0.0005,), polls=(0.001,), pages=200)
"""Rests that take no time; how often a call is made stays."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, and the operation that it is of; `length` is what its head says, where that is not true."""

    service: str
    operation: str
    status: int
    headers: dict[str, str]
    body: bytes
    length: int | None = None

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


Fault = Callable[[Answer, int], Answer]
"""Makes of an answer what comes in its place; the number counts the requests of the operation in a region."""


def key_of(request) -> tuple[str, str, str]:
    """Return what tells requests apart: region and service, path and query, body."""
    scope = SCOPE.search(str(request.headers.get("Authorization", "")))
    path = request.url.partition("://")[2].partition("/")[2]
    body = request.body or b""
    target = str(request.headers.get("X-Amz-Target", ""))
    return "/".join(scope.groups()) if scope else "", f"{path} {target}", body if isinstance(body, str) else body.decode()


@dataclass
class Recording:
    """Answers by request; `operations` names the operation of each request."""

    answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict)

    @cached_property
    def operations(self) -> dict[str, list[Answer]]:
        found: dict[str, list[Answer]] = {}
        for answer in self.answers.values():
            found.setdefault(answer.name, []).append(answer)
        return found


def response(request, answer: Answer):
    """Return an answer as botocore's session gives it, its body not read yet."""
    headers = {**answer.headers, "content-length": str(len(answer.body) if answer.length is None else answer.length)}
    raw = urllib3.HTTPResponse(io.BytesIO(answer.body), headers, answer.status, preload_content=False, request_method="POST")
    return botocore.awsrequest.AWSResponse(request.url, answer.status, raw.headers, raw)


def record(address: str) -> Recording:
    """Scan an account twice, once with everything read live, and return all answers."""
    recording, current = Recording(), threading.local()
    send = botocore.httpsession.URLLib3Session.send

    def recorded(session, request):
        found = send(session, request)
        body = b"".join(found.raw.stream())
        kind = found.headers.get("content-type", "text/xml")
        answer = Answer(*current.name, found.status_code, {"content-type": kind}, body)
        recording.answers[key_of(request)] = answer
        return response(request, answer)

    def named(event_name, **details):
        _, service, operation = event_name.split(".")
        current.name = scans.services[service], operation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.httpsession.URLLib3Session, "send", recorded)
        scans = Scans(recording, address)
        scans.session.register("before-send", named)
        for live in (False, True):
            scans.scan(scans.programs, live)
    return recording


@dataclass
class Found:
    """What a scan found: verdicts by policy and object with the object's type, and the manifest."""

    verdicts: dict[tuple[str, str], Status]
    types: dict[tuple[str, str], str]
    manifest: object


class Scans:
    """Scans in this process, with the recorded answers; clients and compiled policies are made once."""

    def __init__(self, recording: Recording, address: str = ADDRESS):
        self.recording = recording
        self.repository = open_repository(None)
        self.programs = production_programs(self.repository, select_policies(self.repository, (), None))
        first = Api.at(address)
        self.session, self.address, self.clients = first.session, address, {}

    @cached_property
    def services(self) -> dict[str, str]:
        """botocore's names of the services that are used, by the names that its events have for them."""
        calls = [call for recipe in collecting(self.repository, self.programs).values() for call in calls_of(recipe)]
        names = {"sts", "ec2", "iam", *(call.service for call in calls)}
        return {self.session.get_service_model(name).service_id.hyphenize(): name for name in names}

    @cached_property
    def policies(self) -> dict[str, dict[str, object]]:
        """The policies that need an operation, by its name."""
        found: dict[str, dict[str, object]] = {}
        for policy_id, program in self.programs.items():
            for recipe in collecting(self.repository, {policy_id: program}).values():
                names = {call.name for call in calls_of(recipe)} | {"sts:GetCallerIdentity", "iam:ListAccountAliases"}
                names |= {"ec2:DescribeRegions"} if recipe.collect.regional else set()
                names |= {"iam:GenerateCredentialReport"} if "iam:GetCredentialReport" in names else set()
                for name in names:
                    found.setdefault(name, {})[policy_id] = program
        return found

    def scan(self, programs, live=False, directory: Path | None = None) -> Found:
        api = Api(self.session, "us-east-1", endpoint_url=self.address, bounds=QUICK, _clients=self.clients)
        account, chosen = AwsAccount(api, live), collecting(self.repository, programs)
        with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as outcomes:
            target = directory or Path(made)
            with writing(target):
                part = collect_part("aws", account, chosen, self.repository, programs, lambda *told: None)
                manifest = write_snapshot(target, [part])
            verdicts, types = {}, {}
            with Snapshot(target, self.repository.object_type) as snapshot:
                unjudged = completeness(manifest, programs, self.repository).unjudged
                programs = {name: program for name, program in programs.items() if name not in unjudged}
                with write_outcomes(Path(outcomes), None, snapshot, programs) as found:
                    for name, program in programs.items():
                        for one in found.judgements(name, program.meanings):
                            verdicts[name, one.id] = program.meanings[one.code].status
                            types[name, one.id] = program.body.object_type.id
        return Found(verdicts, types, manifest)

    @contextmanager
    def answering(self, operation: str | None = None, fault: Fault | None = None) -> Iterator[None]:
        """Give the recorded answers; those of an operation that are none of refusals with a fault."""
        counts: dict[str, int] = {}
        firsts: dict[str, Answer] = {}

        def send(session, request):
            key = key_of(request)
            answer = self.recording.answers.get(key) or firsts.get(f"{key[0]} {key[1]} {current(key)}")
            if answer is None:
                raise botocore.httpsession.EndpointConnectionError(endpoint_url=request.url, error="was not recorded")
            if fault is not None and answer.name == operation and answer.status < 300:
                firsts.setdefault(f"{key[0]} {key[1]} {current(key)}", answer)
                counts[key[0]] = counts.get(key[0], 0) + 1
                answer = fault(answer, counts[key[0]])
            return response(request, answer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(botocore.httpsession.URLLib3Session, "send", send)
            patch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda self, request, **rest: None)
            yield


def calls_of(recipe):
    """Return the calls that a recipe may make."""
    return [source.call for source in recipe.collect.sources if source.call] + [recipe.collect.calls[n] for n in recipe.calls]


def current(key: tuple[str, str, str]) -> str:
    """Return the operation that a form names, to find the answer to a request with a token that was not recorded."""
    found = re.search(r"Action=\w+", key[2])
    return found.group() if found else ""
