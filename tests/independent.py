"""What plain boto3 calls and plain Python say of the company's account, written without looking at policies: for comparison.

Each check gives the status of every object by its id. `None` stands for what a refused call leaves unknown.
"""

import csv
import io
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import boto3
from botocore.exceptions import ClientError

GOOD, BAD, OFF, GONE, UNKNOWN = "COMPLIANT", "INCOMPLIANT", "INAPPLICABLE", "DISAPPEARED", "UNDETERMINED"
CHECKS: dict[str, Callable[["Account"], dict[str, str]]] = {}
Statuses = dict[str, str]


def check(slug):
    def register(function):
        CHECKS[slug] = function
        return function

    return register


def judged(bad, unknown=False):
    return UNKNOWN if unknown else BAD if bad else GOOD


class Account:
    """The account, read by boto3."""

    def __init__(self, address, region):
        self.session = boto3.Session("testing", "testing", region_name=region)
        self.address, self.number = address, "210987654321"
        self.regions = [one["RegionName"] for one in self.client("ec2").describe_regions()["Regions"]]
        self.now = datetime.now(UTC)

    def client(self, service, region=None):
        return self.session.client(service, region_name=region, endpoint_url=self.address)

    def everywhere(self, service) -> Iterator:
        for region in self.regions:
            yield region, self.client(service, region)

    def each(self, service, read):
        for region, client in self.everywhere(service):
            with suppress(ClientError):
                yield from ((region, client, one) for one in read(client))


# EC2 and VPC ---------------------------------------------------------------------------------------------------------


def groups(account):
    for _, client in account.everywhere("ec2"):
        for group in client.describe_security_groups()["SecurityGroups"]:
            try:
                rules = client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}])
                yield client, group, rules["SecurityGroupRules"]
            except ClientError:
                yield client, group, None


def packets(client, rule):
    """Give the protocols, ports and networks of a rule."""
    texts = [rule[key] for key in ("CidrIpv4", "CidrIpv6") if key in rule]
    if "PrefixListId" in rule:
        texts += [one["Cidr"] for one in client.get_managed_prefix_list_entries(PrefixListId=rule["PrefixListId"])["Entries"]]
    protocols = {"tcp": "t", "6": "t", "udp": "u", "17": "u", "-1": "tu"}.get(rule["IpProtocol"], "")
    ports = range(65536) if rule["IpProtocol"] == "-1" else range(rule["FromPort"], rule["ToPort"] + 1)
    return protocols, ports, [ipaddress.ip_network(text) for text in texts]


def everybody(networks, version):
    """Say whether networks hold each of some addresses from all over the internet."""
    probes = {
        4: [f"{first}.200.7.9" for first in (*range(1, 10), *range(11, 127), *range(128, 224))],
        6: ["2001:9::1", "3000::1"],
    }
    return all(any(ipaddress.ip_address(probe) in network for network in networks) for probe in probes[version])


def open_groups(account, ports, versions):
    found = {}
    for client, group, rules in groups(account):
        read = [packets(client, rule) for rule in rules or () if not rule["IsEgress"]]
        found[group["GroupId"]] = judged(
            any(
                everybody(
                    [one for names, span, networks in read if name in names and port in span for one in networks], version
                )
                for port in ports
                for name in "tu"
                for version in versions
            ),
            rules is None,
        )
    return found


COMMON = (20, 21, 23, 25, 110, 135, 143, 445, 1433, 1434, 3306, 4333, 5432, 5500, 5601, 8080, 9200, 9300, 27017)
ADMIN = "ec2/group-security-allows-unrestricted-{}-ingress-traffic-to-remote-server-administration-ports"
check(ADMIN.format("ipv4"))(lambda account: open_groups(account, (22, 3389), (4,)))
check(ADMIN.format("ipv6"))(lambda account: open_groups(account, (22, 3389), (6,)))
check("ec2/security-group-allows-unrestricted-cifs-traffic")(lambda account: open_groups(account, (445,), (4, 6)))
check("ec2/security-group-unrestricted-inbound-common-ports")(lambda account: open_groups(account, COMMON, (4, 6)))


