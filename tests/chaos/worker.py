"""One process that uses grants, many calls at once: `python -m tests.chaos.worker URL`.

It reads calls, one a line (`NUMBER KEY...`), until an empty line. Before a call uses its grants it prints
`begun NUMBER`, and afterwards its result, so that the test which kills it knows which calls were in flight.
"""

import asyncio
import sys

from agen_authz.adapters.store import KeptCipher, SqlApprovals, open_store
from agen_authz.core.approval.request import Notice, Occasion
from agen_authz.core.approval.table import is_usable
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Digest
from tests.builders import NOW

AT_ONCE = 8
_TIMEOUT_S = 60.0


def _say(what: str, number: int) -> None:
    sys.stdout.write(f"{what} {number}\n")
    sys.stdout.flush()


async def _call(approvals: SqlApprovals, number: int, keys: list[Digest]) -> None:
    """Make one call, as Check does: find what it asks for, and use all of it."""
    # The time says which call has used a grant.
    now = NOW + number
    try:
        found = await approvals.find(keys)
        if not (len(found) == len(keys) and all(is_usable(each, now) for each in found)):
            return _say("denied", number)
        messages = [Notice(f"{number}-{each.id}", each.id, Occasion.USED, "flow:finance", 0, now) for each in found]
        _say("begun", number)
        is_used = await approvals.consume([each.id for each in found], now, messages)
    except Unavailable:
        return _say("unavailable", number)
    return _say("allowed" if is_used else "denied", number)


async def _work(url: str, lines: list[str]) -> None:
    store = open_store(url, _TIMEOUT_S)
    approvals, room = SqlApprovals(store, KeptCipher(None, bytes)), asyncio.Semaphore(AT_ONCE)

    async def make(line: str) -> None:
        number, *keys = line.split()
        async with room:
            await _call(approvals, int(number), [Digest(key) for key in keys])

    await asyncio.gather(*(make(line) for line in lines))
    await store.close()


def main() -> None:
    """Make the calls that are written to standard input."""
    lines = list(iter(lambda: sys.stdin.readline().strip(), ""))
    asyncio.run(_work(sys.argv[1], lines))


if __name__ == "__main__":
    main()
