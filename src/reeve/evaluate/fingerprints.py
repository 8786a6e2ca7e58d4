"""What a policy's verdicts depend on beside the objects, as a digest: the same one, the same verdicts on the same objects."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from reeve import __version__
from reeve.evaluate.interpreter import Program
from reeve.evaluate.reach import Reach, Types
from reeve.language.evaluation import Moment, Timing
from reeve.language.operations.base import timing_of


def fingerprint(program: Program, object_type: Types, moment: Moment) -> str:
    """Return what a policy's codes depend on beside the objects, as a digest.

    That is its logic and its children's, the types that it reads, this version of Reeve, and, if it counts days, the UTC day,
    or the moment itself if it measures to it.
    """
    types = [object_type(name) for name in dict.fromkeys(Reach.of(program).types(object_type)) if name]
    time = _time_that_counts(program, moment)
    return hashlib.sha256(repr((__version__, program.body, types, time)).encode()).hexdigest()


def _programs(program: Program) -> Iterator[Program]:
    yield program
    for child in program.children.values():
        yield from _programs(child)


def _time_that_counts(program: Program, moment: Moment) -> datetime | None:
    """Return as much of the moment as a policy's verdicts depend on."""
    checks = (condition.check for one in _programs(program) for condition in one.body.conditions)
    return moment.as_far_as(max(map(timing_of, checks), default=Timing.NONE))
