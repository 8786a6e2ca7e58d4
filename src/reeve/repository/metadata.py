"""The declarations of a repository's metadata files, and how each becomes plain data (policy language, section 1)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reeve.language.errors import InvalidRepositoryError
from reeve.language.source import Node, Scalar, read_yaml
from reeve.language.syntax import FileReader, Key, Keys, Shape
from reeve.model import Credentials, Folder, InternalRule, Policy, Section, SimilarPolicy

CATEGORIES = ("SECURITY", "COST", "PERFORMANCE", "RELIABILITY", "OPERATIONAL_EXCELLENCE", "SUSTAINABILITY")
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
"""From the worst."""

VENDORS = {
    "cloudConformity": "Cloud Conformity",
    "awsSecurityHub": "AWS Security Hub",
    "awsTrustedAdvisor": "AWS Trusted Advisor",
    "awsConfig": "AWS Config",
    "prowler": "Prowler",
    "cloudCustodian": "Cloud Custodian",
}
"""The other vendors whose policies `similarPolicies` names: key in the file, and name."""

SIMILAR_KEYS: Keys = {
    "name": Key(Shape.STRING, "The other policy's name."),
    "url": Key(Shape.STRING, "Where it is described."),
    "checkId": Key(Shape.STRING, "Its id there."),
}

CREDENTIALS_KEYS: Keys = {
    "list": Key(Shape.STRING, "The related list that holds them.", True),
    "keepOne": Key(Shape.STRING, "The code of the findings that end with advice on which active one to keep."),
}

POLICY_KEYS: Keys = {
    "names": Key(
        Shape.MAPPING,
        "What the policy is called.",
        True,
        keys={
            "full": Key(Shape.STRING, "The name without context.", True),
            "contextual": Key(Shape.STRING, "The name below its folder."),
        },
    ),
    "description": Key(Shape.STRING, "One paragraph."),
    "type": Key(Shape.CHOICE, "What kind of policy this is.", choices=("COMPLIANCE_POLICY", "BEST_PRACTICE")),
    "categories": Key(Shape.CHOICES, "What the policy is about.", choices=CATEGORIES),
    "severity": Key(Shape.CHOICE, "How much it matters.", choices=SEVERITIES),
    "impossible": Key(Shape.BOOLEAN, "Whether the policy can't be automated."),
    "frameworkMappings": Key(Shape.STRINGS, "Ids of the sections it is linked to."),
    "frameworkIgnoreMappings": Key(Shape.STRINGS, "Ids of sections it is never linked to."),
    "similarPolicies": Key(
        Shape.MAPPING,
        "Policies of the same meaning elsewhere.",
        keys={
            "internal": Key(Shape.STRINGS, "Ids of internal rules."),
            **{vendor: Key(Shape.ANYTHING, f"Of {name}: name and url.") for vendor, name in VENDORS.items()},
        },
    ),
    "credentials": Key(Shape.MAPPING, "The object's access keys, which findings show.", keys=CREDENTIALS_KEYS),
}

SECTION_KEYS: Keys = {
    "name": Key(Shape.STRING, "The section's number and title.", True),
    "description": Key(Shape.STRING, "What the section asks for."),
    "singlePolicyOnly": Key(Shape.BOOLEAN, "On a framework: each section may link one policy."),
    "similar": Key(
        Shape.MAPPING,
        "What this section shares with others.",
        keys={
            "sections": Key(Shape.STRINGS, "Sections whose links this one inherits."),
            "internal": Key(Shape.STRINGS, "Internal rules mapped to this section."),
            "awsSecurityHub": Key(
                Shape.MAPPING, "The control of AWS Security Hub.", keys={"controlUrl": Key(Shape.STRING, "Its page.")}
            ),
        },
    ),
}

FRAMEWORK_ENTRY_KEYS: Keys = {
    "id": Key(Shape.STRING, "The section's id.", True),
    "name": Key(Shape.STRING, "The section's number and title.", True),
    "description": Key(Shape.STRING, "What the section asks for."),
    "similar": Key(Shape.STRINGS, "Sections whose links this one inherits."),
    "singlePolicyOnly": Key(Shape.BOOLEAN, "On a framework: each section may link one policy."),
}

FOLDER_KEYS: Keys = {
    "name": Key(Shape.STRING, "The folder's name.", True),
    "description": Key(Shape.STRING, "What it holds."),
}

RULE_KEYS: Keys = {
    "name": Key(Shape.STRING, "The rule's name.", True),
    "description": Key(Shape.STRING, "What it asks for."),
    "sections": Key(Shape.STRINGS, "Ids of the sections it is mapped to.", True),
}


def read_keys(path: str, content: bytes, keys: Keys, what: str) -> dict[str, Any]:
    """Return the declared keys of a file that is one mapping; `what` it is, for messages.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    reader = FileReader(path, [])
    values = reader.read(read_yaml(path, content), keys, what)
    if reader.problems:
        raise InvalidRepositoryError(reader.problems)
    return values


