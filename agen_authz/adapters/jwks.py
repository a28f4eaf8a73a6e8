"""Providers' keys: discovered, fetched, refreshed in the background, and kept for a while when a provider is down.

1. A key that is in memory is answered from memory.
2. An unknown `kid` is asked for at most once in a cooldown, by one fetch however many requests wait for it.
3. Keys are believed for `keep_stale` after the last good fetch; then the provider counts as unavailable.
4. One fetch takes `timeout` at most, follows no redirect and reads no more than it should.
5. A key that did not change stays the same object; one that is no longer published is gone at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx

from agen_authz.core.errors import Malformed, Unavailable
from agen_authz.core.jwk import KeySet, PublicKey, parse_jwks
from agen_authz.core.loopback import is_loopback
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json
from agen_authz.ports import Clock, Metrics

_LOG = logging.getLogger(__name__)
_MAX_BYTES = 256 * 1024
_MAX_DEPTH = 16
_READ_TIMEOUT_S = 30.0
_WELL_KNOWN = "/.well-known/openid-configuration"
# A compressed body could be a thousand times larger than what was read of it.
_HEADERS = {"accept": "application/json", "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class ProviderKeys:
    """Where one provider's keys are, and how they are fetched; durations in seconds."""

    name: str
    issuer: str
    jwks_uri: str | None
    allows_loopback_http: bool
    refresh_s: float
    keep_stale_s: float
    cooldown_s: float
    timeout_s: float


@dataclass(slots=True)
class _Shelf:
    """One provider's keys as they are known now; swapped, never changed in place."""

    settings: ProviderKeys
    keys: KeySet = field(default_factory=KeySet)
    fetched_at: float | None = None
    tried_at: float | None = None
    is_failing: bool = False
    fetch: "asyncio.Task[None] | None" = None
    faults: int = 0


class _FetchError(Exception):
    """A provider's answer cannot be used; the message is for the log."""


Sleep = Callable[[float], Awaitable[None]]


