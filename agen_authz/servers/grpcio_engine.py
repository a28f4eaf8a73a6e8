"""Check on grpcio: every address, and mutual TLS.

Calls wait their turn as on the native engine (`turn.Turns`): between two of them the event loop takes in what came.
"""

import asyncio
import time

import grpc
from grpc import aio

from agen_authz.core.reason import Reason
from agen_authz.servers.engine import CHECK_SERVICE, Decider, Listener
from agen_authz.servers.grpcio_server import GrpcioServer
from agen_authz.servers.turn import Turns

# How long calls are taken in before the next is decided, in rounds of the loop, and how many without one end it.
_ROUNDS, _QUIET_ROUNDS = 64, 2


class GrpcioEngine:
    """`servers.engine.Engine` on `grpc.aio`."""

    def __init__(self, listener: Listener, decider: Decider) -> None:
        self._server = GrpcioServer(listener, CHECK_SERVICE, listener.message_bytes)
        self._decider = decider
        self._turns: Turns[asyncio.Future[Reason | None]] = Turns(listener.in_flight)
        self._turning: asyncio.Task[None] | None = None
        self._arrived = 0
        self._in_flight = 0

    async def start(self) -> None:
        """Listen; `Engine.start`."""
        await self._server.start("Check", grpc.unary_unary_rpc_method_handler(self._answer))

    async def _answer(self, raw: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        self._in_flight += 1
        try:
            return await self._answer_in_turn(raw, context)
        finally:
            self._in_flight -= 1

    async def _answer_in_turn(self, raw: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        self._arrived += 1
        surplus = self._turns.offer(self._decider.find_caller(raw), turn := asyncio.get_running_loop().create_future())
        if surplus is not None and not surplus.done():
            surplus.set_result(Reason.OVERLOADED)
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._take_turns())
        reason = await turn
        if reason is not None:
            return await self._decider.refuse(reason)
        # None where the caller set no deadline, whatever the stubs say.
        return await self._decider.check(raw, context.time_remaining())

    async def _take_turns(self) -> None:
        # INVARIANT: whose turn it is runs in the loop's next round, up to where it is done or waits for something.
        while self._turns:
            await self._take_in()
            turn = self._turns.take()
            started = time.thread_time()
            if turn.done():
                # Its caller has left.
                await self._decider.refuse(Reason.DEADLINE)
            else:
                turn.set_result(None)
                await asyncio.sleep(0)
            self._turns.charge(time.thread_time() - started)

    async def _take_in(self) -> None:
        # grpcio hands calls over one by one, a few rounds of the loop each: those that are there come in first.
        quiet, seen = 0, self._arrived
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
            quiet, seen = (quiet + 1, seen) if self._arrived == seen else (0, self._arrived)
            if quiet > _QUIET_ROUNDS:
                return

    async def set_serving(self, is_serving: bool) -> None:
        """Answer health checks; `Engine.set_serving`."""
        await self._server.set_serving(is_serving)

    def count_in_flight(self) -> int:
        """Count the calls that wait for their turn, a provider or the store; `Engine.count_in_flight`."""
        return self._in_flight

    async def stop(self, grace_s: float) -> None:
        """Close; `Engine.stop`."""
        await self._server.stop(grace_s)
