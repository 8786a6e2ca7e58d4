"""The calls that declarations may make are a list; what botocore's models say of each call bears the list out."""

import re
from importlib.resources import files

import pytest

from conftest import CATALOG
from reeve.collect.aws import reading_calls
from reeve.collect.aws.api import Api
from reeve.collect.aws.declarations import Models
from reeve.collect.aws.foreign import NotReadingError
from reeve.collect.aws.permissions import REGIONS
from reeve.collect.secrets import is_secret_name
from reeve.repository.repository import Repository

MODELS = Models()
LINES = files("reeve.collect.aws").joinpath("reading_calls.txt").read_text().splitlines()
LISTED = [line.partition("  # ") for line in LINES if not line.startswith("#")]

VERB = re.compile(r"(Describe|Get|List|Head|BatchGet|BatchDescribe)(?=[A-Z0-9])")
NEVER = {"account-access-runtime", "dynamodbstreams", "rds-data", "signin", "sso", "sso-oidc", "sts"}
"""Services whose reading calls give credentials, or a customer's data."""
GIVING = re.compile(r"(U(rl|RL)|Token|QueryResults?|StatementResult(V2)?|Get(Entity)?Records?)$")
"""How operations are named that give addresses which let in whoever has them, tokens, or a customer's data."""
RUN = {"environment", "environmentvariables", "hyperparameters"}
"""Lists and maps of what programs are started with, in which many people keep secrets."""

HARMFUL = [
    "iam:CreateAccessKey",
    "iam:DeleteUser",
    "ec2:TerminateInstances",
    "sts:AssumeRole",
    "sts:GetSessionToken",
    "sts:GetFederationToken",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParametersByPath",
    "ec2:GetPasswordData",
    "ecr:GetAuthorizationToken",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:GetParametersForImport",
    "sso:GetRoleCredentials",
    "cognito-identity:GetCredentialsForIdentity",
    "lambda:GetFunction",
    "lambda:ListFunctions",
    "codeartifact:GetAuthorizationToken",
    "redshift:GetClusterCredentials",
    "redshift:GetClusterCredentialsWithIAM",
    "lightsail:GetInstanceAccessDetails",
    "lightsail:DownloadDefaultKeyPair",
    "gamelift:GetComputeAuthToken",
    "s3:GetObject",
    "dynamodb:GetItem",
    "iam:GenerateCredentialReport",
    "apigateway:GetApiKeys",
    "codebuild:BatchGetProjects",
    "amplifybackend:GetToken",
    "appsync:ListApiKeys",
    "athena:GetQueryResults",
    "redshift-data:GetStatementResultV2",
    "directconnect:DescribeVirtualInterfaces",
    "glue:GetConnections",
    "lambda:GetLayerVersionByArn",
    "sagemaker-featurestore-runtime:GetRecord",
    "taxsettings:GetTaxRegistrationDocument",
    "wafv2:ListAPIKeys",
    "cognito-idp:DescribeUserPoolClient",
    "athena:GetQueryExecution",
    "batch:DescribeJobDefinitions",
    "cloudformation:GetTemplate",
    "cognito-idp:DescribeIdentityProvider",
    "directconnect:DescribeRouterConfiguration",
    "dynamodb:Query",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "kinesis:GetRecords",
    "lambda:GetFunctionConfiguration",
    "logs:GetLogEvents",
    "s3:ListObjectsV2",
    "sagemaker:DescribeModel",
    "scheduler:GetSchedule",
    "sqs:ReceiveMessage",
    "ssm:GetCommandInvocation",
    "ssm:GetParameters",
    "wafv2:GetDecryptedAPIKey",
]


def operation(name):
    service, _, own = name.partition(":")
    return MODELS.service(service).operation_model(own)


