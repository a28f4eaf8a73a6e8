"""The events of sign-ins at the console (event.proto): who came, with what the provider said of them, and who left."""

from datetime import UTC, datetime
from enum import StrEnum

from agen_authz.core.approval.table import Approver
from agen_authz.core.reason import Reason
from agen_authz.wire.approval_event import EventTerms
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.heading import render_heading
from agen_authz.wire.line import render_line
from agen_authz.wire.shorten import Room, Shortener, fit

SIGN_IN = "sign_in"


class SignInWord(StrEnum):
    """What an event tells of."""

    SIGNED_IN = "signed_in"
    TERMINAL = "terminal"  # the person let a terminal in
    SIGNED_OUT = "signed_out"
    REFUSED = "refused"  # what the provider said is not accepted; `reason` says why


def render_sign_in(
    word: SignInWord,
    provider: str,
    terms: EventTerms,
    *,
    now: float,
    who: Approver | None,
    reason: Reason | None = None,
) -> bytes:
    """Render one event without its line end.

    Args:
        provider: the name of the provider that was asked.
        who: None if it is not known.
        reason: only of a refusal.
    """
    # It fits: tests/wire/test_sign_in_event.py.
    return fit(lambda room: _render(room, word, provider, (terms, now, who, reason)), MAX_EVENT_BYTES)


def _render(
    room: Room, word: SignInWord, provider: str, told: tuple[EventTerms, float, Approver | None, Reason | None]
) -> bytes:
    (terms, now, who, reason), brief = told, Shortener(room)
    event = render_heading(SIGN_IN, "", "", terms.policy_set, now=now)
    if reason is not None:
        event["reason"] = reason.value
    event["sign_in"] = {"event": word.value, "provider": brief.text("sign_in.provider", provider)} | _person(brief, who)
    if brief.shortened:
        event["shortened"] = brief.shortened
    return render_line(event)


def _person(brief: Shortener, who: Approver | None) -> dict[str, object]:
    if who is None:
        return {}
    person: dict[str, object] = {
        "issuer": brief.text("sign_in.issuer", who.owner.issuer),
        "subject": brief.text("sign_in.subject", who.owner.subject),
        "email": brief.text("sign_in.email", who.email),
        "tenant": brief.text("sign_in.tenant", who.tenant),
        "roles": brief.texts("sign_in.roles", sorted(who.roles)),
        "groups": brief.texts("sign_in.groups", sorted(who.groups)),
    }
    if who.auth_time is not None:
        person["auth_time"] = datetime.fromtimestamp(who.auth_time, UTC)
    return person
