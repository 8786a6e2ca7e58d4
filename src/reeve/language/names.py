"""Resolves the names in an operation: fields, lookups, extracts, related lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from reeve.language import source
from reeve.language.errors import nearest, one_of
from reeve.language.evaluation import Gone
from reeve.language.operations.base import Expression
from reeve.language.scopes import Extracts, ExtractSource, Scope, field_type
from reeve.language.source import Node, Scalar
from reeve.language.syntax import FileReader
from reeve.language.types import Type

Read = Callable[[FileReader, Node, Scope], Expression | None]


def argument_node(name: Scalar, body: Node, argument: str) -> Node:
    """Return where an argument of an operation stands; the operation's name, where it doesn't."""
    entries = body.entries if isinstance(body, source.Mapping) else ()
    return next((value for key, value in entries if key.text == argument), name)


@dataclass(frozen=True, slots=True)
class Names:
    """What names mean to an operation where it stands; what is wrong with one is noted in its file.

    `name` and `body` are where the operation's name and its arguments stand; `read` reads an expression, such as that of an
    extract.
    """

    reader: FileReader
    name: Scalar
    body: Node
    scope: Scope
    read: Read

    @property
    def prefix(self) -> str:
        """The lookup path ("a.b.") from the judged object to the object that the operation speaks of."""
        return self.scope.prefix

    @property
    def in_text(self) -> bool:
        """Whether the operation stands in a condition that is written as text."""
        return not self.scope.checks_required

    def report(self, message: str, rule: str) -> None:
        """Note a problem, with its code of section 7, at the operation's name."""
        self.reader.report(self.name, message, rule)

    def lookup(self, path: str) -> Gone | None:
        """Return how to tell that an object on a path of lookups has disappeared; None when a problem was noted."""
        behind = self._behind(path)
        return None if behind is None else behind.gone

    def field(self, path: str) -> tuple[Type, Gone] | None:
        """Return the type of a field behind a path, and how to tell that an object on the way has disappeared.

        None when a problem was noted.
        """
        found = field_type(self.scope, path)
        behind = self.scope.behind(path.rpartition(".")[0])
        if isinstance(found, str) or isinstance(behind, str):
            self.report(found if isinstance(found, str) else str(behind), "unknown-field")
            return None
        return found, behind.gone

    def related_list(self, name: str, argument: str) -> Gone:
        """Note that a related list is used, and return how to tell that an object on the way to it has disappeared.

        That its list is not defined is said, at the argument that names it, when all of the file was read.
        """
        place = argument_node(self.name, self.body, argument)
        self.scope.related_lists_used.append((name, self.reader, place))
        behind = self.scope.behind(name.rpartition(".")[0])
        return () if isinstance(behind, str) else behind.gone

    def extract(self, name: str) -> Expression | None:
        """Return the expression that an extract names, maybe of the object behind a path; None when a problem was noted."""
        scope, reader, path, whole = self.scope, self.reader, "", name
        file = _file_of(name, (scope.own_file, *scope.extracts))
        if file is None:
            path, _, name = name.rpartition(".")
        behind = self._behind(path) if file is None or path else scope
        if behind is None:
            return None
        file = file or _file_behind(name, scope, behind if path else None)
        if file is None:
            known = {name for some in scope.extracts for name in some}
            hint = nearest(name, known) or (
                f"; imported are {one_of(known)}" if known else "; no file with extracts is imported"
            )
            if not scope.imports_failed:
                self.report(f"unknown extract {whole!r}{hint}", "unknown-extract")
            return None
        found = file[name]
        key = (found.path, name)
        scope.extracts_used.add(key)
        if key in scope.open_extracts:
            open_ = scope.open_extracts[scope.open_extracts.index(key) :]
            if frozenset(open_) not in scope.circles:
                scope.circles.add(frozenset(open_))
                circle = " → ".join((*(one for _, one in open_), name))
                self.report(f"circular extracts: {circle}", "circular-extract")
            return None
        known = (*key, behind.prefix + behind.object_type.id)
        if known not in scope.read_extracts:
            inside = replace(behind, open_extracts=(*scope.open_extracts, key), checks_required=True, own_file=file)
            scope.read_extracts[known] = self.read(FileReader(found.path, reader.problems, found.paths), found.node, inside)
        return scope.read_extracts[known]

    def _behind(self, path: str) -> Scope | None:
        behind = self.scope.behind(path)
        if isinstance(behind, str):
            self.report(behind, "unknown-field")
            return None
        return behind


@runtime_checkable
class Resolving(Protocol):
    """An operation with names in it, or whose meaning depends on where it stands."""

    def resolve(self, names: Names) -> Expression | None:
        """Return the operation with its names resolved, or None when a problem was noted."""
        ...


def resolved(expression: Expression, names: Names) -> Expression | None:
    """Return an operation with its names resolved, or None when a problem was noted; itself, if it has none."""
    return expression.resolve(names) if isinstance(expression, Resolving) else expression


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
