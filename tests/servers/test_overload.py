"""More calls at once than places: who is refused, who is decided first, and what is said to callers who have left."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest
from pygrpc_native import EVENT_CALL, EVENT_CANCEL

from agen_authz.core.reason import Reason
from agen_authz.servers.engine import Listener
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.native_engine import NativeEngine

PLACES = 4
BURN_S = 0.005


class Clerk:
    """Decides at once what begins with the caller's name; `heavy` takes a while of the processor's time."""

    def __init__(self) -> None:
        self.decided: list[tuple[str, float | None]] = []
        self.refused: list[Reason] = []

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.decided]

    def find_caller(self, raw: bytes) -> str | None:
        name = raw.decode().partition(" ")[0]
        return None if name == "nobody" else name

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        self.decided.append((raw.decode(), remaining_s))
        ends = time.thread_time() + BURN_S
        while b"heavy" in raw and time.thread_time() < ends:
            pass
        return raw

    async def refuse(self, reason: Reason) -> bytes:
        self.refused.append(reason)
        return str(reason).encode()


class Front:
    """The front of the native engine, with batches that were written down; closed at their end."""

    def __init__(self, *batches: Iterable[tuple[Any, ...]]) -> None:
        self.batches = [list(batch) for batch in batches]
        self.answers: dict[int, str] = {}
        self.waited_for: list[int | None] = []

    def recv_batch_details(self, most: int, timeout_ms: int | None = None) -> list[tuple[Any, ...]] | None:
        self.waited_for.append(timeout_ms)
        if self.batches:
            return self.batches.pop(0)
        return [] if timeout_ms == 0 else None

    def respond(self, call_id: int, payload: bytes) -> bool:
        self.answers[call_id] = payload.decode()
        return True


def came(call_id: int, raw: str, remaining_s: float | None = None) -> tuple[Any, ...]:
    return EVENT_CALL, call_id, 0, raw.encode(), b"", ((), "", remaining_s)


def left(call_id: int) -> tuple[Any, ...]:
    return EVENT_CANCEL, call_id, 0, None, None, None


def serve(*batches: Iterable[tuple[Any, ...]], places: int = PLACES) -> tuple[Front, Clerk]:
    """Have the native engine's thread decide what is in the batches."""
    front, clerk = Front(*batches), Clerk()
    NativeEngine(Listener("unix:///run/x.sock", 1024, places), clerk)._serve(front)  # type: ignore[arg-type]  # a front of ours
    return front, clerk


def test_more_calls_than_places_are_refused_at_once():
    front, clerk = serve([came(number, f"ann {number}") for number in range(7)])
    assert clerk.order == ["ann 0", "ann 1", "ann 2", "ann 3"]
    assert [number for number, said in front.answers.items() if said == "overloaded"] == [4, 5, 6]
    assert clerk.refused == [Reason.OVERLOADED] * 3


def test_one_place_is_one_call_at_once():
    _, clerk = serve([came(number, f"c{number} x") for number in range(40)], [came(40, "late x")], places=1)
    assert (clerk.order, len(clerk.refused)) == (["c0 x", "late x"], 39)


def test_one_caller_cannot_take_all_places():
    front, _ = serve([*(came(number, f"ann {number}") for number in range(9)), came(9, "bob 9"), came(10, "nobody 10")])
    assert (front.answers[9], front.answers[10]) == ("bob 9", "nobody 10")
    assert [number for number in range(9) if front.answers[number] != "overloaded"] == [0, 1]


def test_heavy_calls_of_one_caller_wait_for_the_others():
    calls = ["ann heavy 1", "ann heavy 2", "bob 1", "cem 1", "bob 2"]
    _, clerk = serve([came(number, raw) for number, raw in enumerate(calls)], places=10)
    assert clerk.order == ["ann heavy 1", "bob 1", "cem 1", "bob 2", "ann heavy 2"]


