"""What else the company has in its regions, made by the APIs as anybody would make it: some well, some not."""

import json
from dataclasses import dataclass
from typing import Any

HOME, SECOND, THIRD, CLOSED = "eu-central-1", "eu-west-1", "us-east-1", "ap-southeast-2"
REGIONS = (HOME, SECOND, THIRD, CLOSED)
"""The regions that are enabled. In the last one the organisation denies most of what a scan asks."""
BUCKET_THAT_GOES, BUCKET_DENIED, KEY_DENIED = "shop-exports-2019", "shop-backup", "payments"


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes clients of the simulated account."""

    session: Any
    address: str

    def __call__(self, service: str, region: str = HOME) -> Any:
        """Return a service's client in a region."""
        config = self._config()
        return self.session.create_client(service, region_name=region, endpoint_url=self.address, config=config)

    @staticmethod
    def _config() -> Any:
        from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]

        return Config(inject_host_prefix=False)


def populate(clients: Clients, account: str) -> None:
    """Make everything but the users."""
    keys = _keys(clients)
    _buckets(clients)
    _trails(clients, keys[0])
    _alarms(clients)
    _config_and_hub(clients, account)
    for region in REGIONS:
        _network(clients("ec2", region), region)
    _instances(clients("ec2"))
    _databases(clients)
    _files(clients("efs"))


def _keys(clients: Clients) -> list[str]:
    kms = clients("kms")
    made: list[str] = []
    for name, options in (
        ("trail", {}),
        ("orders", {}),
        (KEY_DENIED, {}),
        ("signing", {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}),
        ("retired", {}),
    ):
        key = kms.create_key(Description=name, **options)["KeyMetadata"]
        made.append(key["Arn"])
        if name in ("trail", KEY_DENIED):
            kms.enable_key_rotation(KeyId=key["KeyId"])
    kms.disable_key(KeyId=made[-1].rpartition("/")[2])
    return made


BUCKETS = (
    "shop-assets",
    "shop-logs",
    "shop-access-logs",
    BUCKET_DENIED,
    BUCKET_THAT_GOES,
    "elsewhere-audit",
    "data-lake-raw",
    "shop-invoices",
)
"""The buckets, all of them in the home region."""


