"""The interpreter beside a hand-written Python function: judgements of the first policy per second, in one process."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from reeve.evaluate.interpreter import compile_body
from reeve.language.operations.base import Moment
from reeve.repository.repository import Repository

STATES = [(False, False), (True, False), (False, True), (True, True), (None, True), (True, None)]


def by_hand(row):
    if row.get("disappearanceTime") is not None:
        return 99
    first = row.get("accessKey1Active")
    if first is None:
        return 101
    if first:
        second = row.get("accessKey2Active")
        if second is None:
            return 102
        if second:
            return 199
    return 200


def rate(judge, rows) -> tuple[float, list[int]]:
    start = time.perf_counter()
    codes = [judge(row) for row in rows]
    return len(rows) / (time.perf_counter() - start), codes


def main() -> None:
    repository = Repository.open(Path(__file__).parent.parent / "catalog")
    program = compile_body(repository.logic("/ce/ca/aws/iam/user-has-more-than-one-active-access-key").body)
    moment = Moment.at(datetime.now(UTC))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    rows = [{"id": str(n), "accessKey1Active": STATES[n % 6][0], "accessKey2Active": STATES[n % 6][1]} for n in range(count)]
    ours, codes = rate(lambda row: program.judge(row, moment).code, rows)
    theirs, expected = rate(by_hand, rows)
    assert codes == expected
    print(f"{ours:.0f} {theirs:.0f}")


if __name__ == "__main__":
    main()