def test_what_has_come_meanwhile_is_looked_at_before_the_next_of_a_heavy_caller():
    first = [came(number, f"ann heavy {number}") for number in range(3)]
    _, clerk = serve(first, [came(9, "bob 9")], places=10)
    assert clerk.order[:2] == ["ann heavy 0", "bob 9"]


def test_call_whose_caller_has_left_is_not_read():
    _, clerk = serve([came(1, "ann 1", 5.0), came(2, "ann 2", 5.0), left(1)])
    remaining = dict(clerk.decided)
    assert remaining["ann 1"] == 0.0
    assert remaining["ann 2"] is not None and 0 < remaining["ann 2"] <= 5.0


def test_call_whose_deadline_has_passed_in_the_queue_is_not_read():
    _, clerk = serve([came(1, "bob heavy 1"), came(2, "ann 2", BURN_S / 2), came(3, "ann 3", None)])
    assert dict(clerk.decided)["ann 2"] == 0.0
    assert dict(clerk.decided)["ann 3"] is None


def test_thread_waits_only_while_nothing_is_there_to_be_decided():
    front, _ = serve([came(number, "ann heavy") for number in range(2)])
    assert (front.waited_for[0], front.waited_for[-1], 0 in front.waited_for) == (None, None, True)


class Context:
    """What grpcio says of a call."""

    def __init__(self, remaining_s: float | None = None) -> None:
        self._remaining_s = remaining_s

    def time_remaining(self) -> float | None:
        return self._remaining_s


async def ask_grpcio(calls: list[str], places: int = PLACES) -> tuple[list[str], Clerk]:
    """Have grpcio's engine decide calls that have come at once."""
    clerk = Clerk()
    engine = GrpcioEngine(Listener("unix:///run/x.sock", 1024, places), clerk)
    tasks = [asyncio.ensure_future(engine._answer(raw.encode(), Context())) for raw in calls]  # type: ignore[arg-type]  # ours
    return [answer.decode() for answer in await asyncio.gather(*tasks)], clerk


async def test_grpcio_refuses_more_calls_than_places_and_shares_them():
    answers, clerk = await ask_grpcio([*(f"ann {number}" for number in range(9)), "bob 9"])
    assert answers[9] == "bob 9"
    assert (answers.count("overloaded"), sorted(clerk.order)) == (6, ["ann 0", "ann 1", "ann 2", "bob 9"])


async def test_grpcio_lets_heavy_calls_of_one_caller_wait_for_the_others():
    _, clerk = await ask_grpcio(["ann heavy 1", "ann heavy 2", "bob 1", "cem 1", "bob 2"], places=10)
    assert clerk.order == ["ann heavy 1", "bob 1", "cem 1", "bob 2", "ann heavy 2"]


async def test_grpcio_does_not_read_a_call_whose_caller_has_left():
    clerk = Clerk()
    engine = GrpcioEngine(Listener("unix:///run/x.sock", 1024, PLACES), clerk)
    tasks = [asyncio.ensure_future(engine._answer(raw, Context())) for raw in (b"ann 1", b"bob 2")]  # type: ignore[arg-type]  # ours
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    while engine._turning is not None and not engine._turning.done():
        await asyncio.sleep(0)
    assert (clerk.order, clerk.refused) == (["ann 1"], [Reason.DEADLINE])


@pytest.mark.parametrize("size", [1, 10**6])
def test_message_that_is_too_large_takes_no_place(size):
    class Failing(Front):
        failed: tuple[int, ...] = ()

        def fail(self, call_id: int, code: int, message: str) -> bool:
            self.failed += (call_id,)
            return True

    front, clerk = Failing([came(1, "ann " + "x" * size)]), Clerk()
    NativeEngine(Listener("unix:///run/x.sock", 1024, 1), clerk)._serve(front)  # type: ignore[arg-type]  # a front of ours
    assert (front.failed, len(clerk.decided)) == (((), 1) if size == 1 else ((1,), 0))
