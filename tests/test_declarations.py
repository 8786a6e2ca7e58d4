"""Every declaration of a type is checked when it is loaded; what an answer lacks is no fact; only reading calls are made."""

import re
import shutil

import pytest

from conftest import CATALOG
from reeve.collect.answers import find, find_items, lacking
from reeve.collect.aws.declarations import Models, collect_check
from reeve.collect.aws.foreign import ForeignBodyError, refuse_foreign
from reeve.collect.expressions import ExpressionError, as_json
from reeve.inventory.identity import identified
from reeve.inventory.records import Record
from reeve.language.errors import InvalidRepositoryError
from reeve.model import Call, Collect, Field, ObjectType, Source
from reeve.repository.repository import Repository

MODELS = Models()


@pytest.fixture
def edited(tmp_path):
    """Return a function that changes a type of the catalogue, and gives what is wrong with it then."""
    shutil.copytree(CATALOG / "types", tmp_path / "types")

    def change(type_id, old, new):
        path = tmp_path / "types" / type_id / "type.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        repository, found = Repository.open(tmp_path), []
        for name in sorted(repository.type_ids):
            try:
                repository.check_collection([name], collect_check(Models(MODELS.loader)))
            except InvalidRepositoryError as error:
                found += [str(problem) for problem in error.problems]
        return "\n".join(found)

    return change


WRONG = [
    (
        "ec2.SecurityGroup",
        "foreignKey: groupId",
        "foreignKey: grupId",
        "there is no field 'grupId' in aws.ec2.SecurityGroupRule; did",
    ),
    ("ec2.SecurityGroup", "type: aws.ec2.SecurityGroupRule", "type: aws.ec2.SecurityGrupRule", "there is no type"),
    ("ec2.SecurityGroup", "idField: id", "idField: ident", "there is no field 'ident'"),
    ("ec2.SecurityGroup", "nameField: name", "nameField: nam", "did you mean name?"),
    ("kms.Key", "disappearanceField: disappearanceTime", "disappearanceField: state", "DateTime is needed"),
    ("kms.Key", "disappearanceField: disappearanceTime", "tagsField: customerManaged", "is Boolean"),
    ("iam.SshPublicKey", "of: aws.iam.User", "of: aws.iam.Usr", "there is no type 'aws.iam.Usr'; did you mean aws.iam.User?"),
    ("iam.AccessKey", "[accessKey1Active,", "[accessKeyActive,", "there is no field 'accessKeyActive'"),
    ("s3.Bucket", "foreignKey: accountId", "foreignKey: createdAt", "Text or Bytes is needed"),
    ("kms.Key", "rotation.KeyRotationEnabled", "rotation.KeyRotationEnabledd", "did you mean KeyRotationEnabled?"),
    (
        "kms.Key",
        "from: rotation.KeyRotationEnabled",
        "from: rotatin.KeyRotationEnabled",
        "there is no 'rotatin' here; did you mean rotation?",
    ),
    ("iam.User", 'items: "Users[]"', 'items: "User[]"', "there is no 'User'"),
    ("kms.Key", "Limit:", "Limits:", "has no parameter 'Limits'; did you mean Limit?"),
    ("kms.Key", "`1000`", "`1001`", "1001 is not between 1 and 1000"),
    ("kms.Key", 'Limit: "`1000`"', "Limit: \"'1000'\"", "a number is needed here, not a text"),
    ("iam.Role", "'LocalManagedPolicy'", "'LocalPolicy'", "'LocalPolicy' is none of its values"),
    ("kms.Key", "{call: kms:DescribeKey, with: {KeyId: KeyId}}", "{call: kms:DescribeKey}", "needs the parameter 'KeyId'"),
    ("kms.Key", "call: kms:DescribeKey", "call: kms:DescribeKy", "has no operation 'DescribeKy'; did you mean DescribeKey?"),
    ("kms.Key", "call: kms:DescribeKey", "call: kmss:DescribeKey", "botocore knows no service 'kmss'"),
    ("kms.Key", "'CUSTOMER'", "'CUSTOMERS'", "'CUSTOMERS' is no value"),
    ("kms.Key", "gone: [NotFoundException]", "gone: [NotFundException]", "there is no error 'NotFundException'"),
    ("iam.User", "sort_by(keys", "sortby(keys", "unknown function sortby(); did you mean sort_by?"),
    ("iam.User", "length(mfaDevices.MFADevices)", "length(mfaDevices.MFADevices, `1`)", "length() takes 1 arguments"),
    ("config.ConfigurationRecorder", "match: {name: name}", "match: {nam: name}", "there is no 'nam'"),
    ("iam.AccessKey", "_parent.name}", "_parent.nam}", "there is no 'nam' in _parent"),
    ("iam.AccessKey", "from: _parent.id", "from: _parents.id", "'_parents' here"),
    ("ec2.Volume", "{type: Boolean, from: Encrypted", "{type: Boolean, from: State", "the field is Boolean; this finds a text"),
    (
        "ec2.Volume",
        "{type: Boolean, from: Encrypted",
        "{type: Number, from: Encrypted",
        "the field is Number; this finds true or false",
    ),
    (
        "iam.User",
        'type: Set of Bytes, from: "not_null(details.UserPolicyList, `[]`)[].PolicyName',
        'type: Set of Bytes, from: "not_null(details.UserPolicyList, `[]`)[]',
        "a list of an object",
    ),
    ("s3.Bucket", "s3:GetLifecycleConfiguration", "s3:GetLifecycle", "needs the permissions ['s3:GetLifecycleConfiguration']"),
    (
        "efs.FileSystem",
        ', permissions: ["elasticfilesystem:DescribeFileSystems"]',
        "",
        "needs the permissions ['elasticfilesystem",
    ),
    (
        "iam.AccessKey",
        "call: iam:ListAccessKeys",
        "call: iam:CreateAccessKey",
        "iam:CreateAccessKey may not be called by a declaration: it is none of the calls listed",
    ),
    ("iam.User", "hint: report.mfa_active", "hint: report.mfa_actve", "did you mean mfa_active?"),
    ("ec2.Vpc", "optional: [Tags]", "optional: [Tag]", "nothing reads 'Tag'; did you mean Tags?"),
]


