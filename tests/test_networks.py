"""Networks: the laws of ranges and packet rules, and verdicts on answers in the shape of the API reference."""

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import serving
from reeve.language.networks import INTERNET, admit_everybody, cover, read_range

HOME, OWN, OTHER = "eu-central-1", "210987654321", "999988887777"

# Laws ----------------------------------------------------------------------------------------------------------------

RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda one: (one[0], one[0] + one[1])), max_size=6)
CIDRS = {
    4: ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2", "198.51.100.0/24", "64.0.0.0/2", "10.0.0.0/8"]
}
CIDRS[6] = ["::/0", "::/1", "8000::/1", "2000::/3", "2000::/4", "3000::/4", "2600::/12"]
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(1, 99),
            "action": st.sampled_from(["allow", "allow", "deny"]),
            "protocol": st.sampled_from(["6", "17", "-1", "1", "tcp"]),
            "from": st.sampled_from([0, 22, 23]),
            "to": st.sampled_from([22, 80, 65535]),
            "cidrs": st.lists(st.sampled_from(CIDRS[4] + CIDRS[6]), min_size=1, max_size=3),
        }
    ),
    max_size=6,
    unique_by=lambda rule: rule["number"],
)


@given(RANGES, RANGES)
def test_ranges_cover_what_each_of_their_addresses_says(ranges, wanted):
    held = {address for first, last in ranges for address in range(first, last + 1)}
    asked = {address for first, last in wanted for address in range(first, last + 1)}
    assert cover(ranges, wanted) is (asked <= held)


@given(RULES, st.data())
def test_however_rules_are_written_they_admit_the_same(rules, data):
    admitted = admit_everybody(rules, [22], (4, 6))
    assert admit_everybody(data.draw(st.permutations(rules)), [22], (4, 6)) is admitted, "only the numbers order them"
    halved = [{**rule, "cidrs": [str(half) for text in rule["cidrs"] for half in halves(text)]} for rule in rules]
    assert admitted or not admit_everybody(rules, [22], (4,))
    assert not admitted or admit_everybody(halved, [22], (4, 6)), "a range in two halves is the range"
    assert admit_everybody([*rules, allow(0, "0.0.0.0/0")], [22], (4,)), "a first rule that admits all is not undone"
    denied = {**allow(0, "0.0.0.0/0", "::/0"), "action": "deny", "protocol": "-1"}
    assert not admit_everybody([*rules, denied], [22], (4, 6)), "after a first rule that denies all nothing is admitted"


def halves(text):
    return ipaddress.ip_network(text).subnets()


def allow(number, *cidrs):
    return {"number": number, "action": "allow", "protocol": "6", "from": 22, "to": 22, "cidrs": list(cidrs)}


def test_the_internet_is_all_but_what_is_special():
    for first, last in INTERNET[4]:
        for number in (first, last):
            address = ipaddress.ip_address(number)
            assert address.is_global and not address.is_multicast
    holes = [(last + 1, following - 1) for (_, last), (following, _) in zip(INTERNET[4], INTERNET[4][1:], strict=False)]
    relays = read_range("192.88.99.0/24")[1]  # 6to4's, given back to IANA (RFC 7526)
    assert relays in holes and len(holes) == 12
    assert not any(ipaddress.ip_address(first).is_global for first, _ in holes if first != relays[0])
    assert not cover([read_range("10.0.0.0/8")[1]], INTERNET[4])


@pytest.mark.parametrize(
    "rule",
    [{}, {"protocol": "tcp", "from": 22, "to": 22}, {"protocol": "6", "cidrs": ["::/0"]}, {"protocol": "-1", "cidrs": ["x"]}],
)
def test_a_rule_that_lacks_something_is_an_error(rule):
    with pytest.raises(ValueError, match=r"packet rule|'x'"):
        admit_everybody([rule], [22], (4, 6))


# Verdicts on answers -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served():
    with serving() as company:
        yield company


