"""A request as it is when a call asks for it."""

import pytest

from agen_authz.core.approval.open import open_request
from agen_authz.core.approval.request import ApprovalRequest, Progress, mark_alias
from agen_authz.core.model import Digest
from tests.builders import NOW
from tests.core.approval.rig import BINDING, asked, flow


def test_request_names_the_call_the_flow_and_its_times():
    assert asked() == ApprovalRequest(
        id="0" * 32,
        key=BINDING.name(),
        binding=BINDING,
        policy="refunds",
        flow="finance",
        flow_digest=Digest("f"),
        requester_email="ann@acme.example",
        request_id="r-1",
        created_at=NOW,
        ends_at=NOW + 14400.0,
        status=Progress.OPEN,
        remind_at=NOW + 3600.0,
    )


def test_aliases_of_the_requester_are_kept_as_marks_that_differ_in_each_request():
    made = [
        open_request(
            BINDING, "p", flow(), id=id, requester_email="", request_id="r", now=NOW, requester_aliases={"a", "b"}
        )
        for id in ("1", "2")
    ]
    assert [set(each.requester_aliases) for each in made] == [
        {mark_alias("1", "a"), mark_alias("1", "b")},
        {mark_alias("2", "a"), mark_alias("2", "b")},
    ]
    assert len({*made[0].requester_aliases, *made[1].requester_aliases}) == 4


@pytest.mark.parametrize("every", [None, 14400.0, 99999.0, 0.0, -1.0, float("nan")])
def test_nobody_is_reminded_if_no_reminder_falls_into_the_time_of_the_request(every):
    assert asked(flow(remind_every_s=every)).remind_at is None
