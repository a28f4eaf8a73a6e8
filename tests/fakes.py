"""The ports in memory: each passes the contract suite of its port (tests/adapters/test_contract_*.py)."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any, Self

from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.model import NOBODY, Matched, Owner, SessionId
from agen_authz.core.reason import Reason


class FakeClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: float = 1_800_000_000.0, elapsed: float = 1000.0) -> None:
        self._now = now
        self._elapsed = elapsed

    def now(self) -> float:
        return self._now

    def elapsed(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._elapsed += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator does."""
        self._now += seconds


class Naps:
    """Stands in for `asyncio.sleep`: a sleeper sleeps until the test wakes it."""

    def __init__(self) -> None:
        self._begun: asyncio.Queue[tuple[float, asyncio.Future[None]]] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._begun.put_nowait((seconds, woken))
        await woken

    async def next(self) -> tuple[float, "asyncio.Future[None]"]:
        """Wait until somebody sleeps; return for how long, and what wakes them."""
        return await self._begun.get()


class SeqEntropy:
    """Random values that are 1, 2, 3."""

    def __init__(self) -> None:
        self.drawn = 0

    def draw(self, size_bytes: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(size_bytes, "big")


class MemoryKeys:
    """Keys that are published and keys that are known; a provider may be down."""

    def __init__(self, *providers: str) -> None:
        self.published: dict[str, tuple[PublicKey, ...]] = dict.fromkeys(providers, ())
        self.known: dict[str, tuple[PublicKey, ...]] = dict.fromkeys(providers, ())
        self.down: set[str] = set()
        self.exhausted: set[str] = set()

    @classmethod
    def holding(cls, **keys: Iterable[PublicKey]) -> Self:
        """Have keys by provider that are published and known."""
        held = cls(*keys)
        for provider, each in keys.items():
            held.hold(provider, *each)
        return held

    def hold(self, provider: str, *keys: PublicKey) -> None:
        """Publish these keys of a provider and no others, and know them at once."""
        self.published[provider] = self.known[provider] = keys

    def find_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        fitting = [key for key in self.known[provider] if key.kid == kid and algorithm in key.algorithms]
        return fitting[0] if len(fitting) == 1 else None

    async def fetch_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        key = self.find_key(provider, kid, algorithm)
        if key is None and provider in self.exhausted:
            raise Unavailable(Reason.KEY_UNSETTLED, provider)
        if provider not in self.down:
            self.known[provider] = self.published[provider]
            key = self.find_key(provider, kid, algorithm)
        if key is None and provider in self.down:
            raise Unavailable(Reason.PROVIDER_UNAVAILABLE, provider)
        return key


class DictSessions:
    """Sessions in dictionaries, the last used last: so many and no more, and a mark for what has left."""

    DAY_S, HOUR_S = 86400.0, 3600.0

    def __init__(self, limit: int, clock: FakeClock) -> None:
        self._limit, self._clock = limit, clock
        self._open: dict[str, tuple[str, Owner, float]] = {}
        self._marked: dict[str, tuple[str, Owner, float]] = {}
        self.ended: list[tuple[str, SessionId, Owner]] = []

    @property
    def owners(self) -> dict[tuple[str, str], Owner]:
        """The owners of open sessions, by server and session."""
        return {(home, key): owner for key, (home, owner, _) in self._open.items()}

    def find_owner(self, server: str, session_id: SessionId) -> Owner | None:
        found = self._use(_fold(session_id))
        if found is None:
            return None
        return found[1] if found[0] == server else NOBODY

    def bind(self, server: str, session_id: SessionId, owner: Owner) -> bool:
        key = _fold(session_id)
        known = self._use(key)
        if known is not None:
            return known == (server, owner)
        pushed = self._choose(self._open, owner)
        if pushed is not None:
            self._mark(pushed)
        self._open[key] = (server, owner, self._clock.elapsed())
        return True

    def end(self, server: str, session_id: SessionId, owner: Owner) -> None:
        key = _fold(session_id)
        self.ended.append((server, session_id, owner))
        if self._use(key) == (server, owner) and key in self._open:
            self._mark(key)

    def _use(self, key: str) -> tuple[str, Owner] | None:
        now = self._clock.elapsed()
        for held, idle_s in ((self._open, self.DAY_S), (self._marked, self.HOUR_S)):
            for idle in [each for each, (_, _, used) in held.items() if now - used >= idle_s]:
                del held[idle]
        for held in (self._open, self._marked):
            if key in held:
                home, owner, _ = held.pop(key)
                held[key] = (home, owner, now)
                return home, owner
        return None

    def _mark(self, key: str) -> None:
        home, owner, _ = self._open.pop(key)
        pushed = self._choose(self._marked, owner)
        if pushed is not None:
            del self._marked[pushed]
        self._marked[key] = (home, owner, self._clock.elapsed())

    def _choose(self, held: dict[str, tuple[str, Owner, float]], owner: Owner) -> str | None:
        if len(held) < self._limit:
            return None
        counts = Counter(holder for _, holder, _ in held.values())
        most = {holder for holder, count in counts.items() if count == max(counts.values())}
        givers = {owner} if owner in most else most
        return next(key for key, (_, holder, _) in held.items() if holder in givers)


def _fold(session_id: SessionId) -> str:
    return "".join(each for each in session_id.lower() if each.isalnum())


class ListSink:
    """Events in a list; a broken one takes none, a full one none yet, and one that others wait for only in turn."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.waited: list[Hashable] = []
        self.is_broken = False
        self.is_full = False
        # Room comes in turn only.
        self.others_wait = False

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was written, read again."""
        return [json.loads(line) for line in self.lines]

    def emit(self, line: bytes) -> bool:
        return not self.others_wait and self._write(line)

    async def emit_in_turn(self, line: bytes, owner: Hashable) -> None:
        self.waited.append(owner)
        while not self._write(line):
            await asyncio.sleep(0)

    def _write(self, line: bytes) -> bool:
        if self.is_broken:
            raise Unavailable(Reason.AUDIT_UNAVAILABLE, "list")
        if not self.is_full:
            self.lines.append(line)
        return not self.is_full


class CountingMetrics:
    """Counts by metric and labels."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.decisions: list[tuple[str, str, str]] = []
        self.matched: list[Matched] = []
        self.seconds: list[tuple[str, float]] = []

    def count_decision(self, decision: str, reason: Reason, server: str, seconds: float) -> None:
        self.counts["agen_decisions_total", decision, reason.value, server] += 1
        self.decisions.append((decision, reason.value, server))
        self.seconds.append((server, seconds))

    def count_matches(self, matched: tuple[Matched, ...]) -> None:
        self.matched.extend(matched)
        for each in matched:
            self.counts["agen_policy_matches_total", each.policy, each.effect.value, each.state.value] += 1

    def count_audit_event(self, sink: str, outcome: str) -> None:
        self.counts["agen_audit_events_total", sink, outcome] += 1

    def count_jwks_refresh(self, provider: str, outcome: str) -> None:
        self.counts["agen_jwks_refresh_total", provider, outcome] += 1


class MemoryStore:
    """Kept values in a dictionary; a broken one does not answer."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.is_broken = False

    async def remember(self, defaults: Mapping[str, str]) -> Mapping[str, str]:
        if self.is_broken:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store")
        for name, value in defaults.items():
            self.kept.setdefault(name, value)
        return {name: self.kept[name] for name in defaults}

    async def remember_only(self, prefix: str, defaults: Mapping[str, str]) -> Mapping[str, str]:
        kept = await self.remember(defaults)
        for name in [each for each in self.kept if each.startswith(prefix) and each not in defaults]:
            del self.kept[name]
        return kept

    async def recall(self, names: Collection[str]) -> Mapping[str, str]:
        if self.is_broken:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store")
        return {name: self.kept[name] for name in names if name in self.kept}

    async def close(self) -> None:
        """There is nothing to let go of."""
