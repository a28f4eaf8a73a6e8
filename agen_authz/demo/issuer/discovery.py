"""What the issuer says about itself: OpenID Connect Discovery 1.0 and RFC 8414."""

from agen_authz.core.model import Json
from agen_authz.demo.issuer.people import METHODS_BY_ACR, SCOPES
from agen_authz.demo.issuer.redeem import GRANT_TYPES
from agen_authz.demo.issuer.state import Issuer


def render_discovery(issuer: Issuer) -> dict[str, Json]:
    """Write the discovery document; both well-known places have the same one."""
    return {
        "issuer": issuer.url,
        "authorization_endpoint": f"{issuer.url}/authorize",
        "token_endpoint": f"{issuer.url}/token",
        "registration_endpoint": f"{issuer.url}/register",
        "jwks_uri": f"{issuer.url}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": list(SCOPES),
        "acr_values_supported": list(METHODS_BY_ACR),
    }
