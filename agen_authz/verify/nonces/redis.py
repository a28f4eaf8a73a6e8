"""Nonces in Redis, or in whatever speaks its protocol: Valkey, KeyDB, a cluster."""

from typing import Any

# Kept longer than needed: a clock that was set back by less finds nothing that may be replayed.
_KEEP_S = 3600


class RedisNonces:
    """Nonces in Redis: for a backend of several replicas.

    Redis must not evict keys (`maxmemory-policy noeviction`): an evicted nonce could be used again.

    Args:
        client: of the library `redis`, synchronous, with `socket_timeout` set.
        prefix: what the keys begin with.
    """

    is_blocking = True

    def __init__(self, client: Any, prefix: str = "agen-nonce:") -> None:
        self._client = client
        self._prefix = prefix

    def spend(self, nonce: str, *, until: float, now: float) -> bool:
        """Remember a nonce; False if it was seen before, by any process that shares the server."""
        keep_s = max(1, int(until - now) + 1) + _KEEP_S
        return self._client.set(f"{self._prefix}{nonce}", b"1", nx=True, ex=keep_s) is True