class JwksSource:
    """Implements `ports.KeySource` over HTTP; reading from memory is safe from any thread."""

    def __init__(
        self,
        providers: tuple[ProviderKeys, ...],
        *,
        clock: Clock,
        metrics: Metrics,
        sleep: Sleep = asyncio.sleep,
        trust_env: bool = False,
    ) -> None:
        self.providers = providers
        self._shelves = {settings.name: _Shelf(settings) for settings in providers}
        self._clock = clock
        self._metrics = metrics
        self._sleep = sleep
        # Each fetch is bounded as a whole (4.): httpx bounds single reads only.
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=trust_env,
            timeout=_READ_TIMEOUT_S,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
        self._tasks: list[asyncio.Task[None]] = []

    def carry_over(self, old: "JwksSource") -> None:
        """Take over what is known of every provider whose settings are the same."""
        for name, shelf in self._shelves.items():
            known = old._shelves.get(name)
            if known is not None and known.settings == shelf.settings:
                shelf.keys, shelf.fetched_at, shelf.is_failing = known.keys, known.fetched_at, known.is_failing

    async def start(self) -> None:
        """Fetch every provider's keys once, then keep them fresh; a provider that is down stops nothing."""
        await asyncio.gather(*(self._begin_fetch(shelf) for shelf in self._shelves.values()))
        self._tasks = [asyncio.create_task(self._keep_fresh(shelf)) for shelf in self._shelves.values()]

    async def close(self) -> None:
        """End the background tasks and the connections."""
        running = [shelf.fetch for shelf in self._shelves.values() if shelf.fetch is not None]
        for task in (*self._tasks, *running):
            task.cancel()
        await asyncio.gather(*self._tasks, *running, return_exceptions=True)
        await self._client.aclose()

    def find_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        """Find a key in memory; `ports.KeySource.find_key`."""
        shelf = self._shelves[provider]
        return None if self._is_stale(shelf) else shelf.keys.find(kid, algorithm)

    async def fetch_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        """Find a key, asking the provider if its cooldown allows; `ports.KeySource.fetch_key`."""
        shelf = self._shelves[provider]
        if self._may_fetch(shelf):
            self._begin_fetch(shelf)
        fetch = shelf.fetch
        if fetch is not None:
            # The fetch is everybody's: one caller that gives up must not end it, nor its end (`close`) the callers.
            await asyncio.wait({fetch})
        key = self.find_key(provider, kid, algorithm)
        was_cut_off = fetch is not None and fetch.cancelled()
        if key is None and (was_cut_off or shelf.is_failing or self._is_stale(shelf)):
            raise Unavailable(Reason.PROVIDER_UNAVAILABLE, provider)
        return key

    def describe(self) -> dict[str, str]:
        """Say of each provider how its keys are, for operators."""
        said = {}
        for name, shelf in self._shelves.items():
            if shelf.fetched_at is None:
                said[name] = "no keys yet"
                continue
            age_s = round(self._clock.elapsed() - shelf.fetched_at)
            state = "failing" if shelf.is_failing else "ok"
            said[name] = f"{state}, {len(shelf.keys.keys)} keys, fetched {age_s} s ago"
        return said

    def _is_stale(self, shelf: _Shelf) -> bool:
        if shelf.fetched_at is None:
            return True
        settings = shelf.settings
        # A provider that answers is asked every `refresh`: only silence lets keys grow older than that.
        return self._clock.elapsed() - shelf.fetched_at > settings.refresh_s + settings.keep_stale_s

    def _may_fetch(self, shelf: _Shelf) -> bool:
        return shelf.tried_at is None or self._clock.elapsed() - shelf.tried_at >= shelf.settings.cooldown_s

    async def _keep_fresh(self, shelf: _Shelf) -> None:
        while True:
            await self._sleep(shelf.settings.cooldown_s if shelf.is_failing else shelf.settings.refresh_s)
            await asyncio.shield(self._begin_fetch(shelf))

    def _begin_fetch(self, shelf: _Shelf) -> "asyncio.Task[None]":
        """Join the fetch that is under way, or begin one: there is never a second."""
        if shelf.fetch is None:
            shelf.tried_at = self._clock.elapsed()
            shelf.fetch = asyncio.create_task(self._fetch(shelf))
        return shelf.fetch

    async def _fetch(self, shelf: _Shelf) -> None:
        try:
            await self._refresh(shelf)
        except Exception:  # noqa: BLE001 the top of a background task: logged once, counted, begun anew after the cooldown
            shelf.is_failing = True
            shelf.faults += 1
            self._metrics.count_jwks_refresh(shelf.settings.name, "failed")
            if shelf.faults == 1:
                _LOG.exception("refreshing keys failed", extra={"provider": shelf.settings.name})
        finally:
            shelf.fetch = None

    async def _refresh(self, shelf: _Shelf) -> None:
        name = shelf.settings.name
        try:
            async with asyncio.timeout(shelf.settings.timeout_s):
                keys = await self._fetch_keys(shelf.settings)
        except (httpx.HTTPError, httpx.InvalidURL, _FetchError, TimeoutError, OSError) as exc:
            self._note_failure(shelf, exc)
            return
        self._metrics.count_jwks_refresh(name, "ok")
        if shelf.is_failing:
            _LOG.info("provider answers again", extra={"provider": name})
        # Keys before their age: another thread must not take old keys for fresh ones.
        shelf.keys = keys.keep_known(shelf.keys)
        shelf.fetched_at = self._clock.elapsed()
        shelf.is_failing = False

    def _note_failure(self, shelf: _Shelf, exc: Exception) -> None:
        is_malformed = isinstance(exc, _FetchError)
        self._metrics.count_jwks_refresh(shelf.settings.name, "malformed" if is_malformed else "failed")
        if not shelf.is_failing:
            detail = str(exc) if is_malformed else type(exc).__name__
            _LOG.warning("provider's keys cannot be fetched", extra={"provider": shelf.settings.name, "why": detail})
        shelf.is_failing = True

    async def _fetch_keys(self, settings: ProviderKeys) -> KeySet:
        uri = settings.jwks_uri or await self._discover(settings)
        keys = parse_jwks(await self._get(uri, settings))
        if isinstance(keys, Malformed):
            raise _FetchError(f"the JWK Set cannot be read: {keys.reason}")
        return keys

    async def _discover(self, settings: ProviderKeys) -> str:
        """Find `jwks_uri` by OpenID Connect Discovery 1.0 section 4; the issuer must name itself exactly."""
        document = parse_json(await self._get(settings.issuer.rstrip("/") + _WELL_KNOWN, settings), _MAX_DEPTH)
        if not isinstance(document, dict):
            raise _FetchError("the discovery document is not a JSON object")
        if document.get("issuer") != settings.issuer:
            raise _FetchError("the discovery document names another issuer")
        uri = document.get("jwks_uri")
        if not isinstance(uri, str):
            raise _FetchError("the discovery document has no `jwks_uri`")
        return uri

    async def _get(self, url: str, settings: ProviderKeys) -> bytes:
        if not _is_safe(url, settings):
            raise _FetchError("a URL is neither https nor, with `insecure_issuer`, http on loopback")
        async with self._client.stream("GET", url, headers=_HEADERS) as response:
            if response.status_code != 200:
                raise _FetchError(f"answered with status {response.status_code}")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise _FetchError("answered with a compressed body")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise _FetchError("answered with more than 256 KiB")
            return bytes(body)


def _is_safe(uri: str, settings: ProviderKeys) -> bool:
    with contextlib.suppress(ValueError):
        parts = urlsplit(uri)
        # Reading a port that is no number raises, like the rest of a URL that cannot be read.
        if not parts.hostname or parts.port == 0:
            return False
        if parts.scheme == "https":
            return True
        return settings.allows_loopback_http and parts.scheme == "http" and is_loopback(parts.hostname)
    return False
