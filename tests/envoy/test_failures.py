"""What happens when something around Envoy fails, seen on the wire."""

import threading
from collections.abc import Iterator

import pytest
from envoy_data_plane.envoy.service.auth.v3 import CheckResponse
from envoy_data_plane.google.rpc import Status

from agen_authz.envoy.model import EnvoyLimits, EnvoyRoute, TcpAddress, Upstream
from tests.envoy.stand import TIMEOUT_S, Asked, Stand, allow, crm, read_pieces, request, run_stand
from tests.stage.port import HOST, reserve_port

pytestmark = pytest.mark.envoy

UNAVAILABLE = b'{"jsonrpc": "2.0", "id": null, "error": {"code": 50300, "message": "Unavailable, try again."}}'


def _crm_and_nothing(port: int) -> tuple[EnvoyRoute, ...]:
    nothing = Upstream(TcpAddress(HOST, reserve_port()))
    gone = frozenset({"gone.example.com"})
    return (crm(port), EnvoyRoute("gone", gone, "/mcp", upstream=nothing, upstream_path="/mcp"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Run an Envoy that waits for nothing long."""
    limits = EnvoyLimits(max_stream_duration_s=3)
    folder = tmp_path_factory.mktemp("envoy")
    with run_stand(folder, routes=_crm_and_nothing, limits=limits, check_timeout_s=1.0) as stand:
        yield stand


@pytest.fixture(scope="module")
def without_check(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with run_stand(tmp_path_factory.mktemp("envoy"), has_check=False) as stand:
        yield stand


@pytest.mark.parametrize("token", [True, False], ids=["token", "no token"])
def test_without_check_nothing_passes(without_check: Stand, token: bool) -> None:
    reply = without_check.send(request("GET", "/crm/mcp", token=token))
    answer = (reply.status, reply.headers["retry-after"], reply.body)
    assert (answer, without_check.backend.arrived) == ((503, "1", UNAVAILABLE), [])


def test_a_late_check_allows_nothing(stand: Stand) -> None:
    is_over = threading.Event()

    def wait(_: Asked) -> CheckResponse:
        is_over.wait(TIMEOUT_S)
        return allow()

    stand.check.answer = wait
    reply = stand.send(request("GET", "/crm/mcp"))
    is_over.set()
    assert (reply.status, reply.body, stand.backend.arrived) == (503, UNAVAILABLE, [])


def test_a_denial_without_an_answer_for_the_client_is_a_denial(stand: Stand) -> None:
    stand.check.answer = lambda _: CheckResponse(status=Status(code=7))
    reply = stand.send(request("GET", "/crm/mcp"))
    assert (reply.status, reply.body, stand.backend.arrived) == (403, b"", [])


def test_a_backend_that_is_down_is_not_named_to_clients(stand: Stand) -> None:
    reply = stand.send(request("GET", "/mcp", host="gone.example.com"))
    assert (reply.status, reply.headers["retry-after"], reply.body) == (503, "1", UNAVAILABLE)


def test_no_stream_lives_for_ever(stand: Stand) -> None:
    is_over = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: first\n\n"
        is_over.wait(TIMEOUT_S)

    stand.backend.pieces = pieces
    with stand.connect() as connection:
        connection.sendall(request("GET", "/crm/mcp"))
        received = b"".join(read_pieces(connection))
    is_over.set()
    # The stream is cut: what arrived has no end.
    assert b"data: first" in received and not received.endswith(b"0\r\n\r\n")
