"""What was not seen is never judged: hide facts of an object, and its verdict is UNDETERMINED or that of every completion.

The objects are all test objects of the catalogue, each under every policy about its type, in both evaluators.
"""

import json
import os
from collections import defaultdict
from copy import deepcopy
from functools import cache
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from conftest import CATALOG
from reeve.evaluate.engines.duckdb import DuckDB
from reeve.evaluate.interpreter import by_type
from reeve.evaluate.policy_tests import read_objects
from reeve.evaluate.reach import types_read
from reeve.findings.scan import production_programs
from reeve.language.evaluation import Moment
from reeve.language.times import parse_date_time
from reeve.language.types import NAMED, Kind
from reeve.language.unread import NotCollected
from reeve.model import Status
from reeve.repository.repository import Repository
from tables import Given, codes_of, objects_of, write_table

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
NOW = Moment.at(parse_date_time("2026-01-31T12:00:00Z"))
NOT_COLLECTED = "_notCollected"
REPOSITORY = Repository.open(CATALOG)


@pytest.fixture(scope="module")
def programs():
    return production_programs(REPOSITORY, REPOSITORY.policy_ids)


@pytest.fixture(scope="module")
def known(programs):
    """The test objects by type, and by type and field the values that some object has."""
    objects, values = defaultdict(list), defaultdict(list)
    for policy, program in programs.items():
        own = program.body.object_type
        for file in REPOSITORY.logic(policy).test_data:
            for item in read_objects(file, REPOSITORY.files.read(file)):
                plain = stripped(own, item)
                objects[own.id].append(plain)
                gather(own, plain, values)
    return objects, values


def stripped(own, item):
    """Return an object with what its type declares only."""
    kept = {name: item[name] for name in (*own.fields, NOT_COLLECTED) if name in item}
    for name, relation in own.lookups.items():
        if isinstance(item.get(name), dict):
            kept[name] = stripped(REPOSITORY.object_type(relation.type), item[name])
    for name, relation in own.related_lists.items():
        if isinstance(item.get(name), list):
            kept[name] = [stripped(REPOSITORY.object_type(relation.type), child) for child in item[name]]
    return kept


def below(own, item):
    """Yield an object and all objects in it, each with its type."""
    yield own, item
    for name, relation in {**own.lookups, **own.related_lists}.items():
        inner = item.get(name) or []
        for one in [inner] if isinstance(inner, dict) else inner:
            yield from below(REPOSITORY.object_type(relation.type), one)


def gather(own, item, values):
    for inner_type, inner in below(own, item):
        for name, value in inner.items():
            if name != NOT_COLLECTED:
                values[inner_type.id, name].append(value)


@cache
def hidable(own_id):
    """Return the fields that may be hidden: not those by which objects are found (what is not known of them, collecting marks)."""
    own = REPOSITORY.object_type(own_id)
    types = [REPOSITORY.object_type(path.name) for path in (CATALOG / "types").iterdir()]
    theirs = {one.foreign_key for other in types for one in other.related_lists.values() if one.type == own_id}
    keys = {own.id_field, own.disappearance_field, *(one.foreign_key for one in own.lookups.values()), *theirs}
    return sorted(own.fields.keys() - keys)


def hidden_and_completed(own, item, values, random):
    """Return an object some of whose facts are hidden, and the same object with other values in their place."""
    hidden, completed = deepcopy(item), deepcopy(item)
    left_out = random.choice(
        [None, None, *sorted({relation.type for one, _ in below(own, item) for relation in relations(one)})]
    )
    share = random.choice([0.05, 0.2, 0.6])
    pairs = zip(list(below(own, hidden)), list(below(own, completed)), strict=True)
    for (inner_type, inner), (_, other) in pairs:
        reasons = inner.setdefault(NOT_COLLECTED, {})
        for name in hidable(inner_type.id):
            if name not in reasons and random.random() < share:
                inner.pop(name, None)
                reasons[name] = "hidden"
                other[name] = random.choice([None, *values[inner_type.id, name]])
        for relation in relations(inner_type):
            if relation.type == left_out or random.random() < share / 2:
                name, reasons[relation.name] = relation.name, "hidden"
                if name in inner_type.lookups:
                    inner.pop(name, None)
                elif inner.get(name):
                    inner[name] = (
                        [] if relation.type == left_out else random.sample(inner[name], random.randrange(len(inner[name]) + 1))
                    )
                if name in inner_type.lookups or not inner.get(name):
                    other[name] = deepcopy(random.choice([other.get(name), *values[inner_type.id, name]]))
                else:
                    extra = [deepcopy(child) for some in values[inner_type.id, name] for child in some or []]
                    other[name] = inner_rows(other, name) + random.sample(extra, min(2, len(extra)))
    return hidden, completed


