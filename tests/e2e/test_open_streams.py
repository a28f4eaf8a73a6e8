"""Open streams against the whole sidecar, through a real Envoy: single events, the end of a token, a killed Process.

Everything that the backend sends after the moment in question holds `SECRET`.
"""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.e2e.told import (
    ALL,
    CALL,
    EVENTS,
    LIST,
    SECRET,
    SHOWN,
    Told,
    by_method,
    dump,
    event,
    head,
    parse,
    read_on,
    read_until,
    rpc,
    told_world,
    whole,
)
from tests.stage.family import are_gone, find_worker, kill_worker, list_family
from tests.stage.process import STOP_S, await_true, is_answering

pytestmark = pytest.mark.envoy

FIRST = rpc(method="notifications/progress", params={"progressToken": 7, "progress": 1})
RESULT = rpc(id=7, result={"content": []})
KILLS = 3
# Every answer is small, but each has a stream of gRPC and two connections.
MANY = 300
TTL_S = 2


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with told_world(tmp_path_factory.mktemp("told")) as running:
        yield running


@contextmanager
def opened(told: Told, body: Any, **more: Any) -> Iterator[socket.socket]:
    """Send a request, and read its answer while inside."""
    with told.connect() as connection:
        connection.sendall(told.render(body, **more))
        yield connection


def chunk_end(message: Any) -> bytes:
    """Write what the client gets last of an event that is passed on at once."""
    return b"data: " + json.dumps(message, separators=(",", ":")).encode() + b"\n\n\r\n"


def await_process(told: Told, old: int) -> None:
    """Wait until another Process serves in the place of one that was killed."""
    sidecar = told.world.sidecar

    def is_so() -> bool:
        return find_worker(sidecar.pid, "process") not in (None, old) and is_answering(f"{told.world.ops}/readyz")

    await_true(sidecar, "the sidecar", is_so, told.folder / "sidecar.log")


def test_each_event_arrives_before_the_next_is_sent(told: Told):
    gates: list[Future[None]] = [Future() for _ in range(4)]
    messages = [FIRST, rpc(id="s1", method="roots/list"), rpc(method="notifications/tools/list_changed"), SHOWN]
    sent = [FIRST, *messages[1:3], ALL]
    told.tell(
        head(media=EVENTS), *[step for each, gate in zip(sent, gates, strict=True) for step in (event(each), gate)]
    )
    with opened(told, LIST) as connection:
        raw = b""
        for message, gate in zip(messages, gates, strict=True):
            raw += read_until(connection, chunk_end(message))
            gate.set_result(None)
        got = parse(raw + b"".join(read_on(connection)))
    assert (got.is_whole, got.messages, SECRET.encode() in got.raw) == (True, messages, False)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_stream_ends_when_the_token_of_its_caller_expires(told: Told, method: str):
    session, gate = told.begin(), Future[None]()
    expires = int(time.time()) + TTL_S
    token = told.world.one.mint(told.world.crm, exp=expires)
    told.tell(head(media=EVENTS) + event(FIRST), gate, event(ALL))
    # Nothing but the end of the token ends it: the backend still waits.
    got = told.ask(LIST if method == "POST" else None, method=method, token=token, mcp_session_id=session)
    ended = time.time()
    gate.set_result(None)
    # A machine that is very busy may show it the first event too late.
    is_cut = got.status == 502 or (not got.is_whole and got.messages in ([FIRST], []))
    assert (is_cut, ended >= expires, SECRET.encode() in got.raw) == (True, True, False), got.raw


@pytest.mark.parametrize("media", [EVENTS, "application/json"])
def test_process_that_is_killed_within_a_response_cuts_it(told: Told, media: str):
    begun, gate = Future[None](), Future[None]()

    def script(_: Any) -> Iterator[Any]:
        is_json = media != EVENTS
        yield (
            head(f"content-length: {len(dump(ALL))}") + dump(ALL)[:-1] if is_json else head(media=media) + event(FIRST)
        )
        begun.set_result(None)
        yield gate
        yield dump(ALL)[-1:] if is_json else event(ALL)

    told.backend.script = script
    with opened(told, LIST) as connection:
        raw = read_until(connection, b"\r\n\r\n" if media != EVENTS else chunk_end(FIRST))
        begun.result()
        old = kill_worker(told.world.sidecar.pid, "process")
        gate.set_result(None)
        raw += b"".join(read_on(connection))
    await_process(told, old)
    got = parse(raw)
    assert (got.is_whole, got.body.count(b"data:")) == (False, 1 if media == EVENTS else 0)
    assert SECRET.encode() not in raw
    assert told.get(whole(dump(ALL))).messages == [SHOWN]