@pytest.mark.parametrize(("type_id", "old", "new", "said"), WRONG, ids=[f"{one[0]} {one[2][:40]}" for one in WRONG])
def test_a_wrong_declaration_is_an_error_with_its_place(edited, type_id, old, new, said):
    found = edited(f"aws.{type_id}", old, new)
    assert said in found
    assert re.search(rf"^/types/aws\.{re.escape(type_id)}/type\.yaml:\d+:\d+: ", found, re.M)


def test_types_that_are_listed_for_each_other(edited):
    found = edited(
        "aws.iam.User",
        '{call: iam:ListUsers, with: {MaxItems: "`1000`"}, items: "Users[]"}',
        '{of: aws.iam.AccessKey, items: "[@]"}',
    )
    assert "neither is ever read" in found


def test_a_type_that_nothing_declares(reeve, tmp_path):
    policy = tmp_path / "ce" / "p"
    policy.mkdir(parents=True)
    (policy / "policy.yaml").write_text("names: {full: P, contextual: P}\ndescription: P.\n")
    condition = "conditions: [{status: COMPLIANT, currentStateMessage: x, check: {BOOLEAN: true}}]\notherwise: {status: COMPLIANT, currentStateMessage: x}\n"
    (policy / "prod.logic.yaml").write_text("inputType: aws.iam.Usr\n" + condition)
    assert reeve("validate", "--repo", tmp_path).code == 0, "a repository without types is untyped"
    shutil.copytree(CATALOG / "types", tmp_path / "types")
    run = reeve("validate", "--repo", tmp_path)
    assert run.code == 2 and "there is no type 'aws.iam.Usr'; did you mean aws.iam.User?" in run.out


# Answers -------------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_named_and_what_may_be_is_not():
    assert (
        lacking("Entries[?!Egress].Protocol | [0]", {"Entries": [{"Egress": True, "Protocol": "6"}, {"Egress": False}]})
        == "Entries.Protocol"
    )
    assert lacking("Entries[?CidrBlock]", {"Entries": [{}]}, frozenset({("Entries", "CidrBlock")})) is None
    assert lacking("not_null(Routes, `[]`)", {}) == "Routes", "a default in an expression is no declaration"
    assert lacking("a.b.c", {"a": {}}, frozenset({("a", "b")})) is None
    assert lacking("_parent.x && Name", {"Name": "n"}) is None
    with pytest.raises(ExpressionError, match="the answer lacks Users"):
        find("Users[]", {"IsTruncated": False})


