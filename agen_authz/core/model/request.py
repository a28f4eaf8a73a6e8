"""One HTTP request, as Envoy described it."""

from collections.abc import Mapping

from msgspec import Struct

from agen_authz.core.header import HeaderNames


class Request(Struct, frozen=True):
    """One HTTP request as Envoy described it; the body is bytes that were not parsed."""

    method: str
    authority: str
    path: str
    headers: Mapping[str, str]
    names: HeaderNames
    repeated: frozenset[str]
    raw_body: bytes
    has_text_body: bool
    is_partial: bool
    peer: str
