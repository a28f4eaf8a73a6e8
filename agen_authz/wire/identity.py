"""The caller as the backend sees it (`agen-*` headers in Structured Fields, RFC 9651) and as events show it."""

from dataclasses import dataclass

import orjson
from http_sfv.item import Item
from http_sfv.list import List
from http_sfv.types import DisplayString

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.model import Principal
from agen_authz.core.signature import CALLER_HEADERS, render_lines


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller, and what is said of them; rendered once for all calls with one token.

    `headers` is a serialised OkHttpResponse with the caller's headers, `lines` are the same headers in a signature
    base, `event` is the caller's part of an event. Nothing is decided on the rendered parts.
    """

    principal: Principal
    headers: bytes
    lines: str
    event: orjson.Fragment


def render_caller(principal: Principal) -> Caller:
    """Render what the backend and the audit event say of a caller."""
    allowed, headers = pb.OkHttpResponse(), render_identity(principal)
    for name, value in headers:
        set_header(allowed, name, value)
    # What orjson returns keeps the 8 kB that it was written in, as long as the token is remembered: a copy does not.
    event = orjson.Fragment(memoryview(orjson.dumps(_event_of(principal))).tobytes())
    return Caller(principal, allowed.SerializeToString(), render_lines(headers), event)


def set_header(allowed: pb.OkHttpResponse, name: str, value: str) -> None:
    """Set a header of the request to the backend, overwriting the client's copies."""
    option = allowed.headers.add()
    header = option.header
    header.key, header.value = name, value
    # `append: false` overwrites; Envoy 1.40 does not look at `append_action` here.
    option.append.value = False


def render_identity(principal: Principal) -> tuple[tuple[str, str], ...]:
    """List a caller's headers; an absent string is `""`, an absent list a header of zero length."""
    values = (
        *map(render_text, (principal.issuer, principal.subject, principal.tenant, principal.client)),
        *map(_render_texts, (principal.roles, principal.permissions)),
    )
    return tuple(zip(CALLER_HEADERS, values, strict=True))


def render_text(value: str) -> str:
    """Render a String, or a Display String where a String cannot hold the value (RFC 9651 section 3.3.8)."""
    return str(Item(_bare(value)))


def _render_texts(values: tuple[str, ...]) -> str:
    # RFC 9651 section 4.1 leaves an empty list out; ours is a header of zero length, so that it can be signed.
    if not values:
        return ""
    return str(List([Item(_bare(value)) for value in values]))


def _bare(value: str) -> str | DisplayString:
    # A String holds printable ASCII only (RFC 9651 section 3.3.3); everything else is a Display String.
    return value if value.isascii() else DisplayString(value)


def _event_of(principal: Principal) -> dict[str, object]:
    event: dict[str, object] = {
        "provider": principal.provider,
        "issuer": principal.issuer,
        "subject": principal.subject,
        "client": principal.client,
        "tenant": principal.tenant,
        "roles": principal.roles,
        "permissions": principal.permissions,
        "groups": principal.groups,
        "scopes": principal.scopes,
        "email": principal.email,
        "email_verified": principal.email_verified,
        "country": principal.country,
        "acr": principal.acr,
        "amr": principal.amr,
        "expires": principal.expires,
        "token_id": principal.token_id,
    }
    if principal.auth_time is not None:
        event["auth_time"] = principal.auth_time
    if principal.issued_at is not None:
        event["issued_at"] = principal.issued_at
    return event
