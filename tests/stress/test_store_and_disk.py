"""Disks that are full, pipes that nobody reads, stores that hang, processes that are killed: the sidecar as it runs."""

import asyncio
import fcntl
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from agen_authz.adapters.store import migrate
from agen_authz.core.errors import ConfigError, Problem
from tests.adapters.database import STEPS
from tests.stage.process import BOUND_S, START_S
from tests.stress.sidecar import Plan, Sidecar, Told, events, refused, running

pytestmark = pytest.mark.loopback
SHADOW = "policies: [{name: watched, state: shadow, tools: [crm/get_*], then: deny}]\n"
PIPE_BYTES = 4 * 4096
# More events than the pipe holds, however short they are.
ENOUGH = 30
UNWRITTEN = (503, "audit_unavailable", "1")


def said(told: Told) -> tuple[int, str, str]:
    return told.status, told.reason, told.retry_after


async def test_full_disk_under_the_audit_trail_denies_every_call_and_says_why(tmp_path):
    with Path("/dev/full").open("wb", buffering=0) as full:
        async with running(Plan(tmp_path), full) as sidecar:
            allowed = [await sidecar.ask(sidecar.token()) for _ in range(3)]
            stranger = await sidecar.ask(None)
            counted = await sidecar.metrics()
    assert [said(told) for told in allowed] == [UNWRITTEN] * 3
    # A denied call stays what it is: its client is told what it can do about it.
    assert (stranger.status, stranger.reason) == (401, "token_missing")
    # The event that tells of these fails as well, once a second.
    failed = re.search(r'agen_audit_events_total\{outcome="failed",sink="stdout"\} (\d+)', counted)
    assert failed is not None and int(failed[1]) >= 4
    assert "Traceback" not in sidecar.plan.log()


async def test_full_disk_under_the_log_stops_no_call_and_no_reload(tmp_path):
    async with running(Plan(tmp_path, log_file=Path("/dev/full")), subprocess.DEVNULL) as sidecar:
        seen = [(await sidecar.ask(sidecar.token())).is_allowed]
        before = await sidecar.policy_set()
        sidecar.plan.write(role="support")
        async with asyncio.timeout(BOUND_S):
            while await sidecar.policy_set() == before:
                await asyncio.sleep(0.01)
        seen.append((await sidecar.ask(sidecar.token())).is_allowed)
        sidecar.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(sidecar.process.wait, START_S) == 0
    assert seen == [True, False]


