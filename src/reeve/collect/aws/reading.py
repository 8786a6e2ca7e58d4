"""Which calls may be made with the user's credentials: those that read, and give nothing that is a secret.

A repository names the calls, so that it must not be trusted to name harmless ones. `refusal` is asked when declarations are
loaded, and once more when a call is made. What counts is, in this order: what botocore's model says of the operation (that it
is read-only, its HTTP method, the members of its answer), the verb of its name, and the lists below.
"""

import re
from functools import cache
from typing import Any

from reeve.collect.aws.shapes import leaves

OWN = frozenset({"sts:GetCallerIdentity", "iam:GenerateCredentialReport", "iam:GetCredentialReport"})
"""Calls that Reeve makes by itself; of these, only the last may be declared. The report that is made changes nothing else."""

_VERBS = re.compile(r"(Describe|Get|List|Head|BatchGet|BatchDescribe)(?=[A-Z0-9])")
_NEVER = "account-access-runtime cognito-identity dynamodbstreams rds-data secretsmanager signin sso sso-oidc sts"
"""Services whose reading calls give credentials, secrets, or a customer's data."""
_DENIED = (
    "apigateway:GetApiKey apigateway:GetApiKeys appsync:ListApiKeys athena:GetResourceDashboard "
    "datapipeline:DescribeObjects datapipeline:GetPipelineDefinition dynamodb:BatchGetItem dynamodb:GetItem "
    "ebs:GetSnapshotBlock ec2:DescribeInstanceAttribute ec2:GetConsoleOutput ec2:GetConsoleScreenshot "
    "ec2:GetPasswordData ecr-public:GetAuthorizationToken ecr:GetAuthorizationToken ecs:DescribeTaskDefinition "
    "elasticbeanstalk:DescribeConfigurationSettings emr-serverless:GetResourceDashboard kinesis:GetRecords "
    "kms:GetParametersForImport lambda:GetFunction lambda:GetFunctionConfiguration lambda:GetLayerVersion "
    "lambda:GetLayerVersionByArn lightsail:GetRelationalDatabaseLogEvents logs:GetLogEvents logs:GetLogRecord "
    "logs:GetQueryResults redshift:GetClusterCredentials s3:GetObject ssm:GetParameter ssm:GetParameterHistory "
    "ssm:GetParameters ssm:GetParametersByPath support:GetAttachmentDownloadLink "
    "transcribe:GetMedicalTranscriptionJob transcribe:GetTranscriptionJob"
)
"""Calls that give secrets or a customer's data, whatever their models say."""

_GIVING = re.compile(r"(U(rl|RL)|Token|QueryResults|StatementResult(V2)?|Get(Entity)?Records?)$")
"""How operations are named that give addresses which let in whoever has them, tokens, or a customer's data."""

SECRET = re.compile(
    r"(?i:(password|passphrase|secret|secretaccesskey|secretkey|secretstring|secretbinary|privatekey|plaintext|keymaterial"
    r"|credentials?|seed|passworddata|userdata|signed\w*url|downloadurl|authkey|apikey"
    r"|(environment)?variables|connectionproperties)$)"
    r"|^(?!.*(?i:next|client|continuation|request|page|pagination|idempotency|creation))(.*[tT]oken)$"
)
"""Names of texts and bytes that are secrets; tokens of pages and of repeated requests are none."""

_REDACTED = {
    "account:GetAlternateContact": "the registered name, address and number are marked as personal, and are what is asked for",
    "iam:GetCredentialReport": "the report's bytes are a table without secrets, which `credential_report` reads",
    "iam:ListVirtualMFADevices": "the seed is given when a device is made, and never again",
    "s3:GetBucketEncryption": "the id of a key is marked, and is no secret",
    "rds:DescribeDBClusters": "a new password that waits to be set stands as asterisks",
    "rds:DescribeDBInstances": "a new password that waits to be set stands as asterisks",
}
"""Calls whose models hold members that look like secrets, and may be made: why. Such members are dropped from every answer."""

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


def refusal(name: str, operation: Any) -> str | None:
    """Return why a call may not be made, or None if it may.

    Args:
        name: the call, `service:Operation`.
        operation: botocore's model of it.
    """
    service = name.partition(":")[0]
    if service in _NEVER.split() or name in _DENIED.split() or _GIVING.search(operation.name):
        return "it gives credentials, secrets or a customer's data"
    if not _VERBS.match(operation.name) or not _only_reads(operation):
        return "it does not only read"
    if name in _REDACTED:
        return None
    found = first_secret(operation.output_shape)
    return f"its answer holds {found}, which is or may be a secret" if found else None


def _only_reads(operation: Any) -> bool:
    """Return whether the model lets an operation be one that only reads: by its trait, else by its HTTP method."""
    if operation._operation_model.get("readonly"):
        return True
    rest = str(operation.service_model.metadata.get("protocol", "")).startswith("rest")
    return not rest or operation.http.get("method") in ("GET", "HEAD")


def first_secret(shape: Any, name: str = "") -> str | None:
    """Return the name of a member below a shape that is or may be a secret, if there is one."""
    return next((key for key, inner in leaves(shape, name) if is_secret(key, inner)), None)


def is_secret(name: str, shape: Any) -> bool:
    """Return whether a member is or may be a secret: by the model's mark, or as a text or bytes of such a name."""
    marked = bool(shape.metadata.get("sensitive"))
    return marked or shape.type_name == "blob" or (shape.type_name == "string" and is_secret_name(name))


@cache
def is_secret_name(name: str) -> bool:
    """Return whether a text or bytes of this name are taken for a secret."""
    return SECRET.search(name) is not None


def actions(name: str, operation: Any) -> tuple[str, ...] | None:
    """Return the IAM actions that a call needs; None where they are not known.

    Args:
        name: the call, `service:Operation`.
        operation: botocore's model of it.
    """
    if name in _ACTIONS:
        return _ACTIONS[name]
    service = name.partition(":")[0]
    if service in ("s3", "s3control", "apigateway", "apigatewayv2"):  # their actions are not named as their operations are
        return None
    metadata = operation.service_model.metadata
    signed: str = metadata.get("signingName") or metadata["endpointPrefix"]
    return (f"{_PREFIXES.get(signed, signed)}:{operation.name}",)
