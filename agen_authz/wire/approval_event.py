"""The events of approvals (event.proto): who asked for which call, and what people or the clock made of it.

Parameters, definition and policy are named by their digests, a reason by a keyed one: people write into it what they
have read in the arguments.
"""

from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from agen_authz.core.approval.request import ApprovalRequest
from agen_authz.core.digest import digest_text
from agen_authz.core.model import Owner
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.heading import render_heading
from agen_authz.wire.line import render_line
from agen_authz.wire.shorten import Room, Shortener, fit

APPROVAL = "approval"


class ApprovalWord(StrEnum):
    """What an event tells of; the label `event` of `agen_approvals_total` has the same words."""

    ASKED = "asked"
    APPROVED = "approved"  # by one person, or by the clock if there is no approver in it
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    USED = "used"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    UNMASKED = "unmasked"
    REFUSED = "refused"  # a person tried to decide or withdraw it who may not


class By(Struct, frozen=True):
    """The person who did it.

    Args:
        email: verified, or empty.
        step: the step that was decided, or that waited.
        reason: as it was given; the event has its digest.
        refusal: why nothing was done; empty if it was.
    """

    owner: Owner
    email: str
    step: int
    reason: str = ""
    refusal: str = ""


class EventTerms(Struct, frozen=True):
    """What is the same in every event: the version of the configuration, and what keys digests."""

    policy_set: str
    digest_key: bytes


def find_voter(request: ApprovalRequest) -> By | None:
    """Find who voted last."""
    last = request.votes[-1] if request.votes else None
    return None if last is None else By(last.approver, last.email, last.step, last.reason)


def render_approval(
    word: ApprovalWord, request: ApprovalRequest, terms: EventTerms, *, now: float, by: By | None = None
) -> bytes:
    """Render one event without its line end.

    Args:
        request: as it is afterwards.
        by: who did it; None if it was the requester's call, or the clock.
    """
    # It fits: tests/wire/test_approval_event.py.
    return fit(lambda room: _render(room, word, request, (terms, now, by)), MAX_EVENT_BYTES)


def _render(
    room: Room, word: ApprovalWord, request: ApprovalRequest, told: tuple[EventTerms, float, By | None]
) -> bytes:
    (terms, now, by), brief, binding = told, Shortener(room), request.binding
    event = render_heading(APPROVAL, binding.server, request.request_id, terms.policy_set, now=now)
    approval: dict[str, object] = {
        "event": word.value,
        "id": request.id,
        "status": request.status.value,
        "flow": brief.text("approval.flow", request.flow),
        "policy": brief.text("approval.policy", request.policy),
        "requester": {
            "issuer": brief.text("requester.issuer", binding.issuer),
            "subject": brief.text("requester.subject", binding.subject),
            "email": brief.text("requester.email", request.requester_email),
            "client": brief.text("requester.client", binding.client),
            "tenant": brief.text("requester.tenant", binding.tenant),
        },
        "method": brief.text("approval.method", binding.method),
        "target": brief.text("approval.target", binding.target),
        "binding_digest": request.key,
        "parameters_digest": binding.parameters,
        "definition_digest": binding.definition,
        "policy_digest": binding.policy,
        "ends": datetime.fromtimestamp(request.ends_at, UTC),
    } | _person(brief, by, terms)
    if request.grant_until is not None:
        approval["grant_until"] = datetime.fromtimestamp(request.grant_until, UTC)
    event["approval"] = approval
    if brief.shortened:
        event["shortened"] = brief.shortened
    return render_line(event)


def _person(brief: Shortener, by: By | None, terms: EventTerms) -> dict[str, object]:
    if by is None:
        return {}
    return {
        "step": by.step + 1,
        "approver": {
            "issuer": brief.text("approver.issuer", by.owner.issuer),
            "subject": brief.text("approver.subject", by.owner.subject),
            "email": brief.text("approver.email", by.email),
        },
        "reason_digest": digest_text(by.reason, terms.digest_key) if by.reason else "",
    } | ({"refusal": by.refusal} if by.refusal else {})
