"""The users, groups, roles and policies of the company, put into moto's own store."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

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
    "terraform": ((True, 640, 45.8), (True, 130, 0.2)),
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


def populate(backend: Any, now: datetime) -> None:
    """Make the users with their keys, passwords and second factors, the groups, roles and policies; name the account."""
    backend.create_account_alias("shop-production")
    names = [*PEOPLE, *SERVICES]
    for number, name in enumerate(names):
        special = name in (*DENIED, MENDED)
        keys = ((True, 300, 3), (True, 40, 1)) if special else OFFENDERS.get(name, _ordinary(number))
        _add_user(backend, name, "/service/" if name in SERVICES else "/people/", keys, now)
    _add_user(backend, DELETED, "/people/", ((True, 500, 60), (True, 450, 61)), now)
    _passwords(backend, now)
    _groups_and_roles(backend)


def _passwords(backend: Any, now: datetime) -> None:
    """Give people passwords and second factors: most of them, as it is in life."""
    for number, name in enumerate(PEOPLE):
        if number % 6 == 5:
            continue
        backend.create_login_profile(name, "a password of 20 letters")
        user = backend.users[name]
        user.password_last_used = now - timedelta(days=120 if number % 8 == 7 else 1 + number % 30)
        if number % 7 != 3:
            device = f"arn:aws:iam::{user.account_id}:mfa/{name}"
            backend.enable_mfa_device(name, device, "123456", "654321")


def _groups_and_roles(backend: Any) -> None:
    aws = "arn:aws:iam::aws:policy"
    for group, policy in (("developers", "PowerUserAccess"), ("auditors", "SecurityAudit"), ("operations", "ReadOnlyAccess")):
        backend.create_group(group)
        backend.attach_group_policy(f"{aws}/{policy}", group)
    for number, name in enumerate(PEOPLE):
        backend.add_user_to_group(("developers", "operations", "auditors")[number % 3], name)
    backend.put_user_policy("terraform", "everything-it-needs", _document("ec2:*", "*"))
    backend.put_user_policy("ci-deploy", "deploy", _document("s3:PutObject", "arn:aws:s3:::shop-assets/*"))
    backend.attach_user_policy(f"{aws}/AmazonS3FullAccess", "data-lake-loader")
    for name, document, attached in (
        ("break-glass", _document("*", "*"), True),
        ("old-admin", _document("*", "*"), False),
        ("key-desk", _document(["iam:CreateAccessKey", "iam:UpdateAccessKey"], "*"), True),
        ("role-hopper", _document("sts:AssumeRole", "arn:aws:iam::*:role/*"), True),
        ("own-keys", _document("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"), True),
        ("deploy", _document(["ecs:UpdateService", "ecs:DescribeServices"], "*"), True),
    ):
        policy = backend.create_policy("", "/", document, name, {})
        if attached:
            backend.attach_group_policy(policy.arn, "operations")
    backend.create_role("support", _trust(), "/", None, "", {}, "3600")
    backend.attach_role_policy(f"{aws}/AWSSupportAccess", "support")
    backend.create_role("administrator", _trust(), "/", None, "", {}, "3600")
    backend.attach_role_policy(f"{aws}/AdministratorAccess", "administrator")
    backend.create_role("web", _trust(), "/", None, "", {}, "3600")
    backend.create_instance_profile("web", "/", {})
    backend.add_role_to_instance_profile("web", "web")
    backend.update_account_password_policy(True, False, 90, 12, 5, True, True, True, True)


def _document(actions: str | list[str], resources: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _trust() -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


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


def change_since_report(backend: Any, now: datetime) -> None:
    """Mend a user, delete one and make one, of which the credential report does not know yet."""
    backend.update_access_key(MENDED, backend.list_access_keys(MENDED)[0].access_key_id, "Inactive")
    for key in list(backend.list_access_keys(DELETED)):
        backend.delete_access_key(key.access_key_id, DELETED)
    backend.delete_user(DELETED)
    _add_user(backend, ADDED, "/people/", ((True, 0, None), (True, 0, None)), now)
    backend.users[ADDED].create_date = now - timedelta(minutes=40)
