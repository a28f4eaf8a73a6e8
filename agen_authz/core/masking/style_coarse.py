"""Style `generalize`: a value's year, region or network in its place; None if there is no such thing in it.

The rules are those of HIPAA's Safe Harbor, 45 CFR 164.514(b)(2)(i): of dates the year, ages over 89 as one group, of
ZIP codes the first three digits. That a year of birth belongs to a person over 89 cannot be seen without a clock, and
is not: only an age says so.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface, ip_network

from agen_authz.core.masking.style_kind import ValueKind, even

# The areas of 20,000 people or fewer, all of which are written 000: "Guidance Regarding Methods for De-identification
# of Protected Health Information", Office for Civil Rights of the HHS, 2012, which counts by the census of 2000.
_SPARSE_ZIP3 = frozenset(
    (
        "036",
        "059",
        "063",
        "102",
        "203",
        "556",
        "692",
        "790",
        "821",
        "823",
        "830",
        "831",
        "878",
        "879",
        "884",
        "890",
        "893",
    )
)
_OLDEST_AGE = 89
_LONGEST = 256
_IPV4_PREFIX = 24
_IPV6_PREFIX = 48
_FEWEST_POSTCODE, _LONGEST_POSTCODE = 4, 10

_YEAR = r"(?:1[89]|20|21)[0-9]{2}"
_DATED = re.compile(
    rf"(?<![0-9])({_YEAR})"
    # or written together, as in 19900512 and HL7's 199005121830
    r"(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{4}(?:[0-9]{2})?)?)?(?![0-9])"
)
_AGE = re.compile(r"([0-9]{1,3})(?:[ -]*(?:y|yo|y/o|yrs?|years?)\.?(?:[ -]*old)?)?", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![0-9.,])([0-9]{1,3})(?![0-9.,])")
_ZIP = re.compile(r"([0-9]{3})[0-9]{2}(?:[ -]?[0-9]{4})?")
_BRITISH = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9][A-Z]{2}")
_CANADIAN = re.compile(r"([A-Z][0-9][A-Z])[ -]?[0-9][A-Z][0-9]")
_DEGREES = r"([+-]?[0-9]{1,3})(?:\.([0-9])[0-9]*)?\u00b0?"
_PLACE = re.compile(rf"(?:geo:)?[(\[]?\s*{_DEGREES}(?:(?:\s*[,;]\s*|\s+){_DEGREES})?\s*[)\]]?")


def generalize(value: str, kind: ValueKind) -> str | None:
    """Return what may be shown of a value, or None."""
    way = _WAYS.get(kind)
    if way is None or len(value) > _LONGEST:
        return None
    return way(even(value).strip())


def find_year(value: str) -> str | None:
    """Return the one year that a date has; None if it has none, or if two numbers in it may be the year."""
    found = set(_DATED.findall(even(value[:_LONGEST])))
    return found.pop() if len(found) == 1 else None


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an IP address; an IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2) as IPv4."""
    network = _read_interface(text)
    return None if network is None or "/" in text else network.ip


def _read_interface(text: str) -> IPv4Interface | IPv6Interface | None:
    try:
        found = ip_interface(text.partition("%")[0])  # without the zone, which is a name of the host's own
    except ValueError:
        return None
    if isinstance(found, IPv6Interface) and found.ip.ipv4_mapped is not None:
        return IPv4Interface(found.ip.ipv4_mapped)
    return found


def _find_network(text: str) -> str | None:
    found = _read_interface(text)
    if found is None:
        return None
    longest = _IPV4_PREFIX if isinstance(found, IPv4Interface) else _IPV6_PREFIX
    return str(ip_network((found.ip, min(found.network.prefixlen, longest)), strict=False))


def _find_age(text: str) -> str | None:
    whole = _AGE.fullmatch(text)
    if whole is not None:
        return "90+" if int(whole[1]) > _OLDEST_AGE else str(int(whole[1]))
    # `3 months` is not an age of 3, but `aged 92` is over 89 whatever its unit is.
    numbers = _NUMBER.findall(text)
    return "90+" if len(numbers) == 1 and int(numbers[0]) > _OLDEST_AGE else None


def _find_area(text: str) -> str | None:
    american = _ZIP.fullmatch(text)
    if american is not None:
        return ("000" if american[1] in _SPARSE_ZIP3 else american[1]) + "**"
    capitals = text.upper()
    known = _BRITISH.fullmatch(capitals) or _CANADIAN.fullmatch(capitals)
    if known is not None:
        return f"{known[1]} ***"
    letters = re.sub("[ -]", "", capitals)
    if not (letters.isascii() and letters.isalnum() and _FEWEST_POSTCODE <= len(letters) <= _LONGEST_POSTCODE):
        return None
    return letters[:2] + "*" * (len(letters) - 2)


def _find_place(text: str) -> str | None:
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    pairs = ((found[1], found[2]), (found[3], found[4]))
    return ", ".join(f"{whole}.{tenth or 0}" for whole, tenth in pairs if whole)


_WAYS: Mapping[ValueKind, Callable[[str], str | None]] = {
    ValueKind.DATE: find_year,
    ValueKind.AGE: _find_age,
    ValueKind.POSTCODE: _find_area,
    ValueKind.IP: _find_network,
    ValueKind.GPS: _find_place,
}
