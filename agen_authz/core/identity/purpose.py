"""What a verified token is for: an access token, or an ID, refresh or logout token that is refused.

Providers sign all of them with the same keys, for the same subjects. What decides, in this order
(docs/adr/0013-telling-id-tokens.md):
 1. what the token says it is: `typ: ID` (Keycloak) or `token_use: id` (Cognito) is not for access
 2. `typ: at+jwt` in the header (RFC 9068 section 2.1), `typ: Bearer` (Keycloak) and `token_use: access` (Cognito)
    are: explicit typing wins over any guess (RFC 8725 section 3.11)
 3. neither is stated: a claim that only other tokens have (`nonce`, `at_hash`, `c_hash`, `s_hash`, the object
    `events`) is not for access
 4. neither: a claim that only access tokens have is searched for. If there is none, the token is unmarked. An ID token
    of the code flow is (OpenID Connect Core 1.0 section 2), and its audience is a client: an unmarked token is
    accepted for a resource's own `url` only, never for an audience that was configured besides.

`azp` tells nothing, not even if it is not an audience: ID tokens have it exactly if another client asked for them
than the
one they are for (OpenID Connect Core 1.0 section 2; Google's, for an app next to a web client).
"""

from collections.abc import Mapping

from agen_authz.core.errors import Rejected
from agen_authz.core.model import ClaimPaths, Json
from agen_authz.core.quote import quote
from agen_authz.core.reason import Reason

_ACCESS_TYPE = "at+jwt"
_PURPOSE_CLAIMS = ("typ", "token_use")
_OTHER_PURPOSES = frozenset({"id", "refresh", "offline", "logout"})
_ACCESS_PURPOSES = frozenset({"bearer", "access"})
_ONLY_OTHER_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash")
# OpenID Connect Back-Channel Logout 1.0 section 2.4.
_EVENTS = "events"
# RFC 9068 section 2.2 and RFC 8693 section 4 (scope, client_id), Entra (scp, appid, azpacr, appidacr, idtyp),
# Okta (scp, cid), Auth0 (gty).
_ONLY_ACCESS_TOKENS = ("scope", "scp", "client_id", "cid", "appid", "azpacr", "appidacr", "idtyp", "gty")
# Frontegg names the kind of an access token in `type`.
_KIND = "type"
_ACCESS_KINDS = frozenset({"usertoken", "userapitoken", "useraccesstoken", "tenantapitoken", "tenantaccesstoken"})
# ID tokens have these as well, so that an operator who maps them marks nothing.
_IN_BOTH = frozenset({("azp",), ("aud",)})


def check_purpose(claims: Mapping[str, Json], kind: str) -> Rejected | None:
    """Refuse a token that is not for access; None if it says that it is, or if nothing shows that it is not.

    Args:
        kind: the header's `typ`, as `jws.UnverifiedToken` has it.
    """
    said = {name: _fold(claims.get(name)) for name in _PURPOSE_CLAIMS}
    # 1.
    for name, purpose in said.items():
        if purpose in _OTHER_PURPOSES:
            return Rejected(Reason.TOKEN_ID_TOKEN, f"claim `{name}` is {quote(purpose)}")
    # 2.
    if kind == _ACCESS_TYPE or not _ACCESS_PURPOSES.isdisjoint(said.values()):
        return None
    # 3.
    for name in _ONLY_OTHER_TOKENS:
        if name in claims:
            return Rejected(
                Reason.TOKEN_ID_TOKEN, f"claim `{name}` is there, and nothing says that it is an access token"
            )
    if isinstance(claims.get(_EVENTS), dict):
        return Rejected(Reason.TOKEN_ID_TOKEN, f"claim `{_EVENTS}` is there, as in logout tokens")
    return None


def is_unmarked(claims: Mapping[str, Json], kind: str, paths: ClaimPaths) -> bool:
    """True if nothing shows that a token is not an ID token (4.)."""
    if kind == _ACCESS_TYPE or any(_fold(claims.get(name)) in _ACCESS_PURPOSES for name in _PURPOSE_CLAIMS):
        return False
    if any(claims.get(name) is not None for name in _ONLY_ACCESS_TOKENS) or _fold(claims.get(_KIND)) in _ACCESS_KINDS:
        return False
    return not any(_holds(claims, path) for path in (*paths.client, *paths.scopes))


def _holds(claims: Mapping[str, Json], path: tuple[str, ...]) -> bool:
    """True if the token has a claim that the operator mapped to a client or to scopes."""
    if path in _IN_BOTH:
        return False
    value = claims.get(path[0])
    for key in path[1:]:
        value = value.get(key) if isinstance(value, dict) else None
    return value is not None


def _fold(value: Json) -> str:
    return value.lower() if isinstance(value, str) else ""