def test_sidecar_that_is_killed_within_a_response_cuts_it(told: Told):
    world, gate = told.world, Future[None]()
    told.tell(head(media=EVENTS) + event(FIRST), gate, event(ALL))
    with opened(told, LIST) as connection:
        raw = read_until(connection, chunk_end(FIRST))
        family = list_family(world.sidecar.pid)
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        world.sidecar.wait(STOP_S)
        await_true(world.envoy, "the end of the sidecar", lambda: are_gone(family), told.folder / "sidecar.log")
        gate.set_result(None)
        got = parse(raw + b"".join(read_on(connection)))
    denied = told.get(whole(dump(ALL)))
    world.sidecar = world.start()
    await_true(world.sidecar, "Envoy", lambda: told.ask(LIST).messages == [SHOWN], told.folder / "sidecar.log")
    assert (got.is_whole, got.messages, denied.status) == (False, [FIRST], 503)
    assert SECRET.encode() not in got.raw + denied.raw


@pytest.mark.services
def test_process_that_hangs_shows_nothing_and_no_other_call_waits_for_it(told: Told):
    told.backend.script = by_method({"tools/call": [whole(dump(RESULT))], "tools/list": [whole(dump(ALL))]})
    pid = kill_worker(told.world.sidecar.pid, "process", signal.SIGSTOP)
    try:
        called, listed = told.ask(CALL), told.ask(LIST)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (called.messages, listed.status, SECRET.encode() in listed.raw) == ([RESULT], 504, False)
    await_true(told.world.sidecar, "Process", lambda: told.ask(LIST).messages == [SHOWN], told.folder / "sidecar.log")


def test_process_that_is_killed_again_and_again_stops_no_call_that_nothing_inspects(told: Told):
    seen: list[Any] = []
    for _ in range(KILLS):
        told.backend.script = by_method({"tools/call": [whole(dump(RESULT))], "tools/list": [whole(dump(ALL))]})
        old = kill_worker(told.world.sidecar.pid, "process")
        calls = [told.ask(CALL) for _ in range(20)]
        listed = told.ask(LIST)
        assert [(each.status, each.messages) for each in calls] == [(200, [RESULT])] * 20
        # It has come back by then, or it has not.
        assert listed.messages == [SHOWN] or (listed.status, listed.is_whole) != (200, True), listed.raw
        seen += [SECRET.encode() in each.raw for each in (*calls, listed)]
        await_process(told, old)
    assert (any(seen), told.ask(LIST).messages) == (False, [SHOWN])


@pytest.mark.parametrize("many", [MANY, pytest.param(1200, marks=pytest.mark.services)])
def test_many_open_streams_are_inspected_at_once(told: Told, many: int):
    session, gate = told.begin(), Future[None]()
    told.tell(head(media=EVENTS) + event(FIRST), gate, event(ALL, "e1"))
    request = told.render(None, method="GET", mcp_session_id=session)
    with ExitStack() as stack:
        streams = []
        for _ in range(many):
            connection = stack.enter_context(told.connect())
            connection.sendall(request)
            streams.append(connection)
        begun = [read_until(each, chunk_end(FIRST)) for each in streams]
        # All are open now: other calls are answered all the while.
        meanwhile = told.get(whole(dump(ALL))).messages
        gate.set_result(None)
        got = [parse(raw + b"".join(read_on(each))) for raw, each in zip(begun, streams, strict=True)]
    assert meanwhile == [SHOWN]
    assert [(each.is_whole, each.messages) for each in got] == [(True, [FIRST, SHOWN])] * many
    assert not any(SECRET.encode() in each.raw for each in got)
