"""Load from a separate process: `python -m bench.client ADDRESS CALLS`; four connections, four calls on each."""

import asyncio
import sys

import uvloop
from grpc import aio

from agen_authz.servers.engine import CHECK_METHOD
from bench.subject import build_check_request

CONNECTIONS, STREAMS = 4, 4


async def load(address: str, calls: int) -> None:
    """Make the calls; every answer must be an allowed one."""
    raw = build_check_request()

    async def worker(number: int, count: int) -> None:
        # A separate channel for each connection: grpcio shares them otherwise.
        async with aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1), ("n", number)]) as ch:
            check: aio.UnaryUnaryMultiCallable[bytes, bytes] = ch.unary_unary(CHECK_METHOD)

            async def stream() -> None:
                for _ in range(count // STREAMS):
                    answer = await check(raw, timeout=5.0)
                    # An allowed answer starts with an empty status.
                    assert answer[:2] == b"\x0a\x00", answer[:200]

            await asyncio.gather(*(stream() for _ in range(STREAMS)))

    await asyncio.gather(*(worker(number, calls // CONNECTIONS) for number in range(CONNECTIONS)))


if __name__ == "__main__":
    uvloop.run(load(sys.argv[1], int(sys.argv[2])))
