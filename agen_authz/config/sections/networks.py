"""`trusted_proxies`, `country_header` and `networks`: what is believed of the way to us."""

import re
from collections.abc import Mapping
from ipaddress import IPv6Network, ip_network

from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Lines
from agen_authz.config.reading.tree import Path

# The prefix of ::ffff:0:0/96 (RFC 4291 section 2.5.5.2).
_MAPPED_BITS = 96
_HEADER = re.compile(r"[A-Za-z0-9-]{1,128}")


def check_networks(
    findings: Findings, trusted_proxies: Lines, country_header: str | None, networks: Mapping[str, Lines]
) -> None:
    """Check which proxies are believed, what they are believed to say, and the ranges that have a name."""
    _check_ranges(findings, ("trusted_proxies",), trusted_proxies)
    for name, ranges in networks.items():
        findings.refuse_empty(("networks", name), ranges, "at least one range")
        _check_ranges(findings, ("networks", name), ranges)
    if country_header is None:
        return
    if not _HEADER.fullmatch(country_header):
        findings.add(("country_header",), "not the name of a header", "write one such as cf-ipcountry")
    if not trusted_proxies:
        leans_on = (("trusted_proxies",),)
        cure = "name the proxies in `trusted_proxies`"
        findings.add(("country_header",), "no trusted proxy can send it", cure, leans_on=leans_on)


def _check_ranges(findings: Findings, path: Path, ranges: Lines) -> None:
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
