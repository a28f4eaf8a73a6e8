"""What callers and backends get: identity headers, removals, ids, challenges, methods, JSON-RPC errors."""

import pytest

from agen_authz.core.model import TargetKind
from agen_authz.core.policy.access import AccessRule, Basis
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig

LIMIT = 16384  # max_denied_response_body_bytes


# ---- what the backend gets -------------------------------------------------------------------------------


def test_backend_learns_who_calls():
    token = sign(
        claims(
            sub='a"nn\\',
            tenantId="Bäcker",
            roles=["analyst", 'x", "admin'],
            permissions=["é", "b"],
        )
    )
    assert Rig().post(build.message(), token).headers == (
        ("agen-issuer", '"https://idp.example.com"'),
        ("agen-subject", '"a\\"nn\\\\"'),
        ("agen-tenant", '%"B%c3%a4cker"'),
        ("agen-client", '"desk"'),
        ("agen-roles", '"analyst", "x\\", \\"admin"'),
        ("agen-permissions", '%"%c3%a9", "b"'),
        ("agen-resource", '"crm"'),
        ("agen-request-id", '"00000000000000000000000000000001"'),
    )


SENT = {
    "accept-encoding": "gzip",
    "agen-roles": '"admin"',
    "agen-other": "x",
    "authorization-extra": "x",
    "baggage": "a=b",
    "content-digest": "x",
    "cookie": "a=b",
    "last-event-id": "1",
    "mcp-param-id": "1",
    "mcp-session-id": build.session(),
    "range": "bytes=0-1",
    "signature": "x",
    "signature-input": "x",
    "traceparent": "00-x",
    "x-forwarded-for": "192.0.2.9",
    "x-http-method-override": "DELETE",
    "x-original-url": "/admin",
    "x-request-id": "r",
    "x-tenant": "t",
}
FOREIGN = {
    "agen-other", "authorization", "authorization-extra", "baggage", "content-digest", "cookie", "last-event-id",
    "range", "signature", "signature-input", "x-forwarded-for", "x-http-method-override", "x-original-url",
    "x-request-id", "x-tenant",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "removed"),
    [
        pytest.param({}, FOREIGN, id="nothing configured"),
        pytest.param({"forward_token": True}, FOREIGN - {"authorization"}, id="forward_token"),
        pytest.param({"resumable": True}, FOREIGN - {"last-event-id"}, id="resumable"),
        pytest.param({"forward_headers": frozenset({"x-tenant"})}, FOREIGN - {"x-tenant"}, id="forward_headers"),
    ],
)
@pytest.mark.parametrize("form", ["headers", "header_map"])
def test_everything_that_is_not_listed_is_removed(changes, removed, form):
    rig = Rig(resources=(build.resource(**changes),))
    headers = build.headers_for(sign(claims())) | SENT
    seen = rig.check(build.check_request(headers, build.encode(build.message()), form=form))
    assert (seen.reason, set(seen.removed)) == ("allowed", removed)


def test_nothing_is_both_set_and_removed():
    seen = Rig().post(build.message(), headers={name: "x" for name, _ in Rig().post(build.message()).headers})
    assert set(seen.removed).isdisjoint(name for name, _ in seen.headers)


# ---- targets that are hidden -----------------------------------------------------------------------------

HIDDEN = {
    "tool": ("tools/call", "name", "delete_customer", "Unknown tool: delete_customer"),
    "prompt": ("prompts/get", "name", "purge", "Unknown prompt: purge"),
    "resource": ("resources/read", "uri", "vault://1", "Unknown resource: vault://1"),
}


@pytest.mark.parametrize("era", [build.message, build.modern], ids=["legacy", "modern"])
@pytest.mark.parametrize("kind", HIDDEN)
def test_unmapped_and_not_granted_are_answered_byte_for_byte_alike(kind, era):
    method, key, name, message = HIDDEN[kind]
    unmapped = Rig(access=build.access(AccessRule("r", ((TargetKind.TOOL, "crm/x"),), frozenset({"analyst"}))))
    document = era(method, {key: name})
    there, nowhere = Rig().post(document), unmapped.post(document)
    assert (there.reason, nowhere.reason) == ("not_granted", "unmapped")
    request_id = "00000000000000000000000000000001"
    error = {"code": -32602, "message": message, "data": {"reason": "unknown_target", "request_id": request_id}}
    assert (there.status, there.headers, there.body) == (nowhere.status, nowhere.headers, nowhere.body)
    assert (there.status, there.json) == (200, {"jsonrpc": "2.0", "id": 7, "error": error})


