"""One event of what is not a decision, written at once or in its turn."""

import asyncio
from collections.abc import Hashable

from agen_authz.core.errors import Unavailable
from agen_authz.core.model import NOBODY
from agen_authz.core.reason import Reason
from agen_authz.ports import AuditSink

# How long an event waits for its turn. In the worker that inspects it goes to another process and back, which takes far
# longer where processors are scarce; a masked message waits for it, and Envoy waits 5 s for an answer.
_WAIT_S = 0.5


async def write_evidence(line: bytes, audit: AuditSink, owner: Hashable = NOBODY) -> None:
    """Write an event.

    Args:
        owner: whose turn it waits for.

    Raises:
        Unavailable: it cannot be written, or there was no room in time.
    """
    if audit.emit(line):
        return
    try:
        async with asyncio.timeout(_WAIT_S):
            await audit.emit_in_turn(line, owner)
    except TimeoutError as exc:
        raise Unavailable(Reason.AUDIT_UNAVAILABLE, "full") from exc
