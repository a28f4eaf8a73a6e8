"""The caller as the backend sees it: `agen-*` headers in Structured Fields (RFC 9651)."""

from http_sfv.item import Item
from http_sfv.list import List
from http_sfv.types import DisplayString

from agen_authz.core.model import Principal, Resource

IDENTITY_HEADERS = frozenset(
    {
        "agen-client",
        "agen-issuer",
        "agen-permissions",
        "agen-request-id",
        "agen-resource",
        "agen-roles",
        "agen-subject",
        "agen-tenant",
    }
)


def render_identity(principal: Principal, resource: Resource) -> tuple[tuple[str, str], ...]:
    """List a caller's headers but for the request's own id; an absent string is `""`, an absent list empty."""
    return (
        ("agen-issuer", _render_text(principal.issuer)),
        ("agen-subject", _render_text(principal.subject)),
        ("agen-tenant", _render_text(principal.tenant)),
        ("agen-client", _render_text(principal.client)),
        ("agen-roles", _render_texts(principal.roles)),
        ("agen-permissions", _render_texts(principal.permissions)),
        ("agen-resource", _render_text(resource.name)),
    )


def _render_text(value: str) -> str:
    return str(Item(_bare(value)))


def _render_texts(values: tuple[str, ...]) -> str:
    # RFC 9651 section 4.1 leaves an empty list out; ours is a header of zero length, so that it can be signed.
    if not values:
        return ""
    return str(List([Item(_bare(value)) for value in values]))


def _bare(value: str) -> str | DisplayString:
    # A String holds printable ASCII only (RFC 9651 section 3.3.3); everything else is a Display String.
    return value if value.isascii() else DisplayString(value)
