"""Reads a logic file: conditions, extracts, related lists (policy language, section 2)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reeve.language.codes import MOST_CONDITIONS
from reeve.language.errors import InvalidRepositoryError, Position, nearest, one_of
from reeve.language.expressions import read_check
from reeve.language.operations.base import Expression
from reeve.language.operations.registry import Operations
from reeve.language.scopes import ExtractSource, Scope
from reeve.language.sizes import TOO_DEEP, size_problem
from reeve.language.source import Mapping as YamlMapping
from reeve.language.source import Node, Scalar, read_yaml
from reeve.language.syntax import FileReader, Key, Keys, Paths, Shape, is_text
from reeve.language.types import BOOLEAN, Kind
from reeve.model import ObjectType, Status

STATUSES = tuple(Status)

FILE_KEYS: Keys = {"file": Key(Shape.STRING, "A path: from the repository's root if it begins with /, else from here.", True)}

OTHERWISE_KEYS: Keys = {
    "status": Key(Shape.CHOICE, "The verdict.", True, STATUSES),
    "currentStateMessage": Key(Shape.STRING, "What is so.", True),
    "remediationMessage": Key(Shape.STRING, "What to do."),
}

CONDITION_KEYS: Keys = {
    **OTHERWISE_KEYS,
    "check": Key(Shape.EXPRESSION, "A Boolean operation, or its text."),
    "condition": Key(Shape.EXPRESSION, "A Boolean operation (legacy dialect)."),
}

BODY_KEYS: Keys = {
    "recordTypes": Key(Shape.STRINGS, "Only objects of these record types are judged; types of ours have none."),
    "importExtracts": Key(Shape.RECORDS, "Files whose extracts may be used.", keys=FILE_KEYS),
    "conditions": Key(Shape.ANYTHING, "Ordered; the first whose check is true decides.", True),
    "otherwise": Key(Shape.MAPPING, "The verdict when no condition decides.", True, keys=OTHERWISE_KEYS),
    "relatedLists": Key(Shape.ANYTHING, "Classify child objects, for RELATED_LIST operations."),
}

LOGIC_KEYS: Keys = {
    "inputType": Key(Shape.STRING, "The type of the objects that are judged."),
    "inputObject": Key(Shape.STRING, "The type of the objects that are judged (legacy dialect)."),
    "testData": Key(Shape.RECORDS, "Files with objects and their expected results.", keys=FILE_KEYS),
    **BODY_KEYS,
}

RELATED_LIST_KEYS: Keys = {
    "relationshipName": Key(Shape.STRING, "The list's name; dots before it walk lookups.", True),
    **BODY_KEYS,
}

EXTRACTS_KEYS: Keys = {
    "extracts": Key(
        Shape.RECORDS,
        "Named expressions.",
        True,
        keys={
            "name": Key(Shape.STRING, "The extract's name.", True),
            "value": Key(Shape.EXPRESSION, "The operation that the name stands for.", True),
        },
    )
}


class BadReferenceError(ValueError):
    """A reference leads to no file, or out of the repository; `rule` is its code (section 7)."""

    def __init__(self, rule: str, message: str):
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: when its check is true the object has this status, with these messages."""

    status: Status
    message: str
    remediation: str | None
    check: Expression
    position: Position


@dataclass(frozen=True, slots=True)
class Body:
    """What classifies objects of one type: ordered conditions, what holds otherwise, and the related lists' own bodies."""

    object_type: ObjectType
    conditions: tuple[Condition, ...]
    otherwise_status: Status
    otherwise_message: str
    otherwise_remediation: str | None
    related_lists: Mapping[str, "Body"]


