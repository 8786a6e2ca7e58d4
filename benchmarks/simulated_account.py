"""Serve a simulated account with N users on loopback: of every 20, 3 have two active keys. Prints its address.

usage: python simulated_account.py N
`GET /__counts` answers the number of requests since it was last asked.
"""

import sys
from datetime import UTC, datetime

import moto.server
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from werkzeug.serving import WSGIRequestHandler, make_server

KEYS = [()] * 3 + [(True,)] * 10 + [(False,)] * 2 + [(True, True)] * 3 + [(False, True)] * 2
MOTO_REPORT_TIME = b"2015-02-02T20:02:02Z"


class Silent(WSGIRequestHandler):
    def log(self, *arguments):
        pass


class Account:
    def __init__(self, application):
        self.application = application
        self.requests = 0

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/__counts":
            body, self.requests = str(self.requests).encode(), 0
            start_response("200 OK", [("content-type", "text/plain"), ("content-length", str(len(body)))])
            return [body]
        self.requests += 1
        # moto dates every report 2015; the two dates are equally long.
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}".encode()
        return (part.replace(MOTO_REPORT_TIME, now) for part in self.application(environ, start_response))


def main() -> None:
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for number in range(int(sys.argv[1])):
        name = f"user-{number:05d}"
        backend.create_user("us-east-1", name)
        for active in KEYS[number % len(KEYS)]:
            key = backend.create_access_key(name)
            if not active:
                backend.update_access_key(name, key.access_key_id, "Inactive")
    application = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)
    server = make_server("127.0.0.1", 0, Account(application), threaded=True, request_handler=Silent)
    print(f"ready at http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
