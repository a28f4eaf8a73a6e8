"""What may happen to a request, and every reason why it does not."""

import pytest
from msgspec.structs import replace

from agen_authz.core.approval.flow import Approvers
from agen_authz.core.approval.request import LIVE, ApprovalRequest, Progress, mark_alias
from agen_authz.core.approval.table import (
    MAX_REASON_CHARS,
    REFUSALS,
    TABLE,
    Refusal,
    RequestEvent,
    is_admin,
    is_asked,
    is_refused,
    is_usable,
    may_see,
    may_unmask,
    pass_time,
    settle,
    use,
    vote,
    withdraw,
)
from agen_authz.core.model import Digest, Owner, Subject
from tests.builders import NOW
from tests.core.approval.rig import (
    ANN_MAIL,
    CONTROL,
    FLOW,
    LEAD,
    TERMS,
    THERE,
    approved,
    asked,
    ballot,
    cast,
    controller,
    flow,
    person,
    single,
)

BOB_MAIL = "bob@acme.example"
NOBODY = frozenset[str]()
ANN = person("ann")
ENDED = sorted(set(Progress) - LIVE)
OTHER_FLOWS = [None, flow(digest=Digest("g")), flow(name="hr"), flow(steps=())]
OTHER_FLOW_IDS = ["gone", "changed", "another", "without steps"]


# ---- the table -------------------------------------------------------------------------------------------


def test_table_leads_nowhere_from_an_ended_request():
    assert {status for status, _ in TABLE} == LIVE


def test_every_status_is_reached_and_every_event_happens():
    assert (set(TABLE.values()), {event for _, event in TABLE}) == (set(Progress), set(RequestEvent))


def test_alias_of_the_requester_gives_no_right():
    request = asked(requester_aliases=(mark_alias("0" * 32, "a.jones"),))
    alike = person("x", roles=NOBODY, aliases=frozenset({"a.jones"}))
    assert not may_see(request, FLOW, alike, TERMS)
    own = flow(requester_may_approve=True)
    assert vote(request, own, alike, TERMS, approves=True, reason="", now=NOW) is Refusal.NOT_APPROVER


def test_every_refusal_has_a_sentence():
    assert {refusal for refusal, sentence in REFUSALS.items() if sentence.endswith(".")} == set(Refusal)


# ---- votes: refused --------------------------------------------------------------------------------------

REFUSED = {
    "approved already": (approved(), FLOW, person(), Refusal.ENDED),
    "at its end, though nobody has noted it": (asked(ends_at=NOW), FLOW, person(), Refusal.ENDED),
    **{f"{status}": (asked(status=status), FLOW, person(), Refusal.ENDED) for status in ENDED},
    **{
        f"flow {id}": (asked(), other, person(), Refusal.FLOW_CHANGED)
        for id, other in zip(OTHER_FLOW_IDS, OTHER_FLOWS, strict=True)
    },
    "a step that the flow does not have": (asked(step=2), FLOW, person(), Refusal.FLOW_CHANGED),
    "another tenant": (asked(), FLOW, person(tenant="other"), Refusal.OTHER_TENANT),
    "no tenant": (asked(), FLOW, person(tenant=""), Refusal.OTHER_TENANT),
    "the requester": (asked(), FLOW, ANN, Refusal.REQUESTER),
    "the requester's e-mail at another issuer": (
        asked(), FLOW, person("a2", owner=Owner(THERE, Subject("a2")), email=ANN_MAIL), Refusal.REQUESTER,
    ),
    "an alias of the requester": (
        asked(requester_aliases=(mark_alias("0" * 32, "a.jones"), mark_alias("0" * 32, "o-1"))), FLOW,
        person("b", aliases=frozenset({"b", "o-1"})), Refusal.REQUESTER,
    ),
    "an admin who asked": (asked(), FLOW, replace(ANN, roles=frozenset({"lead", "admin"})), Refusal.REQUESTER),
    "no role": (asked(), FLOW, person(roles=NOBODY), Refusal.NOT_APPROVER),
    "of the next step only": (asked(), FLOW, controller("cat"), Refusal.NOT_APPROVER),
    "an admin whom no step names": (asked(), FLOW, person(roles=frozenset({"admin"})), Refusal.NOT_APPROVER),
    "another e-mail": (asked(), FLOW, person(roles=NOBODY, email="x@acme.example"), Refusal.NOT_APPROVER),
    "no e-mail, though the step names an empty one": (
        asked(), flow(steps=(replace(LEAD, approvers=Approvers(emails=frozenset({""}))),)), person(roles=NOBODY),
        Refusal.NOT_APPROVER,
    ),
    "twice in one step": (asked(votes=(ballot(),)), single(quorum=2), person(), Refusal.DECIDED_ALREADY),
    "in two steps": (
        asked(step=1, votes=(ballot(),)), FLOW, controller("bob"), Refusal.DECIDED_ALREADY,
    ),
    "twice, with one e-mail at two issuers": (
        asked(votes=(ballot(email=BOB_MAIL),)), single(quorum=2),
        person("b2", owner=Owner(THERE, Subject("b2")), email=BOB_MAIL), Refusal.DECIDED_ALREADY,
    ),
    "no auth_time": (asked(), FLOW, person(auth_time=None), Refusal.STALE_LOGIN),
    "an old login": (asked(), FLOW, person(auth_time=NOW - 3600.1), Refusal.STALE_LOGIN),
    "a login in the future": (asked(), FLOW, person(auth_time=NOW + 60.1), Refusal.STALE_LOGIN),
    "a login at no time": (asked(), FLOW, person(auth_time=float("nan")), Refusal.STALE_LOGIN),
}  # fmt: skip


