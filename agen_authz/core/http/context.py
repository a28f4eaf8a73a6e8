"""Where a call came from: the caller's address behind trusted proxies, its networks and country."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple, TypeAlias

from agen_authz.core.memory import Memory, remember
from agen_authz.core.model import Context, Request

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# RFC 7239 section 6 has the same forms; an IPv6 address with a port needs its brackets.
_HOP = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?")
_MAX_PORT = 65535
_MAX_HOPS = 64
_MAX_TEXT_CHARS = 256
_MAX_ADDRESS_CHARS = 64
_MAX_SEEN, _MAX_SEEN_CHARS = 4096, 1024


class _Said(NamedTuple):
    """All that a request says about its origin; only what trusted proxies wrote is believed."""

    peer: str
    forwarded: str
    country: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Perimeter:
    """What is configured about where calls come from: trusted proxies, the header with a country, named networks."""

    trusted_proxies: tuple[Network, ...] = ()
    country_header: str | None = None
    networks: Mapping[str, tuple[Network, ...]] = field(default_factory=dict)
    seen: "Memory[_Said, Context]" = field(default_factory=lambda: Memory(_MAX_SEEN), compare=False, repr=False)


def read_context(request: Request, perimeter: Perimeter) -> Context:
    """Find out where a request came from; total: what cannot be read is unknown, never guessed.

    From the peer on, `x-forwarded-for` is read right to left, and the first address that is not a trusted proxy
    is the caller's. Proxies write addresses with ports and brackets too. A header that cannot be read ends the
    search: the address is then unknown.
    """
    said = _listen(request, perimeter.country_header)
    # The same few clients come again and again; what is remembered is bounded in characters too.
    known = perimeter.seen.find(said)
    if known is None:
        known = _find_context(said, perimeter)
        if sum(map(len, said)) <= _MAX_SEEN_CHARS:
            perimeter.seen.keep(said, known)
    return known


def _listen(request: Request, country_header: str | None) -> _Said:
    headers = request.headers
    country = ""
    if country_header is not None and country_header not in request.repeated:
        country = headers.get(country_header, "")
    return _Said(request.peer, headers.get("x-forwarded-for", ""), country, headers.get("user-agent", ""))


def _find_context(said: _Said, perimeter: Perimeter) -> Context:
    address = _find_caller(said, perimeter.trusted_proxies)
    networks: tuple[str, ...] = ()
    if address is not None and perimeter.networks:
        networks = tuple(name for name, ranges in perimeter.networks.items() if _is_in(address, ranges))
    return Context(
        ip=None if address is None else str(address),
        networks=networks,
        country=_read_country(said, perimeter.trusted_proxies),
        user_agent=said.user_agent[:_MAX_TEXT_CHARS],
    )


def _find_caller(said: _Said, trusted: tuple[Network, ...]) -> Address | None:
    address = _read_address(said.peer)
    if address is None or not _is_in(address, trusted):
        return address
    for hop in reversed(said.forwarded.split(",")[-_MAX_HOPS:]):
        address = _read_hop(hop.strip())
        if address is None or not _is_in(address, trusted):
            return address
    return None


def _read_country(said: _Said, trusted: tuple[Network, ...]) -> str | None:
    peer = _read_address(said.peer)
    if peer is None or not _is_in(peer, trusted):
        return None
    value = said.country
    return value.upper() if len(value) == 2 and value.isascii() and value.isalpha() else None


def _read_hop(text: str) -> Address | None:
    """Read an address as proxies write it: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80."""
    match = _HOP.fullmatch(text)
    if match is None:
        return _read_address(text)
    bracketed, plain, port = match.groups()
    if (bracketed and ":" not in bracketed) or (port and int(port) > _MAX_PORT):
        return None
    return _read_address(bracketed or plain)


def _read_address(text: str) -> Address | None:
    # What is remembered is bounded in characters as well: no address is longer, and callers choose the text.
    return _parse_address(text) if len(text) <= _MAX_ADDRESS_CHARS else None


@remember(4096)
def _parse_address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # One host, two spellings: ::ffff:10.0.0.1 is 10.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_in(address: Address, ranges: tuple[Network, ...]) -> bool:
    return any(address in network for network in ranges)
