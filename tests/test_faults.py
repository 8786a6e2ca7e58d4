"""The fault matrix: each operation that a scan of the demo uses goes wrong in each way, and nothing is better than the truth.

A fault ends no scan and hangs none. A verdict that it changes is UNDETERMINED, or its object is missing and an error says so.
A sample runs here; all of it, more than a thousand scans, with HYPOTHESIS_PROFILE=fuzz.
"""

import fcntl
import os
import pickle
import re
from functools import cached_property

import pytest

from conftest import CATALOG
from faults import WHOLE, Fault, garbled, kinds, members, oddities, paged, without
from reeve.demo.company import simulated_account
from reeve.model import Status
from reeve.repository.repository import Repository
from replay import Found, Recording, Scans, record

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
"""Whether all of the matrix runs."""
SAMPLE = 30
"""Else every thirtieth of all faults runs."""
MEANT = re.compile(r": (COMPLIANT|UNDETERMINED) -> (INCOMPLIANT|INAPPLICABLE)$")
"""What a member's absence may make of a verdict, if a type declares that it may be absent. It is never better."""
TYPES = Repository.open(CATALOG)
OPTIONAL = {
    path.rpartition(".")[2].casefold()
    for collect in (TYPES.object_type(name).collect for name in TYPES.type_ids)
    for path in (collect.optional if collect is not None else ())
}
"""The names of the members that types declare to be meant by their absence, as answers in XML write them too."""


class Matrix:
    """The faults of all operations, and what is true without any."""

    def __init__(self, recording: Recording):
        self.scans = Scans(recording)
        self._truths: dict[frozenset[str], Found] = {}

    @cached_property
    def operations(self) -> list[str]:
        return sorted(self.scans.recording.operations)

    def truth(self, operation: str) -> Found:
        """Return what a scan for the policies that need an operation finds."""
        programs = self.scans.policies[operation]
        if frozenset(programs) not in self._truths:
            with self.scans.answering():
                self._truths[frozenset(programs)] = self.scans.scan(programs)
        return self._truths[frozenset(programs)]

    def faults(self, operation: str) -> dict[str, Fault]:
        """Return an operation's faults, by name."""
        found = {**WHOLE, **dict(self._of_pages(operation))}
        shape = self._shape(operation)
        payload = shape.serialization.get("payload")
        if payload is not None and shape.members[payload].type_name != "structure":
            return found  # the text of a bucket's policy: its members are no members of the API's
        types = kinds(shape)
        for answer in self.scans.recording.operations[operation]:
            for path in members(answer.body) if answer.status < 300 else ():
                where = ".".join(path)
                found[f"without {where}"] = without(path)
                for name, value in oddities(answer.body, types.get(path[-1], set())):
                    found[f"{where} is {name}"] = garbled(path, value)
        return found

    def wrongs(self, operation: str, fault: Fault) -> list[str]:
        """Return what is wrong with what a scan finds when an operation's answers have a fault."""
        truth = self.truth(operation)
        with self.scans.answering(operation, fault):
            found = self.scans.scan(self.scans.policies[operation])
        affected = {name for error in found.manifest.errors for name in error.affects}
        whole = {name for error in found.manifest.errors for name, fields in error.affects.items() if not fields}
        wrong = []
        for key in sorted(truth.verdicts.keys() | found.verdicts.keys()):
            was, now = truth.verdicts.get(key), found.verdicts.get(key)
            type_id = truth.types.get(key) or found.types[key]
            if now in (was, Status.UNDETERMINED) or (None in (was, now) and type_id in whole):
                continue
            if was is Status.DISAPPEARED and type_id in affected:  # only a report and a whole list say who is gone
                continue
            wrong.append(f"{key[0].rpartition('/')[2]} {key[1]}: {was} -> {now}")
        return wrong

    def _shape(self, operation: str):
        service, name = operation.split(":")
        return self.scans.session.get_service_model(service).operation_model(name).output_shape

    def _of_pages(self, operation: str):
        service, name = operation.split(":")
        try:
            declared = self.scans.session.get_paginator_model(service).get_paginator(name)
        except ValueError:
            return
        shape = self._shape(operation)
        yield "a token again and again", paged(declared, shape, ["A"], True)
        yield "tokens in turn", paged(declared, shape, ["A", "B"], True)
        if "more_results" in declared:
            yield "more without a token", paged(declared, shape, [None], True)


def is_meant(fault: str, wrong: str) -> bool:
    """Return whether an answer that lacks a member is one that the API gives of another account, and no fault."""
    *above, name = fault.removeprefix("without ").split(".")
    emptied = bool(above) and above[-1] == f"{name}s"  # the items of a list, by their name in XML: it is there, and empty
    declared = name.casefold() in OPTIONAL and MEANT.search(wrong) is not None
    return fault.startswith("without ") and (emptied or declared)


@pytest.fixture(scope="session")
def matrix(tmp_path_factory):
    """The matrix over the demo's answers, which the first of all workers records."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (base / "recording.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / "recording").exists():
            with simulated_account() as address:
                (base / "recording").write_bytes(pickle.dumps(record(address)))
    return Matrix(pickle.loads((base / "recording").read_bytes()))


@pytest.mark.parametrize("part", range(16))
def test_no_fault_ends_a_scan_or_makes_a_verdict_better(matrix, part):
    """Each part has its share of the operations, so that workers share the work."""
    faults = [(name, *fault) for name in matrix.operations for fault in matrix.faults(name).items()]
    chosen = faults if ALL else faults[::SAMPLE]
    mine = [fault for fault in chosen if matrix.operations.index(fault[0]) % 16 == part]
    wrong = []
    for operation, name, fault in mine:
        found = matrix.wrongs(operation, fault)
        wrong += [f"{operation}, {name}: {one}" for one in found if not is_meant(name, one)]
    print(f"{len(mine)} faults of {len(faults)}, {len(wrong)} wrong verdicts")
    assert not wrong, "\n".join(wrong[:20])
