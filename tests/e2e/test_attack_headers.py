"""Headers through a real Envoy: what each case gets, and exactly what the backend is left with."""

import pytest

from tests.e2e.wire import AS_SENT, Case, Passed, Sent, expected_of, outcome_of
from tests.stage.world import World

pytestmark = pytest.mark.envoy

AUTH, TYPE, LENGTH, SESSION = "authorization", "content-type", "content-length", "mcp-session-id"
ADMIN = '"admin"'
ALLOWED_ORIGIN, FOREIGN_ORIGIN = "https://app.example.com", "https://evil.example.com"
IDENTITY = ("issuer", "subject", "tenant", "client", "roles", "permissions", "resource", "request-id")
# All of these arrive as the good call does: with our headers, and nothing of what was added.
FORGED = {
    "agen_underscore_twin": Sent(added=[("agen_subject", ADMIN)]),
    "all_underscore_twins": Sent(added=[(f"agen_{name.replace('-', '_')}", ADMIN) for name in IDENTITY]),
    "half_underscore_twin": Sent(added=[("agen_request-id", ADMIN), ("agen-request_id", ADMIN)]),
    "foreign_underscore": Sent(added=[("x_kept", "1"), ("mcp_session_id", "s-1"), ("content_type", "text/plain")]),
    "forged_identity": Sent(added=[(f"agen-{name}", ADMIN) for name in IDENTITY]),
    "forged_twice": Sent(added=[("agen-subject", ADMIN), ("agen-subject", '"root"')]),
    "forged_upper_case": Sent(added=[("AGEN-Subject", ADMIN), ("Agen-Roles", ADMIN)]),
    "forged_empty": Sent(added=[("agen-subject", ""), ("agen-tenant", "")]),
    "forged_before_the_rest": Sent(line="POST /crm/mcp HTTP/1.1\r\nagen-subject: \"admin\""),
    "agen_of_the_future": Sent(added=[("agen-future", ADMIN), ("agen-", ADMIN), ("agen", ADMIN)]),
    "agen_other_prefixes": Sent(added=[("x-agen-subject", ADMIN), ("agen.subject", ADMIN), ("agen~subject", ADMIN)]),
    "signature": Sent(
        added=[("signature", "agen=:AA==:"), ("signature-input", "agen=()"), ("content-digest", "sha-256=:AA==:")]
    ),
    "connection_names_identity": Sent(replaced=[("connection", "close, agen-subject, agen-roles")]),
    "connection_twice": Sent(added=[("connection", "agen-subject")]),
    "connection_te": Sent(replaced=[("connection", "close, te, agen-subject")], added=[("te", "trailers")]),
    "hop_by_hop": Sent(
        added=[("keep-alive", "agen-subject"), ("proxy-connection", "agen-subject"), ("te", "trailers")]
    ),
    "proxy_authorization": Sent(added=[("proxy-authorization", "Bearer x"), ("x-forwarded-access-token", "x")]),
    "cookie": Sent(added=[("cookie", "token=1"), ("cookie", "agen-subject=admin"), ("cookie2", "$Version=1")]),
    "method_override": Sent(
        added=[("x-http-method-override", "DELETE"), ("x-method-override", "GET"), ("x-http-method", "PUT")]
    ),
    "url_override": Sent(
        added=[
            ("x-original-url", "/billing/mcp"), ("x-rewrite-url", "/billing/mcp"), ("x-forwarded-path", "/x"),
            ("x-envoy-original-path", "/billing/mcp"), ("x-original-uri", "/x"), ("x-original-host", "evil"),
        ]
    ),
    "forwarded": Sent(
        added=[
            ("x-forwarded-host", "evil"), ("x-forwarded-proto", "https"), ("forwarded", "host=evil"),
            ("x-forwarded-prefix", "/a"), ("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "10.0.0.1"), ("via", "1.1 a"),
        ]
    ),
    "envoy_controls": Sent(
        added=[
            ("x-envoy-retry-on", "5xx"), ("x-envoy-max-retries", "5"), ("x-envoy-upstream-rq-timeout-ms", "1"),
            ("x-envoy-internal", "true"), ("x-envoy-decorator-operation", "x"), ("x-envoy-force-trace", "true"),
            ("x-envoy-ip-tags", "a"), ("x-envoy-expected-rq-timeout-ms", "1"),
            ("x-envoy-hedge-on-per-try-timeout", "true"),
        ]
    ),
    "partial_body_claimed": Sent(added=[("x-envoy-auth-partial-body", "true")]),
    "partial_body_denied": Sent(added=[("x-envoy-auth-partial-body", "false")]),
    "request_id": Sent(added=[("x-request-id", "mine"), ("x-correlation-id", "mine"), ("x-client-trace-id", "m")]),
    "range": Sent(added=[("range", "bytes=0-1"), ("if-match", '"a"'), ("if-none-match", "*")]),
    "expect": Sent(added=[("expect", "100-continue")]),
    "resume": Sent(added=[("last-event-id", "5")]),
    "modern_session": Sent(added=[(SESSION, "s-1")]),
    "pragma": Sent(added=[("pragma", "no-cache"), ("cache-control", "only-if-cached"), ("priority", "u=0")]),
    "h2c": Sent(
        replaced=[("connection", "upgrade, http2-settings, close")],
        added=[("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__")],
    ),
    "other_content_headers": Sent(
        added=[("content-disposition", "form-data"), ("content-language", "x"), ("content-location", "/x")]
    ),
}  # fmt: skip
KEPT: dict[str, tuple[Sent, dict[str, str | None]]] = {
    "bearer_in_lower_case": (Sent(replaced=[(AUTH, "bearer {token}")]), {}),
    "bearer_in_upper_case": (Sent(replaced=[(AUTH, "BEARER {token}")]), {}),
    "bearer_with_two_blanks": (Sent(replaced=[(AUTH, "Bearer  {token}")]), {}),
    "bearer_with_blanks_around": (Sent(replaced=[(AUTH, "  Bearer {token}\t ")]), {}),
    "names_in_upper_case": (
        Sent(replaced=[("mcp-method", "tools/call")], without=[], added=[("X-KEPT", "yes")]), {"x-kept": "yes"},
    ),
    "accept_twice": (
        Sent(added=[("accept", "text/html")]), {"accept": "application/json, text/event-stream,text/html"},
    ),
    "latin_1": (Sent(added=[("x-kept", "\xe9\xff")]), {"x-kept": "\xe9\xff"}),
    "folded": (Sent(added=[("x-kept", 'a\r\n agen-subject: "admin"')]), {"x-kept": 'a agen-subject: "admin"'}),
    "folded_to_look_like_a_header": (Sent(added=[("x-kept", "a\r\n\tb")]), {"x-kept": "a\tb"}),
    "bare_line_feed": (Sent(added=[("x-kept", 'a\nagen-subject: "admin"\nx-dropped: 1')]), {"x-kept": "a"}),
    # Envoy drops a lone CR: both sides read what is left.
    "bare_return": (Sent(added=[("x-kept", 'a\ragen-subject: "admin"')]), {"x-kept": 'aagen-subject: "admin"'}),
    "bare_return_in_name": (Sent(replaced=[("mcp-name", "get_\rcustomer")]), {}),
    "connection_names_kept": (Sent(replaced=[("connection", "close, x-kept")], added=[("x-kept", "yes")]), {}),
    "connection_names_length": (
        Sent(replaced=[("connection", f"close, {LENGTH}")]), {LENGTH: None, "transfer-encoding": "chunked"},
    ),
    "charset": (
        Sent(replaced=[(TYPE, "application/json; charset=UTF-8")]), {TYPE: "application/json; charset=UTF-8"},
    ),
    "media_type_in_upper_case": (Sent(replaced=[(TYPE, "Application/JSON")]), {TYPE: "Application/JSON"}),
    "identity_encoding": (Sent(added=[("content-encoding", "identity")]), {"content-encoding": "identity"}),
    "trace_context": (Sent(added=[("tracestate", "a=1")]), {"tracestate": "a=1"}),
    "parameter_header": (Sent(added=[("mcp-param-customer", "c-1001")]), {"mcp-param-customer": "c-1001"}),
    "accept_encoding": (Sent(added=[("accept-encoding", "gzip")]), {"accept-encoding": "gzip"}),
    # Whoever calls through other proxies brings many; those that Check adds must fit next to them.
    "seventy_others": (Sent(added=[(f"x-{number}", "v") for number in range(70)]), {}),
}  # fmt: skip
OURS = {
    "two_tokens": (Sent(added=[(AUTH, "Bearer x")]), 400, "header_repeated"),
    "two_tokens_joined": (Sent(replaced=[(AUTH, "Bearer {token},Bearer {token}")]), 400, "header_repeated"),
    "two_media_types": (Sent(added=[(TYPE, "text/plain")]), 400, "header_repeated"),
    "two_media_types_joined": (Sent(replaced=[(TYPE, "application/json, text/plain")]), 400, "header_repeated"),
    "two_encodings": (Sent(added=[("content-encoding", "identity, gzip")]), 400, "header_repeated"),
    "two_origins": (
        Sent(added=[("origin", ALLOWED_ORIGIN), ("origin", FOREIGN_ORIGIN)]), 400, "header_repeated",
    ),
    "two_names": (Sent(added=[("mcp-name", "update_deal")]), 400, "header_repeated"),
    "two_equal_names": (Sent(added=[("mcp-name", "get_customer")]), 400, "header_repeated"),
    "two_methods": (Sent(added=[("Mcp-Method", "tools/list")]), 400, "header_repeated"),
    "two_versions": (Sent(added=[("mcp-protocol-version", "2025-11-25")]), 400, "header_repeated"),
    "two_versions_joined": (
        Sent(replaced=[("mcp-protocol-version", "2026-07-28, 2025-11-25")]), 400, "header_repeated",
    ),
    "two_sessions": (Sent(added=[(SESSION, "a"), (SESSION, "b")]), 400, "header_repeated"),
    "parameter_of_no_argument": (Sent(added=[("mcp-param-region", "eu")]), 400, "header_mismatch"),
    "parameter_that_lies": (Sent(added=[("mcp-param-customer-id", "c-1002")]), 400, "header_mismatch"),
    "two_parameters": (
        Sent(added=[("mcp-param-region", "eu"), ("mcp-param-region", "us")]), 400, "header_repeated",
    ),
    "two_resume_points": (Sent(added=[("last-event-id", "1"), ("last-event-id", "2")]), 400, "header_repeated"),
    "token_beyond_ascii": (Sent(replaced=[(AUTH, "Bearer {token}\xe9")]), 400, "header_malformed"),
    "name_beyond_ascii": (Sent(replaced=[("mcp-name", "get_customer\xa0")]), 400, "header_malformed"),
    "tab_in_name": (Sent(replaced=[("mcp-name", "get\tcustomer")]), 400, "header_malformed"),
    "no_token": (Sent(without=[AUTH]), 401, "token_missing"),
    "empty_token": (Sent(replaced=[(AUTH, "")]), 401, "token_missing"),
    "scheme_alone": (Sent(replaced=[(AUTH, "Bearer")]), 400, "authorization_malformed"),
    "scheme_basic": (Sent(replaced=[(AUTH, "Basic dTpw")]), 401, "token_missing"),
    "token_in_cookie": (Sent(without=[AUTH], added=[("cookie", "access_token={token}")]), 401, "token_missing"),
    "token_in_proxy_header": (
        Sent(without=[AUTH], added=[("proxy-authorization", "Bearer {token}")]), 401, "token_missing",
    ),
    "token_under_underscore": (
        Sent(without=[AUTH], added=[("authorization_", "Bearer {token}")]), 401, "token_missing",
    ),
    "tab_for_blank": (Sent(replaced=[(AUTH, "Bearer\t{token}")]), 400, "header_malformed"),
    "foreign_origin": (Sent(added=[("origin", FOREIGN_ORIGIN)]), 403, "origin_refused"),
    "null_origin": (Sent(added=[("origin", "null")]), 403, "origin_refused"),
    "origin_in_upper_case": (Sent(added=[("origin", "HTTPS://APP.EXAMPLE.COM")]), 403, "origin_refused"),
    "origin_with_a_dot": (Sent(added=[("origin", f"{ALLOWED_ORIGIN}.")]), 403, "origin_refused"),
    "name_of_another_tool": (Sent(replaced=[("mcp-name", "update_deal")]), 400, "header_mismatch"),
    "name_in_other_case": (Sent(replaced=[("mcp-name", "GET_CUSTOMER")]), 400, "header_mismatch"),
    "name_base64_with_spare_bits": (
        Sent(replaced=[("mcp-name", "=?base64?Z2V0X2N1c3RvbWVyIA?=")]), 400, "header_mismatch",
    ),
    "method_of_another_call": (Sent(replaced=[("mcp-method", "ping")]), 400, "header_mismatch"),
    "version_of_another_era": (
        Sent(replaced=[("mcp-protocol-version", "2025-11-25")]), 400, "era_confusion",
    ),
    # Envoy takes out what `connection` names before Check is asked: both sides see the same.
    "connection_names_media_type": (Sent(replaced=[("connection", f"close, {TYPE}")]), 415, "media_type"),
    "connection_names_token": (Sent(replaced=[("connection", f"close, {AUTH}")]), 401, "token_missing"),
    "connection_names_name": (Sent(replaced=[("connection", "close, mcp-name")]), 400, "header_missing"),
    "no_version": (Sent(without=["mcp-protocol-version"]), 400, "header_missing"),
    "no_name": (Sent(without=["mcp-name"]), 400, "header_missing"),
    "no_method": (Sent(without=["mcp-method"]), 400, "header_missing"),
    "name_under_underscore": (
        Sent(without=["mcp-name"], added=[("mcp_name", "get_customer")]), 400, "header_missing",
    ),
}  # fmt: skip
# Refused in Envoy's words: before Check is asked, or as gRPC, where every refusal has the status 200.
ENVOYS = {
    "control_in_value": (Sent(added=[("x-kept", "a\x01b")]), 400),
    "delete_in_value": (Sent(added=[("x-kept", "a\x7fb")]), 400),
    "nul_in_value": (Sent(added=[("x-kept", "a\x00b")]), 400),
    "nul_in_name": (Sent(added=[("x-k\x00", "a")]), 400),
    "connection_names_host": (Sent(replaced=[("connection", "close, host")]), 400),
    "connection_names_forwarded": (Sent(replaced=[("connection", "close, x-forwarded-for")]), 400),
    "connection_names_pseudo_header": (Sent(replaced=[("connection", "close, :path")]), 400),
    "connection_names_many": (Sent(replaced=[("connection", "close" + ", a" * 40)]), 400),
    "blank_behind_name": (Sent(added=[("agen-subject ", ADMIN)]), 400),
    "tab_behind_name": (Sent(added=[("agen-subject\t", ADMIN)]), 400),
    "blank_in_name": (Sent(added=[("agen subject", ADMIN)]), 400),
    "empty_name": (Sent(added=[("", "x")]), 400),
    "name_beyond_ascii": (Sent(added=[("agen-subj\xe9ct", ADMIN)]), 400),
    "line_without_colon": (Sent(raw="agen-subject\r\n"), 400),
    "folded_first_line": (Sent(line='POST /crm/mcp HTTP/1.1\r\n agen-subject: "admin"'), 400),
    "long_value": (Sent(added=[("x-kept", "a" * 50_000)]), 431),
    "long_name": (Sent(added=[("x-" + "a" * 50_000, "1")]), 431),
    "too_many": (Sent(added=[(f"x-{number}", "1") for number in range(120)]), 431),
    "websocket": (
        Sent(
            replaced=[("connection", "upgrade")],
            added=[
                ("upgrade", "websocket"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("sec-websocket-version", "13"),
            ],
        ),
        403,
    ),
    "media_type_of_grpc": (Sent(replaced=[(TYPE, "application/grpc")]), 200),
    "other_upgrade": (Sent(replaced=[("connection", "upgrade")], added=[("upgrade", "agen/1")]), 403),
}  # fmt: skip
CASES = {
    **{f"forged-{name}": Case(sent, 200, None, AS_SENT) for name, sent in FORGED.items()},
    **{f"kept-{name}": Case(sent, 200, None, Passed(changed)) for name, (sent, changed) in KEPT.items()},
    **{f"ours-{name}": Case(*row) for name, row in OURS.items()},
    **{f"envoy-{name}": Case(*row) for name, row in ENVOYS.items()},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_headers_mean_the_same_on_both_sides(attacked: World, case: Case):
    assert outcome_of(attacked, case) == expected_of(attacked, case)
