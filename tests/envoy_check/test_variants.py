"""Other ways to write the defects of the cases: each row changes the sound configuration in one place."""

from pathlib import Path

import pytest

from agen_authz.envoy.check import check_file
from agen_authz.envoy.check.sheet import NAMESPACE

SOUND = (Path(__file__).parent / "sound.yaml").read_text()
HTTP = "type.googleapis.com/envoy.extensions.filters.http"
ROUTE = "                route:\n                  cluster: crm\n"
AUTHZ = "              status_on_error: {code: ServiceUnavailable}\n"
AUTHZ_FILTER = "          - name: envoy.filters.http.ext_authz\n"
PROC_FILTER = "          - name: envoy.filters.http.ext_proc\n"
PROC = "                  status_on_error: {code: BadGateway}\n"
GRPC = "                envoy_grpc: {cluster_name: authz}\n"
AUTHZ_PIPE = "{pipe: {path: /run/agen/authz.sock}}"
REMOTE = "{socket_address: {address: authz.example.com, port_value: 9191}}"
HOST = '              domains: ["*"]\n'


def level(line: str) -> tuple[str, str]:
    return HOST, f"{HOST}              {line}\n"


def action(line: str) -> tuple[str, str]:
    return ROUTE, f"{ROUTE}                  {line}\n"


def authz(line: str) -> tuple[str, str]:
    return AUTHZ, f"{AUTHZ}              {line}\n"


def after(name: str, kind: str, settings: str = "") -> tuple[str, str]:
    config = f'{{"@type": {HTTP}.{name}.v3.{kind}{settings}}}'
    return (
        PROC_FILTER,
        f"          - name: envoy.filters.http.{name}\n            typed_config: {config}\n{PROC_FILTER}",
    )


def before(name: str, kind: str, settings: str = "") -> tuple[str, str]:
    config = f'{{"@type": {HTTP}.{name}.v3.{kind}{settings}}}'
    return (
        AUTHZ_FILTER,
        f"          - name: envoy.filters.http.{name}\n            typed_config: {config}\n{AUTHZ_FILTER}",
    )


def per_route(name: str, kind: str, settings: str) -> tuple[str, str]:
    entry = f'{{envoy.filters.http.{name}: {{"@type": {HTTP}.{name}.v3.{kind}, {settings}}}}}'
    return ROUTE, f"{ROUTE}                typed_per_filter_config: {entry}\n"


def mutation(change: str) -> tuple[str, str]:
    return after("header_mutation", "HeaderMutation", f", mutations: {{{change}}}")


def tls(settings: str) -> tuple[str, str]:
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    socket = f'{{name: tls, typed_config: {{"@type": {kind}, common_tls_context: {settings}}}}}'
    return "  - name: authz\n", f"  - name: authz\n    transport_socket: {socket}\n"


def rules(line: str) -> tuple[str, str]:
    allow = "                allow_envoy: true\n"
    return allow, f"{allow}                {line}\n"


def switch(more: str = "") -> tuple[str, str]:
    """Switch ext_authz on by what Istio's RBAC filter writes for the provider `crm`."""
    return authz(
        "filter_enabled_metadata: {filter: envoy.filters.http.rbac, path: [{key: istio_ext_authz_"
        f"shadow_effective_policy_id}}], value: {{string_match: {{prefix: istio-ext-authz-crm}}}}{more}}}"
    )


def shadow(prefix: str = "istio_ext_authz_", policy: str = "istio-ext-authz-crm") -> tuple[str, str]:
    """Put an RBAC filter before ext_authz that names a policy on every request."""
    kind = f'"@type": {HTTP}.rbac.v3.RBAC, shadow_rules_stat_prefix: {prefix}'
    everything = "{permissions: [{any: true}], principals: [{any: true}]}"
    config = f"{{{kind}, shadow_rules: {{policies: {{'{policy}-rule[0]': {everything}}}}}}}"
    return AUTHZ_FILTER, f"          - name: rbac\n            typed_config: {config}\n{AUTHZ_FILTER}"


REMOTE_AUTHZ = (AUTHZ_PIPE, REMOTE)
WEIGHTED = (
    "                  cluster: crm\n",
    "                  weighted_clusters: {clusters: [{name: crm, weight: 1, typed_per_filter_config:"
    f' {{envoy.filters.http.ext_authz: {{"@type": {HTTP}.ext_authz.v3.ExtAuthzPerRoute, disabled: true}}}}}}]}}\n',
)
UPSTREAM = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def crm(settings: str) -> tuple[str, str]:
    """Say how the backend's cluster speaks HTTP."""
    options = f'{{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{"@type": {UPSTREAM}, {settings}}}}}'
    return "  - name: crm\n", f"  - name: crm\n    typed_extension_protocol_options: {options}\n"


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
    "ext_proc that asks for the body itself": (
        [
            (PROC, f"{PROC}                  allow_mode_override: true\n"),
            ("response_body_mode: STREAMED", "response_body_mode: NONE"),
        ],
        set(),
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
    text = SOUND
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    report = check_file(text)
    assert expected == {finding.id for finding in (*report.findings, *report.hints)}


NETWORK = "type.googleapis.com/envoy.extensions.filters.network"
AGGREGATE = (
    "  - name: all\n    cluster_type: {name: envoy.clusters.aggregate, typed_config: {'@type':"
    " type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig, clusters: [all, crm]}}\n"
)
SIDES = {
    "a cluster of clusters": ("tcp_proxy.v3.TcpProxy, cluster: all", ["bypass-listener"]),
    "a filter of another kind": ("redis_proxy.v3.RedisProxy, routes: [{cluster: crm}]", ["bypass-listener"]),
    "a filter of another kind to elsewhere": (
        "redis_proxy.v3.RedisProxy, routes: [{cluster: cache}]",
        ["unguarded-listener"],
    ),
}


@pytest.mark.parametrize(("settings", "expected"), SIDES.values(), ids=SIDES)
def test_ways_past_check_are_found_whatever_takes_them(settings: str, expected: list[str]):
    config = f"{{'@type': {NETWORK}.{settings}}}"
    side = (
        f"  - name: side\n    filter_chains: [{{filters: [{{name: n, typed_config: {config}}}]}}]\n"
        f"  clusters:\n{AGGREGATE}"
    )
    text = SOUND.replace("  clusters:\n", side)
    assert [finding.id for finding in check_file(text).findings] == expected


def test_two_clusters_of_one_address_are_one_way():
    place = "{endpoint: {address: {socket_address: {address: 10.0.0.7, port_value: 8080}}}}"
    side = (
        "  - name: side\n    filter_chains: [{filters: [{name: tcp, typed_config: {'@type':"
        " type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, cluster: twin}}]}]\n  clusters:\n"
        f"  - name: twin\n    load_assignment: {{endpoints: [{{lb_endpoints: [{place}]}}]}}\n"
    )
    text = SOUND.replace("  clusters:\n", side)
    assert [finding.id for finding in check_file(text).findings] == ["bypass-listener"]
