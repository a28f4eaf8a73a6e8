"""The whole servicer of Process on a stream in memory: what Envoy is answered, and when the stream is aborted."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from agen_authz._pb.agen.envoy.v1 import ext_proc_pb2 as pb
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Json
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import MadeTask, Note, Passed, Uninspected, Withheld
from agen_authz.core.response.passage import Copy
from agen_authz.core.response.step import Terms
from agen_authz.servers.ext_proc import (
    Assignment,
    Gone,
    Observation,
    ProcessPorts,
    ProcessRules,
    ProcessServicer,
    WriteNotes,
)
from tests.core.response.wireless import terms
from tests.fakes import CountingMetrics, FakeClock, Naps

OFF_WORD = "off-0123456789abcdef"
ANSWER = b'{"jsonrpc":"2.0","id":7,"result":{}}'
EVENTS = "text/event-stream"
STREAMED, DUPLEX = 1, 4
NOTE = MadeTask("crm", "t1", "export")


def opening(
    media: str = "application/json", *, word: str = "on", sealed: str = "sealed", mode: int = STREAMED
) -> bytes:
    request = pb.ProcessingRequest()
    for name, text in ((":status", "200"), ("content-type", media)):
        request.response_headers.headers.headers.add(key=name, raw_value=text.encode())
    told = request.metadata_context.filter_metadata["envoy.filters.http.ext_authz"]
    told.update({"agen.inspect": word, "agen.proc": sealed})
    request.protocol_config.response_body_mode = mode
    return request.SerializeToString()


def piece(raw: bytes, *, ends: bool = False) -> bytes:
    return pb.ProcessingRequest(response_body=pb.HttpBody(body=raw, end_of_stream=ends)).SerializeToString()


class MemoryStream:
    """Messages of Envoy's in a queue, and what it was answered."""

    def __init__(self, *messages: bytes | None) -> None:
        self.coming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.answers: list[pb.ProcessingResponse] = []
        self.aborted: list[Reason] = []
        self.is_gone = False
        for message in messages:
            self.coming.put_nowait(message)

    async def read(self) -> bytes | None:
        return None if self.aborted else await self.coming.get()

    async def write(self, raw: bytes) -> None:
        if self.is_gone:
            raise Gone
        self.answers.append(pb.ProcessingResponse.FromString(raw))

    async def abort(self, reason: Reason) -> None:
        if not self.aborted:
            self.aborted.append(reason)
            self.coming.put_nowait(None)

    @property
    def body(self) -> bytes:
        mutations = [answer.response_body.response.body_mutation for answer in self.answers]
        return b"".join(each.body or each.streamed_response.body for each in mutations)


async def forget(notes: tuple[Note, ...], *, is_last: bool = True) -> None:
    """Write nothing."""


@dataclass
class Rig:
    """A servicer, and what is around it."""

    inspected: Terms = field(default_factory=terms)
    write_notes: WriteNotes = forget
    expires: float | None = None
    # Not None for a response that passes as it is.
    max_bytes: int | None = None
    copies: list[Copy | None] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    metrics: CountingMetrics = field(default_factory=CountingMetrics)
    naps: Naps = field(default_factory=Naps)

    def __post_init__(self) -> None:
        ports = ProcessPorts(self.clock, self.metrics, self.naps)
        self.servicer = ProcessServicer(ProcessRules(OFF_WORD, self.assign), ports)

    def assign(self, sealed: str) -> Assignment | Observation:
        self.sealed.append(sealed)
        if self.max_bytes is not None:
            return Observation("crm", self.max_bytes, self.copies.append)
        return Assignment(self.inspected, "crm", self.expires, self.write_notes)

    @property
    def outcomes(self) -> dict[tuple[str, ...], int]:
        return {key[1:]: count for key, count in self.metrics.counts.items()}

    async def serve(self, *messages: bytes | None) -> MemoryStream:
        stream = MemoryStream(*messages)
        await self.servicer.process(stream)
        return stream


async def test_response_is_inspected_and_answered():
    rig = Rig()
    stream = await rig.serve(opening(), piece(ANSWER), piece(b"", ends=True), None)
    assert [answer.WhichOneof("response") for answer in stream.answers] == ["response_headers", *["response_body"] * 2]
    assert (stream.body, stream.aborted, rig.sealed, rig.outcomes) == (ANSWER, [], ["sealed"], {("passed", "crm"): 1})


