"""What counts as this machine: the one rule, for addresses that are listened on, fetched from or called from.

An address decides by itself. A name is what a resolver makes of it: of names, only `localhost` is believed
(RFC 6761 section 6.3), and only where a URL is about to be fetched; names below it are not, for resolvers ask DNS.
"""

from ipaddress import IPv6Address, ip_address


def is_loopback_address(host: str) -> bool:
    """True if `host` is an IP address on loopback, IPv4 in IPv6 included; no name is."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def is_loopback(host: str) -> bool:
    """True if `host` is an IP address on loopback, or the name `localhost` itself, in lower case."""
    return host == "localhost" or is_loopback_address(host)
