"""The contract of `CatalogueStore`, kept by SQLite, by PostgreSQL and by the fake."""

import asyncio

import pytest

from agen_authz.adapters.store import SqlCatalogue, peek_catalogue
from agen_authz.core.errors import ConfigError, Unavailable
from agen_authz.core.model import Digest
from agen_authz.core.pinning.catalogue import sight
from agen_authz.core.pinning.definition import MAX_DEFINITION_BYTES, define_instructions, digest_definition
from agen_authz.core.pinning.pin import Kept, KeptTool
from agen_authz.core.pinning.record import MAX_BYTES_OF_SERVER, MAX_OF_TOOL, Action, Listing, Noted, PinRecord
from agen_authz.core.reason import Reason
from tests.adapters.database import KINDS, SQL, new_database, new_store
from tests.builders import NOW
from tests.core.pinning.rig import tool
from tests.fakes import MemoryCatalogue

FIRST, SECOND = tool(), tool(description="Returns a customer.")
ONE, TWO = digest_definition(FIRST), digest_definition(SECOND)


class SqlRig:
    def __init__(self, database, store):
        self.break_it = database.break_it
        self.opened = store
        self.store = SqlCatalogue(store)


class MemoryRig:
    def __init__(self):
        self.store = MemoryCatalogue()

    def break_it(self):
        self.store.is_broken = True


@pytest.fixture(params=KINDS)
async def rig(request, tmp_path):
    if request.param == "memory":
        yield MemoryRig()
        return
    async with new_store(request.param, request, tmp_path) as (database, store):
        yield SqlRig(database, store)


async def note(rig, *definitions, at=NOW, server="crm"):
    sightings = [seen for each in definitions if (seen := sight(each)) is not None]
    assert len(sightings) == len(definitions)
    return await rig.store.note_seen(server, sightings, at)


async def listed(rig):
    return (await rig.store.list_tools({})).tools


async def test_nothing_is_kept_at_first(rig):
    assert (await rig.store.read_version(), await rig.store.list_tools({})) == (0, Listing(0, ()))


async def test_first_sighting_is_new_and_the_next_is_not(rig):
    assert await note(rig, FIRST) == Noted(frozenset({("get_customer", ONE)}))
    assert await note(rig, FIRST) == Noted()
    assert await listed(rig) == (KeptTool("crm", "get_customer", ONE, NOW, (Kept(ONE, NOW, NOW, FIRST),)),)


async def test_same_definition_on_two_servers_is_new_twice(rig):
    await note(rig, FIRST)
    assert await note(rig, FIRST, server="billing") == Noted(frozenset({("get_customer", ONE)}))
    assert [each.server for each in await listed(rig)] == ["billing", "crm"]


async def test_other_definition_is_the_last_one_at_once_and_the_first_one_again(rig):
    await note(rig, FIRST)
    for definition, last in ((SECOND, TWO), (FIRST, ONE), (SECOND, TWO)):
        await note(rig, definition, at=NOW + 1)
        assert (await listed(rig))[0].last_digest == last


async def test_clock_that_was_set_back_makes_no_definition_older(rig):
    await note(rig, FIRST)
    await note(rig, SECOND, at=NOW - 3600)
    assert (await listed(rig))[0].last_digest == TWO


async def test_time_of_a_sighting_is_noted_once_a_minute(rig):
    await note(rig, FIRST)
    version = await rig.store.read_version()
    await note(rig, FIRST, at=NOW + 59)
    assert (await rig.store.read_version(), (await listed(rig))[0].last_seen) == (version, NOW)
    await note(rig, FIRST, at=NOW + 60)
    (kept,) = await listed(rig)
    assert (kept.last_seen, kept.definitions[0].last_seen, kept.definitions[0].first_seen) == (NOW + 60, NOW + 60, NOW)
    assert await rig.store.read_version() > version


async def test_version_grows_with_every_change_and_with_nothing_else(rig):
    seen = [await rig.store.read_version()]
    for act in (
        lambda: note(rig, FIRST),
        lambda: note(rig, SECOND),
        lambda: note(rig, FIRST),
        lambda: rig.store.approve("crm", "get_customer", ONE, "ann", NOW),
        lambda: rig.store.withdraw("crm", "get_customer", ONE, "ann", NOW),
        lambda: rig.store.forget("crm", "get_customer", "ann", NOW),
    ):
        await act()
        seen.append(await rig.store.read_version())
    assert seen == sorted(set(seen))
    await rig.store.approve("crm", "get_customer", ONE, "ann", NOW)
    await rig.store.note_seen("crm", [], NOW)
    await rig.store.mark_told([1, 2, 3])
    assert await rig.store.read_version() == seen[-1]


