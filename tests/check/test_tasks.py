"""Calls about a task wait for the store: on the event loop only, and not too many at once."""

import asyncio
from typing import Any

import pytest

from agen_authz.core.model import BoundTask, Issuer, Owner, Subject
from tests import builders as build
from tests.check.rig import Rig, Seen
from tests.fakes import MemoryTasks

ANN = BoundTask(Owner(Issuer(build.ISSUER), Subject("ann")), "get_customer")


def rig_with(tasks: MemoryTasks, **changes: Any) -> Rig:
    asyncio.run(tasks.bind("crm", "t1", ANN, build.NOW))
    return Rig(tasks=tasks, **changes)


def ask(rig: Rig, subject: str, task_id: str = "t1") -> Seen:
    return rig.post(build.message("tasks/get", {"taskId": task_id}), build.sign(build.claims(sub=subject)))


@pytest.mark.parametrize(
    ("subject", "task_id", "reason"),
    [("ann", "t1", "allowed"), ("bob", "t1", "task_unknown"), ("ann", "t2", "task_unknown")],
    ids=["its owner", "another caller", "no such task"],
)
def test_task_is_looked_up_for_its_owner_only(subject, task_id, reason):
    assert ask(rig_with(MemoryTasks()), subject, task_id).reason == reason


def test_task_is_refused_while_the_store_does_not_answer():
    rig = rig_with(MemoryTasks())
    rig.tasks.is_broken = True
    seen = ask(rig, "ann")
    assert (seen.status, seen.reason, seen.header("retry-after")) == (503, "store_unavailable", "1")


def test_calls_about_tasks_take_a_place_among_those_that_wait():
    seen = ask(rig_with(MemoryTasks(), in_flight=0), "ann")
    assert (seen.status, seen.reason) == (503, "overloaded")
