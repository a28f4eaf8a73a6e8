"""Our Process behind a real Envoy, in both of its modes: not a byte that was not inspected reaches the client."""

import asyncio
import gzip
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

import pytest
import yaml
from envoy_data_plane.envoy.service.auth.v3 import CheckResponse
from envoy_data_plane.google.protobuf import Struct

from agen_authz.core.model import Envelope, Json
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import Note, Passed, Withheld
from agen_authz.core.response.step import ResponseOutcome, Terms
from agen_authz.envoy.model import UnixAddress, Upstream
from agen_authz.servers.ext_proc import Assignment, ProcessPorts, ProcessRules, ProcessServicer, Stream
from tests.envoy.stand import TIMEOUT_S, Asked, Reply, Stand, allow, chunked, read_pieces, request, run_stand
from tests.fakes import CountingMetrics, FakeClock
from tests.stage.process_server import serving_process

pytestmark = pytest.mark.envoy

# Every backend of these tests sends it, and no client may see it.
SECRET = b"secret-4711"
# Another word than the one that Envoy skips on: the response reaches Process, which passes it.
WORD = "off-fedcba9876543210"
CALL = request("POST", "/crm/mcp", headers=("te: trailers",), body=b"{}")
ANSWER = b'{"jsonrpc":"2.0","id":7,"result":{"text":"%s"}}' % SECRET
SHOWN = ANSWER.replace(SECRET, b"[MASKED]")
PROGRESS = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"message":"%s"}}' % SECRET
SHOWN_PROGRESS = PROGRESS.replace(SECRET, b"[MASKED]")


def event(message: bytes) -> bytes:
    return b"data: " + message + b"\n\n"


def mask(message: Json) -> Passed | Withheld:
    """Inspect a message as a masking rule will: every text that holds the secret is changed."""
    if message == {"jsonrpc": "2.0", "method": "fail"}:
        raise RuntimeError("a defect")
    return Passed(_mask(message))


