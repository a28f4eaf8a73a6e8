"""A defect of a route, a cluster or a virtual host is found however it is written."""

import pytest

from tests.envoy_check.written import (
    AUTHZ_PIPE,
    HTTP,
    REMOTE,
    REMOTE_AUTHZ,
    UPSTREAM,
    WEIGHTED,
    action,
    authz,
    crm,
    find_in,
    level,
    per_route,
    tls,
)

VARIANTS: dict[str, tuple[list[tuple[str, str]], set[str]]] = {
    "a script among the cluster's filters": (
        [
            (
                "  - name: crm\n",
                "  - name: crm\n    typed_extension_protocol_options:\n"
                f'      envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{"@type": {UPSTREAM}, http_filters:'
                f' [{{name: lua, typed_config: {{"@type": {HTTP}.lua.v3.Lua}}}}]}}\n',
            )
        ],
        {"script-after"},
    ),
    "a header written by the router's filters": (
        [
            (
                f'{{"@type": {HTTP}.router.v3.Router}}',
                f'{{"@type": {HTTP}.router.v3.Router, upstream_http_filters: [{{name: m, typed_config: {{"@type":'
                f" {HTTP}.header_mutation.v3.HeaderMutation,"
                " mutations: {request_mutations: [{remove: signature}]}}}]}",
            )
        ],
        {"headers-after"},
    ),
    "a cluster whose address is a header's": (
        [("  - name: crm\n", "  - name: crm\n    original_dst_lb_config: {use_http_header: true}\n")],
        {"cluster-by-request"},
    ),
    "a cluster of whatever host the request names": (
        [
            (
                "  - name: crm\n",
                "  - name: crm\n    cluster_type: {name: envoy.clusters.dynamic_forward_proxy, typed_config: {}}\n",
            )
        ],
        {"cluster-by-request"},
    ),
    "a host that a header names": ([action("host_rewrite_header: x-host")], {"cluster-by-request"}),
    "a protocol header of the route's own": (
        [level("request_headers_to_add: [{header: {key: Mcp-Name, value: get_customer}}]")],
        {"headers-after"},
    ),
    "a session that the route removes": ([level("request_headers_to_remove: [mcp-session-id]")], {"headers-after"}),
    "a place in a stream that the route removes": (
        [level("request_headers_to_remove: [last-event-id]")],
        {"headers-after"},
    ),
    "a place in a stream that the route writes": (
        [level("request_headers_to_add: [{header: {key: Last-Event-Id, value: '1'}}]")],
        {"headers-after"},
    ),
    "trailers of a protocol that is agreed on": ([crm("auto_config: {}")], {"proc-trailers"}),
    "trailers of HTTP/1.1": (
        [crm("explicit_http_config: {http_protocol_options: {enable_trailers: true}}")],
        {"proc-trailers"},
    ),
    "trailers that one route shows to nobody": (
        [
            (
                "                    response_body_mode: STREAMED\n",
                "                    response_body_mode: STREAMED\n                    response_trailer_mode: SEND\n",
            ),
            crm("explicit_http_config: {http2_protocol_options: {}}"),
            per_route(
                "ext_proc",
                "ExtProcPerRoute",
                "overrides: {processing_mode: {request_header_mode: SKIP, response_body_mode: STREAMED}}",
            ),
        ],
        {"proc-trailers"},
    ),
    "trailers that Process is shown": (
        [
            (
                "                    response_body_mode: STREAMED\n",
                "                    response_body_mode: STREAMED\n                    response_trailer_mode: SEND\n",
            ),
            crm("explicit_http_config: {http2_protocol_options: {}}"),
        ],
        set(),
    ),
    "a connection that carries more Checks than may be aborted": (
        [("max_requests_per_connection: 10", "max_requests_per_connection: 50")],
        {"authz-resets"},
    ),
    "a connection with TLS may carry more": (
        [
            ("max_requests_per_connection: 10", "max_requests_per_connection: 50"),
            REMOTE_AUTHZ,
            tls("{validation_context: {trusted_ca: {filename: ca.pem}}}"),
        ],
        set(),
    ),
    "the bound of a connection in its older place": (
        [
            ("common_http_protocol_options: {max_requests_per_connection: 10}, ", ""),
            ("  - name: authz\n", "  - name: authz\n    max_requests_per_connection: 10\n"),
        ],
        set(),
    ),
    "a name that begins like loopback": (
        [(AUTHZ_PIPE, REMOTE.replace("authz.example", "127.example"))],
        {"authz-plaintext"},
    ),
    "a share that is no number": (
        [authz("filter_enabled: {default_value: {numerator: nan}}")],
        {"fraction"},
    ),
    "a mirror on the virtual host": ([level("request_mirror_policies: [{cluster: copy}]")], {"mirror"}),
    "retries on the virtual host": ([level("retry_policy: {retry_on: 5xx}")], {"retry"}),
    "an empty retry policy retries nothing": ([action("retry_policy: {}")], set()),
    "the route's own upgrades": ([action("upgrade_configs: [{upgrade_type: CONNECT}]")], {"upgrade"}),
    "an upgrade that is switched off": (
        [action("upgrade_configs: [{upgrade_type: websocket, enabled: false}]")],
        set(),
    ),
    "CONNECT": (
        [("match: {path: /crm/mcp}", "match: {connect_matcher: {}}")],
        {"upgrade", "broad-match"},
    ),
    "a route's own duration of no end": (
        [action("timeout: 0s\n                  max_stream_duration: {max_stream_duration: 0s}")],
        {"stream-duration"},
    ),
    "a header removed by the virtual host": ([level("request_headers_to_remove: [Agen-Roles]")], {"headers-after"}),
    "a header of nobody's": ([level("request_headers_to_add: [{header: {key: x-tenant, value: a}}]")], set()),
    "a weighted cluster that switches Check off": ([WEIGHTED], {"route-disabled"}),
    "a plugin that names the cluster": ([action("cluster_specifier_plugin: lua")], {"cluster-by-request"}),
    "routes from elsewhere in a virtual host": (
        [("            virtual_hosts:", "            vhds: {}\n            virtual_hosts:")],
        {"unread-routes"},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), VARIANTS.values(), ids=VARIANTS)
def test_a_defect_is_found_however_it_is_written(changes: list[tuple[str, str]], expected: set[str]):
    assert find_in(changes) == expected
