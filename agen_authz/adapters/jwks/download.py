"""One fetch of a provider's keys: where they are published, and what they are.

1. `jwks_uri` of the configuration, or else of the provider's own metadata: OpenID Connect Discovery 1.0 section 4, and
   RFC 8414 section 3 if there is no such document.
2. The metadata must name the issuer exactly (section 4.3 and RFC 8414 section 3.3).
3. Every URL is https, or http on loopback with `insecure_issuer`; no redirect is followed; answers are bounded.
"""

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from agen_authz.adapters.jwks.cause import FetchError, describe_cause, show_url
from agen_authz.adapters.jwks.network import Network
from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.core.errors import Malformed
from agen_authz.core.http.loopback import is_loopback
from agen_authz.core.identity.jwk import KeySet, parse_jwks
from agen_authz.core.strict_json import parse_json

_MAX_BYTES = 256 * 1024
_MAX_DEPTH = 16
_OPENID = "/.well-known/openid-configuration"
_OAUTH = "/.well-known/oauth-authorization-server"
# A compressed body could be a thousand times larger than what was read of it.
_HEADERS = {"accept": "application/json", "accept-encoding": "identity"}


async def fetch_keys(settings: ProviderKeys, network: Network, note_asking: Callable[[], None]) -> KeySet:
    """Fetch a provider's keys, in `timeout_s` at most.

    Args:
        settings: where they are.
        network: the way there.
        note_asking: called just before the keys themselves are asked for.

    Raises:
        FetchError: there is no usable answer.
    """
    download = _Download(settings, network)
    try:
        async with asyncio.timeout(settings.timeout_s):
            return await download.run(note_asking)
    except TimeoutError as exc:
        why = f"timeout: no answer within {settings.timeout_s:g} s"
        raise FetchError(download.url, why + download.through(), outcome="failed") from exc


class _Download:
    """One fetch; `url` is what it asks just now."""

    def __init__(self, settings: ProviderKeys, network: Network) -> None:
        self._settings = settings
        self._network = network
        self.url = settings.jwks_uri or settings.issuer

    def through(self) -> str:
        """Name the proxy of the current request, without what may be secret."""
        proxy = self._network.find_proxy(self.url) if self._is_safe() else None
        return "" if proxy is None else f", through the proxy {show_url(proxy)}"

    async def run(self, note_asking: Callable[[], None]) -> KeySet:
        self.url = self._settings.jwks_uri or await self._discover()
        note_asking()
        body = await self._get()
        keys = parse_jwks(body) if body is not None else None
        if keys is None:
            raise FetchError(self.url, "answered with status 404")
        if isinstance(keys, Malformed):
            raise FetchError(self.url, f"the JWK Set cannot be read: {keys.detail or keys.reason}")
        return keys

    async def _discover(self) -> str:
        """Find `jwks_uri` in the provider's metadata."""
        asked = []
        for url in _metadata_urls(self._settings.issuer):
            self.url = url
            asked.append(show_url(url))
            body = await self._get()
            if body is not None:
                return self._read_metadata(body)
        raise FetchError(self.url, f"answered with status 404, as {asked[0]} did")

    def _read_metadata(self, body: bytes) -> str:
        document = parse_json(body, _MAX_DEPTH)
        if not isinstance(document, dict):
            raise FetchError(self.url, "the metadata is not a JSON object")
        if document.get("issuer") != self._settings.issuer:
            raise FetchError(self.url, "the metadata names another issuer")
        uri = document.get("jwks_uri")
        if not isinstance(uri, str):
            raise FetchError(self.url, "the metadata has no `jwks_uri`")
        return uri

    async def _get(self) -> bytes | None:
        """Read what is at `url`; None if nothing is (404)."""
        if not self._is_safe():
            raise FetchError(self.url, "neither https nor, with `insecure_issuer`, http on loopback")
        try:
            client = self._network.client_for(self.url, self._settings.ca)
        except ValueError as exc:
            raise FetchError(self.url, "`HTTPS_PROXY` is not http://host:port", outcome="failed") from exc
        try:
            async with client.stream("GET", self.url, headers=_HEADERS) as response:
                return await self._read(response)
        except UnicodeError as exc:
            raise FetchError(self.url, "its host is not a name (IDNA)") from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            raise FetchError(self.url, describe_cause(exc) + self.through(), outcome="failed") from exc

    async def _read(self, response: httpx.Response) -> bytes | None:
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise FetchError(self.url, f"answered with status {response.status_code}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchError(self.url, "answered with a compressed body")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise FetchError(self.url, "answered with more than 256 KiB")
        return bytes(body)

    def _is_safe(self) -> bool:
        with contextlib.suppress(ValueError):
            parts = urlsplit(self.url)
            # Reading a port that is not a number raises, like the rest of a URL that cannot be read.
            if not parts.hostname or parts.port == 0:
                return False
            if parts.scheme == "https":
                return True
            return self._settings.allows_loopback_http and parts.scheme == "http" and is_loopback(parts.hostname)
        return False


def _metadata_urls(issuer: str) -> tuple[str, str]:
    """Append the path of OpenID Connect Discovery; insert the one of RFC 8414 between host and path (section 3.1)."""
    issuer = issuer.rstrip("/")
    scheme, _, rest = issuer.partition("://")
    host, slash, path = rest.partition("/")
    return issuer + _OPENID, f"{scheme}://{host}{_OAUTH}{slash}{path}"