def members(shape, name="", above=frozenset()):
    """Yield the names and shapes of all members below a shape, each shape once on a way down."""
    if shape is None or shape.name in above:
        return
    above |= {shape.name}
    yield name, shape
    match shape.type_name:
        case "structure":
            for key, inner in shape.members.items():
                yield from members(inner, key, above)
        case "list":
            yield from members(shape.member, name, above)
        case "map":
            yield from members(shape.value, name, above)


def is_secret(name, shape):
    """Return whether a member is or may be a secret: by the model's mark, or as a text or bytes of such a name."""
    if shape.type_name in ("structure", "list", "map"):
        return False
    marked = bool(shape.metadata.get("sensitive"))
    return marked or shape.type_name == "blob" or (shape.type_name == "string" and is_secret_name(name))


def only_reads(model):
    """Return whether the model lets an operation be one that only reads: by its trait, else by its HTTP method."""
    rest = str(model.service_model.metadata.get("protocol", "")).startswith("rest")
    return bool(model._operation_model.get("readonly")) or not rest or model.http.get("method") in ("GET", "HEAD")


def test_the_list_is_in_order_and_each_call_stands_once():
    names = [name for name, _, _ in LISTED]
    assert names == sorted(set(names))
    assert set(names) == reading_calls.reading_calls()


def test_every_call_of_the_catalogue_is_listed():
    repository = Repository.open(CATALOG)
    declared = {REGIONS.call.name}
    for type_id in repository.type_ids:
        collect = repository.object_type(type_id).collect
        if collect is not None:
            declared |= {call.name for call in collect.calls.values()}
            declared |= {source.call.name for source in collect.sources if source.call}
    assert len(declared) > 50 and declared <= reading_calls.reading_calls()


@pytest.mark.parametrize("service", sorted({name.partition(":")[0] for name, _, _ in LISTED}))
def test_the_models_bear_the_list_out(service):
    """Nothing is listed that botocore doesn't have, that its name or model says changes something, or that gives a secret."""
    assert service not in NEVER
    for name, _, why in LISTED:
        if not name.startswith(f"{service}:"):
            continue
        model = operation(name)
        assert VERB.match(model.name) and only_reads(model), name
        assert not GIVING.search(model.name), name
        found = list(members(model.output_shape))
        secrets = {key for key, shape in found if is_secret(key, shape)}
        assert bool(secrets) == bool(why), f"{name}: {secrets or 'needs no reason'}"
        assert not [key for key, shape in found if key.lower() in RUN and shape.type_name in ("map", "list")], name
        assert reading_calls.actions(name, model)
        assert service not in ("s3", "s3control") or name in reading_calls._ACTIONS, f"{name}: which IAM action?"


def test_most_operations_are_not_listed_and_none_that_changes_something():
    """Over every operation that botocore has."""
    changing = giving = 0
    for service in MODELS.services():
        for own in MODELS.service(service).operation_names:
            name, model = f"{service}:{own}", operation(f"{service}:{own}")
            changes = not VERB.match(own) or not only_reads(model)
            changing += changes
            gives = service in NEVER or bool(GIVING.search(own))
            giving += gives
            if changes or gives:
                assert reading_calls.refusal(name), name
    assert changing > 10_000 and giving > 50


@pytest.mark.parametrize("name", HARMFUL)
def test_calls_that_change_something_or_give_secrets_are_refused(name):
    assert operation(name) and reading_calls.refusal(name)


def test_harmless_calls_are_not():
    for name in ["ec2:DescribeImages", "iam:ListRoles", "kms:GetKeyPolicy", "eks:DescribeCluster", "dynamodb:ListTables"]:
        assert reading_calls.refusal(name) is None


def test_a_refused_call_is_not_made_whatever_was_loaded():
    made = []
    api = Api.at("http://127.0.0.1:9")
    client = api.client("iam", "us-east-1")
    client.meta.events.register("before-send", lambda **details: made.append(details))
    with pytest.raises(NotReadingError, match="iam:CreateAccessKey is not called"):
        client.create_access_key(UserName="x")
    assert not made