async def test_definition_that_is_known_is_not_read_again(rig):
    await note(rig, FIRST)
    (kept,) = (await rig.store.list_tools({ONE: FIRST})).tools
    assert kept.definitions[0].definition == FIRST


async def test_numbers_and_texts_of_a_definition_come_back_as_they_were(rig):
    odd = {"name": "x", "a": [1.5, -(2**63), 1e300, True, None, "\u200b\u00fc\x00"], "b": {"": {}}}
    await note(rig, odd)
    assert (await listed(rig))[0].definitions[0].definition == odd


async def test_instructions_and_names_that_cannot_be_called_are_kept(rig):
    await note(rig, define_instructions("Be brief."), tool("g\u0435t"), tool("x" * 5000))
    assert [each.name for each in await listed(rig)] == ["", "?g\u0435t", "?" + "x" * 200]


async def test_definition_that_is_too_long_is_known_by_its_digest_and_cannot_be_approved(rig):
    long = tool(description="x" * MAX_DEFINITION_BYTES)
    await note(rig, long)
    (kept,) = await listed(rig)
    assert kept.definitions[0].definition is None
    assert not await rig.store.approve("crm", "get_customer", kept.last_digest, "ann", NOW)


async def test_approval_is_kept_with_who_and_when(rig):
    await note(rig, FIRST, at=NOW)
    await note(rig, SECOND, at=NOW + 1)
    assert await rig.store.approve("crm", "get_customer", ONE, "ann", NOW + 2)
    assert await rig.store.approve("crm", "get_customer", TWO, "bob", NOW + 3)
    (kept,) = await listed(rig)
    assert [(each.digest, each.approved_at, each.approved_by) for each in kept.definitions] == [
        (ONE, NOW + 2, "ann"),
        (TWO, NOW + 3, "bob"),
    ]


@pytest.mark.parametrize(
    ("server", "name", "digest"),
    [("crm", "get_customer", TWO), ("crm", "other", ONE), ("billing", "get_customer", ONE)],
)
async def test_what_is_not_kept_cannot_be_approved_withdrawn_or_forgotten(rig, server, name, digest):
    await note(rig, FIRST)
    assert not await rig.store.approve(server, name, digest, "ann", NOW)
    assert not await rig.store.withdraw(server, name, digest, "ann", NOW)
    if digest == ONE:
        assert not await rig.store.forget(server, name, "ann", NOW)
    assert await rig.store.list_untold() == ()


async def test_second_approval_does_not_change_the_first(rig):
    await note(rig, FIRST)
    assert await rig.store.approve("crm", "get_customer", ONE, "ann", NOW)
    assert not await rig.store.approve("crm", "get_customer", ONE, "bob", NOW + 1)
    assert (await listed(rig))[0].definitions[0].approved_by == "ann"


async def test_of_several_who_approve_at_once_one_has(rig):
    await note(rig, FIRST)
    names = ("ann", "bob", "eve")
    did = await asyncio.gather(*(rig.store.approve("crm", "get_customer", ONE, by, NOW) for by in names))
    assert sum(did) == 1 and len(await rig.store.list_untold()) == 1


async def test_approval_that_is_withdrawn_is_gone(rig):
    await note(rig, FIRST)
    await rig.store.approve("crm", "get_customer", ONE, "ann", NOW)
    assert await rig.store.withdraw("crm", "get_customer", ONE, "bob", NOW)
    (kept,) = await listed(rig)
    assert (kept.definitions[0].is_approved, kept.definitions[0].approved_by) == (False, "")


async def test_tool_that_is_forgotten_is_new_again(rig):
    await note(rig, FIRST, tool("other"))
    await rig.store.approve("crm", "get_customer", ONE, "ann", NOW)
    assert await rig.store.forget("crm", "get_customer", "bob", NOW)
    assert [each.name for each in await listed(rig)] == ["other"]
    assert await note(rig, FIRST) == Noted(frozenset({("get_customer", ONE)}))


