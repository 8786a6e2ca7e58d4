"""Serves the demo's account in a process of its own, with requests recorded and, on demand, refused.

`GET /__requests` gives the requests since the last time as [service, region, operation, arguments]. `POST /__rules` sets what
fails, as a list of {service, region, operation, words, times, status, code}: what is left out fits everything. `POST /__allow`
with a list of IAM actions lets moto enforce them for an identity, whose keys are the answer. `POST /__answers` with a list of
{service, region, operation, bodies} gives these bodies in turn, the last one for ever.
"""

import io
import json
import sys
import threading
import urllib.request
from collections.abc import Iterable
from contextlib import contextmanager

from reeve.demo.answers import Asked
from reeve.demo.company import ACCOUNT, simulated_account

# Calls that moto answers wrongly, does not know, or can't enforce (it names their actions otherwise than the Service
# Authorization Reference, or refuses their signatures): by service and words of the operation or path.
UNENFORCED = (
    ("access-analyzer", "/analyzer", "access-analyzer:ListAnalyzers"),
    ("account", "/getAlternateContact", "account:GetAlternateContact"),
    ("elasticfilesystem", "/file-systems", "elasticfilesystem:DescribeFileSystems"),
    ("securityhub", "/accounts", "securityhub:DescribeHub"),
    ("monitoring", "DescribeAlarms", "cloudwatch:DescribeAlarms"),
    ("s3", "/v20180820/configuration/publicAccessBlock", "s3:GetAccountPublicAccessBlock"),
    ("s3", "/?", "s3:ListAllMyBuckets"),
    ("s3", "?object-lock", "s3:GetBucketObjectLockConfiguration"),
    ("s3", "?publicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("iam", "GetCredentialReport", "iam:GetCredentialReport"),
    ("iam", "GetAccountSummary", "iam:GetAccountSummary"),
    ("iam", "ListServerCertificates", "iam:ListServerCertificates"),
    ("ec2", "DescribeRegions", "ec2:DescribeRegions"),
    ("acm", "ListCertificates", "acm:ListCertificates"),
    ("acm", "DescribeCertificate", "acm:DescribeCertificate"),
)


class Watched:
    """A WSGI application that records what is asked of another one."""

    def __init__(self, application):
        self.application, self.requests, self.rules, self.lock = application, [], [], threading.Lock()
        self.bodies = []
        self.allowed = None

    def __call__(self, environ, start_response) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ["PATH_INFO"]
        if path.startswith("/__"):
            return self.control(path, body, start_response)
        if path.startswith("/moto-api"):
            return self.application(environ, start_response)
        asked = Asked.of(environ, body)
        if asked.service == "":
            return self.application(environ, start_response)
        target = asked.operation or asked.path
        with self.lock:
            self.requests.append([asked.service, asked.region, target, body.decode("utf-8", "replace")])
            rule = next((rule for rule in self.rules if fits(rule, asked, target, body)), None)
            if rule is not None:
                rule["times"] -= 1
                return answer(start_response, rule["status"], error(asked, rule["code"]))
        given = next((one for one in self.bodies if fits({"times": 1, **one}, asked, target, body)), None)
        if given is not None:
            with self.lock:
                text = given["bodies"].pop(0) if len(given["bodies"]) > 1 else given["bodies"][0]
            return answer(start_response, 200, text)
        action = next((action for service, words, action in UNENFORCED if service == asked.service and words in target), None)
        if self.allowed is None or action is None:
            return self.application(environ, start_response)
        if action not in self.allowed:
            return answer(start_response, 403, error(asked, "AccessDenied", f"not allowed: {action}"))
        return self.without_enforcement(environ, start_response)

    def without_enforcement(self, environ, start_response):
        from moto import settings

        with self.lock:
            settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
            try:
                return list(self.application(environ, start_response))
            finally:
                settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0

    def control(self, path, body, start_response):
        found = None
        with self.lock:
            if path == "/__requests":
                found, self.requests = self.requests, []
            elif path == "/__rules":
                self.rules = [{"times": 10**9, "status": 403, "code": "AccessDenied", **rule} for rule in json.loads(body)]
            elif path == "/__answers":
                self.bodies = json.loads(body)
        if path == "/__allow":
            found = self.allow(json.loads(body))
        return answer(start_response, 200, json.dumps(found))

    def allow(self, actions):
        from moto.core.responses import ActionAuthenticatorMixin
        from moto.iam.models import iam_backends

        backend = iam_backends[ACCOUNT]["aws"]
        backend.create_user("us-east-1", "scanner")
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        backend.put_user_policy("scanner", "scan", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        key = backend.create_access_key("scanner")
        self.allowed = set(actions)
        ActionAuthenticatorMixin.request_count = 0
        from moto import settings

        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0
        return [key.access_key_id, key.secret_access_key]


def fits(rule, asked, target, body):
    same = all(rule.get(key) in (None, value) for key, value in (("service", asked.service), ("region", asked.region)))
    named = rule.get("operation") is None or target.startswith(rule["operation"])
    return rule["times"] > 0 and same and named and rule.get("words", "") in body.decode("utf-8", "replace") + asked.path


def error(asked, code, message="injected by the test"):
    if asked.service in ("iam", "sts", "rds", "sns"):
        return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error><RequestId>test</RequestId></ErrorResponse>"
    if asked.service == "ec2":
        return f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>test</RequestID></Response>"
    if asked.service == "s3":
        return f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>test</RequestId></Error>"
    return json.dumps({"__type": code, "message": message})


def answer(start_response, status, text):
    body = text.encode()
    start_response(f"{status} Text", [("content-type", "text/plain"), ("content-length", str(len(body)))])
    return [body]


class Company:
    """The served account, as tests speak to it."""

    def __init__(self, address):
        self.address = address

    def _send(self, path, data=None):
        body = None if data is None else json.dumps(data).encode()
        with urllib.request.urlopen(f"{self.address}{path}", data=body) as found:
            return json.loads(found.read())

    def requests(self):
        """Return the requests since the last time."""
        return self._send("/__requests")

    def rules(self, *rules):
        """Set what fails."""
        self._send("/__rules", list(rules))

    def answers(self, *answers):
        """Set what is answered in moto's place."""
        self._send("/__answers", list(answers))

    def allow(self, actions):
        """Let only some actions be allowed, to the identity whose keys are returned."""
        return self._send("/__allow", actions)


@contextmanager
def serving():
    """Serve the account in a process of its own while the context lasts."""
    import subprocess

    process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Company(process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


if __name__ == "__main__":
    with simulated_account(Watched) as address:
        print(address, flush=True)
        sys.stdin.read()