@check("ec2/security-group-rule-count")
def rule_count(account):
    return {g["GroupId"]: judged(rules is not None and len(rules) >= 50, rules is None) for _, g, rules in groups(account)}


@check("ec2/default-security-group-does-not-restrict-all-traffic")
def default_groups(account):
    return {
        group["GroupId"]: OFF if group["GroupName"] != "default" else judged(rules, rules is None)
        for _, group, rules in groups(account)
    }


def instances(account):
    for _, _, reservation in account.each("ec2", lambda client: client.describe_instances()["Reservations"]):
        yield from reservation["Instances"]


def by_instance(account, bad):
    ended = ("terminated", "shutting-down")
    return {one["InstanceId"]: OFF if one["State"]["Name"] in ended else judged(bad(one)) for one in instances(account)}


check("ec2/instance-iam-role")(lambda account: by_instance(account, lambda one: "IamInstanceProfile" not in one))
check("ec2/instance-imdsv2")(
    lambda account: by_instance(account, lambda one: one["MetadataOptions"]["HttpTokens"] != "required")
)
check("ec2/instance-detailed-monitoring")(
    lambda account: by_instance(account, lambda one: one["Monitoring"]["State"] not in ("enabled", "pending"))
)


@check("vpc/flow-logs")
def flow_logs(account):
    found = {}
    for _, client in account.everywhere("ec2"):
        for vpc in client.describe_vpcs()["Vpcs"]:
            try:
                logs = client.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc["VpcId"]]}])["FlowLogs"]
                well = [log for log in logs if log["FlowLogStatus"] == "ACTIVE" and log["TrafficType"] != "ACCEPT"]
                found[vpc["VpcId"]] = judged(not well)
            except ClientError:
                found[vpc["VpcId"]] = UNKNOWN
    return found


@check("vpc/network-acl-allows-unrestricted-ingress-traffic-to-remote-server-administration-ports")
def network_acls(account):
    found = {}
    for _, _, acl in account.each("ec2", lambda client: client.describe_network_acls()["NetworkAcls"]):
        rules = sorted((one for one in acl["Entries"] if not one["Egress"]), key=lambda one: one["RuleNumber"])
        found[acl["NetworkAclId"]] = judged(
            any(
                lets_in(rules, address, port, protocol)
                for port in (22, 3389)
                for protocol in ("6", "17")
                for address in ("93.184.216.34", "2606:2800::1")
            )
        )
    return found


def lets_in(rules, address, port, protocol):
    """Say what the first rule says that fits a packet; in this account what lets one stranger in lets all in."""
    for entry in rules:
        ports = entry.get("PortRange", {"From": 0, "To": 65535})
        network = ipaddress.ip_network(entry.get("CidrBlock") or entry["Ipv6CidrBlock"])
        fits = entry["Protocol"] == "-1" or (entry["Protocol"] == protocol and ports["From"] <= port <= ports["To"])
        if fits and ipaddress.ip_address(address) in network:
            return entry["RuleAction"] == "allow"
    return False


@check("vpc/route-table-for-vpc-peering-does-not-follow-the-least-privilege-principle")
def peering_routes(account):
    found = {}
    for _, client, table in account.each("ec2", lambda client: client.describe_route_tables()["RouteTables"]):
        routes = [route for route in table["Routes"] if route.get("VpcPeeringConnectionId")]
        whole = False
        for route in routes:
            (peer,) = client.describe_vpc_peering_connections(VpcPeeringConnectionIds=[route["VpcPeeringConnectionId"]])[
                "VpcPeeringConnections"
            ]
            ranges = {peer["RequesterVpcInfo"]["CidrBlock"], peer["AccepterVpcInfo"]["CidrBlock"], "0.0.0.0/0", "::/0"}
            whole = whole or route["DestinationCidrBlock"] in ranges
        found[table["RouteTableId"]] = judged(whole) if routes else OFF
    return found


