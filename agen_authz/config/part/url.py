"""URLs and addresses as the configuration may write them; pure predicates, nothing is resolved."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LISTEN_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_MAX_PORT = 65535
_MAX_HOST_CHARS = 253
_MAX_SOCKET_CHARS = 107  # what struct sockaddr_un holds


def split_url(url: str) -> SplitResult | None:
    """Take a URL apart; None if it is none, or holds what no URL does (RFC 3986 section 2)."""
    if not url.isascii() or not url.isprintable() or re.search(r'[ "<>\\^`{|}]', url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    written = parts.netloc.rpartition("@")[2].removeprefix(f"[{parts.hostname}]").partition(":")
    is_plain_port = port is not None and written[2] == str(port) and port > 0
    return parts if parts.hostname and (is_plain_port or not written[1]) else None


def is_host(host: str) -> bool:
    """True if a host is a name or an address in its one canonical spelling, lower-case, no dot at the end."""
    if ":" in host or host.rpartition(".")[2].isdecimal():
        try:
            return str(ip_address(host)) == host
        except ValueError:
            # 127.1 and 0x7f.1 are addresses for some resolvers.
            return False
    return len(host) <= _MAX_HOST_CHARS and _HOST.fullmatch(host) is not None


def is_web_url(url: str, schemes: tuple[str, ...] = ("https", "http")) -> bool:
    """True if a URL has one of these schemes, a host, and neither user nor fragment."""
    parts = split_url(url)
    return parts is not None and parts.scheme in schemes and "@" not in parts.netloc and "#" not in url


def split_address(address: str) -> tuple[str, int] | None:
    """Take host:port (an IPv6 address in brackets) apart; None if it is none."""
    host, _, port = address.rpartition(":")
    if not _PORT.fullmatch(port) or int(port) > _MAX_PORT:
        return None
    if host.startswith("[") and host.endswith("]"):
        bare = host[1:-1]
        return (bare, int(port)) if ":" in bare and is_host(bare.lower()) else None
    return (host, int(port)) if _LISTEN_HOST.fullmatch(host) else None


def is_socket(address: str) -> bool:
    """True if an address is unix:///path, short enough for a socket."""
    path = address.removeprefix("unix://")
    return path != address and path.startswith("/") and 1 < len(path.encode()) <= _MAX_SOCKET_CHARS
