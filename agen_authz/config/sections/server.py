"""Cross-checks of `server`, `limits`, `trusted_proxies`, `country_header`, `networks` and `end`."""

import re
from ipaddress import IPv6Network, ip_network

from agen_authz.config.finding import Findings
from agen_authz.config.tree import Path
from agen_authz.config.url import is_socket, split_address
from agen_authz.core.http.loopback import is_loopback_address

_GRPC = ("authz", "proc")
_LISTENERS = (*_GRPC, "ops", "console")
# The prefix of ::ffff:0:0/96 (RFC 4291 section 2.5.5.2).
_MAPPED_BITS = 96
_HEADER = re.compile(r"[A-Za-z0-9-]{1,128}")


def check_server(findings: Findings) -> None:
    """Check what listens, what bounds it, and what is believed of the way to it."""
    config = findings.config
    server = config.server
    addresses: dict[str, str] = {}
    for key in _LISTENERS:
        address = getattr(server, key)
        _check_address(findings, ("server", key), address)
        other = addresses.setdefault(address, key)
        if other != key:
            findings.add(("server", key), f"`server.{other}` listens there", "give each a port or path of its own")
    if server.engine == "native" and server.tls is not None:
        findings.add(("server", "engine"), "the native engine has no TLS", "use `engine: grpcio` or `auto`")
    if config.limits.store_timeout > server.check_timeout:
        cure = "make it shorter, or give Envoy more time"
        leans_on = (("server", "check_timeout"),)
        message = "longer than `server.check_timeout`, which is all that Envoy waits"
        findings.add(("limits", "store_timeout"), message, cure, leans_on=leans_on)
    _check_way(findings)
    _check_end(findings)


def _check_end(findings: Findings) -> None:
    end = findings.config.end
    if findings.is_written(("end",)) and end is not True:
        findings.add(("end",), "`true` is all that it can be", "write `end: true` as the last line, or leave it out")
    elif end and not findings.is_last("end"):
        findings.add(("end",), "is not the last key of the file", "move it to the end: nothing may follow it")


def _check_way(findings: Findings) -> None:
    config = findings.config
    _check_ranges(findings, ("trusted_proxies",), config.trusted_proxies)
    for name, ranges in config.networks.items():
        findings.refuse_empty(("networks", name), ranges, "at least one range")
        _check_ranges(findings, ("networks", name), ranges)
    if config.country_header is None:
        return
    if not _HEADER.fullmatch(config.country_header):
        findings.add(("country_header",), "not the name of a header", "write one such as cf-ipcountry")
    if not config.trusted_proxies:
        leans_on = (("trusted_proxies",),)
        cure = "name the proxies in `trusted_proxies`"
        findings.add(("country_header",), "nobody is trusted to send it", cure, leans_on=leans_on)


def _check_address(findings: Findings, path: Path, address: str) -> None:
    is_grpc = path[-1] in _GRPC
    if address.startswith("unix:"):
        if not is_grpc or not is_socket(address):
            cure = "write host:port, or unix:///path (107 bytes at most) for gRPC"
            findings.add(path, "not an address that this can listen on", cure)
        return
    found = split_address(address)
    if found is None:
        findings.add(path, "not an address", "write host:port, such as 127.0.0.1:9191 or [::1]:9191")
    elif is_grpc and not is_loopback_address(found[0]):
        _check_exposed(findings, path, found[0])


def _check_exposed(findings: Findings, path: Path, host: str) -> None:
    server = findings.config.server
    if path[-1] == "authz" and server.engine == "native":
        findings.add(path, "the native engine has no TLS", "use `engine: grpcio` beyond loopback")
    if server.tls is None and not server.insecure_plaintext:
        cure = "set `server.tls`, or `insecure_plaintext: true` where a mesh encrypts"
        if host.rpartition(".")[2] == "localhost":
            cure = "write the address, 127.0.0.1 or [::1]: what a name leads to is up to the resolver; or " + cure
        leans_on = (("server", "tls"), ("server", "insecure_plaintext"))
        findings.add(path, "a gRPC address beyond loopback needs mutual TLS", cure, leans_on=leans_on)


def _check_ranges(findings: Findings, path: Path, ranges: tuple[str, ...]) -> None:
    for index, written in enumerate(ranges):
        try:
            network = ip_network(written)
        except ValueError:
            cure = "write a CIDR such as 10.0.0.0/8, without bits set behind the prefix"
            findings.add((*path, index), "not a range of addresses", cure)
            continue
        mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
        if mapped is not None and network.prefixlen >= _MAPPED_BITS:
            # `::ffff:192.0.2.1` is read as 192.0.2.1 wherever it comes from: no address is in such a range.
            message = "an IPv4 range written as IPv6, which no address is in"
            findings.add((*path, index), message, f"write `{mapped}/{network.prefixlen - _MAPPED_BITS}`")
