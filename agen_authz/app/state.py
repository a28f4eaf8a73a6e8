"""What the store holds for the sidecar: which basis its rules have, and the key of digests."""

import hmac
from dataclasses import dataclass

from agen_authz.adapters.store import migrate, open_store
from agen_authz.config import Loaded
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.ports import Entropy, Store

DEFAULT_URL = "sqlite:////var/lib/agen/agen.db"
_KEY_BYTES = 32
# `limits.store_timeout` bounds calls. To open a database takes what the machine takes, and nobody waits for it yet.
_START_S = 10.0
_MAPPING, _DIGEST_KEY = "access.mapping", "digest_key"
_DIGEST_LABEL = b"agen.digest"


@dataclass(frozen=True, slots=True)
class State:
    """An open store, and what was read from it."""

    store: Store
    digest_key: bytes


async def open_state(loaded: Loaded, entropy: Entropy) -> State:
    """Open the store, bring it to this version, and check that it was made for this configuration.

    Raises:
        ConfigError: the store cannot be used, or remembers another `access.mapping`.
    """
    config = loaded.config
    url = config.store.url or DEFAULT_URL
    await migrate(url)
    starting = open_store(url, timeout_s=_START_S)
    fresh = {_MAPPING: config.access.mapping, _DIGEST_KEY: entropy.draw(_KEY_BYTES).hex()}
    try:
        kept = await starting.remember(fresh)
    except Unavailable as exc:
        message = f"the store does not answer within {_START_S:g} seconds"
        raise _refuse(loaded, "store.url", message, "see that the file can be written") from exc
    finally:
        await starting.close()
    if kept[_MAPPING] != config.access.mapping:
        message = f"this store was made for `{kept[_MAPPING]}`, and the mapping is permanent"
        cure = f"set `mapping: {kept[_MAPPING]}`, or review every rule and start with a new store (`store.url`)"
        raise _refuse(loaded, "access.mapping", message, cure)
    store = open_store(url, timeout_s=config.limits.store_timeout)
    return State(store, _derive_digest_key(loaded, bytes.fromhex(kept[_DIGEST_KEY])))


async def migrate_state(loaded: Loaded) -> list[str]:
    """Bring the store to this version; return the steps that were taken.

    Raises:
        ConfigError: the store cannot be used.
    """
    return await migrate(loaded.config.store.url or DEFAULT_URL)


def _derive_digest_key(loaded: Loaded, kept: bytes) -> bytes:
    # Where the store is encrypted its key is the operators' own; digests then compare across stores.
    own = loaded.secrets.store_key
    return kept if own is None else hmac.digest(own, _DIGEST_LABEL, "sha256")


def _refuse(loaded: Loaded, path: str, message: str, cure: str) -> ConfigError:
    return ConfigError((Problem(str(loaded.file), loaded.line_of(*path.split(".")), path, message, cure),))
