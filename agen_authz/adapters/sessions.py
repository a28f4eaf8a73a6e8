"""Whom legacy sessions belong to, in memory: bounded in all and for each owner."""

from collections import OrderedDict
from threading import Lock

from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Owner, SessionId
from agen_authz.core.reason import Reason

_MIN_SHARE = 64


class MemorySessions:
    """A table of sessions; calls may come from several threads.

    One owner holds at most a hundredth of the table (64 sessions in a small one), so that no flood of ids can
    push other callers out; an owner's oldest session makes room for its new one.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = min(limit, max(_MIN_SHARE, limit // 100))
        self._owners: dict[tuple[str, SessionId], Owner] = {}
        self._by_owner: dict[Owner, OrderedDict[tuple[str, SessionId], None]] = {}
        self._lock = Lock()

    def find_owner(self, server: str, session_id: SessionId) -> Owner | None:
        """Find the owner; `ports.SessionTable.find_owner`."""
        return self._owners.get((server, session_id))

    def bind(self, server: str, session_id: SessionId, owner: Owner) -> bool:
        """Bind in one step; `ports.SessionTable.bind`."""
        key = (server, session_id)
        with self._lock:
            known = self._owners.get(key)
            if known is not None:
                return known == owner
            held = self._by_owner.get(owner, OrderedDict())
            if len(held) >= self._share or len(self._owners) >= self._limit:
                self._forget_oldest(held)
            self._by_owner[owner] = held
            held[key] = None
            self._owners[key] = owner
            return True

    def _forget_oldest(self, held: OrderedDict[tuple[str, SessionId], None]) -> None:
        if not held:
            raise Unavailable(Reason.SESSIONS_FULL, "sessions")
        oldest, _ = held.popitem(last=False)
        del self._owners[oldest]
