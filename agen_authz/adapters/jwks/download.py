"""One fetch of a provider's keys: where they are published, and what they are.

They are at `jwks_uri` of the configuration, or else of the provider's own metadata.
"""

import asyncio
from collections.abc import Callable

from agen_authz.adapters.jwks.cause import FetchError
from agen_authz.adapters.jwks.network import Network
from agen_authz.adapters.jwks.question import Question
from agen_authz.adapters.jwks.settings import ProviderKeys
from agen_authz.core.errors import Malformed
from agen_authz.core.identity.jwk import KeySet, parse_jwks


async def fetch_keys(settings: ProviderKeys, network: Network, note_asking: Callable[[], None]) -> KeySet:
    """Fetch a provider's keys, in `timeout_s` at most.

    Args:
        settings: where they are.
        network: the way there.
        note_asking: called just before the keys themselves are asked for.

    Raises:
        FetchError: there is no usable answer.
    """
    question = Question(settings, network)
    try:
        async with asyncio.timeout(settings.timeout_s):
            return await _run(question, settings.jwks_uri or await _discover(question), note_asking)
    except TimeoutError as exc:
        why = f"timeout: no answer within {settings.timeout_s:g} s"
        raise FetchError(question.url, why + question.through(), outcome="failed") from exc


async def _run(question: Question, url: str, note_asking: Callable[[], None]) -> KeySet:
    question.url = url
    note_asking()
    body = await question.get(url)
    keys = parse_jwks(body) if body is not None else None
    if keys is None:
        raise FetchError(question.url, "answered with status 404")
    if isinstance(keys, Malformed):
        raise FetchError(question.url, f"the JWK Set cannot be read: {keys.detail or keys.reason}")
    return keys


async def _discover(question: Question) -> str:
    """Find `jwks_uri` in the provider's metadata."""
    uri = (await question.discover()).get("jwks_uri")
    if not isinstance(uri, str):
        raise FetchError(question.url, "the metadata has no `jwks_uri`")
    return uri
