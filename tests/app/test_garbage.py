"""The garbage collector next to calls and reloads: how often it runs, over what, and what reloads leave behind."""

import asyncio
import gc
import os
import socket
import weakref
from collections.abc import Iterator

import pytest

from agen_authz.adapters.clock import SystemEntropy
from agen_authz.app import garbage
from agen_authz.app.control.channel import open_to_worker
from agen_authz.app.control.message import Begin, Drain, Drained, End, Serving, hand
from agen_authz.app.state import open_state
from agen_authz.app.worker.run import live
from agen_authz.core.ruleset import RuleSet
from tests import builders as build
from tests.app.test_check_worker import assemble, loaded_with
from tests.check.rig import Rig

VALUES = 4_500


class Knot:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """Leave the collector as it was found."""
    was = gc.get_threshold()
    # Python's own: a command that ran earlier in this process may have raised it.
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*was)
    gc.unfreeze()


def count_runs() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


@pytest.mark.parametrize("calls", [1, 5])
def test_body_of_many_lists_does_not_make_the_collector_run(calls):
    rig = Rig()
    document = build.message("tools/call", {"name": "get_customer", "arguments": {"rows": [[]] * VALUES}})
    headers = build.headers_for(build.sign(build.claims()), document)
    raw = build.check_request(headers, build.encode(document))
    assert rig.check(raw).is_allowed
    before = count_runs()
    rig.check(raw)
    assert count_runs() - before > 3
    garbage.calm()
    garbage.settle()
    before = count_runs()
    assert all(rig.check(raw).is_allowed for _ in range(calls))
    assert count_runs() == before


def test_what_was_built_before_the_first_call_is_walked_over_no_more():
    held: list[list[object]] = [[] for _ in range(10_000)]
    garbage.settle()
    assert gc.get_freeze_count() > len(held)
    assert len(gc.get_objects()) < len(held)


def test_cycle_that_a_reload_leaves_is_freed_by_the_next():
    garbage.settle()
    knot = Knot()
    left = weakref.ref(knot)
    garbage.sweep()
    assert left() is knot
    del knot
    garbage.sweep()
    assert left() is None


@pytest.mark.loopback
async def test_reloads_leave_nothing_of_the_configurations_before(tmp_path):
    sidecar = await assemble(loaded_with(tmp_path))
    garbage.settle()
    held = []
    for role in ("a", "b", "c", "d", "e"):
        await sidecar.apply(loaded_with(tmp_path, ("allow: [analyst]", f"allow: [{role}]")))
        garbage.sweep()
        objects = gc.get_objects()
        held.append((sum(type(each) is RuleSet for each in objects), len(objects) // 500))
        del objects
    await sidecar.close()
    assert held == [(1, held[0][1])] * 5


@pytest.mark.loopback
async def test_worker_leaves_what_it_has_built_out_of_every_run(tmp_path):
    ours, theirs = socket.socketpair()
    loaded = loaded_with(tmp_path, ("authz: 127.0.0.1:9191", f"authz: unix://{tmp_path}/authz.sock"))
    await (await open_state(loaded, SystemEntropy())).store.close()
    assert gc.get_freeze_count() == 0
    living = asyncio.create_task(live("check", theirs))
    channel = await open_to_worker(ours)
    channel.send(Begin(hand(loaded), b"k" * 32))
    assert await channel.receive() == Serving(loaded.version, os.getpid())
    assert gc.get_freeze_count() > 0
    channel.send(Drain(0.1))
    assert await channel.receive() == Drained()
    channel.send(End())
    assert await living == 0
    await channel.close()
