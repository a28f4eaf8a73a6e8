"""Connections of the console: those that send no request are closed."""

from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from agen_authz.app.http import PromptProtocol, build_server

HEAD = b"GET / HTTP/1.1\r\nhost: approve.example\r\n\r\n"


class FakeTimer:
    """Something that the loop does later, unless it is cancelled."""

    def __init__(self, delay, act):
        self.delay, self.act, self.is_cancelled = delay, act, False

    def cancel(self):
        self.is_cancelled = True


class FakeLoop:
    """A loop whose time does not pass; no task runs in it."""

    def __init__(self):
        self.timers = []

    def call_later(self, delay, act):
        self.timers.append(FakeTimer(delay, act))
        return self.timers[-1]

    def create_task(self, coroutine, **_):
        coroutine.close()
        return self

    def add_done_callback(self, _):
        return None

    def pass_time(self, seconds):
        for each in self.timers:
            if not each.is_cancelled and each.delay <= seconds:
                each.act()


class FakeTransport:
    """A connection."""

    def __init__(self):
        self.is_closed = False

    def close(self):
        self.is_closed = True

    def is_closing(self):
        return self.is_closed

    def get_extra_info(self, _name, default=None):
        return default

    def pause_reading(self):
        return None

    def resume_reading(self):
        return None


async def app(_scope: Any, _receive: Any, _send: Any) -> None:
    """Serve nothing."""


def connect(*pieces):
    loop, transport = FakeLoop(), FakeTransport()
    protocol = PromptProtocol(Config(app), ServerState(), {}, loop)  # type: ignore[arg-type]  # a fake
    protocol.connection_made(transport)  # type: ignore[arg-type]  # a fake
    for each in pieces:
        protocol.data_received(each)
    return loop, transport, protocol


SILENT = {"nothing": [], "half a head": [HEAD[:20]], "a head bit by bit": [HEAD[:9], HEAD[9:20], HEAD[20:-1]]}


@pytest.mark.parametrize("pieces", SILENT.values(), ids=SILENT)
def test_connection_without_a_complete_head_is_closed_in_time(pieces):
    loop, transport, _ = connect(*pieces)
    loop.pass_time(14.9)
    assert not transport.is_closed
    loop.pass_time(15.0)
    assert transport.is_closed


def test_request_that_has_begun_takes_as_long_as_it_takes():
    loop, transport, _ = connect(HEAD[:20], HEAD[20:])
    loop.pass_time(3600.0)
    assert not transport.is_closed


def test_next_request_on_a_connection_must_come_in_time_too():
    loop, transport, protocol = connect(HEAD)
    protocol.cycle.response_complete = True
    protocol.on_response_complete()
    protocol.data_received(HEAD[:20])
    loop.pass_time(15.0)
    assert transport.is_closed


def test_connection_that_has_ended_is_not_waited_for():
    loop, _, protocol = connect()
    protocol.connection_lost(ConnectionResetError())
    assert all(each.is_cancelled for each in loop.timers)


def test_servers_of_pages_watch_their_connections():
    assert build_server(app, grace_s=1).config.http is PromptProtocol
