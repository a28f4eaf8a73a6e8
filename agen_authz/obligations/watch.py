"""Copies of responses that passed as they are, read afterwards: samples of what no rule covers, and rules in shadow.

1. A copy is handed over when its response has ended, and waits in a queue of `MAX_WAITING`. If the queue is full, the
   copy is dropped and counted: a copy is never waited for.
2. One task reads the copies, one after the other, and each message in a thread: streams go on meanwhile, also while the
   detectors are compiled for the first copy, which takes half a second.
3. What was found in a copy becomes one event. If nothing was found, there is none. An event that cannot be written is
   lost, and the audit sink counts it: no response depends on it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from msgspec import Struct

from agen_authz.core.errors import Unavailable
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.copied import read_copy
from agen_authz.core.response.message import Uninspected
from agen_authz.core.response.passage import Copy
from agen_authz.core.response.protect import Mask
from agen_authz.obligations.evidence import write_evidence
from agen_authz.obligations.mask import MAX_ROWS, MaskingPorts, Receipts
from agen_authz.wire.masked import MASK, SAMPLE, Origin, render_masked

_LOG = logging.getLogger(__name__)
MAX_WAITING = 16


class Watched(Struct, frozen=True):
    """How the copy of one response is read.

    Args:
        is_sample: True if no rule covers the call; False if rules in shadow do.
        mask: finds what there is; what it returns as a message is not used.
    """

    origin: Origin
    is_sample: bool
    mask: Mask
    limits: ResponseLimits


class Watcher:
    """Reads copies; belongs to one event loop."""

    __slots__ = ("_come", "_ports", "_waiting")

    def __init__(self, ports: MaskingPorts) -> None:
        self._ports = ports
        self._waiting: deque[tuple[Watched, Copy]] = deque()
        self._come = asyncio.Event()

    def offer(self, watched: Watched, copy: Copy | None) -> None:
        """Hand a copy over.

        Args:
            copy: None if the response was too large to be kept.
        """
        if copy is None or len(self._waiting) >= MAX_WAITING:
            self._ports.metrics.count_copy(watched.origin.server, "dropped")
            return
        self._waiting.append((watched, copy))
        self._come.set()

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Read what is handed over, until cancelled; a defect is logged, and the next copy is read."""
        while True:
            await self._come.wait()
            while self._waiting:
                watched, copy = self._waiting.popleft()
                try:
                    await self._read(watched, copy, pause)
                except Exception:  # noqa: BLE001 the top of a background task: it is logged, and the task continues
                    _LOG.exception("a defect ended the reading of a copy of a response; the response had passed")
            self._come.clear()

    async def _read(self, watched: Watched, copy: Copy, pause: Callable[[float], Awaitable[None]]) -> None:
        found, uninspected, total = Receipts(), list[Uninspected](), 0
        for message in read_copy(copy, watched.limits):
            total += 1
            try:
                found.add((await asyncio.to_thread(watched.mask, message))[1])
            except Unmaskable as exc:
                # Others of the same copy tell nothing more.
                uninspected[:] = [Uninspected(Reason.UNMASKABLE, exc.detail, has_passed=True)]
            await pause(0)
            if len(found) >= MAX_ROWS:
                break
        await self._tell(watched, found, uninspected, total)

    async def _tell(self, watched: Watched, found: Receipts, uninspected: list[Uninspected], total: int) -> None:
        origin, ports = watched.origin, self._ports
        outcome = "found" if found else "clean" if total and not uninspected else "unread"
        ports.metrics.count_copy(origin.server, outcome)
        rows = found.list_rows()
        for each in rows:
            if watched.is_sample:
                ports.metrics.count_unruled(each.detector, origin.server, each.count)
            else:
                ports.metrics.count_masked_shadow(each.detector, each.style.value, origin.server, each.count)
        if not rows:
            return
        word = SAMPLE if watched.is_sample else MASK
        try:
            await write_evidence(render_masked(word, origin, rows, uninspected, now=ports.clock.now()), ports.audit)
        except Unavailable:
            # 3.
            return
