"""Lists that leave things out by default: every optional input of every operation that types use has been looked at."""

import re
from pathlib import Path

import botocore.session
import pytest
import yaml

from conftest import CATALOG
from reeve.collect.aws.permissions import REGIONS
from reeve.collect.expressions import search
from reeve.repository.repository import Repository

REPOSITORY = Repository.open(CATALOG)
REVIEWED = yaml.safe_load((Path(__file__).parent / "listing_inputs.yaml").read_text())
SPEAKS_OF_A_DEFAULT = re.compile(
    r"(?i)\bby default\b|\bdefault filtering\b|\bdefaults? to\b|\bthe default is\b|not included|\bif you (omit|do not|don't)\b"
    r"|\bif it is not included\b|\bnot specified\b|visibility"
)
NO_LOSS = re.compile(
    r"(?i)all (attached |virtual |volumes|policies|entities|your|of your|server|user)|listing all|are included"
)


def declared():
    """Return the declarations of each operation that types use."""
    found = {REGIONS.call.name: [REGIONS.call]}
    for path in sorted((CATALOG / "types").iterdir()):
        collect = REPOSITORY.object_type(path.name).collect
        for call in [*(source.call for source in collect.sources if source.call), *collect.calls.values()]:
            found.setdefault(call.name, []).append(call)
    return found


DECLARED = declared()


def optional_inputs(call):
    """Return the inputs of an operation, but for required ones and those of paging."""
    session = botocore.session.Session()
    shape = session.get_service_model(call.service).operation_model(call.operation).input_shape
    try:
        pages = session.get_paginator_model(call.service).get_paginator(call.operation)
    except ValueError:
        pages = {}
    tokens = pages.get("input_token", [])
    known = {*([tokens] if isinstance(tokens, str) else tokens), pages.get("limit_key"), "DryRun"}
    known |= set(shape.required_members) if shape else set()
    return {name: member for name, member in shape.members.items() if name not in known} if shape else {}


@pytest.mark.parametrize("name", DECLARED)
def test_every_optional_input_has_been_looked_at(name):
    reviewed, inputs = REVIEWED.get(name, {}), optional_inputs(DECLARED[name][0])
    assert reviewed.keys() == inputs.keys(), f"look at these inputs of {name}, and say in listing_inputs.yaml what they do"
    for member, verdict in reviewed.items():
        word, reason = re.match(r"([a-z ]+)(?:: )?(.*)", verdict).groups()
        given = [call.arguments[member] for call in DECLARED[name] if member in call.arguments]
        assert bool(given) is word.startswith("given"), f"{name}: {member}"
        assert not given or len(given) == len(DECLARED[name]), f"{name} gives {member} in one type, and not in another"
        text = re.sub(r"<[^>]+>|\s+", " ", inputs[member].documentation)
        if word == "narrows" and SPEAKS_OF_A_DEFAULT.search(text) and not NO_LOSS.search(text):
            assert reason, f"{name}: the documentation of {member} speaks of a default: say why it hides nothing"
        assert word != "hides" or reason
        if word == "given whole":
            assert all(set(search(text, {})) == set(inputs[member].member.enum) for text in given)


def test_nothing_is_said_of_operations_that_no_type_uses():
    assert REVIEWED.keys() <= DECLARED.keys()


def test_certificates_of_every_type_of_key_are_listed():
    (call,) = DECLARED["acm:ListCertificates"]
    known = optional_inputs(call)["Includes"].members["keyTypes"].member.enum
    assert set(search(call.arguments["Includes"], {})["keyTypes"]) == set(known)