@pytest.fixture
def verdicts(served, reeve, monkeypatch):
    """Scan one region by one policy, with given answers, and return the statuses by name."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", HOME)

    def scan(policy, answers, *more):
        regions = {"regionInfo": [{"regionName": HOME}]}
        bodies = {"DescribeRegions": [regions], **answers}
        served.requests()
        served.answers(
            *(
                {"operation": name, "bodies": [body if isinstance(body, str) else ec2(name, body) for body in given]}
                for name, given in bodies.items()
            ),
            *more,
        )
        run = reeve("scan", "--policy", policy, "--format", "json")
        return {one["name"]: one["status"] for one in run.report["findings"]}

    yield scan
    served.rules()
    served.answers()


def xml(value):
    match value:
        case dict():
            return "".join(f"<{key}>{xml(one)}</{key}>" for key, one in value.items())
        case list():
            return "".join(f"<item>{xml(one)}</item>" for one in value)
        case bool():
            return str(value).lower()
    return str(value)


def ec2(operation, body):
    return f"<{operation}Response>{xml(body)}</{operation}Response>"


def rds(operation, result):
    return f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"


def entry(number, protocol, cidr, action="allow", ports=(22, 22)):
    family = "ipv6CidrBlock" if ":" in cidr else "cidrBlock"
    own = {"ruleNumber": number, "protocol": protocol, "ruleAction": action, "egress": False, family: cidr}
    return own if protocol == "-1" else {**own, "portRange": {"from": ports[0], "to": ports[1]}}


def test_network_acls(verdicts):
    acls = {
        "tcp": [entry(100, "6", "0.0.0.0/0")],
        "udp": [entry(100, "17", "::/0", ports=(3389, 3389))],
        "all": [entry(100, "-1", "0.0.0.0/0")],
        "halves": [entry(100, "6", "0.0.0.0/1"), entry(110, "6", "128.0.0.0/1")],
        "denied before": [entry(200, "-1", "0.0.0.0/0"), entry(100, "-1", "0.0.0.0/0", "deny")],
        "denied in part": [entry(200, "-1", "0.0.0.0/0"), entry(100, "6", "0.0.0.0/0", "deny", (0, 65535))],
        "web": [entry(100, "6", "0.0.0.0/0", ports=(443, 443))],
        "no protocol": [{"ruleNumber": 1, "ruleAction": "allow", "egress": False, "cidrBlock": "0.0.0.0/0"}],
    }
    last = entry(32767, "-1", "0.0.0.0/0", "deny")
    sent = [
        {"networkAclId": name, "vpcId": "vpc-1", "ownerId": OWN, "entrySet": [*entries, last]} for name, entries in acls.items()
    ]
    sent.append({"networkAclId": "shared", "vpcId": "vpc-2", "ownerId": OTHER, "entrySet": [entry(100, "6", "0.0.0.0/0")]})
    found = verdicts("network-acl-*", {"DescribeNetworkAcls": [{"networkAclSet": sent}]})
    good = {"denied before": "COMPLIANT", "web": "COMPLIANT", "no protocol": "UNDETERMINED", "shared": "INAPPLICABLE"}
    assert found == {**dict.fromkeys(acls, "INCOMPLIANT"), **good}


def group(name, owner=OWN, **sources):
    ranges = {"ipRanges": [{"cidrIp": text} for text in sources.get("cidrs", ())], "ipv6Ranges": []}
    lists = {"prefixListIds": [{"prefixListId": text} for text in sources.get("lists", ())]}
    rule = {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, **ranges, **lists}
    return {"groupId": f"sg-{name}", "groupName": name, "vpcId": "vpc-1", "ownerId": owner, "ipPermissions": [rule]}


def rules_of(one):
    (permission,) = one["ipPermissions"]
    sources = [{"cidrIpv4": each["cidrIp"]} for each in permission["ipRanges"]]
    sources += [{"prefixListId": each["prefixListId"]} for each in permission["prefixListIds"]]
    for number, source in enumerate(sources):
        own = {"securityGroupRuleId": f"sgr-{one['groupName']}-{number}", "groupId": one["groupId"], "isEgress": False}
        yield {**own, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, **source}


def test_security_groups(verdicts, served):
    groups = [
        group("open", cidrs=["0.0.0.0/0"]),
        group("halves", cidrs=["0.0.0.0/1", "128.0.0.0/1"]),
        group("half", cidrs=["0.0.0.0/1"]),
        group("listed", lists=["pl-all"]),
        group("offices", lists=["pl-offices"], cidrs=["198.51.100.0/24"]),
        group("also offices", lists=["pl-offices"]),
        group("half and a list", lists=["pl-offices"], cidrs=["0.0.0.0/1"]),
        group("denied", lists=["pl-denied"]),
        group("shared", OTHER, cidrs=["0.0.0.0/0"]),
    ]
    served.rules(
        {"operation": "GetManagedPrefixListEntries", "words": "pl-denied", "code": "UnauthorizedOperation", "status": 403}
    )
    answers = {
        "DescribeSecurityGroups": [{"securityGroupInfo": groups}],
        "DescribeSecurityGroupRules": [{"securityGroupRuleSet": [rule for one in groups for rule in rules_of(one)]}],
    }
    lists = {"pl-all": [["0.0.0.0/1"], ["128.0.0.0/1"]], "pl-offices": [["198.51.100.0/24"]]}
    bodies = [
        {
            "operation": "GetManagedPrefixListEntries",
            "words": name,
            "bodies": [
                ec2("GetManagedPrefixListEntries", {"entrySet": [{"cidr": text} for text in page], **more})
                for page, more in zip(pages, [*[{"nextToken": "more"}] * (len(pages) - 1), {}], strict=True)
            ],
        }
        for name, pages in lists.items()
    ]
    found = verdicts("group-security-allows-unrestricted-ipv4-*", answers, *bodies)
    asked = [name for _, _, name, _ in served.requests()]
    assert found == {
        **dict.fromkeys(("open", "halves", "listed"), "INCOMPLIANT"),
        **dict.fromkeys(("half", "offices", "also offices"), "COMPLIANT"),
        **dict.fromkeys(("half and a list", "denied"), "UNDETERMINED"),
        "shared": "INAPPLICABLE",
    }
    assert asked.count("GetManagedPrefixListEntries") == 4, "each list once, one of them in two pages"


def instance(name, subnets, **more):
    places = "".join(f"<Subnet><SubnetIdentifier>{one}</SubnetIdentifier></Subnet>" for one in subnets)
    own = {"DBInstanceIdentifier": name, "DBInstanceArn": f"arn:aws:rds:{HOME}:{OWN}:db:{name}", "PubliclyAccessible": True}
    own["DBInstanceStatus"] = "available"  # which AWS always sends
    group = f"<DBSubnetGroup><VpcId>vpc-1</VpcId><Subnets>{places}</Subnets></DBSubnetGroup>"
    return f"<DBInstance>{xml({**own, **more})}{group}</DBInstance>"


def route_table(name, *subnets, main=False, owner=OWN, **route):
    associations = [{"routeTableId": name, "subnetId": one, "main": False} for one in subnets]
    associations += [{"routeTableId": name, "main": True}] if main else []
    routes = [{"destinationCidrBlock": "10.0.0.0/16", "gatewayId": "local", "state": "active"}, *([route] if route else [])]
    own = {"routeTableId": name, "vpcId": "vpc-1", "ownerId": owner}
    return {**own, "routeSet": routes, "associationSet": associations}


def test_databases_go_by_the_tables_of_their_own_subnets(verdicts):
    out = {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1", "state": "active"}
    tables = [
        route_table("main", main=True),
        route_table("public", "subnet-public", **out),
        route_table("halves", "subnet-halves", **{**out, "destinationCidrBlock": "0.0.0.0/1"}),
        route_table("gone", "subnet-gone", **{**out, "state": "blackhole"}),
        route_table("listed", "subnet-listed", destinationPrefixListId="pl-1", gatewayId="igw-1", state="active"),
    ]
    places = ("main", "public", "halves", "gone", "listed", "shared")
    subnets = [{"subnetId": f"subnet-{one}", "vpcId": "vpc-1", "ownerId": OTHER if one == "shared" else OWN} for one in places]
    databases = "".join(instance(one, [f"subnet-{one}"]) for one in (*places, "unseen"))
    databases += instance("one of two", ["subnet-main", "subnet-public"]) + instance("nowhere", [])
    found = verdicts(
        "instance-publicly-accessible-in-public-subnet",
        {
            "DescribeRouteTables": [{"routeTableSet": tables}],
            "DescribeSubnets": [{"subnetSet": subnets}],
            "DescribeDBInstances": [rds("DescribeDBInstances", f"<DBInstances>{databases}</DBInstances>")],
        },
    )
    assert found == {
        **dict.fromkeys(("public", "halves", "listed", "one of two"), "INCOMPLIANT"),
        **dict.fromkeys(("main", "gone"), "COMPLIANT"),
        **dict.fromkeys(("shared", "unseen", "nowhere"), "UNDETERMINED"),
    }


def test_ports_of_databases(verdicts):
    def listening(name, engine, port=None, **more):
        return instance(name, [], Engine=engine, **({"Endpoint": {"Port": port}} if port is not None else {}), **more)

    usual = {"db2-se": 50000, "custom-oracle-ee": 1521, "custom-sqlserver-web": 1433, "neptune": 8182, "docdb": 27017}
    databases = "".join(listening(engine, engine, port, DbInstancePort=0) for engine, port in usual.items())
    databases += listening("moved", "oracle-se2", 1522) + listening("new engine", "cassandra", 9042)
    databases += listening("being made", "sqlserver-ex", DbInstancePort=0) + listening("bare", "postgres")
    databases += listening("zero", "mysql", 0)
    body = rds("DescribeDBInstances", f"<DBInstances>{databases}</DBInstances>")
    assert verdicts("instance-default-port", {"DescribeDBInstances": [body]}) == {
        **dict.fromkeys(usual, "INCOMPLIANT"),
        "moved": "COMPLIANT",
        **dict.fromkeys(("new engine", "being made", "bare", "zero"), "UNDETERMINED"),
    }


def test_routes_to_peered_vpcs(verdicts):
    def table(name, *routes, owner=OWN):
        routed = [{"state": "active", "vpcPeeringConnectionId": "pcx-1", **route} for route in routes]
        return {"routeTableId": name, "vpcId": "vpc-1", "ownerId": owner, "routeSet": routed, "associationSet": []}

    def to(cidr, **more):
        return {"destinationIpv6CidrBlock" if ":" in cidr else "destinationCidrBlock": cidr, **more}

    tables = [
        table("first", to("10.30.0.0/16")),
        table("secondary", to("10.31.0.0/20")),
        table("ipv6", to("2600:1f14::/56")),
        table("wider", to("10.0.0.0/8")),
        table("halves", to("10.30.0.0/17"), to("10.30.128.0/17")),
        table("listed", {"destinationPrefixListId": "pl-1"}),
        table("part", to("10.30.4.0/24"), to("10.31.0.0/24")),
        table("own", to("100.64.0.0/16")),
        table("gone", to("10.30.0.0/16", state="blackhole")),
        table("unseen", to("10.30.4.0/24", vpcPeeringConnectionId="pcx-2")),
        table("pending", to("10.30.4.0/24", vpcPeeringConnectionId="pcx-3")),
        table("shared", to("10.30.0.0/16"), owner=OTHER),
    ]
    own = {"vpcId": "vpc-1", "ownerId": OWN, "cidrBlock": "10.20.0.0/16", "cidrBlockSet": [{"cidrBlock": "100.64.1.0/24"}]}
    ranges = [{"cidrBlock": "10.30.0.0/16"}, {"cidrBlock": "10.31.0.0/20"}]
    peer = {"vpcId": "vpc-9", "ownerId": OTHER, "cidrBlock": "10.30.0.0/16", "cidrBlockSet": ranges}
    peer["ipv6CidrBlockSet"] = [{"ipv6CidrBlock": "2600:1f14::/56"}]
    connections = [
        {"vpcPeeringConnectionId": name, "requesterVpcInfo": own, "accepterVpcInfo": accepter, "status": {"code": "active"}}
        for name, accepter in (("pcx-1", peer), ("pcx-3", {"vpcId": "vpc-9", "ownerId": OTHER}))
    ]
    found = verdicts(
        "route-table-for-vpc-peering-*",
        {
            "DescribeRouteTables": [{"routeTableSet": tables}],
            "DescribeVpcPeeringConnections": [{"vpcPeeringConnectionSet": connections}],
            "GetManagedPrefixListEntries": [{"entrySet": [{"cidr": "10.31.0.0/21"}, {"cidr": "10.31.8.0/21"}]}],
        },
    )
    assert found == {
        **dict.fromkeys(("first", "secondary", "ipv6", "wider", "halves", "listed"), "INCOMPLIANT"),
        **dict.fromkeys(("part", "own"), "COMPLIANT"),
        **dict.fromkeys(("unseen", "pending"), "UNDETERMINED"),
        **dict.fromkeys(("gone", "shared"), "INAPPLICABLE"),
    }


def test_certificates_of_every_kind_of_key(verdicts, served):
    arn = f"arn:aws:acm:{HOME}:{OWN}:certificate"
    summaries = [
        {
            "CertificateArn": f"{arn}/1",
            "DomainName": "a.example",
            "SubjectAlternativeNameSummaries": ["a.example", "*.a.example"],
        },
        {"CertificateArn": f"{arn}/2", "DomainName": "b.example", "SubjectAlternativeNameSummaries": ["b.example"]},
        {"CertificateArn": f"{arn}/3", "DomainName": "c.example"},
        {
            "CertificateArn": f"{arn}/4",
            "DomainName": "d.example",
            "SubjectAlternativeNameSummaries": ["d.example"],
            "HasAdditionalSubjectAlternativeNames": True,
        },
    ]
    summaries = [{"HasAdditionalSubjectAlternativeNames": False, **one} for one in summaries]
    whole = json.dumps({"Certificate": {"SubjectAlternativeNames": ["x.example", "*.x.example"]}})
    answers = {"ListCertificates": [json.dumps({"CertificateSummaryList": summaries})], "DescribeCertificate": [whole]}
    served.rules({"operation": "DescribeCertificate", "words": "certificate/3", "code": "AccessDeniedException", "status": 400})
    assert verdicts("certificate-with-wildcard-domain-name", answers) == {
        "a.example": "INCOMPLIANT",
        "b.example": "COMPLIANT",
        "c.example": "UNDETERMINED",
        "d.example": "INCOMPLIANT",
    }
    requests = {name: body for _, _, name, body in served.requests()}
    assert "EC_prime256v1" in requests["ListCertificates"] and "ACME" in requests["ListCertificates"]


def test_snapshots_of_clusters(verdicts):
    def snapshot(name):
        arn = f"arn:aws:rds:{HOME}:{OWN}:cluster-snapshot:{name}"
        own = {"DBClusterSnapshotIdentifier": name, "DBClusterSnapshotArn": arn, "Engine": "aurora-postgresql"}
        return f"<DBClusterSnapshot>{xml(own)}</DBClusterSnapshot>"

    shared = "".join(f"<AttributeValue>{one}</AttributeValue>" for one in ("111122223333", "all"))
    attribute = xml({"DBClusterSnapshotAttribute": {"AttributeName": "restore", "AttributeValues": shared}})
    result = xml({"DBClusterSnapshotAttributesResult": {"DBClusterSnapshotAttributes": attribute}})
    listed = f"<DBClusterSnapshots>{snapshot('shared')}</DBClusterSnapshots>"
    found = verdicts(
        "cluster-snapshot-publicly-accessible",
        {
            "DescribeDBClusterSnapshotAttributes": [rds("DescribeDBClusterSnapshotAttributes", result)],
            "DescribeDBClusterSnapshots": [rds("DescribeDBClusterSnapshots", listed)],
        },
    )
    assert found == {"shared": "INCOMPLIANT"}
