"""Addresses as people write them: on the command line, and in the configuration file."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from agen_authz.core.authority import DEFAULT_PORTS
from agen_authz.envoy.model import Address, ClientTls, TcpAddress, UnixAddress, Unusable, Upstream

_UNIX = "unix://"
_ADDRESS_CURE = "write `host:port`, `[::1]:port` or `unix:///path`"
_UPSTREAM_CURE = "write `NAME=host:port`, `NAME=https://host:port` or `NAME=unix:///path`"


def parse_upstream(text: str) -> tuple[str, Upstream] | Unusable:
    """Read one `--upstream`: a resource's name, and where Envoy finds its server; `https://` means TLS."""
    name, mark, place = text.partition("=")
    problem = Unusable(f"`{text}` names no upstream", _UPSTREAM_CURE)
    if not mark or not name or not place:
        return problem
    if place.startswith("https://"):
        secured = _parse_https(place)
        return problem if secured is None else (name, secured)
    address = parse_address(place.removeprefix("http://"))
    return problem if isinstance(address, Unusable) else (name, Upstream(address))


def _parse_https(place: str) -> Upstream | None:
    parts = _split(place)
    if parts is None or not parts.hostname or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        return None
    address = TcpAddress(parts.hostname, parts.port or DEFAULT_PORTS["https"])
    return Upstream(address, ClientTls(parts.hostname))


def parse_address(text: str) -> Address | Unusable:
    """Read `host:port` or `unix:///path`."""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        return UnixAddress(path) if path.startswith("/") else _no_address(text)
    return parse_tcp_address(text)


def render_address(address: Address) -> str:
    """Write an address as `parse_address` reads it."""
    if isinstance(address, UnixAddress):
        return f"{_UNIX}{address.path}"
    return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"


def parse_tcp_address(text: str) -> TcpAddress | Unusable:
    """Read `host:port`; a port must be there."""
    parts = _split(f"//{text}")
    if parts is None or not parts.hostname or not parts.port or parts.netloc != text or "@" in text:
        return _no_address(text)
    return TcpAddress(parts.hostname, parts.port)


def _no_address(text: str) -> Unusable:
    return Unusable(f"`{text}` is not an address", _ADDRESS_CURE)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def is_every_address(host: str) -> bool:
    """True if `host` is good for listening only, like 0.0.0.0."""
    address = parse_ip(host)
    return address is not None and address.is_unspecified


def parse_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an IP address; None is a name that must be resolved."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
