"""What comes back from a backend, and from Check, seen on the wire."""

import threading
from collections.abc import Iterator

import pytest
from envoy_data_plane.envoy.type.v3 import StatusCode

from tests.envoy.stand import PLAIN_ANSWER, TIMEOUT_S, Stand, allow, chunked, deny, overwrite, read_pieces, request

pytestmark = pytest.mark.envoy

ABOUT_ITSELF = (
    "server: crm/1.2",
    "www-authenticate: Basic",
    "location: http://10.0.0.7/",
    "set-cookie: a=b",
    "set-cookie: c=d",
    "x-envoy-upstream-service-time: 7",
    "x-envoy-anything: 1",
)


def _answer(*headers: str, body: bytes = b"ok") -> bytes:
    rows = ["HTTP/1.1 200 OK", f"content-length: {len(body)}", *headers]
    return "\r\n".join(rows).encode() + b"\r\n\r\n" + body


def test_what_a_backend_says_about_itself_is_removed(stand: Stand) -> None:
    stand.backend.pieces = lambda: iter([_answer(*ABOUT_ITSELF, "mcp-session-id: s1")])
    reply = stand.send(request("GET", "/crm/mcp"))
    names = reply.headers.keys() - {"date", "content-length", "connection"}
    assert (names, reply.body) == ({"mcp-session-id"}, b"ok")


def test_a_denials_own_challenge_survives(stand: Stand) -> None:
    challenge = 'Bearer resource_metadata="https://crm.example.com/x"'
    denial = {"www-authenticate": challenge, "content-type": "application/json"}
    stand.check.answer = lambda _: deny(StatusCode.Unauthorized, denial, "{}")
    reply = stand.send(request("POST", "/crm/mcp", body=b"{}"))
    assert (reply.status, reply.headers["www-authenticate"], reply.headers["content-type"], reply.body) == (
        401,
        challenge,
        "application/json",
        b"{}",
    )


def test_a_denial_may_be_200_with_a_large_body(stand: Stand) -> None:
    body = "{" + " " * 60_000 + "}"
    stand.check.answer = lambda _: deny(StatusCode.OK, {"content-type": "application/json"}, body)
    reply = stand.send(request("POST", "/crm/mcp", body=b"{}"))
    assert (reply.status, reply.body.decode() == body, stand.backend.arrived) == (200, True, [])


def test_what_check_adds_to_a_response_replaces_the_backends(stand: Stand) -> None:
    origin = "access-control-allow-origin"
    stand.check.answer = lambda _: allow(response_headers_to_add=[overwrite(origin, "https://app.example.com")])
    stand.backend.pieces = lambda: iter([_answer(f"{origin}: *")])
    reply = stand.send(request("GET", "/crm/mcp"))
    assert reply.headers[origin] == "https://app.example.com"


@pytest.mark.parametrize("status", ["100 Go", "102 Wait", "103 Early Hints"])
def test_interim_answers_are_not_passed_on(stand: Stand, status: str) -> None:
    interim = f"HTTP/1.1 {status}\r\nlink: leak\r\n\r\n".encode()
    stand.backend.pieces = lambda: iter([interim, PLAIN_ANSWER])
    reply = stand.send(request("GET", "/crm/mcp"))
    assert (reply.status, b"leak" in reply.raw) == (200, False)


def test_a_switch_of_protocols_without_a_request_carries_nothing(stand: Stand) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: leak\r\nconnection: upgrade\r\n\r\nleak"
    stand.backend.pieces = lambda: iter([switch])
    with stand.connect() as connection:
        connection.sendall(request("GET", "/crm/mcp"))
        raw = b"".join(read_pieces(connection))
    assert b"leak" not in raw


def test_response_trailers_are_dropped(stand: Stand) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-leak\r\n\r\n"
    stand.backend.pieces = lambda: iter([head, chunked(b"ok", trailer=b"x-leak: 1\r\n")])
    reply = stand.send(request("GET", "/crm/mcp", headers=("te: trailers",)))
    assert (reply.status, reply.body) == (200, chunked(b"ok"))


def test_an_event_stream_arrives_as_it_is_sent(stand: Stand) -> None:
    was_read = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        yield b"c\r\ndata: first\n\r\n"
        assert was_read.wait(TIMEOUT_S)
        yield b"d\r\ndata: second\n\r\n0\r\n\r\n"

    stand.backend.pieces = pieces
    received = b""
    with stand.connect() as connection:
        connection.sendall(request("GET", "/crm/mcp", headers=("accept: text/event-stream",)))
        for piece in read_pieces(connection):
            received += piece
            if b"first" in received:
                was_read.set()
            if b"second" in received:
                break
    assert was_read.is_set() and b"data: second" in received


@pytest.mark.parametrize(
    ("raw", "status"), [(b"", 503), (b"SSH-2.0-crm\r\n\r\n", 502)], ids=["closes at once", "speaks no HTTP"]
)
def test_a_broken_backend_is_not_named_to_clients(stand: Stand, raw: bytes, status: int) -> None:
    stand.backend.pieces = lambda: iter([raw])
    reply = stand.send(request("GET", "/crm/mcp"))
    assert (reply.status, reply.headers["retry-after"], reply.headers["content-type"], reply.body) == (
        status,
        "1",
        "application/json",
        b'{"jsonrpc": "2.0", "id": null, "error": {"code": 50300, "message": "Unavailable, try again."}}',
    )
