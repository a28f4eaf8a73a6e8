"""The contract of `Outbox`, kept by SQLite, by PostgreSQL and by the fake."""

import asyncio

import pytest
from msgspec.structs import replace

from agen_authz.core.approval.request import ASKING, Occasion
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests.adapters.approval_rig import message, new_rig, request
from tests.adapters.database import KINDS
from tests.builders import NOW

LEASE_S = 60.0
OF = request()


@pytest.fixture(params=KINDS)
async def rig(request, tmp_path):
    async with new_rig(request.param, request, tmp_path) as made:
        yield made


def ids(messages):
    return [each.id for each in messages]


async def test_message_is_taken_as_it_was_put_and_counts_the_attempt(rig):
    put = message(OF, to="b\u00f6b@acme.example", step=1)
    await rig.put(put)
    assert await rig.outbox.take(NOW, LEASE_S, 10) == (replace(put, attempts=1),)


async def test_message_is_taken_when_it_is_due_and_not_before(rig):
    await rig.put(message(OF, at=NOW + 5))
    assert await rig.outbox.take(NOW + 4.9, LEASE_S, 10) == ()
    assert len(await rig.outbox.take(NOW + 5, LEASE_S, 10)) == 1


async def test_message_that_was_taken_is_nobody_elses_until_its_lease_is_over(rig):
    put = message(OF)
    await rig.put(put)
    times = (NOW, NOW + LEASE_S - 0.1, NOW + LEASE_S)
    taken = [await rig.outbox.take(at, LEASE_S, 10) for at in times]
    assert taken == [(replace(put, attempts=1),), (), (replace(put, attempts=2),)]


async def test_messages_are_taken_the_longest_due_first_and_no_more_than_asked_for(rig):
    late, early, middle = message(OF, at=NOW + 3), message(OF, at=NOW + 1), message(OF, at=NOW + 2)
    await rig.put(late, early, middle)
    assert ids(await rig.outbox.take(NOW + 9, LEASE_S, 2)) == ids([early, middle])
    assert ids(await rig.outbox.take(NOW + 9, LEASE_S, 2)) == ids([late])


async def test_messages_that_ask_for_a_decision_are_taken_before_those_that_tell_of_an_end(rig):
    ends = [message(OF, at=NOW + at, occasion=each) for at, each in enumerate(Occasion) if each not in ASKING]
    asking = [message(OF, at=NOW + 20 + at, occasion=each) for at, each in enumerate(sorted(ASKING))]
    await rig.put(*ends, *asking)
    assert ids(await rig.outbox.take(NOW + 99, LEASE_S, 4)) == ids([*asking, ends[0]])
    assert ids(await rig.outbox.take(NOW + 99, LEASE_S, 9)) == ids(ends[1:])


@pytest.mark.parametrize("end", ["settle", "give_up"])
async def test_message_that_was_sent_or_given_up_is_not_taken_again(rig, end):
    put = message(OF)
    await rig.put(put)
    await rig.outbox.take(NOW, LEASE_S, 10)
    await getattr(rig.outbox, end)(put.id, NOW + 1)
    assert await rig.outbox.take(NOW + LEASE_S * 9, LEASE_S, 10) == ()


async def test_message_that_was_postponed_is_taken_then(rig):
    put = message(OF)
    await rig.put(put)
    await rig.outbox.take(NOW, LEASE_S, 10)
    await rig.outbox.postpone(put.id, NOW + 10)
    assert await rig.outbox.take(NOW + 9, LEASE_S, 10) == ()
    assert await rig.outbox.take(NOW + 10, LEASE_S, 10) == (replace(put, attempts=2),)


async def test_of_many_who_take_at_once_each_message_is_taken_by_one(rig):
    put = [message(OF) for _ in range(12)]
    await rig.put(*put)
    taken = await asyncio.gather(*(rig.outbox.take(NOW, LEASE_S, 3) for _ in range(8)))
    rest = await rig.outbox.take(NOW, LEASE_S, 100)
    assert sorted(ids([*sum(taken, ()), *rest])) == sorted(ids(put))


async def test_messages_that_were_sent_or_may_be_under_way_count(rig):
    sent, given_up, postponed, under_way, waiting = (message(OF) for _ in range(5))
    await rig.put(sent, given_up, postponed, under_way)
    counted = [await rig.outbox.count_sent(NOW)]
    await rig.outbox.take(NOW, LEASE_S, 10)
    counted.append(await rig.outbox.count_sent(NOW))
    await rig.outbox.settle(sent.id, NOW + 5)
    await rig.outbox.give_up(given_up.id, NOW + 5)
    await rig.outbox.postpone(postponed.id, NOW + 5)
    await rig.put(waiting)
    counted += [await rig.outbox.count_sent(at) for at in (NOW, NOW + 1, NOW + 5, NOW + 5.1)]
    assert counted == [0, 4, 2, 1, 1, 0]


async def test_outbox_that_does_not_answer_is_unavailable(rig):
    rig.break_it()
    put, box = message(OF), rig.outbox
    asks = (
        box.take(NOW, LEASE_S, 1), box.settle(put.id, NOW), box.postpone(put.id, NOW), box.give_up(put.id, NOW),
        box.count_sent(NOW),
    )  # fmt: skip
    for each in asks:
        with pytest.raises(Unavailable) as told:
            await each
        assert (told.value.reason, told.value.name) == (Reason.STORE_UNAVAILABLE, "store")
