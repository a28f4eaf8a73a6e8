"""What passes Envoy's routes, seen on the wire."""

from collections.abc import Iterator

import pytest
from envoy_data_plane.envoy.type.v3 import StatusCode

from agen_authz.envoy.model import EnvoyRoute, TcpAddress, Upstream
from tests.envoy.stand import CRM_HOST, Stand, deny, request, run_stand
from tests.stage.port import HOST

pytestmark = pytest.mark.envoy

SHARED_HOST = "shared.example.com"


def _routes(port: int) -> tuple[EnvoyRoute, ...]:
    upstream = Upstream(TcpAddress(HOST, port))
    shared = frozenset({SHARED_HOST})
    return (
        EnvoyRoute(
            "crm", frozenset({CRM_HOST, f"{CRM_HOST}:443"}), "/crm/mcp", upstream=upstream, upstream_path="/mcp"
        ),
        EnvoyRoute("a", shared, "/a/mcp", upstream=upstream, upstream_path="/a/mcp"),
        EnvoyRoute("b", shared, "/b/mcp", upstream=upstream, upstream_path="/mcp"),
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with run_stand(tmp_path_factory.mktemp("envoy"), routes=_routes) as stand:
        yield stand


@pytest.mark.parametrize(
    ("host", "path", "forwarded"),
    [
        pytest.param(CRM_HOST, "/crm/mcp", "/mcp", id="rewritten"),
        pytest.param(f"{CRM_HOST}:443", "/crm/mcp?a=b", "/mcp?a=b", id="default port, query kept"),
        pytest.param(SHARED_HOST, "/a/mcp", "/a/mcp", id="not rewritten"),
        pytest.param(SHARED_HOST, "/b/mcp", "/mcp", id="the second of a host"),
    ],
)
def test_an_allowed_call_reaches_its_backend(stand: Stand, host: str, path: str, forwarded: str) -> None:
    reply = stand.send(request("POST", path, host=host, body=b"{}"))
    asked = [(asked.method, asked.host, asked.path, asked.body) for asked in stand.check.asked]
    arrived = [(arrived.line, arrived.body) for arrived in stand.backend.arrived]
    assert (reply.status, asked, arrived) == (
        200,
        [("POST", host, path, b"{}")],
        [(f"POST {forwarded} HTTP/1.1", b"{}")],
    )


@pytest.mark.parametrize("token", [True, False], ids=["token", "no token"])
@pytest.mark.parametrize(
    ("host", "path"),
    [
        pytest.param(CRM_HOST, "/", id="root"),
        pytest.param(CRM_HOST, "/crm/mcp/", id="trailing slash"),
        pytest.param(CRM_HOST, "/crm/mcp/x", id="below"),
        pytest.param(CRM_HOST, "/crm/mcp;v=1", id="path parameter"),
        pytest.param(CRM_HOST, "/CRM/mcp", id="another case"),
        pytest.param(CRM_HOST, "/a/mcp", id="another host's resource"),
        pytest.param(CRM_HOST, "/mcp", id="upstream path"),
        pytest.param(CRM_HOST, "/.well-known/oauth-authorization-server", id="another document"),
        pytest.param(SHARED_HOST, "/.well-known/oauth-protected-resource", id="plain metadata of a shared host"),
        pytest.param("other.example.com", "/crm/mcp", id="another host"),
        pytest.param(f"{CRM_HOST}:8443", "/crm/mcp", id="another port"),
        pytest.param(f"{CRM_HOST}.", "/crm/mcp", id="trailing dot"),
        pytest.param(f"u@{CRM_HOST}", "/crm/mcp", id="userinfo"),
        pytest.param(f"x{CRM_HOST}", "/crm/mcp", id="longer host"),
    ],
)
def test_path_without_a_resource_is_404_and_check_is_not_asked(stand: Stand, host: str, path: str, token: bool) -> None:
    reply = stand.send(request("GET", path, host=host, token=token))
    assert (reply.status, reply.body, stand.check.asked, stand.backend.arrived) == (404, b"", [], [])


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        pytest.param("/crm//mcp", "/crm/mcp", id="slashes merged"),
        pytest.param("/x/../crm/mcp", "/crm/mcp", id="dot segments"),
        pytest.param("/crm/%6Dcp", "/crm/mcp", id="unreserved characters unescaped"),
    ],
)
def test_check_decides_on_the_path_that_is_forwarded(stand: Stand, path: str, seen: str) -> None:
    stand.send(request("GET", path))
    asked = [asked.path for asked in stand.check.asked]
    assert (asked, [arrived.line for arrived in stand.backend.arrived]) == ([seen], ["GET /mcp HTTP/1.1"])


