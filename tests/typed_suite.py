"""The conformance suite with types: a type is inferred from each logic file's test objects, so that engines get columns.

Files whose fields agree share a type, and all of their policies are judged over all of their objects.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field

import yaml

from reeve.evaluate.interpreter import compile_body
from reeve.evaluate.policy_tests import read_objects
from reeve.language.errors import InvalidRepositoryError
from reeve.language.rows import says_disappeared
from reeve.language.times import parse_date_time
from reeve.language.types import NAMED, Kind
from reeve.repository.repository import Repository

NOT_FIELDS = {"expectedResult", "context", "Id", "id"}


@dataclass
class Shape:
    """The fields of a type and their kinds, its lookups, its related lists."""

    fields: dict = field(default_factory=dict)
    lookups: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)

    @classmethod
    def of(cls, row, dates):
        found = cls()
        found.add(row, dates)
        return found

    def add(self, row, dates):
        for name, value in row.items():
            if name in NOT_FIELDS:
                continue
            if isinstance(value, dict):
                self.lookups.setdefault(name, Shape()).add(value, dates)
            elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                for item in value:
                    self.lists.setdefault(name, Shape()).add(item, dates)
            else:
                self.set(name, kind_of(name, value, dates))

    def set(self, name, kind):
        if kind is None:
            self.fields.setdefault(name, None)
        elif self.fields.setdefault(name, kind) is None:
            self.fields[name] = kind
        elif self.fields[name] != kind:
            raise ValueError(f"{name} is {self.fields[name]} and {kind}")

    def merged(self, other):
        found = Shape(dict(self.fields), dict(self.lookups), dict(self.lists))
        for name, kind in other.fields.items():
            found.set(name, kind)
        for mine, theirs in ((found.lookups, other.lookups), (found.lists, other.lists)):
            for name, shape in theirs.items():
                mine[name] = mine.get(name, Shape()).merged(shape)
        if {*found.lookups, *found.lists} & {name for name, kind in found.fields.items() if kind}:
            raise ValueError("a field and an object have the same name")
        for name in {*found.lookups, *found.lists} & {*found.fields}:
            del found.fields[name]
        if len([name for name in found.fields if says_disappeared(name)]) > 1:
            raise ValueError("two fields say that an object has disappeared")
        return found


def kind_of(name, value, dates):
    if says_disappeared(name):
        return "DateTime"
    match value:
        case None | []:
            return None
        case bool():
            return "Boolean"
        case int() | float():
            return "Number"
        case str():
            return "DateTime" if dates and parse_date_time(value) else "Text"
        case list() if all(isinstance(item, str | None) for item in value):
            return "List of Text"
    raise ValueError(f"{name} is none of the language's values")


@dataclass
class Group:
    """A type with the logic files and the objects that share it."""

    shape: Shape
    logic: dict
    rows: list


def declared(shape, name, kinds, parent=None):
    """Yield the types of a shape as (id, type.yaml), some kinds replaced by others."""
    own = {key: kind or "Text" for key, kind in shape.fields.items()}
    fields = {"Id": "Bytes", **{key: kinds.get(kind, kind) for key, kind in own.items()}}
    fields |= {f"{key}Key": "Bytes" for key in shape.lookups} | ({"parentKey": "Bytes"} if parent else {})
    gone = [key for key in fields if says_disappeared(key)]
    yield (
        name,
        {
            "name": name,
            "idField": "Id",
            **({"disappearanceField": gone[0]} if gone else {}),
            "fields": {key: {"type": kind} for key, kind in fields.items()},
            "lookups": {key: {"type": f"{name}.{key}", "foreignKey": f"{key}Key"} for key in shape.lookups},
            "relatedLists": {key: {"type": f"{name}.{key}", "foreignKey": "parentKey"} for key in shape.lists},
        },
    )
    for key, inner in shape.lookups.items():
        yield from declared(inner, f"{name}.{key}", kinds)
    for key, inner in shape.lists.items():
        yield from declared(inner, f"{name}.{key}", kinds, name)


def flattened(shape, name, row, tables, parent=None):
    """Put an object and what it leads to into tables; return its id."""
    table = tables.setdefault(name, [])
    own = {key: row.get(key) for key in shape.fields}
    own = {key: None if value == [] and shape.fields[key] != "List of Text" else value for key, value in own.items()}
    own = {key: None if value == "" and shape.fields[key] == "DateTime" else value for key, value in own.items()}
    own["Id"] = f"{name} {len(table)}"
    own |= {"parentKey": parent} if parent else {}
    table.append(own)
    for key, inner in shape.lookups.items():
        there = row.get(key)
        tables.setdefault(f"{name}.{key}", [])
        own[f"{key}Key"] = flattened(inner, f"{name}.{key}", there, tables) if isinstance(there, dict) else None
    for key, inner in shape.lists.items():
        tables.setdefault(f"{name}.{key}", [])
        for child in row.get(key) or []:
            flattened(inner, f"{name}.{key}", child, tables, own["Id"])
    return own["Id"]


def typed_values(object_type, row):
    """Return a row's fields as the interpreter has them."""
    found = {}
    for name, of in object_type.fields.items():
        value = row.get(name)
        is_date = NAMED[of.type].kind is Kind.DATE_TIME and isinstance(value, str)
        found[name] = parse_date_time(value) if is_date else value
    return found


