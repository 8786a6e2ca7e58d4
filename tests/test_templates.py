"""What types say of where their objects are: templates, and those of the catalogue over every object of the demo's account."""

import re
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import serving
from conftest import CATALOG
from reeve.collect.aws.account import collect_account
from reeve.collect.aws.api import Api
from reeve.collect.expressions import search
from reeve.collect.provider import console_host
from reeve.collect.recipe import recipes
from reeve.inventory.identity import identified
from reeve.inventory.places import console_of, summary_of
from reeve.language.templates import filled, names_in, parse_template
from reeve.language.unread import NotCollected
from reeve.model import Place
from reeve.repository.repository import Repository

NAMES = st.sampled_from(["id", "name", "region"])
PIECES = st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), NAMES), max_size=4)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(PIECES, st.dictionaries(NAMES, TEXTS, min_size=3))
def test_a_template_is_its_pieces(pieces, values):
    text = "".join(before.replace("{", "{{").replace("}", "}}") + "{" + name + "}" for before, name in pieces)
    template = parse_template(text)
    assert names_in(template) == {name for _, name in pieces}
    assert filled(template, values) == "".join(before + values[name] for before, name in pieces)


@given(TEXTS, TEXTS)
def test_no_value_means_anything_in_an_address(host, value):
    address = filled(parse_template("https://x.example/a/{v}?b={v}#c/{v}"), {"v": value}, encoded=True)
    parts = urlsplit(address)
    assert (parts.netloc, parts.path.count("/")) == ("x.example", 2)
    assert unquote(parts.path[3:]) == unquote(parts.query[2:]) == unquote(parts.fragment[2:]) == value


@pytest.mark.parametrize("unknown", [None, "", NotCollected("denied")])
def test_what_is_not_known_gives_nothing(unknown):
    template = parse_template("{id} of {name}")
    assert filled(template, {"id": "x", "name": unknown}) is None
    assert filled(template, {"id": "x"}) is None
    assert filled(template, {"id": 3.0, "name": True}) == "3 of true"


@pytest.mark.parametrize("text", ["{", "}", "{}", "{a!r}", "{a:>3}", "{a.b}", "{a[0]}", "{0}", "{a b}", "x{{{y}}"])
def test_what_is_no_template(text):
    with pytest.raises(ValueError, match="in braces stands the name of a field"):
        parse_template(text)


