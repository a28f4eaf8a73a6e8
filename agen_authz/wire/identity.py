"""The caller as the backend sees it (`agen-*` headers in Structured Fields, RFC 9651) and as events show it."""

import orjson
from http_sfv.item import Item
from http_sfv.list import List
from http_sfv.types import DisplayString

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.identity.rendered import RenderedPrincipal
from agen_authz.core.model import Principal
from agen_authz.core.signature import CALLER_HEADERS, render_lines
from agen_authz.wire.line import render_line
from agen_authz.wire.shorten import Room, Shortener, fit

# A caller's part of an event; what is left of the 16 KiB is the call's.
MAX_CALLER_EVENT_BYTES = 6 * 1024


def render_principal(principal: Principal) -> RenderedPrincipal:
    """Render what the backend and the audit event say of a caller."""
    allowed, headers = pb.OkHttpResponse(), render_identity(principal)
    for name, value in headers:
        set_header(allowed, name, value)
    event = _render_event(principal)
    # What orjson returns keeps the 8 kB that it was written in, as long as the token is remembered: a copy does not.
    kept = orjson.Fragment(memoryview(event).tobytes())
    return RenderedPrincipal(principal, allowed.SerializeToString(), render_lines(headers), kept, len(event))


def _render_event(principal: Principal) -> bytes:
    return fit(lambda room: render_line(_event_of(principal, room)), MAX_CALLER_EVENT_BYTES + 1)


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


def _event_of(principal: Principal, room: Room) -> dict[str, object]:
    brief = Shortener(room)
    # A claim that cannot be read is null.
    event: dict[str, object] = {
        "provider": brief.text("provider", principal.provider),
        "issuer": brief.text("issuer", principal.issuer),
        "subject": brief.text("subject", principal.subject),
        "client": brief.text("client", principal.client),
        "tenant": brief.text("tenant", principal.tenant),
        "roles": brief.texts("roles", principal.roles),
        "permissions": brief.texts("permissions", principal.permissions),
        "groups": None if principal.groups is None else brief.texts("groups", principal.groups),
        "scopes": brief.texts("scopes", principal.scopes),
        "email": brief.text("email", principal.email),
        "email_verified": principal.email_verified,
        "country": brief.text("country", principal.country),
        "acr": brief.text("acr", principal.acr),
        "amr": None if principal.amr is None else brief.texts("amr", principal.amr),
        "expires": principal.expires,
        "token_id": brief.text("token_id", principal.token_id),
    }
    if principal.auth_time is not None:
        event["auth_time"] = principal.auth_time
    if principal.issued_at is not None:
        event["issued_at"] = principal.issued_at
    if brief.shortened:
        event["shortened"] = brief.shortened
    return event
