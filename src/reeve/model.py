"""The plain data that every part of Reeve speaks of. Imports nothing of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, NewType

Code = NewType("Code", int)
"""What a policy says of an object, as one number; `reeve.language.codes` makes codes and takes them apart."""


class Status(StrEnum):
    """The five verdicts on an object (policy language, section 2)."""

    DISAPPEARED = "DISAPPEARED"
    INAPPLICABLE = "INAPPLICABLE"
    UNDETERMINED = "UNDETERMINED"
    INCOMPLIANT = "INCOMPLIANT"
    COMPLIANT = "COMPLIANT"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object of an estate is: whose it is, in which region ("global" where the API has none), and its full name.

    `provider` is the first part of its type's id, `account` the number; `account_name` and `arn`, the ARN or what the provider
    has for one, are None where they could not be read.
    """

    provider: str
    account: str
    account_name: str | None
    partition: str
    region: str
    service: str
    arn: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy says of one object: a code, and the text of an error that a library reported, if any.

    `unseen`: something that it looked at could not be read or understood, so that for its parent it may have any status.
    """

    code: Code
    runtime_error: str | None = None
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code of a policy stands for: its status, its messages and the text of what decided."""

    code: Code
    status: Status
    message: str
    remediation: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object type: the name of its type in the policy language ("Text", "Boolean", ...) and what it holds.

    `source` is the JMESPath that picks it from what was read of an object, `hint` the one that picks a provisional value.
    """

    name: str
    type: str
    description: str = ""
    source: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """An API call that a type declares; expressions are JMESPath over what is known of an object (docs/types.md).

    `arguments` are by parameter, `when` says whether it is made. `items` and `match` (the items' expression, the object's)
    choose the one item of a list that is about the object. `absent` are the errors that mean that nothing is configured, as
    a code, or `code: words of the message`.
    """

    service: str
    operation: str
    permissions: tuple[str, ...]
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    when: str | None = None
    items: str | None = None
    match: tuple[str, str] | None = None
    absent: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The call as error messages and the manifest write it, `service:Operation`."""
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a type's objects are listed: `items` of a call's answer, made once, or once for each object of type `parent`.

    `when` says of which parents there is a list, `where` which of its items are taken. With `for_suspects` it is read only for
    those that are INCOMPLIANT under a policy that reads one of these fields of theirs, as it is only shown with the finding.
    Where lists of several regions are `repeated`, an object that more than one names is taken once.
    """

    items: str
    call: Call | None = None
    parent: str | None = None
    when: str | None = None
    for_suspects: tuple[str, ...] = ()
    where: str | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Provisional:
    """A call whose answer gives provisional values to the fields with a `hint`; live calls confirm what would be INCOMPLIANT.

    `item` makes of an item of that answer what a source would list; `made_at` says when a listed object was made.
    """

    call: str
    item: str
    made_at: str


@dataclass(frozen=True, slots=True)
class Collect:
    """How a type is collected: its sources, the calls for each object by name, the errors that mean that it is gone.

    A `regional` type is listed in each region. `region` is where an object is, if not where it was listed. `optional` are the
    members that answers may lack, and mean something by it, as names joined by dots from what expressions see; every other
    member that is read must be there.
    """

    regional: bool
    sources: tuple[Source, ...]
    region: str | None = None
    calls: Mapping[str, Call] = field(default_factory=dict[str, Call])
    gone: tuple[str, ...] = ()
    provisional: Provisional | None = None
    optional: tuple[str, ...] = ()


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
class Template:
    """A text with names in braces: `parts` are (what stands before a name, the name), the last without one (None)."""

    text: str
    parts: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A type of object, from `types/<type>/type.yaml`; a type without that file has no fields and is `untyped`.

    `service` is the provider's service that the objects belong to. The templates give an object's full name (`arn`), the
    address of its page in the provider's console, and a line that tells it from its like.
    """

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
    collect: Collect | None = None
    untyped: bool = False
    service: str = ""
    arn: Template | None = None
    console: Template | None = None
    summary: Template | None = None


@dataclass(frozen=True, slots=True)
class SimilarPolicy:
    """A policy of another vendor with the same meaning. `vendor` is its key in `policy.yaml`."""

    vendor: str
    name: str
    url: str | None = None
    check_id: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """Which of an object's related lists holds access keys, to be shown with a policy's findings.

    `keep_one` is the code of the findings that end with advice on which of them to keep; None: the policy gives none.
    `FIELDS` are those that the list's type must have.
    """

    FIELDS: ClassVar = ("id", "status", "createdAt", "lastUsedAt", "lastUsedRegion", "lastUsedService")
    related_list: str
    keep_one: int | None = None


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
    credentials: Credentials | None = None
    files: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()

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
    """A folder of policies, from `folder.yaml`: its name that stands alone, and the one below its own folder."""

    id: str
    full_name: str
    contextual_name: str


@dataclass(frozen=True, slots=True)
class Section:
    """A framework (an id of two parts) or one of its sections.

    `similar` are the sections whose links it inherits, `internal_sections` the organisation's own sections of its meaning:
    the rules that are mapped to those are mapped to it (`InternalRule.internal_sections`).
    """

    id: str
    name: str
    description: str = ""
    similar: tuple[str, ...] = ()
    internal_sections: tuple[str, ...] = ()
    single_policy_only: bool = False
    aws_security_hub_url: str | None = None

    @property
    def framework(self) -> str:
        """The id of the framework that this section belongs to."""
        return "/".join(self.id.split("/")[:3])

    @property
    def is_framework(self) -> bool:
        """Whether this is a framework as a whole."""
        return self.id.count("/") == 2


@dataclass(frozen=True, slots=True)
class InternalRule:
    """A rule of an organisation's own, mapped to sections, and by the organisation's own sections to those that name them.

    `id` is the name of its file; `code` is how the organisation checks it, as (language, text).
    """

    id: str
    name: str
    sections: tuple[str, ...] = ()
    description: str = ""
    references: tuple[str, ...] = ()
    code: tuple[tuple[str, str], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    internal_sections: tuple[str, ...] = ()