@pytest.mark.parametrize("word", ["", "on", "off", OFF_WORD[:-1], OFF_WORD + "0", OFF_WORD.upper(), "\U0001f600"])
async def test_only_the_keyed_word_lets_a_response_pass_uninspected(word: str):
    page = b"<html>"
    seen = [await Rig().serve(opening(word=each), piece(page, ends=True), None) for each in (word, OFF_WORD)]
    passes = [not stream.answers[1].response_body.response.HasField("body_mutation") for stream in seen]
    assert passes == [False, True]


async def test_missing_word_is_no_word_whatever_the_rules_say():
    rig = Rig()
    rig.servicer.swap(ProcessRules("", rig.assign))
    stream = await rig.serve(opening(word=""), piece(b"<html>", ends=True), None)
    assert (rig.sealed, b"html" in stream.body) == (["sealed"], False)


async def test_skipped_response_is_counted_for_no_server_and_nothing_is_assigned():
    rig = Rig()
    await rig.serve(opening(word=OFF_WORD), piece(b"x", ends=True), None)
    assert (rig.sealed, rig.outcomes) == ([], {("skipped", ""): 1})


EARLY = {
    "before the first message": (),
    "after the headers": (opening(),),
    "within the body": (opening(), piece(ANSWER)),
    "within the events": (opening(EVENTS), piece(b"data: " + ANSWER + b"\n\n")),
    "within what passes": (opening(word=OFF_WORD), piece(b"x")),
}


@pytest.mark.parametrize("messages", EARLY.values(), ids=EARLY)
async def test_stream_that_envoy_closes_early_never_ends_with_ok(messages: tuple[bytes, ...]):
    stream = await Rig().serve(*messages, None)
    assert stream.aborted == [Reason.RESPONSE_UNREADABLE]


BROKEN = {
    "no message": (b"\xff",),
    "no mode": (opening(mode=0),),
    "headers twice": (opening(), opening()),
    "a broken body": (opening(), b"\xff"),
    "a request's body": (opening(), pb.ProcessingRequest(request_body=pb.HttpBody(body=b"x")).SerializeToString()),
}


@pytest.mark.parametrize("messages", BROKEN.values(), ids=BROKEN)
async def test_what_cannot_be_read_aborts(messages: tuple[bytes, ...]):
    rig = Rig()
    stream = await rig.serve(*messages, None)
    assert (stream.aborted, stream.body) == ([Reason.RESPONSE_UNREADABLE], b"")
    assert [outcome for outcome, _ in rig.outcomes] == ["aborted"]


async def test_what_cannot_be_read_aborts_what_passes_as_well():
    rig = Rig()
    stream = await rig.serve(opening(word=OFF_WORD), piece(b"x"), b"\xff", None)
    assert (stream.aborted, rig.outcomes) == ([Reason.RESPONSE_UNREADABLE], {("aborted", ""): 1})


async def test_mode_in_which_bytes_would_pass_unseen_is_reported_once(caplog: pytest.LogCaptureFixture):
    rig = Rig()
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            await rig.serve(opening(mode=2), None)
    assert [record.message for record in caplog.records] == [
        "Envoy sends responses so that they cannot be inspected; it cuts them"
    ]
    assert rig.outcomes == {("aborted", ""): 3}


async def test_defect_aborts_and_lets_nothing_pass(caplog: pytest.LogCaptureFixture):
    def fail(_: Json) -> Passed:
        raise RuntimeError("a defect")

    rig = Rig(terms(fail))
    stream = await rig.serve(opening(), piece(ANSWER, ends=True), None)
    assert (stream.aborted, stream.body, rig.outcomes) == ([Reason.INTERNAL_ERROR], b"", {("aborted", "crm"): 1})
    assert [record.message for record in caplog.records] == [
        "a defect ended the inspection of a response; Envoy cuts the response"
    ]


async def test_rules_that_fail_abort(caplog: pytest.LogCaptureFixture):
    def fail(_: str) -> Assignment:
        raise RuntimeError("a defect")

    rig = Rig()
    rig.servicer.swap(ProcessRules(OFF_WORD, fail))
    assert (await rig.serve(opening(), None)).aborted == [Reason.INTERNAL_ERROR]