def read_policy(path: str, content: bytes, files: frozenset[str]) -> Policy:
    """Read `policy.yaml`; `files` are the names of the files beside it.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    values = read_keys(path, content, POLICY_KEYS, "a policy")
    names, similar = values["names"], values.get("similarPolicies", {})
    return Policy(
        id=path.rpartition("/")[0],
        full_name=names["full"],
        contextual_name=names.get("contextual", names["full"]),
        description=values.get("description", ""),
        type=values.get("type"),
        categories=values.get("categories", ()),
        severity=values.get("severity"),
        impossible=values.get("impossible", False),
        framework_mappings=values.get("frameworkMappings", ()),
        framework_ignore_mappings=values.get("frameworkIgnoreMappings", ()),
        internal_rules=similar.get("internal", ()),
        similar_policies=tuple(_similar_policies(similar)),
        credentials=_credentials(values.get("credentials")),
        files=files,
    )


def _credentials(values: Mapping[str, Any] | None) -> Credentials | None:
    if values is None:
        return None
    code = values.get("keepOne")
    # What is no code is told by validation, which knows the conditions; no finding has it.
    return Credentials(values["list"], None if code is None else int(code) if re.fullmatch("[0-9]{1,9}", code) else 0)


def _similar_policies(similar: Mapping[str, Any]) -> Iterator[SimilarPolicy]:
    """Yield the vendors' policies; a vendor's value is one `{name, url}` or a list of them."""
    for vendor in VENDORS:
        value = similar.get(vendor)
        for entry in value if isinstance(value, list) else [value]:  # pyright: ignore[reportUnknownVariableType]
            if isinstance(entry, Mapping):
                found: Mapping[str, Any] = entry  # pyright: ignore[reportUnknownVariableType]
                name = str(found.get("name") or found.get("checkId") or found.get("url") or "")
                yield SimilarPolicy(vendor, name, found.get("url"), found.get("checkId"))


def read_section(path: str, content: bytes) -> Section:
    """Read `section.yaml` of a framework or a section.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    values = read_keys(path, content, SECTION_KEYS, "a section")
    similar = values.get("similar", {})
    return Section(
        path.rpartition("/")[0],
        values["name"],
        values.get("description", ""),
        similar.get("sections", ()),
        similar.get("internal", ()),
        values.get("singlePolicyOnly", False),
        similar.get("awsSecurityHub", {}).get("controlUrl"),
    )


def read_framework(path: str, content: bytes) -> list[Section]:
    """Read a whole framework from one file: a list of sections, the framework itself first.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    reader = FileReader(path, [])
    root = path.removesuffix(".yaml")
    sections: list[Section] = []
    nodes = reader.items(read_yaml(path, content), "a framework")
    seen: set[str] = set()
    for node in nodes or ():
        values = reader.read(node, FRAMEWORK_ENTRY_KEYS, "a section")
        section_id = values.get("id")
        if section_id is None or "name" not in values:
            continue
        if section_id in seen:
            reader.report(node, f"the section {section_id} stands twice", "duplicate-key")
        if section_id != root and not section_id.startswith(f"{root}/"):
            reader.report(node, f"the id {section_id} must begin with {root}, as the file's name says", "invalid-value")
        seen.add(section_id)
        sections.append(
            Section(
                section_id,
                values["name"],
                values.get("description", ""),
                values.get("similar", ()),
                single_policy_only=values.get("singlePolicyOnly", False),
            )
        )
    if reader.problems:
        raise InvalidRepositoryError(reader.problems)
    return sections


def read_folder(path: str, content: bytes) -> Folder:
    """Read `folder.yaml`.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    values = read_keys(path, content, FOLDER_KEYS, "a folder")
    return Folder(path.rpartition("/")[0], values["name"], values.get("description", ""))


def read_rule(path: str, content: bytes) -> InternalRule:
    """Read an internal rule; its id is the file's name.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    values = read_keys(path, content, RULE_KEYS, "an internal rule")
    rule_id = path.rpartition("/")[2].removesuffix(".yaml")
    return InternalRule(rule_id, values["name"], values["sections"], values.get("description", ""))


def place_of(path: str, content: bytes, text: str) -> tuple[int, int]:
    """Return line and column of the first scalar in a YAML file that is exactly `text`; (1, 1) when there is none."""
    pending: list[Node] = [read_yaml(path, content)]
    while pending:
        node = pending.pop(0)
        if isinstance(node, Scalar):
            if node.text == text:
                return node.line, node.column
            continue
        pending.extend(getattr(node, "items", ()) or [value for _, value in getattr(node, "entries", ())])
    return 1, 1
