"""How a resource's URL may be written in a request, and how we write it: one place, for Check and Envoy's routes."""

from urllib.parse import SplitResult

_DEFAULT_PORTS = {"https": 443, "http": 80}


def authorities_of(parts: SplitResult) -> frozenset[str]:
    """List the authorities that name a URL's host: its default port may be written or left out, no other may."""
    host, default = _host_of(parts), _DEFAULT_PORTS[parts.scheme]
    if parts.port is None or parts.port == default:
        return frozenset({host, f"{host}:{default}"})
    return frozenset({f"{host}:{parts.port}"})


def url_of(parts: SplitResult) -> str:
    """Write a URL as clients write it, without its scheme's own port: what they compare our metadata with."""
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return parts._replace(netloc=_host_of(parts) + port).geturl()


def _host_of(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host