TYPE = """name: Thing
idField: id
{}
fields: {{id: {{type: Bytes}}, name: {{type: Text}}, tags: {{type: Set of Text}}, region: {{type: Json}}}}
"""
WRONG = {
    'arn: "{nme}"': (3, "there is no field 'nme'; did you mean name?"),
    'arn: "{host}/{id}"': (3, "there is no field 'host'"),
    'arn: "{arn}"': (3, "there is no field 'arn'"),
    'summary: "{host}"': (3, "there is no field 'host'"),
    'summary: "{tags}"': (3, "the field 'tags' of t.Thing is Set of Text; Text or Bytes or"),
    'summary: "{"': (3, "in braces stands the name of a field"),
    'console: "https://{id}.example/"': (3, "must begin with https:// and a host that no object says"),
    'console: "https://{host}{id}/"': (3, "must begin with https:// and a host that no object says"),
    'console: "javascript:{id}"': (3, "must begin with https:// and a host that no object says"),
    "service: [x]": (3, "service"),
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_declaration_has_its_place(line, tmp_path, reeve):
    where, says = WRONG[line]
    (tmp_path / "types/t.Thing").mkdir(parents=True)
    (tmp_path / "types/t.Thing/type.yaml").write_text(TYPE.format(line))
    run = reeve("validate", "--repo", tmp_path)
    assert run.code == 2 and f"type.yaml:{where}:" in run.out and says in run.out, run.out


def test_names_of_ours_are_no_fields(tmp_path, reeve):
    (tmp_path / "types/t.Thing").mkdir(parents=True)
    path = tmp_path / "types/t.Thing/type.yaml"
    path.write_text(TYPE.format('arn: "x:{region}:{id}"'))
    assert reeve("validate", "--repo", tmp_path).code == 0, "region is the place's, whatever the field is"
    for name in ("_region", "_ACCOUNT", "_notCollected", "_x"):
        path.write_text(f"name: T\nidField: id\nfields: {{id: {{type: Bytes}}, {name}: {{type: Text}}}}\n")
        run = reeve("validate", "--repo", tmp_path)
        assert run.code == 2 and "type.yaml:3:" in run.out and "begins with an underscore" in run.out


# The catalogue ----------------------------------------------------------------------------------------------------------

REPOSITORY = Repository.open(CATALOG)
TYPES = sorted(REPOSITORY.type_ids)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html: partition, service, region, account, resource.
GRAMMAR = re.compile(r"arn:(aws|aws-cn|aws-us-gov):[a-z0-9-]+:([a-z]{2}(-[a-z]+)+-\d)?:(\d{12}|aws)?:[^\s].*")
NEVER_IN_THE_DEMO = {"aws.iam.MfaDevice", "aws.iam.SshPublicKey"}


@pytest.fixture(scope="module")
def collected():
    """Everything of every type in the demo's account, by type."""
    needs = {
        name: frozenset((*own.fields, *own.related_lists)) for name, own in ((n, REPOSITORY.object_type(n)) for n in TYPES)
    }
    with serving() as company:
        found = collect_account(Api.at(company.address), recipes(needs, REPOSITORY.object_type), {}, lambda *told: None)
    return {name: identified(REPOSITORY.object_type(name), found.records[name])[0] for name in TYPES}


@pytest.mark.parametrize("type_id", TYPES)
def test_every_type_says_where_its_objects_are(type_id):
    own = REPOSITORY.object_type(type_id)
    assert own.service and own.arn and own.console
    assert own.console.text.startswith("https://{host}/")


@pytest.mark.parametrize("type_id", sorted({*TYPES} - NEVER_IN_THE_DEMO))
def test_every_object_has_an_arn_of_its_own(type_id, collected):
    own, records = REPOSITORY.object_type(type_id), collected[type_id]
    arns = [record.arn for record in records]
    assert records and None not in arns
    assert len(set(arns)) == len(arns)
    assert all(map(GRAMMAR.fullmatch, arns)), arns
    for record in records:
        assert record.account == "210987654321"
        in_arn = record.arn.split(":")[3]
        assert in_arn in ("", record.region), (record.arn, record.region)
        regional = own.collect.regional or own.collect.region
        assert (record.region == "global") is not bool(regional)


@pytest.mark.parametrize("type_id", sorted({*TYPES} - NEVER_IN_THE_DEMO))
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_object_has_a_page_in_the_console(type_id, partition, collected):
    own, record = REPOSITORY.object_type(type_id), collected[type_id][0]
    place = Place("aws", record.account, None, partition, record.region, own.service, record.arn)
    host = console_host("aws", partition)
    address = console_of(own, record.fields, place, host)
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("https", host)
    assert record.region == "global" or own.id == "aws.s3.Bucket" or f"region={record.region}" in parts.query
    assert console_of(own, record.fields, replace(place, partition="aws-iso"), console_host("aws", "aws-iso")) is None


def test_arns_of_what_the_demo_has_none_of():
    key = REPOSITORY.object_type("aws.iam.SshPublicKey")
    user = "arn:aws-cn:iam::123456789012:user/team/anna"
    assert filled(key.arn, {"userId": user, "id": "APKA1"}) == f"{user}#ssh-public-key/APKA1"
    device = REPOSITORY.object_type("aws.iam.MfaDevice")
    assert filled(device.arn, {"id": "arn:aws:iam::123456789012:mfa/anna"}) == "arn:aws:iam::123456789012:mfa/anna"


def test_summaries_say_which_one_of_its_like(collected):
    def all_of(type_id):
        own = REPOSITORY.object_type(type_id)
        for record in collected[type_id]:
            yield summary_of(own, record.fields, "", record.region, record.arn)

    rules = set(all_of("aws.ec2.SecurityGroupRule"))
    assert {"all traffic to 0.0.0.0/0", "tcp 22 from 0.0.0.0/0"} <= rules and None not in rules, rules
    assert len(set(all_of("aws.config.ConfigurationRecorder"))) == 3
    assert all(re.fullmatch(r"(Active|Inactive), created 20.*Z", line) for line in all_of("aws.iam.AccessKey"))


@pytest.mark.parametrize(
    ("protocol", "first", "last", "said"),
    [
        ("udp", 8000, 8080, "udp 8000-8080"),
        ("tcp", 443, 443, "tcp 443"),
        ("tcp", 0, 65535, "tcp 0-65535"),
        ("tcp", 0, 0, "tcp 0"),
        ("tcp", -1, -1, "tcp"),
        ("icmp", 8, -1, "icmp"),
        ("58", None, None, "58"),
        ("-1", -1, -1, "all traffic"),
    ],
)
def test_the_traffic_of_a_rule(protocol, first, last, said):
    source = REPOSITORY.object_type("aws.ec2.SecurityGroupRule").fields["traffic"].source
    assert search(source, {"IpProtocol": protocol, "FromPort": first, "ToPort": last}) == said
