"""What the answers about a resource are: CORS, its metadata, and the words for its scopes."""

import json

import pytest

from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, Seen

CORS = (
    ("access-control-allow-origin", build.ORIGIN),
    ("vary", "origin"),
    ("access-control-expose-headers", "mcp-session-id, www-authenticate"),
)
METADATA_PATH = "/.well-known/oauth-protected-resource"


def ask(rig: Rig, method: str, path: str, headers: dict[str, str] | None = None) -> Seen:
    return rig.check(build.check_request(headers or {}, method=method, path=path))


def test_accepted_origin_is_on_every_answer():
    rig = Rig()
    origin = {"origin": build.ORIGIN}
    allowed = rig.post(build.message(), headers=origin)
    denied = rig.post(build.message("tools/call", {"name": "nope"}), headers=origin)
    stranger = rig.post(build.message(), headers={"authorization": None, **origin})
    notification = rig.post(build.message(id=None), headers=origin)
    assert (allowed.added, denied.headers[-3:], stranger.headers[-3:], notification.headers) == (CORS,) * 4


@pytest.mark.parametrize(
    ("path", "methods"), [("/crm/mcp", "POST, GET, DELETE"), (METADATA_PATH + "/crm/mcp", "GET")], ids=["mcp", "prm"]
)
def test_preflight_of_an_accepted_origin_is_answered(path, methods):
    asked = "Content-Type, mcp-param-Region, x-evil, mcp-param-a\tb, agen-subject, X-Tenant"
    headers = {
        "origin": build.ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
    }
    rig = Rig(resources=(build.resource(forward_headers=frozenset({"x-tenant"})),))
    seen = ask(rig, "OPTIONS", path, headers)
    allowed = (
        "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-param-region, "
        "mcp-protocol-version, mcp-session-id, traceparent, tracestate, x-tenant"
    )
    assert (seen.is_allowed, seen.reason, seen.status, seen.body, seen.headers) == (
        False, "preflight", 204, "", (
            *CORS,
            ("access-control-allow-methods", methods),
            ("access-control-allow-headers", allowed),
            ("access-control-max-age", "600"),
        ),
    )  # fmt: skip


def test_metadata_is_answered_to_strangers_and_never_forwarded():
    seen = ask(Rig(), "GET", METADATA_PATH + "/crm/mcp", {"origin": build.ORIGIN})
    assert (seen.is_allowed, seen.reason, seen.status, json.loads(seen.body), seen.headers) == (
        False, "metadata", 200,
        {
            "resource": build.CRM_URL,
            "authorization_servers": ["https://login.example.com"],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["mcp:tools"],
        },
        (("content-type", "application/json"), ("cache-control", "public, max-age=300"), *CORS),
    )  # fmt: skip


# RFC 9728 section 3.1 knows no version: what MCP says of its headers holds at the resource's own path.
@pytest.mark.parametrize(
    "headers",
    [
        {"mcp-protocol-version": "2026-07-28"},
        {"mcp-protocol-version": "2024-11-05"},
        {"mcp-protocol-version": "no such version"},
        {"mcp-session-id": "two words"},
        {"mcp-method": "tools/call", "mcp-name": "g\xe9t"},
    ],
    ids=["modern", "old", "unknown", "odd session", "odd name"],
)
@pytest.mark.parametrize("path", [METADATA_PATH, METADATA_PATH + "/crm/mcp"], ids=["plain", "with path"])
def test_metadata_is_answered_whatever_mcp_headers_a_client_sends(headers, path):
    rig = Rig(resources=(build.resource(),))
    plain, seen = ask(rig, "GET", path), ask(rig, "GET", path, headers)
    assert (seen.reason, seen.status, seen.body) == ("metadata", 200, plain.body)


def test_metadata_is_answered_to_a_client_that_sends_its_version_twice():
    twice = [("mcp-protocol-version", "2025-11-25"), ("mcp-protocol-version", "2026-07-28")]
    raw = build.check_request(twice, b"", method="GET", path=METADATA_PATH + "/crm/mcp", form="header_map")
    seen = Rig().check(raw)
    assert (seen.reason, seen.status) == ("metadata", 200)


