"""The control channel: whole messages, and an end that is seen."""

import socket

import pytest

from agen_authz.adapters.metrics import Family
from agen_authz.app.control.channel import open_to_supervisor, open_to_worker
from agen_authz.app.control.message import (
    Applied,
    Apply,
    Ask,
    Begin,
    Drain,
    Drained,
    End,
    Handed,
    Serving,
    Status,
    Unstartable,
    Withdraw,
    Write,
    Written,
)
from agen_authz.config import Secrets
from agen_authz.core.errors import Problem
from agen_authz.core.reason import Reason

HANDED = Handed("/agen.yaml", b"x" * 100_000, Secrets(b"k", None, {"crm": (("a", b"s"),)}, {"corp": "pem"}))
WITHDRAW, WRITTEN = Withdraw(2), Written(3, False, False)
PROBLEM = Problem("agen.yaml", 3, "a.b", "wrong", "mend it")
FAMILY = Family("agen_x", "what it is", "counter", {("agen_x_total", (("server", "crm"),)): 2.0})


async def test_every_message_arrives_as_it_was_sent_and_in_order():
    ours, theirs = socket.socketpair()
    to_worker, to_supervisor = await open_to_worker(ours), await open_to_supervisor(theirs)
    orders = (
        Begin(HANDED, b"key", True),
        Ask(1),
        Apply(2, HANDED),
        Drain(1.5),
        End(),
        Write(1, b"l", "o"),
        WITHDRAW,
        WRITTEN,
    )
    answers = (
        Serving("v", 17),
        Unstartable((PROBLEM,)),
        Applied(2, "v", (PROBLEM,), (Reason.STORE_UNAVAILABLE, "store")),
        Status(1, True, {"a": "b"}, (FAMILY,)),
        Drained(),
        Write(1, b"l", "o"),
        WITHDRAW,
        WRITTEN,
    )
    for order in orders:
        to_worker.send(order)
    for answer in answers:
        to_supervisor.send(answer)
    assert tuple([await to_supervisor.receive() for _ in orders]) == orders
    assert tuple([await to_worker.receive() for _ in answers]) == answers
    await to_worker.close()
    assert await to_supervisor.receive() is None
    await to_supervisor.close()


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00", b"\x00\x00\x00\x05abc", b"\x00\x00\x00\x01\xc1", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\x01"],
    ids=["nothing", "half a head", "half a message", "not a message", "too large", "another kind"],
)
async def test_what_is_not_a_message_is_the_end(raw):
    ours, theirs = socket.socketpair()
    channel = await open_to_worker(ours)
    with theirs:
        theirs.sendall(raw)
    assert await channel.receive() is None
    await channel.close()
