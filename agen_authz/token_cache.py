"""Verified tokens that are remembered: bounded in number and in bytes; expired ones are removed."""

import heapq
from collections import OrderedDict
from dataclasses import dataclass
from sys import getsizeof
from threading import Lock

from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.identity.rendered import RenderedPrincipal
from agen_authz.core.identity.token import VerifiedToken
from agen_authz.core.model import Provider

# What an entry takes besides its texts: objects, slots of lists, its place in the table; measured.
_ENTRY_BYTES = 2048
_MIN_QUEUE = 64


@dataclass(frozen=True, slots=True)
class Vouched:
    """A token that `key` of `provider` verified; good only while that key is published."""

    provider: Provider
    key: PublicKey
    algorithm: str
    token: VerifiedToken
    rendered: RenderedPrincipal

    @property
    def ends(self) -> float:
        """When it can no longer be used, in seconds since the epoch."""
        return self.token.principal.expires + self.provider.leeway_s


class TokenCache:
    """Verified tokens by the SHA-256 of the header that brought them; the oldest is removed first.

    An entry says that signature and key were good, and nothing about where or when the token may be used.
    """

    def __init__(self, limit: int, limit_bytes: int) -> None:
        self._limit, self._limit_bytes = limit, limit_bytes
        self._entries: OrderedDict[bytes, tuple[Vouched, int]] = OrderedDict()
        self._ends: list[tuple[float, bytes]] = []
        self._lock = Lock()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, digest: bytes) -> Vouched | None:
        """Find what is known of a token."""
        entry = self._entries.get(digest)
        return None if entry is None else entry[0]

    def keep(self, digest: bytes, vouched: Vouched, now: float) -> None:
        """Remember a verified token; remove expired ones, and the oldest if room is needed."""
        weight = weigh(vouched)
        with self._lock:
            self._drop(digest)
            while self._ends and self._ends[0][0] <= now:
                self._drop(heapq.heappop(self._ends)[1])
            if vouched.ends <= now:
                return
            self._entries[digest] = (vouched, weight)
            self.held_bytes += weight
            heapq.heappush(self._ends, (vouched.ends, digest))
            while len(self._entries) > self._limit or self.held_bytes > self._limit_bytes:
                self._drop(next(iter(self._entries)))
            self._tidy()

    def forget(self, digest: bytes) -> None:
        """Forget a token whose key is gone."""
        with self._lock:
            self._drop(digest)

    def _drop(self, digest: bytes) -> None:
        dropped = self._entries.pop(digest, None)
        if dropped is not None:
            self.held_bytes -= dropped[1]

    def _tidy(self) -> None:
        # Entries that left before they expired are still in the queue: it must not grow beyond the table.
        if len(self._ends) > 2 * len(self._entries) + _MIN_QUEUE:
            self._ends = [(vouched.ends, digest) for digest, (vouched, _) in self._entries.items()]
            heapq.heapify(self._ends)


def weigh(vouched: Vouched) -> int:
    """Estimate how many bytes an entry takes, from above."""
    rendered, principal = vouched.rendered, vouched.rendered.principal
    rendered_bytes = len(rendered.headers) + getsizeof(rendered.lines) + rendered.event_bytes
    lists = (principal.roles, principal.permissions, principal.groups or (), principal.scopes, principal.amr or ())
    texts = sum(getsizeof(text) + 8 for names in (*lists, vouched.token.audiences) for text in names)
    return _ENTRY_BYTES + rendered_bytes + texts + _weigh_claims(principal.claims)


def _weigh_claims(claims: object) -> int:
    total, pending = 0, [claims]
    while pending:
        value = pending.pop()
        total += getsizeof(value)
        if isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return total