class Pipe:
    """A pipe that holds four pages, and what was read from it."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.read = b""

    def shrink(self) -> None:
        """Undo what the sidecar did when it started: it makes room."""
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def drain(self, size_bytes: int = 2 * PIPE_BYTES) -> None:
        with suppress(BlockingIOError):
            self.read += os.read(self.reader, size_bytes)

    def hang_up(self) -> None:
        os.close(self.reader)
        self.reader = -1

    def close(self) -> None:
        for descriptor in (self.reader, self.writer):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    opened.close()


async def test_reader_of_the_audit_trail_that_stalls_denies_and_that_resumes_allows(tmp_path, pipe):
    async with running(Plan(tmp_path), pipe.writer) as sidecar:
        pipe.shrink()
        before = [await sidecar.ask(sidecar.token()) for _ in range(ENOUGH)]
        pipe.drain()
        after = [await sidecar.ask(sidecar.token()) for _ in range(2)]
        pipe.drain()
        pipe.hang_up()
        gone = [await sidecar.ask(sidecar.token()) for _ in range(2)]
        assert sidecar.process.poll() is None
    allowed = [told for told in before if told.is_allowed]
    assert [said(told) for told in before[len(allowed) :]] == [UNWRITTEN] * (ENOUGH - len(allowed))
    assert (0 < len(allowed) < ENOUGH, [told.is_allowed for told in after]) == (True, [True, True])
    assert [said(told) for told in gone] == [UNWRITTEN] * 2
    # Whoever was let through has an event.
    told_of = {json.loads(line)["request_id"] for line in pipe.read.splitlines()}
    assert told_of >= {told.request_id for told in (*allowed, *after)}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a store as another process that writes and never ends."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


async def test_store_that_is_locked_or_gone_stops_no_call_no_reload_and_no_end(tmp_path):
    async with running(Plan(tmp_path), subprocess.DEVNULL) as sidecar:
        with locked(tmp_path / "agen.db"):
            seen = [(await sidecar.ask(sidecar.token())).is_allowed]
            before = await sidecar.policy_set()
            # The store is asked since when a policy is in shadow.
            written = sidecar.plan.config_file.read_text("utf-8")
            sidecar.plan.config_file.write_text(written + SHADOW, "utf-8")
            sidecar.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(BOUND_S):
                while await sidecar.policy_set() == before:
                    await asyncio.sleep(0.01)
            seen.append((await sidecar.ask(sidecar.token())).is_allowed)
            (tmp_path / "agen.db").unlink()
            seen.append((await sidecar.ask(sidecar.token())).is_allowed)
            sidecar.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(sidecar.process.wait, START_S) == 0
    assert seen == [True] * 3
    assert "the store is unavailable: `policy lint` cannot say since when policies are in shadow" in sidecar.plan.log()


async def test_store_that_cannot_be_used_at_start_is_named_with_the_cure(tmp_path):
    held = Plan(tmp_path)
    # Not even an administrator may write there.
    unwritable = Plan(tmp_path / "second", store='url: "sqlite:////sys/agen.db"')
    unwritable.folder.mkdir()
    with locked(tmp_path / "agen.db"):
        told = [*await asyncio.gather(refused(held), refused(unwritable))]
    expected = [
        f"{tmp_path}/agen.db: store.url: the store is locked by another process; end what holds it, and start again\n",
        "/sys/agen.db: store.url: cannot be opened: Permission denied; name a file that this user may write\n",
    ]
    assert told == [(1, line) for line in expected]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process take another byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def refuse_full(path: Path) -> tuple[Problem, ...]:
    with full_disk(), pytest.raises(ConfigError) as caught:
        await migrate(f"sqlite:///{path}")
    return caught.value.problems


async def test_store_on_a_full_disk_is_refused_and_nothing_is_left_half_done(tmp_path):
    path = tmp_path / "agen.db"
    (problem,) = await refuse_full(path)
    assert (problem.file, problem.path) == (str(path), "store.url")
    assert await migrate(f"sqlite:///{path}") == STEPS


async def test_store_on_a_full_disk_is_reported(tmp_path):
    (problem,) = await refuse_full(tmp_path / "agen.db")
    assert "make room" in problem.cure


async def kill_under_load(sidecar: Sidecar) -> list[Told]:
    """Kill the sidecar in the middle of many calls; return what their callers were told."""
    told: list[Told] = []

    async def ask_on() -> None:
        while True:
            try:
                told.append(await sidecar.ask(sidecar.token()))
            except Exception:  # noqa: BLE001 the end of the process, as each caller sees it
                return

    callers = [asyncio.ensure_future(ask_on()) for _ in range(8)]
    async with asyncio.timeout(BOUND_S):
        while len(told) < 100:
            await asyncio.sleep(0.001)
        await sidecar.kill()
        await asyncio.gather(*callers)
    return told


async def test_killed_sidecar_leaves_an_event_of_every_call_that_it_allowed(tmp_path):
    audit = tmp_path / "audit.jsonl"
    with audit.open("ab") as stdout:
        async with running(Plan(tmp_path), stdout) as sidecar:
            told = await kill_under_load(sidecar)
            kept = {event["request_id"] for event in events(audit) if event["decision"] == "allow"}
            assert {each.request_id for each in told if each.is_allowed} <= kept
            # Its socket and its store are still there: the next one takes both.
            await sidecar.start_again(stdout)
            assert (await sidecar.ask(sidecar.token())).is_allowed
    first, last = events(audit)[0], events(audit)[-1]
    assert digests(first) == digests(last)


def digests(event: dict[str, object]) -> dict[str, object]:
    """Pick what is keyed by a value of the store."""
    return {name: value for name, value in event.items() if "digest" in name}
