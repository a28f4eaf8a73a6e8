"""All workers: how they are started again, how a configuration reaches them, and what operators are told of them.

The workers here are tasks of the test, at the other end of real control channels.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from agen_authz.adapters.metrics import PrometheusMetrics
from agen_authz.app.control.channel import Channel, open_to_supervisor
from agen_authz.app.control.message import (
    Applied,
    Apply,
    Ask,
    Begin,
    Drain,
    Drained,
    End,
    Recall,
    Recalled,
    Serving,
    Status,
    ToSupervisor,
    ToWorker,
    Unstartable,
    Withdraw,
    Write,
    Written,
)
from agen_authz.app.supervisor.fleet import Fleet, Times
from agen_authz.app.supervisor.place import WorkerGaveUp
from agen_authz.app.supervisor.restart import Patience
from agen_authz.config import Loaded, load
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.core.reason import Reason
from tests.config.test_mistakes import GOOD
from tests.fakes import FakeClock

BOUND_S = 30.0
AT_ONCE = Patience(first_s=0.0, longest_s=0.0, most=5, window_s=300.0)
KEY = b"k" * 32
HASTY = Times(period=0.01, answer=0.05, closing=BOUND_S, hung=BOUND_S)
PROBLEM = Problem("agen.yaml", 1, "x", "wrong", "mend it")


@dataclass
class Actor:
    """One worker as a task; it does what a real one does, unless it is told otherwise."""

    name: str
    begun: list[Begin] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    version: str = ""
    is_hung: bool = False
    ends: bool = True
    lines: list[bytes] = field(default_factory=list)
    told: list[Withdraw | Written | Recalled] = field(default_factory=list)
    channel: "Channel[ToSupervisor, ToWorker] | None" = None
    refuses: tuple[Problem, ...] = ()
    refuses_apply: Applied | None = None
    metrics: PrometheusMetrics = field(default_factory=lambda: PrometheusMetrics(CollectorRegistry()))

    async def live(self, control: socket.socket, ended: "asyncio.Future[int]") -> None:
        channel = self.channel = await open_to_supervisor(control)
        while (message := await channel.receive()) is not None:
            if not self.is_hung and not self._answer(message, channel):
                break
        await channel.close()
        if not ended.done():
            ended.set_result(0)

    def _answer(self, message: ToWorker, channel: "Channel[ToSupervisor, ToWorker]") -> bool:
        """Answer; False if that is the end."""
        match message:
            case Begin():
                self.begun.append(message)
                self.version = message.config.load().version
                channel.send(Unstartable(self.refuses) if self.refuses else Serving(self.version))
                return not self.refuses
            case Ask(number):
                channel.send(Status(number, True, {"said": self.name}, self.metrics.collect()))
            case Apply(number, config):
                self.order.append(self.name)
                if self.refuses_apply is None:
                    self.version = config.load().version
                channel.send(self.refuses_apply or Applied(number, self.version))
            case _:
                return self._answer_late(message, channel)
        return True

    def _answer_late(
        self,
        message: Drain | End | Write | Withdraw | Written | Recall | Recalled,
        channel: "Channel[ToSupervisor, ToWorker]",
    ) -> bool:
        match message:
            case Drain():
                self.order.append(f"{self.name} drains")
                channel.send(Drained())
            case End():
                self.order.append(f"{self.name} ends")
                return not self.ends
            case Write(number, line):
                self.lines.append(line)
                channel.send(Written(number, True))
            case Recall(number):
                channel.send(Recalled(number, tuple(self.lines)))
            case Withdraw() | Written() | Recalled():
                self.told.append(message)
            case _:
                assert_never(message)
        return True


@dataclass
class Played:
    """A worker that was started: who plays it, how it can be cut off, and how it ended."""

    actor: Actor
    control: socket.socket
    ended: "asyncio.Future[int]"
    task: "asyncio.Task[None]"

    def cut(self) -> None:
        """Cut the control channel, as the kernel does when a process ends."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)


