"""The worker that decides writes what the others hand over."""

import asyncio
import os

from agen_authz.adapters.audit import StdoutSink
from agen_authz.app.control.message import Write, Written
from agen_authz.app.worker.scribe import Scribe
from tests.fakes import CountingMetrics, ListSink


async def until_answered(answers: list[Written], count: int) -> None:
    async with asyncio.timeout(30):
        while len(answers) < count:
            await asyncio.sleep(0)


async def test_event_is_written_and_answered_at_once_or_in_its_turn():
    sink, answers = ListSink(), list[Written]()
    scribe = Scribe(sink, answers.append, tuple)
    scribe.take(Write(1, b"first", "ann"))
    await until_answered(answers, 1)
    sink.is_full = True
    scribe.take(Write(2, b"second", "ann"))
    await asyncio.sleep(0)
    assert answers == [Written(1, True)]
    sink.is_full = False
    await until_answered(answers, 2)
    await scribe.close()
    assert (sink.lines, answers) == ([b"first", b"second"], [Written(1, True), Written(2, True)])


async def test_event_that_cannot_be_written_is_answered_so():
    sink, answers = ListSink(), list[Written]()
    sink.is_broken = True
    scribe = Scribe(sink, answers.append, tuple)
    scribe.take(Write(1, b"lost", "ann"))
    await until_answered(answers, 1)
    assert answers == [Written(1, False)]


async def test_event_that_is_withdrawn_is_not_written_later():
    sink, answers = ListSink(), list[Written]()
    sink.is_full = True
    scribe = Scribe(sink, answers.append, tuple)
    scribe.take(Write(1, b"left", "ann"))
    await asyncio.sleep(0)
    scribe.withdraw(1)
    scribe.withdraw(2)
    await asyncio.sleep(0)
    sink.is_full = False
    scribe.take(Write(3, b"next", "ann"))
    await until_answered(answers, 1)
    await scribe.close()
    assert (sink.lines, answers) == ([b"next"], [Written(3, True)])


def test_line_that_a_worker_left_half_written_does_not_take_the_next_one_with_it():
    reading, writing = os.pipe()
    os.write(writing, b'{"half":')
    after = StdoutSink(writing, CountingMetrics(), may_be_cut=True)
    assert after.emit(b'{"whole":1}') and after.emit(b'{"whole":2}')
    after.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as read:
        assert read.read().splitlines() == [b'{"half":', b'{"whole":1}', b'{"whole":2}']