def inner_rows(item, name):
    return list(item.get(name) or [])


def relations(own):
    return [*own.lookups.values(), *own.related_lists.values()]


class World:
    """Objects as the tables of a snapshot."""

    def __init__(self):
        self.rows = defaultdict(list)
        self.number = 0

    def add(self, own, item, **keys):
        """Put an object, and all that is in it, into its tables; return its id."""
        self.number += 1
        identity = f"{own.id} {self.number}"
        row = {name: item.get(name) for name in own.fields} | {own.id_field: identity, **keys}
        self.rows[own.id].append(row)
        row[NOT_COLLECTED] = dict(item.get(NOT_COLLECTED) or {})
        for name, relation in own.lookups.items():
            there = item.get(name)
            target = REPOSITORY.object_type(relation.type)
            row[relation.foreign_key] = None if there is None else self.add(target, there)
        for name, relation in own.related_lists.items():
            for child in item.get(name) or []:
                self.add(REPOSITORY.object_type(relation.type), child, **{relation.foreign_key: identity})
        return identity

    def fields(self, type_id):
        own = REPOSITORY.object_type(type_id)
        for row in self.rows[type_id]:
            found = {name: as_value(field.type, row.get(name)) for name, field in own.fields.items()}
            yield {**found, **{name: NotCollected(reason) for name, reason in row[NOT_COLLECTED].items()}}

    def files(self, directory, types):
        for type_id in types:
            own = REPOSITORY.object_type(type_id)
            rows = [written(own, row) for row in self.rows[type_id]]
            yield type_id, [write_table(directory / f"{type_id}.parquet", own, rows, provenance=True)]

    def codes(self, programs):
        """Return the interpreter's codes by policy and object."""
        given, found = Given({type_id: list(self.fields(type_id)) for type_id in self.rows}), defaultdict(dict)
        for type_id, some in by_type(programs).items():
            own = REPOSITORY.object_type(type_id)
            for record, row in objects_of(REPOSITORY.object_type, given, type_id):
                for policy, program in some.items():
                    found[policy][record.fields[own.id_field]] = program.judge(row, NOW).code
        return found


def as_value(kind, value):
    if NAMED[kind].kind is Kind.DATE_TIME and isinstance(value, str):
        return parse_date_time(value)
    return value


def written(own, row):
    texts = {
        name: json.dumps(row[name]) for name, field in own.fields.items() if field.type == "Json" and row.get(name) is not None
    }
    return {**row, **texts, NOT_COLLECTED: json.dumps(row[NOT_COLLECTED]) if row[NOT_COLLECTED] else None}


def judged(programs, known, seed, share=1.0):
    """Return a world, its codes, and for each type the ids of objects as they are, with hidden facts, and completed."""
    random, world, triples = Random(seed), World(), defaultdict(list)
    for type_id, items in known[0].items():
        own = REPOSITORY.object_type(type_id)
        for item in random.sample(items, max(1, int(len(items) * share))):
            hidden, completed = hidden_and_completed(own, item, known[1], random)
            triples[type_id].append([world.add(own, one) for one in (item, hidden, completed)])
    return world, world.codes(programs), triples


def check(programs, codes, triples):
    found = 0
    for type_id, some in by_type(programs).items():
        for policy, program in some.items():
            for ids in triples[type_id]:
                whole, hidden, completed = (program.meanings[codes[policy][one]].status for one in ids)
                if hidden is Status.UNDETERMINED:
                    continue
                found += hidden is not Status.DISAPPEARED
                assert whole is hidden and completed is hidden, (policy, ids, [codes[policy][one] for one in ids])
    return found


def each_seed(examples, law):
    """Try a law with seeds of Hypothesis's choice."""
    settings(max_examples=examples, phases=[Phase.explicit, Phase.reuse, Phase.generate])(given(st.integers(0, 2**32))(law))()


def test_the_interpreter_says_nothing_that_it_did_not_see(programs, known):
    def law(seed):
        _, codes, triples = judged(programs, known, seed)
        assert check(programs, codes, triples) > 500

    each_seed(300 if FUZZ else 1, law)


def test_columns_say_nothing_that_they_did_not_see(programs, known, tmp_path):
    def law(seed):
        world, codes, triples = judged(programs, known, seed)
        with DuckDB(tmp_path / "spill", 2) as engine:
            files = dict(world.files(tmp_path, sorted(types_read(programs.values(), REPOSITORY.object_type))))
            found = codes_of(engine, files, programs, REPOSITORY.object_type, NOW)
        for policy, ours in codes.items():
            different = {one: (code, found[policy][one]) for one, code in ours.items() if found[policy][one] != code}
            assert not different, (policy, list(different.items())[:3])
        check(programs, found, triples)

    each_seed(20 if FUZZ else 1, law)