# Storage -------------------------------------------------------------------------------------------------------------


def buckets(account, read):
    client, found = account.client("s3"), {}
    for bucket in client.list_buckets()["Buckets"]:
        name = bucket["Name"]
        try:
            found[f"arn:aws:s3:::{name}"] = read(client, name)
        except ClientError as error:
            found[f"arn:aws:s3:::{name}"] = GONE if error.response["Error"]["Code"] == "NoSuchBucket" else UNKNOWN
    return found


def unless(code, read, otherwise):
    try:
        return read()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return otherwise


@check("s3/bucket-block-public-access")
def public_access(account):
    def read(client, name):
        call = lambda: client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]  # noqa: E731
        block = unless("NoSuchPublicAccessBlockConfiguration", call, {})
        return judged(not (len(block) == 4 and all(block.values())))

    return buckets(account, read)


@check("s3/bucket-policy-deny-http-requests")
def deny_http(account):
    import json

    def read(client, name):
        text = unless("NoSuchBucketPolicy", lambda: client.get_bucket_policy(Bucket=name)["Policy"], None)
        statements = json.loads(text)["Statement"] if text else []
        both = {f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"}
        return judged(
            not any(
                one["Effect"] == "Deny"
                and one["Action"] == "s3:*"
                and both <= set(one["Resource"])
                and one["Principal"] in ("*", {"AWS": "*"})
                and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
                for one in statements
            )
        )

    return buckets(account, read)


def versioning(client, name):
    return client.get_bucket_versioning(Bucket=name)


check("s3/bucket-versioning")(lambda a: buckets(a, lambda c, name: judged(versioning(c, name).get("Status") != "Enabled")))
check("s3/bucket-mfa-delete")(lambda a: buckets(a, lambda c, name: judged(versioning(c, name).get("MFADelete") != "Enabled")))
check("s3/bucket-server-access-logging")(
    lambda account: buckets(account, lambda c, name: judged("LoggingEnabled" not in c.get_bucket_logging(Bucket=name)))
)


@check("s3/bucket-lifecycle-configuration")
def lifecycle(account):
    def read(client, name):
        call = lambda: client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]  # noqa: E731
        rules = unless("NoSuchLifecycleConfiguration", call, [])
        return judged(not any(rule["Status"] == "Enabled" for rule in rules))

    return buckets(account, read)


@check("s3/bucket-object-lock")
def object_lock(account):
    def read(client, name):
        call = lambda: client.get_object_lock_configuration(Bucket=name)  # noqa: E731
        return judged(unless("ObjectLockConfigurationNotFoundError", call, None) is None)

    return buckets(account, read)


@check("efs/file-system-encryption")
def file_systems(account):
    found = account.each("efs", lambda client: client.describe_file_systems()["FileSystems"])
    return {one["FileSystemArn"]: judged(not one["Encrypted"]) for _, _, one in found}


def databases(account):
    return (one for _, _, one in account.each("rds", lambda client: client.describe_db_instances()["DBInstances"]))


def by_database(account, bad, off=lambda one: False):
    return {one["DBInstanceArn"]: OFF if off(one) else judged(bad(one)) for one in databases(account)}


USUAL = {"postgres": 5432, "mysql": 3306, "aurora-mysql": 3306}
check("rds/instance-encryption")(lambda account: by_database(account, lambda one: not one["StorageEncrypted"]))
check("rds/instance-auto-minor-version-upgrade")(lambda a: by_database(a, lambda one: not one["AutoMinorVersionUpgrade"]))


