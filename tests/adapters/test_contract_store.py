"""The contract of `Store`, kept by SQLite, by PostgreSQL and by the fake."""

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests.adapters.database import KINDS, new_store
from tests.fakes import MemoryStore


class SqlRig:
    def __init__(self, database, store):
        self.break_it = database.break_it
        self.store = store


class MemoryRig:
    def __init__(self):
        self.store = MemoryStore()

    def break_it(self):
        self.store.is_broken = True


@pytest.fixture(params=KINDS)
async def rig(request, tmp_path):
    if request.param == "memory":
        yield MemoryRig()
        return
    async with new_store(request.param, request, tmp_path) as (database, store):
        yield SqlRig(database, store)


async def test_first_value_is_kept(rig):
    first = await rig.store.remember({"access.mapping": "roles"})
    second = await rig.store.remember({"access.mapping": "permissions"})
    assert (first, second) == ({"access.mapping": "roles"}, {"access.mapping": "roles"})


async def test_names_are_kept_each_for_itself(rig):
    await rig.store.remember({"one": "1"})
    assert await rig.store.remember({"one": "x", "two": "2"}) == {"one": "1", "two": "2"}


async def test_only_what_was_asked_for_is_returned(rig):
    await rig.store.remember({"one": "1", "two": "2"})
    assert await rig.store.remember({"two": "x"}) == {"two": "2"}


async def test_others_of_a_prefix_are_forgotten_and_nothing_else(rig):
    await rig.store.remember({"a%:1": "1", "a%:2": "2", "ab:3": "3"})
    assert await rig.store.remember_only("a%:", {"a%:2": "x", "a%:4": "4"}) == {"a%:2": "2", "a%:4": "4"}
    everything = await rig.store.remember({"a%:1": "anew", "a%:2": "x", "ab:3": "x", "a%:4": "x"})
    assert everything == {"a%:1": "anew", "a%:2": "2", "ab:3": "3", "a%:4": "4"}


async def test_what_is_recalled_is_kept_and_nothing_is_written(rig):
    assert await rig.store.recall(("one", "two")) == {}
    await rig.store.remember({"one": "1"})
    assert await rig.store.recall(("one", "two")) == {"one": "1"}


async def test_nothing_asked_is_nothing_returned(rig):
    assert await rig.store.remember({}) == {}


@pytest.mark.parametrize("value", ["", "'; DROP TABLE kept_value; --", "\u00fc\U0001f511", "f" * 64])
async def test_value_comes_back_as_it_was(rig, value):
    assert await rig.store.remember({"name": value}) == {"name": value}


async def test_store_that_does_not_answer_is_unavailable(rig):
    rig.break_it()
    asked = rig.store.remember({"one": "1"}), rig.store.remember_only("o", {"one": "1"}), rig.store.recall(("one",))
    for each in asked:
        with pytest.raises(Unavailable) as refused:
            await each
        assert (refused.value.reason, refused.value.name) == (Reason.STORE_UNAVAILABLE, "store")
