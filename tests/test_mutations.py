"""A mistake anywhere in a type or a policy of the catalogue is noticed: by `validate`, by `test`, or by what is collected.

Each line is mutated: a word loses a letter, a number changes, the line is left out; what a person reads is left alone. A sample
runs always; all of it with `make fuzz`, in parts of files, each of which prints the share that was noticed and names the rest.

What is known to be left, with the reason: `nameField` (the id takes its place), page sizes (`MaxResults`), fields and relations
that no policy reads, `gone` and `absent` of what the simulated account doesn't take away, texts that are compared with what it
doesn't hold (`AWSCloudShellFullAccess`); in logic, one of several sample events of a policy that any of them decides, parts of an
event that no filter of the test data looks at, and one of many ports or ranges.
"""

import os
import random
import re
import shutil
from collections import Counter

import pytest
import yaml

from conftest import CATALOG
from reeve.collect.aws.account import collect_account
from reeve.collect.aws.api import Api
from reeve.collect.aws.declarations import Models, collect_check
from reeve.collect.recipe import recipes
from reeve.demo.company import simulated_account
from reeve.evaluate.policy_tests import run_tests
from reeve.language.errors import InvalidRepositoryError
from reeve.repository.repository import Repository

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
SAMPLE, PARTS, UNNOTICED = 20, 8, 0.1
"""Mutations that run always; parts of the files, and the share of each part's mutations that may go unnoticed."""
MODELS = Models()


PROSE = re.compile(r"description|name|.*Message")
"""Keys whose texts a person reads; so are those below `undeterminedIf`."""


def words(node, prose=False):
    """Yield where in a file each text that a machine reads begins and ends: keys, and values that are no prose."""
    match node:
        case yaml.MappingNode():
            for name, value in node.value:
                yield from words(name)
                text = isinstance(value, yaml.ScalarNode) and PROSE.fullmatch(name.value)
                yield from words(value, prose or bool(text) or name.value == "undeterminedIf")
        case yaml.SequenceNode():
            for one in node.value:
                yield from words(one, prose)
        case _ if not prose:
            yield node.start_mark.index, node.end_mark.index


def mutations(text):
    """Yield the line, what is done, and the text that comes of it."""
    told = set()
    for start, end in words(yaml.compose(text, yaml.SafeLoader)):
        for found in re.finditer(r"[A-Za-z_][A-Za-z_0-9]{2,}|\d+", text[start:end]):
            word, first = found.group(0), start + found.start()
            new = str(int(word) + 7) if word.isdigit() else word[:-2] + word[-1]
            line = text.count("\n", 0, first)
            told.add(line)
            yield line + 1, f"{word} -> {new}", text[:first] + new + text[first + len(word) :]
    lines = text.split("\n")
    for line in sorted(told):
        yield line + 1, "line left out", "\n".join([*lines[:line], *lines[line + 1 :]])


FILES = (
    sorted((CATALOG / "types").glob("*/type.yaml"))
    + sorted(CATALOG.glob("ce/**/*.logic.yaml"))
    + sorted(CATALOG.glob("ce/**/*.extracts.yaml"))
)


def every_mutation():
    return [(path, *one) for path in FILES for one in mutations(path.read_text())]


class Judge:
    """A copy of the catalogue, in which one file at a time is changed."""

    def __init__(self, root):
        self.root = root
        shutil.copytree(CATALOG, root)
        self.plain = plain = Repository.open(CATALOG)
        self.logics = [path for path in plain.logic_paths() if plain.read_logic(path)[0].test_data]
        self.cases = {path: self.outcome(plain, path) for path in self.logics}
        self.reads = {path: plain.read_logic(path)[0] for path in self.logics}
        self.collected = {}

    @staticmethod
    def outcome(repository, path):
        found = run_tests(repository, path)
        return [(case.object, dict(case.actual)) for case in found.cases], len(found.unreached)

    @staticmethod
    def seen_by_logic(repository, path):
        """Return what policies see of a type; the rest is about its collection."""
        own = repository.object_type(path.parent.name)
        fields = {name: one.type for name, one in own.fields.items()}
        return fields, own.lookups, own.related_lists, own.id_field, own.disappearance_field

    def noticed(self, path, text, api):
        """Return what notices a changed file, if anything does."""
        own = self.root / path.relative_to(CATALOG)
        own.write_text(text)
        try:
            repository = Repository.open(self.root)
            if path.name == "type.yaml":
                repository.check_collection(sorted(repository.type_ids), collect_check(Models(MODELS.loader, MODELS._services)))
            same = path.name == "type.yaml" and self.seen_by_logic(repository, path) == self.seen_by_logic(self.plain, path)
            relative = "/" + own.relative_to(self.root).as_posix()
            for logic in () if same else self.logics:
                if path.name != "type.yaml" and logic != relative and relative not in self.reads[logic].all_imports:
                    continue
                repository.check_judged_type(repository.read_logic(logic)[0])
                if self.outcome(repository, logic) != self.cases[logic]:
                    return "test"
            collects = path.name == "type.yaml" and api is not None
            changed = collects and self.collection(repository, path.parent.name, api) != self.baseline(path, api)
        except InvalidRepositoryError:
            return "validate"
        else:
            return "collection" if changed else None
        finally:
            own.write_text(path.read_text())

    def baseline(self, path, api):
        if path.parent.name not in self.collected:
            self.collected[path.parent.name] = self.collection(Repository.open(CATALOG), path.parent.name, api)
        return self.collected[path.parent.name]

    @staticmethod
    def collection(repository, type_id, api):
        own = repository.object_type(type_id)
        found = collect_account(
            api, recipes({type_id: frozenset(own.fields)}, repository.object_type), {}, lambda *told: None, live=True
        )
        rows = sorted(
            (repr(sorted(one.fields.items(), key=str)), repr(sorted(one.not_collected.items())))
            for one in found.records[type_id]
        )
        return [re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+|datetime\.datetime\([^)]*\)", "", repr(row)) for row in rows], len(
            found.errors
        )


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return Judge(tmp_path_factory.mktemp("mutations") / "catalog")


def test_types_that_are_changed_at_a_few_places(judge):
    chosen = [one for one in every_mutation() if one[0].name == "type.yaml"]
    picked = random.Random(13).sample(chosen, SAMPLE)
    survivors = [
        f"{path.parent.name}:{line} {what}" for path, line, what, text in picked if judge.noticed(path, text, None) is None
    ]
    assert len(survivors) <= SAMPLE * 0.15, survivors


@pytest.fixture(scope="module")
def api():
    """The simulated account: one for all parts, as it sets itself up for as long as its process lasts."""
    with simulated_account() as address:
        yield Api.at(address)


@pytest.mark.skipif(not FUZZ, reason="for long: make fuzz")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_line_of_every_type_and_policy(judge, api, part):
    share, survivors = Counter(), []
    for path in FILES[part::PARTS]:
        for line, what, text in mutations(path.read_text()):
            by = judge.noticed(path, text, api)
            share[by or "unnoticed"] += 1
            if by is None:
                survivors.append(f"{path.relative_to(CATALOG)}:{line} {what}")
    print(f"{share.total()} mutations: " + ", ".join(f"{by} {count}" for by, count in share.items()))
    print("\n".join(survivors))
    assert len(survivors) <= share.total() * UNNOTICED