def _mentioned(text):
    """Return the fields that a logic file names, of which no object may have one."""
    paths = re.findall(r"path: *['\"]?([\w.]+)|[{ ]FIELD: *\{? *path: *([\w.]+)", text)
    return {name for pair in paths for name in pair if name and "." not in name}


def typed_groups(suite, directory, kinds):
    """Return the groups: {type id: (repository, programs by logic file, tables of rows by type)}.

    Args:
        suite: the repository of the conformance suite.
        directory: where repositories with the inferred types are written; empty.
        kinds: what takes the place of an inferred kind.
    """
    groups = []
    for number, path in enumerate(suite.logic_paths()):
        logic, _ = suite.read_logic(path)
        if not logic.body.object_type.untyped or not logic.test_data:
            continue
        rows = [row for file in logic.test_data for row in read_objects(file, suite.files.read(file))]
        text = suite.files.read(path).decode()
        for dates in (True, False):
            try:
                shape, fitting = Shape(), []
                for row in rows:  # a value of a wrong type is no value of a typed column
                    with suppress(ValueError):
                        shape = shape.merged(Shape.of(row, dates))
                        fitting.append(row)
                for name in _mentioned(text) - {*shape.lookups, *shape.lists, "Id", "id"}:
                    shape.set(name, None)
                shape = shape.merged(Shape())
                _loaded(directory / f"alone{number}{dates}", "alone", shape, {path: text}, suite, kinds)
            except (ValueError, InvalidRepositoryError):
                continue
            _join(groups, Group(shape, {path: text}, fitting))
            break
    return {f"t{n}": _built(directory / f"t{n}", f"t{n}", group, suite, kinds) for n, group in enumerate(groups)}


def _join(groups, new):
    for group in groups:
        try:
            group.shape = group.shape.merged(new.shape)
        except ValueError:
            continue
        group.logic |= new.logic
        group.rows += new.rows
        return
    groups.append(new)


def _loaded(directory, name, shape, logic, suite, kinds):
    for type_id, content in declared(shape, name, kinds):
        place = directory / "types" / type_id / "type.yaml"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(content))
    for path, text in logic.items():
        place = directory / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        data = yaml.safe_load(text)
        place.write_text(re.sub(r"(?m)^(inputType|inputObject):.*$", rf"\1: {name}", text))
        for entry in [*data.get("importExtracts", []), *data.get("testData", [])]:
            file = entry["file"]
            source = file if file.startswith("/") else f"{path.rpartition('/')[0]}/{file}"
            copy = directory / source.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(suite.files.read(source))
    repository = Repository.open(directory)
    return repository, {path: compile_body(repository.read_logic(path)[0].body) for path in logic}


def _built(directory, name, group, suite, kinds):
    repository, programs = _loaded(directory, name, group.shape, group.logic, suite, kinds)
    tables = {}
    for row in group.rows:
        flattened(group.shape, name, row, tables)
    return repository, programs, tables
