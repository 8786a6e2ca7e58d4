"""What names mean where an expression stands: the object's type, the extracts at hand, the related lists in use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reeve.language.errors import nearest, one_of
from reeve.language.evaluation import Gone
from reeve.language.operations.base import Expression
from reeve.language.operations.registry import Operations
from reeve.language.rows import says_disappeared
from reeve.language.source import Node
from reeve.language.syntax import FileReader, Paths
from reeve.language.types import ANY, NAMED, Type
from reeve.model import ObjectType


@dataclass(frozen=True, slots=True)
class ExtractSource:
    """A named expression where it stands: its file's path, its node, and where the nodes of that file stand."""

    path: str
    node: Node
    paths: Paths = field(default_factory=Paths)


Extracts = tuple[Mapping[str, ExtractSource], ...]
"""The extracts at hand, file by file: the first that has a name defines it."""


@dataclass(slots=True)
class Scope:
    """What names mean where an expression stands: the object's type, what is at hand, the related lists in use.

    `prefix` is the lookup path ("a.b.") from the judged object to the object that the expression speaks of, `gone` how to tell
    that an object on that way has disappeared. Inside an extract, `own_file` holds the extracts of its file. Conditions written
    as text can't carry undetermined checks; then those that YAML asks for are not `checks_required`. `legacy`: in a file of the
    legacy dialect.
    """

    object_type: ObjectType
    type_of: Callable[[str], ObjectType]
    operations: Operations
    extracts: Extracts = ()
    prefix: str = ""
    gone: Gone = ()
    legacy: bool = False
    checks_required: bool = True
    imports_failed: bool = False
    own_file: Mapping[str, ExtractSource] = field(default_factory=dict[str, ExtractSource])
    open_extracts: tuple[tuple[str, str], ...] = ()
    related_lists_used: list[tuple[str, FileReader, Node]] = field(default_factory=list[tuple[str, FileReader, Node]])
    extracts_used: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    imported: set[str] = field(default_factory=set[str])
    read_extracts: dict[tuple[str, str, str], Expression | None] = field(
        default_factory=dict[tuple[str, str, str], Expression | None]
    )
    circles: set[frozenset[tuple[str, str]]] = field(default_factory=set[frozenset[tuple[str, str]]])

    def behind(self, path: str) -> "Scope | str":
        """Return the scope of the object behind a lookup path, or what is wrong with the path."""
        if not path:
            return self
        found = behind(self.object_type, path, self.type_of)
        if isinstance(found, str):
            return found
        object_type, gone = found
        return replace(self, object_type=object_type, prefix=f"{self.prefix}{path}.", gone=(*self.gone, *gone))


def behind(start: ObjectType, path: str, type_of: Callable[[str], ObjectType]) -> tuple[ObjectType, Gone] | str:
    """Return the type of the object behind a path of lookups, and for each of these how to tell that its object is gone.

    Args:
        start: the type of the object that the path starts from.
        path: lookups with dots between them; none lead nowhere.
        type_of: gives a type by its id.

    Returns:
        These; or what is wrong with the path.
    """
    object_type, gone = start, list[str | None]()
    for lookup in path.split(".") if path else ():
        if not object_type.untyped:
            if lookup not in object_type.lookups:
                return f"{object_type.id} has no lookup {lookup!r}{nearest(lookup, object_type.lookups)}"
            object_type = type_of(object_type.lookups[lookup].type)
        gone.append(_says_gone(object_type))
    return object_type, tuple(gone)


def _says_gone(object_type: ObjectType) -> str | None:
    if object_type.disappearance_field or object_type.untyped:
        return object_type.disappearance_field
    return None if any(map(says_disappeared, object_type.fields)) else ""


def field_type(scope: Scope, path: str) -> Type | str:
    """Return the type of a field behind a path, ANY where no type file says, or what is wrong with the path."""
    lookups, _, name = path.rpartition(".")
    behind = scope.behind(lookups)
    if isinstance(behind, str):
        return behind
    object_type = behind.object_type
    if object_type.untyped:
        return ANY
    if name not in object_type.fields:
        hint = nearest(name, object_type.fields) or f"; it has {one_of(object_type.fields)}"
        return f"{object_type.id} has no field {name!r}{hint}"
    return NAMED[object_type.fields[name].type]


def _namespace(object_type: ObjectType) -> str | None:
    head, found, _ = object_type.id.partition("__")
    return f"{head}__" if found else None


def disappearance_name(object_type: ObjectType) -> str:
    """Return the name of the field that `isDisappeared(…)` prints for a type."""
    if object_type.disappearance_field:
        return object_type.disappearance_field
    namespace = _namespace(object_type)
    return f"{namespace}disappearanceTime__c" if namespace else "disappearanceTime"
