"""Which calls may be made with the user's credentials: those that read, and give nothing that is a secret.

A repository names the calls, so that it must not be trusted to name harmless ones: those that may be made are listed, one by
one, in `reading_calls.txt`. `refusal` is asked when declarations are loaded, and once more when a call is made.
"""

from functools import cache
from importlib.resources import files
from typing import Any

OWN = frozenset({"sts:GetCallerIdentity", "iam:GenerateCredentialReport", "iam:GetCredentialReport"})
"""Calls that Reeve makes by itself; of these, only the last may be declared. The report that is made changes nothing else."""

_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag", "s3control": "s3"}
"""What IAM calls services, where it is not the name that requests are signed with."""

_ACTIONS = {
    "iam:GetCredentialReport": ("iam:GenerateCredentialReport", "iam:GetCredentialReport"),
    "s3:GetBucketAccelerateConfiguration": ("s3:GetAccelerateConfiguration",),
    "s3:GetBucketAcl": ("s3:GetBucketAcl",),
    "s3:GetBucketAnalyticsConfiguration": ("s3:GetAnalyticsConfiguration",),
    "s3:GetBucketCors": ("s3:GetBucketCORS",),
    "s3:GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "s3:GetBucketIntelligentTieringConfiguration": ("s3:GetIntelligentTieringConfiguration",),
    "s3:GetBucketInventoryConfiguration": ("s3:GetInventoryConfiguration",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketLocation": ("s3:GetBucketLocation",),
    "s3:GetBucketLogging": ("s3:GetBucketLogging",),
    "s3:GetBucketMetricsConfiguration": ("s3:GetMetricsConfiguration",),
    "s3:GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "s3:GetBucketOwnershipControls": ("s3:GetBucketOwnershipControls",),
    "s3:GetBucketPolicy": ("s3:GetBucketPolicy",),
    "s3:GetBucketPolicyStatus": ("s3:GetBucketPolicyStatus",),
    "s3:GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "s3:GetBucketRequestPayment": ("s3:GetBucketRequestPayment",),
    "s3:GetBucketTagging": ("s3:GetBucketTagging",),
    "s3:GetBucketVersioning": ("s3:GetBucketVersioning",),
    "s3:GetBucketWebsite": ("s3:GetBucketWebsite",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:ListBuckets": ("s3:ListAllMyBuckets",),
    "s3control:GetPublicAccessBlock": ("s3:GetAccountPublicAccessBlock",),
    "s3control:ListAccessPoints": ("s3:ListAccessPoints",),
}
"""The IAM actions of calls that are named otherwise, as the service authorization reference has them."""


_LIST = "reading_calls.txt"


@cache
def reading_calls() -> frozenset[str]:
    """Return the calls that a declaration may make, as `service:Operation`."""
    lines = files("reeve.collect.aws").joinpath(_LIST).read_text("utf-8").splitlines()
    return frozenset(name for line in lines if (name := line.partition("#")[0].strip()))


def refusal(name: str) -> str | None:
    """Return why a declaration may not make a call, `service:Operation`, or None if it may."""
    if name in reading_calls():
        return None
    return f"it is none of the calls listed in reeve/collect/aws/{_LIST}, which only read and give no secret"


def actions(name: str, operation: Any) -> tuple[str, ...]:
    """Return the IAM actions that a listed call needs.

    Args:
        name: the call, `service:Operation`.
        operation: botocore's model of it.
    """
    if name in _ACTIONS:
        return _ACTIONS[name]
    if name.partition(":")[0] in ("apigateway", "apigatewayv2"):  # its actions are HTTP's methods
        return ("apigateway:GET",)
    metadata = operation.service_model.metadata
    signed: str = metadata.get("signingName") or metadata["endpointPrefix"]
    return (f"{_PREFIXES.get(signed, signed)}:{operation.name}",)