@pytest.mark.parametrize("approves", [True, False], ids=["approves", "rejects"])
@pytest.mark.parametrize(("request_", "by", "who", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_vote_is_refused(request_, by, who, expected, approves):
    assert vote(request_, by, who, TERMS, approves=approves, reason="", now=NOW) is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("x" * (MAX_REASON_CHARS + 1), Refusal.REASON_TOO_LONG),
        ("a\x00b", Refusal.REASON_UNREADABLE),
        ("\x1b[2J", Refusal.REASON_UNREADABLE),
        ("\x85", Refusal.REASON_UNREADABLE),
        ("\ud83d", Refusal.REASON_UNREADABLE),
    ],
    ids=["long", "nul", "escape", "c1", "surrogate"],
)
def test_reason_that_cannot_be_kept_is_refused(reason, expected):
    assert vote(asked(), FLOW, person(), TERMS, approves=False, reason=reason, now=NOW) is expected


# ---- votes: counted --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "x" * MAX_REASON_CHARS, "first\r\n\tsecond", "schön 👩\u200d🔧"])
def test_reason_is_kept_with_the_vote(reason):
    decided = vote(asked(), FLOW, person(email=BOB_MAIL), TERMS, approves=True, reason=reason, now=NOW + 1.0)
    expected = replace(ballot(email=BOB_MAIL), reason=reason, time=NOW + 1.0)
    assert isinstance(decided, ApprovalRequest) and decided.votes == (expected,)


def test_steps_go_on_in_order_and_the_last_one_yields_a_grant():
    first = cast(asked(), person("bob"), now=NOW + 60.0)
    second = cast(first, controller("cat"), now=NOW + 70.0)
    third = cast(second, controller("dan"), now=NOW + 80.0)
    assert [
        (each.status, each.step, each.remind_at, each.decided_at, each.grant_until, each.version)
        for each in (first, second, third)
    ] == [
        (Progress.OPEN, 1, NOW + 3660.0, None, None, 1),
        (Progress.OPEN, 1, NOW + 3660.0, None, None, 2),
        (Progress.APPROVED, 1, None, NOW + 80.0, NOW + 980.0, 3),
    ]


def test_one_rejection_ends_it_whatever_was_approved_before():
    before = cast(asked(), person("bob"), controller("cat"))
    after = vote(before, FLOW, controller("dan"), TERMS, approves=False, reason="no", now=NOW + 5.0)
    assert after == replace(
        before,
        status=Progress.REJECTED,
        votes=(*before.votes, replace(ballot("dan", step=1, approves=False), reason="no", time=NOW + 5.0)),
        decided_at=NOW + 5.0,
        remind_at=None,
        version=3,
    )


@pytest.mark.parametrize(
    "who",
    [
        person(roles=frozenset({"lead", "x"})),
        person(roles=NOBODY, email=BOB_MAIL),
        person(tenant="other", roles=frozenset({"lead", "admin"})),
        person(auth_time=NOW - 3600.0),
        person(auth_time=NOW + 60.0),
        person("ann", owner=Owner(THERE, Subject("ann"))),
    ],
    ids=[
        "role",
        "e-mail",
        "admin of another tenant",
        "just fresh",
        "clock ahead",
        "the same subject of another issuer",
    ],
)
def test_who_may_decide_is_counted(who):
    assert cast(asked(), who).step == 1


def test_group_chooses_an_approver():
    assert cast(asked(flow(steps=(CONTROL,))), controller("cat"), by=flow(steps=(CONTROL,))).version == 1


