"""One soak: threads that call at a bounded rate, one that turns things, one that reads what the backends received."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event

import httpx

from bench.soak.ask import Maker
from bench.soak.conductor import Conductor
from bench.soak.kinds import make_any
from bench.soak.ledger import Faults, Ledger, Reader
from bench.soak.purse import Purse
from bench.soak.rough import Rough
from bench.soak.session import Sessions
from bench.soak.stage import Stage
from bench.soak.teller import Tally, Teller
from bench.soak.truth import Facts
from bench.soak.watch import Metrics, Sample, sample
from bench.soak.wire import Line, place_of

WORKERS = 4
SESSIONS_PER_S, ABORTS_PER_S, STRANGERS_PER_S = 0.8, 4.0, 1.0
# A backend remembers its last 256 requests: it must be read before it forgets.
_READ_EVERY_S = 0.5
_SAMPLES, _SAMPLE_EVERY_S = 30, 10.0
_LAST_READS_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how fast, which calls; `pace` brings reloads and the like closer together."""

    seconds: float
    calls_per_s: float = 100.0
    engine: str = "auto"
    seed: int = 1
    pace: float = 1.0


@dataclass(slots=True)
class Soak:
    """One soak and what it found."""

    stage: Stage
    plan: Plan
    faults: Faults = field(default_factory=Faults)
    tally: Tally = field(default_factory=Tally)
    samples: list[Sample] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)
    facts: Facts = field(init=False)
    ledger: Ledger = field(init=False)
    conductor: Conductor = field(init=False)

    def __post_init__(self) -> None:
        world = self.stage.world
        kids = {"one": world.one.issuer.ring.signing.kid, "two": world.two.issuer.ring.signing.kid}
        self.facts = Facts(kids)
        self.ledger = Ledger(self.faults)
        self.conductor = Conductor(self.stage, self.facts, self.stopped, self.plan.pace)

    def run(self) -> Metrics:
        """Soak until the time is over, then close the books; returns the sidecar's last metrics.

        Raises:
            NotSeen: a reload, a rotation or an outage did not take effect.
        """
        purse = Purse(self.stage.world, self.facts)
        teller = Teller(self.facts, self.ledger, self.faults, self.tally)
        reading = Event()
        with ThreadPoolExecutor(WORKERS + 5) as pool:
            reader = pool.submit(self._read_until, reading)
            threads = [pool.submit(each) for each in self._jobs(purse, teller)]
            try:
                self._sample(threads)
            finally:
                self.stopped.set()
                for thread in threads:
                    thread.exception()
                time.sleep(_LAST_READS_S)
                reading.set()
            for thread in (*threads, reader):
                thread.result()
        self._read_last()
        return self.conductor.metrics()

    def _jobs(self, purse: Purse, teller: Teller) -> Iterator[Callable[[], None]]:
        yield self.conductor.run
        for number in range(WORKERS):
            yield partial(self._call, self._maker(f"w{number}", purse), teller)
        yield lambda: self._paced(SESSIONS_PER_S, lambda line: Sessions(self._maker("s", purse), teller, line).run_one)
        yield lambda: self._paced(ABORTS_PER_S, lambda line: Rough(self._maker("a", purse), teller, line).abort)
        yield lambda: self._paced(STRANGERS_PER_S, lambda line: Rough(self._maker("b", purse), teller, line).bring_much)

    def _maker(self, name: str, purse: Purse) -> Maker:
        return Maker(name, self.plan.seed, purse)

    def _call(self, maker: Maker, teller: Teller) -> None:
        others = 9 * SESSIONS_PER_S + ABORTS_PER_S + STRANGERS_PER_S
        rate = max(1.0, self.plan.calls_per_s - others) / WORKERS
        self._paced(rate, lambda line: lambda: teller.ask(line, make_any(maker)))

    def _paced(self, per_s: float, build: Callable[[Line], Callable[[], object]]) -> None:
        """Act so many times a second; who falls behind does not catch up."""
        with _line(self.stage) as line:
            act, due = build(line), time.monotonic()
            while not self.stopped.wait(max(0.0, due - time.monotonic())):
                act()
                due = max(due + 1 / per_s, time.monotonic() - 1.0)

    # ---- the result ---------------------------------------------------------------------------------------

    def _read_until(self, told: Event) -> None:
        with httpx.Client(trust_env=False, timeout=15.0) as web:
            readers = {name: Reader(name, self.ledger, self.faults) for name in self.stage.world.backends}
            while True:
                is_last, polled_at = told.is_set(), time.monotonic()
                for name, url in self.stage.world.backends.items():
                    readers[name].read(web.get(f"{url}/demo/received").json()["received"])
                self.ledger.close(polled_at)
                if is_last:
                    return
                told.wait(_READ_EVERY_S)

    def _read_last(self) -> None:
        """Close what was left open for late arrivals: none can come any more."""
        self.ledger.close(float("inf"))
        if left := self.ledger.open_rows():
            self.faults.add(f"{left} requests were never settled")

    def _sample(self, threads: "list[Future[None]]") -> None:
        """Look at the processes at intervals, until the time is over or a thread has failed."""
        every = min(_SAMPLE_EVERY_S, self.plan.seconds / _SAMPLES)
        ends = time.monotonic() + self.plan.seconds
        while (left := ends - time.monotonic()) > 0:
            if any(thread.done() for thread in threads):
                return
            self.stopped.wait(min(every, left))
            self.samples.append(sample(self.stage.world.sidecar.pid, self.stage.envoy.pid))


@contextmanager
def _line(stage: Stage) -> Iterator[Line]:
    line = Line(place_of(stage.world.crm))
    try:
        yield line
    finally:
        line.close()
