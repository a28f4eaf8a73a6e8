"""Since when policies are in shadow: the store remembers, so that `policy lint` can say which were forgotten there."""

import logging
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import orjson

from agen_authz.adapters.store import migrate, open_store
from agen_authz.app.state import DEFAULT_URL
from agen_authz.config import Config, Loaded
from agen_authz.config.access import Policy
from agen_authz.core.digest import fingerprint
from agen_authz.core.errors import Unavailable
from agen_authz.ports import Store

_LOG = logging.getLogger(__name__)
_SQLITE = "sqlite:///"
_DIGEST_CHARS = 16


async def note_shadow(config: Config, store: Store, now: float) -> Mapping[str, float]:
    """Remember the policies that are in shadow, and return since when each is; nothing where the store is silent."""
    names = {_key_of(policy): policy.name for policy in _list_shadow(config)}
    if not names:
        return {}
    try:
        kept = await store.remember(dict.fromkeys(names, repr(now)))
    except Unavailable:
        # Evidence for authors, nothing that a call depends on.
        _LOG.warning("the store does not say since when policies are in shadow")
        return {}
    return {names[key]: float(since) for key, since in kept.items()}


async def read_shadow(loaded: Loaded, now: float) -> Mapping[str, float]:
    """Read since when the policies of a file are in shadow, from the store it names, where there is one."""
    url = loaded.config.store.url or DEFAULT_URL
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).is_file():
        return {}
    await migrate(url)
    store = open_store(url, timeout_s=loaded.config.limits.store_timeout)
    try:
        return await note_shadow(loaded.config, store, now)
    finally:
        await store.close()


def _list_shadow(config: Config) -> Iterator[Policy]:
    tenants = chain.from_iterable(tenant.policies for tenant in (config.tenants or {}).values())
    return (policy for policy in chain(config.policies, tenants) if policy.state == "shadow")


def _key_of(policy: Policy) -> str:
    # A policy that was rewritten starts anew.
    written = policy.model_dump(mode="json", exclude={"state"})
    return f"shadow:{policy.name}:{fingerprint(orjson.dumps(written))[:_DIGEST_CHARS]}"
