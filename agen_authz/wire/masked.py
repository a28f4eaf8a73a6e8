"""The events of data protection (event.proto): what was masked in a response, and what a sample shows.

A row says which rule masked which kind of value, how and where, and how many there were; a value is never in it.
"""

from collections.abc import Collection, Sequence

from msgspec import Struct

from agen_authz.core.masking.rule import Receipt
from agen_authz.core.model import Principal
from agen_authz.core.response.message import Uninspected
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.heading import render_heading
from agen_authz.wire.line import render_line
from agen_authz.wire.shorten import FULL, TIGHT, Room, Row, Shortener

MASK, SAMPLE = "mask", "sample"
# Most rows are short: more of them fit than of what other events list.
_ROOMS = (Room(items=500, chars=512, wide_chars=512), Room(items=100, chars=512, wide_chars=512), FULL)
_SHADOW = "shadow"


class Origin(Struct, frozen=True):
    """Whose response it was.

    Args:
        policy_set: the version of the rules that decided the call.
        principal: None if the call is not known.
    """

    request_id: str
    server: str
    policy_set: str
    principal: Principal | None = None


def render_masked(
    word: str, origin: Origin, receipts: Collection[Receipt], uninspected: Sequence[Uninspected], *, now: float
) -> bytes:
    """Render one event, without its line end.

    Args:
        word: MASK or SAMPLE.
    """
    for room in _ROOMS:
        line = _render(room, word, origin, (receipts, uninspected), now)
        if len(line) < MAX_EVENT_BYTES:
            return line
    # INVARIANT: with TIGHT room every event fits (tests/wire/test_masked.py).
    return _render(TIGHT, word, origin, (receipts, uninspected), now)


def _render(
    room: Room, word: str, origin: Origin, held: tuple[Collection[Receipt], Sequence[Uninspected]], now: float
) -> bytes:
    brief, (receipts, uninspected) = Shortener(room), held
    event = render_heading(word, origin.server, origin.request_id, origin.policy_set, now=now)
    if origin.principal is not None:
        event["principal"] = _principal(origin.principal, brief)
    rows = brief.rows("masking.receipts", [_row(each) for each in receipts], _choose)
    failed = [(each.reason.value, each.detail, "passed" if each.has_passed else "withheld") for each in uninspected]
    event["masking"] = {
        "values": sum(each.count for each in receipts),
        "receipts": [
            {"rule": rule, "detector": detector, "style": style, "pointer": pointer, "count": int(count)}
            | ({"shadow": True} if state == _SHADOW else {})
            for rule, detector, style, pointer, count, state in rows
        ],
        "uninspected": [
            {"reason": reason, "detail": detail, "outcome": outcome}
            for reason, detail, outcome in brief.rows("masking.uninspected", failed)
        ],
    }
    if brief.shortened:
        event["shortened"] = brief.shortened
    return render_line(event)


def _principal(principal: Principal, brief: Shortener) -> dict[str, str]:
    """Name the caller; the decision's own event, with the same `request_id`, has all of it."""
    return {
        "provider": brief.text("principal.provider", principal.provider),
        "issuer": brief.text("principal.issuer", principal.issuer),
        "subject": brief.text("principal.subject", principal.subject),
        "client": brief.text("principal.client", principal.client),
        "tenant": brief.text("principal.tenant", principal.tenant),
    }


def _row(receipt: Receipt) -> Row:
    state = "" if receipt.is_enforced else _SHADOW
    return (receipt.rule, receipt.detector, receipt.style.value, receipt.pointer, str(receipt.count), state)


def _choose(rows: Sequence[Row], room: int) -> list[Row]:
    """Keep what was masked before what only would have been, each in its order."""
    first = sorted(range(len(rows)), key=lambda at: rows[at][-1] == _SHADOW)[:room]
    return [rows[at] for at in sorted(first)]
