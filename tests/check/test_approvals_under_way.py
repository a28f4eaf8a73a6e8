"""While a call that must be approved is decided: it is held, its grant is used or ends, the store is down."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from agen_authz.core.approval.request import Progress
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import State, TargetKind
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.approval_fakes import MemoryApprovals
from tests.check.approval_rig import Desk, asks, rules, with_params
from tests.check.rig import drive, read_answer

CUSTOMER = ((TargetKind.TOOL, "crm/get_customer"),)


def test_store_that_is_down_denies_what_needs_it_and_nothing_else():
    desk = Desk(policies=(asks(selectors=CUSTOMER),))
    desk.approvals.is_broken = True
    denied = desk.call()
    assert (denied.status, denied.reason, denied.header("retry-after")) == (503, "store_unavailable", "1")
    assert desk.call(with_params(name="get_orders")).is_allowed


def test_sidecar_without_a_store_denies_what_needs_one():
    assert Desk(approvals=None).call().reason == "store_unavailable"


def test_policy_in_shadow_asks_nobody_and_its_calls_never_touch_the_store():
    desk = Desk(policies=(asks(state=State.SHADOW),), approvals=None)
    assert desk.call().is_allowed
    assert "approvals" not in desk.events[-1]


class Racing(MemoryApprovals):
    """Another call uses the grant between the look and the use."""

    async def consume(self, ids: Any, now: float, messages: Any = ()) -> bool:
        await super().consume(ids, now)
        return await super().consume(ids, now, messages)


def test_call_whose_grant_another_one_has_used_meanwhile_is_denied():
    desk = Desk(approvals=Racing())
    desk.call()
    desk.decide()
    seen = desk.call()
    assert (seen.status, seen.reason, seen.told, seen.sealed) == (200, "approval_spent", "approval_spent", "")
    assert [each["decision"] for each in desk.events] == ["await_approval", "deny"]


async def test_of_calls_at_once_one_is_allowed():
    desk = Desk()
    both = asyncio.Barrier(2)
    find = desk.approvals.find

    async def find_together(keys: Any) -> Any:
        found = await find(keys)
        await both.wait()
        return found

    raw = build.check_request(build.headers_for(build.sign(build.claims())), build.encode(build.message()))
    await desk.rig.servicer.check(raw, 0.2)
    desk.decide()
    desk.approvals.find = find_together
    answers = await asyncio.gather(*(desk.rig.servicer.check(raw, 0.2) for _ in range(2)))
    assert Counter(read_answer(each).is_allowed for each in answers) == {True: 1, False: 1}
    decisions = Counter((each["decision"], each["reason"]) for each in desk.events[1:])
    assert decisions == {("allow", "allowed"): 1, ("deny", "approval_spent"): 1}


class Slow(MemoryApprovals):
    """The grant ends while the call is decided."""

    clock: Any = None

    async def find(self, keys: Any) -> Any:
        found = await super().find(keys)
        if any(each.status is Progress.APPROVED for each in found):
            self.clock.step(900.0)
        return found


def test_call_whose_grant_ends_while_it_is_decided_is_denied():
    desk = Desk(approvals=Slow())
    desk.approvals.clock = desk.rig.clock
    desk.call()
    desk.decide()
    assert (desk.call().reason, desk.statuses) == ("approval_spent", ["approved"])


class DownAtTheEnd(MemoryApprovals):
    async def consume(self, ids: Any, now: float, messages: Any = ()) -> bool:
        raise Unavailable(Reason.STORE_UNAVAILABLE, "store")


def test_call_whose_grant_cannot_be_used_is_denied():
    desk = Desk(approvals=DownAtTheEnd())
    desk.call()
    desk.decide()
    seen = desk.call()
    assert (seen.is_allowed, seen.status, seen.reason) == (False, 503, "store_unavailable")
    assert desk.statuses == ["approved"]


def test_call_whose_event_cannot_be_written_is_denied_and_its_grant_is_lost():
    desk = Desk()
    desk.call()
    desk.decide()
    desk.rig.audit.is_broken = True
    assert (desk.call().is_allowed, desk.statuses) == (False, ["used"])
    assert [each["decision"] for each in desk.events] == ["await_approval"]


class Hanging(MemoryApprovals):
    async def find(self, keys: Any) -> Any:
        await asyncio.Event().wait()


def test_store_that_does_not_answer_in_time_denies():
    desk = Desk(approvals=Hanging())
    raw = build.check_request(build.headers_for(build.sign(build.claims())), build.encode(build.message()))
    assert desk.rig.check(raw, remaining_s=0.02).reason == "deadline"


def test_calls_that_need_approval_take_a_place_among_those_that_wait():
    assert Desk(more={"in_flight": 0}).call().reason == "overloaded"


# ---- a call that is held ---------------------------------------------------------------------------------


def hold(answers: list[Any], hold_s: float = 0.6) -> Desk:
    """Hold calls; before each look, the next of `answers` is called, and time passes."""
    naps = iter(answers)

    async def sleep(seconds: float) -> None:
        desk.rig.clock.advance(seconds)
        next(naps, lambda: None)()

    desk = Desk(approval_rules=rules(hold_s=hold_s), more={"sleep": sleep})
    return desk


def ask_held(desk: Desk, remaining_s: float = 10.0) -> Any:
    raw = build.check_request(build.headers_for(build.sign(build.claims())), build.encode(build.message()))
    return read_answer(drive(desk.rig.servicer.check(raw, remaining_s)), "")


def test_call_is_held_until_it_is_decided():
    answers: list[Any] = [lambda: None]
    desk = hold(answers)
    answers.append(desk.decide)
    assert ask_held(desk).is_allowed
    assert [each["decision"] for each in desk.events] == ["allow"] and desk.statuses == ["used"]


def test_held_call_is_denied_as_soon_as_it_is_rejected():
    answers: list[Any] = []
    desk = hold(answers)
    answers.append(lambda: desk.decide(approves=False))
    assert ask_held(desk).told == "approval_rejected"


def test_held_call_is_answered_when_its_time_is_over():
    desk = hold([])
    began = desk.rig.clock.elapsed()
    assert ask_held(desk).json["result"]["isError"] is True
    assert (desk.rig.clock.elapsed() - began, desk.statuses) == (pytest.approx(0.6), ["open"])


def test_held_call_leaves_time_for_its_answer():
    desk = hold([], hold_s=5.0)
    began = desk.rig.clock.elapsed()
    ask_held(desk, remaining_s=1.0)
    assert 0.5 < desk.rig.clock.elapsed() - began < 0.9


def test_call_that_cannot_be_held_is_told_its_page():
    answers: list[Any] = []
    desk = hold(answers)
    answers.append(lambda: setattr(desk.approvals, "is_broken", True))
    assert ask_held(desk).json["result"]["isError"] is True
