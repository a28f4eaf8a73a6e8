"""What the tests of databases share."""

import asyncio
import threading

from agen_authz.adapters.store.revision import NEWEST

WAIT_S = 10.0
# What a new store reports when it is brought to this version.
STEPS = [f"migrated to {number:04}" for number in range(1, int(NEWEST) + 1)]


async def until_connections_end() -> None:
    """Wait until the threads of closed connections have ended.

    A connection that is given up rather than closed tells the event loop when it ends, so the loop must still be there.
    """
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, WAIT_S)
