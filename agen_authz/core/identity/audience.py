"""What a token is for: audiences, and the spellings of one URL that mean the same resource.

A client asks for a resource's URL (RFC 8707), its library spells it as libraries do, and the provider writes down what
was asked. RFC 3986 says which spellings are equal: letters of scheme and host (section 6.2.2.1), the scheme's own port
or none (sections 3.2.3, 6.2.3), and no path or `/` (section 6.2.3). Nothing else is: `/mcp` and `/mcp/` differ. What is
not a web URL is compared as it is (RFC 7519 section 2).
"""

import re
from collections.abc import Iterable

from agen_authz.core.authority import write_port

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]*))?(?P<rest>(?:[/?].*)?)",
    re.IGNORECASE | re.ASCII,
)


def spell_audience(audience: str) -> str:
    """Spell a web URL in its normal form; return anything else as it is."""
    url = _URL.fullmatch(audience)
    if url is None:
        return audience
    scheme, port, rest = url["scheme"].lower(), url["port"], url["rest"]
    mark = write_port(scheme, port)
    return f"{scheme}://{url['host'].lower()}{mark}{'' if rest.startswith('/') else '/'}{rest}"


def spell_audiences(accepted: Iterable[str]) -> frozenset[str]:
    """List what a resource accepts for `is_for`: each audience as it is written, and in its normal form."""
    written = frozenset(accepted)
    return written.union(map(spell_audience, written))


def is_for(audiences: frozenset[str], accepted: frozenset[str]) -> bool:
    """True if one of a verified token's audiences is accepted, or is spelt differently and equal to one that is.

    Args:
        accepted: from `spell_audiences`.
    """
    # Nearly every token names its audience as it is configured.
    return not accepted.isdisjoint(audiences) or not accepted.isdisjoint(map(spell_audience, audiences))
