"""What Check is shown of a request and what the backend gets, seen on the wire."""

import httpx
import pytest
from envoy_data_plane.envoy.config.core.v3 import HeaderValueOption

from tests.envoy.stand import CRM_HOST, PLAIN_ANSWER, TIMEOUT_S, Stand, allow, chunked, overwrite, request
from tests.stage.port import HOST

pytestmark = pytest.mark.envoy

MIB = 1 << 20
CHUNKED = ("transfer-encoding: chunked",)


@pytest.mark.parametrize(
    "name",
    [
        "x-envoy-attempt-count",
        "x-envoy-auth-partial-body",
        "x-envoy-decorator-operation",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-external-address",
        "x-envoy-force-trace",
        "x-envoy-internal",
        "x-envoy-max-retries",
        "x-envoy-original-path",
        "x-envoy-retry-on",
        "x-envoy-unknown-to-envoy",
        "x-envoy-upstream-rq-timeout-ms",
    ],
)
def test_a_strangers_envoy_header_is_not_forwarded(stand: Stand, name: str) -> None:
    reply = stand.send(request("GET", "/crm/mcp", headers=(f"{name}: 1",)))
    (asked,), (arrived,) = stand.check.asked, stand.backend.arrived
    assert (reply.status, asked.values(name), arrived.values(name)) == (200, [], [])


def test_the_original_path_is_not_for_the_backend(stand: Stand) -> None:
    stand.send(request("GET", "/crm/mcp"))
    names = [name for name, _ in stand.backend.arrived[0].headers if name.startswith("x-envoy-")]
    assert names == []


def test_the_peer_is_the_last_in_forwarded_for(stand: Stand) -> None:
    stand.send(request("GET", "/crm/mcp", headers=("x-forwarded-for: 198.51.100.7",)))
    (value,) = stand.check.asked[0].values("x-forwarded-for")
    first, *others = value.split(b",")
    # For a peer on loopback Envoy writes the address of its own machine.
    assert (first, len(others)) == (b"198.51.100.7", 1)


def test_clients_cannot_choose_envoys_request_id(stand: Stand) -> None:
    stand.send(request("GET", "/crm/mcp", headers=("x-request-id: mine",)))
    (value,) = stand.check.asked[0].values("x-request-id")
    assert value != b"mine"


@pytest.mark.parametrize("headers", [(), ("x-envoy-retry-on: 5xx", "x-envoy-max-retries: 3")], ids=["", "asked"])
def test_nothing_is_retried(stand: Stand, headers: tuple[str, ...]) -> None:
    stand.backend.pieces = lambda: iter([b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"])
    reply = stand.send(request("POST", "/crm/mcp", headers=headers, body=b"{}"))
    assert (reply.status, len(stand.check.asked), len(stand.backend.arrived)) == (503, 1, 1)


def test_a_header_with_an_underscore_is_dropped(stand: Stand) -> None:
    stand.send(request("GET", "/crm/mcp", headers=("agen_subject: mallory",)))
    (asked,), (arrived,) = stand.check.asked, stand.backend.arrived
    assert (asked.values("agen_subject"), arrived.values("agen_subject")) == ([], [])


def test_what_check_sets_replaces_every_copy_of_the_client(stand: Stand) -> None:
    stand.check.answer = lambda _: allow(headers=[overwrite("agen-subject", "alice"), overwrite("agen-tenant", "")])
    sent = ("agen-subject: mallory", "Agen-Subject: eve", "connection: agen-subject", "agen-tenant: evil")
    stand.send(request("GET", "/crm/mcp", headers=sent))
    arrived = stand.backend.arrived[0]
    assert (arrived.values("agen-subject"), arrived.values("agen-tenant")) == (["alice"], [""])


def test_what_check_removes_does_not_arrive(stand: Stand) -> None:
    stand.check.answer = lambda asked: allow(headers_to_remove=["authorization", "cookie", "te", "trailer"])
    sent = ("cookie: a=b", "te: trailers", "trailer: x")
    stand.send(request("GET", "/crm/mcp", headers=sent))
    arrived = stand.backend.arrived[0]
    assert [arrived.values(name) for name in ("authorization", "cookie", "te", "trailer")] == [[], [], [], []]


def test_what_check_says_about_envoys_own_headers_counts(stand: Stand) -> None:
    stand.check.answer = lambda _: allow(headers=[overwrite("x-envoy-decided", "yes")])
    stand.send(request("GET", "/crm/mcp"))
    assert stand.backend.arrived[0].values("x-envoy-decided") == ["yes"]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(overwrite("host", "evil.example.com"), id="host"),
        pytest.param(overwrite(":path", "/admin"), id="path"),
        pytest.param(overwrite(":method", "DELETE"), id="method"),
        pytest.param(overwrite("content-length", "1"), id="length"),
        pytest.param(overwrite("transfer-encoding", "chunked"), id="framing"),
        pytest.param(overwrite("agen-subject", "a\nb"), id="line break"),
        pytest.param(overwrite("agen subject", "a"), id="name with a blank"),
    ],
)
def test_a_header_that_cannot_be_set_stops_the_call(stand: Stand, header: HeaderValueOption) -> None:
    stand.check.answer = lambda _: allow(headers=[header])
    reply = stand.send(request("GET", "/crm/mcp"))
    assert (reply.status, reply.body, stand.backend.arrived) == (500, b"", [])


