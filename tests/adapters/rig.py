"""What the tests of keys share: one provider on loopback, and a source that asks it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from agen_authz.adapters.jwks import JwksSource, ProviderKeys
from agen_authz.core.identity.jwk import PublicKey
from tests.adapters.web import Web
from tests.fakes import CountingMetrics, FakeClock, Naps

REFRESH_S, KEEP_STALE_S, COOLDOWN_S = 600.0, 3600.0, 30.0
# Real seconds: long enough for a busy machine. Tests of lateness set one that passes quickly.
TIMEOUT_S = 10.0


def settings_for(web: Web, **changes: Any) -> ProviderKeys:
    """Say how a provider on loopback is asked for its keys."""
    return replace(
        ProviderKeys(
            name="idp",
            issuer=web.url,
            jwks_uri=None,
            allows_loopback_http=True,
            refresh_s=REFRESH_S,
            keep_stale_s=KEEP_STALE_S,
            cooldown_s=COOLDOWN_S,
            timeout_s=TIMEOUT_S,
        ),
        **changes,
    )


def kid_of(key: PublicKey | None) -> str | None:
    """Name a key; None stays None."""
    return None if key is None else key.kid


@dataclass
class Asking:
    """A source of keys and everything it stands on."""

    web: Web
    source: JwksSource
    clock: FakeClock
    naps: Naps
    metrics: CountingMetrics

    def outcomes(self) -> dict[str, int]:
        """Count fetches by outcome."""
        return {labels[2]: count for labels, count in self.metrics.counts.items()}


@asynccontextmanager
async def asking(web: Web, **changes: Any) -> AsyncIterator[Asking]:
    """Build a source for one provider that has not been started."""
    clock, naps, metrics = FakeClock(), Naps(), CountingMetrics()
    proxies = changes.pop("proxies", None)
    settings = settings_for(web, **changes)
    source = JwksSource((settings,), clock=clock, metrics=metrics, sleep=naps, proxies=proxies)
    try:
        yield Asking(web, source, clock, naps, metrics)
    finally:
        await source.close()
