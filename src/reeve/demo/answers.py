"""What the simulated account answers in moto's place: what moto lacks, and what the company's organisation denies."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from reeve.demo.people import DENIED
from reeve.demo.resources import BUCKET_DENIED, BUCKET_THAT_GOES, CLOSED, HOME, KEY_DENIED, REGIONS

MANY_NAMES = [f"{number}.partners.example" for number in range(100)]
"""As many names of a certificate as a list of certificates shows; this one has one more."""
CERTIFICATES: tuple[tuple[list[str], int, str], ...] = (
    (["www.shop.example", "shop.example"], 200, "RSA_2048"),
    (["old.shop.example"], -40, "EC_prime256v1"),
    (["api.shop.example"], 4, "RSA_2048"),
    (["*.shop.example"], 90, "RSA_2048"),
    (["login.shop.example", "*.login.shop.example"], 120, "EC_secp384r1"),
    (MANY_NAMES, 60, "RSA_4096"),
)
"""Names, days that are left, and kind of key."""
SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: service and region from its signature, the operation or path, its parameters."""

    service: str
    region: str
    operation: str
    path: str
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, environ: Mapping[str, Any], body: bytes) -> "Asked":
        """Return what a WSGI request asks."""
        scope = SCOPE.search(str(environ.get("HTTP_AUTHORIZATION", "")))
        region, service = scope.groups() if scope else ("", "")
        form = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
        query = str(environ.get("QUERY_STRING", ""))
        path = str(environ.get("PATH_INFO", "")) + (f"?{query}" if query else "")
        return cls(service, region, form.get("Action") or target, path, form)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body, and what kind of body it is."""

    status: str
    body: str
    kind: str = "text/xml"

    def send(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a WSGI request."""
        content = self.body.encode()
        start_response(self.status, [("content-type", self.kind), ("content-length", str(len(content)))])
        return [content]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers, once the account is made: its number, the credential report with its age, when each bucket was made."""

    account: str
    report: str
    reported_at: datetime
    now: datetime
    buckets: Mapping[str, datetime]

    def to(self, asked: Asked) -> Answer | None:
        """Return the answer to a request; None leaves it to moto."""
        if asked.region == CLOSED and asked.service != "sts":
            return self._closed(asked)
        match asked.service, asked.operation:
            case "iam", "GetCredentialReport":
                return self._credential_report()
            case "iam", "GetAccountSummary":
                return _query("GetAccountSummary", self._summary())
            case "iam", "ListServerCertificates":
                return _query("ListServerCertificates", self._server_certificates())
            case "iam", "ListAccessKeys" if asked.parameters.get("UserName") in DENIED:
                return _denied_query(asked, f"on user {asked.parameters['UserName']}")
            case "ec2", "DescribeRegions":
                items = "".join(f"<item><regionName>{region}</regionName></item>" for region in REGIONS)
                return _xml(f"<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>")
            case "access-analyzer", _:
                return _json({"analyzers": self._analyzers(asked.region)})
            case "account", _:
                return self._contact(asked)
            case "s3", _:
                return self._bucket(asked)
            case "acm", "ListCertificates":
                return _json({"CertificateSummaryList": self._certificates(asked.region)})
            case "acm", "DescribeCertificate":
                return _json({"Certificate": {"SubjectAlternativeNames": [*MANY_NAMES, "*.partners.example"]}})
            case _:
                return None

    def _closed(self, asked: Asked) -> Answer | None:
        allowed = ("DescribeRegions", "DescribeVpcs", "DescribeSecurityGroups", "GetEbsEncryptionByDefault", "DescribeTrails")
        if asked.operation in allowed or asked.service in ("iam", "s3"):
            return None
        if asked.service == "ec2":
            message = f"You are not authorized to perform: ec2:{asked.operation} with an explicit deny of the organisation."
            error = f"<Errors><Error><Code>UnauthorizedOperation</Code><Message>{message}</Message></Error></Errors>"
            return Answer("403 Forbidden", f"<Response>{error}<RequestID>demo</RequestID></Response>")
        if asked.service in ("rds", "sns"):
            return _denied_query(asked, "with an explicit deny of the organisation")
        message = f"not authorized to perform {asked.service}:{asked.operation} with an explicit deny of the organisation"
        return Answer(
            "400 Bad Request", json.dumps({"__type": "AccessDeniedException", "message": message}), "application/json"
        )

    def _credential_report(self) -> Answer:
        content = base64.b64encode(self.report.encode()).decode()
        time = f"<GeneratedTime>{self.reported_at:%Y-%m-%dT%H:%M:%SZ}</GeneratedTime>"
        return _query("GetCredentialReport", f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>{time}")

    def _summary(self) -> str:
        numbers = {"Users": 64, "Groups": 3, "Providers": 0, "AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0}
        numbers["AccountPasswordPresent"] = 1
        entries = "".join(f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in numbers.items())
        return f"<SummaryMap>{entries}</SummaryMap>"

    def _server_certificates(self) -> str:
        members = "".join(
            f"<member><Path>/</Path><ServerCertificateName>{name}</ServerCertificateName><ServerCertificateId>ASCA{name}"
            f"</ServerCertificateId><Arn>arn:aws:iam::{self.account}:server-certificate/{name}</Arn>"
            f"<UploadDate>{self.now - timedelta(days=900):%Y-%m-%dT%H:%M:%SZ}</UploadDate>"
            f"<Expiration>{self.now + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}</Expiration></member>"
            for name, days in (("legacy-shop", -300), ("partner-portal", 150))
        )
        return f"<ServerCertificateMetadataList>{members}</ServerCertificateMetadataList><IsTruncated>false</IsTruncated>"

    def _analyzers(self, region: str) -> list[dict[str, str]]:
        if region != HOME:
            return []
        arn = f"arn:aws:access-analyzer:{region}:{self.account}:analyzer/external"
        made = f"{self.now - timedelta(days=200):%Y-%m-%dT%H:%M:%SZ}"
        return [{"arn": arn, "name": "external", "type": "ACCOUNT", "status": "ACTIVE", "createdAt": made}]

    def _certificates(self, region: str) -> list[dict[str, Any]]:
        if region != HOME:
            return []
        arn = f"arn:aws:acm:{region}:{self.account}:certificate"
        found: list[dict[str, Any]] = [
            {
                "CertificateArn": f"{arn}/0",
                "DomainName": "new.shop.example",
                "SubjectAlternativeNameSummaries": ["new.shop.example"],
                "HasAdditionalSubjectAlternativeNames": False,
                "Status": "PENDING_VALIDATION",
                "Type": "AMAZON_ISSUED",
                "InUse": False,
            }
        ]
        for number, (names, days, key) in enumerate(CERTIFICATES, start=1):
            found.append(
                {
                    "CertificateArn": f"{arn}/{number}",
                    "DomainName": names[0],
                    "SubjectAlternativeNameSummaries": names[:100],
                    "HasAdditionalSubjectAlternativeNames": len(names) == len(MANY_NAMES),
                    "Status": "ISSUED" if days > 0 else "EXPIRED",
                    "NotAfter": (self.now + timedelta(days=days)).timestamp(),
                    "KeyAlgorithm": key,
                    "Type": "AMAZON_ISSUED",
                    "InUse": days > 0,
                }
            )
        return found

    def _contact(self, asked: Asked) -> Answer:
        if asked.path.startswith("/getAlternateContact"):
            contact = {"AlternateContactType": "SECURITY", "Name": "Security", "Title": "Team"}
            return _json(
                {"AlternateContact": {**contact, "EmailAddress": "security@shop.example", "PhoneNumber": "+49305550100"}}
            )
        return _json({"ContactInformation": {"FullName": "Shop", "City": "Berlin", "CountryCode": "DE"}})

    def _bucket(self, asked: Asked) -> Answer | None:
        bucket = asked.path.lstrip("/").partition("?")[0].partition("/")[0]
        if not bucket:
            return self._buckets()
        code = None
        if bucket == BUCKET_THAT_GOES:
            code = ("404 Not Found", "NoSuchBucket", "The specified bucket does not exist")
        elif bucket == BUCKET_DENIED:
            code = ("403 Forbidden", "AccessDenied", "Access Denied by the bucket's policy")
        if code is None:
            return None
        status, name, message = code
        return Answer(status, f"<Error><Code>{name}</Code><Message>{message}</Message></Error>", "application/xml")

    def _buckets(self) -> Answer:
        """Answer as moto does, with the regions, which it leaves out."""
        listed = "".join(
            f"<Bucket><Name>{name}</Name><CreationDate>{made:%Y-%m-%dT%H:%M:%S.000Z}</CreationDate>"
            f"<BucketRegion>{HOME}</BucketRegion></Bucket>"
            for name, made in self.buckets.items()
        )
        result = f"<ListAllMyBucketsResult><Owner><ID>shop</ID></Owner><Buckets>{listed}</Buckets></ListAllMyBucketsResult>"
        return Answer("200 OK", result, "application/xml")


def is_denied_key(asked: Asked, body: bytes, denied: str) -> bool:
    """Return whether a request is about the rotation of a key that the identity may not look at."""
    return asked.operation == "GetKeyRotationStatus" and denied.encode() in body


def denied_key() -> Answer:
    """Return the refusal for that key."""
    message = f"not authorized to perform kms:GetKeyRotationStatus on the key {KEY_DENIED}: its policy does not allow it"
    return Answer("400 Bad Request", json.dumps({"__type": "AccessDeniedException", "message": message}), "application/json")


def _xml(body: str) -> Answer:
    return Answer("200 OK", body)


def _json(body: Mapping[str, Any]) -> Answer:
    return Answer("200 OK", json.dumps(body), "application/json")


def _query(action: str, result: str) -> Answer:
    return _xml(f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>")


def _denied_query(asked: Asked, words: str) -> Answer:
    message = escape(f"not authorized to perform {asked.service}:{asked.operation} {words}")
    error = f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message>"
    return Answer("403 Forbidden", f"<ErrorResponse><Error>{error}</Error></ErrorResponse>")