def _mask(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _mask(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_mask(element) for element in value]
    return value.replace(SECRET.decode(), "[MASKED]") if isinstance(value, str) else value


async def _write_nothing(notes: tuple[Note, ...], *, is_last: bool = True) -> None:
    """Write no notes."""


class Counted(CountingMetrics):
    """Outcomes, in the order in which streams end: that may be after the client has its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Queue[tuple[str, str]] = Queue()

    def count_response(self, server: str, outcome: ResponseOutcome) -> None:
        self.seen.put((server, outcome.value))


class _Returning:
    """A stream that is never aborted."""

    def __init__(self, stream: Stream) -> None:
        self.read, self.write = stream.read, stream.write

    async def abort(self, reason: Reason) -> None:
        """Do nothing."""


@dataclass
class Inspected:
    """A stand, and what its Process goes by; each test opens one stream."""

    stand: Stand = field(init=False)
    counted: Counted = field(default_factory=Counted)
    clock: FakeClock = field(default_factory=FakeClock)
    expires: float | None = None
    has_expired: threading.Event = field(default_factory=threading.Event)
    is_counted: bool = False
    # Takes the protection out: where our Process aborts a stream, this one returns.
    ends_with_ok: bool = False
    limits: ResponseLimits = field(default_factory=lambda: ResponseLimits(bytes=1 << 20, depth=64))

    def assign(self, sealed: str) -> Assignment:
        assert sealed == "sealed"
        terms = Terms(mask, Envelope(id=7), "r1", self.limits, lambda session: f"ours-{session}")
        return Assignment(terms, "crm", self.expires, _write_nothing)

    def __post_init__(self) -> None:
        self._servicer = ProcessServicer(
            ProcessRules(WORD, self.assign), ProcessPorts(self.clock, self.counted, self._sleep)
        )

    async def process(self, stream: Stream) -> None:
        """Serve a stream; `StreamServicer.process`."""
        await self._servicer.process(_Returning(stream) if self.ends_with_ok else stream)

    async def _sleep(self, _: float) -> None:
        await asyncio.to_thread(self.has_expired.wait, TIMEOUT_S)

    def reset(self) -> None:
        """Forget what the last test asked and told."""
        self.stand.reset()
        self.stand.check.answer = says("on")
        self.is_counted = False
        self.has_expired.clear()
        self.ends_with_ok = False
        self.expires = None

    @property
    def outcome(self) -> tuple[str, str]:
        """Wait until the stream has ended, and return whose it was and what became of it."""
        self.is_counted = True
        return self.counted.seen.get(timeout=TIMEOUT_S)

    def get(self, *pieces: bytes) -> Reply:
        """Let the backend answer with these bytes, and return what the client gets until the connection ends."""
        self.stand.backend.pieces = lambda: iter(pieces)
        with self.stand.connect() as connection:
            connection.sendall(CALL)
            return Reply(b"".join(read_pieces(connection)))

    def get_slowly(self, *pieces: bytes) -> Reply:
        """As `get`, but each piece but the first is sent once the client has something new."""
        told: Queue[None] = Queue()

        def send() -> Iterator[bytes]:
            for number, piece in enumerate(pieces):
                if number:
                    told.get(timeout=TIMEOUT_S)
                yield piece

        self.stand.backend.pieces, received = send, b""
        with self.stand.connect() as connection:
            connection.sendall(CALL)
            for piece in read_pieces(connection):
                received += piece
                told.put(None)
        return Reply(received)


def says(word: str):
    def answer(_: Asked) -> CheckResponse:
        allowed = allow()
        told = Struct.from_dict({"agen.inspect": word, "agen.proc": "sealed"})
        return CheckResponse(status=allowed.status, ok_response=allowed.ok_response, dynamic_metadata=told)

    return answer


def _in(mode: str):
    def change(text: str) -> str:
        tree = yaml.safe_load(text.replace("response_body_mode: STREAMED", f"response_body_mode: {mode}"))
        assert mode in str(tree)
        (listener,) = tree["static_resources"]["listeners"]
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        manager.setdefault("http_protocol_options", {})["enable_trailers"] = True
        for cluster in tree["static_resources"]["clusters"]:
            if cluster["name"].startswith("resource-"):
                (options,) = cluster["typed_extension_protocol_options"].values()
                options["explicit_http_config"]["http_protocol_options"] = {"enable_trailers": True}
        return yaml.safe_dump(tree)

    return change


@pytest.fixture(scope="module", params=["STREAMED", "FULL_DUPLEX_STREAMED"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Inspected, str]]:
    folder, inspected = tmp_path_factory.mktemp("inspected"), Inspected()
    path = folder / "proc.sock"
    with (
        serving_process(inspected, path),
        run_stand(folder, proc=Upstream(UnixAddress(str(path))), changed=_in(request.param)) as stand,
    ):
        inspected.stand = stand
        yield inspected, request.param


@pytest.fixture
def inspected(both: tuple[Inspected, str]) -> Iterator[Inspected]:
    both[0].reset()
    yield both[0]
    if not both[0].is_counted:
        assert both[0].outcome


@pytest.fixture
def is_duplex(both: tuple[Inspected, str]) -> bool:
    return both[1] != "STREAMED"


def head(status: str = "200 OK", *headers: str, media: str = "application/json") -> bytes:
    rows = (f"HTTP/1.1 {status}", "connection: close", f"content-type: {media}", *headers)
    return "\r\n".join(rows).encode() + b"\r\n"


def whole(body: bytes, status: str = "200 OK", *headers: str, media: str = "application/json") -> bytes:
    return head(status, *headers, f"content-length: {len(body)}", media=media) + b"\r\n" + body


def open_chunks(media: str) -> bytes:
    return head("200 OK", "transfer-encoding: chunked", media=media) + b"\r\n"


def chunk(raw: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(raw), raw)


def body_of(reply: Reply) -> bytes:
    """Take a body out of its chunks; what is not a whole chunk is kept."""
    if "transfer-encoding" not in reply.headers:
        return reply.body
    return b"".join(re.split(rb"[0-9a-f]+\r\n", each, maxsplit=1)[-1] for each in _split(reply.body))


def _split(raw: bytes) -> Iterator[bytes]:
    while raw:
        size, _, rest = raw.partition(b"\r\n")
        yield rest[: int(size, 16)]
        raw = rest[int(size, 16) + 2 :]


def is_whole(reply: Reply) -> bool:
    return "transfer-encoding" not in reply.headers or reply.body.endswith(b"0\r\n\r\n")


# ---- what passes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_length", [True, False])
def test_json_is_inspected_whole(inspected: Inspected, has_length: bool) -> None:
    pieces = (chunk(ANSWER[:30]), chunk(ANSWER[30:45]), chunk(ANSWER[45:]), b"0\r\n\r\n")
    reply = inspected.get(*([whole(ANSWER)] if has_length else [open_chunks("application/json"), *pieces]))
    assert (reply.status, body_of(reply), is_whole(reply)) == (200, SHOWN, True)
    assert inspected.outcome == ("crm", "changed")


def test_only_headers_that_a_client_needs_pass(inspected: Inspected) -> None:
    names = ("x-a", "link", "etag", "content-disposition", "x-envoy-a", "access-control-allow-credentials")
    leaks = [f"{name}: {SECRET.decode()}" for name in names]
    reply = inspected.get(whole(ANSWER, "200 OK", *leaks, "mcp-session-id: s1", "vary: accept"))
    assert SECRET not in reply.raw
    assert reply.headers.keys() - {"date", "connection", "transfer-encoding", "content-length"} == {
        *("content-type", "mcp-session-id", "vary"),
    }
    assert reply.headers["mcp-session-id"] == "ours-s1"


def test_each_event_reaches_the_client_before_the_next_is_sent(inspected: Inspected) -> None:
    seen = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield open_chunks("text/event-stream") + chunk(b": hi\n\nid: 1\n" + event(PROGRESS)[:20])
        yield chunk(event(PROGRESS)[20:])
        assert seen.wait(TIMEOUT_S)
        yield chunk(event(ANSWER)) + b"0\r\n\r\n"

    inspected.stand.backend.pieces = pieces
    received = b""
    with inspected.stand.connect() as connection:
        connection.sendall(CALL)
        for piece in read_pieces(connection):
            received += piece
            if SHOWN_PROGRESS in received:
                seen.set()
    reply = Reply(received)
    assert body_of(reply) == b":\n\nid: 1\n" + event(SHOWN_PROGRESS) + event(SHOWN)
    assert (is_whole(reply), reply.headers["content-type"]) == (True, "text/event-stream")


def test_json_where_events_were_announced_leaves_as_an_event(inspected: Inspected) -> None:
    reply = inspected.get(whole(ANSWER, media="text/event-stream"))
    assert body_of(reply) == b"event: message\n" + event(SHOWN)


def test_events_where_json_was_announced_leave_as_json(inspected: Inspected) -> None:
    assert body_of(inspected.get(whole(event(ANSWER)))) == SHOWN


def test_large_body_is_inspected(inspected: Inspected) -> None:
    padding = b"x" * 900_000
    reply = inspected.get(whole(ANSWER.replace(b"secret", padding + b" secret")))
    assert body_of(reply) == SHOWN.replace(b"[MASKED]", padding + b" [MASKED]")


def test_accepted_notification_has_no_body(inspected: Inspected) -> None:
    reply = inspected.get(b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\nx-a: b\r\n\r\n")
    assert (reply.status, reply.body, "x-a" in reply.headers) == (202, b"", False)


def test_word_of_check_lets_a_response_pass_as_it_is(inspected: Inspected) -> None:
    inspected.stand.check.answer = says(WORD)
    page = b"<p>page</p>"
    reply = inspected.get(whole(page, "401 Unauthorized", "x-a: b", media="text/html"))
    assert (reply.status, body_of(reply), reply.headers["x-a"]) == (401, page, "b")
    assert inspected.outcome == ("", "skipped")


# ---- what does not ---------------------------------------------------------------------------------------

REPLACED = {
    "a redirect": (whole(SECRET, "302 Found", f"location: http://{SECRET.decode()}/", media="text/html"), 502),
    "a challenge": (whole(ANSWER, "401 Unauthorized", f"www-authenticate: {SECRET.decode()}"), 502),
    "an error page": (whole(SECRET, "500 Internal Server Error", media="text/html"), 502),
    "a page that is not there": (whole(SECRET, "404 Not Found", media="text/plain"), 404),
    "another type": (whole(SECRET, media="application/octet-stream"), 502),
    "compressed": (whole(gzip.compress(ANSWER), "200 OK", "content-encoding: gzip"), 502),
    "a header that Envoy keeps": (whole(ANSWER, "200 OK", f"host: {SECRET.decode()}"), 502),
    "an empty failure": (b"HTTP/1.1 500 Oh\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", 502),
}


@pytest.mark.parametrize(("raw", "status"), REPLACED.values(), ids=REPLACED)
def test_response_that_cannot_be_inspected_is_replaced(inspected: Inspected, raw: bytes, status: int) -> None:
    reply = inspected.get(raw)
    assert (reply.status, SECRET in reply.raw, b'"id":7,"error"' in reply.body) == (status, False, True)
    assert reply.headers["content-type"] == "application/json"
    assert inspected.outcome == ("crm", "blocked")


@pytest.mark.parametrize("raw", [SECRET, ANSWER[:-1], b"[" + ANSWER + b"]", ANSWER.replace(b"7", b"true")])
def test_body_that_cannot_be_read_becomes_an_error(inspected: Inspected, raw: bytes) -> None:
    reply = inspected.get(whole(raw))
    assert (reply.status, SECRET in reply.raw, b"response_unreadable" in reply.body, is_whole(reply)) == (
        *(200, False, True, True),
    )


def test_body_beyond_the_limit_becomes_an_error(inspected: Inspected) -> None:
    reply = inspected.get(whole(ANSWER.replace(b"secret", b"x" * (3 << 20))))
    assert (body_of(reply).count(b"response_too_large"), is_whole(reply)) == (1, True)


def test_event_beyond_the_limit_is_the_last(inspected: Inspected) -> None:
    large = event(ANSWER.replace(b"secret", b"x" * (2 << 20)))
    pieces = (chunk(event(PROGRESS)), chunk(large), chunk(event(ANSWER)), b"0\r\n\r\n")
    reply = inspected.get(open_chunks("text/event-stream"), *pieces)
    assert (event(SHOWN_PROGRESS) in reply.raw, b"response_too_large" in reply.raw, SECRET in reply.raw) == (
        *(True, True, False),
    )
    assert is_whole(reply)


# ---- ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media", ["application/json", "text/event-stream"])
def test_backend_that_ends_without_an_end_shows_nothing_of_what_is_held(inspected: Inspected, media: str) -> None:
    held = ANSWER if media == "application/json" else event(ANSWER)[:-1]
    reply = inspected.get_slowly(open_chunks(media), chunk(held))
    assert (SECRET in reply.raw, b"MASKED" in reply.raw, is_whole(reply)) == (False, False, False)


def test_defect_within_a_stream_cuts_it(inspected: Inspected) -> None:
    broken = event(b'{"jsonrpc":"2.0","method":"fail"}')
    pieces = [
        open_chunks("text/event-stream"),
        chunk(event(PROGRESS)),
        *[chunk(broken + event(ANSWER))] * 50,
        b"0\r\n\r\n",
    ]
    reply = inspected.get(*pieces)
    assert (SECRET in reply.raw, SHOWN in reply.raw, reply.status == 200 and is_whole(reply)) == (False, False, False)
    assert inspected.outcome == ("crm", "aborted")


def test_abort_is_what_stops_the_rest(inspected: Inspected, is_duplex: bool) -> None:
    broken = event(b'{"jsonrpc":"2.0","method":"fail"}')
    first, rest = open_chunks("text/event-stream") + chunk(broken), chunk(event(ANSWER)) + b"0\r\n\r\n"
    seen = []
    for inspected.ends_with_ok in (False, True):
        seen.append(SECRET in inspected.get_slowly(first, rest).raw)
        assert inspected.outcome == ("crm", "aborted")
    # FULL_DUPLEX_STREAMED loses the piece that was under way, which may be all there is.
    assert seen == [False, seen[1] if is_duplex else True]


@pytest.mark.parametrize("media", ["application/json", "text/event-stream"])
def test_trailers_end_a_body_and_do_not_pass(inspected: Inspected, is_duplex: bool, media: str) -> None:
    body, shown = (ANSWER, SHOWN) if media == "application/json" else (event(ANSWER), event(SHOWN))
    trailers = chunked(body, trailer=b"x-a: " + SECRET + b"\r\n")
    reply = inspected.get(
        head("200 OK", "transfer-encoding: chunked", "trailer: x-a", media=media) + b"\r\n" + trailers
    )
    assert (SECRET in reply.raw, b"x-a" in reply.raw) == (False, False)
    if is_duplex or media != "application/json":
        assert (body_of(reply), is_whole(reply)) == (shown, True)
    else:
        # In STREAMED what is held cannot leave any more.
        assert (b"MASKED" in reply.raw, reply.status == 200 and is_whole(reply)) == (False, False)


def test_stream_ends_when_the_token_expires(inspected: Inspected, is_duplex: bool) -> None:
    inspected.expires, has_ended, received = inspected.clock.now(), threading.Event(), b""

    def pieces() -> Iterator[bytes]:
        yield open_chunks("text/event-stream") + chunk(b": hi\n\n")
        has_ended.wait(TIMEOUT_S)
        yield chunk(event(ANSWER))

    inspected.stand.backend.pieces = pieces
    with inspected.stand.connect() as connection:
        connection.sendall(CALL)
        for piece in read_pieces(connection):
            received += piece
            if b":\n\n" in received:
                inspected.has_expired.set()
    has_ended.set()
    reply = Reply(received)
    assert (b"token_expired" in reply.raw, SECRET in reply.raw) == (is_duplex, False)
    assert inspected.outcome == ("crm", "expired")


def test_client_that_leaves_ends_its_stream(inspected: Inspected) -> None:
    has_left = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield open_chunks("text/event-stream") + chunk(event(PROGRESS))
        has_left.wait(TIMEOUT_S)

    inspected.stand.backend.pieces, received = pieces, b""
    with inspected.stand.connect() as connection:
        connection.sendall(CALL)
        for piece in read_pieces(connection):
            received += piece
            if SHOWN_PROGRESS in received:
                break
    outcome = inspected.outcome
    has_left.set()
    assert outcome == ("crm", "changed")


# ---- several workers that inspect -----------------------------------------------------------------------


@pytest.mark.parametrize("dead", [None, 0, 1], ids=["both serve", "the first is down", "the second is down"])
def test_responses_spread_over_the_workers_that_serve(tmp_path: Path, dead: int | None) -> None:
    paths = [tmp_path / "proc.sock", tmp_path / "proc-2.sock"]
    workers = {number: Inspected() for number in (0, 1) if number != dead}
    first, second = (UnixAddress(str(path)) for path in paths)
    with ExitStack() as stack:
        for number, worker in workers.items():
            stack.enter_context(serving_process(worker, paths[number]))
        stand = stack.enter_context(run_stand(tmp_path, proc=Upstream(first), more_proc=(second,)))
        for worker in workers.values():
            worker.stand = stand
        next(iter(workers.values())).reset()
        replies = [next(iter(workers.values())).get(whole(ANSWER)) for _ in range(4)]
        assert [(reply.status, body_of(reply)) for reply in replies] == [(200, SHOWN)] * 4
        for worker in workers.values():
            seen = [worker.outcome for _ in range(4 // len(workers))]
            assert seen == [("crm", "changed")] * (4 // len(workers))