@dataclass(frozen=True, slots=True)
class Logic:
    """A logic file: its path from the root, its body, its test data's paths, the files it imports (its related lists' too),
    and the extracts it uses, as file and name."""

    path: str
    body: Body
    test_data: tuple[str, ...]
    all_imports: frozenset[str]
    extracts_used: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a logic file needs from its repository: object types, other files' bytes, where paths lead, and operations.

    `resolve` turns a reference, as written in the file at a path, into a path from the root, or raises `BadReferenceError`.
    """

    object_type: Callable[[str], ObjectType]
    read: Callable[[str], bytes]
    resolve: Callable[[str, str], str]
    extracts: Callable[[str], Mapping[str, ExtractSource]]
    operations: Operations


def read_extracts(path: str, content: bytes) -> dict[str, ExtractSource]:
    """Read a file of extracts: their names, and where their expressions stand, unread until they are used.

    Raises:
        InvalidRepositoryError: the file is no valid file of extracts.
    """
    root = read_yaml(path, content)
    reader = FileReader(path, [], Paths(root))
    values = reader.read(root, EXTRACTS_KEYS, "a file of extracts")
    found: dict[str, ExtractSource] = {}
    nodes = getattr(_child(root, "extracts"), "items", ())
    for record, node in zip(values.get("extracts", ()), nodes, strict=True):
        if "name" in record and "value" in record:
            if record["name"] in found:
                place = _child(node, "name") or node
                reader.report(place, f"the extract {record['name']!r} stands twice", "duplicate-extract")
            found[record["name"]] = ExtractSource(path, record["value"], reader.paths)
    if reader.problems:
        raise InvalidRepositoryError(reader.problems)
    return found


def read_logic(path: str, surroundings: Surroundings) -> tuple[Logic, tuple[Any, ...]]:
    """Read a logic file.

    Args:
        path: the file's path from the repository's root, as messages show it.
        surroundings: the repository around it.

    Returns:
        The logic, and the warnings about it.

    Raises:
        InvalidRepositoryError: the file, or an extract it uses, has errors; all of them are named.
    """
    root = read_yaml(path, surroundings.read(path))
    reader = FileReader(path, [], Paths(root))
    values = reader.read(root, LOGIC_KEYS, "a logic file")
    current, legacy = _child(root, "inputType"), _child(root, "inputObject")
    if current is not None and legacy is not None:
        reader.report(
            legacy, "a logic file has 'inputType', or 'inputObject' in the legacy dialect, not both", "mixed-dialects"
        )
    elif current is None and legacy is None and isinstance(root, YamlMapping):
        reader.report(root, "a logic file needs the key 'inputType' ('inputObject' in the legacy dialect)", "missing-key")
    object_type = surroundings.object_type(str(values.get("inputType") or values.get("inputObject") or ""))
    scope = Scope(object_type, surroundings.object_type, surroundings.operations, legacy=legacy is not None and current is None)
    body = _LogicReader(reader, surroundings).body(root, scope, values)
    test_data = [name for name, _ in _LogicReader(reader, surroundings).files(root, "testData")]
    errors = [problem for problem in reader.problems if not problem.warning]
    if errors or body is None:
        raise InvalidRepositoryError(reader.problems)
    return Logic(path, body, tuple(test_data), frozenset(scope.imported), frozenset(scope.extracts_used)), tuple(
        reader.problems
    )


@dataclass(frozen=True, slots=True)
class _LogicReader:
    reader: FileReader
    surroundings: Surroundings

    def files(self, node: Node, key: str) -> list[tuple[str, Node]]:
        """Return the files that a list of references names, as paths from the root, and where they are named."""
        found: list[tuple[str, Node]] = []
        for item in self._items(node, key):
            name = _child(item, "file")
            if name is None or not is_text(name):
                continue
            try:
                found.append((self.surroundings.resolve(self.reader.path, name.text), name))
            except BadReferenceError as error:
                self.reader.report(name, str(error), error.rule)
        return found

    def body(self, node: Node, scope: Scope, values: Mapping[str, Any]) -> Body | None:
        """Read conditions, otherwise and related lists; imports add to those of the list around."""
        extracts, imports, failed = (
            list[Mapping[str, ExtractSource]](),
            self.files(node, "importExtracts"),
            scope.imports_failed,
        )
        failed = failed or len(imports) < len(list(self._items(node, "importExtracts")))
        for path, _ in imports:
            scope.imported.add(path)
            try:
                extracts.append(self.surroundings.extracts(path))
            except InvalidRepositoryError as error:
                failed = True
                self.reader.problems.extend(error.problems)
        every = (*extracts, *scope.extracts)
        inside = replace(scope, imports_failed=failed, extracts=every, related_lists_used=[], read_extracts={})
        items = list(self._items(node, "conditions"))
        if len(items) > MOST_CONDITIONS:
            message = f"{len(items):,} conditions; a list can have {MOST_CONDITIONS:,}, so that each has codes of its own"
            self.reader.report(_child(node, "conditions") or node, message, "too-large")
            return None
        conditions = [self._condition(item, inside) for item in items]
        related = self._related_lists(node, inside)
        used = {name for name, _, _ in inside.related_lists_used}
        for name, reader, place in inside.related_lists_used:
            if name not in related:
                hint = nearest(name, related) or (f"; defined are {one_of(related)}" if related else "; none is defined")
                reader.report(place, f"the related list {name!r} is not defined{hint}", "unknown-related-list")
        for name, (place, _) in related.items():
            if name not in used:
                self.reader.report(place, f"the related list {name!r} is never used", "unused-related-list", warning=True)
        for path, place in imports:
            wrong = failed or any(not problem.warning for problem in self.reader.problems)
            if not wrong and all(file != path for file, _ in scope.extracts_used):
                self.reader.report(place, f"no extract of {path} is used", "unused-import", warning=True)
        self._useless_remediation(_child(node, "otherwise"), values.get("otherwise", {}))
        otherwise: Mapping[str, Any] = values.get("otherwise", {})
        if None in conditions or "status" not in otherwise or "currentStateMessage" not in otherwise:
            return None
        return Body(
            scope.object_type,
            tuple(condition for condition in conditions if condition is not None),
            Status(otherwise["status"]),
            otherwise["currentStateMessage"],
            otherwise.get("remediationMessage"),
            {name: body for name, (_, body) in related.items() if body is not None},
        )

    def _items(self, node: Node, key: str) -> Iterator[Node]:
        entry = _child(node, key)
        if entry is not None and not (isinstance(entry, Scalar) and entry.is_null):
            yield from self.reader.items(entry, f"{key!r}") or ()

    def _condition(self, node: Node, scope: Scope) -> Condition | None:
        reader = self.reader
        keys = CONDITION_KEYS if scope.legacy else {name: key for name, key in CONDITION_KEYS.items() if name != "condition"}
        values = reader.read(node, keys, "a condition")
        self._useless_remediation(node, values)
        if scope.legacy and "check" in values and "condition" in values:
            reader.report(
                _child(node, "condition") or node, "a condition has 'check' or 'condition', not both", "mixed-dialects"
            )
            return None
        if "check" not in values and "condition" not in values:
            empty = _child(node, "check") or (_child(node, "condition") if scope.legacy else None)
            if empty is not None:
                reader.report(empty, "a condition's check is an operation, not nothing", "wrong-kind")
            elif isinstance(node, YamlMapping):
                reader.report(node, "a condition needs the key 'check' ('condition' in the legacy dialect)", "missing-key")
            return None
        place: Node = values.get("check") or values["condition"]
        try:
            check = read_check(reader, place, scope)
        except RecursionError:
            reader.report(place, TOO_DEEP, "too-deep")
            return None
        if check is None or "status" not in values or "currentStateMessage" not in values:
            return None
        if check.type.kind not in (BOOLEAN.kind, Kind.ANY):
            message = f"a condition's check must be Boolean, {check.operation} gives {check.type}"
            reader.report(place, message, "wrong-type")
            return None
        too_large = size_problem(check)
        if too_large:
            reader.report(place, too_large, "too-deep")
            return None
        return Condition(
            Status(values["status"]),
            values["currentStateMessage"],
            values.get("remediationMessage"),
            check,
            Position(reader.path, node.line, node.column),
        )

    def _useless_remediation(self, node: Node | None, values: Mapping[str, Any]) -> None:
        if node is not None and "remediationMessage" in values and values.get("status") not in (None, Status.INCOMPLIANT):
            message = f"a remediation is shown with INCOMPLIANT only, not with {values['status']}"
            self.reader.report(_child(node, "remediationMessage") or node, message, "useless-remediation", warning=True)

    def _related_lists(self, node: Node, scope: Scope) -> dict[str, tuple[Node, Body | None]]:
        found: dict[str, tuple[Node, Body | None]] = {}
        for item in self._items(node, "relatedLists"):
            values = self.reader.read(item, RELATED_LIST_KEYS, "a related list")
            name = values.get("relationshipName")
            if name is None:
                continue
            if name in found:
                place = _child(item, "relationshipName") or item
                self.reader.report(place, f"the related list {name!r} is defined twice", "duplicate-related-list")
            child_type = self._child_type(item, name, scope)
            if child_type is not None:
                body = self.body(item, replace(scope, object_type=child_type, prefix="", gone=()), values)
                found[name] = (item, body)
        return found

    def _child_type(self, node: Node, name: str, scope: Scope) -> ObjectType | None:
        path, _, last = name.rpartition(".")
        behind = scope.behind(path)
        if isinstance(behind, str):
            self.reader.report(node, behind, "unknown-field")
            return None
        object_type = behind.object_type
        if object_type.untyped:
            return object_type
        if last not in object_type.related_lists:
            hint = nearest(last, object_type.related_lists)
            self.reader.report(node, f"{object_type.id} has no related list {last!r}{hint}", "unknown-field")
            return None
        return self.surroundings.object_type(object_type.related_lists[last].type)


def _child(node: Node, key: str) -> Node | None:
    entries = node.entries if isinstance(node, YamlMapping) else ()
    return next((value for name, value in entries if name.text == key), None)
