"""Resolves the names in an operation: fields, lookups, extracts, related lists."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from reeve.language import source
from reeve.language.errors import nearest, one_of
from reeve.language.operations.aws_policy import AwsPolicy
from reeve.language.operations.base import Expression, Gone
from reeve.language.operations.fields import EmptyLookup, Extract, Field, IsDisappeared
from reeve.language.operations.related import RelatedList
from reeve.language.operations.search import OldSearch
from reeve.language.operations.tags import DEFAULT_TAGS, Tag
from reeve.language.scopes import Extracts, ExtractSource, Scope, disappearance_name, field_type
from reeve.language.source import Node, Scalar
from reeve.language.syntax import FileReader
from reeve.language.types import ANY, BYTES, STRINGS, Type, accepts

Read = Callable[[FileReader, Node, Scope], Expression | None]


def argument_node(name: Scalar, body: Node, argument: str) -> Node:
    """Return where an argument of an operation stands; the operation's name, where it doesn't."""
    entries = body.entries if isinstance(body, source.Mapping) else ()
    return next((value for key, value in entries if key.text == argument), name)


def resolve(
    reader: FileReader, place: tuple[Scalar, Node], expression: Expression, scope: Scope, read: Read
) -> Expression | None:
    """Return an operation with its names resolved, or None when a problem was noted.

    Args:
        reader: the file being read.
        place: where the operation's name and its arguments stand.
        expression: the operation as it was read.
        scope: what names mean here.
        read: reads an expression, such as that of an extract.
    """
    name, body = place
    match expression:
        case Field():
            return _resolve_field(reader, name, expression, scope)
        case Extract():
            return _resolve_extract(reader, name, expression, scope, read)
        case EmptyLookup():
            behind = _behind(reader, name, expression.path, scope)
            return behind and replace(expression, prefix=scope.prefix, gone=behind.gone)
        case IsDisappeared():
            return replace(expression, field=disappearance_name(scope.object_type))
        case Tag():
            return _resolve_tag(reader, name, expression, scope)
        case _ if isinstance(expression, AwsPolicy):
            found = _field(reader, name, expression.policy_ext_field, scope)
            return found and replace(expression, prefix=scope.prefix, gone=found[1])
        case _ if isinstance(expression, OldSearch):
            return replace(expression, legacy=scope.legacy)
        case RelatedList():
            named = argument_node(name, body, "relationshipName")
            scope.related_lists_used.append((expression.relationship_name, reader, named))
            behind = scope.behind(expression.relationship_name.rpartition(".")[0])
            return expression if isinstance(behind, str) else replace(expression, gone=behind.gone)
        case _:
            return expression


def _behind(reader: FileReader, node: Node, path: str, scope: Scope) -> Scope | None:
    behind = scope.behind(path)
    if isinstance(behind, str):
        reader.report(node, behind, "unknown-field")
        return None
    return behind


def _field(reader: FileReader, node: Node, path: str, scope: Scope) -> tuple[Type, Gone] | None:
    """Return the type of a field behind a path, and how to tell that an object on the way has disappeared."""
    found = field_type(scope, path)
    behind = scope.behind(path.rpartition(".")[0])
    if isinstance(found, str) or isinstance(behind, str):
        reader.report(node, found if isinstance(found, str) else str(behind), "unknown-field")
        return None
    return found, behind.gone


def _resolve_field(reader: FileReader, node: Scalar, expression: Field, scope: Scope) -> Expression | None:
    found = _field(reader, node, expression.path, scope)
    delegate = expression.undetermined_if.get("noAccessDelegate")
    to = _field(reader, node, delegate.path or "", scope) if delegate else (ANY, ())
    if found is None or to is None:
        return None
    exact = expression.return_type == "BYTES"
    if exact and not accepts(STRINGS, found[0]):
        reader.report(node, f"the field {expression.path!r} is {found[0]}, which can't be read as Bytes", "wrong-type")
        return None
    return replace(
        expression,
        type=BYTES if exact else found[0],
        prefix=scope.prefix,
        gone=found[1],
        delegate_type=to[0],
        delegate_gone=to[1],
    )


def _resolve_tag(reader: FileReader, node: Scalar, expression: Tag, scope: Scope) -> Expression | None:
    path = expression.tags_json or scope.object_type.tags_field or DEFAULT_TAGS
    found = _field(reader, node, path, scope) if expression.tags_json else (ANY, scope.gone)
    return found and replace(expression, tags_json=path, prefix=scope.prefix, gone=found[1])


def _resolve_extract(reader: FileReader, node: Scalar, expression: Extract, scope: Scope, read: Read) -> Expression | None:
    path, name = "", expression.name
    file = _file_of(name, (scope.own_file, *scope.extracts))
    if file is None:
        path, _, name = name.rpartition(".")
    behind = _behind(reader, node, path, scope) if file is None or path else scope
    if behind is None:
        return None
    file = file or _file_behind(name, scope, behind if path else None)
    if file is None:
        known = {name for some in scope.extracts for name in some}
        hint = nearest(name, known) or (f"; imported are {one_of(known)}" if known else "; no file with extracts is imported")
        if not scope.imports_failed:
            reader.report(node, f"unknown extract {expression.name!r}{hint}", "unknown-extract")
        return None
    found = file[name]
    key = (found.path, name)
    scope.extracts_used.add(key)
    if key in scope.open_extracts:
        open_ = scope.open_extracts[scope.open_extracts.index(key) :]
        if frozenset(open_) not in scope.circles:
            scope.circles.add(frozenset(open_))
            circle = " → ".join((*(one for _, one in open_), name))
            reader.report(node, f"circular extracts: {circle}", "circular-extract")
        return None
    known = (*key, behind.prefix + behind.object_type.id)
    if known not in scope.read_extracts:
        inside = replace(behind, open_extracts=(*scope.open_extracts, key), checks_required=True, own_file=file)
        scope.read_extracts[known] = read(FileReader(found.path, reader.problems, found.paths), found.node, inside)
    body = scope.read_extracts[known]
    return None if body is None else replace(expression, expression=body)


def _file_of(name: str, files: Extracts) -> Mapping[str, ExtractSource] | None:
    return next((some for some in files if name in some), None)


def _file_behind(name: str, scope: Scope, behind: Scope | None) -> Mapping[str, ExtractSource] | None:
    """Return the file that defines an extract for the object behind lookups: its type's, else none of the own type's."""
    if behind is None:
        return None
    own, theirs = (f"/types/{of.object_type.id}/" for of in (scope, behind))
    having = [some for some in scope.extracts if name in some]
    if not behind.object_type.untyped:
        of_type = [some for some in having if some[name].path.startswith(theirs)]
        having = of_type or having
    others = [some for some in having if not some[name].path.startswith(own)]
    return next(iter(others or having), None)
