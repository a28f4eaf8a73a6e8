"""Who is told of what: each address once, in a fixed order."""

import pytest
from msgspec.structs import replace

from agen_authz.core.approval.flow import Approvers
from agen_authz.core.approval.request import LIVE, Notice, Occasion, Progress
from agen_authz.core.approval.table import TABLE, Refusal, pass_time, use, withdraw
from agen_authz.core.approval.tell import tell
from agen_authz.core.model import Digest
from tests.builders import NOW
from tests.core.approval.rig import (
    ANN_MAIL,
    CONTROL,
    FLOW,
    LEAD,
    TERMS,
    approved,
    asked,
    ballot,
    cast,
    controller,
    flow,
    ids,
    person,
    single,
)

BOB, EVE, CHANNEL = "bob@acme.example", "eve@acme.example", "flow:finance"
CHANGED, RENAMED = flow(digest=Digest("g")), flow(name="hr")
BOTH_LEAD = replace(LEAD, approvers=Approvers(emails=frozenset({BOB, ANN_MAIL})))
QUIET = flow(tells_requester=False)
REJECTED = Progress.REJECTED
SECOND = cast(asked(), person())
LATER = pass_time(asked(), FLOW, TERMS, NOW + 3600.0)


def ended(status, **changes):
    """Ask, and end like this in the first step."""
    return asked(status=status, decided_at=NOW, remind_at=None, version=1, **changes)


def places(before, after, by):
    """List what is told to whom."""
    return [(each.occasion, each.to) for each in tell(before, after, by, ids(), NOW)]


TOLD = {
    "opened": (None, asked(), FLOW, Occasion.OPENED, [CHANNEL, BOB]),
    "opened by who is named but may not approve": (
        None, asked(), flow(steps=(BOTH_LEAD,)), Occasion.OPENED, [CHANNEL, BOB],
    ),
    "opened by who may approve": (
        None, asked(), flow(steps=(BOTH_LEAD,), requester_may_approve=True), Occasion.OPENED, [CHANNEL, ANN_MAIL, BOB],
    ),
    "opened in a flow that has no e-mails": (
        None, asked(), flow(steps=(replace(LEAD, approvers=Approvers(emails=frozenset({""}))),)), Occasion.OPENED,
        [CHANNEL],
    ),
    "next step": (asked(), SECOND, FLOW, Occasion.STEP, [CHANNEL, EVE]),
    "next step, named for both": (
        asked(votes=()), asked(step=1, votes=(ballot(email=EVE),)), FLOW, Occasion.STEP, [CHANNEL],
    ),
    "reminder": (asked(), LATER, FLOW, Occasion.REMINDER, [CHANNEL, BOB]),
    "reminder, the last one": (asked(), replace(LATER, remind_at=None), FLOW, Occasion.REMINDER, [CHANNEL, BOB]),
    "reminder of those who have not decided": (
        replace(SECOND, votes=(ballot(), ballot("eve", step=1, email=EVE))),
        replace(SECOND, votes=(ballot(), ballot("eve", step=1, email=EVE)), remind_at=None),
        FLOW, Occasion.REMINDER, [CHANNEL],
    ),
    "approved": (SECOND, approved(step=1), FLOW, Occasion.APPROVED, [CHANNEL, BOB, EVE, ANN_MAIL]),
    "rejected": (asked(), ended(Progress.REJECTED), FLOW, Occasion.REJECTED, [CHANNEL, BOB, ANN_MAIL]),
    "timed out": (asked(), ended(Progress.TIMED_OUT), FLOW, Occasion.TIMED_OUT, [CHANNEL, BOB, ANN_MAIL]),
    "cancelled": (asked(), ended(Progress.CANCELLED), FLOW, Occasion.CANCELLED, [CHANNEL, BOB, ANN_MAIL]),
    "used": (approved(), use(approved(), NOW), FLOW, Occasion.USED, [CHANNEL, ANN_MAIL]),
    "ended, and the requester is an approver": (
        asked(), ended(REJECTED), flow(steps=(BOTH_LEAD, CONTROL)), Occasion.REJECTED, [CHANNEL, ANN_MAIL, BOB],
    ),
    "ended, and the requester is not told": (asked(), ended(REJECTED), QUIET, Occasion.REJECTED, [CHANNEL, BOB]),
    "ended, and the requester has no e-mail": (
        asked(), ended(Progress.REJECTED, requester_email=""), FLOW, Occasion.REJECTED, [CHANNEL, BOB],
    ),
    "ended, and the flow has changed": (
        asked(), ended(Progress.TIMED_OUT), CHANGED, Occasion.TIMED_OUT, [CHANNEL, ANN_MAIL],
    ),
    "ended, and the flow is gone": (asked(), ended(Progress.TIMED_OUT), None, Occasion.TIMED_OUT, [ANN_MAIL]),
    "ended, and the flow is another one": (asked(), ended(Progress.TIMED_OUT), RENAMED, Occasion.TIMED_OUT, [ANN_MAIL]),
    "ended, and nobody is left to be told": (
        asked(), ended(Progress.TIMED_OUT, requester_email=""), None, Occasion.TIMED_OUT, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "by", "occasion", "expected"), TOLD.values(), ids=TOLD.keys())
def test_people_are_told(before, after, by, occasion, expected):
    assert places(before, after, by) == [(occasion, to) for to in expected]


SILENT = {
    "nothing changed": (asked(), asked(), FLOW),
    "a vote that leaves the step open": (SECOND, cast(SECOND, controller("cat")), FLOW),
    "a grant lapsed": (approved(), approved(status=Progress.LAPSED), FLOW),
    "opened, and the flow has changed": (None, asked(), CHANGED),
    "opened, and the flow is another one": (None, asked(), RENAMED),
    "no more reminders, for the flow is gone": (asked(), pass_time(asked(), None, TERMS, NOW + 3600.0), None),
}


@pytest.mark.parametrize(("before", "after", "by"), SILENT.values(), ids=SILENT.keys())
def test_nobody_is_told(before, after, by):
    assert tell(before, after, by, ids(), NOW) == ()


def test_message_has_its_own_id_and_names_request_step_and_time():
    assert tell(asked(), SECOND, FLOW, ids(), NOW + 7.0) == (
        Notice("m0", "0" * 32, Occasion.STEP, CHANNEL, 1, NOW + 7.0),
        Notice("m1", "0" * 32, Occasion.STEP, EVE, 1, NOW + 7.0),
    )


def test_requester_is_told_of_every_end_but_a_grant_that_lapsed():
    ends = {pair for pair in TABLE.items() if pair[1] not in LIVE}
    silent = {
        after
        for (before, _), after in ends
        if ANN_MAIL not in [to for _, to in places(asked(status=before), asked(status=after), FLOW)]
    }
    assert silent == {Progress.LAPSED}


def test_withdrawing_a_grant_tells_its_approvers():
    withdrawn = withdraw(approved(), approved().requester, NOW)
    assert not isinstance(withdrawn, Refusal)
    assert places(approved(), withdrawn, single()) == [(Occasion.CANCELLED, to) for to in (CHANNEL, BOB, ANN_MAIL)]
