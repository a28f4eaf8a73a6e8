"""Providers over HTTP: where their keys are, how long these are believed, and signing in."""

from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.adapters.jwks.sign_in import OidcProvider
from agen_authz.adapters.jwks.source import JwksSource

__all__ = ["JwksSource", "OidcProvider", "ProviderKeys"]
