"""Where a service is asked: as botocore's rules resolve it, in every partition, and in regions that nobody has heard of."""

from dataclasses import replace

import botocore.awsrequest
import botocore.session
import pytest
import urllib3

from reeve.collect.aws.api import Api
from reeve.collect.aws.bounds import USUAL
from reeve.collect.failures import ApiError, Failure

CALLS = {
    "accessanalyzer": ("ListAnalyzers", {}),
    "account": ("GetAlternateContact", {"AlternateContactType": "SECURITY"}),
    "acm": ("ListCertificates", {}),
    "cloudtrail": ("DescribeTrails", {}),
    "cloudwatch": ("DescribeAlarmsForMetric", {"MetricName": "m", "Namespace": "n"}),
    "config": ("DescribeConfigurationRecorders", {}),
    "ec2": ("DescribeVpcs", {}),
    "efs": ("DescribeFileSystems", {}),
    "iam": ("GetAccountSummary", {}),
    "kms": ("ListKeys", {}),
    "logs": ("DescribeMetricFilters", {}),
    "rds": ("DescribeDBInstances", {}),
    "s3": ("ListBuckets", {}),
    "s3control": ("GetPublicAccessBlock", {"AccountId": "123456789012"}),
    "securityhub": ("DescribeHub", {}),
    "sns": ("ListTopics", {}),
    "sts": ("GetCallerIdentity", {}),
}
"""A call of each service that the catalogue uses."""
GLOBAL = ("iam", "account")
NEWER = {"ap-southeast-5": "aws", "mx-central-1": "aws", "eu-central-9": "aws", "us-gov-south-7": "aws-us-gov"}
"""Regions that are newer than botocore's list of endpoints, or that there are none of yet, with their partitions."""


def partitions():
    return botocore.session.Session().get_component("data_loader").load_data("partitions")["partitions"]


class Asked:
    """An API whose requests go nowhere: `of` returns the host and the region that one is signed for."""

    def __init__(self, region):
        session = botocore.session.Session()
        session.set_credentials("testing", "testing")
        session.register("before-send", self.seen)
        self.api, self.requests = Api(session, region, bounds=replace(USUAL, tries={})), []

    def seen(self, request, **details):
        self.requests.append(request)
        raw = urllib3.HTTPResponse(b"", {}, 418, preload_content=False)
        return botocore.awsrequest.AWSResponse(request.url, 418, {}, raw)

    def of(self, service, region):
        operation, arguments = CALLS[service]
        with pytest.raises(ApiError) as raised:
            self.api.call(service, operation, arguments, region)
        assert raised.value.failure is not Failure.NOT_OFFERED, raised.value
        request = self.requests.pop()
        authorization = request.headers["Authorization"]
        signed = (authorization.decode() if isinstance(authorization, bytes) else authorization).split("Credential=")[1]
        return urllib3.util.parse_url(request.url).host, signed.split("/")[2]


@pytest.mark.parametrize("partition", partitions(), ids=lambda one: one["id"])
def test_every_service_is_asked_in_every_partition(partition):
    regions = [name for name in partition["regions"] if not name.endswith("global")]
    asked, suffix = Asked(regions[0]), partition["outputs"]["dnsSuffix"]
    assert asked.api.partition == partition["id"]
    for service in CALLS:
        host, signed = asked.of(service, regions[0])
        assert host.endswith(suffix)
        assert signed in partition["regions"] if service in GLOBAL else signed == regions[0]


@pytest.mark.parametrize("partition", partitions(), ids=lambda one: one["id"])
def test_the_global_services_are_asked_once_wherever_the_credentials_start(partition):
    regions = [name for name in partition["regions"] if not name.endswith("global")]
    found = {Asked(region).of("iam", region) for region in (regions[0], regions[-1])}
    ((host, signed),) = found
    assert signed == partition["outputs"]["implicitGlobalRegion"] or host.startswith("iam.cn")


@pytest.mark.parametrize("service", ["s3control", "kms"])
def test_every_region_is_asked(service):
    asked = Asked("us-east-1")
    for partition in partitions():
        for region in partition["regions"]:
            if not region.endswith("global"):
                host, signed = asked.of(service, region)
                assert region in host and signed == region


@pytest.mark.parametrize("region", NEWER)
def test_a_region_that_is_newer_than_botocore_is_asked(region):
    asked = Asked(region)
    assert asked.api.partition == NEWER[region]
    for service in ("s3control", "ec2", "iam", "account", "sts"):
        host, signed = asked.of(service, region)
        assert signed == region or service in GLOBAL
        assert region in host or service in GLOBAL


@pytest.mark.parametrize("region", ["not a region", "evil.example/", "-", "\ud800", "é", "x" * 300])
def test_an_odd_region_fails_for_itself(region):
    asked = Asked("eu-central-1")
    with pytest.raises(ApiError):
        asked.api.call("kms", "ListKeys", {}, region)
    assert not asked.requests
    assert asked.of("kms", "eu-central-1")[1] == "eu-central-1"
    assert Asked(region).api.partition is None
