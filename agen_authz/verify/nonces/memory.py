"""Nonces in the memory of one process, and what every store of them does."""

import threading
from typing import Protocol


class NonceStore(Protocol):
    """Remembers nonces until their signatures have expired.

    A store that cannot answer raises whatever it met: the request is then not let through.
    """

    # Whether `spend` waits for a disk or a network: asynchronous callers then ask it in a thread.
    is_blocking: bool

    def spend(self, nonce: str, *, until: float, now: float) -> bool:
        """Remember a nonce; False if it was seen before. Atomic among all who share the store.

        Args:
            until: when the signature stops being good, seconds since 1970 by this machine's clock.
        """
        ...


class MemoryNonces:
    """Nonces in memory: for a backend that is one process. Replicas and worker processes need a shared store.

    Args:
        capacity: at most so many nonces are remembered, about 200 bytes each; beyond it requests are refused.
    """

    is_blocking = False

    def __init__(self, capacity: int = 1_000_000) -> None:
        self._until: dict[str, float] = {}
        self._capacity = capacity
        self._lock = threading.Lock()
        # Nothing that was good until then is remembered any longer: a clock that was set back finds it out.
        self._forgotten = float("-inf")

    def spend(self, nonce: str, *, until: float, now: float) -> bool:
        """Remember a nonce; False if it was seen before, might have been, or no more can be remembered."""
        with self._lock:
            self._forget(now)
            if nonce in self._until or until <= self._forgotten or len(self._until) >= self._capacity:
                return False
            self._until[nonce] = until
            return True

    def _forget(self, now: float) -> None:
        # In the order they came, which is nearly that in which they expire.
        while self._until:
            nonce = next(iter(self._until))
            until = self._until[nonce]
            if until >= now:
                return
            del self._until[nonce]
            self._forgotten = max(self._forgotten, until)
