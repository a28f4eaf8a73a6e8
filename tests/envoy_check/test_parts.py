"""Parts of configurations: patches, lone filters and routes, providers of a mesh."""

import pytest

from agen_authz.envoy.check import check_file

HTTP = "type.googleapis.com/envoy.extensions.filters.http"

PATCH = """
kind: EnvoyFilter
spec:
  configPatches:
  - applyTo: {kind}
    patch: {{operation: {operation}, value: {value}}}
"""
HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
OFF = f'{{x.ext_authz: {{"@type": {HTTP}.ext_authz.v3.ExtAuthzPerRoute, disabled: true}}}}'
PATCHES: dict[str, tuple[str, str, str, set[str]]] = {
    "upgrades merged": (
        "NETWORK_FILTER",
        "MERGE",
        f'{{typed_config: {{"@type": {HCM}, upgrade_configs: [{{upgrade_type: websocket}}]}}}}',
        {"upgrade"},
    ),
    "good settings merged": (
        "NETWORK_FILTER",
        "MERGE",
        f'{{typed_config: {{"@type": {HCM}, merge_slashes: true}}}}',
        set(),
    ),
    "a protection taken away by a merge": (
        "HTTP_FILTER",
        "MERGE",
        f'{{typed_config: {{"@type": {HTTP}.ext_authz.v3.ExtAuthz, failure_mode_allow: true}}}}',
        {"failure-mode-allow"},
    ),
    "ext_authz merged to be off": (
        "HTTP_FILTER",
        "MERGE",
        "{name: envoy.filters.http.ext_authz, disabled: true}",
        {"filter-disabled"},
    ),
    "a script put first": (
        "HTTP_FILTER",
        "INSERT_FIRST",
        f'{{name: lua, typed_config: {{"@type": {HTTP}.lua.v3.Lua}}}}',
        {"script-before"},
    ),
    "an ext_proc merged to fail open": (
        "HTTP_FILTER",
        "MERGE",
        f'{{typed_config: {{"@type": {HTTP}.ext_proc.v3.ExternalProcessor, failure_mode_allow: true}}}}',
        {"proc-failure-mode-allow"},
    ),
    "a virtual host without Check": (
        "VIRTUAL_HOST",
        "MERGE",
        f"{{typed_per_filter_config: {OFF}}}",
        {"route-disabled"},
    ),
    "routes without Check": (
        "ROUTE_CONFIGURATION",
        "MERGE",
        f"{{virtual_hosts: [{{routes: [{{route: {{cluster: a}}, typed_per_filter_config: {OFF}}}]}}]}}",
        {"route-disabled"},
    ),
    "a mirror merged": ("HTTP_ROUTE", "MERGE", "{route: {request_mirror_policies: [{cluster: copy}]}}", {"mirror"}),
}


@pytest.mark.parametrize(("kind", "operation", "value", "expected"), PATCHES.values(), ids=PATCHES)
def test_a_patch_is_checked_for_what_it_writes(kind: str, operation: str, value: str, expected: set[str]):
    text = PATCH.format(kind=kind, operation=operation, value=value)
    assert expected == {finding.id for finding in check_file(text).findings}


