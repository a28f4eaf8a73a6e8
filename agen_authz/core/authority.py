"""Default ports of schemes: an authority means the same with and without it (RFC 9110 section 4.2, RFC 3986 6.2.3)."""

DEFAULT_PORTS = {"https": 443, "http": 80}
_WRITTEN = {scheme: f":{port}" for scheme, port in DEFAULT_PORTS.items()}


def write_port(scheme: str, port: int | str | None) -> str:
    """Write a port after a host, with its colon; nothing if there is none, or if it is the default of the scheme.

    A port in text is compared as text: `0443` is not `443`.
    """
    written = f":{port}" if port else ""
    return "" if written == _WRITTEN[scheme] else written


def drop_default_port(authority: str, scheme: str) -> str:
    """Drop the default port of the scheme from an authority, or a colon without a port if the scheme has no default."""
    return authority.removesuffix(_WRITTEN.get(scheme, ":"))


def guess_scheme(authority: str) -> str:
    """Guess the scheme of a request from the port that its authority names; http if it names none of ours."""
    return "https" if authority.endswith(_WRITTEN["https"]) else "http"
