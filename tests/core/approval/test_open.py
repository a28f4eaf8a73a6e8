"""A request as it is when a call asks for it."""

import pytest

from agen_authz.core.approval.request import ApprovalRequest, Progress
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


@pytest.mark.parametrize("every", [None, 14400.0, 99999.0, 0.0, -1.0, float("nan")])
def test_nobody_is_reminded_if_no_reminder_falls_into_the_time_of_the_request(every):
    assert asked(flow(remind_every_s=every)).remind_at is None
