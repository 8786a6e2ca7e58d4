"""The plain data that every part of Reeve speaks of. Imports nothing of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """The five verdicts on an object (policy language, section 2)."""

    DISAPPEARED = "DISAPPEARED"
    INAPPLICABLE = "INAPPLICABLE"
    UNDETERMINED = "UNDETERMINED"
    INCOMPLIANT = "INCOMPLIANT"
    COMPLIANT = "COMPLIANT"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy says of one object: a code, and the text of an error that a library reported, if any."""

    code: int
    runtime_error: str | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code of a policy stands for: its status, its messages and the text of what decided."""

    code: int
    status: Status
    message: str
    remediation: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object type: the name of its type in the policy language ("Text", "Boolean", ...) and what it holds."""

    name: str
    type: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """A lookup (one object) or a related list (many) of an object type, and the id of the type it leads to.

    `foreign_key` is the child's field that holds the parent's id, for related lists of a snapshot.
    """

    name: str
    type: str
    description: str = ""
    foreign_key: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A type of object, from `types/<type>/type.yaml`; a type without that file has no fields and is `untyped`."""

    id: str
    name: str
    description: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict[str, Field])
    lookups: Mapping[str, Relation] = field(default_factory=dict[str, Relation])
    related_lists: Mapping[str, Relation] = field(default_factory=dict[str, Relation])
    id_field: str = "Id"
    name_field: str = "Id"
    disappearance_field: str | None = None
    tags_field: str | None = None
    calls: tuple[str, ...] = ()
    untyped: bool = False


@dataclass(frozen=True, slots=True)
class SimilarPolicy:
    """A policy of another vendor with the same meaning. `vendor` is its key in `policy.yaml`."""

    vendor: str
    name: str
    url: str | None = None
    check_id: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy's metadata, from `policy.yaml` (policy language, section 1); its logic is loaded on its own."""

    id: str
    full_name: str
    contextual_name: str
    description: str
    type: str | None = None
    categories: tuple[str, ...] = ()
    severity: str | None = None
    impossible: bool = False
    framework_mappings: tuple[str, ...] = ()
    framework_ignore_mappings: tuple[str, ...] = ()
    internal_rules: tuple[str, ...] = ()
    similar_policies: tuple[SimilarPolicy, ...] = ()
    files: frozenset[str] = frozenset()

    @property
    def folder(self) -> str:
        """The id of the folder that holds this policy."""
        return self.id.rpartition("/")[0]

    @property
    def is_production(self) -> bool:
        """Whether the policy has production logic (`prod.logic.yaml`)."""
        return "prod.logic.yaml" in self.files


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of policies, from `folder.yaml`."""

    id: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A framework (an id of two parts) or one of its sections; `similar` are the sections whose links it inherits."""

    id: str
    name: str
    description: str = ""
    similar: tuple[str, ...] = ()
    internal_rules: tuple[str, ...] = ()
    single_policy_only: bool = False
    aws_security_hub_url: str | None = None

    @property
    def framework(self) -> str:
        """The id of the framework that this section belongs to."""
        return "/".join(self.id.split("/")[:3])


@dataclass(frozen=True, slots=True)
class InternalRule:
    """A rule of an organisation's own, mapped to sections; `id` is the name of its file."""

    id: str
    name: str
    sections: tuple[str, ...]
    description: str = ""