@dataclass
class FakeNursery:
    """Starts tasks; `cast` makes the one that plays a worker."""

    cast: Callable[[str], Actor]
    played: list[Played] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)

    def start(self, name: str, control: socket.socket) -> tuple[int, "asyncio.Future[int]"]:
        actor, ended = self.cast(name), asyncio.get_running_loop().create_future()
        task = asyncio.create_task(actor.live(control, ended))
        self.played.append(played := Played(actor, control.dup(), ended, task))
        task.add_done_callback(lambda _: played.cut())
        return len(self.played), ended

    def kill(self, number: int) -> None:
        self.killed.append(number)
        one = self.played[number - 1]
        if not one.ended.done():
            one.ended.set_result(-9)
        one.cut()

    def list_played(self, name: str) -> list[Actor]:
        return [each.actor for each in self.played if each.actor.name == name]

    def last(self, name: str) -> Actor:
        return self.list_played(name)[-1]

    def kill_last(self, name: str) -> None:
        """End the newest worker of this name."""
        self.kill(max(number for number, each in enumerate(self.played, 1) if each.actor.name == name))

    async def close(self) -> None:
        await asyncio.gather(*(each.task for each in self.played))
        for each in self.played:
            each.control.close()


@dataclass
class Stand:
    fleet: Fleet
    nursery: FakeNursery
    clock: FakeClock
    running: "asyncio.Task[None]"

    async def replace_worker(self, name: str) -> None:
        """End a worker, and wait until the next one has begun."""
        count = len(self.nursery.list_played(name))
        self.nursery.kill_last(name)
        await until(lambda: len(self.nursery.list_played(name)) > count and bool(self.nursery.last(name).begun))
        await self.fleet.refresh()


def loaded_with(tmp_path: Path, old: str = "", new: str = "") -> Loaded:
    file = tmp_path / "agen.yaml"
    file.write_text(GOOD.replace(old, new) if old else GOOD, "utf-8")
    return load(file, environ={})


def change(tmp_path: Path) -> Loaded:
    return loaded_with(tmp_path, "allow: [analyst]", "allow: [support]")


@asynccontextmanager
async def standing(
    loaded: Loaded, cast: Callable[[str], Actor] = Actor, *, waits: bool = True, **options: Any
) -> AsyncIterator[Stand]:
    nursery, clock, started = FakeNursery(cast), FakeClock(), asyncio.Event()
    fleet = Fleet(loaded, KEY, nursery, clock, **{"patience": AT_ONCE, "times": HASTY, **options})
    running = asyncio.create_task(fleet.run(started))
    async with asyncio.timeout(BOUND_S):
        if waits:
            await started.wait()
        try:
            yield Stand(fleet, nursery, clock, running)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await fleet.drain(0.1)
            await nursery.close()


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0)


def read_count(exposition: bytes) -> float:
    series = 'agen_audit_events_total{outcome="written",sink="stdout"} '
    (line,) = (row for row in exposition.decode().splitlines() if row.startswith(series))
    return float(line.removeprefix(series))


async def test_each_worker_begins_with_the_same_configuration_and_the_same_key(tmp_path):
    loaded = loaded_with(tmp_path, "  authz", "  filter_workers: 2\n  authz")
    async with standing(loaded) as stand:
        begun = {each.actor.name: each.actor.begun for each in stand.nursery.played}
        readiness = await stand.fleet.check_readiness()
    handed = {name: [(each.config.raw, each.metadata_key) for each in every] for name, every in begun.items()}
    assert handed == {name: [(loaded.raw, KEY)] for name in ("check", "process", "process-2")}
    assert (readiness.is_ready, readiness.parts["worker process-2"]) == (True, "serving")


async def test_secrets_are_in_no_repr(tmp_path):
    async with standing(loaded_with(tmp_path)) as stand:
        (begin,) = stand.nursery.last("check").begun
    assert (repr(begin), repr(begin.config)) == ("Begin()", "Handed()")


