"""A simulated account for tests: IAM and STS over HTTP in the shapes of the public API reference.

moto's answers lack paging, root rows and stale or refused reports; here each can be set up.
"""

import base64
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

NUMBER = "123456789012"
COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)


def iso(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Key:
    id: str
    active: bool = True
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=200))
    last_used_at: datetime | None = None


@dataclass
class User:
    name: str
    keys: list[Key]
    created_at: datetime
    arn: str


@dataclass
class Failure:
    """The next `times` calls that `applies` to fail."""

    code: str
    status: int
    times: int
    applies: Callable[[dict[str, str]], bool] = lambda form: True


class Account:
    """The state of the account, the requests it counted, and what is to fail."""

    def __init__(self, partition: str = "aws", number: str = NUMBER):
        self.partition, self.number = partition, number
        self.aliases = ["example"]
        self.users: dict[str, User] = {}
        self.counts: Counter[str] = Counter()
        self.regions: set[str] = set()
        self.failures: dict[str, Failure] = {}
        self.report: str | None = None
        self.report_time = datetime.now(UTC)
        self.report_states = ["STARTED", "COMPLETE"]
        self.page_size = 1000
        self.on_call: Callable[[str, dict[str, str]], None] = lambda action, form: None
        self.lock = threading.Lock()
        self.delay = 0.0
        self.under_way = self.most_under_way = 0

    def add(self, name: str, *active: bool, days: float = 400, path: str = "/") -> User:
        number = len(self.users)
        keys = [Key(f"AKIA{number:06d}EXAMPLE{index}", state) for index, state in enumerate(active)]
        arn = f"arn:{self.partition}:iam::{self.number}:user{path}{name}"
        user = User(name, keys, datetime.now(UTC) - timedelta(days=days), arn)
        self.users[name] = user
        return user

    def freeze_report(self, age: timedelta = timedelta(hours=2)) -> None:
        """Make the report now, as if it had been made some time ago; later changes don't reach it."""
        self.report, self.report_time = self.make_report(), datetime.now(UTC) - age

    def make_report(self) -> str:
        root = f"<root_account>,arn:{self.partition}:iam::{self.number}:root,2015-01-01T00:00:00+00:00,not_supported,no_information,"
        lines = [
            COLUMNS,
            root + "not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A",
        ]
        for user in self.users.values():
            slots = [self.slot(key) for key in user.keys] + ["false,N/A,N/A,N/A,N/A"] * 2
            created = f"{user.created_at:%Y-%m-%dT%H:%M:%S+00:00}"
            name, arn = (f'"{text.replace(chr(34), chr(34) * 2)}"' for text in (user.name, user.arn))
            lines.append(f"{name},{arn},{created},false,N/A,N/A,N/A,false,{slots[0]},{slots[1]},false,N/A,false,N/A")
        return "\n".join(lines)

    @staticmethod
    def slot(key: Key) -> str:
        used = f"{iso(key.last_used_at)},eu-west-1,s3" if key.last_used_at else "N/A,N/A,N/A"
        return f"{str(key.active).lower()},{iso(key.created_at)},{used}"

    # Answers ---------------------------------------------------------------------------------------------------------

    def answer(self, form: dict[str, str]) -> tuple[int, str]:
        with self.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        time.sleep(self.delay)
        action = form["Action"]
        with self.lock:
            self.under_way -= 1
            self.counts[action] += 1
            self.on_call(action, form)
            failure = self.failures.get(action)
            if failure and failure.times > 0 and failure.applies(form):
                failure.times -= 1
                return failure.status, self.error(failure.code, "injected by the test")
            answer = getattr(self, f"do_{action}", None)
            return (400, self.error("InvalidAction", f"{action} is not simulated")) if answer is None else answer(form)

    @staticmethod
    def error(code: str, message: str) -> str:
        return (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            "<RequestId>request-of-the-test</RequestId></ErrorResponse>"
        )

    @staticmethod
    def result(action: str, content: str) -> tuple[int, str]:
        return 200, f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"

    def do_ListAccountAliases(self, form):
        members = "".join(f"<member>{escape(alias)}</member>" for alias in self.aliases)
        return self.result("ListAccountAliases", f"<AccountAliases>{members}</AccountAliases><IsTruncated>false</IsTruncated>")

    def do_GetCallerIdentity(self, form):
        arn = f"arn:{self.partition}:iam::{self.number}:user/auditor"
        return self.result("GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>{self.number}</Account>")

    def do_ListUsers(self, form):
        start, size = int(form.get("Marker", "0")), min(int(form.get("MaxItems", "100")), self.page_size)
        users = list(self.users.values())
        members = "".join(
            f"<member><UserName>{escape(user.name)}</UserName><Arn>{escape(user.arn)}</Arn><Path>/</Path><UserId>AIDA{number}</UserId>"
            f"<CreateDate>{iso(user.created_at)}</CreateDate></member>"
            for number, user in enumerate(users[start : start + size])
        )
        more = start + size < len(users)
        marker = f"<Marker>{start + size}</Marker>" if more else ""
        return self.result("ListUsers", f"<IsTruncated>{str(more).lower()}</IsTruncated>{marker}<Users>{members}</Users>")

    def do_GenerateCredentialReport(self, form):
        state = self.report_states.pop(0) if len(self.report_states) > 1 else self.report_states[0]
        return self.result("GenerateCredentialReport", f"<State>{state}</State>")

    def do_GetCredentialReport(self, form):
        report = self.report if self.report is not None else self.make_report()
        time = self.report_time if self.report is not None else datetime.now(UTC)
        content = base64.b64encode(report.encode()).decode()
        return self.result(
            "GetCredentialReport",
            f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>{iso(time)}</GeneratedTime>",
        )

    def do_ListAccessKeys(self, form):
        user = self.users.get(form["UserName"])
        if user is None:
            return 404, self.error("NoSuchEntity", f"The user with name {form['UserName']} cannot be found.")
        members = "".join(
            f"<member><UserName>{escape(user.name)}</UserName><AccessKeyId>{key.id}</AccessKeyId>"
            f"<Status>{'Active' if key.active else 'Inactive'}</Status><CreateDate>{iso(key.created_at)}</CreateDate></member>"
            for key in user.keys
        )
        metadata = f"<AccessKeyMetadata>{members}</AccessKeyMetadata>"
        return self.result("ListAccessKeys", f"<IsTruncated>false</IsTruncated>{metadata}")

    def do_GetLoginProfile(self, form):
        return 404, self.error("NoSuchEntity", f"Login Profile for User {form['UserName']} cannot be found.")

    def do_GetAccessKeyLastUsed(self, form):
        key = next(key for user in self.users.values() for key in user.keys if key.id == form["AccessKeyId"])
        used = f"<LastUsedDate>{iso(key.last_used_at)}</LastUsedDate>" if key.last_used_at else ""
        where = ("eu-west-1", "s3") if used else ("N/A", "N/A")
        content = f"{used}<Region>{where[0]}</Region><ServiceName>{where[1]}</ServiceName>"
        return self.result("GetAccessKeyLastUsed", f"<AccessKeyLastUsed>{content}</AccessKeyLastUsed>")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: values[0] for key, values in parse_qs(body, keep_blank_values=True).items()}
        account: Account = self.server.account
        account.regions.add(self.headers.get("Authorization", "").partition("Credential=")[2].split("/")[2])
        status, text = account.answer(form)
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    """Serves an account on loopback."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, account: Account):
        super().__init__(("127.0.0.1", 0), Handler)
        self.account = account
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that goes away in the middle of an answer is no error here."""

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()
