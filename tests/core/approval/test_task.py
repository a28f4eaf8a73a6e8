"""The task of a call that must be approved: its id, and how it stands."""

import pytest
from msgspec.structs import replace

from agen_authz.core.approval.request import ApprovalRequest, Progress
from agen_authz.core.approval.task import (
    TaskStanding,
    find_task_standing,
    is_own_task,
    list_requests,
    name_task,
)
from tests.builders import NOW
from tests.core.approval.rig import approved, asked

ONE, TWO = "0" * 32, "0123456789abcdef" * 2


def ended(status: Progress) -> ApprovalRequest:
    """A request whose call was approved, and what became of it."""
    return replace(approved(), status=status)


@pytest.mark.parametrize("ids", [(ONE,), (ONE, TWO), (TWO,) * 8])
def test_id_of_a_task_names_its_requests(ids):
    task_id = name_task(ids)
    assert task_id is not None
    assert (is_own_task(task_id), list_requests(task_id)) == (True, ids)


@pytest.mark.parametrize("count", [0, 9])
def test_task_has_one_to_eight_requests(count):
    assert name_task((ONE,) * count) is None


@pytest.mark.parametrize(
    "task_id", ["", "t1", ONE, "agen-approval-", f"agen-approval-{ONE}.", f"agen-approval-{ONE.replace('0', 'A')}"]
)
def test_what_is_no_id_of_ours_names_nothing(task_id):
    assert list_requests(task_id) == ()


def test_what_looks_like_an_id_of_ours_is_given_by_no_server():
    looks = ["agen-approval-", "agen-approval-x", f"agen-approval-{ONE}", "agen-approve", "t1"]
    assert list(map(is_own_task, looks)) == [True, True, True, False, False]


STANDINGS = {
    "one waits": ([asked()], TaskStanding.WAITING),
    "one of two waits": ([approved(), asked()], TaskStanding.WAITING),
    "all are approved": ([approved(), approved()], TaskStanding.APPROVED),
    "made": ([ended(Progress.USED)], TaskStanding.MADE),
    "not used in time": ([ended(Progress.LAPSED)], TaskStanding.OVER),
    "one of two not used in time": ([approved(), ended(Progress.LAPSED)], TaskStanding.OVER),
    "withdrawn after it was approved": ([ended(Progress.CANCELLED)], TaskStanding.OVER),
    "rejected": ([asked(status=Progress.REJECTED), approved()], TaskStanding.REJECTED),
    "withdrawn": ([asked(status=Progress.CANCELLED)], TaskStanding.WITHDRAWN),
    "one of two timed out": ([asked(status=Progress.TIMED_OUT), asked()], TaskStanding.TIMED_OUT),
}


@pytest.mark.parametrize("name", STANDINGS)
def test_task_stands_as_its_requests_do(name):
    requests, standing = STANDINGS[name]
    assert find_task_standing(requests, NOW) is standing


def test_every_standing_has_a_case():
    assert {standing for _, standing in STANDINGS.values()} == set(TaskStanding)
