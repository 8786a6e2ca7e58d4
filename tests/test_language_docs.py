"""The reference can't drift: it is generated, and its examples run."""

import importlib.util
import json

import jsonschema
import pytest

from conftest import CATALOG, ROOT
from reeve.evaluate.interpreter import compile_body
from reeve.language import examples
from reeve.language.errors import Position
from reeve.language.evaluation import Moment
from reeve.language.logic import Body, Condition
from reeve.language.operations.base import Example
from reeve.language.operations.built_in import BUILT_IN
from reeve.language.source import plain_value, read_yaml
from reeve.language.times import parse_date_time
from reeve.model import ObjectType, Status
from reeve.repository.schemas import KINDS, schema_of

UNTYPED = ObjectType("example", "Example", untyped=True)


EXAMPLES = {name: one for of in (*BUILT_IN.legacy, *BUILT_IN.classes) for name, one in of.EXAMPLES.items()}


def test_every_operation_has_an_example():
    assert set(EXAMPLES) == set(BUILT_IN.by_name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name):
    example = EXAMPLES[name]
    assert f"{name}:" in example.yaml
    expression = examples.read_example(example, BUILT_IN)
    seen = []
    is_open = Example("IS_EQUAL: {left: {FIELD: {path: open}}, right: {BOOLEAN: true}}", {}, None)
    open_rule = examples.read_example(is_open, BUILT_IN)
    rules = Body(UNTYPED, (Condition(Status.INCOMPLIANT, "", None, open_rule, Position("x")),), Status.COMPLIANT, "", None, {})
    body = Body(
        UNTYPED,
        (Condition(Status.INCOMPLIANT, "", None, expression, Position("x")),),
        Status.COMPLIANT,
        "",
        None,
        {"rules": rules},
    )
    program = compile_body(body, seen.append)
    program.judge(example.row, Moment.at(parse_date_time(examples.NOW)))
    assert (seen[-1].depth, seen[-1].value) == (0, example.value)


def test_generated_files_are_up_to_date():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, content in generate.GENERATED.items():
        assert (ROOT / "docs" / name).read_text() == content(), "run `make docs`"


def files_of(kind, root):
    pattern = KINDS[kind]
    return sorted(root.glob(pattern))


REPOSITORIES = [CATALOG, ROOT / "tests" / "conformance" / "operations"]


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_accept_what_the_loader_accepts(kind):
    schema = schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    checked = 0
    for root in REPOSITORIES:
        for path in files_of(kind, root)[:200]:
            data = (
                json.loads(path.read_bytes())
                if path.suffix == ".json"
                else plain_value(read_yaml(str(path), path.read_bytes()))
            )
            errors = [error.message for error in validator.iter_errors(data)]
            assert not errors, (path, errors[:3])
            checked += 1
    assert checked or kind == "section"


REFUSED = [
    "unknown-operation",
    "unknown-argument",
    "missing-argument",
    "missing-required-check",
    "unknown-enum-value",
    "unknown-key",
    "unknown-status",
]


@pytest.mark.parametrize("name", REFUSED)
def test_schemas_refuse_what_the_loader_refuses(name):
    path = ROOT / "tests" / "conformance" / "errors" / name / "ce" / "p" / "prod.logic.yaml"
    validator = jsonschema.Draft202012Validator(schema_of("logic"))
    assert list(validator.iter_errors(plain_value(read_yaml("x", path.read_bytes()))))
