"""Calls race for grants in several processes, of which many are killed at random; then it is checked who got what.

1. A grant belongs to one call: the one that used it was allowed, or its process was killed while it was under way.
2. An allowed call has all its grants, and one that was killed has all of them or none.
3. A call that asked for one grant is denied only if another call has used it.
4. A grant that was used has one message, and any other has none.
"""

import sys
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Lock

from agen_authz.adapters.store import migrate, open_store
from agen_authz.core.approval.request import ApprovalRequest, Progress
from agen_authz.core.model import Digest
from agen_authz.ports.approval import Query
from tests.adapters.approval_rig import approved, asked, sql_ports
from tests.builders import NOW
from tests.stage.talk import talking

_ROOT = Path(__file__).parents[2]
_FOREVER = NOW + 1e9
_CHUNK = 100


@dataclass(frozen=True)
class Size:
    """How much races.

    Args:
        batch: so many calls are handed to a process; about every second process is killed before it is through.
    """

    calls: int
    grants: int
    processes: int
    batch: int
    seed: int = 1


@dataclass(frozen=True)
class Racing:
    """One call, and the bindings whose grants it needs."""

    number: int
    keys: tuple[Digest, ...]


@dataclass
class Told:
    """What processes have printed of calls, by their numbers; `killed` counts processes."""

    begun: set[int] = field(default_factory=set)
    allowed: set[int] = field(default_factory=set)
    denied: set[int] = field(default_factory=set)
    unavailable: set[int] = field(default_factory=set)
    killed: int = 0

    @property
    def ended(self) -> set[int]:
        """Calls that were answered."""
        return self.allowed | self.denied | self.unavailable

    @property
    def in_flight(self) -> set[int]:
        """Calls whose process was killed while they were under way."""
        return self.begun - self.ended


@dataclass(frozen=True)
class Outcome:
    """How a race ended: what was asked for, what was told, and what the store has."""

    calls: Sequence[Racing]
    told: Told
    kept: Sequence[ApprovalRequest]
    messages: Sequence[str]

    @property
    def used(self) -> int:
        """How many grants were used."""
        return sum(each.status is Progress.USED for each in self.kept)


async def prepare(url: str, grants: int) -> list[ApprovalRequest]:
    """Bring a store to this version, and let it have grants."""
    await migrate(url)
    store = open_store(url, 60.0)
    approvals, _, _ = sql_ports(store)
    made = [approved(f"call {at}", grant_until=_FOREVER) for at in range(grants)]
    for at in range(0, grants, _CHUNK):
        assert await approvals.open([asked(each) for each in made[at : at + _CHUNK]], grants, NOW)
    await store.close()
    return made


def draw_calls(made: Sequence[ApprovalRequest], size: Size) -> list[Racing]:
    """Let calls ask for one grant, or now and then for two; those that want the same are near each other."""
    random, calls = Random(size.seed), []  # noqa: S311 nothing here is a secret
    for number in range(size.calls):
        first = number * len(made) // size.calls
        second = random.randrange(max(0, first - 5), min(len(made), first + 5))
        wanted = {first, second} if random.random() < 0.2 else {first}
        keys = [made[at].key for at in wanted]
        random.shuffle(keys)
        calls.append(Racing(number, tuple(keys)))
    # What is handed out at about the same time is mixed, so that processes meet.
    window = size.processes * size.batch
    return sorted(calls, key=lambda each: (each.number // window, random.random()))


class Race:
    """Processes that take calls until none is left."""

    def __init__(self, url: str, calls: Iterable[Racing], size: Size, folder: Path) -> None:
        self.told = Told()
        self._url, self._size, self._folder = url, size, folder
        self._waiting, self._lock = deque(calls), Lock()

    def run(self) -> Told:
        """Race to the end."""
        lanes = range(self._size.processes)
        with ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(self._run_lane, lanes))
        return self.told

    def _run_lane(self, lane: int) -> None:
        random = Random(self._size.seed * 1000 + lane)  # noqa: S311 nothing here is a secret
        # The first one is killed early, whatever is drawn.
        kill_at = self._size.batch // 4
        while batch := self._take():
            self._run_process(lane, batch, kill_at)
            kill_at = random.randrange(2 * self._size.batch)

    def _take(self) -> list[Racing]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(self._size.batch, len(self._waiting)))]

    def _run_process(self, lane: int, batch: list[Racing], kill_at: int) -> None:
        """Hand calls to a new process, and kill it in flight after so many lines; what it has not begun is put back."""
        command = [sys.executable, "-m", "tests.chaos.worker", self._url]
        seen: list[list[str]] = []
        with talking(command, self._folder / f"lane-{lane}.log", cwd=_ROOT) as talk:
            lines = (" ".join((str(each.number), *each.keys)) for each in batch)
            talk.say(("\n".join(lines) + "\n\n").encode())
            for line in talk.read_lines():
                seen.append(line.split())
                # Right then calls are in flight: this one, and others of the same process.
                if len(seen) >= kill_at and seen[-1][0] == "begun":
                    talk.process.kill()
            code = talk.process.wait()
        assert code in (0, -9), (self._folder / f"lane-{lane}.log").read_text("utf-8")
        self._note(batch, seen, was_killed=code != 0)

    def _note(self, batch: list[Racing], seen: list[list[str]], *, was_killed: bool) -> None:
        with self._lock:
            for what, number in seen:
                getattr(self.told, what).add(int(number))
            self.told.killed += was_killed
            known = self.told.begun | self.told.ended
            self._waiting.extendleft(each for each in reversed(batch) if each.number not in known)


async def run_race(url: str, size: Size, folder: Path) -> Outcome:
    """Race on an empty store."""
    made = await prepare(url, size.grants)
    calls = draw_calls(made, size)
    told = Race(url, calls, size, folder).run()
    store = open_store(url, 60.0)
    approvals, outbox, _ = sql_ports(store)
    kept = await approvals.list(Query(limit=2 * size.grants))
    messages = await outbox.take(_FOREVER, 1.0, 2 * size.grants)
    await store.close()
    return Outcome(calls, told, kept, [each.request for each in messages])


def find_faults(outcome: Outcome) -> list[str]:
    """List what must not be."""
    told, calls = outcome.told, {each.number: each for each in outcome.calls}
    users = {each.key: round(each.used_at - NOW) for each in outcome.kept if each.used_at is not None}
    faults = [f"call {number} was never heard of again" for number in calls.keys() - told.ended - told.in_flight]
    faults += [f"call {number} got no answer of the store" for number in told.unavailable]
    # 1.
    for key, number in users.items():
        if number not in told.allowed | told.in_flight or key not in calls[number].keys:
            faults.append(f"a grant was used by call {number}, which was not allowed")
    for number, call in calls.items():
        # 2.
        got = [users.get(key) == number for key in call.keys]
        if (number in told.allowed and not all(got)) or (any(got) and not all(got)):
            faults.append(f"call {number} has not all of its grants")
        # 3.
        if number in told.denied and len(got) == 1 and call.keys[0] not in users:
            faults.append(f"call {number} was denied a grant that is there")
    # 4.
    used = sorted(each.id for each in outcome.kept if each.status is Progress.USED)
    if sorted(outcome.messages) != used or len(used) != len(users):
        faults.append("messages and grants that were used differ")
    return faults