@check("rds/instance-multi-az-deployment")
def standbys(account):
    clusters = {
        one["DBClusterIdentifier"]: one["MultiAZ"]
        for _, _, one in account.each("rds", lambda client: client.describe_db_clusters()["DBClusters"])
    }
    return by_database(account, lambda one: not clusters.get(one.get("DBClusterIdentifier"), one["MultiAZ"]))


check("rds/instance-default-port")(lambda a: by_database(a, lambda one: one["Endpoint"]["Port"] == USUAL[one["Engine"]]))


@check("rds/instance-publicly-accessible-in-public-subnet")
def public_databases(account):
    client = account.client("ec2")

    def reachable(one):
        return one["PubliclyAccessible"] and any(
            public(subnet["SubnetIdentifier"]) for subnet in one["DBSubnetGroup"]["Subnets"]
        )

    def public(subnet):
        (vpc,) = {found["VpcId"] for found in client.describe_subnets(SubnetIds=[subnet])["Subnets"]}
        own = [{"Name": "association.subnet-id", "Values": [subnet]}]
        main = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
        tables = client.describe_route_tables(Filters=own)["RouteTables"]
        (table,) = tables or client.describe_route_tables(Filters=main)["RouteTables"]
        return any(route.get("GatewayId", "").startswith("igw-") and route["State"] == "active" for route in table["Routes"])

    return by_database(account, reachable)


