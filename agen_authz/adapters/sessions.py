"""Whom legacy sessions belong to, in memory: bounded in all and for each owner."""

import string
from collections import OrderedDict
from threading import Lock

from agen_authz.core.errors import Unavailable
from agen_authz.core.model import NOBODY, Owner, SessionId
from agen_authz.core.reason import Reason

_MIN_SHARE = 64
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase, string.punctuation)


class MemorySessions:
    """A table of sessions; calls may come from several threads.

    An id belongs to one server: where two resources lead to one backend, it is one session there. Ids that differ
    in case or punctuation only are one: a backend may read them as UUIDs, or in a database that ignores case.

    One owner holds at most a hundredth of the table (64 sessions in a small one), so that no flood of ids can
    push other callers out; the session that an owner has not used for longest makes room for its new one.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = min(limit, max(_MIN_SHARE, limit // 100))
        self._holders: dict[str, tuple[str, Owner]] = {}
        self._by_owner: dict[Owner, OrderedDict[str, None]] = {}
        self._lock = Lock()

    def find_owner(self, server: str, session_id: SessionId) -> Owner | None:
        """Find the owner; `ports.SessionTable.find_owner`."""
        key = session_id.translate(_FOLD)
        with self._lock:
            known = self._holders.get(key)
            if known is None:
                return None
            home, owner = known
            self._by_owner[owner].move_to_end(key)
        return owner if home == server else NOBODY

    def bind(self, server: str, session_id: SessionId, owner: Owner) -> bool:
        """Bind in one step; `ports.SessionTable.bind`."""
        key = session_id.translate(_FOLD)
        with self._lock:
            known = self._holders.get(key)
            if known is not None:
                return known == (server, owner)
            held = self._by_owner.get(owner, OrderedDict())
            if len(held) >= self._share or len(self._holders) >= self._limit:
                self._forget_oldest(held)
            self._by_owner[owner] = held
            held[key] = None
            self._holders[key] = (server, owner)
            return True

    def _forget_oldest(self, held: OrderedDict[str, None]) -> None:
        if not held:
            raise Unavailable(Reason.SESSIONS_FULL, "sessions")
        oldest, _ = held.popitem(last=False)
        del self._holders[oldest]
