"""Where the keys of each provider are, as the configuration says it."""

from agen_authz.adapters.jwks import ProviderKeys
from agen_authz.build.ruleset import discovered_issuer
from agen_authz.config import Loaded


def list_provider_keys(loaded: Loaded) -> tuple[ProviderKeys, ...]:
    """List the settings of every provider, in the order of the file."""
    return tuple(
        ProviderKeys(
            name=provider.name,
            issuer=discovered_issuer(provider),
            jwks_uri=provider.jwks_uri,
            allows_loopback_http=provider.insecure_issuer,
            refresh_s=provider.jwks.refresh,
            keep_stale_s=provider.jwks.keep_stale,
            cooldown_s=provider.jwks.cooldown,
            timeout_s=provider.jwks.timeout,
            ca=loaded.secrets.provider_cas.get(provider.name),
        )
        for provider in loaded.config.providers
    )