def test_repeated_headers_stay_apart(stand: Stand) -> None:
    stand.send(request("GET", "/crm/mcp", headers=("mcp-name: a", "mcp-name: b\xe4", "mcp-name: c,d")))
    (asked,) = stand.check.asked
    assert asked.values("mcp-name") == [b"a", b"b\xe4", b"c,d"]


def test_two_tokens_arrive_joined_even_in_raw_headers(stand: Stand) -> None:
    stand.send(request("GET", "/crm/mcp", headers=("authorization: Bearer u",)))
    (asked,) = stand.check.asked
    assert asked.values("authorization") == [b"Bearer u,Bearer t"]


@pytest.mark.parametrize("body", [b"{}", b"\xff\x00!\x80", b"x" * MIB], ids=["json", "not text", "largest"])
def test_a_chunked_body_is_the_same_as_a_whole_one(stand: Stand, body: bytes) -> None:
    middle = len(body) // 2
    whole = stand.send(request("POST", "/crm/mcp", body=body))
    parts = stand.send(request("POST", "/crm/mcp", headers=CHUNKED) + chunked(body[:middle], body[middle:]))
    asked = [asked.body for asked in stand.check.asked]
    arrived = [arrived.body for arrived in stand.backend.arrived]
    assert (whole.status, parts.status, asked == [body, body], arrived == [body, body]) == (200, 200, True, True)


def test_http_2_is_decided_alike(stand: Stand) -> None:
    body = b"x" * MIB
    headers = {"host": CRM_HOST, "authorization": "Bearer t", "agen_subject": "mallory", "te": "trailers"}
    with httpx.Client(http1=False, http2=True, timeout=TIMEOUT_S) as client:
        reply = client.post(f"http://{HOST}:{stand.port}/crm/mcp", headers=headers, content=body)
    (asked,), (arrived,) = stand.check.asked, stand.backend.arrived
    seen = (asked.host, asked.path, asked.body == body, asked.values("agen_subject"), arrived.body == body)
    assert (reply.http_version, reply.status_code, seen) == ("HTTP/2", 200, (CRM_HOST, "/crm/mcp", True, [], True))


def test_check_sees_the_host_that_was_routed(stand: Stand) -> None:
    rows = [f"GET http://{CRM_HOST}/crm/mcp HTTP/1.1", "host: evil.example.com", "authorization: Bearer t"]
    stand.send("\r\n".join(rows).encode() + b"\r\n\r\n")
    (asked,), (arrived,) = stand.check.asked, stand.backend.arrived
    assert (asked.host, arrived.values("host")) == (CRM_HOST, [CRM_HOST])


@pytest.mark.parametrize("is_chunked", [False, True], ids=["content-length", "chunked"])
def test_a_body_above_the_limit_is_413_and_check_is_not_asked(stand: Stand, is_chunked: bool) -> None:
    body = b"x" * (MIB + 1)
    if is_chunked:
        reply = stand.send(request("POST", "/crm/mcp", headers=CHUNKED) + chunked(body))
    else:
        reply = stand.send(request("POST", "/crm/mcp", body=body))
    assert (reply.status, stand.check.asked, stand.backend.arrived) == (413, [], [])


def test_trailers_are_dropped(stand: Stand) -> None:
    head = request("POST", "/crm/mcp", headers=(*CHUNKED, "te: trailers"))
    reply = stand.send(head + chunked(b"{}", trailer=b"agen-subject: mallory\r\n"))
    (asked,), (arrived,) = stand.check.asked, stand.backend.arrived
    seen = (asked.values("agen-subject"), arrived.values("agen-subject"), asked.body, arrived.body)
    assert (reply.status, seen) == (200, ([], [], b"{}", b"{}"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(("content-length: 3", *CHUNKED), 400, id="two lengths"),
        pytest.param(("content-length: 2", "content-length: 3"), 400, id="two content-lengths"),
        pytest.param(("transfer-encoding: chunked, gzip",), 501, id="unknown framing"),
        pytest.param(tuple(f"h{number}: 1" for number in range(96)), 431, id="too many headers"),
        pytest.param(("big: " + "x" * 40_000,), 431, id="headers too large"),
        pytest.param(("host: evil.example.com",), 404, id="two hosts are a host that nobody has"),
    ],
)
def test_request_that_servers_read_differently_is_not_forwarded(
    stand: Stand, headers: tuple[str, ...], status: int
) -> None:
    reply = stand.send(request("POST", "/crm/mcp", headers=headers) + chunked(b"{}"))
    assert (reply.status, stand.check.asked, stand.backend.arrived) == (status, [], [])


def test_http_1_0_is_refused(stand: Stand) -> None:
    reply = stand.send(f"GET /crm/mcp HTTP/1.0\r\nhost: {CRM_HOST}\r\nauthorization: Bearer t\r\n\r\n".encode())
    assert (reply.status, stand.check.asked, stand.backend.arrived) == (426, [], [])


def test_expect_is_answered_by_envoy(stand: Stand) -> None:
    stand.backend.pieces = lambda: iter([b"HTTP/1.1 100 Go\r\nleak: 1\r\n\r\n", PLAIN_ANSWER])
    reply = stand.send(request("POST", "/crm/mcp", headers=("expect: 100-continue",), body=b"{}"))
    first, _, rest = reply.raw.partition(b"\r\n\r\n")
    assert (first, rest.split(b"\r\n")[0], b"leak" in rest) == (b"HTTP/1.1 100 Continue", b"HTTP/1.1 200 OK", False)
