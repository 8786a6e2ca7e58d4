"""CIDRS_COVER and the ADMITS_INTERNET operations (ours): ranges of addresses, and what packet filters let in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from reeve.language.columns import Column, Columns, NotInSqlError
from reeve.language.networks import MAX_PORT, admit_everybody, cover, read_range
from reeve.language.operations.base import (
    Compiler,
    Evaluate,
    EvaluationError,
    Expression,
    Moment,
    Precedence,
    Row,
    anything,
    given_items,
    inner,
    operand,
)
from reeve.language.types import BOOLEAN, SEARCHABLE, Kind, Type
from reeve.language.values import Value, WrongTypeError, describe, json_text, quoted

_VERSIONS = {"ADMITS_INTERNET": (4, 6), "ADMITS_IPV4_INTERNET": (4,), "ADMITS_IPV6_INTERNET": (6,)}
_METHODS = {
    "ADMITS_INTERNET": "admitsInternet",
    "ADMITS_IPV4_INTERNET": "admitsIpv4Internet",
    "ADMITS_IPV6_INTERNET": "admitsIpv6Internet",
}


@dataclass(frozen=True, slots=True)
class CidrsCover:
    """Whether ranges of IP addresses together hold all of another range, or of one of several."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "CIDRS_COVER": "Whether ranges of IP addresses (CIDR) together hold all of another range, or of one of several."
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(*SEARCHABLE)
    search: Expression = operand(*SEARCHABLE)

    def text(self) -> str:
        return f"{inner(self.arg)}.cover({self.search.text()})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        arg, search = compiler.compile(self.arg), compiler.compile(self.search)

        def covers(row: Row, moment: Moment) -> bool:
            given, wanted = _texts(arg(row, moment)), _texts(search(row, moment))
            try:
                ranges = [read_range(text) for text in given]
                found = [read_range(text) for text in wanted]
            except ValueError as error:
                raise EvaluationError(f"a range of addresses was wanted: {error}") from None
            return any(cover((own for kind, own in ranges if kind == version), [one]) for version, one in found)

        return covers

    def column(self, table: Columns) -> Column:
        raise NotInSqlError


def _texts(value: Value) -> Sequence[str]:
    if value is None or value == "":
        return ()
    items = cast("Sequence[Any]", [value] if isinstance(value, str) else value)
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise WrongTypeError(f"ranges of addresses were wanted, {describe(value)} was found")
    return items


@dataclass(frozen=True, slots=True)
class AdmitsInternet:
    """Whether the rules of a packet filter let everybody on the internet reach one of some ports over TCP or UDP."""

    NAMES: ClassVar[Mapping[str, str]] = {
        "ADMITS_INTERNET": "Whether a packet filter lets everybody on the internet reach one of some ports over TCP or UDP. Its"
        " rules for what comes in are objects: `protocol`, `from`, `to`, `cidrs`, and, where the first that fits decides,"
        " `number` and `action` (allow, deny).",
        "ADMITS_IPV4_INTERNET": "ADMITS_INTERNET for IPv4 alone.",
        "ADMITS_IPV6_INTERNET": "ADMITS_INTERNET for IPv6 alone.",
    }
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.JSON)
    ports: Any = anything()

    def __post_init__(self) -> None:
        """Refuse ports that are none.

        Raises:
            ValueError: `ports` is no list of ports, nor a text of JSON that is.
        """
        self._ports()

    def _ports(self) -> Sequence[int]:
        items = given_items(self.ports)
        if not items or not all(type(port) is int and 0 <= port <= MAX_PORT for port in items):
            raise ValueError("ports must be a list of ports, such as [22, 3389]")
        return items

    def text(self) -> str:
        return f"{inner(self.arg)}.{_METHODS[self.operation]}({quoted(json_text(self._ports()))})"

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate, ports, versions = compiler.compile(self.arg), self._ports(), _VERSIONS[self.operation]

        def admits(row: Row, moment: Moment) -> bool:
            try:
                return admit_everybody(evaluate(row, moment), ports, versions)
            except ValueError as error:
                raise EvaluationError(str(error)) from None

        return admits

    def column(self, table: Columns) -> Column:
        raise NotInSqlError
