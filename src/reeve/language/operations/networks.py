"""CIDRS_COVER and the ADMITS_INTERNET operations (ours): ranges of addresses, and what packet filters let in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from reeve.language.arguments import anything, given_items, operand
from reeve.language.evaluation import Evaluate, EvaluationError, Moment, Row
from reeve.language.networks import MAX_PORT, admit_everybody, cover, read_range
from reeve.language.notation import Form, How, Method, Part
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, inner
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
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "CIDRS_COVER": Example(
            "CIDRS_COVER: {arg: {FIELD: {path: a}}, search: {FIELD: {path: b}}}",
            {"a": ["10.0.0.0/17", "10.0.128.0/17"], "b": ["10.0.0.0/16", "10.1.0.0/16"]},
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Method("cover", "CIDRS_COVER", (Part("search"),)),)
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
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "ADMITS_INTERNET": Example(
            "ADMITS_INTERNET: {arg: {FIELD: {path: a}}, ports: [22]}",
            {"a": [{"protocol": "-1", "cidrs": ["198.51.100.0/24"]}]},
            False,
        ),
        "ADMITS_IPV4_INTERNET": Example(
            "ADMITS_IPV4_INTERNET: {arg: {FIELD: {path: a}}, ports: [22, 3389]}",
            {"a": [{"protocol": "tcp", "from": 0, "to": 1023, "cidrs": ["0.0.0.0/1", "128.0.0.0/1"]}]},
            True,
        ),
        "ADMITS_IPV6_INTERNET": Example(
            "ADMITS_IPV6_INTERNET: {arg: {FIELD: {path: a}}, ports: [22]}",
            {
                "a": [
                    {"number": 20, "action": "allow", "protocol": "-1", "cidrs": ["::/0"]},
                    {"number": 10, "action": "deny", "protocol": "6", "from": 22, "to": 22, "cidrs": ["::/0"]},
                ]
            },
            True,
        ),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (
        *(Method(method, name, (Part("ports", How.QUOTED),)) for name, method in _METHODS.items()),
    )
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