def test_unmapped_target_passes_where_a_resource_says_so_and_one_that_is_mapped_does_not():
    rig = Rig(resources=(build.resource(admits_unmapped=True),))
    names = ("nope", "get_customer", "delete_customer")
    seen = [rig.post(build.message("tools/call", {"name": name})) for name in names]
    assert [each.reason for each in seen] == ["allowed", "allowed", "not_granted"]


def test_unmapped_target_still_needs_a_caller():
    rig = Rig(resources=(build.resource(admits_unmapped=True),))
    assert rig.post(build.message(), headers={"authorization": None}).reason == "token_missing"


def test_permissions_count_where_they_are_the_basis_and_roles_do_not():
    rule = AccessRule("r", ((TargetKind.TOOL, "crm/*"),), frozenset({"read"}))
    rig = Rig(access=build.access(rule, basis=Basis.PERMISSIONS))
    by_role, by_permission = sign(claims(roles=["read"])), sign(claims(roles=[], permissions=["read"]))
    assert [rig.post(build.message(), token).reason for token in (by_role, by_permission)] == ["not_granted", "allowed"]


# ---- ids -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message_id",
    [0, -1, 2**53 + 1, 2**64 - 1, -(2**63), "1", "", 'a"b\\', "\x00\x1f\u2028", "é" * 1024, "\x01" * 1024],
    ids=lambda value: ascii(value)[:20],
)
def test_refusal_is_bound_to_the_id_with_its_own_type(message_id):
    seen = Rig().post(build.message("tools/call", {"name": "nope"}, id=message_id))
    assert (seen.json["id"], type(seen.json["id"])) == (message_id, type(message_id))


def test_id_of_1025_characters_is_refused():
    assert Rig().post(build.message(id="a" * 1025)).reason == "id_malformed"


def test_longest_refusal_fits_into_what_envoy_passes_on():
    uri = "customer://" + "a" * (2048 - len("customer://"))
    seen = Rig(access=build.access(AccessRule("r", (), frozenset()))).post(
        build.message("resources/read", {"uri": uri}, id="\x01" * 1024)
    )
    assert seen.reason == "unmapped" and len(seen.body.encode()) <= LIMIT


def test_long_version_in_a_body_is_cut():
    meta = {build.VERSION_KEY: "9" * 20000}
    seen = Rig().post(build.message("ping", {"_meta": meta}), headers={"mcp-protocol-version": None})
    assert (seen.reason, len(seen.body) <= LIMIT) == ("header_missing", True)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_long_version_header_is_cut(method):
    headers = build.headers_for(sign(claims())) | {"mcp-protocol-version": "9" * 20000}
    body = build.encode(build.message()) if method == "POST" else b""
    seen = Rig().check(build.check_request(headers, body, method=method))
    assert (seen.reason, len(seen.body) <= LIMIT) == ("version_unsupported", True)


def test_empty_version_is_echoed_as_it_is():
    seen = Rig().post(build.message(), headers={"mcp-protocol-version": ""})
    assert seen.json["error"]["data"]["requested"] == ""


@pytest.mark.parametrize("params", [["x"], {"Name": "x"}], ids=["params", "twin"])
def test_refused_parameters_are_bound_to_their_id(params):
    assert Rig().post(build.message("prompts/get") | {"params": params}, headers={}).json.get("id") == 7


def test_unsupported_version_lists_the_supported_ones():
    seen = Rig().post(build.message(), headers={"mcp-protocol-version": "2024-11-05"})
    assert seen.json == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {
            "code": -32022,
            "message": "This protocol version is not supported.",
            "data": {
                "reason": "version_unsupported",
                "request_id": "00000000000000000000000000000001",
                "supported": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"],
                "requested": "2024-11-05",
            },
        },
    }


