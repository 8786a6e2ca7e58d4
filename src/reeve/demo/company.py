"""A believable small company in a simulated AWS account, served on loopback.

The account's credential report is two hours old, as reports are; since then a user was mended, one deleted, one made.
"""

import io
import os
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from reeve.demo import people, resources
from reeve.demo.answers import Answers, Asked, denied_key, is_denied_key

PROVIDER = "aws"
ACCOUNT = "210987654321"


class _Account:
    """moto's application; once the account is made, some requests are answered in its place."""

    def __init__(self, application: Callable[..., Iterable[bytes]]):
        self.application = application
        self.answers: Answers | None = None
        self.denied_key = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.answers is None:
            return self.application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        asked = Asked.of(environ, body)
        answer = denied_key() if is_denied_key(asked, body, self.denied_key) else self.answers.to(asked)
        return self.application(environ, start_response) if answer is None else answer.send(start_response)


def _report_of(backend: Any, now: datetime) -> str:
    header, *rows = backend.get_credential_report().splitlines()
    root = [
        *("<root_account>", f"arn:aws:iam::{ACCOUNT}:root", f"{now - timedelta(days=3100):%Y-%m-%dT%H:%M:%S+00:00}"),
        *("not_supported", f"{now - timedelta(days=12):%Y-%m-%dT%H:%M:%S+00:00}", "not_supported", "not_supported", "true"),
        *("false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "false", "N/A"),
    ]
    return "\n".join([header, ",".join(root), *rows]) + "\n"


Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@contextmanager
def simulated_account(around: Callable[[Application], Application] = lambda application: application) -> Generator[str]:
    """Serve the company's account on loopback while the context lasts.

    Args:
        around: puts a WSGI application around the account's, for whoever wants to see or change what goes through.

    Yields:
        The address to use as endpoint.

    Raises:
        ImportError: moto, of the extra `demo`, is not installed.
    """
    # moto's own sessions would look for the user's profile; nothing of the user's configuration is read here.
    hidden = {name: os.environ.pop(name) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in os.environ}
    os.environ.setdefault("MOTO_ACCOUNT_ID", ACCOUNT)
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    import botocore.session  # pyright: ignore[reportMissingTypeStubs]
    from moto import server as moto_server  # pyright: ignore[reportMissingTypeStubs]
    from moto.iam.models import iam_backends  # pyright: ignore[reportMissingTypeStubs]
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
            """Print nothing: the requests are counted where they are made."""

    moto: Any = moto_server
    account = _Account(moto.DomainDispatcherApplication(moto.create_backend_app))
    server = make_server("127.0.0.1", 0, around(account), threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, name="simulated account", daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        backends: Any = iam_backends
        now, backend = datetime.now(UTC), backends[ACCOUNT]["aws"]
        people.populate(backend, now)
        nobody = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, os.devnull, None))
        session: Any = botocore.session.Session(session_vars={**nobody, "profile": (None, None, None, None)})
        session.set_credentials("demo", "demo")
        clients = resources.Clients(session, address)
        resources.populate(clients, ACCOUNT)
        account.denied_key = resources.key_named(clients, resources.KEY_DENIED)
        backend.generate_report()
        report = _report_of(backend, now)
        people.change_since_report(backend, now)
        for policy in backend.managed_policies.values():
            policy.policy_name = policy.name  # moto's list of everything in IAM leaves the names of policies out
        buckets = {one["Name"]: one["CreationDate"] for one in clients("s3").list_buckets()["Buckets"]}
        account.answers = Answers(ACCOUNT, report, now - timedelta(hours=2), now, buckets)
        yield address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        os.environ.update(hidden)
