"""How the host of a resource's URL may be written in a request: one place, for Check and for Envoy's routes."""

from urllib.parse import SplitResult

_DEFAULT_PORTS = {"https": 443, "http": 80}


def authorities_of(parts: SplitResult) -> frozenset[str]:
    """List the authorities that name a URL's host: its default port may be written or left out, no other may."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    default = _DEFAULT_PORTS[parts.scheme]
    if parts.port is None or parts.port == default:
        return frozenset({host, f"{host}:{default}"})
    return frozenset({f"{host}:{parts.port}"})