def test_a_modern_request_is_offered_modern_versions_only():
    meta = {build.VERSION_KEY: "2030-01-01", "io.modelcontextprotocol/clientCapabilities": {}}
    message = build.message("server/discover") | {"params": {"_meta": meta}}
    seen = Rig().post(message, headers={"mcp-protocol-version": "2030-01-01"})
    assert seen.json["error"]["data"]["supported"] == ["2026-07-28"]


# ---- challenges ------------------------------------------------------------------------------------------

METADATA_URL = "https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp"
CHALLENGES = {
    "no token": (None, 401, f'Bearer resource_metadata="{METADATA_URL}", scope="mcp:tools"'),
    "expired": (
        {"exp": 0},
        401,
        f'Bearer resource_metadata="{METADATA_URL}", scope="mcp:tools", error="invalid_token", '
        'error_description="The access token has expired."',
    ),
    "scope": (
        {"scope": 'openid mcp:read a"b c\\d é'},
        403,
        f'Bearer resource_metadata="{METADATA_URL}", scope="mcp:tools openid mcp:read", error="insufficient_scope", '
        'error_description="The access token lacks a scope."',
    ),
}


@pytest.mark.parametrize("name", CHALLENGES)
def test_challenge_says_all_that_is_needed_and_nothing_of_the_tokens_own_making(name):
    changes, status, challenge = CHALLENGES[name]
    headers = {"authorization": None} if changes is None else {}
    seen = Rig().post(build.message(), sign(claims(**(changes or {}))), headers=headers)
    assert (seen.status, seen.header("www-authenticate")) == (status, challenge)


def test_malformed_credential_is_an_invalid_request():
    seen = Rig().post(build.message(), headers={"authorization": "Bearer a b"})
    assert (seen.status, seen.header("www-authenticate")) == (
        400,
        f'Bearer resource_metadata="{METADATA_URL}", scope="mcp:tools", error="invalid_request", '
        'error_description="The authorization header is malformed."',
    )


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null"])
def test_refused_origin_gets_no_challenge_and_no_cors(origin):
    seen = Rig().post(build.message(), headers={"origin": origin})
    assert seen.headers == (("content-type", "application/json"), ("cache-control", "no-store"))


# ---- methods that name nothing ---------------------------------------------------------------------------

METHODS = {
    "a list may be denied": ({"tools/list": False}, "tools/list", 7, "method_denied"),
    "all lists may be denied": ({"*/list": False}, "prompts/list", 7, "method_denied"),
    "one list may stay": ({"*/list": False, "prompts/list": True}, "prompts/list", 7, "allowed"),
    "notifications may be denied": ({"notifications/*": False}, "notifications/cancelled", None, "method_denied"),
    "another method may be allowed": ({"foo/bar": True}, "foo/bar", 7, "allowed"),
    "a pattern allows no unknown list": ({"*/list": True}, "secrets/list", 7, "unknown_method"),
    "response is no method": ({"response": True}, "response", 7, "unknown_method"),
    "tools stay with the rules": ({"tools/call": True}, "tools/call", 7, "not_granted"),
    "completions stay with the rules": ({"completion/complete": True}, "completion/complete", 7, "params_malformed"),
    "tasks stay denied": ({"tasks/list": True, "*/list": True}, "tasks/list", 7, "task_unsupported"),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_decide_what_names_nothing_and_nothing_else(name):
    methods, method, message_id, reason = METHODS[name]
    params = {"name": "delete_customer"} if method == "tools/call" else {}
    rig = Rig(resources=(build.resource(methods=methods),))
    assert rig.post(build.message(method, params, id=message_id)).reason == reason


def test_pattern_is_not_a_method():
    rig = Rig(resources=(build.resource(methods={"*/list": True}),))
    assert rig.post(build.message("*/list")).reason == "unknown_method"


@pytest.mark.parametrize("wanted", [{}, {"resourceSubscriptions": []}, {"toolsListChanged": True}], ids=str)
def test_subscription_that_names_nothing_needs_no_rule(wanted):
    rig = Rig(access=build.access(AccessRule("r", (), frozenset())))
    assert rig.post(build.modern("subscriptions/listen", {"notifications": wanted})).is_allowed
