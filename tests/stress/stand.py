"""A whole Check on a real engine and real channels, with keys that come when a test says so."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc import aio

from agen_authz.core.identity.jwk import PublicKey
from agen_authz.servers.engine import CHECK_METHOD, Engine, Listener
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.native_engine import NativeEngine
from tests import builders as build
from tests.check.rig import Rig, Seen, read_answer
from tests.fakes import FakeClock, MemoryKeys
from tests.stage.process import BOUND_S

ENGINES: dict[str, Any] = {"native": NativeEngine, "grpcio": GrpcioEngine}
# Each is a separate connection: one connection never carries more than `in_flight` calls.
CONNECTIONS = 3
LATE_KID = "late"


class LateKeys(MemoryKeys):
    """Keys, one of which arrives only when the test lets it; counts who waits for it."""

    def __init__(self, *providers: str) -> None:
        super().__init__(*providers)
        self.hold("idp", build.public_key(build.ec_key()))
        self.published["idp"] = (*self.known["idp"], build.public_key(build.ec_key(LATE_KID), LATE_KID))
        self.arrived = asyncio.Event()
        self.waiting = 0

    async def fetch_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        self.waiting += 1
        try:
            await self.arrived.wait()
        finally:
            self.waiting -= 1
        return await super().fetch_key(provider, kid, algorithm)


@dataclass
class Stand:
    """Everything a test of load holds in its hands."""

    rig: Rig
    keys: LateKeys
    turns: "itertools.cycle[aio.Channel]"

    def ask(self, raw: bytes, timeout_s: float | None = None) -> "asyncio.Task[Seen]":
        """Ask on the next connection."""
        return asyncio.ensure_future(_ask(next(self.turns), raw, timeout_s))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something to become true, and no longer than a bound."""
        await until(is_so)


async def _ask(channel: aio.Channel, raw: bytes, timeout_s: float | None) -> Seen:
    return read_answer(await unary(channel, CHECK_METHOD)(raw, timeout=timeout_s))


def unary(channel: aio.Channel, name: str) -> Any:
    """One unary method on bytes; grpcio's types know only generated messages."""
    return channel.unary_unary(name)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something to become true, and no longer than a bound."""
    async with asyncio.timeout(BOUND_S):
        while not is_so():
            await asyncio.sleep(0.001)


def good(**claims: Any) -> bytes:
    """A call by a caller whose key is known."""
    return _call(build.sign(build.claims(**claims)))


def waits(kid: str = LATE_KID, **claims: Any) -> bytes:
    """A call whose key must be asked for; with another `kid` than LATE_KID it does not exist."""
    return _call(build.sign(build.claims(**claims), key=build.ec_key(kid), kid=kid))


def _call(token: str) -> bytes:
    document = build.message()
    return build.check_request(build.headers_for(token, document), build.encode(document))


@asynccontextmanager
async def standing(kind: str, folder: Path, in_flight: int, clock: FakeClock | None = None) -> AsyncIterator[Stand]:
    """Serve a rig on an engine."""
    keys = LateKeys("idp", "other")
    rig = Rig(keys=keys, in_flight=in_flight, clock=clock or FakeClock(build.NOW))
    address = f"unix://{folder}/authz.sock"
    engine: Engine = ENGINES[kind](Listener(address, 65536, in_flight), rig.servicer)
    await engine.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.stop, 0)
        own = [("grpc.use_local_subchannel_pool", 1)]
        opened = [aio.insecure_channel(address.replace("unix://", "unix:"), options=own) for _ in range(CONNECTIONS)]
        channels = [await stack.enter_async_context(channel) for channel in opened]
        try:
            yield Stand(rig, keys, itertools.cycle(channels))
        finally:
            keys.arrived.set()
