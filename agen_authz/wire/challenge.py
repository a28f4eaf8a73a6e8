"""Authorization challenges and protected resource metadata (RFC 6750, RFC 9728; MCP authorization).

One Bearer challenge per answer, and no `error=` or `scope=` inside its description: clients in the field read
them with unanchored patterns.
"""

from collections.abc import Iterable

import orjson

from agen_authz.core.http.admission import cors_headers
from agen_authz.core.http.route import Route
from agen_authz.core.identity.scope import is_scope
from agen_authz.core.model import Answer, Challenge, Principal, Request, Resource
from agen_authz.core.reason import REFUSALS, Reason

_ERRORS = {400: "invalid_request", 401: "invalid_token", 403: "insufficient_scope"}
_NOT_ABOUT_AUTHORIZATION = frozenset({Reason.ORIGIN_REFUSED})


def render_challenge(reason: Reason, resource: Resource, principal: Principal | None) -> str | None:
    """Render `www-authenticate` for a Reason that asks for another token; None for every other Reason."""
    refusal = REFUSALS[reason]
    asks = refusal.status in (401, 403) or reason is Reason.AUTHORIZATION_MALFORMED
    if not asks or reason in _NOT_ABOUT_AUTHORIZATION:
        return None
    parts = [f'resource_metadata="{resource.metadata_url}"']
    scopes = _scopes_of(reason, resource, principal)
    if scopes:
        parts.append(f'scope="{" ".join(scopes)}"')
    # RFC 6750 section 3.1: a request without any credential gets no error code.
    if reason is not Reason.TOKEN_MISSING:
        parts.append(f'error="{_ERRORS[refusal.status]}"')
        parts.append(f'error_description="{refusal.message}"')
    return "Bearer " + ", ".join(parts)


def _scopes_of(reason: Reason, resource: Resource, principal: Principal | None) -> tuple[str, ...]:
    granted: tuple[str, ...] = ()
    if reason is Reason.SCOPE_MISSING and principal is not None:
        # Some clients replace their scopes by the challenge's: without the granted ones they would lose them.
        granted = tuple(scope for scope in principal.scopes if is_scope(scope))
    if not resource.scope_requests:
        return tuple(dict.fromkeys((*resource.scopes, *granted)))
    # By another provider's rules the bare name of a granted scope may be an error, or another scope altogether.
    known = tuple(scope for scope in granted if scope in resource.scope_requests or scope in resource.scopes)
    return spell_requests((*resource.scopes, *known), resource)


def spell_requests(scopes: Iterable[str], resource: Resource) -> tuple[str, ...]:
    """Return the words that clients ask for scopes by, each once."""
    return tuple(dict.fromkeys(resource.scope_requests.get(scope, scope) for scope in scopes))


def render_demand(wanted: Challenge, resource: Resource, principal: Principal) -> str:
    """Render `www-authenticate` for a call that needs a stronger token, all that it needs in one challenge."""
    error = "insufficient_scope" if wanted.lacks_scope else "insufficient_user_authentication"
    scopes = dict.fromkeys(
        (*_scopes_of(Reason.SCOPE_MISSING, resource, principal), *spell_requests(wanted.scopes, resource))
    )
    parts = [
        f'resource_metadata="{resource.metadata_url}"',
        f'scope="{" ".join(scopes)}"' if scopes else "",
        f'acr_values="{" ".join(wanted.acr_values)}"' if wanted.acr_values else "",
        f'max_age="{wanted.max_age_s}"' if wanted.max_age_s is not None else "",
        f'error="{error}"',
        f'error_description="{REFUSALS[Reason.STEP_UP_REQUIRED].message}"',
    ]
    return "Bearer " + ", ".join(filter(None, parts))


def describe_demand(wanted: Challenge) -> str:
    """Tell a person what to do, for clients that do not look at the challenge."""
    needs = [
        f"the scope {' '.join(wanted.scopes)}" if wanted.lacks_scope else "",
        f"the authentication {' or '.join(wanted.acr_values)}" if wanted.acr_values else "",
        f"a sign-in of the last {wanted.max_age_s} seconds" if wanted.max_age_s is not None else "",
    ]
    what = ", ".join(filter(None, needs)) or "another way to authenticate"
    message = wanted.message or REFUSALS[Reason.STEP_UP_REQUIRED].message
    return f"{message} Sign in again with {what}, then repeat the call."


def render_metadata(request: Request, route: Route) -> Answer | None:
    """Render a resource's metadata (RFC 9728 section 3.2), if that is asked for; anybody may ask."""
    if not route.is_metadata:
        return None
    resource = route.resource
    issuers = [provider.advertised_issuer for provider in resource.providers.values()]
    document: dict[str, object] = {
        "resource": resource.url,
        "authorization_servers": issuers,
        "bearer_methods_supported": ["header"],
    }
    if resource.scopes:
        document["scopes_supported"] = list(spell_requests(resource.scopes, resource))
    headers = (
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=300"),
        *cors_headers(request, route),
    )
    return Answer(Reason.METADATA, 200, headers, orjson.dumps(document))
