"""What was masked in a response is counted, and leaves one event.

1. A JSON body leaves once its event is written; if that fails, it is withheld.
2. The events of a stream leave at once, and what was masked in them is collected: one event is written when the
   response ends, however it ends. A stream may live for hours, so one is also written whenever `MAX_ROWS` different
   rows have been collected, and then the message that made them so many waits for it. So a stream holds little, and an
   audit sink that takes nothing stops it sooner or later.
3. What could not be inspected is in the last event, whether it passed or was withheld.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from agen_authz.core.masking.rule import Receipt
from agen_authz.core.model import NOBODY, Owner
from agen_authz.core.response.message import MaskedValues, Uninspected
from agen_authz.obligations.evidence import write_evidence
from agen_authz.ports import AuditSink, Clock, MaskingMetrics
from agen_authz.wire.masked import MASK, Origin, render_masked

MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class MaskingPorts:
    """What is needed to count and to report what was masked."""

    audit: AuditSink
    metrics: MaskingMetrics
    clock: Clock


class Receipts:
    """Receipts of several messages, those of the same place added up."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[Receipt, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, receipts: Iterable[Receipt]) -> None:
        """Add receipts."""
        for each in receipts:
            place = replace(each, count=0)
            self._rows[place] = self._rows.get(place, 0) + each.count

    def list_rows(self) -> list[Receipt]:
        """List a receipt for each place."""
        return [replace(place, count=count) for place, count in self._rows.items()]

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()


class MaskingLedger:
    """What was masked in one response until it is written.

    Args:
        origin: whose response it is.
        word: what the event is called.
    """

    __slots__ = ("_collected", "_origin", "_ports", "_uninspected", "_word")

    def __init__(self, origin: Origin, ports: MaskingPorts, word: str = MASK) -> None:
        self._origin, self._ports, self._word = origin, ports, word
        self._collected = Receipts()
        self._uninspected: list[Uninspected] = []

    async def note(self, notes: Sequence[MaskedValues | Uninspected], *, is_last: bool) -> None:
        """Collect what a message tells, and write what was collected if it is time.

        Args:
            is_last: True if the response has ended: nothing is collected any longer.

        Raises:
            Unavailable: it could not be written; the message must not leave, and nothing is kept of it.
        """
        receipts = [each for note in notes if isinstance(note, MaskedValues) for each in note.receipts]
        self._uninspected += [note for note in notes if isinstance(note, Uninspected)]
        if not is_last and len(self._collected) + len(receipts) < MAX_ROWS:
            self._collected.add(receipts)
        else:
            await self._write(receipts)
        self._count(receipts)

    async def _write(self, receipts: Sequence[Receipt]) -> None:
        rows = Receipts()
        rows.add(self._collected.list_rows())
        rows.add(receipts)
        if not rows and not self._uninspected:
            return
        principal, ports = self._origin.principal, self._ports
        owner = NOBODY if principal is None else Owner(principal.issuer, principal.subject)
        listed = rows.list_rows()
        line = render_masked(self._word, self._origin, listed, self._uninspected, now=ports.clock.now())
        # INVARIANT: if this raises, what was collected before is still there for the next time.
        await write_evidence(line, ports.audit, owner)
        self._collected.clear()
        self._uninspected.clear()

    def _count(self, receipts: Iterable[Receipt]) -> None:
        metrics, server = self._ports.metrics, self._origin.server
        for each in receipts:
            if each.is_enforced:
                metrics.count_masked(each.detector, each.style.value, server, each.count)
            else:
                metrics.count_masked_shadow(each.detector, each.style.value, server, each.count)
