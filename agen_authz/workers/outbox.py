"""Sends the messages of the outbox.

1. No more than `max_per_hour` messages are taken within any hour; what exceeds that stays in the outbox. Replicas that
   take messages at the same moment see each other's, and put back what is too much.
2. A message is leased: if this process ends before it has noted that the message was sent, the message is sent once
   more when the lease is over, and by no other before. So no crash loses one, and none repeats one more than once.
3. A message that cannot be sent is tried again later and later, `_MAX_ATTEMPTS` times within about half a day.
4. A message that asks for a decision which is no longer wanted is not sent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import Struct

from agen_authz.core.approval.request import Notice
from agen_authz.ports import Clock, Entropy
from agen_authz.ports.approval import ApprovalStore, NotificationMetrics, Notifier, Outbox
from agen_authz.workers.message import Wording, is_outdated, write_message
from agen_authz.workers.repeat import repeat

_LOG = logging.getLogger(__name__)
TASK = "outbox"
HOUR_S = 3600.0
# Far more than a send may take.
LEASE_S = 300.0
MAX_ATTEMPTS = 20
_BATCH = 8
_FIRST_DELAY_S, _MAX_DELAY_S = 5.0, HOUR_S


@dataclass(frozen=True, slots=True)
class OutboxPorts:
    """What messages are sent with."""

    outbox: Outbox
    approvals: ApprovalStore
    notifier: Notifier
    clock: Clock
    entropy: Entropy
    metrics: NotificationMetrics


class OutboxTerms(Struct, frozen=True):
    """How messages are sent; `max_per_hour` is `notifications.max_per_hour`."""

    wording: Wording
    max_per_hour: int


class OutboxWorker:
    """Sends messages; `terms` may be replaced between two steps."""

    def __init__(self, ports: OutboxPorts, terms: OutboxTerms) -> None:
        self._ports, self.terms = ports, terms
        self._is_full = False

    async def step(self, now: float) -> int:
        """Send what is due now, as far as there is room in this hour; return how many messages were taken.

        Raises:
            Unavailable: the store did not answer; what was taken is tried again when its lease is over.
        """
        # 1.
        room = self.terms.max_per_hour - await self._ports.outbox.count_sent(now - HOUR_S)
        self._note_full(room <= 0)
        if room <= 0:
            return 0
        taken = await self._ports.outbox.take(now, LEASE_S, min(room, _BATCH))
        kept = await self._put_back(taken, now)
        # One that fails must not end the others.
        results = await asyncio.gather(*(self._deliver(each, now) for each in kept), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(taken)

    async def _put_back(self, taken: tuple[Notice, ...], now: float) -> tuple[Notice, ...]:
        if not taken:
            return taken
        excess = await self._ports.outbox.count_sent(now - HOUR_S) - self.terms.max_per_hour
        kept = len(taken) - max(excess, 0)
        for each in taken[max(kept, 0) :]:
            await self._ports.outbox.postpone(each.id, now + self._shorten(60.0))
        return taken[: max(kept, 0)]

    async def _deliver(self, message: Notice, now: float) -> None:
        ports = self._ports
        request = await ports.approvals.get(message.request)
        # 4.
        if request is None or is_outdated(message, request):
            return await self._end(message, "outdated")
        if not ports.notifier.reaches(message.to):
            return await self._end(message, "nowhere")
        # A defect, or a process that dies of it, has ended each attempt.
        if message.attempts > MAX_ATTEMPTS:
            return await self._give_up(message)
        kept = await ports.approvals.read_kept(message.request)
        text = write_message(message, request, kept, self.terms.wording, now)
        if not await ports.notifier.send(message.id, message.to, text.subject, text.body):
            return await self._try_later(message)
        # 2.
        await ports.outbox.settle(message.id, ports.clock.now())
        ports.metrics.count_notification(message.occasion.value, "sent")
        return None

    async def _try_later(self, message: Notice) -> None:
        # 3.
        if message.attempts >= MAX_ATTEMPTS:
            return await self._give_up(message)
        delay_s = min(_FIRST_DELAY_S * 2 ** (message.attempts - 1), _MAX_DELAY_S)
        await self._ports.outbox.postpone(message.id, self._ports.clock.now() + self._shorten(delay_s))
        self._ports.metrics.count_notification(message.occasion.value, "failed")
        return None

    async def _give_up(self, message: Notice) -> None:
        extra = {"request": message.request, "occasion": message.occasion.value, "attempts": message.attempts}
        _LOG.error("a message to people could not be sent, and is not tried any more", extra=extra)
        await self._end(message, "given_up")

    async def _end(self, message: Notice, outcome: str) -> None:
        await self._ports.outbox.give_up(message.id, self._ports.clock.now())
        self._ports.metrics.count_notification(message.occasion.value, outcome)

    def _shorten(self, delay_s: float) -> float:
        """Take up to half of a delay off, at random, so that replicas do not come back at once."""
        return delay_s * (1.0 - int.from_bytes(self._ports.entropy.draw(4), "big") / 2**33)

    def _note_full(self, is_full: bool) -> None:
        if is_full and not self._is_full:
            extra = {"max_per_hour": self.terms.max_per_hour}
            _LOG.warning("no more messages may be sent in this hour; others wait", extra=extra)
        self._is_full = is_full


async def run_outbox(worker: OutboxWorker, ports: OutboxPorts, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Send messages until cancelled; a defect is logged and counted, and does not end this."""

    def note_defect() -> None:
        _LOG.exception("a defect stopped the sending of messages to people; it continues in ten seconds")
        ports.metrics.count_defect(TASK)

    await repeat(lambda: worker.step(ports.clock.now()), note_defect, sleep)
