"""The contract of `SessionStore`, kept by SQLite, by PostgreSQL and by the fake."""

import asyncio

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports.approval import StoredSession
from tests.adapters.approval_rig import new_rig
from tests.adapters.database import KINDS
from tests.builders import NOW

ONE, TWO = StoredSession(b"\x00one\xff", NOW + 60), StoredSession(b"two", NOW + 90)


@pytest.fixture(params=KINDS)
async def rig(request, tmp_path):
    async with new_rig(request.param, request, tmp_path) as made:
        yield made


async def test_session_is_read_as_it_was_kept_until_it_ends(rig):
    await rig.sessions.put("a", ONE)
    read = [await rig.sessions.get("a", at) for at in (NOW, ONE.ends_at - 0.1, ONE.ends_at)]
    assert (read, await rig.sessions.get("b", NOW)) == ([ONE, ONE, None], None)


async def test_session_takes_the_place_of_the_one_with_its_name(rig):
    await rig.sessions.put("a", ONE)
    await rig.sessions.put("a", TWO)
    assert await rig.sessions.get("a", NOW) == TWO


async def test_session_is_taken_once(rig):
    await rig.sessions.put("a", ONE)
    await rig.sessions.put("b", TWO)
    assert [await rig.sessions.take("a", NOW) for _ in range(2)] == [ONE, None]
    assert (await rig.sessions.get("a", NOW), await rig.sessions.get("b", NOW)) == (None, TWO)


async def test_session_that_has_ended_is_not_taken(rig):
    await rig.sessions.put("a", ONE)
    assert await rig.sessions.take("a", ONE.ends_at) is None


async def test_of_many_who_take_a_session_at_once_one_gets_it(rig):
    await rig.sessions.put("a", ONE)
    taken = await asyncio.gather(*(rig.sessions.take("a", NOW) for _ in range(8)))
    assert [each for each in taken if each is not None] == [ONE]


async def test_session_is_removed(rig):
    await rig.sessions.put("a", ONE)
    for name in ("a", "b"):
        await rig.sessions.remove(name)
    assert await rig.sessions.get("a", NOW) is None


async def test_sessions_that_have_ended_are_swept_and_others_stay(rig):
    await rig.sessions.put("a", ONE)
    await rig.sessions.put("b", TWO)
    await rig.sessions.sweep(ONE.ends_at)
    # Asked as if it were earlier: only what was swept is gone.
    assert (await rig.sessions.get("a", NOW), await rig.sessions.get("b", NOW)) == (None, TWO)


async def test_store_of_sessions_that_does_not_answer_is_unavailable(rig):
    rig.break_it()
    kept = rig.sessions
    for each in (kept.put("a", ONE), kept.get("a", NOW), kept.take("a", NOW), kept.remove("a"), kept.sweep(NOW)):
        with pytest.raises(Unavailable) as told:
            await each
        assert (told.value.reason, told.value.name) == (Reason.STORE_UNAVAILABLE, "store")