@pytest.mark.parametrize("name", ["origin", "host", "authorization"])
def test_metadata_request_with_an_http_header_that_came_twice_is_refused(name):
    twice = [(name, build.ORIGIN), (name, build.ORIGIN)]
    raw = build.check_request(twice, b"", method="GET", path=METADATA_PATH + "/crm/mcp", form="header_map")
    seen = Rig().check(raw)
    assert (seen.reason, seen.status) == ("header_repeated", 400)


@pytest.mark.parametrize(
    ("resources", "outcome"),
    [
        pytest.param(lambda: (build.resource(),), ("metadata", 200), id="one resource on the host"),
        pytest.param(lambda: (build.resource(), build.billing()), ("unknown_path", 404), id="two resources"),
    ],
)
def test_plain_metadata_path_is_answered_where_a_host_has_one_resource(resources, outcome):
    seen = ask(Rig(resources=resources()), "GET", METADATA_PATH)
    assert (seen.reason, seen.status) == outcome


ENTRA = build.resource(scopes=("mcp.tools",), scope_requests={"mcp.tools": "api://id/mcp.tools", "pay": "api://id/pay"})


def test_metadata_names_the_words_that_clients_ask_for():
    shown = json.loads(ask(Rig(resources=(ENTRA,)), "GET", METADATA_PATH + "/crm/mcp").body)
    assert shown["scopes_supported"] == ["api://id/mcp.tools"]


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        pytest.param(None, "api://id/mcp.tools", id="no token"),
        pytest.param("api://id/mcp.tools", "api://id/mcp.tools", id="holds the word that is asked for"),
        pytest.param("pay other", "api://id/mcp.tools api://id/pay", id="granted ones by their words"),
    ],
)
def test_challenge_names_the_words_that_clients_ask_for(held, asked):
    token = None if held is None else sign(claims(scope=held))
    headers = {} if token else {"authorization": None}
    seen = Rig(resources=(ENTRA,)).post(build.message(), token, headers=headers)
    assert not seen.is_allowed and f'scope="{asked}"' in str(seen.header("www-authenticate"))


def test_token_must_hold_the_name_of_the_scope():
    assert Rig(resources=(ENTRA,)).post(build.message(), sign(claims(scope="mcp.tools"))).is_allowed


def test_metadata_without_scopes_names_none():
    assert "scopes_supported" not in json.loads(ask(Rig(), "GET", METADATA_PATH + "/billing/mcp").body)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/crm/mcp", "POST, GET, DELETE, OPTIONS"),
        ("POST", METADATA_PATH + "/crm/mcp", "GET, OPTIONS"),
        ("DELETE", METADATA_PATH + "/crm/mcp", "GET, OPTIONS"),
    ],
)
def test_other_methods_get_the_list_of_allowed_ones(method, path, allow):
    seen = ask(Rig(), method, path)
    assert (seen.reason, seen.status, seen.header("allow")) == ("method_not_allowed", 405, allow)


@pytest.mark.parametrize("path", [METADATA_PATH + "/crm/mcp?x=1", METADATA_PATH + "/crm/mcp/", METADATA_PATH + "/"])
def test_metadata_path_is_exact(path):
    assert ask(Rig(), "GET", path).status in (400, 404)


def test_query_of_the_url_is_needed():
    rig = Rig(resources=(build.resource(query="v=1"),))
    headers = build.headers_for(sign(claims()))
    paths = ("/crm/mcp?v=1", "/crm/mcp", "/crm/mcp?v=1&x=2", "/crm/mcp?V=1")
    bodies = build.encode(build.message())
    seen = [rig.check(build.check_request(headers, bodies, path=path)) for path in paths]
    assert [each.reason for each in seen] == ["allowed", *["foreign_query"] * 3]