async def test_what_operators_did_is_recorded_until_it_is_told(rig):
    await note(rig, FIRST)
    await rig.store.approve("crm", "get_customer", ONE, "ann", NOW)
    await rig.store.withdraw("crm", "get_customer", ONE, "bob", NOW + 1)
    await rig.store.forget("crm", "get_customer", "eve", NOW + 2)
    records = await rig.store.list_untold()
    assert records == (
        PinRecord(1, NOW, Action.APPROVE, "ann", "crm", "get_customer", ONE),
        PinRecord(2, NOW + 1, Action.WITHDRAW, "bob", "crm", "get_customer", ONE),
        PinRecord(3, NOW + 2, Action.FORGET, "eve", "crm", "get_customer", Digest("")),
    )
    await rig.store.mark_told([1, 3])
    assert await rig.store.list_untold() == records[1:2]


def variant(number, size=0):
    return tool(description=f"{number:04} {'x' * size}")


async def test_definitions_of_a_tool_are_bounded_and_the_oldest_go(rig):
    pushed_out = 0
    for number in range(MAX_OF_TOOL + 3):
        pushed_out += (await note(rig, variant(number), at=NOW + number)).pushed_out
    (kept,) = await listed(rig)
    assert (pushed_out, len(kept.definitions)) == (3, MAX_OF_TOOL)
    assert kept.definitions[0].digest == digest_definition(variant(3))


async def test_what_is_approved_never_goes(rig):
    await note(rig, FIRST)
    await rig.store.approve("crm", "get_customer", ONE, "ann", NOW)
    for number in range(MAX_OF_TOOL + 3):
        await note(rig, variant(number), at=NOW + 1 + number)
    (kept,) = await listed(rig)
    assert (len(kept.definitions), kept.definitions[0].digest) == (MAX_OF_TOOL + 1, ONE)


async def test_definitions_of_a_server_are_bounded_in_number(rig):
    first = [tool(f"a{number}") for number in range(1000)]
    assert (await note(rig, *first)).pushed_out == 0
    assert (await note(rig, *(tool(f"b{number}") for number in range(1001)), at=NOW + 1)).pushed_out == 1
    assert (await note(rig, *(tool(f"c{number}") for number in range(3)), at=NOW + 1, server="billing")).pushed_out == 0
    kept = await listed(rig)
    assert len([each for each in kept if each.server == "crm"]) == 2000
    assert {each.name for each in kept} >= {"b0", "b1000", "c0"}


async def test_definitions_of_a_server_are_bounded_in_size(rig):
    size = MAX_DEFINITION_BYTES - 1000
    fits = MAX_BYTES_OF_SERVER // size
    many = [tool(f"a{number:04}", description="x" * size) for number in range(fits)]
    assert (await note(rig, *many)).pushed_out == 0
    assert (await note(rig, tool("last", description="x" * size), at=NOW + 1)).pushed_out == 1


async def test_store_that_does_not_answer_is_unavailable(rig):
    rig.break_it()
    store = rig.store
    for each in (
        store.read_version(),
        store.list_tools({}),
        store.note_seen("crm", [], NOW),
        store.approve("crm", "x", ONE, "ann", NOW),
        store.withdraw("crm", "x", ONE, "ann", NOW),
        store.forget("crm", "x", "ann", NOW),
        store.list_untold(),
        store.mark_told([1]),
    ):
        with pytest.raises(Unavailable) as refused:
            await each
        assert (refused.value.reason, refused.value.name) == (Reason.STORE_UNAVAILABLE, "store")


@pytest.mark.parametrize("kind", SQL)
async def test_what_is_kept_can_be_looked_at(request, tmp_path, kind):
    async with new_store(kind, request, tmp_path) as (database, store):
        built = SqlRig(database, store)
        await note(built, FIRST)
        kept = await built.store.list_tools({})
        assert await peek_catalogue(database.url) == kept != Listing(0, ())


async def test_file_that_is_looked_at_does_not_change(request, tmp_path):
    async with new_store("sqlite", request, tmp_path) as (database, store):
        await note(SqlRig(database, store), FIRST)
        await store.close()
        before = (tmp_path / "agen.db").read_bytes()
        await peek_catalogue(database.url)
        assert (tmp_path / "agen.db").read_bytes() == before


@pytest.mark.parametrize("kind", SQL)
async def test_store_that_does_not_exist_or_keeps_no_tools_is_refused(request, tmp_path, kind):
    with new_database(kind, request, tmp_path) as database:
        messages = []
        for content in (None, b""):
            if content is not None and kind == "sqlite":
                (tmp_path / "agen.db").write_bytes(content)
            with pytest.raises(ConfigError) as refused:
                await peek_catalogue(database.url)
            messages.append(refused.value.problems[0].message)
    no_tools = "the store is from a version that keeps no tools"
    assert messages == (["there is no store", no_tools] if kind == "sqlite" else [no_tools] * 2)
