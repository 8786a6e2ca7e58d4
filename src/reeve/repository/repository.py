"""A policy repository: everything in it by id, read when it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from reeve.language.errors import InvalidRepositoryError, Position, Problem, nearest
from reeve.language.logic import Body, Logic, Surroundings, read_extracts, read_logic
from reeve.language.operations.registry import Operations
from reeve.language.scopes import ExtractSource
from reeve.language.source import position_at, read_yaml
from reeve.model import Folder, InternalRule, ObjectType, Policy, Section
from reeve.repository import metadata
from reeve.repository.files import Files
from reeve.repository.object_types import read_type
from reeve.repository.remedies import REMEDIES, CheckRemedies, Remedies, problems_at, read_remedies
from reeve.repository.type_checks import CheckCollect, Finding, check_type

PRODUCTION_LOGIC, WORK_IN_PROGRESS = "prod.logic.yaml", "wip.logic.yaml"
LOGIC_SUFFIX = ".logic.yaml"
PARTS = ("ce", "frameworks", "types", "internal")
"""The directories of a repository's root that it reads."""
RULE_SECTIONS = "/internal-rule-sections.json"
"""The public form's file of the organisation's own sections by internal rule."""

T = TypeVar("T")


def type_path(type_id: str) -> str:
    """Return the path of the file that declares a type."""
    return f"/types/{type_id}/type.yaml"