def test_requester_may_approve_if_the_flow_says_so():
    by = single(requester_may_approve=True)
    assert cast(asked(by), ANN, by=by).status is Progress.APPROVED


def test_people_without_an_email_are_different_people():
    by = single(quorum=2)
    assert cast(asked(by, requester_email=""), person("bob"), person("cat"), by=by).status is Progress.APPROVED


# ---- time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ENDED)
def test_no_time_passes_for_an_ended_request(status):
    request = asked(status=status, grant_until=NOW - 1.0, remind_at=NOW - 1.0)
    assert pass_time(request, FLOW, TERMS, NOW + 1e9) is request


@pytest.mark.parametrize(
    "request_", [asked(), approved(), asked(flow(remind_every_s=None))], ids=["open", "approved", "without reminders"]
)
def test_request_stays_the_same_object_while_nothing_is_due(request_):
    assert pass_time(request_, FLOW, TERMS, NOW + 899.0) is request_


@pytest.mark.parametrize("late_s", [0.0, 86400.0])
@pytest.mark.parametrize("by", [FLOW, *OTHER_FLOWS], ids=["the same", *OTHER_FLOW_IDS])
def test_time_out_denies_from_the_end_of_the_request_on(by, late_s):
    before = asked()
    after = pass_time(before, by, TERMS, before.ends_at + late_s)
    assert after == replace(before, status=Progress.TIMED_OUT, decided_at=before.ends_at, remind_at=None, version=1)


def test_time_out_yields_a_grant_only_in_a_flow_that_says_so_and_that_has_not_changed():
    before, by = asked(), flow(approves_on_timeout=True)
    granted = replace(
        before,
        status=Progress.APPROVED,
        decided_at=before.ends_at,
        grant_until=before.ends_at + 900.0,
        remind_at=None,
        version=1,
    )
    changed = replace(by, digest=Digest("g"))
    assert (
        pass_time(before, by, TERMS, before.ends_at + 5.0),
        pass_time(before, changed, TERMS, before.ends_at + 5.0).status,
    ) == (granted, Progress.TIMED_OUT)


@pytest.mark.parametrize("grant_until", [NOW + 900.0, None], ids=["over", "never there"])
def test_grant_that_is_not_used_in_time_lapses(grant_until):
    before = approved()
    before = replace(before, grant_until=grant_until)
    assert pass_time(before, None, TERMS, NOW + 900.0) == replace(before, status=Progress.LAPSED, version=1)


@pytest.mark.parametrize(
    ("by", "at", "expected"),
    [
        (FLOW, NOW + 3600.0, NOW + 7200.0),
        (FLOW, NOW + 8000.0, NOW + 10800.0),
        (FLOW, NOW + 10800.0, None),
        (flow(remind_every_s=None), NOW + 3600.0, None),
        (flow(remind_every_s=0.0), NOW + 3600.0, None),
        (flow(remind_every_s=1e-12), NOW + 3600.0, None),
        (None, NOW + 3600.0, None),
    ],
    ids=["next", "missed ones are left out", "none after the end", "no more", "zero", "too small", "flow gone"],
)
def test_reminder_sets_the_next_one(by, at, expected):
    assert pass_time(asked(), by, TERMS, at) == asked(remind_at=expected, version=1)


# ---- the grant -------------------------------------------------------------------------------------------


def test_grant_is_used():
    assert use(approved(), NOW + 899.0) == approved(status=Progress.USED, used_at=NOW + 899.0, version=1)


@pytest.mark.parametrize(
    ("request_", "now", "expected"),
    [
        (asked(), NOW, Refusal.NOT_APPROVED),
        (approved(), NOW + 900.0, Refusal.ENDED),
        *((asked(status=status, grant_until=NOW + 900.0), NOW, Refusal.ENDED) for status in ENDED),
    ],
    ids=["open", "too late", *ENDED],
)
def test_there_is_nothing_to_use(request_, now, expected):
    assert (use(request_, now), is_usable(request_, now)) == (expected, False)


@pytest.mark.parametrize("request_", [asked(), approved()], ids=["open", "approved"])
def test_live_request_is_withdrawn_by_who_made_it(request_):
    assert withdraw(request_, request_.requester, NOW + 1.0) == replace(
        request_, status=Progress.CANCELLED, decided_at=NOW + 1.0, remind_at=None, version=1
    )


