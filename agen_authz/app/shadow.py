"""Since when policies are in shadow: the store remembers, so that `policy lint` can say which were forgotten there."""

import logging
from collections.abc import Iterator, Mapping
from itertools import chain

import orjson

from agen_authz.adapters.store import peek
from agen_authz.app.place import read_url
from agen_authz.config import Config
from agen_authz.config.sections.policies import Policy
from agen_authz.core.digest import fingerprint
from agen_authz.core.errors import Unavailable
from agen_authz.ports import Store

_LOG = logging.getLogger(__name__)
_PREFIX = "shadow:"
_DIGEST_CHARS = 16


async def note_shadow(config: Config, store: Store, now: float) -> None:
    """Remember since when policies are in shadow, and forget those that no longer are."""
    try:
        await store.remember_only(_PREFIX, dict.fromkeys(_names_of(config), repr(now)))
    except Unavailable:
        # Evidence for authors, nothing that a call depends on.
        _LOG.warning("the store is unavailable: `policy lint` cannot say since when policies are in shadow")


async def read_shadow(config: Config) -> Mapping[str, float]:
    """Read since when the policies of a file are in shadow, seconds since the epoch, by their names.

    The store that the file names is read as it is; if there is none, or a policy was never served, the time is not
    known.

    Raises:
        ConfigError: the store cannot be read.
    """
    names = _names_of(config)
    kept = await peek(read_url(config), _PREFIX) if names else {}
    return {names[key]: float(since) for key, since in kept.items() if key in names}


def _names_of(config: Config) -> Mapping[str, str]:
    return {_key_of(policy): policy.name for policy in _list_shadow(config)}


def _list_shadow(config: Config) -> Iterator[Policy]:
    tenants = chain.from_iterable(tenant.policies for tenant in (config.tenants or {}).values())
    return (policy for policy in chain(config.policies, tenants) if policy.state == "shadow")


def _key_of(policy: Policy) -> str:
    # The time of a policy that was rewritten starts again.
    written = policy.model_dump(mode="json", exclude={"state"})
    return f"{_PREFIX}{policy.name}:{fingerprint(orjson.dumps(written))[:_DIGEST_CHARS]}"
