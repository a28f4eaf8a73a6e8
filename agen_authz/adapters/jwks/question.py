"""One question to a provider over HTTP: bounded in time and size, and only where it is safe to ask.

1. Metadata is where OpenID Connect Discovery 1.0 section 4 has it, or RFC 8414 section 3 if there is no such document.
2. It must name the issuer exactly (section 4.3 and RFC 8414 section 3.3).
3. Every URL is https, or http on loopback with `insecure_issuer`; no redirect is followed; answers are bounded.
"""

import contextlib
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from agen_authz.adapters.jwks.cause import FetchError, describe_cause, show_url
from agen_authz.adapters.jwks.network import Network
from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.core.http.loopback import is_loopback
from agen_authz.core.model import Json
from agen_authz.core.strict_json import parse_json

_MAX_BYTES = 256 * 1024
_MAX_DEPTH = 16
_OPENID = "/.well-known/openid-configuration"
_OAUTH = "/.well-known/oauth-authorization-server"
# A compressed body could be a thousand times larger than what was read of it.
_HEADERS = {"accept": "application/json", "accept-encoding": "identity"}


class Question:
    """What is asked of one provider; `url` is what is asked just now."""

    def __init__(self, settings: ProviderKeys, network: Network) -> None:
        self._settings = settings
        self._network = network
        self.url = settings.jwks_uri or settings.issuer

    def through(self) -> str:
        """Name the proxy of the current request, without what may be secret."""
        proxy = self._network.find_proxy(self.url) if self.is_safe() else None
        return "" if proxy is None else f", through the proxy {show_url(proxy)}"

    async def discover(self) -> dict[str, Json]:
        """Read the provider's metadata.

        Raises:
            FetchError: there is no usable answer.
        """
        asked = []
        for url in _metadata_urls(self._settings.issuer):
            asked.append(show_url(url))
            body = await self.get(url)
            if body is not None:
                return self._read_metadata(body)
        raise FetchError(self.url, f"answered with status 404, as {asked[0]} did")

    def _read_metadata(self, body: bytes) -> dict[str, Json]:
        document = self.read_object(body, "the metadata")
        if document.get("issuer") != self._settings.issuer:
            raise FetchError(self.url, "the metadata names another issuer")
        return document

    def read_object(self, body: bytes, name: str) -> dict[str, Json]:
        """Read an answer as a JSON object.

        Raises:
            FetchError: it is not one.
        """
        document = parse_json(body, _MAX_DEPTH)
        if not isinstance(document, dict):
            raise FetchError(self.url, f"{name} is not a JSON object")
        return document

    async def get(self, url: str) -> bytes | None:
        """Read what is at a URL; None if nothing is (404).

        Raises:
            FetchError: there is no usable answer.
        """
        status, body = await self._ask(url, "GET", None, {})
        if status not in (200, 404):
            raise FetchError(self.url, f"answered with status {status}")
        return body if status == 200 else None

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Post a form; return the status with the answer, whatever they are.

        Raises:
            FetchError: no answer came, or it is too long.
        """
        return await self._ask(url, "POST", form, headers)

    async def _ask(
        self, url: str, method: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        self.url = url
        if not self.is_safe():
            raise FetchError(self.url, "neither https nor, with `insecure_issuer`, http on loopback")
        try:
            client = self._network.client_for(self.url, self._settings.ca)
        except ValueError as exc:
            raise FetchError(self.url, "`HTTPS_PROXY` is not http://host:port", outcome="failed") from exc
        try:
            async with client.stream(method, self.url, headers={**_HEADERS, **headers}, data=form) as response:
                return response.status_code, await self._read(response)
        except UnicodeError as exc:
            raise FetchError(self.url, "its host is not a name (IDNA)") from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            raise FetchError(self.url, describe_cause(exc) + self.through(), outcome="failed") from exc

    async def _read(self, response: httpx.Response) -> bytes:
        if response.status_code != 200 and response.request.method == "GET":
            return b""
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchError(self.url, "answered with a compressed body")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise FetchError(self.url, "answered with more than 256 KiB")
        return bytes(body)

    def is_safe(self) -> bool:
        """True if `url` may be asked at all."""
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