@check("rds/snapshot-publicly-accessible")
def snapshots(account):
    found = {}
    read = lambda client: client.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]  # noqa: E731
    for _, client, one in account.each("rds", read):
        attributes = client.describe_db_snapshot_attributes(DBSnapshotIdentifier=one["DBSnapshotIdentifier"])
        listed = attributes["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
        found[one["DBSnapshotArn"]] = judged(any("all" in attribute["AttributeValues"] for attribute in listed))
    return found


@check("rds/cluster-snapshot-publicly-accessible")
def cluster_snapshots(account):
    found = {}
    read = lambda client: client.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]  # noqa: E731
    for _, client, one in account.each("rds", read):
        name = one["DBClusterSnapshotIdentifier"]
        result = client.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
        listed = result["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
        found[one["DBClusterSnapshotArn"]] = judged(any("all" in attribute["AttributeValues"] for attribute in listed))
    return found


@check("rds/aurora-cluster-access-consistency")
def clusters(account):
    found = {}
    for _, _, one in account.each("rds", lambda client: client.describe_db_clusters()["DBClusters"]):
        name = one["DBClusterIdentifier"]
        settings = {db["PubliclyAccessible"] for db in databases(account) if db.get("DBClusterIdentifier") == name}
        found[one["DBClusterArn"]] = judged(len(settings) > 1)
    return found


@check("kms/symmetric-cmk-rotation")
def keys(account):
    found = {}
    for _, client, listed in account.each("kms", lambda client: client.list_keys()["Keys"]):
        key = client.describe_key(KeyId=listed["KeyId"])["KeyMetadata"]
        if (key["KeyManager"], key["KeyState"], key["KeySpec"]) != ("CUSTOMER", "Enabled", "SYMMETRIC_DEFAULT"):
            found[key["Arn"]] = OFF
            continue
        try:
            found[key["Arn"]] = judged(not client.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"])
        except ClientError:
            found[key["Arn"]] = UNKNOWN
    return found


# Certificates --------------------------------------------------------------------------------------------------------


KEYS = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]


def certificates(account):
    read = lambda client: client.list_certificates(Includes={"keyTypes": KEYS})["CertificateSummaryList"]  # noqa: E731
    return ((client, one) for _, client, one in account.each("acm", read))


@check("acm/certificate-expired")
def expired(account):
    return {
        one["CertificateArn"]: judged(one["NotAfter"] < account.now) if "NotAfter" in one else OFF
        for _, one in certificates(account)
    }


@check("acm/certificate-expires-in-7-days")
def expiring(account):
    def status(one):
        if "NotAfter" not in one or one["NotAfter"] < account.now:
            return OFF
        return judged(one["NotAfter"] <= account.now + timedelta(days=7))

    return {one["CertificateArn"]: status(one) for _, one in certificates(account)}


@check("acm/certificate-with-wildcard-domain-name")
def wildcards(account):
    found = {}
    for client, one in certificates(account):
        names = one["SubjectAlternativeNameSummaries"]
        if one.get("HasAdditionalSubjectAlternativeNames"):
            names = client.describe_certificate(CertificateArn=one["CertificateArn"])["Certificate"]["SubjectAlternativeNames"]
        found[one["CertificateArn"]] = judged(any("*" in name for name in names))
    return found


@check("iam/delete-expired-server-certificate")
def server_certificates(account):
    listed = account.client("iam").list_server_certificates()["ServerCertificateMetadataList"]
    return {one["Arn"]: judged(one["Expiration"] < account.now) for one in listed}


# CloudTrail ----------------------------------------------------------------------------------------------------------


def trails(account):
    """Each trail once: those of several regions are listed in all of them."""
    seen = set()
    for _, _, one in account.each("cloudtrail", lambda client: client.describe_trails()["trailList"]):
        if one["TrailARN"] not in seen:
            seen.add(one["TrailARN"])
            yield one["HomeRegion"], account.client("cloudtrail", one["HomeRegion"]), one


@check("cloudtrail/log-file-validation")
def validation(account):
    return {one["TrailARN"]: judged(not one["LogFileValidationEnabled"]) for _, _, one in trails(account)}


@check("cloudtrail/encryption-with-kms-cmk")
def trail_encryption(account):
    return {one["TrailARN"]: judged("KmsKeyId" not in one) for _, _, one in trails(account)}


@check("cloudtrail/s3-bucket-access-logging")
def trail_logging(account):
    client = account.client("s3")
    own = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    return {
        one["TrailARN"]: judged("LoggingEnabled" not in client.get_bucket_logging(Bucket=one["S3BucketName"]))
        if one["S3BucketName"] in own
        else UNKNOWN
        for _, _, one in trails(account)
    }


def of_account(account, bad):
    return {account.number: judged(bad)}


@check("account/multi-region-cloudtrail")
def multi_region(account):
    def whole(client, arn):
        selectors = client.get_event_selectors(TrailName=arn)["EventSelectors"]
        return any(one["IncludeManagementEvents"] and one["ReadWriteType"] == "All" for one in selectors)

    running = [
        one
        for _, client, one in trails(account)
        if one["IsMultiRegionTrail"]
        and client.get_trail_status(Name=one["TrailARN"])["IsLogging"]
        and whole(client, one["TrailARN"])
    ]
    return of_account(account, not running)


MONITORED = {  # what company.resources makes alarms of that reach somebody
    "root-account-usage-monitoring",
    "management-console-sign-in-without-mfa-onitoring",
    "configuration-changes-monitoring",
    "disable-or-schedule-deletion-cmk-events-monitoring",
    "security-group-changes-monitoring",
}
for slug in (
    *sorted(MONITORED),
    *("unauthorized-api-calls-monitoring", "iam-policy-changes-monitoring", "vpc-changes-monitoring"),
    *("management-console-authentication-failures-monitoring", "s3-bucket-policy-changes-monitoring"),
    *("config-configuration-changes-monitoring", "network-access-control-lists-changes-monitoring"),
    *("network-gateways-changes-monitoring", "route-table-changes-monitoring", "aws-organizations-changes-monitoring"),
):
    check(f"cloudtrail/{slug}")(lambda account, bad=slug not in MONITORED: of_account(account, bad))


# The account ---------------------------------------------------------------------------------------------------------


def in_all_regions(account, service, well):
    found = []
    for _, client in account.everywhere(service):
        try:
            found.append(well(client))
        except ClientError as error:
            denied = "AccessDenied" in error.response["Error"]["Code"]
            found.append(None if denied else False)
    return {account.number: BAD if False in found else UNKNOWN if None in found else GOOD}


@check("account/config-in-all-regions")
def config(account):
    def well(client):
        kept = client.describe_configuration_recorders()["ConfigurationRecorders"]
        states = client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        groups.extend(one["recordingGroup"] for one in kept if states[0]["recording"])
        return bool(kept) and kept[0]["recordingGroup"]["allSupported"] and states[0]["recording"]

    groups = []
    found = in_all_regions(account, "config", well)
    somewhere = any(group["allSupported"] and group["includeGlobalResourceTypes"] for group in groups)
    return found if somewhere or found[account.number] != GOOD else of_account(account, bad=True)


check("account/ebs-volume-encryption-attribute-in-all-regions")(
    lambda a: in_all_regions(a, "ec2", lambda client: client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])
)
check("account/iam-access-analyzer-for-all-regions")(
    lambda a: in_all_regions(a, "accessanalyzer", lambda client: bool(client.list_analyzers()["analyzers"]))
)
check("account/security-hub")(lambda a: in_all_regions(a, "securityhub", lambda client: bool(client.describe_hub())))


