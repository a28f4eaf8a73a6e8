"""Check on pygrpc-native's front: the thread that receives a call also decides it, unless it must wait.

Each call's coroutine is driven once by the receiving thread; most are done then. One that has to wait yields
first (`waiting.hand_over`), and continues as a task of the event loop.

All that has come is looked at before the next call is decided, and every few milliseconds: so many wait, the rest
is refused at once (`turn.Turns`). What comes while one call is being decided waits in the front until then.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

from google.protobuf.message import DecodeError
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from pygrpc_native import EVENT_CANCEL, NativeGrpcFront

from agen_authz.core.reason import Reason
from agen_authz.servers.engine import (
    CHECK_METHOD,
    CHECK_SERVICE,
    HEALTH_SERVICE,
    Decider,
    Listener,
    claimed,
    refuse_address,
)
from agen_authz.servers.turn import Turns

_LOG = logging.getLogger(__name__)
_CHECK, _HEALTH_CHECK, _HEALTH_WATCH = range(3)
_METHODS = ((CHECK_METHOD, False), (f"/{HEALTH_SERVICE}/Check", False), (f"/{HEALTH_SERVICE}/Watch", True))
_BATCH = 64
# What is looked at before calls are decided again, and how long they are before it is looked again.
_LOOKS, _SLICE_S = 4, 0.002
_FLUSH_S = 0.1
_MAX_METADATA_BYTES = 64 * 1024
_MAX_WATCHERS = 100
_KNOWN_SERVICES = frozenset({"", CHECK_SERVICE})


@dataclass(slots=True)
class _Call:
    """One Check that waits to be decided; `ends` is when its caller stops waiting, in `time.monotonic`."""

    call_id: int
    message: bytes
    ends: float | None
    is_gone: bool = False

    def remaining_s(self) -> float | None:
        if self.is_gone:
            return 0.0
        return None if self.ends is None else max(0.0, self.ends - time.monotonic())


class NativeEngine:
    """`servers.engine.Engine` on the low-level front of pygrpc-native."""

    def __init__(self, listener: Listener, decider: Decider) -> None:
        self._listener = listener
        self._decider = decider
        self._turns: Turns[_Call] = Turns(listener.in_flight)
        # By their ids, so that one whose caller leaves is not decided.
        self._queued: dict[int, _Call] = {}
        self._is_serving = False
        self._watchers: set[int] = set()
        self._waiting: dict[int, asyncio.Task[bytes]] = {}
        self._front: NativeGrpcFront | None = None
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Listen; `Engine.start`."""
        self._loop = asyncio.get_running_loop()
        with claimed(self._listener) as target:
            try:
                front = NativeGrpcFront(
                    target,
                    _METHODS,
                    io_threads=1,
                    call_details=True,
                    max_concurrent_streams=self._listener.in_flight,
                    max_metadata_size=_MAX_METADATA_BYTES,
                )
                front.start()
            except (OSError, RuntimeError) as exc:
                raise refuse_address(self._listener, str(exc)) from exc
        self._front = front
        self._thread = Thread(target=self._serve, args=(front,), name="check", daemon=True)
        self._thread.start()

    def _serve(self, front: NativeGrpcFront) -> None:
        while self._look(front):
            ends = time.monotonic() + _SLICE_S
            while self._turns:
                self._decide_next(front)
                if time.monotonic() > ends:
                    break

    def _look(self, front: NativeGrpcFront) -> bool:
        """Take in the calls that have arrived, or wait for one; false once the front is closed."""
        for _ in range(_LOOKS):
            events = front.recv_batch_details(_BATCH, 0 if self._turns else None)
            if events is None:
                return False
            for kind, call_id, method, message, _, details in events:
                if kind == EVENT_CANCEL:
                    self._forget(call_id)
                elif method == _CHECK:
                    self._queue(front, call_id, message or b"", details[2] if details is not None else None)
                else:
                    self._answer_health(front, call_id, method, message or b"")
            if len(events) < _BATCH:
                break
        return True

    def _queue(self, front: NativeGrpcFront, call_id: int, message: bytes, remaining_s: float | None) -> None:
        if len(message) > self._listener.message_bytes:
            front.fail(call_id, StatusCode.RESOURCE_EXHAUSTED.value[0], "message too large")
            return
        call = _Call(call_id, message, None if remaining_s is None else time.monotonic() + remaining_s)
        self._queued[call_id] = call
        surplus = self._turns.offer(self._decider.find_caller(message), call)
        if surplus is not None:
            del self._queued[surplus.call_id]
            self._drive(front, surplus.call_id, self._decider.refuse(Reason.OVERLOADED))

    def _decide_next(self, front: NativeGrpcFront) -> None:
        call = self._turns.take()
        del self._queued[call.call_id]
        started = time.thread_time()
        self._drive(front, call.call_id, self._decider.check(call.message, call.remaining_s()))
        self._turns.charge(time.thread_time() - started)

    def _drive(self, front: NativeGrpcFront, call_id: int, coroutine: Coroutine[Any, Any, bytes]) -> None:
        try:
            waits_for = coroutine.send(None)
        except StopIteration as done:
            front.respond(call_id, done.value)
            return
        except Exception:  # noqa: BLE001 the top of the receiving thread: one call fails, and Envoy denies it
            _LOG.exception("a defect ended a call without an answer; Envoy denies the request")
            front.fail(call_id, StatusCode.INTERNAL.value[0], "")
            return
        loop = self._loop
        if waits_for is not None or loop is None or loop.is_closed():
            # INVARIANT: the first thing a call waits for is `hand_over`, which yields None.
            coroutine.close()
            front.fail(call_id, StatusCode.INTERNAL.value[0], "")
            return
        loop.call_soon_threadsafe(self._go_on, front, call_id, coroutine)

    def _go_on(self, front: NativeGrpcFront, call_id: int, coroutine: Coroutine[Any, Any, bytes]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._waiting[call_id] = task
        task.add_done_callback(partial(self._finish, front, call_id))

    def _finish(self, front: NativeGrpcFront, call_id: int, task: "asyncio.Task[bytes]") -> None:
        self._waiting.pop(call_id, None)
        if task.cancelled() or task.exception() is not None:
            front.fail(call_id, StatusCode.CANCELLED.value[0], "")
            return
        front.respond(call_id, task.result())

    def _forget(self, call_id: int) -> None:
        self._watchers.discard(call_id)
        queued = self._queued.get(call_id)
        if queued is not None:
            queued.is_gone = True
            return
        if self._loop is not None and not self._loop.is_closed():
            # The call itself may still be on its way to the event loop: this comes after it.
            self._loop.call_soon_threadsafe(self._cancel, call_id)

    def _cancel(self, call_id: int) -> None:
        task = self._waiting.get(call_id)
        if task is not None:
            task.cancel()

    def _answer_health(self, front: NativeGrpcFront, call_id: int, method: int, message: bytes) -> None:
        try:
            service = health_pb2.HealthCheckRequest.FromString(message).service
        except DecodeError:
            front.fail(call_id, StatusCode.INVALID_ARGUMENT.value[0], "unreadable")
            return
        if method == _HEALTH_CHECK and service not in _KNOWN_SERVICES:
            front.fail(call_id, StatusCode.NOT_FOUND.value[0], "unknown service")
        elif method == _HEALTH_CHECK:
            front.respond(call_id, self._health())
        elif len(self._watchers) >= _MAX_WATCHERS:
            front.fail(call_id, StatusCode.RESOURCE_EXHAUSTED.value[0], "too many watchers")
        else:
            self._watchers.add(call_id)
            front.stream_try_send(call_id, self._health())

    def _health(self) -> bytes:
        status = health_pb2.HealthCheckResponse
        return status(status=status.SERVING if self._is_serving else status.NOT_SERVING).SerializeToString()

    async def set_serving(self, is_serving: bool) -> None:
        """Answer health checks; `Engine.set_serving`."""
        self._is_serving = is_serving
        if self._front is not None:
            for call_id in tuple(self._watchers):
                self._front.stream_try_send(call_id, self._health())

    def count_in_flight(self) -> int:
        """Count the calls that wait for their turn, a provider or the store; `Engine.count_in_flight`."""
        return len(self._queued) + len(self._waiting)

    async def stop(self, grace_s: float) -> None:
        """Close; `Engine.stop`."""
        front, ends = self._front, time.monotonic() + grace_s
        if front is None:
            return
        while self._turns and time.monotonic() < ends:
            await asyncio.sleep(_SLICE_S)
        if self._waiting:
            await asyncio.wait(list(self._waiting.values()), timeout=max(0.0, ends - time.monotonic()))
        for call_id in tuple(self._watchers):
            front.stream_end(call_id)
        # An answer that was given just now is still on its way: closing the front would take it back.
        await asyncio.sleep(min(_FLUSH_S, grace_s))
        await asyncio.get_running_loop().run_in_executor(None, front.close)
