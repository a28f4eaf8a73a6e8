"""Signing in at a provider: its authorization endpoint, and codes exchanged for ID tokens (OpenID Connect Core 1.0).

1. Metadata is read when it is first needed and again after `_FRESH_S`, once for all who need it at the same time. If
   that fails, what was read before is used.
2. The client authenticates as the metadata allows: `client_secret_basic` (RFC 6749 section 2.3.1), which is what a
   provider that lists nothing has (RFC 8414 section 2), or else `client_secret_post`.
3. What the provider answers is never logged and never shown.
"""

import asyncio
import contextlib
import logging
from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import quote_plus

from agen_authz.adapters.jwks.cause import FetchError
from agen_authz.adapters.jwks.network import Network
from agen_authz.adapters.jwks.question import Question
from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Json, RawToken
from agen_authz.core.reason import Reason
from agen_authz.ports import Clock
from agen_authz.ports.sign_in import CodeExchange

_LOG = logging.getLogger(__name__)
_FRESH_S = 3600.0
_BASIC = "client_secret_basic"


class OidcProvider:
    """Implements `ports.sign_in.IdentityProvider` over HTTP.

    Args:
        settings: of the provider; its `timeout_s` bounds each exchange.
        client: the console's id and secret.
        proxies: what the environment says of proxies, as `Network` takes it.
    """

    def __init__(
        self,
        settings: ProviderKeys,
        client: tuple[str, str],
        *,
        clock: Clock,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._client_id, self._secret = client
        self._clock = clock
        self._network = Network(proxies or {})
        self._metadata: tuple[float, dict[str, Json]] | None = None
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """End every connection."""
        await self._network.close()

    async def find_authorization_endpoint(self) -> str:
        """Find where browsers are sent to sign in."""
        question = Question(self._settings, self._network)
        with _explained(self._settings, question):
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._find(question, "authorization_endpoint")

    async def redeem(self, exchange: CodeExchange) -> RawToken | None:
        """Exchange a code for an ID token; None if the provider refuses the code."""
        question = Question(self._settings, self._network)
        with _explained(self._settings, question):
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._redeem(question, exchange)

    async def _redeem(self, question: Question, exchange: CodeExchange) -> RawToken | None:
        endpoint = await self._find(question, "token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": exchange.code,
            "redirect_uri": exchange.redirect_uri,
            "code_verifier": exchange.verifier,
            **self._name_client(await self._read_metadata(question)),
        }
        headers = {} if "client_id" in form else {"authorization": self._write_basic()}
        status, body = await question.post(endpoint, form, headers)
        if status in (400, 401, 403):
            # RFC 6749 section 5.2.
            extra = {"provider": self._settings.name, "status": status}
            _LOG.warning("a provider refused a code of the console", extra=extra)
            return None
        if status != 200:
            raise FetchError(endpoint, f"answered with status {status}")
        token = question.read_object(body, "the answer").get("id_token")
        if not isinstance(token, str):
            raise FetchError(endpoint, "the answer has no `id_token`")
        return RawToken(token)

    def _name_client(self, metadata: Mapping[str, Json]) -> dict[str, str]:
        methods = metadata.get("token_endpoint_auth_methods_supported", [_BASIC])
        if isinstance(methods, list) and _BASIC not in methods:
            return {"client_id": self._client_id, "client_secret": self._secret}
        return {}

    def _write_basic(self) -> str:
        pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
        return "Basic " + b64encode(pair.encode("ascii")).decode("ascii")

    async def _find(self, question: Question, name: str) -> str:
        found = (await self._read_metadata(question)).get(name)
        question.url = found if isinstance(found, str) else ""
        if not isinstance(found, str) or not question.is_safe():
            raise FetchError(self._settings.issuer, f"the metadata has no `{name}` that may be used")
        return found

    async def _read_metadata(self, question: Question) -> dict[str, Json]:
        async with self._reading:
            return await self._refresh_metadata(question)

    async def _refresh_metadata(self, question: Question) -> dict[str, Json]:
        known, now = self._metadata, self._clock.elapsed()
        if known is not None and now - known[0] < _FRESH_S:
            return known[1]
        try:
            document = await question.discover()
        except FetchError:
            if known is None:
                raise
            document = known[1]
        self._metadata = now, document
        return document


@contextlib.contextmanager
def _explained(settings: ProviderKeys, question: Question) -> Iterator[None]:
    """Log why an exchange failed, and raise what callers expect."""
    try:
        yield
    except FetchError as exc:
        raise _unavailable(settings, exc) from exc
    except TimeoutError as exc:
        why = FetchError(question.url, f"timeout: no answer within {settings.timeout_s:g} s" + question.through())
        raise _unavailable(settings, why) from exc


def _unavailable(settings: ProviderKeys, why: FetchError) -> Unavailable:
    _LOG.warning("people cannot sign in at a provider", extra={"provider": settings.name, "cause": str(why)})
    return Unavailable(Reason.PROVIDER_UNAVAILABLE, settings.name)
