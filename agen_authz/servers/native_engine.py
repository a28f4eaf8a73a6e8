"""Check on pygrpc-native's front: the thread that receives a call also decides it, unless it must wait.

Each call's coroutine is driven once by the receiving thread; most are done then. One that has to wait yields
first (`waiting.hand_over`), and goes on as a task of the event loop.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from threading import Thread
from typing import Any

from google.protobuf.message import DecodeError
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from pygrpc_native import EVENT_CANCEL, NativeGrpcFront

from agen_authz.servers.engine import (
    CHECK_METHOD,
    CHECK_SERVICE,
    HEALTH_SERVICE,
    CheckFunction,
    Listener,
    claimed,
    refuse_address,
)

_LOG = logging.getLogger(__name__)
_CHECK, _HEALTH_CHECK, _HEALTH_WATCH = range(3)
_METHODS = ((CHECK_METHOD, False), (f"/{HEALTH_SERVICE}/Check", False), (f"/{HEALTH_SERVICE}/Watch", True))
_BATCH = 64
_MAX_METADATA_BYTES = 64 * 1024
_MAX_WATCHERS = 100
_KNOWN_SERVICES = frozenset({"", CHECK_SERVICE})


class NativeEngine:
    """`servers.engine.Engine` on the low-level front of pygrpc-native."""

    def __init__(self, listener: Listener, check: CheckFunction) -> None:
        self._listener = listener
        self._check = check
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
                raise refuse_address(self._listener.address, str(exc)) from exc
        self._front = front
        self._thread = Thread(target=self._serve, args=(front,), name="check", daemon=True)
        self._thread.start()

    def _serve(self, front: NativeGrpcFront) -> None:
        while (events := front.recv_batch_details(_BATCH)) is not None:
            for kind, call_id, method, payload, _, details in events:
                if kind == EVENT_CANCEL:
                    self._forget(call_id)
                elif method == _CHECK:
                    remaining_s = details[2] if details is not None else None
                    self._begin(front, call_id, payload or b"", remaining_s)
                else:
                    self._answer_health(front, call_id, method, payload or b"")

    def _begin(self, front: NativeGrpcFront, call_id: int, payload: bytes, remaining_s: float | None) -> None:
        if len(payload) > self._listener.message_bytes:
            front.fail(call_id, StatusCode.RESOURCE_EXHAUSTED.value[0], "message too large")
            return
        coroutine = self._check(payload, remaining_s)
        try:
            waits_for = coroutine.send(None)
        except StopIteration as done:
            front.respond(call_id, done.value)
            return
        except Exception:  # noqa: BLE001 the top of the receiving thread: one call fails, and Envoy denies it
            _LOG.exception("a call failed")
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
        if self._loop is not None and not self._loop.is_closed():
            # The call itself may still be on its way to the event loop: this comes after it.
            self._loop.call_soon_threadsafe(self._cancel, call_id)

    def _cancel(self, call_id: int) -> None:
        task = self._waiting.get(call_id)
        if task is not None:
            task.cancel()

    def _answer_health(self, front: NativeGrpcFront, call_id: int, method: int, payload: bytes) -> None:
        try:
            service = health_pb2.HealthCheckRequest.FromString(payload).service
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

    async def stop(self, grace_s: float) -> None:
        """Close; `Engine.stop`."""
        front, waiting = self._front, list(self._waiting.values())
        if front is None:
            return
        if waiting:
            await asyncio.wait(waiting, timeout=grace_s)
        for call_id in tuple(self._watchers):
            front.stream_end(call_id)
        await asyncio.get_running_loop().run_in_executor(None, front.close)
