"""Evidence of every decision: its own event, or its count in a shared one (ADR 0015).

Nothing that can fail comes after the event but the answer itself, so it says what was answered (ADR 0018).

1. A request without a verified caller never waits, and never takes more than its share of the events: beyond
   `denials_per_second`, and while there is no room, it is counted.
2. A verified caller's event is written at once, or waits for its turn, but not past the call's own time.
3. What cannot be written is Unavailable: no Allow stands without its event.
"""

import asyncio
from functools import partial

from agen_authz.core.errors import Unavailable
from agen_authz.core.model import NOBODY, Allow, Owner
from agen_authz.core.reason import Reason
from agen_authz.core.stage import Ended, Known, find_known, get_arrived
from agen_authz.outside import Ports
from agen_authz.waiting import Deadline, wait_until
from agen_authz.wire.aggregate import render_aggregate
from agen_authz.wire.event import render_event

# How long a call waits for its event to be written, if its own time lasts so long.
_WAIT_S = 0.05
# How long the event of many waits: no call depends on it.
_PATIENCE_S = 1.0


async def record(ended: Ended, ports: Ports, now: float, deadline: Deadline) -> None:
    """Write a decision's event, or count it.

    Args:
        now: seconds since the epoch.
        deadline: when the caller must have the answer.

    Raises:
        Unavailable: the event cannot be written.
    """
    arrived, elapsed = get_arrived(ended.stage), ports.clock.elapsed()
    # INVARIANT: an Allow is never only counted, whatever caller it is for.
    known = find_known(ended.stage)
    may_count = known is None and not isinstance(ended.decision, Allow)
    # 1.
    if may_count and not ports.crowd.admits(arrived.rules.denials_per_second, elapsed):
        ports.crowd.count(ended, now)
        return
    duration_us = round((elapsed - arrived.started) * 1_000_000)
    line = render_event(ended.decision, ended.stage, now=now, duration_us=duration_us)
    if ports.audit.emit(line):
        return
    if may_count:
        ports.crowd.count(ended, now)
        return
    # 2.
    await _wait(line, known, ports, deadline.at_most(_WAIT_S))


async def _wait(line: bytes, known: Known | None, ports: Ports, deadline: Deadline) -> None:
    owner = NOBODY
    if known is not None:
        owner = Owner(known.principal.issuer, known.principal.subject)
    # 3.
    if deadline.left_s() <= 0:
        raise Unavailable(Reason.AUDIT_UNAVAILABLE, "deadline")
    try:
        await wait_until(deadline, partial(ports.audit.emit_in_turn, line, owner))
    except TimeoutError as exc:
        raise Unavailable(Reason.AUDIT_UNAVAILABLE, "full") from exc


async def tell(ports: Ports) -> None:
    """Write the events of decisions that were only counted so far; what cannot be written stays counted."""
    parts = ports.crowd.take().split()
    try:
        while parts:
            line = render_aggregate(parts[0], ports.clock.now())
            if not ports.audit.emit(line):
                async with asyncio.timeout(_PATIENCE_S):
                    await ports.audit.emit_in_turn(line, NOBODY)
            del parts[0]
    except (Unavailable, TimeoutError):
        # The sink has counted it, and the next time may be better.
        return
    finally:
        for part in parts:
            ports.crowd.give_back(part)
