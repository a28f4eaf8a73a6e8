"""What the store holds for the sidecar: which basis its rules have, and the key of digests."""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.adapters.clock import SystemEntropy
from agen_authz.adapters.store import (
    KeptCipher,
    SqlApprovals,
    SqlCatalogue,
    SqlOutbox,
    SqlSessions,
    SqlTasks,
    migrate,
    open_store,
)
from agen_authz.app.cut import note_end
from agen_authz.app.place import DEFAULT_FOLDER, find_url, is_default, read_url
from agen_authz.config import Loaded
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.ports import CatalogueStore, Entropy, Store, TaskStore
from agen_authz.ports.approval import ApprovalStore, Outbox, SessionStore

_KEY_BYTES = 32
# `limits.store_timeout` bounds calls. Opening a database takes as long as the machine needs, and no call waits for
# it yet.
_START_S = 10.0
# Under which names the store keeps them.
MAPPING_NAME, _DIGEST_KEY = "access.mapping", "digest_key"
_DIGEST_LABEL = b"agen.digest"


@dataclass(frozen=True, slots=True)
class OpenStore:
    """An open store, its tables, and what was read from it."""

    store: Store
    catalogue: CatalogueStore
    tasks: TaskStore
    approvals: ApprovalStore
    outbox: Outbox
    sessions: SessionStore
    digest_key: bytes


async def open_state(loaded: Loaded, entropy: Entropy) -> OpenStore:
    """Open the store, bring it to this version, and check that it was made for this configuration.

    Raises:
        ConfigError: the store cannot be used, or remembers another `access.mapping`.
    """
    config = loaded.config
    url = find_url(loaded)
    _make_folder(loaded)
    await migrate(url)
    starting = open_store(url, timeout_s=_START_S)
    fresh = {MAPPING_NAME: config.access.mapping, _DIGEST_KEY: entropy.draw(_KEY_BYTES).hex()}
    try:
        kept = await starting.remember(fresh)
        await note_end(loaded, starting)
    except Unavailable as exc:
        message = f"the store does not answer within {_START_S:g} seconds"
        raise _refuse(loaded, "store.url", message, "see that it can be reached and written") from exc
    finally:
        await starting.close()
    if kept[MAPPING_NAME] != config.access.mapping:
        raise ConfigError((refuse_mapping(loaded, kept[MAPPING_NAME]),))
    return _open(loaded, kept)


async def join_state(loaded: Loaded) -> OpenStore:
    """Open the store that `open_state` has made ready in another process; nothing is written.

    Raises:
        ConfigError: the store cannot be used, or was not made ready.
    """
    store = open_store(find_url(loaded), timeout_s=_START_S)
    try:
        kept = await store.recall((_DIGEST_KEY,))
    except Unavailable as exc:
        await store.close()
        message = f"the store does not answer within {_START_S:g} seconds"
        raise _refuse(loaded, "store.url", message, "see that it can be reached and read") from exc
    await store.close()
    if _DIGEST_KEY not in kept:
        raise _refuse(loaded, "store.url", "the store was not made ready", "see that no program removes it")
    return _open(loaded, kept)


def _open(loaded: Loaded, kept: Mapping[str, str]) -> OpenStore:
    limits = loaded.config.limits
    store = open_store(find_url(loaded), timeout_s=limits.store_timeout)
    digest_key = _derive_digest_key(loaded, bytes.fromhex(kept[_DIGEST_KEY]))
    cipher = KeptCipher(loaded.secrets.store_key, SystemEntropy().draw)
    return OpenStore(
        store=store,
        catalogue=SqlCatalogue(store),
        tasks=SqlTasks(store, limits.sessions),
        approvals=SqlApprovals(store, cipher),
        outbox=SqlOutbox(store),
        sessions=SqlSessions(store),
        digest_key=digest_key,
    )


def refuse_mapping(loaded: Loaded, kept: str) -> Problem:
    """Build the problem of a configuration whose `access.mapping` is not the one that the store was made for."""
    message = f"this store was made for `{kept}`, and the mapping is permanent"
    cure = f"set `mapping: {kept}`, or review every rule and start with a new store (`store.url`)"
    return _problem(loaded, MAPPING_NAME, message, cure)


def may_make_folder() -> bool:
    """True if the default store's folder is missing and `serve` can make it."""
    folder = DEFAULT_FOLDER
    return not folder.exists() and folder.parent.is_dir() and os.access(folder.parent, os.W_OK | os.X_OK)


def _make_folder(loaded: Loaded) -> None:
    # Only the default one: a folder that the file names may be misspelt.
    if is_default(loaded.config) and may_make_folder():
        DEFAULT_FOLDER.mkdir(mode=0o700, exist_ok=True)


async def migrate_state(loaded: Loaded) -> list[str]:
    """Bring the store to this version; return the steps that were taken.

    Raises:
        ConfigError: the store cannot be used.
    """
    _make_folder(loaded)
    return await migrate(read_url(loaded.config))


def _derive_digest_key(loaded: Loaded, kept: bytes) -> bytes:
    # If the store is encrypted, operators choose its key; digests can then be compared across stores.
    own = loaded.secrets.store_key
    return kept if own is None else hmac.digest(own, _DIGEST_LABEL, "sha256")


def _refuse(loaded: Loaded, path: str, message: str, cure: str) -> ConfigError:
    return ConfigError((_problem(loaded, path, message, cure),))


def _problem(loaded: Loaded, path: str, message: str, cure: str) -> Problem:
    return Problem(str(loaded.file), loaded.line_of(*path.split(".")), path, message, cure)