@check("account/password-policy-minimum-password-length-14")
def password_length(account):
    return of_account(
        account, account.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] < 14
    )


@check("account/password-policy-number-of-passwords-to-remember-24")
def password_reuse(account):
    policy = account.client("iam").get_account_password_policy()["PasswordPolicy"]
    return of_account(account, policy.get("PasswordReusePrevention", 0) < 24)


@check("account/maintain-alternate-contact-information")
def contact(account):
    found = account.client("account").get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]
    return of_account(account, not found["EmailAddress"])


def holders(account, name):
    return account.client("iam").list_entities_for_policy(PolicyArn=f"arn:aws:iam::aws:policy/{name}")


@check("account/aws-support-role")
def support(account):
    return of_account(account, not holders(account, "AWSSupportAccess")["PolicyRoles"])


@check("iam/detach-aws-cloudshell-full-access-policy")
def cloudshell(account):
    found = holders(account, "AWSCloudShellFullAccess")
    return of_account(account, any(found[key] for key in ("PolicyUsers", "PolicyGroups", "PolicyRoles")))


def summary(account):
    return account.client("iam").get_account_summary()["SummaryMap"]


@check("iam/account-has-no-iam-users")
def no_users(account):
    return of_account(account, summary(account)["Users"] == summary(account)["Providers"] == 0)


def of_root(bad):
    return {"arn:aws:iam::210987654321:root": judged(bad)}


@check("iam/root-user-mfa")
def root_mfa(account):
    found = summary(account)
    credentials = found["AccountPasswordPresent"] or found["AccountAccessKeysPresent"] or found["AccountMFAEnabled"]
    return of_root(not found["AccountMFAEnabled"]) if credentials else {"arn:aws:iam::210987654321:root": OFF}


check("iam/delete-root-user-access-keys")(lambda account: of_root(summary(account)["AccountAccessKeysPresent"]))


def root_signed_in(account, days):
    content = account.client("iam").get_credential_report()["Content"].decode()
    (root,) = [row for row in csv.DictReader(io.StringIO(content)) if row["user"] == "<root_account>"]
    return of_root(datetime.fromisoformat(root["password_last_used"]) >= account.now - timedelta(days=days))


check("iam/root-account-used-recently")(lambda account: root_signed_in(account, 90))
check("iam/root-user-for-administrative-and-daily-tasks-misuse")(lambda account: root_signed_in(account, 30))


# Users: all of them read live ----------------------------------------------------------------------------------------


def users(account, status):
    """Give the status of each user; one whose keys are denied is unknown if `status` asks for them."""
    iam, found = account.client("iam"), {}
    for user in iam.get_paginator("list_users").paginate().build_full_result()["Users"]:
        try:
            found[user["Arn"]] = status(iam, user)
        except ClientError:
            found[user["Arn"]] = UNKNOWN
    return found