async def test_worker_that_ends_begins_again_and_no_other_notices(tmp_path):
    async with standing(loaded_with(tmp_path)) as stand:
        await stand.replace_worker("process")
        (first,), (second,) = (actor.begun for actor in stand.nursery.list_played("process"))
        readiness = await stand.fleet.check_readiness()
        exposition, _ = await stand.fleet.render_metrics()
        count = len(stand.nursery.list_played("check"))
    assert (replace(first, is_again=True) == second, count, readiness.is_ready) == (True, 1, True)
    assert readiness.parts["worker process"] == "serving, started again 1 times"
    assert b'agen_worker_restarts_total{worker="process"} 1.0' in exposition


async def test_worker_that_ends_again_and_again_ends_the_supervisor(tmp_path):
    async with standing(loaded_with(tmp_path)) as stand:
        for _ in range(AT_ONCE.most):
            await stand.replace_worker("process")
            assert not stand.running.done()
        stand.nursery.kill_last("process")
        with pytest.raises(WorkerGaveUp, match="the worker `process` ended 6 times"):
            await stand.running


async def test_configuration_that_a_worker_cannot_start_with_is_an_error_of_the_start(tmp_path):
    def cast(name: str) -> Actor:
        return Actor(name, refuses=(PROBLEM,) if name == "process" else ())

    async with standing(loaded_with(tmp_path), cast, waits=False) as stand:
        with pytest.raises(ConfigError) as caught:
            await stand.running
    assert caught.value.problems == (PROBLEM,)


async def test_worker_that_cannot_start_any_more_is_started_again_all_the_same(tmp_path, caplog):
    refusals = iter([(), (PROBLEM,), ()])

    def cast(name: str) -> Actor:
        return Actor(name, refuses=next(refusals) if name == "process" else ())

    async with standing(loaded_with(tmp_path), cast) as stand:
        stand.nursery.kill_last("process")
        await until(lambda: len(stand.nursery.list_played("process")) == 3)
        await until(lambda: bool(stand.nursery.last("process").begun))
        readiness = await stand.fleet.check_readiness()
    assert readiness.parts["worker process"] == "serving, started again 2 times"
    assert [
        record.problem for record in caplog.records if record.message == "a worker cannot start with the configuration"
    ] == [str(PROBLEM)]


async def test_reload_reaches_every_worker_the_one_that_decides_first(tmp_path):
    order: list[str] = []
    async with standing(loaded_with(tmp_path), lambda name: Actor(name, order=order)) as stand:
        changed = change(tmp_path)
        await stand.fleet.apply(changed)
        stand.fleet.note_reload("ok")
        versions = {stand.nursery.last(name).version for name in ("check", "process")}
        parts = (await stand.fleet.check_readiness()).parts
        await stand.replace_worker("process")
        again, order = stand.nursery.last("process").version, list(order)
    assert (versions, order, again) == ({changed.version}, ["check", "process"], changed.version)
    assert (parts["reload"], parts["policy_set"], parts["worker process"]) == ("ok", changed.version, "serving")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"problems": (PROBLEM,)}, ConfigError),
        ({"unavailable": (Reason.STORE_UNAVAILABLE, "store")}, Unavailable),
    ],
    ids=["refused", "not now"],
)
async def test_configuration_that_the_one_that_decides_does_not_take_reaches_no_other(tmp_path, answer, error):
    first = loaded_with(tmp_path)
    kept = Applied(1, first.version, **answer)

    def cast(name: str) -> Actor:
        return Actor(name, refuses_apply=kept if name == "check" else None)

    async with standing(first, cast) as stand:
        with pytest.raises(error):
            await stand.fleet.apply(change(tmp_path))
        stand.fleet.note_reload("failed")
        parts = (await stand.fleet.check_readiness()).parts
        orders = list(stand.nursery.last("process").order)
        exposition, _ = await stand.fleet.render_metrics()
    assert (orders, parts["policy_set"]) == ([], first.version)
    assert parts["reload"] == "failed: the last good configuration decides, see the log"
    assert b'agen_policy_reload_total{outcome="failed"} 1.0' in exposition


