"""Providers' keys over HTTP: where they are, how they are fetched, and how long they are believed."""

from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.adapters.jwks.source import JwksSource

__all__ = ["JwksSource", "ProviderKeys"]
