"""Providers' keys: fetched, refreshed in the background, and kept for a while when a provider is down.

1. A key that is in memory is answered from memory.
2. A key is only called unpublished if the provider was asked for its keys after the question came, a cooldown ago at
   most. If no request to it is allowed now, the answer is Unavailable: the token may be as good as new.
3. Unknown keys make us ask a few times at once and once in a cooldown on average, by one fetch however many wait.
4. Keys are believed for `keep_stale` after the last good fetch; then the provider counts as unavailable.
5. A provider that fails is asked again after 1, 2 and 4 seconds, then after each cooldown.
6. A key that did not change stays the same object; one that is no longer published is gone at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from agen_authz.adapters.jwks.cause import FetchError
from agen_authz.adapters.jwks.download import fetch_keys
from agen_authz.adapters.jwks.network import Network
from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.adapters.jwks.shelf import KeyShelf
from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.jwk import KeySet, PublicKey
from agen_authz.core.reason import Reason
from agen_authz.ports import Clock, KeyMetrics

_LOG = logging.getLogger(__name__)
_FIRST_RETRIES_S = (1.0, 2.0, 4.0)
_MAX_NAMED = 10

Sleep = Callable[[float], Awaitable[None]]


class JwksSource:
    """Implements `ports.KeySource` over HTTP; reading from memory is safe from any thread.

    `proxies` is what the environment says of proxies, as `Network` takes it.
    """

    def __init__(
        self,
        providers: tuple[ProviderKeys, ...],
        *,
        clock: Clock,
        metrics: KeyMetrics,
        sleep: Sleep = asyncio.sleep,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self.providers = providers
        self._shelves = {settings.name: KeyShelf(settings) for settings in providers}
        self._clock = clock
        self._metrics = metrics
        self._sleep = sleep
        self._network = Network(proxies or {})
        self._tasks: list[asyncio.Task[None]] = []

    def carry_over(self, old: "JwksSource") -> None:
        """Take over what is known of every provider whose settings are the same."""
        for name, shelf in self._shelves.items():
            known = old._shelves.get(name)
            if known is not None and known.settings == shelf.settings:
                shelf.take_over(known)

    async def start(self) -> None:
        """Fetch every provider's keys once, then keep them fresh; a provider that is down does not stop this."""
        await asyncio.gather(*(self._begin_fetch(shelf) for shelf in self._shelves.values()))
        self._tasks = [asyncio.create_task(self._keep_fresh(shelf)) for shelf in self._shelves.values()]

    async def close(self) -> None:
        """End the background tasks and the connections."""
        running = [shelf.fetch for shelf in self._shelves.values() if shelf.fetch is not None]
        for task in (*self._tasks, *running):
            task.cancel()
        await asyncio.gather(*self._tasks, *running, return_exceptions=True)
        await self._network.close()

    def find_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        """Find a key in memory; `ports.KeySource.find_key`."""
        shelf = self._shelves[provider]
        return None if shelf.is_stale(self._clock.elapsed()) else shelf.keys.find(kid, algorithm)

    async def fetch_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        """Find a key, asking the provider if that may be done now; `ports.KeySource.fetch_key`."""
        shelf, name = self._shelves[provider], (kid, algorithm)
        # Twice: a fetch that was under way may have read the keys before the question came.
        for _ in range(2):
            if shelf.is_absent(name, self._clock.elapsed()):
                return None
            shelf.ask(name)
            if shelf.fetch is None and shelf.may_ask(self._clock.elapsed()):
                shelf.pay(self._clock.elapsed())
                self._begin_fetch(shelf)
            was_cut_off = await self._wait(shelf)
            key = self.find_key(provider, kid, algorithm)
            if key is not None:
                return key
            if was_cut_off or shelf.failures or shelf.is_stale(self._clock.elapsed()):
                raise Unavailable(Reason.PROVIDER_UNAVAILABLE, provider)
        if shelf.is_absent(name, self._clock.elapsed()):
            return None
        raise Unavailable(Reason.KEY_UNSETTLED, provider)

    def describe(self) -> dict[str, str]:
        """Say of each provider how its keys are, for operators."""
        return {name: shelf.describe(self._clock.elapsed()) for name, shelf in self._shelves.items()}

    def list_ages(self) -> list[tuple[str, float | None, float, int]]:
        """List of each provider its name, the age of its keys, the age that is too old, and how many are believed."""
        now = self._clock.elapsed()
        return [(name, *shelf.measure(now)) for name, shelf in self._shelves.items()]

    def list_without_keys(self) -> frozenset[str]:
        """Name the providers that have had no usable key yet."""
        return frozenset(name for name, shelf in self._shelves.items() if not shelf.had_keys)

    async def _wait(self, shelf: KeyShelf) -> bool:
        """Wait for the fetch that is under way, if there is one; True if it was cut off."""
        fetch = shelf.fetch
        if fetch is None:
            return False
        try:
            # Callers share the fetch: one that gives up must not end it, and its end (`close`) must not end them.
            await asyncio.wait({fetch})
        except asyncio.CancelledError:
            if not shelf.is_lateness_logged:
                shelf.is_lateness_logged = True
                extra = {"provider": shelf.settings.name, "timeout_s": shelf.settings.timeout_s}
                _LOG.warning("a call ended before a provider's keys were fetched; it was not allowed", extra=extra)
            raise
        return fetch.cancelled()

    async def _keep_fresh(self, shelf: KeyShelf) -> None:
        while True:
            await self._sleep(_pause_s(shelf))
            await asyncio.shield(self._begin_fetch(shelf))

    def _begin_fetch(self, shelf: KeyShelf) -> "asyncio.Task[None]":
        """Join the fetch that is under way, or begin one: there is never a second."""
        if shelf.fetch is None:
            shelf.tried_at = self._clock.elapsed()
            shelf.is_lateness_logged = False
            shelf.fetch = asyncio.create_task(self._fetch(shelf))
        return shelf.fetch

    async def _fetch(self, shelf: KeyShelf) -> None:
        try:
            await self._refresh(shelf)
        except Exception:  # noqa: BLE001 the top of a background task: logged once, counted, started again after a while
            shelf.failures += 1
            shelf.faults += 1
            self._metrics.count_jwks_refresh(shelf.settings.name, "failed")
            if shelf.faults == 1:
                extra = {"provider": shelf.settings.name}
                _LOG.exception("a defect ended the fetch of a provider's keys; it is tried again", extra=extra)
        finally:
            shelf.fetch = None

    async def _refresh(self, shelf: KeyShelf) -> None:
        name = shelf.settings.name
        try:
            keys = await fetch_keys(shelf.settings, self._network, shelf.note_asking)
        except FetchError as exc:
            self._note_failure(shelf, exc)
            return
        self._metrics.count_jwks_refresh(name, "ok")
        if shelf.failures:
            _LOG.info("a provider's keys can be fetched again", extra={"provider": name})
        _log_dropped(name, shelf.keys, keys)
        shelf.put(keys, self._clock.elapsed())

    def _note_failure(self, shelf: KeyShelf, exc: FetchError) -> None:
        self._metrics.count_jwks_refresh(shelf.settings.name, exc.outcome)
        why = str(exc)
        # One line for each change, not for each failure.
        if not shelf.failures or why != shelf.why:
            extra = {"provider": shelf.settings.name, "why": why}
            _LOG.warning("a provider's keys cannot be fetched; it is asked again", extra=extra)
        shelf.failures += 1
        shelf.why = why


def _pause_s(shelf: KeyShelf) -> float:
    """Return how long to wait until the next fetch in the background."""
    settings, failures = shelf.settings, shelf.failures
    if not failures:
        return settings.refresh_s
    if failures <= len(_FIRST_RETRIES_S):
        return min(_FIRST_RETRIES_S[failures - 1], settings.cooldown_s)
    return settings.cooldown_s


def _log_dropped(name: str, known: KeySet, fetched: KeySet) -> None:
    if not fetched.dropped or fetched.dropped == known.dropped:
        return
    named = "; ".join(f"`{ascii(each.kid)[1:-1]}`: {each.why}" for each in fetched.dropped[:_MAX_NAMED])
    extra = {"provider": name, "count": len(fetched.dropped), "keys": named}
    _LOG.warning("keys that a provider publishes cannot be used and were left out", extra=extra)
