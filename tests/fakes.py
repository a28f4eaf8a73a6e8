"""The ports in memory: each passes the contract suite of its port (tests/adapters/test_contract_*.py)."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any, Self

from msgspec import structs

from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.model import TASK_KEPT_S, BoundTask, Digest, Matched
from agen_authz.core.pinning.catalogue import Sighting
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.pinning.pin import Kept, KeptTool
from agen_authz.core.pinning.record import (
    MAX_BYTES_OF_SERVER,
    MAX_OF_SERVER,
    MAX_OF_TOOL,
    SETTLED_S,
    Action,
    Listing,
    Noted,
    PinRecord,
)
from agen_authz.core.reason import Reason
from agen_authz.core.response.step import ResponseOutcome


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
    """Replaces `asyncio.sleep`: a sleeper sleeps until the test wakes it."""

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
        self.unmapped: dict[str, int] = {}
        self.waits: list[tuple[str, float]] = []

    def count_decision(self, decision: str, reason: Reason, server: str, seconds: float) -> None:
        self.counts["agen_decisions_total", decision, reason.value, server] += 1
        self.decisions.append((decision, reason.value, server))
        self.seconds.append((server, seconds))

    def count_matches(self, matched: tuple[Matched, ...]) -> None:
        self.matched.extend(matched)
        for each in matched:
            self.counts["agen_policy_matches_total", each.policy, each.effect.value, each.state.value] += 1

    def count_approval(self, flow: str, event: str) -> None:
        self.counts["agen_approvals_total", flow, event] += 1

    def time_approval(self, flow: str, seconds: float) -> None:
        self.waits.append((flow, seconds))

    def count_notification(self, occasion: str, outcome: str) -> None:
        self.counts["agen_notifications_total", occasion, outcome] += 1

    def count_defect(self, task: str) -> None:
        self.counts["agen_task_defects_total", task] += 1

    def count_audit_event(self, sink: str, outcome: str) -> None:
        self.counts["agen_audit_events_total", sink, outcome] += 1

    def count_response(self, server: str, outcome: ResponseOutcome) -> None:
        self.counts["agen_responses_total", outcome.value, server] += 1

    def count_unread(self, server: str) -> None:
        self.counts["agen_responses_unread_total", server] += 1

    def count_masked(self, detector: str, style: str, server: str, count: int) -> None:
        self.counts["agen_masked_total", detector, style, server] += count

    def count_masked_shadow(self, detector: str, style: str, server: str, count: int) -> None:
        self.counts["agen_masked_shadow_total", detector, style, server] += count

    def count_masking_incomplete(self, server: str, count: int) -> None:
        self.counts["agen_masking_incomplete_total", server] += count

    def count_unruled(self, detector: str, server: str, count: int) -> None:
        self.counts["agen_unruled_total", detector, server] += count

    def count_copy(self, server: str, outcome: str) -> None:
        self.counts["agen_response_copies_total", server, outcome] += 1

    def count_jwks_refresh(self, provider: str, outcome: str) -> None:
        self.counts["agen_jwks_refresh_total", provider, outcome] += 1

    def count_tool_drift(self, server: str, kind: str, count: int = 1) -> None:
        self.counts["agen_tool_drift_total", server, kind] += count

    def set_tools_unmapped(self, server: str, count: int) -> None:
        self.unmapped[server] = count


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


class MemoryTasks:
    """Bound tasks in a dictionary; like a database, only on an event loop. A broken one does not answer."""

    def __init__(self, limit: int = 1000) -> None:
        self.is_broken = False
        self._limit = limit
        self._bound: dict[tuple[str, str], tuple[BoundTask, float]] = {}

    async def bind(self, server: str, task_id: str, task: BoundTask, now: float) -> bool:
        if await self.find(server, task_id, now) not in (None, task):
            return False
        self._bound[server, task_id] = (task, now)
        if len(self._bound) > self._limit:
            counts = Counter(each.owner for each, _ in self._bound.values())
            (most, _), *_ = counts.most_common(1)
            held = [(at, key) for key, (each, at) in self._bound.items() if each.owner == most]
            del self._bound[min(held)[1]]
        return True

    async def find(self, server: str, task_id: str, now: float) -> BoundTask | None:
        asyncio.get_running_loop()
        if self.is_broken:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store")
        task, bound_at = self._bound.get((server, task_id), (None, 0.0))
        return task if bound_at > now - TASK_KEPT_S else None


class MemoryCatalogue:
    """Definitions of tools in dictionaries; a broken one does not answer."""

    def __init__(self) -> None:
        self.is_broken = False
        self.listed = 0
        self.noted: list[tuple[str, int]] = []
        self._version = 0
        self._kept: dict[tuple[str, str], dict[Digest, tuple[Kept, int]]] = {}
        self._last: dict[tuple[str, str], tuple[Digest, float]] = {}
        self._records: dict[int, PinRecord] = {}
        self._told: set[int] = set()

    def _answer(self) -> None:
        if self.is_broken:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store")

    async def read_version(self) -> int:
        self._answer()
        return self._version

    async def list_tools(self, known: Mapping[Digest, Definition]) -> Listing:
        self._answer()
        self.listed += 1
        tools = []
        for key in sorted(self._last):
            definitions = sorted((each for each, _ in self._kept[key].values()), key=lambda k: (k.first_seen, k.digest))
            tools.append(KeptTool(*key, *self._last[key], tuple(definitions)))
        return Listing(self._version, tuple(tools))

    async def note_seen(self, server: str, sightings: Collection[Sighting], now: float) -> Noted:
        self._answer()
        self.noted.append((server, len(sightings)))
        new, changed = set(), False
        for each in {each.name: each for each in sightings}.values():
            key = (server, each.name)
            held = self._kept.setdefault(key, {})
            if each.digest not in held:
                definition = None if each.text is None else json.loads(each.text)
                held[each.digest] = Kept(each.digest, now, now, definition), len(each.text or "")
                new.add((each.name, each.digest))
            kept, size = held[each.digest]
            if kept.last_seen <= now - SETTLED_S:
                held[each.digest], changed = (structs.replace(kept, last_seen=now), size), True
            last = self._last.get(key)
            if last is None or last[0] != each.digest or last[1] <= now - SETTLED_S:
                self._last[key], changed = (each.digest, now), True
        pushed_out = self._push_out(server) if new else 0
        self._version += bool(new) or changed
        return Noted(frozenset(new), pushed_out)

    def _push_out(self, server: str) -> int:
        rows = [
            (-kept.last_seen, -kept.first_seen, name, digest, size)
            for (home, name), held in self._kept.items()
            for digest, (kept, size) in held.items()
            if home == server and not kept.is_approved
        ]
        of_tool: Counter[str] = Counter()
        surplus, total = [], 0
        for at, (_, _, name, digest, size) in enumerate(sorted(rows)):
            of_tool[name] += 1
            total += size
            if of_tool[name] > MAX_OF_TOOL or at >= MAX_OF_SERVER or total > MAX_BYTES_OF_SERVER:
                surplus.append((name, digest))
        for name, digest in surplus:
            del self._kept[server, name][digest]
        self._drop_empty()
        return len(surplus)

    def _drop_empty(self) -> None:
        for key in [key for key, held in self._kept.items() if not held]:
            del self._kept[key], self._last[key]

    async def approve(self, server: str, name: str, digest: Digest, by: str, now: float) -> bool:
        kept = self._find(server, name, digest)
        if kept is None or kept.is_approved or kept.definition is None:
            return False
        return self._change(server, name, structs.replace(kept, approved_at=now, approved_by=by), by, now)

    async def withdraw(self, server: str, name: str, digest: Digest, by: str, now: float) -> bool:
        kept = self._find(server, name, digest)
        if kept is None or not kept.is_approved:
            return False
        return self._change(server, name, structs.replace(kept, approved_at=None, approved_by=""), by, now)

    async def forget(self, server: str, name: str, by: str, now: float) -> bool:
        self._answer()
        if (server, name) not in self._kept:
            return False
        self._kept[server, name].clear()
        self._drop_empty()
        self._record(Action.FORGET, server, name, Digest(""), (by, now))
        return True

    def _find(self, server: str, name: str, digest: Digest) -> Kept | None:
        self._answer()
        return self._kept.get((server, name), {}).get(digest, (None, 0))[0]

    def _change(self, server: str, name: str, kept: Kept, by: str, now: float) -> bool:
        held = self._kept[server, name]
        held[kept.digest] = kept, held[kept.digest][1]
        action = Action.APPROVE if kept.is_approved else Action.WITHDRAW
        self._record(action, server, name, kept.digest, (by, now))
        return True

    def _record(self, action: Action, server: str, name: str, digest: Digest, did: tuple[str, float]) -> None:
        number = len(self._records) + 1
        self._records[number] = PinRecord(number, did[1], action, did[0], server, name, digest)
        self._version += 1

    async def list_untold(self) -> tuple[PinRecord, ...]:
        self._answer()
        return tuple(each for number, each in self._records.items() if number not in self._told)[:100]

    async def mark_told(self, ids: Collection[int]) -> None:
        self._answer()
        self._told.update(ids)