LONE = {
    "a filter": (f'"@type": {HTTP}.ext_authz.v3.ExtAuthz\nshadow_mode: true\n', "shadow-mode"),
    "a filter by its name": (
        f'name: envoy.filters.http.ext_proc\ntyped_config: {{"@type": {HTTP}.ext_proc.v3.ExternalProcessor,'
        " observability_mode: true}\n",
        "proc-observing",
    ),
    "routes": (
        f"virtual_hosts: [{{routes: [{{match: {{path: /}}, route: {{cluster: a}}, typed_per_filter_config: {OFF}}}]}}]",
        "route-disabled",
    ),
    "a connection manager": (
        "http_filters: [{name: envoy.filters.http.router}]\n"
        "route_config: {virtual_hosts: [{routes: [{match: {path: /}, route: {cluster: a}}]}]}",
        "authz-missing",
    ),
    "a file of resources": (
        'resources: [{"@type": type.googleapis.com/envoy.config.listener.v3.Listener, filter_chains:'
        " [{filters: [{name: t, typed_config: {cluster: a, '@type':"
        " type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy}}]}]}]",
        "unguarded-listener",
    ),
    "a mesh with an HTTP provider": (
        "meshConfig: {extensionProviders: [{name: a, envoyExtAuthzHttp: {port: 80}}]}",
        "http-authz",
    ),
    "a mesh without a body": ("extensionProviders: [{name: a, envoyExtAuthzGrpc: {timeout: 1s}}]", "no-body"),
    "a SecurityPolicy without Check": ("kind: SecurityPolicy\nspec: {cors: {}}", "authz-missing"),
    "a SecurityPolicy over HTTP": ("kind: SecurityPolicy\nspec: {extAuth: {http: {path: /auth}}}", "http-authz"),
    "a resource within its envelope": (
        'resources: [{"@type": type.googleapis.com/envoy.service.discovery.v3.Resource, name: a, resource: {"@type":'
        " type.googleapis.com/envoy.config.route.v3.RouteConfiguration, virtual_hosts: [{routes: [{match: {path: /},"
        " route: {cluster: a, request_mirror_policies: [{cluster: b}]}}]}]}}]",
        "mirror",
    ),
    "scoped routes beside routes without a name": (
        f'configs: [{{"@type": type.googleapis.com/envoy.admin.v3.ListenersConfigDump, static_listeners: [{{listener:'
        f' {{filter_chains: [{{filters: [{{name: h, typed_config: {{"@type": {HCM}, scoped_routes: {{name: s}},'
        f' http_filters: [{{name: a, typed_config: {{"@type": {HTTP}.ext_authz.v3.ExtAuthz}}}}]}}}}]}}]}}}}]}},'
        ' {"@type": type.googleapis.com/envoy.admin.v3.RoutesConfigDump, static_route_configs:'
        " [{route_config: {virtual_hosts: [{routes: [{match: {path: /}, route: {cluster: a}}]}]}}]}]",
        "unread-routes",
    ),
    "a ClientTrafficPolicy that allows underscores": (
        "kind: ClientTrafficPolicy\nspec: {headers: {withUnderscoresAction: Allow}}",
        "underscores",
    ),
    "a ClientTrafficPolicy that leaves escaped slashes": (
        "kind: ClientTrafficPolicy\nspec: {path: {escapedSlashesAction: KeepUnchanged}}",
        "escaped-slashes",
    ),
    "a ClientTrafficPolicy that leaves double slashes": (
        "kind: ClientTrafficPolicy\nspec: {path: {disableMergeSlashes: true}}",
        "merge-slashes",
    ),
    "an EnvoyProxy with a bootstrap of its own": (
        "kind: EnvoyProxy\nspec: {bootstrap: {type: Merge, value: 'admin: {}'}}",
        "unread-patch",
    ),
    "a VirtualService that mirrors": (
        "kind: VirtualService\nspec: {http: [{mirrors: [{destination: {host: a}}]}]}",
        "mirror",
    ),
    "a VirtualService that mirrors, as it was written before": (
        "kind: VirtualService\nspec: {http: [{mirror: {host: a}}]}",
        "mirror",
    ),
    "a VirtualService that tries again": (
        "kind: VirtualService\nspec: {http: [{retries: {attempts: 3}}]}",
        "retry",
    ),
    "a VirtualService that says who calls": (
        "kind: VirtualService\nspec: {http: [{route: [{headers: {request: {set: {agen-subject: root}}}}]}]}",
        "headers-after",
    ),
    "a VirtualService that hides who calls": (
        "kind: VirtualService\nspec: {http: [{headers: {request: {remove: [agen-subject]}}}]}",
        "headers-after",
    ),
    "a ConfigMap whose Envoy cannot be read": ("kind: ConfigMap\ndata: {envoy.yaml: 'static_resources: [b'}", "unread"),
    "a ConfigMap whose mesh cannot be read": ("kind: ConfigMap\ndata: {mesh: 'a: [b'}", "unread"),
}


@pytest.mark.parametrize(("text", "expected"), LONE.values(), ids=LONE)
def test_a_part_of_a_configuration_is_checked(text: str, expected: str):
    assert expected in {finding.id for finding in check_file(text).findings}


GOOD = {
    "a ClientTrafficPolicy of refusals": (
        "kind: ClientTrafficPolicy\nspec: {headers: {withUnderscoresAction: DropHeader}, path: {escapedSlashesAction:"
        " RejectRequest}}"
    ),
    "an EnvoyProxy that patches nothing": "kind: EnvoyProxy\nspec: {logging: {level: {default: warn}}}",
    "a VirtualService that tries once": (
        "kind: VirtualService\nspec: {http: [{retries: {attempts: 0}, headers: {request: {set: {x-team: a}}}}]}"
    ),
}
SECURED = (
    "kind: SecurityPolicy\nspec: {extAuth: {timeout: 1s, statusOnError: 503,"
    " bodyToExtAuth: {maxRequestBytes: 1048576}}}"
)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_careful_manifest_has_no_findings(text: str):
    assert [finding.id for finding in check_file(f"{SECURED}\n---\n{text}").findings] == ["proc-missing"]