@pytest.mark.parametrize(
    ("request_", "now"),
    [(asked(), NOW + 14400.0), (approved(), NOW + 900.0), *((asked(status=status), NOW) for status in ENDED)],
    ids=["open too long", "approved too long ago", *ENDED],
)
def test_ended_request_is_not_withdrawn(request_, now):
    assert withdraw(request_, request_.requester, now) is Refusal.ENDED


@pytest.mark.parametrize("subject", ["bob", "admin"])
def test_nobody_withdraws_the_request_of_another_person(subject):
    assert withdraw(asked(), person(subject, roles=frozenset({"admin", "lead"})).owner, NOW) is Refusal.NOT_REQUESTER


SETTLED = {
    "open": (asked(), NOW + 1.0, Progress.OPEN),
    "a reminder is due": (asked(), NOW + 3600.0, Progress.OPEN),
    "its time is over": (asked(), NOW + 14400.0, Progress.TIMED_OUT),
    "approved": (approved(), NOW, Progress.APPROVED),
    "not used in time": (approved(), NOW + 900.0, Progress.LAPSED),
    "used": (asked(status=Progress.USED), NOW + 1e6, Progress.USED),
}


@pytest.mark.parametrize("name", SETTLED)
def test_request_is_shown_as_it_is_now(name):
    request_, now, status = SETTLED[name]
    assert settle(request_, FLOW, TERMS, now).status is status


def test_approval_by_the_clock_that_was_not_used_in_time_is_shown_as_that():
    by = flow(approves_on_timeout=True)
    assert settle(asked(by), by, TERMS, NOW + 14400.0 + 901.0).status is Progress.LAPSED


def test_rejection_holds_until_the_time_of_the_request_is_over():
    rejected = asked(status=Progress.REJECTED)
    refused = [is_refused(rejected, NOW + 14399.0), is_refused(rejected, NOW + 14400.0)]
    others = [is_refused(asked(status=status), NOW) for status in set(Progress) - {Progress.REJECTED}]
    assert (refused, any(others)) == ([True, False], False)


# ---- who sees what ---------------------------------------------------------------------------------------

STRANGER = person("zoe", roles=NOBODY)
SIGHT = {
    "the requester": (asked(), FLOW, replace(ANN, roles=NOBODY), True),
    "the requester, signed in without a tenant": (asked(), None, replace(ANN, tenant=""), True),
    "the requester's e-mail": (asked(), None, replace(STRANGER, email=ANN_MAIL), True),
    "the requester's e-mail in another tenant": (asked(), FLOW, replace(STRANGER, email=ANN_MAIL, tenant="x"), False),
    "an approver of this step": (asked(), FLOW, person(), True),
    "an approver of a later step": (asked(), FLOW, controller("cat"), True),
    "an approver of a flow that has changed": (asked(), flow(digest=Digest("g")), person(), True),
    "an approver of another flow": (asked(), flow(name="hr"), person(), False),
    "an approver of a flow that is gone": (asked(), None, person(), False),
    "an approver of another tenant": (asked(), FLOW, person(tenant="x"), False),
    "who has voted": (asked(votes=(ballot("zoe"),)), None, STRANGER, True),
    "an admin of another tenant": (asked(), None, person(tenant="x", roles=frozenset({"admin"})), True),
    "a stranger": (asked(), FLOW, STRANGER, False),
}


@pytest.mark.parametrize(("request_", "by", "who", "expected"), SIGHT.values(), ids=SIGHT.keys())
def test_request_is_seen_by_whom_it_concerns(request_, by, who, expected):
    assert may_see(request_, by, who, TERMS) is expected


ASKED = {
    "an approver": (asked(), FLOW, person(), True),
    "an approver who signed in long ago": (asked(), FLOW, person(auth_time=None), True),
    "an approver of a later step": (asked(), FLOW, controller("cat"), False),
    "an approver who has decided": (asked(step=1, votes=(ballot("cat"),)), FLOW, controller("cat"), False),
    "the requester": (asked(), FLOW, ANN, False),
    "a flow that is gone": (asked(), None, person(), False),
    "an ended request": (approved(), FLOW, person(), False),
}


@pytest.mark.parametrize(("request_", "by", "who", "expected"), ASKED.values(), ids=ASKED.keys())
def test_request_waits_for_those_who_may_decide_now(request_, by, who, expected):
    assert is_asked(request_, by, who, TERMS) is expected


def test_roles_make_admins_and_those_who_may_unmask():
    people = [person(roles=frozenset({role})) for role in ("admin", "privacy", "lead")]
    assert [(is_admin(each, TERMS), may_unmask(each, TERMS)) for each in people] == [
        (True, False),
        (False, True),
        (False, False),
    ]
