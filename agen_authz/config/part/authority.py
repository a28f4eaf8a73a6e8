"""How a resource's URL may be written in a request, and how we write it: one place, for Check and Envoy's routes."""

from urllib.parse import SplitResult

from agen_authz.core.authority import DEFAULT_PORTS, write_port


def authorities_of(parts: SplitResult) -> frozenset[str]:
    """List the authorities that name a URL's host: its default port may be written or left out, no other may."""
    host, default = _host_of(parts), DEFAULT_PORTS[parts.scheme]
    if parts.port is None or parts.port == default:
        return frozenset({host, f"{host}:{default}"})
    return frozenset({f"{host}:{parts.port}"})


def url_of(parts: SplitResult) -> str:
    """Write a URL as clients write it, without its scheme's own port: what they compare our metadata with."""
    return parts._replace(netloc=_host_of(parts) + write_port(parts.scheme, parts.port)).geturl()


def _host_of(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host