@dataclass(frozen=True)
class Repository:
    """The repository below a directory. Reading is lazy; what was read is kept.

    `given` are the operations that its logic may use, None for those that are built in.
    """

    files: Files
    given: Operations | None = None

    @classmethod
    def open(cls, root: Path, operations: Operations | None = None) -> "Repository":
        """Open a repository.

        Args:
            root: its directory.
            operations: those that its logic may use; by default those that are built in.

        Raises:
            InvalidRepositoryError: there is no directory at `root`, or it holds nothing that a repository holds.
        """
        if not root.is_dir() or not any((root / part).is_dir() for part in PARTS):
            message = "no policy repository: expected a directory with ce/, frameworks/, internal/ or types/ in it"
            raise InvalidRepositoryError([Problem(Position(str(root)), message, "missing-file")])
        return cls(Files(root), operations)

    @cached_property
    def operations(self) -> Operations:
        """The operations that logic may use."""
        if self.given is not None:
            return self.given
        from reeve.language.operations.built_in import BUILT_IN  # takes a while to load, and lists need none

        return BUILT_IN

    @cached_property
    def _policy_files(self) -> Mapping[str, frozenset[str]]:
        return {path: names for path, names in self.files.walk("/ce") if "policy.yaml" in names}

    @cached_property
    def policy_ids(self) -> tuple[str, ...]:
        """The ids of all policies, in order."""
        return tuple(sorted(self._policy_files))

    def select(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the ids of the policies that match a glob, by whole id or by its end; all without patterns.

        Raises:
            LookupError: a pattern matches no policy; the message names the nearest id.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            wanted = pattern.strip("/")
            found = [i for i in self.policy_ids if fnmatchcase(i.strip("/"), wanted) or fnmatchcase(i, f"*/{wanted}")]
            if not found:
                slugs = {policy_id.rpartition("/")[2]: policy_id for policy_id in self.policy_ids}
                hint = nearest(wanted, self.policy_ids) or nearest(wanted.rpartition("/")[2], slugs)
                raise LookupError(f"no policy matches {pattern!r}{hint}")
            chosen.update(found)
        return tuple(i for i in self.policy_ids if i in chosen) if patterns else self.policy_ids

    @cached_property
    def _policies(self) -> dict[str, Policy]:
        return {}

    def policy(self, policy_id: str) -> Policy:
        """Return a policy's metadata.

        Raises:
            KeyError: there is no such policy.
            InvalidRepositoryError: its `policy.yaml` has errors.
        """
        if policy_id not in self._policies:
            path = f"{policy_id}/policy.yaml"
            files = self._policy_files[policy_id]
            self._policies[policy_id] = metadata.read_policy(path, self.files.read(path), files)
        return self._policies[policy_id]

    @cached_property
    def policies(self) -> Mapping[str, Policy]:
        """All policies by id.

        Raises:
            InvalidRepositoryError: some `policy.yaml` have errors; all of them are named.
        """
        return dict(self._each(self.policy_ids, lambda policy_id: [(policy_id, self.policy(policy_id))]))

    def logic(self, policy_id: str, name: str = PRODUCTION_LOGIC) -> Logic:
        """Return a policy's logic.

        Raises:
            InvalidRepositoryError: the file is missing or has errors; all of them are named.
        """
        return self.read_logic(f"{policy_id}/{name}")[0]

    def read_logic(self, path: str) -> tuple[Logic, tuple[Problem, ...]]:
        """Return the logic in the file at a path from the root, and the warnings about it.

        Raises:
            InvalidRepositoryError: the file is missing or has errors; all of them are named.
        """
        return read_logic(
            path, Surroundings(self.object_type, self.files.read, self.files.resolve, self._extracts, self.operations)
        )

    def check_judged_type(self, logic: Logic) -> None:
        """Check that the type that a logic file judges is declared, in a repository that declares any.

        Raises:
            InvalidRepositoryError: it is not; no object would ever be judged.
        """
        judged = logic.body.object_type
        if judged.untyped and self.type_ids:
            position = Position(logic.path, *metadata.position_of(logic.path, self.files.read(logic.path), judged.id))
            message = f"there is no type {judged.id!r}{nearest(judged.id, self.type_ids)}"
            raise InvalidRepositoryError([Problem(position, message, "unknown-value")])

    def logic_paths(self, below: Iterable[str] = ("/ce",)) -> tuple[str, ...]:
        """Return the paths of the logic files at or below paths from the root; work in progress only when it is named.

        Raises:
            LookupError: there is nothing at a path.
        """
        found: set[str] = set()
        for path in below:
            if path.endswith(LOGIC_SUFFIX) and self.files.exists(path):
                found.add(path)
                continue
            if not (self.files.root / path.strip("/")).is_dir():
                raise LookupError(f"there is nothing at {path} in the repository")
            for directory, names in self.files.walk(path):
                found |= {f"{directory.rstrip('/')}/{n}" for n in names if n.endswith(LOGIC_SUFFIX) and n != WORK_IN_PROGRESS}
        return tuple(sorted(found))

    @cached_property
    def _extract_files(self) -> dict[str, dict[str, ExtractSource]]:
        return {}

    def _extracts(self, path: str) -> Mapping[str, ExtractSource]:
        if path not in self._extract_files:
            self._extract_files[path] = read_extracts(path, self.files.read(path))
        return self._extract_files[path]

    @cached_property
    def type_ids(self) -> frozenset[str]:
        """The ids of the types that are declared."""
        return frozenset(path.rpartition("/")[2] for path, names in self.files.walk("/types") if "type.yaml" in names)

    @cached_property
    def _declared(self) -> dict[str, ObjectType]:
        return {}

    @cached_property
    def _types(self) -> dict[str, ObjectType]:
        return {}

    def declared_type(self, type_id: str) -> ObjectType:
        """Return a type as its own file declares it, whether that leads anywhere or not.

        Raises:
            InvalidRepositoryError: its `type.yaml` has errors.
        """
        if type_id not in self._declared:
            path = type_path(type_id)
            known = "/" not in type_id and self.files.exists(path)
            self._declared[type_id] = (
                read_type(path, self.files.read(path)) if known else ObjectType(type_id, type_id, untyped=True)
            )
        return self._declared[type_id]

    def object_type(self, type_id: str) -> ObjectType:
        """Return a type by its id, its relations checked; one without `type.yaml` has no declared fields.

        Raises:
            InvalidRepositoryError: its `type.yaml` has errors, or declares what leads nowhere.
        """
        if type_id not in self._types:
            found = self.declared_type(type_id)
            if not found.untyped:
                self.refuse(type_id, check_type(found, self.declared_type, self.type_ids))
            self._types[type_id] = found
        return self._types[type_id]

    def check_collection(self, type_ids: Iterable[str], check: CheckCollect) -> None:
        """Check how some types are collected, as their provider knows.

        Raises:
            InvalidRepositoryError: a declaration can't be; all are named.
        """
        problems: list[Problem] = []
        for type_id in type_ids:
            try:
                self.refuse(type_id, check(self.object_type(type_id), self.declared_type))
            except InvalidRepositoryError as error:
                problems.extend(error.problems)
        if problems:
            raise InvalidRepositoryError(problems)

    def remedies(self, policy_id: str, body: Body) -> Remedies:
        """Return how the objects that a policy finds INCOMPLIANT are mended; none if it doesn't say.

        Args:
            policy_id: the policy's.
            body: its production logic.

        Raises:
            InvalidRepositoryError: its `remedies.yaml` has errors; all of them are named.
        """
        if policy_id not in self._remedies:
            path = f"{policy_id}/{REMEDIES}"
            declared = REMEDIES in self._policy_files[policy_id]
            self._remedies[policy_id] = read_remedies(path, self.files.read(path), body, self.declared_type) if declared else ()
        return self._remedies[policy_id]

    @cached_property
    def _remedies(self) -> dict[str, Remedies]:
        return {}

    def check_remedies(self, bodies: Mapping[str, Body], check: CheckRemedies) -> None:
        """Check the commands of some policies' remedies, as their types' provider knows; `bodies` is their logic by id.

        Raises:
            InvalidRepositoryError: a command can't be; all are named.
        """
        problems: list[Problem] = []
        for policy_id, body in bodies.items():
            path, found = f"{policy_id}/{REMEDIES}", list(check(self.remedies(policy_id, body), body, self.declared_type))
            problems += problems_at(path, read_yaml(path, self.files.read(path)), found) if found else []
        if problems:
            raise InvalidRepositoryError(problems)

    def refuse(self, type_id: str, findings: Iterable[Finding]) -> None:
        """Raise what was found wrong with a type, each where it stands.

        Raises:
            InvalidRepositoryError: there is something.
        """
        found = list(findings)
        if found:
            path = type_path(type_id)
            root = read_yaml(path, self.files.read(path))
            raise InvalidRepositoryError(
                [Problem(Position(path, *position_at(root, one.steps)), one.message, one.code) for one in found]
            )

    @cached_property
    def folders(self) -> Mapping[str, Folder]:
        """The folders of policies by id."""
        paths = [f"{path}/folder.yaml" for path, names in self.files.walk("/ce") if "folder.yaml" in names]
        found = self._each(paths, lambda path: [metadata.read_folder(path, self.files.read(path))])
        return {folder.id: folder for folder in found}

    @cached_property
    def sections(self) -> Mapping[str, Section]:
        """Every framework and section by id, in order: from one file a framework, or from a tree of `section.yaml`.

        Raises:
            InvalidRepositoryError: some files have errors; all of them are named.
        """
        paths: list[str] = []
        for path, names in self.files.walk("/frameworks"):
            wanted = [name for name in names if (name.endswith(".yaml") if path == "/frameworks" else name == "section.yaml")]
            paths.extend(f"{path}/{name}" for name in wanted)
        found = self._each(sorted(paths), self._read_sections)
        return {section.id: section for section in sorted(found, key=lambda section: section.id)}

    def _read_sections(self, path: str) -> list[Section]:
        content = self.files.read(path)
        if path.endswith("/section.yaml"):
            return [metadata.read_section(path, content)]
        return metadata.read_framework(path, content)

    @cached_property
    def rules(self) -> Mapping[str, InternalRule]:
        """The internal rules by id.

        Raises:
            InvalidRepositoryError: some files have errors; all of them are named.
        """
        paths = [
            f"{path}/{name}"
            for path, names in self.files.walk("/internal/rules")
            for name in sorted(names)
            if name.endswith(".yaml") and name != "folder.yaml"
        ]
        if self.files.exists(RULE_SECTIONS):
            paths.append(RULE_SECTIONS)
        found: dict[str, InternalRule] = {}
        for rule in self._each(paths, self._read_rules):
            known = found.get(rule.id)  # the file of sections is read last; it may know rules that have no file
            found[rule.id] = replace(known, internal_sections=rule.internal_sections) if known else rule
        return dict(sorted(found.items()))

    def _read_rules(self, path: str) -> list[InternalRule]:
        content = self.files.read(path)
        if path == RULE_SECTIONS:
            found = metadata.read_rule_sections(path, content)
            return [InternalRule(rule, rule, internal_sections=sections) for rule, sections in found.items()]
        return [metadata.read_rule(path, content)]

    @staticmethod
    def _each(paths: tuple[str, ...] | list[str], read: Callable[[str], list[T]]) -> Iterator[T]:
        """Yield what each file holds; the errors of all files are raised together, at the end."""
        problems: list[Problem] = []
        for path in paths:
            try:
                yield from read(path)
            except InvalidRepositoryError as error:
                problems.extend(error.problems)
        if problems:
            raise InvalidRepositoryError(problems)
