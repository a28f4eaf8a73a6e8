"""Cross-checks of `server`, `limits`, `trusted_proxies` and `networks`."""

from ipaddress import ip_network

from agen_authz.config.check_identity import is_loopback_host
from agen_authz.config.finding import Findings
from agen_authz.config.tree import Path

_GRPC = ("authz", "proc")
_MAX_PORT = 65535


def check_server(findings: Findings) -> None:
    """Check what listens and what bounds it."""
    server = findings.config.server
    for key in ("authz", "proc", "ops", "console"):
        _check_address(findings, key, getattr(server, key))
    if server.engine == "native" and server.tls is not None:
        findings.add(("server", "engine"), "the native engine has no TLS", "use `engine: grpcio` or `auto`")
    _check_bounds(findings)
    _check_ranges(findings, ("trusted_proxies",), findings.config.trusted_proxies)
    for name, ranges in findings.config.networks.items():
        findings.refuse_empty(("networks", name), ranges, "at least one range")
        _check_ranges(findings, ("networks", name), ranges)
    if findings.config.country_header is not None and not findings.config.trusted_proxies:
        findings.add(("country_header",), "nobody is trusted to send it", "name the proxies in `trusted_proxies`")


def _check_bounds(findings: Findings) -> None:
    server, limits = findings.config.server, findings.config.limits
    for key, seconds in (("check_timeout", server.check_timeout), ("shutdown_grace", server.shutdown_grace)):
        if seconds <= 0:
            findings.add(("server", key), "not longer than zero", "give a duration such as 1s")
    if limits.store_timeout <= 0 or limits.store_timeout > server.check_timeout:
        findings.add(
            ("limits", "store_timeout"), "longer than `server.check_timeout`, or zero", "make it shorter than that"
        )
    if min(limits.request_bytes, limits.response_bytes) < 1:
        findings.add(("limits",), "a size is zero", "give sizes such as 1MiB")


def _check_address(findings: Findings, key: str, address: str) -> None:
    path: Path = ("server", key)
    if address.startswith("unix://"):
        if key not in _GRPC or not address.startswith("unix:///"):
            findings.add(path, "not an address that this can listen on", "write host:port, or unix:///path for gRPC")
        return
    host, mark, port = address.rpartition(":")
    if not mark or not host or not port.isdecimal() or not 0 < int(port[:6]) <= _MAX_PORT:
        findings.add(path, "not an address", "write host:port, such as 127.0.0.1:9191")
        return
    is_loopback = is_loopback_host(host.strip("[]"))
    if key == "authz" and findings.config.server.engine == "native" and not is_loopback:
        findings.add(path, "the native engine has no TLS", "use `engine: grpcio` beyond loopback")
    server = findings.config.server
    if key in _GRPC and not is_loopback and server.tls is None and not server.insecure_plaintext:
        cure = "set `server.tls`, or `insecure_plaintext: true` where a mesh encrypts"
        findings.add(path, "a gRPC address beyond loopback needs mutual TLS", cure)


def _check_ranges(findings: Findings, path: Path, ranges: tuple[str, ...]) -> None:
    for index, written in enumerate(ranges):
        try:
            ip_network(written)
        except ValueError:
            findings.add((*path, index), "not a range of addresses", "write a CIDR such as 10.0.0.0/8")