async def test_worker_that_keeps_the_last_good_configuration_is_named(tmp_path):
    first = loaded_with(tmp_path)
    kept = Applied(1, first.version, (PROBLEM,))

    def cast(name: str) -> Actor:
        return Actor(name, refuses_apply=kept if name == "process" else None)

    async with standing(first, cast) as stand:
        changed = change(tmp_path)
        await stand.fleet.apply(changed)
        stand.fleet.note_reload("ok")
        readiness = await stand.fleet.check_readiness()
    assert readiness.parts["reload"] == "failed: the last good configuration stays in process, see the log"
    assert readiness.parts["worker process"] == (
        f"serving, by policy set {first.version}: it could not apply {changed.version}, see the log"
    )


async def test_reload_waits_for_the_one_that_decides_while_that_is_not_there(tmp_path):
    slow = Patience(first_s=BOUND_S, longest_s=BOUND_S)
    async with standing(loaded_with(tmp_path), patience=slow) as stand:
        stand.nursery.kill_last("check")
        await asyncio.gather(stand.nursery.played[0].task)
        with pytest.raises(Unavailable):
            await stand.fleet.apply(change(tmp_path))


async def test_reload_during_which_the_one_that_decides_ends_may_be_tried_again(tmp_path):
    async with standing(loaded_with(tmp_path)) as stand:
        stand.nursery.last("check").is_hung = True
        applying = asyncio.create_task(stand.fleet.apply(changed := change(tmp_path)))
        await asyncio.sleep(0)
        await stand.replace_worker("check")
        with pytest.raises(Unavailable):
            await applying
        await stand.fleet.apply(changed)
        assert stand.nursery.last("check").version == changed.version


async def test_counts_of_all_workers_are_added_up_and_never_go_back(tmp_path):
    async with standing(loaded_with(tmp_path)) as stand:
        seen = []
        for _ in range(3):
            for name in ("check", "process"):
                stand.nursery.last(name).metrics.count_audit_event("stdout", "written")
            seen.append(read_count((await stand.fleet.render_metrics())[0]))
            await stand.replace_worker("process")
            seen.append(read_count((await stand.fleet.render_metrics())[0]))
    assert seen == [2, 2, 4, 4, 6, 6]


async def test_series_of_closed_sets_are_there_before_anything_is_counted_and_follow_a_reload(tmp_path):
    async with standing(loaded_with(tmp_path)) as stand:
        first, _ = await stand.fleet.render_metrics()
        await stand.fleet.apply(loaded_with(tmp_path, "name: billing", "name: invoices"))
        second, _ = await stand.fleet.render_metrics()
    series = 'agen_decisions_total{decision="deny",reason="policy_denied",server="%s"} 0.0'
    seen = [[(series % name).encode() in text for name in ("crm", "billing", "invoices")] for text in (first, second)]
    assert seen == [[True, True, False], [True, False, True]]


async def test_last_good_configuration_is_shown_with_its_time(tmp_path):
    rows = (b"agen_policy_reload_ok", b"agen_policy_reload_timestamp_seconds")
    seen = []
    async with standing(loaded_with(tmp_path)) as stand:
        started = stand.clock.now()
        for outcome in ("failed", "ok"):
            stand.clock.advance(60.0)
            stand.fleet.note_reload(outcome)
            exposition, _ = await stand.fleet.render_metrics()
            seen.append([float(line.split()[1]) for line in exposition.splitlines() if line.startswith(rows)])
    assert seen == [[0.0, started], [1.0, started + 120.0]]


async def test_worker_that_hangs_keeps_nobody_waiting_is_named_and_is_ended_in_the_end(tmp_path):
    async with standing(
        loaded_with(tmp_path), times=Times(period=0.01, answer=0.05, closing=BOUND_S, hung=20.0)
    ) as stand:
        hung = stand.nursery.last("process")
        hung.metrics.count_audit_event("stdout", "written")
        await stand.fleet.refresh()
        hung.is_hung = True
        await stand.fleet.refresh()
        stand.clock.advance(10.0)
        exposition, _ = await stand.fleet.render_metrics()
        readiness = await stand.fleet.check_readiness()
        stand.clock.advance(15.0)
        await until(lambda: len(stand.nursery.list_played("process")) == 2)
    assert read_count(exposition) == 1
    assert b'agen_worker_up{worker="process"} 0.0' in exposition
    assert (readiness.is_ready, readiness.parts["worker process"]) == (False, "serving, but has not answered for 10 s")


