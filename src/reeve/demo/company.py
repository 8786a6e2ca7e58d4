"""A believable small company in a simulated AWS account, served on loopback.

The account's credential report is two hours old, as reports are; since then a user was mended, one deleted, one made.
"""

import base64
import io
import os
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

ACCOUNT = "210987654321"

PEOPLE = (
    *("anna.kowalski", "ben.okafor", "carla.ruiz", "dmitri.volkov", "elena.popescu", "farid.haddad", "grace.lim"),
    *("hugo.martin", "ines.almeida", "jonas.berg", "kavya.iyer", "liam.byrne", "mei.tanaka", "noor.rahman"),
    *("oskar.nowak", "priya.nair", "quentin.dubois", "rosa.garcia", "samir.khan", "tove.lind", "uma.desai"),
    *("viktor.horvat", "wanda.zielinska", "ximena.soto", "yusuf.demir", "zoe.papadakis", "zoë.müller"),
)
SERVICES = (
    *("backup-agent", "billing-export", "ci-deploy", "cms-uploader", "crm-sync", "data-lake-loader", "dns-updater"),
    *("email-relay", "etl-nightly", "fleet-telemetry", "grafana-reader", "helpdesk-bot", "image-resizer", "invoice-printer"),
    *("log-shipper", "ml-training", "mobile-push", "payments-gateway", "pim-export", "search-indexer", "shop-frontend"),
    *("sms-sender", "stock-feed", "terraform", "translation-jobs", "vault-unsealer", "warehouse-scanner", "web-analytics"),
    *("wiki-backup", "legacy-ftp", "old-erp", "partner-acme"),
)
# Of each key: whether it is active, its age in days, and how many days ago it was last used (None: never).
Key = tuple[bool, int, float | None]
OFFENDERS: dict[str, tuple[Key, ...]] = {
    "ci-deploy": ((True, 412, 0.05), (True, 21, 0.01)),
    "terraform": ((True, 640, 95), (True, 130, 0.2)),
    "partner-acme": ((True, 1210, 700), (True, 1180, None)),
    "dmitri.volkov": ((True, 33, None), (True, 30, 2)),
    "old-erp": ((True, 2900, None), (True, 2870, 1300)),
    "data-lake-loader": ((True, 88, 1), (True, 12, None)),
}
DENIED = ("vault-unsealer", "payments-gateway")
MENDED, DELETED, ADDED = "etl-nightly", "former.contractor", "new.analyst"


def _ordinary(number: int) -> tuple[Key, ...]:
    """Return the keys of a user who is no offender: none, one, one of two active, or inactive ones."""
    old = 20 + number * 37 % 900
    return (
        (),
        ((True, old, 1 + number % 40),),
        ((True, old, None),),
        ((False, old, 100),),
        ((False, old + 60, 90), (True, old, 0.5)),
        ((False, old + 60, None), (False, old, 200)),
    )[(0, 1, 1, 2, 1, 4, 3, 1, 0, 5)[number % 10]]


def _populate(backend: Any, now: datetime) -> None:
    names = [*PEOPLE, *SERVICES]
    for number, name in enumerate(names):
        special = name in (*DENIED, MENDED)
        keys = ((True, 300, 3), (True, 40, 1)) if special else OFFENDERS.get(name, _ordinary(number))
        _add_user(backend, name, "/service/" if name in SERVICES else "/people/", keys, now)
    _add_user(backend, DELETED, "/people/", ((True, 500, 60), (True, 450, 61)), now)


def _add_user(backend: Any, name: str, path: str, keys: Iterable[Key], now: datetime) -> None:
    from moto.iam.models import AccessKeyLastUsed  # pyright: ignore[reportMissingTypeStubs]

    user = backend.create_user("us-east-1", name, path)
    user.create_date = now - timedelta(days=3000)
    for active, age, used in keys:
        key = backend.create_access_key(name)
        key.create_date = now - timedelta(days=age)
        if used is not None:
            key.last_used = AccessKeyLastUsed(now - timedelta(days=used), "s3", "eu-central-1")
        if not active:
            backend.update_access_key(name, key.access_key_id, "Inactive")


def _change_since_report(backend: Any, now: datetime) -> None:
    backend.update_access_key(MENDED, backend.list_access_keys(MENDED)[0].access_key_id, "Inactive")
    for key in list(backend.list_access_keys(DELETED)):
        backend.delete_access_key(key.access_key_id, DELETED)
    backend.delete_user(DELETED)
    _add_user(backend, ADDED, "/people/", ((True, 0, None), (True, 0, None)), now)
    backend.users[ADDED].create_date = now - timedelta(minutes=40)


class _Account:
    """moto's application with what it lacks: a report with a root row and an age, and users that may not be read."""

    def __init__(self, application: Callable[..., Iterable[bytes]], report: str, generated_at: datetime):
        self.application = application
        self.report = report
        self.generated_at = generated_at

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        action = form.get("Action")
        if action == "GetCredentialReport":
            content = base64.b64encode(self.report.encode()).decode()
            result = (
                f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>"
                f"<GeneratedTime>{self.generated_at:%Y-%m-%dT%H:%M:%SZ}</GeneratedTime>"
            )
            answer = f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
            return _answer(start_response, "200 OK", answer)
        if action == "ListAccessKeys" and form.get("UserName") in DENIED:
            message = f"not authorized to perform iam:ListAccessKeys on user {form['UserName']} with an explicit deny"
            error = f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message>"
            return _answer(start_response, "403 Forbidden", f"<ErrorResponse><Error>{error}</Error></ErrorResponse>")
        return self.application(environ, start_response)


def _answer(start_response: Callable[..., Any], status: str, text: str) -> list[bytes]:
    body = text.encode()
    start_response(status, [("content-type", "text/xml"), ("content-length", str(len(body)))])
    return [body]


def _report_of(backend: Any, now: datetime) -> str:
    header, *rows = backend.get_credential_report().splitlines()
    root = [
        *("<root_account>", f"arn:aws:iam::{ACCOUNT}:root", f"{now - timedelta(days=3100):%Y-%m-%dT%H:%M:%S+00:00}"),
        *("not_supported", "no_information", "not_supported", "not_supported", "true"),
        *("false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "false", "N/A"),
    ]
    return "\n".join([header, ",".join(root), *rows]) + "\n"


@contextmanager
def simulated_account() -> Generator[str]:
    """Serve the company's account on loopback while the context lasts.

    Yields:
        The address to use as endpoint.

    Raises:
        ImportError: moto, of the extra `demo`, is not installed.
    """
    os.environ.setdefault("MOTO_ACCOUNT_ID", ACCOUNT)
    from moto import server as moto_server  # pyright: ignore[reportMissingTypeStubs]
    from moto.iam.models import iam_backends  # pyright: ignore[reportMissingTypeStubs]
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
            """Print nothing: the requests are counted where they are made."""

    backends: Any = iam_backends
    now, backend = datetime.now(UTC), backends[ACCOUNT]["aws"]
    _populate(backend, now)
    backend.generate_report()
    report = _report_of(backend, now)
    _change_since_report(backend, now)
    moto: Any = moto_server
    account = _Account(moto.DomainDispatcherApplication(moto.create_backend_app), report, now - timedelta(hours=2))
    server = make_server("127.0.0.1", 0, account, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, name="simulated account", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
