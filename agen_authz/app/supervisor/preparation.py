"""The store is made ready once, before any worker starts, in a process that ends then.

What migrations need is not loaded anywhere else, and no worker finds the store half made.
"""

import asyncio
import os

import msgspec

from agen_authz.adapters.clock import SystemEntropy
from agen_authz.app.state import open_state
from agen_authz.app.supervisor.birth import fork_child
from agen_authz.config import Loaded
from agen_authz.core.errors import ConfigError, Problem

_PROBLEMS = msgspec.msgpack.Decoder(tuple[Problem, ...])


def prepare_store(loaded: Loaded) -> None:
    """Make the store ready; the caller has one thread and no event loop.

    Raises:
        ConfigError: it cannot be used, or was made for another configuration.
    """
    reading, writing = os.pipe()

    def run() -> int:
        os.close(reading)
        with os.fdopen(writing, "wb") as out:
            out.write(msgspec.msgpack.encode(asyncio.run(_prepare(loaded))))
        return 0

    pid = fork_child("store", run)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        raw = answer.read()
    os.waitpid(pid, 0)
    if not raw:
        problem = Problem(str(loaded.file), None, "store.url", "the store was not made ready", "see standard error")
        raise ConfigError((problem,))
    problems = _PROBLEMS.decode(raw)
    if problems:
        raise ConfigError(problems)


async def _prepare(loaded: Loaded) -> tuple[Problem, ...]:
    try:
        state = await open_state(loaded, SystemEntropy())
    except ConfigError as exc:
        return exc.problems
    await state.store.close()
    return ()
