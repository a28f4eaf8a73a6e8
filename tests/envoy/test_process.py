"""ext_proc in the rendered configuration: when it is skipped, and that nothing passes when it fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from envoy_data_plane.envoy.service.auth.v3 import CheckResponse
from envoy_data_plane.envoy.service.ext_proc.v3 import ProcessingRequest, ProcessingResponse
from envoy_data_plane.envoy.type.v3 import StatusCode
from envoy_data_plane.google.protobuf import Struct

from agen_authz.envoy.model import EnvoyLimits, UnixAddress, Upstream
from tests.envoy.inspector import Failed, Inspector, hold_then, serve_inspector, with_body, with_headers
from tests.envoy.stand import OFF_WORD, TIMEOUT_S, Asked, Stand, allow, deny, request, run_stand

pytestmark = pytest.mark.envoy

GET = request("GET", "/crm/mcp")
SECRET = b"4111111111111111"
ANSWER = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 16\r\n\r\n" + SECRET
UNINSPECTED = b'{"jsonrpc": "2.0", "id": null, "error": {"code": 50200, "message": "The response was not inspected."}}'
NAMESPACE = "envoy.filters.http.ext_authz"


def _says(value: object) -> Callable[[Asked], CheckResponse]:
    metadata = {} if value is None else {"agen.inspect": value}
    return lambda _: CheckResponse(
        status=allow().status, ok_response=allow().ok_response, dynamic_metadata=Struct.from_dict(metadata)
    )


def _fails(_: Asked) -> CheckResponse:
    raise RuntimeError


# ---- nothing listens where Process should be -----------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param(OFF_WORD, 200, id="the word"),
        pytest.param(None, 502, id="no word"),
        pytest.param("off", 502, id="plain off"),
        pytest.param("off-0123456789abcdee", 502, id="word of another key"),
        pytest.param(OFF_WORD + " ", 502, id="longer"),
        pytest.param(OFF_WORD.upper(), 502, id="capitals"),
        pytest.param("", 502, id="empty"),
        pytest.param("on", 502, id="on"),
        pytest.param(True, 502, id="not a text"),
        pytest.param([OFF_WORD], 502, id="a list"),
    ],
)
def test_without_process_only_the_word_lets_a_response_pass(stand: Stand, word: object, expected: int) -> None:
    stand.backend.pieces = lambda: iter([ANSWER])
    stand.check.answer = _says(word)
    reply = stand.send(GET)
    assert (reply.status, SECRET in reply.raw, len(stand.backend.arrived)) == (expected, expected == 200, 1)


@pytest.mark.parametrize(
    ("raw", "answer", "expected"),
    [
        pytest.param(request("GET", "/nowhere"), None, 404, id="no route"),
        pytest.param(request("GET", "/crm/mcp", token=False), None, 401, id="no token"),
        pytest.param(request("GET", "/.well-known/oauth-protected-resource"), None, 404, id="metadata of a resource"),
        pytest.param(request("POST", "/crm/mcp", body=b"x" * (2 << 20)), None, 413, id="too large"),
        pytest.param(
            request("GET", "/crm/mcp", headers=("upgrade: websocket",)).replace(b": close", b": upgrade"),
            None,
            403,
            id="upgrade",
        ),
        pytest.param(GET, lambda _: deny(StatusCode.Forbidden, {}), 403, id="denied"),
        pytest.param(GET, _fails, 503, id="Check fails"),
    ],
)
def test_what_envoy_answers_itself_needs_no_process(
    stand: Stand, raw: bytes, answer: Callable[[Asked], CheckResponse] | None, expected: int
) -> None:
    stand.check.inspect = None
    if answer is not None:
        stand.check.answer = answer
    assert (stand.send(raw).status, stand.backend.arrived) == (expected, [])


# ---- Process listens -----------------------------------------------------------------------------------


@contextmanager
def _run_inspected(folder: Path, timeout_s: float) -> Iterator[tuple[Stand, Inspector]]:
    inspector, path = Inspector(lambda _: with_headers({})), folder / "proc.sock"
    limits = EnvoyLimits(process_timeout_s=timeout_s)
    with (
        serve_inspector(inspector, path),
        run_stand(folder, limits=limits, proc=Upstream(UnixAddress(str(path)))) as stand,
    ):
        yield stand, inspector


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, Inspector]]:
    """Run a Process that is never late, however busy the machine is."""
    with _run_inspected(tmp_path_factory.mktemp("process"), 30.0) as running:
        yield running


def _inspect(inspected: tuple[Stand, Inspector], answer: Callable[[ProcessingRequest], ProcessingResponse]) -> Stand:
    stand, inspector = inspected
    stand.reset()
    stand.backend.pieces = lambda: iter([ANSWER])
    stand.check.answer = _says("on")
    inspector.answer, inspector.streams = answer, 0
    inspector.seen.clear()
    return stand


def test_process_sees_the_response_alone_and_what_check_said(inspected: tuple[Stand, Inspector]) -> None:
    stand = _inspect(inspected, hold_then(lambda _: b"****"))
    reply = stand.send(GET)
    first, *pieces = inspected[1].seen
    assert first.response_headers is not None and first.metadata_context is not None
    said = first.metadata_context.filter_metadata[NAMESPACE].to_dict()["agen.inspect"]
    read = b"".join(piece.response_body.body for piece in pieces if piece.response_body is not None)
    assert (reply.status, reply.body.count(SECRET), b"****" in reply.body, said, read) == (200, 0, True, "on", SECRET)


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        pytest.param(GET, _says(OFF_WORD), id="the word"),
        pytest.param(GET, lambda _: deny(StatusCode.Forbidden, {}), id="denied"),
        pytest.param(request("GET", "/nowhere"), _says("on"), id="no route"),
        pytest.param(request("GET", "/crm/mcp", token=False), _says("on"), id="no token"),
        pytest.param(request("POST", "/crm/mcp", body=b"x" * (2 << 20)), _says("on"), id="too large"),
    ],
)
def test_no_stream_is_opened(
    inspected: tuple[Stand, Inspector], raw: bytes, answer: Callable[[Asked], CheckResponse]
) -> None:
    stand = _inspect(inspected, hold_then(lambda _: b""))
    stand.check.answer = answer
    stand.send(raw)
    assert inspected[1].streams == 0


def _aborts_at_headers(_: ProcessingRequest) -> ProcessingResponse:
    raise Failed


def _aborts_at_body(message: ProcessingRequest) -> ProcessingResponse:
    if message.response_body is not None:
        raise Failed
    return with_headers({})


def test_nothing_passes_when_process_aborts_at_the_headers(inspected: tuple[Stand, Inspector]) -> None:
    reply = _inspect(inspected, _aborts_at_headers).send(GET)
    assert (reply.status, SECRET in reply.raw, reply.body) == (502, False, UNINSPECTED)
    assert (reply.headers["content-type"], "retry-after" in reply.headers) == ("application/json", False)


def test_nothing_passes_when_process_aborts_at_the_body(inspected: tuple[Stand, Inspector]) -> None:
    reply = _inspect(inspected, _aborts_at_body).send(GET)
    # The headers may be on their way already; then the connection is cut, and the body has no end.
    is_whole = reply.status == 200 and reply.raw.endswith(b"0\r\n\r\n")
    assert (SECRET in reply.raw, is_whole) == (False, False)


def test_nothing_passes_when_process_is_late(tmp_path: Path) -> None:
    is_over = Event()

    def wait(_: ProcessingRequest) -> ProcessingResponse:
        is_over.wait(TIMEOUT_S)
        return with_headers({})

    with _run_inspected(tmp_path, 0.2) as hasty:
        reply = _inspect(hasty, wait).send(GET)
        is_over.set()
    assert (reply.status, SECRET in reply.raw, reply.body) == (504, False, UNINSPECTED)


def test_process_may_answer_the_last_piece_with_more_than_envoy_buffers(inspected: tuple[Stand, Inspector]) -> None:
    reply = _inspect(inspected, hold_then(lambda _: b"x" * (3 << 20))).send(GET)
    assert (reply.status, reply.body.count(b"x")) == (200, 3 << 20)


def test_process_may_remove_headers_of_a_backend_and_set_its_own(inspected: tuple[Stand, Inspector]) -> None:
    removed = ("x-envoy-kept", "set-cookie", "content-length", "mcp-session-id")
    rows = "".join(f"{name}: 1\r\n" for name in ("x-envoy-kept", "set-cookie", "mcp-session-id"))

    def answer(message: ProcessingRequest) -> ProcessingResponse:
        if message.response_headers is None:
            return with_body(b"ok")
        return with_headers({"mcp-session-id": "ours", ":status": "202"}, removed)

    stand = _inspect(inspected, answer)
    stand.backend.pieces = lambda: iter([ANSWER.replace(b"connection", rows.encode() + b"connection")])
    reply = stand.send(GET)
    left = {name: value for name, value in reply.headers.items() if name in removed}
    assert (reply.status, left, SECRET in reply.raw) == (202, {"mcp-session-id": "ours"}, False)


@pytest.mark.parametrize("name", ["host", ":status"])
def test_what_envoy_does_not_let_process_remove_is_an_error(inspected: tuple[Stand, Inspector], name: str) -> None:
    stand = _inspect(inspected, lambda _: with_headers({}, (name,)))
    stand.backend.pieces = lambda: iter([ANSWER.replace(b"connection", b"host: 1\r\nconnection")])
    reply = stand.send(GET)
    assert (reply.status, SECRET in reply.raw) == (502, False)


_MARKED = b"x-a: " + SECRET + b"\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n2\r\nab\r\n"
HOSTILE = {
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\n" + _MARKED + b"\r\n" + SECRET,
    "early hints": b"HTTP/1.1 103 Early Hints\r\n" + _MARKED + b"\r\n" + ANSWER,
    "a 100 that nobody waits for": b"HTTP/1.1 100 Continue\r\n" + _MARKED + b"\r\n" + ANSWER,
    "no content": b"HTTP/1.1 204 No Content\r\n" + _MARKED + b"\r\n" + SECRET,
    "trailers": _CHUNKED + b"0\r\n" + _MARKED + b"\r\n",
    "a body without an end": _CHUNKED + b"10\r\n" + SECRET + b"\r\n",
    "less than was announced": _OK + b"content-length: 100\r\n\r\n" + SECRET,
    "more than was announced": _OK + b"content-length: 0\r\n\r\n" + SECRET,
    "no HTTP": SECRET + b"\r\n\r\n" + SECRET,
    "a redirect": b"HTTP/1.1 302 " + SECRET + b"\r\nlocation: /" + SECRET + b"\r\ncontent-length: 0\r\n\r\n",
    "an error page": b"HTTP/1.1 500 " + SECRET + b"\r\ncontent-length: 16\r\n\r\n" + SECRET,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_no_byte_of_a_backend_passes_that_process_holds_back(inspected: tuple[Stand, Inspector], raw: bytes) -> None:
    hold = hold_then(lambda _: b"held")

    def answer(message: ProcessingRequest) -> ProcessingResponse:
        return with_headers({}, ("x-a", "location")) if message.response_headers is not None else hold(message)

    stand = _inspect(inspected, answer)
    stand.backend.pieces = lambda: iter([raw])
    assert (SECRET in stand.send(GET).raw, len(stand.backend.arrived)) == (False, 1)