async def test_at_the_end_the_one_that_decides_drains_first_and_ends_last_and_none_begins_again(tmp_path):
    order: list[str] = []
    async with standing(loaded_with(tmp_path), lambda name: Actor(name, order=order)) as stand:
        stand.running.cancel()
        await stand.fleet.drain(1.0)
        assert order == ["check drains", "process drains", "process ends", "check ends"]
        assert len(stand.nursery.played) == 2


def with_console(tmp_path: Path) -> Loaded:
    (tmp_path / "secret").write_text("of the console", "utf-8")
    console = "approvals: {base_url: 'https://people.example'}\n"
    console += f"console: {{provider: corp, client_id: agen, client_secret_file: {tmp_path / 'secret'}}}"
    return loaded_with(tmp_path, "version: 1", f"version: 1\n{console}")


async def test_console_has_a_worker_of_its_own_that_takes_reloads_and_ends_before_the_one_that_decides(tmp_path):
    order: list[str] = []
    async with standing(with_console(tmp_path), lambda name: Actor(name, order=order)) as stand:
        fresh = with_console(tmp_path)
        await stand.fleet.apply(fresh)
        stand.running.cancel()
        await stand.fleet.drain(1.0)
        assert stand.nursery.last("console").version == fresh.version
    assert order[-6:] == [
        "check drains", "process drains", "console drains", "process ends", "console ends", "check ends",
    ]  # fmt: skip


async def test_console_that_ends_again_and_again_leaves_the_others_alone(tmp_path, caplog):
    async with standing(with_console(tmp_path)) as stand:
        for _ in range(AT_ONCE.most):
            await stand.replace_worker("console")
        stand.nursery.kill_last("console")
        await until(lambda: "no call can be approved" in caplog.text)
        readiness = await stand.fleet.check_readiness()
        assert (stand.running.done(), readiness.is_ready) == (False, True)
    assert readiness.parts["worker console"].startswith("ended")


async def test_event_of_a_worker_that_inspects_is_written_by_the_one_that_decides_and_answered(tmp_path):
    async with standing(loaded_with(tmp_path)) as stand:
        check, process = stand.nursery.last("check"), stand.nursery.last("process")
        assert process.channel is not None
        process.channel.send(Write(7, b"{}", "ann"))
        await until(lambda: bool(process.told))
    assert (check.lines, process.told) == ([b"{}"], [Written(7, True)])


async def test_event_without_the_one_that_decides_is_answered_as_not_written(tmp_path):
    slow = Patience(first_s=BOUND_S, longest_s=BOUND_S)
    async with standing(loaded_with(tmp_path), patience=slow) as stand:
        check, process = stand.nursery.last("check"), stand.nursery.last("process")
        assert process.channel is not None
        # One that it has in hand when it ends, and one that comes when it is not there.
        check.is_hung = True
        process.channel.send(Write(7, b"{}", "ann"))
        await stand.fleet.refresh()
        stand.nursery.kill_last("check")
        await until(lambda: bool(process.told))
        process.channel.send(Write(8, b"{}", "ann"))
        await until(lambda: len(process.told) == 2)
    assert process.told == [Written(7, False, False), Written(8, False, False)]


async def test_worker_that_does_not_end_is_ended(tmp_path):
    def cast(name: str) -> Actor:
        return Actor(name, ends=False)

    async with standing(
        loaded_with(tmp_path), cast, times=Times(period=0.01, answer=0.05, closing=0.05, hung=BOUND_S)
    ) as stand:
        await stand.fleet.drain(0.0)
        assert stand.nursery.killed == [2, 1]
