"""An MCP server behind Envoy as configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agen_authz.core.model.provider import Provider


@dataclass(frozen=True, slots=True)
class Resource:
    """One MCP server behind Envoy, as callers see it (RFC 9728 protected resource).

    `scope_requests` says by which word clients ask for a scope, where that is not its name in the token.
    `audiences` are all that a token may be for, its own url among them, from `core.identity.audience.spell_audiences`.
    """

    name: str
    url: str
    scheme: str
    authorities: frozenset[str]
    path: str
    query: str | None
    providers: Mapping[str, Provider]
    audiences: frozenset[str]
    clients: frozenset[str] | None
    require_tenant: bool
    scopes: tuple[str, ...]
    origins: frozenset[str]
    admits_unmapped: bool
    methods: Mapping[str, bool]
    resumable: bool
    forward_token: bool
    forward_headers: frozenset[str]
    metadata_url: str
    is_signed: bool = False
    scope_requests: Mapping[str, str] = field(default_factory=dict)
