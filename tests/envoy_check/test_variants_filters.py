"""A defect of a filter is found however it is written."""

import pytest

from agen_authz.envoy.check.sheet import NAMESPACE
from tests.envoy_check.written import (
    GRPC,
    PROC,
    REMOTE_AUTHZ,
    action,
    after,
    before,
    find_in,
    mutation,
    per_route,
    rules,
    shadow,
    switch,
    tls,
)

VARIANTS: dict[str, tuple[list[tuple[str, str]], set[str]]] = {
    "no body on one route": (
        [per_route("ext_authz", "ExtAuthzPerRoute", "check_settings: {disable_request_body_buffering: true}")],
        {"no-body"},
    ),
    "a part of the body on one route": (
        [
            per_route(
                "ext_authz",
                "ExtAuthzPerRoute",
                "check_settings: {with_request_body: {max_request_bytes: 1048576, allow_partial_message: true}}",
            )
        ],
        {"partial-body", "body-as-text"},
    ),
    "ext_proc that may fail on one route": (
        [per_route("ext_proc", "ExtProcPerRoute", "overrides: {failure_mode_allow: true}")],
        {"proc-failure-mode-allow"},
    ),
    "ext_proc that sees a part on one route": (
        [
            per_route(
                "ext_proc",
                "ExtProcPerRoute",
                "overrides: {processing_mode: {request_header_mode: SKIP, response_body_mode: 3}}",
            )
        ],
        {"proc-partial"},
    ),
    "ext_proc that might ask for the body itself, which ours never does": (
        [
            (PROC, f"{PROC}                  allow_mode_override: true\n"),
            ("response_body_mode: STREAMED", "response_body_mode: NONE"),
        ],
        {"proc-mode-override", "proc-no-body"},
    ),
    "the skip in a tree of matchers": (
        [("              xds_matcher:\n", "              xds_matcher:\n                matcher_tree: {}\n")],
        {"proc-skip-other"},
    ),
    "the skip of what is not the word": (
        [("value: {string_match:", "invert: true\n                            value: {string_match:")],
        {"proc-skip-other"},
    ),
    "an action that skips nothing": (
        [("action.v3.SkipFilter", "action.v3.Other"), ("path: [{key: agen.inspect}]", "path: [{key: other}]")],
        set(),
    ),
    "the shape of a bare off": ([("exact: off-0123456789abcdef", "exact: off")], {"proc-skip-plain"}),
    "a header written by a filter": (
        [mutation("request_mutations: [{append: {header: {key: Authorization, value: x}}}]")],
        {"headers-after"},
    ),
    "headers removed by their prefix": (
        [mutation("request_mutations: [{remove_on_match: {key_matcher: {prefix: agen-}}}]")],
        {"headers-after"},
    ),
    "headers removed by a part of their name": (
        [mutation("request_mutations: [{remove_on_match: {key_matcher: {contains: digest}}}]")],
        {"headers-after"},
    ),
    "headers removed by an expression": (
        [mutation("request_mutations: [{remove_on_match: {key_matcher: {safe_regex: {regex: x-.*}}}}]")],
        {"headers-after"},
    ),
    "another header removed by its name": ([mutation("request_mutations: [{remove: x-debug}]")], set()),
    "other headers removed by their prefix": (
        [mutation("request_mutations: [{remove_on_match: {key_matcher: {prefix: x-envoy-}}}]")],
        set(),
    ),
    "the query rewritten": (
        [mutation("query_parameter_mutations: [{remove: a}]")],
        {"altered-after"},
    ),
    "JWT claims written to headers": ([after("jwt_authn", "JwtAuthentication")], {"altered-after"}),
    "a filter before that forwards by itself": ([before("mcp_router", "McpRouter")], {"unchecked"}),
    "a filter before that is not known": ([before("brand_new", "BrandNew")], {"unchecked"}),
    "metadata from a script before": (
        [before("lua", "Lua", f', default_source_code: {{inline_string: \'h:set("{NAMESPACE}", "a", 1)\'}}')],
        {"metadata-before", "script-before"},
    ),
    "a script before that says nothing of it": ([before("lua", "Lua", ", source_codes: [{a: b}]")], {"script-before"}),
    "metadata of another namespace": (
        [after("set_metadata", "Config", ", metadata: [{metadata_namespace: other, value: {a: b}}]")],
        set(),
    ),
    "metadata from the body": (
        [
            after(
                "json_to_metadata",
                "JsonToMetadata",
                ", request_rules: {rules: [{on_present: {metadata_namespace: envoy.filters.http.ext_authz}}]}",
            )
        ],
        {"metadata-after"},
    ),
    "metadata from a filter that is not known here": (
        [
            before(
                "thrift_to_metadata",
                "ThriftToMetadata",
                f", request_rules: [{{field: METHOD_NAME, on_present: {{metadata_namespace: {NAMESPACE}}}}}]",
            )
        ],
        {"metadata-before"},
    ),
    "metadata from ext_proc": (
        [
            (
                "                  metadata_options:\n",
                "                  metadata_options:\n"
                "                    receiving_namespaces: {untyped: [envoy.filters.http.ext_authz]}\n",
            )
        ],
        {"metadata-after"},
    ),
    "Google's client in plain text": (
        [(GRPC, "                google_grpc: {target_uri: authz.example.com:9191, stat_prefix: a}\n")],
        {"authz-plaintext"},
    ),
    "Google's client on this machine": (
        [(GRPC, "                google_grpc: {target_uri: 127.0.0.1:9191, stat_prefix: a}\n")],
        set(),
    ),
    "TLS that verifies": ([REMOTE_AUTHZ, tls("{validation_context: {trusted_ca: {filename: ca.pem}}}")], set()),
    "TLS that verifies nothing": ([REMOTE_AUTHZ, tls("{validation_context: {}}")], {"authz-unverified"}),
    "TLS chosen per endpoint": (
        [REMOTE_AUTHZ, ("  - name: authz\n", "  - name: authz\n    transport_socket_matches: [{name: mtls}]\n")],
        set(),
    ),
    "all header changes refused": ([rules("disallow_all: true")], {"header-rules-deny"}),
    "an expression that cannot be read": (
        [rules("disallow_expression: {regex: '(agen'}")],
        {"header-rules-deny"},
    ),
    "an expression too long to be tried": (
        [rules(f"disallow_expression: {{regex: '{'x' * 201}'}}")],
        {"header-rules-deny"},
    ),
    "an expression about other headers": (
        [rules("disallow_expression: {regex: host}")],
        set(),
    ),
    "every request is switched on by RBAC": ([switch(), shadow()], set()),
    "every request is switched on for another provider": (
        [switch(), shadow(policy="istio-ext-authz-other")],
        {"enabled-by-metadata"},
    ),
    "every request is in a dry run, which switches nothing on": (
        [switch(), shadow(prefix="istio_dry_run_allow_")],
        {"enabled-by-metadata"},
    ),
    "what RBAC switches on is inverted": ([switch(", invert: true"), shadow()], {"enabled-by-metadata"}),
    "no duration, and Envoy's own time for an answer": (
        [("max_stream_duration: 3600s", "max_requests_per_connection: 1000")],
        set(),
    ),
    "no duration, and a time for the answer": (
        [("max_stream_duration: 3600s", "max_requests_per_connection: 1000"), action("timeout: 60s")],
        set(),
    ),
    "no duration, and no end of an answer": (
        [("max_stream_duration: 3600s", "max_requests_per_connection: 1000"), action("timeout: 0s")],
        {"stream-duration"},
    ),
    "nothing said about internal clients": (
        [("internal_address_config: {cidr_ranges: [{address_prefix: 255.255.255.255, prefix_len: 32}]}\n", "via: a\n")],
        set(),
    ),
    "internal clients by their network": (
        [("255.255.255.255, prefix_len: 32", "10.0.0.0, prefix_len: 8")],
        {"internal-clients"},
    ),
    "x-envoy headers removed instead": (
        [
            ("[{address_prefix: 255.255.255.255, prefix_len: 32}]", "[]"),
            (
                "{response_mutations:",
                "{request_mutations: [{remove_on_match: {key_matcher: {prefix: x-envoy-}}}], response_mutations:",
            ),
        ],
        set(),
    ),
    "a network filter without a type": (
        [("    - filters:\n", "    - filters:\n      - {name: mystery}\n")],
        {"unread-filter"},
    ),
    "clusters that are not here": (
        [("envoy_grpc: {cluster_name: authz}", "envoy_grpc: {cluster_name: x}")],
        {"unread-cluster"},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), VARIANTS.values(), ids=VARIANTS)
def test_a_defect_is_found_however_it_is_written(changes: list[tuple[str, str]], expected: set[str]):
    assert find_in(changes) == expected