def test_a_host_in_capitals_is_left_to_check(stand: Stand) -> None:
    stand.send(request("GET", "/crm/mcp", host=CRM_HOST.upper()))
    assert [asked.host for asked in stand.check.asked] == [CRM_HOST.upper()]


@pytest.mark.parametrize("path", ["/crm%2fmcp", "/crm%5Cmcp", "/crm/mcp%2F", "/crm/mcp#x"])
def test_an_escaped_slash_or_a_fragment_is_refused(stand: Stand, path: str) -> None:
    reply = stand.send(request("GET", path))
    assert (reply.status, stand.check.asked, stand.backend.arrived) == (400, [], [])


def test_an_upgrade_is_refused(stand: Stand) -> None:
    raw = request("GET", "/crm/mcp", headers=("upgrade: websocket", "sec-websocket-version: 13"))
    reply = stand.send(raw.replace(b"connection: close", b"connection: upgrade"))
    assert (reply.status, stand.check.asked, stand.backend.arrived) == (403, [], [])


def test_an_upgrade_to_http_2_is_a_plain_request(stand: Stand) -> None:
    raw = request("GET", "/crm/mcp", headers=("upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"))
    reply = stand.send(raw.replace(b"connection: close", b"connection: upgrade, http2-settings"))
    arrived = [arrived.values("upgrade") for arrived in stand.backend.arrived]
    assert (reply.raw.split(b"\r\n")[0], len(stand.check.asked), arrived) == (b"HTTP/1.1 200 OK", 1, [[]])


def test_connect_is_not_routed(stand: Stand) -> None:
    reply = stand.send(f"CONNECT {CRM_HOST}:443 HTTP/1.1\r\nhost: {CRM_HOST}:443\r\n\r\n".encode())
    assert (reply.status, stand.check.asked, stand.backend.arrived) == (404, [], [])


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_without_authorization_is_never_buffered(stand: Stand, method: str) -> None:
    stand.check.answer = lambda _: deny(StatusCode.Unauthorized, {"www-authenticate": "Bearer"})
    reply = stand.send(request(method, "/crm/mcp", token=False, body=b"x" * 900_000))
    asked = [(asked.method, asked.body) for asked in stand.check.asked]
    assert (reply.status, reply.headers["www-authenticate"], asked) == (401, "Bearer", [(method, b"")])


def test_a_preflight_is_answered_by_check(stand: Stand) -> None:
    stand.check.answer = lambda _: deny(StatusCode.NoContent, {"access-control-max-age": "600"})
    reply = stand.send(request("OPTIONS", "/crm/mcp", token=False, headers=("origin: https://app.example.com",)))
    asked = [(asked.method, asked.values("origin")) for asked in stand.check.asked]
    assert (reply.status, reply.headers["access-control-max-age"], asked) == (
        204,
        "600",
        [("OPTIONS", [b"https://app.example.com"])],
    )


@pytest.mark.parametrize(
    ("host", "path"),
    [
        (CRM_HOST, "/.well-known/oauth-protected-resource"),
        (CRM_HOST, "/.well-known/oauth-protected-resource/crm/mcp"),
        (SHARED_HOST, "/.well-known/oauth-protected-resource/a/mcp"),
        (SHARED_HOST, "/.well-known/oauth-protected-resource/b/mcp"),
    ],
)
def test_metadata_is_answered_by_check(stand: Stand, host: str, path: str) -> None:
    headers = {"content-type": "application/json"}
    stand.check.answer = lambda _: deny(StatusCode.OK, headers, "{}")
    reply = stand.send(request("GET", path, host=host, token=False))
    asked = [asked.path for asked in stand.check.asked]
    assert (reply.status, reply.headers["content-type"], reply.body, asked) == (
        200,
        "application/json",
        b"{}",
        [path],
    )


@pytest.mark.parametrize(
    ("path", "status"), [("/crm/mcp", 401), ("/.well-known/oauth-protected-resource/crm/mcp", 404)]
)
def test_a_yes_without_a_token_leads_nowhere(stand: Stand, path: str, status: int) -> None:
    reply = stand.send(request("GET", path, token=False))
    assert (reply.status, len(stand.check.asked), stand.backend.arrived) == (status, 1, [])
