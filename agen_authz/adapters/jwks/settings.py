"""What is configured about one provider's keys."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderKeys:
    """Where one provider's keys are, and how they are fetched; durations in seconds.

    `ca` holds certificates as PEM: they alone vouch for the provider's servers. If it is None, the machine's trust
    store does.
    """

    name: str
    issuer: str
    jwks_uri: str | None
    allows_loopback_http: bool
    refresh_s: float
    keep_stale_s: float
    cooldown_s: float
    timeout_s: float
    ca: str | None = None
