"""What the tests of databases share."""

import asyncio
import threading

WAIT_S = 10.0


async def until_connections_end() -> None:
    """Wait until the threads of closed connections have ended.

    A connection that is given up rather than closed tells the event loop when it ends, so the loop must still be there.
    """
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, WAIT_S)
