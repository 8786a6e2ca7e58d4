"""The catalogue as a whole: every code reached, every call known to botocore, every recommendation with a policy."""

import json
import re

import botocore.session
import pytest

from conftest import CATALOG
from reeve.collect.aws.permissions import REGIONS
from reeve.evaluate.policy_tests import run_tests
from reeve.findings.scan import collecting, production_programs
from reeve.language.query_reads import names_read, uses_whole
from reeve.repository.repository import Repository

REPOSITORY = Repository.open(CATALOG)
POLICIES = REPOSITORY.policy_ids
PRODUCTION = [policy_id for policy_id in POLICIES if REPOSITORY.policy(policy_id).is_production]
TYPES = sorted(path.name for path in (CATALOG / "types").iterdir())
CIS = "/frameworks/cis-aws-v5.0.0/"


@pytest.mark.parametrize("policy_id", PRODUCTION)
def test_test_data_pass_and_reach_every_code(policy_id):
    found = run_tests(REPOSITORY, f"{policy_id}/prod.logic.yaml")
    assert all(case.passed for case in found.cases)
    assert not found.unreached
    assert len(found.cases) >= 2


def test_validation_has_nothing_to_say(reeve):
    run = reeve("validate")
    assert (run.code, run.out + run.err) == (0, "0 errors, 0 warnings\n")


@pytest.mark.parametrize("policy_id", POLICIES)
def test_texts_are_whole(policy_id):
    policy = REPOSITORY.policy(policy_id)
    description = REPOSITORY.files.text(f"{policy_id}/description.md") or ""
    remediation = REPOSITORY.files.text(f"{policy_id}/remediation.md") or ""
    for heading in ("# Description", "## Rationale", "## Audit", "### From Console", "## References"):
        assert f"\n{heading}\n" in f"\n{description}", heading
    assert "\n## From Console\n" in remediation
    assert policy.severity and policy.categories and policy.type and policy.framework_mappings and len(policy.description) > 40
    commands = re.findall(r"```sh\n(.*?)```", description + remediation, re.S)
    assert all(line.startswith(("aws ", "#", "  ")) for text in commands for line in text.splitlines())
    assert policy.impossible is not policy.is_production, "one or the other"


@pytest.mark.parametrize("policy_id", POLICIES)
def test_commands_are_real(policy_id):
    """Every `aws SERVICE OPERATION --option` is one that botocore knows."""
    session = botocore.session.Session()
    names = {"configservice": "config"}
    text = "".join(REPOSITORY.files.text(f"{policy_id}/{name}") or "" for name in ("description.md", "remediation.md"))
    for line in re.findall(r"^\s*aws (.*)$", text, re.M):
        service, operation, *rest = line.partition(" | ")[0].split()
        if service == "cloudtrail" and operation == "validate-logs":
            continue  # a command of the AWS CLI's own
        model = session.get_service_model("s3" if service == "s3api" else names.get(service, service))
        found = {botocore.xform_name(name).replace("_", "-"): name for name in model.operation_names}
        assert operation in found, line
        shape = model.operation_model(found[operation]).input_shape
        members = {botocore.xform_name(name).replace("_", "-") for name in shape.members} if shape else set()
        options = [word.partition("=")[0] for word in re.findall(r"(?<=\s--)[a-z][a-z0-9-]*", " " + " ".join(rest))]
        custom = {"query", "output", "region", "outfile", "bootstrap-method", "authentication-code1", "authentication-code2"}
        custom |= {"authentication-code-1", "authentication-code-2", "ingress", "egress", "port-range"}
        custom |= {"recording-group", "notification-endpoint"}  # names that the AWS CLI gives them
        unknown = [o for o in options if o not in members | custom and o.removeprefix("no-") not in members]
        assert not unknown, (line, unknown)


@pytest.mark.parametrize("type_id", TYPES)
def test_types_are_collected_and_described(type_id):
    declared = REPOSITORY.object_type(type_id)
    assert declared.collect is not None and declared.collect.sources
    assert all(field.description for field in declared.fields.values())


@pytest.mark.parametrize(
    ("expression", "whole"),
    [(text, True) for text in ("@", "to_string(@)", "keys(@)", "length(@.*)", "a || @", "[@][0]", "{a: @}", "@ == `1`", "!@")]
    + [(text, True) for text in ("_parent", "to_string(_parent)", "not_null(a, @)", "values(@)")]
    + [(text, False) for text in ("[@][0].a", "{a: @}.a.b", "_parent.id", "a[?@ == 'x']", "map(&@, a)", "sort_by(a, &@)")]
    + [(text, False) for text in ("merge(@, a).b", "a | [?contains(['1'], split('/', @)[0])]", "join('/', [_account])")],
)
def test_an_expression_names_what_it_rests_on(expression, whole, tmp_path, reeve):
    """Else a call that failed would leave the field with a value, as if it had been read."""
    assert uses_whole(expression) is whole
    (tmp_path / "types/aws.Thing").mkdir(parents=True)
    collect = 'collect: {scope: global, sources: [{items: "[@]"}]}'
    field = f"fields: {{id: {{type: Bytes, from: _account}}, x: {{type: Json, from: {json.dumps(expression)}}}}}"
    (tmp_path / "types/aws.Thing/type.yaml").write_text(f"name: T\nidField: id\n{collect}\n{field}\n")
    said = reeve("validate", "--repo", tmp_path).out
    assert ("type.yaml:4:" in said and "uses all that is known of the object" in said) is whole, said


def test_the_names_that_an_expression_reads():
    assert names_read("a.b.c") == {"a"}
    assert names_read("_parent.x.y && not_null(call.z, other)") == {"_parent.x", "call", "other"}
    for hidden in ("[@][0]._account", "{a: @}.a._account", "@ | _account", "not_null(@)._account", "(@ || x)._account"):
        assert "_account" in names_read(hidden), hidden
    for hidden in ("_parent | id", "[_parent][0].id", "{a: _parent}.a.id", "map(&id, [_parent])"):
        assert "_parent.id" in names_read(hidden), hidden
    assert names_read("sort_by(Users, &Name)[?Age > `1`].Key | [0]") == {"Users"}
    assert REGIONS.call.name == "ec2:DescribeRegions"


def test_every_recommendation_of_cis_has_a_policy():
    from reeve.repository.links import link

    links = link(REPOSITORY.policies.values(), REPOSITORY.sections, REPOSITORY.rules)
    covered = {}
    for policy_id, found in links.by_policy.items():
        for one in found:
            covered.setdefault(one.section.id, []).append(policy_id)
    leaves = [
        one for one in REPOSITORY.sections.values() if one.id.startswith(CIS) and one.name.endswith(("(Manual)", "(Automated)"))
    ]
    assert len(leaves) == 63
    for section in leaves:
        policies = covered.get(section.id, [])
        assert policies, section.name
        if section.name.endswith("(Automated)"):
            assert any(REPOSITORY.policy(policy_id).is_production for policy_id in policies), section.name


def test_every_policy_can_be_collected():
    programs = production_programs(REPOSITORY, PRODUCTION)
    recipes = collecting(REPOSITORY, programs)
    assert {program.body.object_type.id for program in programs.values()} <= recipes.keys()
