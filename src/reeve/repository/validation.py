"""Everything that is wrong with a repository, at once: errors (section 7), and warnings that find real mistakes."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from reeve.language.errors import InvalidRepositoryError, Position, Problem, nearest
from reeve.language.logic import Body, Condition, Logic, read_extracts
from reeve.language.operations.base import Expression, always, checks_of, field_of, walk, written_parts
from reeve.language.query_reads import names_read
from reeve.language.scopes import ExtractSource
from reeve.model import InternalRule, ObjectType, Policy, Section
from reeve.repository import metadata
from reeve.repository.links import link
from reeve.repository.remedies import REMEDIES, CheckRemedies, incompliant_codes
from reeve.repository.repository import LOGIC_SUFFIX, PARTS, PRODUCTION_LOGIC, Repository
from reeve.repository.type_checks import CheckCollect

CheckTestData = Callable[[str, bytes], object]
"""Reads a file of test objects, or raises `InvalidRepositoryError`."""


@dataclass(slots=True)
class Validation:
    """One run over a repository, or over the parts of it below some paths."""

    repository: Repository
    check_test_data: CheckTestData
    check_collect: CheckCollect
    check_remedies: CheckRemedies
    below: Sequence[str] = ("/",)
    problems: list[Problem] = field(default_factory=list[Problem])
    positions: dict[str, Mapping[str, Position]] = field(default_factory=dict[str, Mapping[str, Position]])

    def run(self) -> tuple[Problem, ...]:
        """Return every problem below the paths, in order of position."""
        self._names_that_collide()
        logics = list(self._logics())
        self._metadata()
        self._policies()
        if "/" in self.below and all(problem.warning for problem in self.problems):
            self._extracts(logics)
        return tuple(sorted({problem for problem in self.problems if self._covers(problem.position.path)}))

    def _covers(self, path: str) -> bool:
        return any(path == top or path.startswith(top.rstrip("/") + "/") for top in self.below)

    def _try(self, read: Callable[[], object]) -> Any:
        try:
            return read()
        except InvalidRepositoryError as error:
            self.problems.extend(error.problems)
            return None

    def _warn(self, position: Position, message: str, rule: str) -> None:
        self.problems.append(Problem(position, message, rule, warning=True))

    # Files -----------------------------------------------------------------------------------------------------------

    def _directories(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield the directories that a repository's files are in; beside them is what nobody asked about, such as .git."""
        return chain.from_iterable(self.repository.files.walk(f"/{part}") for part in PARTS)

    def _names_that_collide(self) -> None:
        """Two names that differ in case only are one file on some disks."""
        for directory, names in self._directories():
            seen: dict[str, str] = {}
            for name in sorted(names):
                first = seen.setdefault(name.casefold(), name)
                if first != name:
                    message = f"{name} and {first} are the same file where case doesn't count"
                    self.problems.append(Problem(Position(posixpath.join(directory, name)), message, "name-collision"))

    def _metadata(self) -> None:
        for read in (lambda: self.repository.sections, lambda: self.repository.rules, lambda: self.repository.folders):
            self._try(read)
        for type_id in sorted(self.repository.type_ids):
            self._try(lambda type_id=type_id: self.repository.check_collection([type_id], self.check_collect))

    # Logic -----------------------------------------------------------------------------------------------------------

    def _logics(self) -> Iterator[Logic]:
        for directory, names in self.repository.files.walk("/ce"):
            for name in sorted(names):
                if name.endswith(LOGIC_SUFFIX):
                    logic = self._logic(f"{directory}/{name}")
                    if logic is not None:
                        yield logic

    def _logic(self, path: str) -> Logic | None:
        found = self._try(lambda: self.repository.read_logic(path))
        if found is None:
            return None
        logic, warnings = found
        self.problems.extend(warnings)
        for file in logic.test_data:
            self._try(lambda file=file: self.check_test_data(file, self.repository.files.read(file)))
        self._try(lambda: self.repository.check_judged_type(logic))
        self._body(logic.body)
        if path.endswith(f"/{PRODUCTION_LOGIC}"):
            self._bare_fields(logic)
        return logic

    def _bare_fields(self, logic: Logic) -> None:
        """Warn of fields that no type declares and production logic reads without an extract, which gives them one place."""
        for condition in logic.body.conditions if logic.body.object_type.untyped else ():
            bare = next(filter(None, map(field_of, written_parts(condition.check))), None)
            if bare is not None:
                message = f"the field {bare!r} is declared by no type; production logic reads such a one by an extract"
                self._warn(condition.position, message, "bare-field")

    def _body(self, body: Body) -> None:
        decided: dict[str, Condition] = {}
        guarded: set[str] = set()
        true: Condition | None = None
        for condition in body.conditions:
            text = condition.check.text()
            if true is not None:
                line = true.position.line
                self._warn(
                    condition.position, f"can never be reached: the condition in line {line} is always true", "unreachable"
                )
            elif text in decided and not _has_checks(condition.check):
                line = decided[text].position.line
                self._warn(condition.position, f"can never be true here: line {line} decides the same, {text}", "unreachable")
            constant = always(condition.check)
            if constant is False:
                self._warn(condition.position, f"can never be true: {text}", "never-true")
            if constant is True:
                true = condition
            decided.setdefault(text, condition)
            self._unguarded(condition, body, guarded)
        for child in body.related_lists.values():
            self._body(child)

    def _unguarded(self, condition: Condition, body: Body, guarded: set[str]) -> None:
        """Warn of a field that may be *not collected*, as a call of its own reads it, and that no check has looked at yet."""
        for expression in walk(condition.check):
            path = field_of(expression)
            if path is None:
                continue
            if checks_of(expression):
                guarded.add(path)
            elif path not in guarded and may_be_uncollected(body.object_type, path):
                message = f"the field {path!r} may be not collected, and is read without undeterminedIf"
                self._warn(condition.position, f"{message}: such an object gets an error for its text", "unguarded-field")

    # Policies --------------------------------------------------------------------------------------------------------

    def _policies(self) -> None:
        try:
            sections, rules = self.repository.sections, self.repository.rules
        except InvalidRepositoryError:
            sections, rules = None, None
        for policy_id in self.repository.policy_ids:
            policy: Policy | None = self._try(lambda policy_id=policy_id: self.repository.policy(policy_id))
            if policy is None:
                continue
            path = f"{policy_id}/policy.yaml"
            if sections is not None and rules is not None:
                mapped = (*policy.framework_mappings, *policy.framework_ignore_mappings)
                self._unknown(path, mapped, sections, "unknown-section", "section")
                self._contradictions(policy, path)
                self._unknown(path, policy.internal_rules, rules, "unknown-rule", "internal rule")
            self._production(policy, path)
        if sections is None or rules is None:
            return
        for section in sections.values():
            self._unknown(self._section_path(section.id), section.similar, sections, "unknown-section", "section")
        self._single(sections, rules)
        for path, names in self.repository.files.walk("/internal/rules"):
            for name in names:
                rule = rules.get(name.removesuffix(".yaml"))
                if rule is not None:
                    self._unknown(f"{path}/{name}", rule.sections, sections, "unknown-section", "section")

    def _section_path(self, section_id: str) -> str:
        own = f"{section_id}/section.yaml"
        return own if self.repository.files.exists(own) else f"{'/'.join(section_id.split('/')[:3])}.yaml"

    def _unknown(self, path: str, named: Iterable[str], known: Mapping[str, object], rule: str, what: str) -> None:
        for name in named:
            if name not in known:
                message = f"there is no {what} {name}{nearest(name, known) if len(known) < 5000 else ''}"
                # An unknown section in `similar` of a framework is a gap in that framework's file, not in a policy.
                self.problems.append(Problem(self._position(path, name), message, rule, warning=not path.startswith("/ce/")))

    def _position(self, path: str, text: str) -> Position:
        if path not in self.positions:
            self.positions[path] = metadata.positions(path, self.repository.files.read(path))
        return self.positions[path].get(text, Position(path))

    def _contradictions(self, policy: Policy, path: str) -> None:
        for name in sorted({*policy.framework_mappings} & {*policy.framework_ignore_mappings}):
            message = f"{name} is in frameworkMappings and in frameworkIgnoreMappings; take it out of one"
            self.problems.append(Problem(self._position(path, name), message, "mapped-and-ignored"))

    def _single(self, sections: Mapping[str, Section], rules: Mapping[str, InternalRule]) -> None:
        """Warn of sections with several policies, where their framework says that each should have one at most."""
        single = {section.id for section in sections.values() if section.is_framework and section.single_policy_only}
        if not single:
            return
        linked: dict[str, list[str]] = {}
        policies = [
            policy for one in self.repository.policy_ids if (policy := self._try(lambda one=one: self.repository.policy(one)))
        ]
        for policy_id, found in link(policies, sections, rules).by_policy.items():
            for one in found:
                linked.setdefault(one.section.id, []).append(policy_id)
        for section_id, named in linked.items():
            if len(named) > 1 and sections[section_id].framework in single:
                some = ", ".join(named[:3]) + (", …" if len(named) > 3 else "")
                position = self._position(self._section_path(section_id), section_id)
                self._warn(
                    position, f"{section_id} should have one policy at most and has {len(named)}: {some}", "several-policies"
                )

    def _production(self, policy: Policy, path: str) -> None:
        if policy.impossible and policy.is_production:
            self._warn(
                Position(path), "the policy can't be automated (impossible: true), yet it has prod.logic.yaml", "impossible"
            )
        if not policy.is_production:
            return
        for name in ("description.md", "remediation.md"):
            if name not in policy.files:
                self._warn(Position(path), f"a production policy without {name}", "missing-text")
        try:
            logic = self.repository.logic(policy.id)
        except InvalidRepositoryError:
            return
        self._remedies(policy, logic.body)
        if not logic.test_data:
            self._warn(
                Position(f"{policy.id}/{PRODUCTION_LOGIC}"), "a production policy without test data", "missing-test-data"
            )

    def _remedies(self, policy: Policy, body: Body) -> None:
        """Note what is wrong with a policy's remedies; warn of INCOMPLIANT codes that have none."""
        if REMEDIES not in policy.files:
            if incompliant_codes(body):
                message = f"a production policy that finds objects INCOMPLIANT, without {REMEDIES}"
                self._warn(Position(f"{policy.id}/policy.yaml"), message, "missing-remedy")
            return
        remedies = self._try(lambda: self.repository.remedies(policy.id, body))
        if remedies is None:
            return
        for code in sorted(incompliant_codes(body) - {remedy.code for remedy in remedies}):
            self._warn(Position(f"{policy.id}/{REMEDIES}"), f"no remedy for the INCOMPLIANT code {code}", "missing-remedy")
        self._try(lambda: self.repository.check_remedies({policy.id: body}, self.check_remedies))

    # Extracts --------------------------------------------------------------------------------------------------------

    def _extracts(self, logics: Sequence[Logic]) -> None:
        used = {found for logic in logics for found in logic.extracts_used}
        for directory, names in self._directories():
            for name in sorted(names):
                path = posixpath.join(directory, name)
                if not name.endswith(".extracts.yaml"):
                    continue
                found = self._try(lambda path=path: read_extracts(path, self.repository.files.read(path)))
                extracts: dict[str, ExtractSource] = found or {}
                for extract, source in extracts.items():
                    if (path, extract) not in used:
                        position = Position(path, source.node.line, source.node.column, source.paths.of(source.node))
                        self._warn(position, f"the extract {extract!r} is used by no logic file", "unused-extract")


def may_be_uncollected(object_type: ObjectType, name: str) -> bool:
    """Return whether a field is read by a call of its own, which can be refused; those of the list are there or nothing is."""
    declared = object_type.fields.get(name)
    if object_type.collect is None or declared is None or declared.source is None:
        return False
    return not names_read(declared.source).isdisjoint(object_type.collect.calls)


def _has_checks(expression: Expression) -> bool:
    return any(map(checks_of, walk(expression)))