def active_keys(iam, user):
    listed = iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
    return [key for key in listed if key["Status"] == "Active"]


def last_used(iam, key):
    return iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"].get("LastUsedDate")


def has_password(iam, user):
    return unless("NoSuchEntity", lambda: iam.get_login_profile(UserName=user["UserName"]), None) is not None


check("iam/user-has-more-than-one-active-access-key")(
    lambda account: users(account, lambda iam, user: judged(len(active_keys(iam, user)) > 1))
)


@check("iam/user-access-keys-are-not-rotated-every-90-days")
def rotation(account):
    def status(iam, user):
        keys = active_keys(iam, user)
        old = account.now - timedelta(days=90)
        return judged(any(key["CreateDate"] < old for key in keys)) if keys else OFF

    return users(account, status)


@check("iam/mfa-for-all-users-with-console-password")
def second_factors(account):
    def status(iam, user):
        if not has_password(iam, user):
            return OFF
        return judged(not iam.list_mfa_devices(UserName=user["UserName"])["MFADevices"])

    return users(account, status)


@check("iam/delete-user-inline-or-directly-attached-policies")
def own_policies(account):
    def status(iam, user):
        name = {"UserName": user["UserName"]}
        inline = iam.list_user_policies(**name)["PolicyNames"]
        return judged(inline or iam.list_attached_user_policies(**name)["AttachedPolicies"])

    return users(account, status)


@check("iam/user-with-console-password-and-access-keys-created during-initial-setup")
def keys_of_the_setup(account):
    def status(iam, user):
        if not has_password(iam, user):
            return OFF
        return judged(any(last_used(iam, key) is None for key in active_keys(iam, user)))

    return users(account, status)


@check("iam/disable-user-with-unused-credentials-45-days-and-more")
def unused(account):
    old = account.now - timedelta(days=45)

    def status(iam, user):
        keys, password = active_keys(iam, user), has_password(iam, user)
        if not keys and not password:
            return OFF
        stale = [(last_used(iam, key) or key["CreateDate"]) < old for key in keys]
        if password and user.get("PasswordLastUsed"):
            stale.append(user["PasswordLastUsed"] < old)
        return judged(any(stale))

    return users(account, status)


def policies(account):
    iam = account.client("iam")
    local = iam.get_paginator("list_policies").paginate(Scope="Local").build_full_result()["Policies"]
    attached = iam.get_paginator("list_policies").paginate(Scope="AWS", OnlyAttached=True).build_full_result()["Policies"]
    for one in (*local, *attached):
        document = iam.get_policy_version(PolicyArn=one["Arn"], VersionId=one["DefaultVersionId"])["PolicyVersion"]["Document"]
        statements = document["Statement"]
        yield one, [statements] if isinstance(statements, dict) else statements


def wide(statement, resources=("*",)):
    as_list = lambda value: value if isinstance(value, list) else [value]  # noqa: E731
    allowed = statement["Effect"] == "Allow" and set(resources) & set(as_list(statement.get("Resource")))
    return [action.lower() for action in as_list(statement.get("Action", []))] if allowed else []


@check("iam/policy-allows-full-administrative-privileges")
def administrators(account):
    return {
        one["Arn"]: judged(any("*" in wide(statement) for statement in statements)) if one["AttachmentCount"] else OFF
        for one, statements in policies(account)
    }


@check("iam/policy-customer-managed-potential-credentials-exposure")
def credentials(account):
    handed = ("*", "iam:*", "iam:createaccesskey", "iam:updateaccesskey", "sts:assumerole")
    everything = ("*", "arn:aws:iam::*:role/*")
    return {
        one["Arn"]: OFF
        if ":iam::aws:" in one["Arn"]
        else judged(any(action in handed for statement in statements for action in wide(statement, everything)))
        for one, statements in policies(account)
    }