async def test_stream_on_which_nothing_can_be_sent_does_not_end_with_ok():
    rig = Rig()
    stream = MemoryStream(opening())
    stream.is_gone = True
    await rig.servicer.process(stream)
    assert (stream.aborted, rig.outcomes) == ([Reason.RESPONSE_UNREADABLE], {("passed", "crm"): 1})


async def test_stream_on_which_nothing_can_be_sent_when_the_token_expires_does_not_end_with_ok():
    rig = Rig(expires=FakeClock().now() - 60)
    stream = MemoryStream(opening(EVENTS, mode=DUPLEX), piece(b": hi\n\n"))
    serving = asyncio.create_task(rig.servicer.process(stream))
    _, woken = await rig.naps.next()
    while not stream.body:
        await asyncio.sleep(0)
    stream.is_gone = True
    woken.set_result(None)
    await serving
    assert stream.aborted == [Reason.TOKEN_EXPIRED]


# ---- notes -----------------------------------------------------------------------------------------------


async def test_message_leaves_after_its_notes_are_written():
    order: list[object] = []

    async def write(notes: tuple[Note, ...], *, is_last: bool = True) -> None:
        order.append((notes, len(stream.answers)))

    rig = Rig(terms(lambda message: Passed(message, (NOTE,))), write)
    stream = MemoryStream(opening(EVENTS), piece(b"data: " + ANSWER + b"\n\n", ends=True), None)
    await rig.servicer.process(stream)
    assert (order, stream.body) == ([((NOTE,), 1), ((), 2)], b"data: " + ANSWER + b"\n\n")


@pytest.mark.parametrize("failure", [Unavailable(Reason.STORE_UNAVAILABLE, "store"), TimeoutError()])
async def test_message_whose_notes_cannot_be_written_is_withheld(failure: Exception):
    async def fail(notes: tuple[Note, ...], *, is_last: bool = True) -> None:
        if notes:
            raise failure

    rig = Rig(terms(lambda message: Passed(message, (NOTE,))), fail)
    stream = await rig.serve(opening(), piece(ANSWER, ends=True), None)
    assert (b"store_unavailable" in stream.body, b"result" in stream.body) == (True, False)
    assert rig.outcomes == {("withheld", "crm"): 1}


