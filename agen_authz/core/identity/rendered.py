"""A principal with its rendered parts, which are made once for all calls with one token."""

from dataclasses import dataclass

import orjson

from agen_authz.core.model import Principal


@dataclass(frozen=True, slots=True)
class RenderedPrincipal:
    """A principal, and how backends and events see it; rendered once for all calls with one token.

    `headers` is a serialised OkHttpResponse with the principal's headers, `lines` are the same headers in a signature
    base, `event` is the principal's part of an event, of so many bytes. Nothing is decided on the rendered parts.
    """

    principal: Principal
    headers: bytes
    lines: str
    event: orjson.Fragment
    event_bytes: int = 0
