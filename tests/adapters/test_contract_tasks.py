"""The contract of `TaskStore`, kept by SQLite, by PostgreSQL and by the fake."""

import asyncio

import pytest

from agen_authz.adapters.store import SqlTasks
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import TASK_KEPT_S, BoundTask, Issuer, Owner, Subject
from agen_authz.core.reason import Reason
from tests.adapters.database import KINDS, new_store
from tests.builders import NOW
from tests.fakes import MemoryTasks

LIMIT = 10


def made_for(subject="ann", tool="get_customer", issuer="https://idp.example.com"):
    return BoundTask(Owner(Issuer(issuer), Subject(subject)), tool)


class SqlRig:
    def __init__(self, database, store):
        self.break_it = database.break_it
        self.tasks = SqlTasks(store, LIMIT)


class MemoryRig:
    def __init__(self):
        self.tasks = MemoryTasks(LIMIT)

    def break_it(self):
        self.tasks.is_broken = True


@pytest.fixture(params=KINDS)
async def rig(request, tmp_path):
    if request.param == "memory":
        yield MemoryRig()
        return
    async with new_store(request.param, request, tmp_path) as (database, store):
        yield SqlRig(database, store)


async def test_task_is_found_as_it_was_bound(rig):
    assert await rig.tasks.find("crm", "t1", NOW) is None
    assert await rig.tasks.bind("crm", "t1", made_for(), NOW)
    assert await rig.tasks.find("crm", "t1", NOW) == made_for()


@pytest.mark.parametrize("server_and_id", [("billing", "t1"), ("crm", "T1"), ("crm", "t1 "), ("crm", "")])
async def test_only_the_exact_id_of_the_server_is_bound(rig, server_and_id):
    await rig.tasks.bind("crm", "t1", made_for(), NOW)
    assert await rig.tasks.find(*server_and_id, NOW) is None


@pytest.mark.parametrize(
    "other", [made_for("bob"), made_for(issuer="https://other.example.com"), made_for(tool="delete_customer")]
)
async def test_task_that_is_bound_stays_its_owners_and_its_tools(rig, other):
    await rig.tasks.bind("crm", "t1", made_for(), NOW)
    assert not await rig.tasks.bind("crm", "t1", other, NOW + 1)
    assert await rig.tasks.find("crm", "t1", NOW + 1) == made_for()


async def test_task_may_be_bound_again_and_is_kept_from_then_on(rig):
    await rig.tasks.bind("crm", "t1", made_for(), NOW)
    assert await rig.tasks.bind("crm", "t1", made_for(), NOW + TASK_KEPT_S - 1)
    assert await rig.tasks.find("crm", "t1", NOW + TASK_KEPT_S) == made_for()


async def test_task_is_forgotten_after_its_time_and_may_be_anothers_then(rig):
    await rig.tasks.bind("crm", "t1", made_for(), NOW)
    later = NOW + TASK_KEPT_S
    assert await rig.tasks.find("crm", "t1", later) is None
    assert await rig.tasks.bind("crm", "t1", made_for("bob"), later)
    assert await rig.tasks.find("crm", "t1", later) == made_for("bob")


async def test_of_many_who_bind_at_once_one_does(rig):
    callers = [made_for(f"caller {at}") for at in range(8)]
    answers = await asyncio.gather(*(rig.tasks.bind("crm", "t1", each, NOW) for each in callers))
    found = await rig.tasks.find("crm", "t1", NOW)
    assert [each for each, is_bound in zip(callers, answers, strict=True) if is_bound] == [found]


async def test_without_room_the_caller_with_the_most_tasks_loses_the_oldest(rig):
    await rig.tasks.bind("crm", "bob's", made_for("bob"), NOW)
    for at in range(LIMIT):
        await rig.tasks.bind("crm", f"t{at}", made_for(), NOW + 1 + at)
    kept = [f"t{at}" for at in range(LIMIT) if await rig.tasks.find("crm", f"t{at}", NOW + 60) is not None]
    assert (kept[0], len(kept)) == ("t1", LIMIT - 1)
    assert await rig.tasks.find("crm", "bob's", NOW + 60) == made_for("bob")


@pytest.mark.parametrize("task_id", ["'; DROP TABLE bound_task; --", "\u00fc\U0001f511", "x" * 1024, "a\x00b"])
async def test_any_text_may_be_an_id(rig, task_id):
    await rig.tasks.bind("crm", task_id, made_for("\u00fc"), NOW)
    assert await rig.tasks.find("crm", task_id, NOW) == made_for("\u00fc")


async def test_store_that_does_not_answer_is_unavailable(rig):
    rig.break_it()
    for asked in (rig.tasks.find("crm", "t1", NOW), rig.tasks.bind("crm", "t1", made_for(), NOW)):
        with pytest.raises(Unavailable) as told:
            await asked
        assert told.value.reason is Reason.STORE_UNAVAILABLE
