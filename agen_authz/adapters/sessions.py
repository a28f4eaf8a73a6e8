"""Owners of legacy sessions, in memory: bounded in total and for each owner, and always open to new callers."""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from agen_authz.core.model import NOBODY, Owner, SessionId
from agen_authz.core.twin import fold_session
from agen_authz.ports import Clock

_MIN_SHARE = 64
# A client does not come back to a session after a day.
_UNUSED_S = 24 * 3600.0
# How long an id that was ended or pushed out stays its owner's, counted from its last use.
_MARKED_S = 3600.0


class Entry(NamedTuple):
    """The owner of a session, its server, and when it was last used (`Clock.elapsed`)."""

    server: str
    owner: Owner
    used: float


class Shelf:
    """Entries by key, the least recently used first: the caller with the most entries loses one if there is no room.

    One owner holds at most a hundredth of the shelf (64 entries in a small one). In a full one the entry that the
    owner of most has not used for longest goes, so that everybody gets in and no flood of ids takes another's.
    """

    def __init__(self, limit: int, idle_s: float) -> None:
        self._limit = limit
        self._share = min(limit, max(_MIN_SHARE, limit // 100))
        self._idle_s = idle_s
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._by_owner: dict[Owner, OrderedDict[str, None]] = {}
        # Owners by how many entries they hold.
        self._by_count: dict[int, dict[Owner, None]] = {}
        self._most = 0

    def __len__(self) -> int:
        return len(self._entries)

    def use(self, key: str, now: float) -> Entry | None:
        """Find an entry, and note that it was used."""
        self._drop_idle(now)
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries[key] = entry = entry._replace(used=now)
        self._entries.move_to_end(key)
        self._by_owner[entry.owner].move_to_end(key)
        return entry

    def put(self, key: str, entry: Entry) -> tuple[str, Entry] | None:
        """Add an entry; return the one that was removed for it, if any."""
        self._drop_idle(entry.used)
        held, pushed = self._by_owner.get(entry.owner, ()), None
        if len(held) >= self._share:
            pushed = next(iter(held))
        elif len(self._entries) >= self._limit:
            pushed = next(iter(self._by_owner[self._choose_owner(entry.owner)]))
        gone = None if pushed is None else (pushed, self.take(pushed))
        self._entries[key] = entry
        self._by_owner.setdefault(entry.owner, OrderedDict())[key] = None
        self._recount(entry.owner, len(self._by_owner[entry.owner]) - 1)
        return gone

    def _choose_owner(self, newcomer: Owner) -> Owner:
        # A caller who has as many as any other takes no entry from another caller.
        holders = self._by_count[self._most]
        return newcomer if newcomer in holders else next(iter(holders))

    def take(self, key: str) -> Entry:
        """Remove an entry that is there, and return it."""
        entry = self._entries.pop(key)
        held = self._by_owner[entry.owner]
        del held[key]
        self._recount(entry.owner, len(held) + 1)
        return entry

    def _recount(self, owner: Owner, before: int) -> None:
        held = len(self._by_owner[owner])
        if before:
            del self._by_count[before][owner]
            if not self._by_count[before]:
                del self._by_count[before]
        if held:
            self._by_count.setdefault(held, {})[owner] = None
        else:
            del self._by_owner[owner]
        # INVARIANT: a count changes by one, so below an emptied maximum is the next one.
        self._most = max(self._most, held) if self._most in self._by_count or held > before else held

    def _drop_idle(self, now: float) -> None:
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            if now - entry.used < self._idle_s:
                return
            self.take(key)


class MemorySessions:
    """A table of sessions; calls may come from several threads.

    An id belongs to one server: where two resources lead to one backend, it is one session there. Ids that differ
    in case or punctuation only are one: a backend may read them as UUIDs, or in a database that ignores case.

    What was ended or pushed out is marked: for an hour after its last use no other caller gets it.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._open = Shelf(limit, _UNUSED_S)
        self._marked = Shelf(limit, _MARKED_S)
        self._pushed_out = 0
        self._lock = Lock()

    def find_owner(self, server: str, session_id: SessionId) -> Owner | None:
        """Find the owner; `ports.SessionTable.find_owner`."""
        with self._lock:
            known = self._find(fold_session(session_id), self._clock.elapsed())
        if known is None:
            return None
        return known.owner if known.server == server else NOBODY

    def bind(self, server: str, session_id: SessionId, owner: Owner) -> bool:
        """Bind in one step; `ports.SessionTable.bind`."""
        key, now = fold_session(session_id), self._clock.elapsed()
        with self._lock:
            known = self._find(key, now)
            if known is not None:
                return (known.server, known.owner) == (server, owner)
            pushed = self._open.put(key, Entry(server, owner, now))
            if pushed is not None:
                self._pushed_out += 1
                self._mark(*pushed, now)
            return True

    def end(self, server: str, session_id: SessionId, owner: Owner) -> None:
        """Free the entry; `ports.SessionTable.end`."""
        key, now = fold_session(session_id), self._clock.elapsed()
        with self._lock:
            known = self._open.use(key, now)
            if known is not None and (known.server, known.owner) == (server, owner):
                self._mark(key, self._open.take(key), now)

    def count(self) -> dict[str, int]:
        """Count open sessions, reserved ids, and sessions that were removed to make room so far."""
        with self._lock:
            return {"open": len(self._open), "marked": len(self._marked), "pushed_out": self._pushed_out}

    def describe(self) -> str:
        """Say in a few words how full the table is."""
        counted = self.count()
        return f"{counted['open']} of {self._limit} held, {counted['pushed_out']} pushed out since the start"

    def _find(self, key: str, now: float) -> Entry | None:
        return self._open.use(key, now) or self._marked.use(key, now)

    def _mark(self, key: str, entry: Entry, now: float) -> None:
        self._marked.put(key, entry._replace(used=now))
