"""What is kept of a call for those who approve it: its parameters, and the headers that the server may act upon."""

import pytest

from agen_authz.core.approval.request import MAX_KEPT_BYTES
from tests import builders as build
from tests.check.approval_rig import Desk

FORWARDS = build.resource(forward_headers=frozenset({"x-account", "x-region", "traceparent"}))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_forwarded_headers_are_kept_and_no_others():
    desk = Desk(more={"resources": (FORWARDS,)})
    headers = {"x-region": "eu", "x-account": "7", "traceparent": TRACE, "x-other": "1", "user-agent": "u"}
    assert desk.rig.post(build.message(), headers=headers).reason == "approval_required"
    (kept,) = desk.approvals.kept.values()
    assert (kept.params, kept.headers) == (
        b'{"name":"get_customer","arguments":{"id":1}}',
        (("x-account", "7"), ("x-region", "eu")),
    )


@pytest.mark.parametrize(("chars", "reason"), [(60_000, "approval_required"), (MAX_KEPT_BYTES, "approval_impossible")])
def test_headers_count_for_what_can_be_kept(chars, reason):
    desk = Desk(more={"resources": (FORWARDS,)})
    assert desk.rig.post(build.message(), headers={"x-account": "a" * chars}).reason == reason
