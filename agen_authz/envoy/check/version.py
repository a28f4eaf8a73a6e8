"""Releases of Envoy with known holes in ext_authz or ext_proc.

Source: Envoy's changelogs of 1.38 to 1.40 and its advisories. A fix that a vendor took over under another number is
not known here.
"""

import re
from dataclasses import dataclass

from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot

_WRITTEN = re.compile(r"(?:^|[/ v])([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?![0-9.])")
# Before it, a client of Process that cannot be created lets responses pass (issue 45220). Minor releases got no fix.
_FAILS_CLOSED = (1, 39)
# CVE-2026-73547 and CVE-2026-50572: the first release of each minor one that has both fixes.
_AUTHZ_FIXED = {36: 10, 37: 6, 38: 4, 39: 1}
_AUTHZ_SOUND = (1, 40)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A release of Envoy."""

    major: int
    minor: int
    patch: int


def parse_version(text: str) -> Version | None:
    """Read a version as people write it, or as `envoy --version` prints it: `.../1.40.0/Clean/RELEASE/BoringSSL`."""
    found = _WRITTEN.search(text)
    return Version(*(int(part) for part in found.groups())) if found is not None else None


def read_version(bootstrap: Spot) -> tuple[Spot, Version] | None:
    """Read the version that an Envoy says of itself in a dump of its bootstrap; a number that is not there is 0."""
    written = bootstrap.at("node", "user_agent_build_version", "version")
    numbers = [written.at(key).number or 0.0 for key in ("major_number", "minor_number", "patch")]
    if not written.is_written or not all(number.is_integer() for number in numbers):
        return None
    major, minor, patch = (int(number) for number in numbers)
    return written, Version(major, minor, patch)


def check_version(sheet: Sheet, spot: Spot, version: Version) -> None:
    """Check one version for known holes."""
    release = (version.major, version.minor)
    if release < _FAILS_CLOSED:
        sheet.add("version-proc", spot)
    fixed = _AUTHZ_FIXED.get(version.minor) if version.major == 1 else None
    is_fixed = fixed is not None and version.patch >= fixed
    if release < _AUTHZ_SOUND and not is_fixed:
        sheet.add("version-authz", spot)
