"""The event of many, by the clock: what was only counted is reported every second, and at the end (ADR 0015)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agen_authz.obligations import tell
from agen_authz.outside import Ports

_LOG = logging.getLogger(__name__)
_PERIOD_S = 1.0


async def tell_by_the_clock(ports: Ports, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Write the events of what was counted until cancelled; a defect is logged, and does not end this."""
    while True:
        await sleep(_PERIOD_S)
        try:
            await tell(ports)
        except Exception:  # noqa: BLE001 the top of a background task: it is logged, and the task continues
            _LOG.exception("a defect stopped the event of counted decisions; they stay counted for the next one")


async def tell_at_the_end(ports: Ports) -> None:
    """Write the event of what is left, or log its counts, which are lost after this."""
    await tell(ports)
    left = ports.crowd.take()
    if left.counts:
        rows = [f"{count} x {decision} {reason} {server}" for (decision, reason, server), count in left.counts.items()]
        extra = {"total": left.total, "counts": rows}
        _LOG.error("the server stops without an event for decisions that were only counted", extra=extra)