def _buckets(clients: Clients) -> None:
    s3 = clients("s3")
    place = {"CreateBucketConfiguration": {"LocationConstraint": HOME}}
    for name in BUCKETS:
        s3.create_bucket(Bucket=name, **place, ObjectLockEnabledForBucket=name == "shop-invoices")
    for name in ("shop-invoices", "shop-logs", "shop-access-logs", BUCKET_DENIED):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(_BLOCKS, True))
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [_deny_http(name)]}))
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-assets/*"}
    s3.put_bucket_policy(Bucket="shop-assets", Policy=json.dumps({"Version": "2012-10-17", "Statement": [public]}))
    half = {**_deny_http("data-lake-raw"), "Action": "s3:PutObject"}
    s3.put_bucket_policy(Bucket="data-lake-raw", Policy=json.dumps({"Version": "2012-10-17", "Statement": [half]}))
    for name in ("shop-invoices", "shop-logs", "data-lake-raw"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_acl(Bucket="shop-access-logs", AccessControlPolicy=_for_log_delivery(s3))
    for name in ("shop-invoices", "shop-logs"):
        target = {"TargetBucket": "shop-access-logs", "TargetPrefix": f"{name}/"}
        s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": target})
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 400}}
    for name in ("shop-logs", "shop-access-logs"):
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _deny_http(bucket: str) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": resources, "Condition": condition}


def _for_log_delivery(s3: Any) -> dict[str, Any]:
    group = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
    owner = s3.get_bucket_acl(Bucket="shop-access-logs")["Owner"]
    own = {"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "FULL_CONTROL"}
    return {"Owner": owner, "Grants": [own, *({"Grantee": group, "Permission": one} for one in ("WRITE", "READ_ACP"))]}


LOG_GROUP = "company-trail"


def _trails(clients: Clients, key: str) -> None:
    logs = clients("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    (group,) = logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    trail = clients("cloudtrail")
    trail.create_trail(
        Name="company",
        S3BucketName="shop-logs",
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
        KmsKeyId=key,
        CloudWatchLogsLogGroupArn=group["arn"],
        CloudWatchLogsRoleArn="arn:aws:iam::210987654321:role/support",
    )
    writes = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    trail.put_event_selectors(
        TrailName="company",
        EventSelectors=[
            {"ReadWriteType": "All", "IncludeManagementEvents": True},
            {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": False, "DataResources": [writes]},
        ],
    )
    trail.start_logging(Name="company")
    old = clients("cloudtrail", THIRD)
    old.create_trail(Name="before-the-move", S3BucketName="shop-assets", IsMultiRegionTrail=False)
    old.create_trail(Name="of-the-auditors", S3BucketName="elsewhere-audit", IsMultiRegionTrail=False)
    old.start_logging(Name="of-the-auditors")
    clients("s3").delete_bucket(Bucket="elsewhere-audit")  # it is in the auditors' account


_EVENTS = {
    "root-usage": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
    "sign-in": '{ ($.eventName = ConsoleLogin) && ($.additionalEventData.MFAUsed != "Yes") }',
    "trail-changes": "{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail)"
    " || ($.eventName = StartLogging) || ($.eventName = StopLogging) }",
    "keys": "{ $.eventSource = kms.amazonaws.com && ($.eventName = DisableKey || $.eventName = ScheduleKeyDeletion) }",
    "security-groups": "{ $.eventName = %^(Authorize|Revoke)SecurityGroup(In|E)gress$% || $.eventName = *SecurityGroup"
    " || $.eventName = ModifySecurityGroupRules }",
    "refused": '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    "vpc-changes": "{ ($.eventName = CreateVpc) || ($.eventName = DeleteVpc) }",
}
_SILENT, _UNREAD = "refused", "keys"


def _alarms(clients: Clients) -> None:
    logs, watch, sns = clients("logs"), clients("cloudwatch"), clients("sns")
    told = sns.create_topic(Name="security")["TopicArn"]
    sns.subscribe(TopicArn=told, Protocol="https", Endpoint="https://alarms.example.com/hook")
    nobody = sns.create_topic(Name="nobody")["TopicArn"]
    for name, pattern in _EVENTS.items():
        metric = {"metricName": name, "metricNamespace": "Company", "metricValue": "1"}
        logs.put_metric_filter(logGroupName=LOG_GROUP, filterName=name, filterPattern=pattern, metricTransformations=[metric])
        watch.put_metric_alarm(
            AlarmName=name,
            MetricName=name,
            Namespace="Company",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            AlarmActions=[nobody if name == _SILENT else told],
        )


def _config_and_hub(clients: Clients, account: str) -> None:
    for region, running in ((HOME, True), (SECOND, True), (THIRD, False)):
        config = clients("config", region)
        role = f"arn:aws:iam::{account}:role/support"
        group = {"allSupported": True, "includeGlobalResourceTypes": region == HOME}
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group})
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "shop-logs"})
        if running:
            config.start_configuration_recorder(ConfigurationRecorderName="default")
        clients("ec2", region).enable_ebs_encryption_by_default()
    clients("securityhub").enable_security_hub()


def _anyone(protocol: str, port: int, v6: bool = False) -> dict[str, Any]:
    source = {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]} if v6 else {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    return {"IpProtocol": protocol, "FromPort": port, "ToPort": port, **source}


def _network(ec2: Any, region: str) -> None:
    if region == CLOSED:
        return
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=_named("vpc", "shop"))["Vpc"]["VpcId"]
    for name, rules in {
        "web": [_anyone("tcp", 443), _anyone("tcp", 443, v6=True)],
        "bastion": [_anyone("tcp", 22)],
        "windows": [_anyone("tcp", 3389, v6=True), _anyone("tcp", 445)],
        "database": [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]}],
        "test-everything": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    }.items():
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    if region != HOME:
        return
    _wide_and_narrow_groups(ec2, vpc)
    _close_default_group(ec2, vpc)
    ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::shop-logs",
    )
    _gateway_and_peering(ec2, vpc)


def _wide_and_narrow_groups(ec2: Any, vpc: str) -> None:
    offices = ec2.create_managed_prefix_list(
        PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "198.51.100.0/24"}]
    )["PrefixList"]["PrefixListId"]
    for name, port, sources in (
        ("partners", 8443, {"IpRanges": [{"CidrIp": f"198.51.100.{number}/32"} for number in range(55)]}),
        ("remote-desktops", 3389, {"IpRanges": [{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}]}),
        ("from-the-offices", 22, {"PrefixListIds": [{"PrefixListId": offices}]}),
    ):
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **sources}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def _close_default_group(ec2: Any, vpc: str) -> None:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (default,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    group = default["GroupId"]
    if default["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=default["IpPermissions"])
    if default["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=default["IpPermissionsEgress"])


def _named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def _gateway_and_peering(ec2: Any, vpc: str) -> None:
    for number, protocol, source in ((100, "6", "10.0.0.0/8"), (200, "17", "0.0.0.0/0")):
        acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=number,
            Protocol=protocol,
            RuleAction="allow",
            Egress=False,
            CidrBlock=source,
            PortRange={"From": 1024, "To": 65535},
        )
    partner = ec2.create_vpc(CidrBlock="10.30.0.0/16", TagSpecifications=_named("vpc", "warehouse"))["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=partner)["VpcPeeringConnection"]
    connection = peering["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=connection)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    for name, destination, target in (
        ("public", "0.0.0.0/0", {"GatewayId": gateway}),
        ("to-all-of-the-warehouse", "10.30.0.0/16", {"VpcPeeringConnectionId": connection}),
        ("to-the-scanners", "10.30.4.0/24", {"VpcPeeringConnectionId": connection}),
    ):
        table = ec2.create_route_table(VpcId=vpc, TagSpecifications=_named("route-table", name))["RouteTable"]
        ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=destination, **target)


def _instances(ec2: Any) -> None:
    filters = [{"Name": "tag:Name", "Values": ["shop"]}]
    vpc = ec2.describe_vpcs(Filters=filters)["Vpcs"][0]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24", AvailabilityZone=f"{HOME}a")["Subnet"]["SubnetId"]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    for name, tokens, profile, monitored, ends in (
        ("web-1", "required", True, True, False),
        ("web-2", "required", True, False, False),
        ("jenkins", "optional", False, False, False),
        ("old-crm", "optional", True, False, False),
        ("load-test", "optional", False, False, True),
    ):
        options: dict[str, Any] = {"IamInstanceProfile": {"Name": "web"}} if profile else {}
        (instance,) = ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.small",
            SubnetId=subnet,
            MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": "enabled"},
            Monitoring={"Enabled": monitored},
            TagSpecifications=_named("instance", name),
            **options,
        )["Instances"]
        if ends:
            ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])


def _databases(clients: Clients) -> None:
    rds, ec2 = clients("rds"), clients("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["shop"]}])["Vpcs"][0]["VpcId"]
    public = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["public"]}])["RouteTables"][0]["RouteTableId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{10 + n}.0/24", AvailabilityZone=f"{HOME}{'ab'[n % 2]}")["Subnet"][
            "SubnetId"
        ]
        for n in range(4)
    ]
    ec2.associate_route_table(RouteTableId=public, SubnetId=subnets[0])
    for name, of_group in (("shop", subnets[:2]), ("inner", subnets[2:])):
        rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=of_group)
    for name, engine, port, options in (
        ("orders", "postgres", 15432, {"StorageEncrypted": True, "MultiAZ": True, "AutoMinorVersionUpgrade": True}),
        ("crm", "mysql", 3306, {"PubliclyAccessible": True, "AutoMinorVersionUpgrade": False}),
        ("wiki", "postgres", 5432, {"StorageEncrypted": True, "AutoMinorVersionUpgrade": True}),
    ):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine=engine,
            DBInstanceClass="db.t3.medium",
            AllocatedStorage=20,
            Port=port,
            MasterUsername="admin_user",
            MasterUserPassword="not-a-secret-of-anybody",
            DBSubnetGroupName="shop",
            **{"PubliclyAccessible": False, **options},
        )
    rds.create_db_cluster(
        DBClusterIdentifier="catalogue",
        Engine="aurora-mysql",
        MasterUsername="admin_user",
        MasterUserPassword="not-a-secret-of-anybody",
        DBSubnetGroupName="inner",
        StorageEncrypted=True,
    )
    for name, reachable in (("catalogue-1", True), ("catalogue-2", False)):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine="aurora-mysql",
            DBInstanceClass="db.r6g.large",
            DBClusterIdentifier="catalogue",
            DBSubnetGroupName="inner",
            PubliclyAccessible=reachable,
        )
    for name, everybody in (("crm-before-upgrade", True), ("orders-2026", False)):
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=name.partition("-")[0])
        if everybody:
            rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"])
        copy = f"catalogue-{name.partition('-')[2]}"
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=copy, DBClusterIdentifier="catalogue")
        if everybody:
            everyone = {"AttributeName": "restore", "ValuesToAdd": ["all"]}
            rds.modify_db_cluster_snapshot_attribute(DBClusterSnapshotIdentifier=copy, **everyone)


def _files(efs: Any) -> None:
    for name, encrypted in (("media", True), ("home", False)):
        efs.create_file_system(CreationToken=name, Encrypted=encrypted, Tags=[{"Key": "Name", "Value": name}])


def key_named(clients: Clients, name: str) -> str:
    """Return the id of the KMS key of a description."""
    kms = clients("kms")
    ids = [str(key["KeyId"]) for key in kms.list_keys()["Keys"]]
    return next(key for key in ids if kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == name)