def test_secrets_are_left_out_of_answers():
    answer = {
        "Key": {"SecretAccessKey": "s", "AccessKeyId": "a"},
        "NextToken": "t",
        "SessionToken": "u",
        "Base32StringSeed": b"x",
    }
    assert as_json(answer) == {"Key": {"AccessKeyId": "a"}, "NextToken": "t"}


def test_pages_of_a_call_that_lists_several_things():
    assert find_items("Policies[]", {"Users": []}, {}, alone=False) == []
    with pytest.raises(ExpressionError):
        find_items("Policies[]", {"Users": []}, {}, alone=True)
    with pytest.raises(ExpressionError):
        find_items("Policies[]", {"message": "<html>"}, {}, alone=False)


def operation(name):
    service, _, own = name.partition(":")
    return MODELS.service(service).operation_model(own)


PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"
BODIES = [
    ("ec2:DescribeSecurityGroupRules", PAGE, False),
    ("ec2:DescribeSecurityGroupRules", b"<html/>", False),
    ("ec2:DescribeSecurityGroupRules", b"", False),
    ("ec2:DescribeSecurityGroupRules", b'<?xml version="1.0"?><DescribeSecurityGroupRulesResponse/>', True),
    ("iam:ListUsers", b"<DescribeRegionsResponse/>", False),
    ("iam:ListUsers", b"<ListUsersResponse/>", False),
    ("s3:GetBucketVersioning", PAGE, False),
    ("s3:GetBucketVersioning", b"<VersioningConfiguration/>", True),
    ("s3:GetBucketVersioning", b"Please log in", False),
    ("s3:GetBucketVersioning", b"", False),
    ("s3:GetBucketVersioning", b"<portal><page>Please log in</page></portal>", False),
    ("s3:GetBucketVersioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", True),
    ("s3:GetBucketLocation", b"<LocationConstraint>eu-west-1</LocationConstraint>", True),
    ("s3:GetPublicAccessBlock", b"<P><BlockPublicAcls>true</BlockPublicAcls></P>", True),
    ("s3:GetBucketPolicy", b'{"Version": "2012-10-17"}', True),
    ("kms:ListKeys", PAGE, False),
    ("kms:ListKeys", b"[]", False),
    ("kms:ListKeys", b'{"Keys": []}', True),
    ("securityhub:DescribeHub", b"OK", False),
]


@pytest.mark.parametrize(("name", "body", "taken"), BODIES)
def test_a_foreign_body_is_no_answer(name, body, taken):
    response = {"status_code": 200, "body": body, "headers": {}}
    if taken:
        refuse_foreign(operation(name), response)
    else:
        with pytest.raises(ForeignBodyError):
            refuse_foreign(operation(name), response)


# Ids -----------------------------------------------------------------------------------------------------------------


def test_two_objects_with_one_id_are_not_taken_for_one():
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    one, other = (Record({"id": "a", "open": value}, "1", "here", None, now, "x:List", {}) for value in (True, False))
    own = ObjectType("x", "X", fields={"id": Field("id", "Bytes"), "open": Field("open", "Boolean")}, id_field="id")
    assert identified(own, [one, one]) == ([one], [])
    (found,), (error,) = identified(own, [one, other])
    assert error.code == "RepeatedId" and error.subjects == ("a",) and error.affects == {"x": ()}
    assert found.fields == {"id": "a"} and "several objects" in found.not_collected["open"]


def test_an_unknown_type_of_item_is_no_error():
    own = ObjectType("x", "X", fields={"id": Field("id", "Bytes", source="anything.at.all")}, id_field="id")
    collect = Collect(False, (Source("@", Call("nosuch", "ListThings", ("nosuch:ListThings",))),))
    found = collect_check(MODELS)(ObjectType(own.id, own.name, "", own.fields, id_field="id", collect=collect), lambda _: own)
    assert [one.steps for one in found] == [("collect", "sources", 0, "call")]
