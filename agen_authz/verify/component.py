"""Component identifiers (RFC 9421 section 2) that a verifier may demand."""

import re
from collections.abc import Iterable

from agen_authz.core.header import is_field_name
from agen_authz.core.signature import DERIVED, QUERY_PARAM
from agen_authz.core.twin import spell_header

_QUERY_PARAM = re.compile(re.escape(QUERY_PARAM) + r';name="[ !#-\[\]-~]+"')


def check_components(components: Iterable[str]) -> frozenset[str]:
    """Return the components that must be covered; refuse one that no request can have.

    Raises:
        ValueError: one is neither a header in lower case without parameters, nor derived from a request.
    """
    if isinstance(components, str):
        raise ValueError(f"`components` is one string; write `({components!a},)`")
    names = frozenset(components)
    for name in names:
        if not (name in DERIVED or _QUERY_PARAM.fullmatch(name) or is_field_name(name)):
            raise ValueError(f"the component {name!a} is neither a header in lower case nor derived of a request")
    return names


def find_twin(names: Iterable[str], components: frozenset[str]) -> str | None:
    """Find the component as which some framework reads a header with an underscore (CGI makes `_` of each `-`)."""
    return next((known for name in names if "_" in name and (known := spell_header(name)) in components), None)