class Notebook:
    """Remembers what was to be written, and if it was the last."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.calls: list[tuple[tuple[Note, ...], bool]] = []
        self.is_broken = is_broken

    async def __call__(self, notes: tuple[Note, ...], *, is_last: bool = True) -> None:
        self.calls.append((notes, is_last))
        if self.is_broken:
            raise Unavailable(Reason.AUDIT_UNAVAILABLE, "full")


EVENT = b"data: " + ANSWER + b"\n\n"
LAST = {
    "a JSON body": ((opening(), piece(ANSWER, ends=True), None), [True]),
    "a stream": ((opening(EVENTS), piece(EVENT), piece(EVENT + EVENT, ends=True), None), [False, False, True]),
    "a stream that ends later": ((opening(EVENTS), piece(EVENT), piece(b"", ends=True), None), [False]),
    "a stream that is cut": ((opening(EVENTS), piece(EVENT), None), [False]),
}


@pytest.mark.parametrize(("messages", "last"), LAST.values(), ids=LAST)
async def test_end_of_the_response_is_told_to_what_writes_notes_however_it_ends(
    messages: tuple[bytes | None, ...], last: list[bool]
):
    book = Notebook()
    await Rig(terms(lambda message: Passed(message, (NOTE,))), book).serve(*messages)
    assert book.calls == [*(((NOTE,), each) for each in last), ((), True)]


async def test_response_that_passes_though_it_cannot_be_read_is_counted():
    page = b"<html>"
    seen = []
    for passes_unread in (True, False):
        rig = Rig(replace(terms(), passes_unread=passes_unread))
        await rig.serve(opening(), piece(page, ends=True), None)
        seen.append(rig.metrics.counts["agen_responses_unread_total", "crm"])
    assert seen == [1, 0]


async def test_what_could_not_be_inspected_is_noted_at_the_end_and_defects_are_counted(
    caplog: pytest.LogCaptureFixture,
):
    book = Notebook(is_broken=True)
    rig = Rig(terms(lambda _: Withheld(Reason.MASKING_INCOMPLETE, "x")), book)
    stream = await rig.serve(opening(EVENTS), piece(EVENT + EVENT, ends=True), None)
    assert book.calls == [((Uninspected(Reason.MASKING_INCOMPLETE, "x"),), True)]
    assert rig.metrics.counts["agen_masking_incomplete_total", "crm"] == 2
    assert [record.message for record in caplog.records] == [
        "something was left in a message after it was masked; the message was withheld"
    ]
    assert stream.aborted == []


# ---- what passes as it is, and is watched ------------------------------------------------------------------


@pytest.mark.parametrize("mode", [STREAMED, DUPLEX])
async def test_response_that_is_watched_is_answered_as_one_that_nothing_inspects(mode: int):
    messages = (opening(EVENTS, mode=mode), piece(b"any "), piece(b"thing", ends=True), None)
    watched, off = Rig(max_bytes=9, expires=0.0), Rig()
    seen = [await watched.serve(*messages), await off.serve(opening(EVENTS, word=OFF_WORD, mode=mode), *messages[1:])]
    assert seen[0].answers == seen[1].answers
    assert [each.raw for each in watched.copies if each is not None] == [b"any thing"]
    assert watched.outcomes == {("skipped", "crm"): 1}


async def test_response_that_is_too_large_or_cut_leaves_no_copy():
    rig = Rig(max_bytes=3)
    await rig.serve(opening(), piece(b"1234", ends=True), None)
    cut = await rig.serve(opening(), piece(b"12"), None)
    assert (rig.copies, cut.aborted) == ([None], [Reason.RESPONSE_UNREADABLE])


# ---- the end of the token --------------------------------------------------------------------------------


async def expire(mode: int) -> tuple[Rig, MemoryStream]:
    rig = Rig(expires=FakeClock().now() + 60)
    stream = MemoryStream(opening(EVENTS, mode=mode), piece(b"data: " + ANSWER.replace(b"7", b"8") + b"\n\n"))
    serving = asyncio.create_task(rig.servicer.process(stream))
    seconds, woken = await rig.naps.next()
    assert seconds == 60
    woken.set_result(None)
    if mode == DUPLEX:
        while not any(
            answer.response_body.response.body_mutation.streamed_response.end_of_stream for answer in stream.answers
        ):
            await asyncio.sleep(0)
        stream.coming.put_nowait(None)
    await serving
    return rig, stream


async def test_stream_is_aborted_when_the_token_expires():
    rig, stream = await expire(STREAMED)
    assert (stream.aborted, rig.outcomes) == ([Reason.TOKEN_EXPIRED], {("expired", "crm"): 1})


async def test_stream_in_duplex_mode_ends_with_an_error_when_the_token_expires():
    rig, stream = await expire(DUPLEX)
    assert (stream.aborted, rig.outcomes) == ([], {("expired", "crm"): 1})
    assert stream.body.endswith(b"\n\n") and b"token_expired" in stream.body


async def test_json_body_waits_for_no_clock():
    rig = Rig(expires=0.0)
    stream = await rig.serve(opening(), piece(ANSWER, ends=True), None)
    assert stream.body == ANSWER


async def test_timer_ends_with_its_stream():
    rig = Rig(expires=FakeClock().now() + 60)
    await rig.serve(opening(EVENTS), piece(b"", ends=True), None)
    assert len(asyncio.all_tasks()) == 1


async def test_end_of_a_stream_that_fails_aborts(caplog: pytest.LogCaptureFixture):
    rig = Rig(expires=FakeClock().now() - 60)
    stream = MemoryStream(opening(EVENTS, mode=DUPLEX), piece(b": hi\n\n"))
    broken = RuntimeError("a defect")

    async def fail(_: bytes) -> None:
        raise broken

    serving = asyncio.create_task(rig.servicer.process(stream))
    seconds, woken = await rig.naps.next()
    while not stream.body:
        await asyncio.sleep(0)
    stream.write = fail  # type: ignore[assignment, method-assign]  # the stream breaks now
    woken.set_result(None)
    await serving
    assert (seconds, stream.aborted) == (0.0, [Reason.INTERNAL_ERROR])
