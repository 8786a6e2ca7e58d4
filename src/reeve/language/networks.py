"""Ranges of IP addresses, and what packet filters let through: who can reach a port, whatever way the rules are written.

The internet is what its registries give out: for IPv4 all but the special-purpose ranges (RFC 6890 and IANA's registry of
them), for IPv6 the global unicast range 2000::/3 (RFC 4291). Rules that let all of that in let everybody in, be it by
0.0.0.0/0, by two halves, or by a list that spares private networks.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

Range = tuple[int, int]
"""The first and the last address, as numbers."""

MAX_PORT = 65535

_SPECIAL = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
)
_PROTOCOLS = {"tcp": ("tcp",), "6": ("tcp",), "udp": ("udp",), "17": ("udp",), "-1": ("tcp", "udp")}
"""The protocols that have ports, by their names and numbers (IANA's); -1 stands for all."""


@lru_cache(maxsize=65536)
def read_range(text: str) -> tuple[int, Range]:
    """Return the version (4 or 6) and the addresses of a range in CIDR notation.

    Raises:
        ValueError: it is none.
    """
    network = ipaddress.ip_network(text.strip(), strict=False)
    return network.version, (int(network.network_address), int(network.broadcast_address))


def cover(ranges: Iterable[Range], wanted: Iterable[Range]) -> bool:
    """Return whether ranges together hold all addresses of the wanted ones."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return all(any(start <= first and last <= end for start, end in merged) for first, last in wanted)


def _public() -> tuple[Range, ...]:
    """Return what is left of IPv4 without the special ranges."""
    found: list[Range] = []
    after = 0
    for first, last in (read_range(text)[1] for text in _SPECIAL):
        if after < first:
            found.append((after, first - 1))
        after = last + 1
    return tuple(found)


INTERNET: Mapping[int, tuple[Range, ...]] = {4: _public(), 6: (read_range("2000::/3")[1],)}
"""The addresses of the internet by version."""


def admit_everybody(rules: Any, ports: Sequence[int], versions: Sequence[int]) -> bool:
    """Return whether the rules of a packet filter let everybody on the internet reach one of some ports over TCP or UDP.

    A rule is an object: `protocol`, `from` and `to` (ports), `cidrs`; those of filters whose first fitting rule decides also
    have `number` and `action` (allow, deny). What single ranges are denied first changes nothing, unless nobody is left.

    Args:
        rules: the rules for what comes in.
        ports: the ports.
        versions: of which internet, 4 or 6, or either.

    Raises:
        ValueError: they can't be understood; the message says why.
    """
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in cast("list[Any]", rules)):
        raise ValueError("a list of packet rules was wanted")
    ordered = sorted(cast("list[Mapping[str, Any]]", rules), key=_number)
    read = [(_protocols(rule), _ports(rule), _allows(rule), _ranges(rule)) for rule in ordered]
    fitting = {
        tuple(n for n, (known, (first, last), _, _) in enumerate(read) if protocol in known and first <= port <= last)
        for port in ports
        for protocol in ("tcp", "udp")
    }
    return any(
        _open([(read[n][2], read[n][3][version]) for n in numbers], version) for numbers in fitting for version in versions
    )


def _open(rules: Sequence[tuple[bool, Sequence[Range]]], version: int) -> bool:
    """Return whether the allowing rules name all of the internet, and denials before them leave some of it."""
    if not cover((one for allows, ranges in rules if allows for one in ranges), INTERNET[version]):
        return False
    denied: list[Range] = []
    for allows, ranges in rules:
        if not allows:
            denied += ranges
        elif not cover(denied, _common(ranges, INTERNET[version])):
            return True
    return False


def _common(ranges: Iterable[Range], others: Iterable[Range]) -> list[Range]:
    pairs = ((max(first, start), min(last, end)) for first, last in ranges for start, end in others)
    return [(first, last) for first, last in pairs if first <= last]


def _allows(rule: Mapping[str, Any]) -> bool:
    action = rule.get("action", "allow")
    if action not in ("allow", "deny"):
        raise ValueError(f"the action of a packet rule is {action!r}, neither allow nor deny")
    return action == "allow"


def _number(rule: Mapping[str, Any]) -> int:
    number = rule.get("number", 0)
    if not isinstance(number, (int, float)):
        raise ValueError("a packet rule has no number")  # noqa: TRY004 - what is read is wrong, not the program
    return int(number)


def _protocols(rule: Mapping[str, Any]) -> tuple[str, ...]:
    protocol = rule.get("protocol")
    if protocol is None:
        raise ValueError("a packet rule has no protocol")
    return _PROTOCOLS.get(str(protocol).casefold(), ())


def _ports(rule: Mapping[str, Any]) -> Range:
    """Return the ports of a rule; a rule for all protocols, and one whose ports are -1, is for all."""
    first, last = rule.get("from"), rule.get("to")
    if str(rule.get("protocol")) == "-1" or (first, last) == (-1, -1) or not _protocols(rule):
        return 0, MAX_PORT
    if not isinstance(first, (int, float)) or not isinstance(last, (int, float)):
        raise ValueError("a packet rule has no ports")  # noqa: TRY004 - as above
    return int(first), int(last)


def _ranges(rule: Mapping[str, Any]) -> dict[int, list[Range]]:
    given = rule.get("cidrs")
    texts = [text for text in cast("list[Any]", given) if text is not None] if isinstance(given, list) else None
    if texts is None or (given and not texts):
        raise ValueError("a packet rule has no ranges of addresses")
    found: dict[int, list[Range]] = {4: [], 6: []}
    for text in texts:
        version, addresses = read_range(str(text))
        found[version].append(addresses)
    return found
