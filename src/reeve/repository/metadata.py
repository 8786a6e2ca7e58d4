"""The declarations of a repository's metadata files, and how each becomes plain data (policy language, section 1)."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reeve.language.errors import InvalidRepositoryError, Position, Problem
from reeve.language.source import Node, Scalar, read_yaml
from reeve.language.syntax import FileReader, Key, Keys, Paths, Shape
from reeve.model import Folder, InternalRule, Policy, Section, SimilarPolicy
from reeve.repository.files import MAX_DEPTH, depth_of

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
    "name": Key(Shape.STRING, "The other policy's name.", True),
    "url": Key(Shape.STRING, "Where it is described."),
}

TRUSTED_ADVISOR_KEYS: Keys = {"checkId": Key(Shape.STRING, "The check's id.", True), **SIMILAR_KEYS}

NAMES = Key(
    Shape.MAPPING,
    "What it is called.",
    True,
    keys={
        "full": Key(Shape.STRING, "The name that stands alone.", True),
        "contextual": Key(Shape.STRING, "The name below its folder, which repeats nothing of the path.", True),
    },
)

POLICY_KEYS: Keys = {
    "names": NAMES,
    "description": Key(Shape.STRING, "One plain paragraph.", True),
    "type": Key(Shape.CHOICE, "What kind of policy this is.", choices=("COMPLIANCE_POLICY", "BEST_PRACTICE")),
    "categories": Key(Shape.CHOICES, "What the policy is about.", choices=CATEGORIES),
    "severity": Key(Shape.CHOICE, "How much it matters.", choices=SEVERITIES),
    "impossible": Key(Shape.BOOLEAN, "Whether the policy can't be automated."),
    "frameworkMappings": Key(Shape.STRINGS, "Ids of the sections it is linked to."),
    "frameworkIgnoreMappings": Key(Shape.STRINGS, "Ids of sections it is not linked to by a rule or a similar section."),
    "tags": Key(Shape.STRINGS, "Free words."),
    "similarPolicies": Key(
        Shape.MAPPING,
        "Policies of the same meaning elsewhere.",
        keys={
            "internal": Key(Shape.STRINGS, "Ids of internal rules."),
            **{
                vendor: Key(
                    Shape.RECORDS,
                    f"Those of {name}.",
                    keys=TRUSTED_ADVISOR_KEYS if vendor == "awsTrustedAdvisor" else SIMILAR_KEYS,
                )
                for vendor, name in VENDORS.items()
            },
        },
    ),
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
            "internal": Key(Shape.STRINGS, "Ids of the organisation's own sections; rules are mapped to those."),
            "awsSecurityHub": Key(
                Shape.MAPPING, "The control of AWS Security Hub.", keys={"controlUrl": Key(Shape.STRING, "Its page.", True)}
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

FOLDER_KEYS: Keys = {"names": NAMES}

RULE_KEYS: Keys = {
    "name": Key(Shape.STRING, "The rule's name.", True),
    "description": Key(Shape.STRING, "What it asks for."),
    "references": Key(Shape.ANYTHING, "Where it comes from: a text, or a list of texts."),
    "code": Key(
        Shape.RECORDS,
        "How the organisation checks it.",
        keys={"type": Key(Shape.STRING, "The language."), "text": Key(Shape.STRING, "The code.")},
    ),
    "attributes": Key(Shape.TEXTS, "What else is known of it."),
    "sections": Key(Shape.STRINGS, "Ids of the sections it is mapped to."),
}


def read_keys(path: str, content: bytes, keys: Keys, what: str) -> dict[str, Any]:
    """Return the declared keys of a file that is one mapping; `what` it is, for messages.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    root = read_yaml(path, content)
    reader = FileReader(path, [], Paths(root))
    values = reader.read(root, keys, what)
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
        contextual_name=names["contextual"],
        description=values["description"],
        type=values.get("type"),
        categories=values.get("categories", ()),
        severity=values.get("severity"),
        impossible=values.get("impossible", False),
        framework_mappings=values.get("frameworkMappings", ()),
        framework_ignore_mappings=values.get("frameworkIgnoreMappings", ()),
        internal_rules=similar.get("internal", ()),
        similar_policies=tuple(_similar_policies(similar)),
        tags=values.get("tags", ()),
        files=files,
    )


def _similar_policies(similar: Mapping[str, Any]) -> Iterator[SimilarPolicy]:
    """Yield the vendors' policies."""
    for vendor in VENDORS:
        for entry in similar.get(vendor, ()):
            yield SimilarPolicy(vendor, entry["name"], entry.get("url"), entry.get("checkId"))


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
    document = read_yaml(path, content)
    reader = FileReader(path, [], Paths(document))
    root = path.removesuffix(".yaml")
    sections: list[Section] = []
    nodes = reader.items(document, "a framework")
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
        if depth_of(section_id) > MAX_DEPTH:
            reader.report(node, f"the id has {depth_of(section_id):,} parts; at most {MAX_DEPTH} are read", "too-deep")
            break  # what is below has more
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
    return Folder(path.rpartition("/")[0], values["names"]["full"], values["names"]["contextual"])


def read_rule(path: str, content: bytes) -> InternalRule:
    """Read an internal rule; its id is the file's name.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    values = read_keys(path, content, RULE_KEYS, "an internal rule")
    return InternalRule(
        path.rpartition("/")[2].removesuffix(".yaml"),
        values["name"],
        values.get("sections", ()),
        values.get("description", ""),
        tuple(_references(values.get("references"))),
        tuple((one.get("type", ""), one.get("text", "")) for one in values.get("code", ())),
        values.get("attributes", {}),
    )


def _references(value: Any) -> Iterator[str]:
    """Yield texts: one that stands alone, or those of a list."""
    for item in value if isinstance(value, list) else [value]:  # pyright: ignore[reportUnknownVariableType]
        if item is not None:
            yield item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)


def read_rule_sections(path: str, content: bytes) -> Mapping[str, tuple[str, ...]]:
    """Read the file that maps an internal rule's id to the ids of the organisation's own sections that it belongs to.

    Raises:
        InvalidRepositoryError: it is no such file; the one error says what is wrong.
    """
    try:
        return msgspec.json.decode(content, type=dict[str, tuple[str, ...]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"expected a JSON object of rules' ids to lists of sections' ids: {str(error).lower()}"
        raise InvalidRepositoryError([Problem(Position(path), message, "wrong-kind")]) from None


def positions(path: str, content: bytes) -> Mapping[str, Position]:
    """Return where each text of a YAML file stands that is a value, the first time."""
    found: dict[str, Position] = {}
    pending: deque[Node] = deque([read_yaml(path, content)])
    while pending:
        node = pending.popleft()
        if isinstance(node, Scalar):
            found.setdefault(node.text, Position(path, node.line, node.column))
            continue
        pending.extend(getattr(node, "items", ()) or [value for _, value in getattr(node, "entries", ())])
    return found


def position_of(path: str, content: bytes, text: str) -> tuple[int, int]:
    """Return line and column of the first scalar in a YAML file that is exactly `text`; (1, 1) when there is none."""
    position = positions(path, content).get(text, Position(path))
    return position.line, position.column
