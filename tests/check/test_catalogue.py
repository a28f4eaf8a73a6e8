"""The snapshot in memory: when it is read, and what is left of it if the store does not answer."""

import asyncio
import logging
from functools import partial

import pytest

from agen_authz.catalogue import CurrentCatalogue, prepare_schemas
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.pinning.catalogue import UNREAD, sight
from agen_authz.core.pinning.definition import digest_definition
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.reason import Reason
from tests.builders import NOW
from tests.core.pinning.rig import tool
from tests.fakes import FakeClock, MemoryCatalogue, Naps


async def note(store, *definitions):
    await store.note_seen("crm", [seen for each in definitions if (seen := sight(each)) is not None], NOW)


def built():
    store, clock = MemoryCatalogue(), FakeClock()
    return store, clock, CurrentCatalogue(store, clock)


async def test_nothing_is_known_before_the_first_reading():
    _, _, current = built()
    assert (current.snapshot is UNREAD, current.describe()) == (True, "not read yet")
    assert current.snapshot.refuse_call("crm", "x", Pinning.ENFORCE) is Reason.STORE_UNAVAILABLE


async def test_empty_store_that_was_read_is_known_to_be_empty():
    _, _, current = built()
    await current.refresh()
    assert (current.snapshot.is_read, current.describe()) == (True, "0 tools")
    assert current.snapshot.refuse_call("crm", "x", Pinning.ENFORCE) is Reason.TOOL_UNPINNED


async def test_store_is_read_again_only_when_its_version_changed():
    store, _, current = built()
    await note(store, tool())
    await current.refresh()
    first = current.snapshot
    await current.refresh()
    assert (current.snapshot is first, store.listed, current.describe()) == (True, 1, "1 tools")
    await note(store, tool("other"))
    await current.refresh()
    assert (len(current.snapshot.entries), store.listed, len(first.entries)) == (2, 2, 1)


async def test_store_that_does_not_answer_leaves_the_snapshot_and_is_logged_once(caplog):
    store, clock, current = built()
    await note(store, tool())
    await current.refresh()
    store.is_broken = True
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await current.refresh()
            clock.advance(10)
    assert (len(caplog.records), len(current.snapshot.entries)) == (1, 1)
    assert current.describe() == "1 tools, the store has not answered for 30 s"
    store.is_broken = False
    await current.refresh()
    assert current.describe() == "1 tools"


async def test_readers_at_once_finish_in_order():
    store, _, current = built()
    await note(store, tool())
    await asyncio.gather(*(current.refresh() for _ in range(5)))
    assert store.listed == 1


class Defective(MemoryCatalogue):
    """Fails in a way that no port allows, once."""

    defects = 1

    async def read_version(self):
        if self.defects:
            self.defects -= 1
            raise RuntimeError("a defect")
        return await super().read_version()


async def test_watching_reads_every_second_and_survives_a_defect(caplog):
    store, naps = Defective(), Naps()
    current = CurrentCatalogue(store, FakeClock())
    watching = asyncio.ensure_future(current.watch(naps))
    seconds, wake = await naps.next()
    assert (seconds, current.snapshot.is_read) == (1.0, True)
    await note(store, tool())
    for expected in (0, 1):
        wake.set_result(None)
        _, wake = await naps.next()
        assert len(current.snapshot.entries) == expected
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching


async def test_snapshot_is_prepared_before_any_call_sees_it():
    store, seen = MemoryCatalogue(), []
    current = CurrentCatalogue(store, FakeClock(), lambda built: seen.append((built.version, current.snapshot.version)))
    await note(store, tool())
    await current.refresh()
    await current.refresh()
    assert seen == [(current.snapshot.version, UNREAD.version)]


async def test_schemas_of_approved_definitions_are_compiled_with_the_snapshot():
    store, schemas = MemoryCatalogue(), SchemaCompiler()
    current = CurrentCatalogue(store, FakeClock(), partial(prepare_schemas, schemas))
    await note(store, tool(), tool("other"))
    await store.approve("crm", "other", digest_definition(tool("other")), "ann", NOW)
    await current.refresh()
    assert list(schemas._prepared) == [digest_definition(tool("other"))]
