"""Whatever is not understood and may carry traffic is a finding next to what is sound, never success."""

import json
from pathlib import Path
from typing import Any

import pytest

from agen_authz.envoy.check import check_file

SOUND = (Path(__file__).parent / "sound.yaml").read_text()
NETWORK, HTTP = ("type.googleapis.com/envoy.extensions.filters." + kind for kind in ("network", "http"))
HCM = f"{NETWORK}.http_connection_manager.v3.HttpConnectionManager"


def found(*documents: Any) -> set[str]:
    text = "\n---\n".join([SOUND, *(each if isinstance(each, str) else json.dumps(each) for each in documents)])
    return {finding.id for finding in check_file(text).findings}


def of(version: str, kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}


def envoy_filter(**patch: Any) -> dict[str, Any]:
    return of("networking.istio.io/v1alpha3", "EnvoyFilter", configPatches=[patch])


def lone(kind: str, **config: Any) -> dict[str, Any]:
    return {"name": "x", "typed_config": {"@type": kind, **config}}


GATEWAY_API = "gateway.networking.k8s.io/v1"
OTHERS = [
    of("projectcontour.io/v1", "HTTPProxy"),
    of("cilium.io/v2", "CiliumEnvoyConfig"),
    of("cilium.io/v2", "CiliumClusterwideEnvoyConfig"),
    of("cilium.io/v2", "CiliumNetworkPolicy"),
    of("getambassador.io/v3alpha1", "Mapping"),
    of("getambassador.io/v3alpha1", "AuthService"),
    of("gateway.kgateway.dev/v1alpha1", "TrafficPolicy"),
    of("gateway.kgateway.dev/v1alpha1", "Backend"),
    of("gateway.solo.io/v1", "VirtualService", http=[]),
    of("policy.linkerd.io/v1beta1", "HTTPRoute"),
    of("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
    of("networking.k8s.io/v1", "Ingress"),
    of("route.openshift.io/v1", "Route"),
    of("serving.knative.dev/v1", "Service"),
    of("example.com/v1", "ConfigMap"),
    {"kind": "HTTPProxy"},
    {"apiVersion": "v1", "kind": "List", "items": [of("projectcontour.io/v1", "HTTPProxy")]},
    of(GATEWAY_API, "HTTPRoute", rules=[{"filters": [{"type": "ExternalAuth", "externalAuth": {}}]}]),
    of(GATEWAY_API, "HTTPRoute", rules=[{"filters": [{"type": "CORS", "externalAuth": {}}]}]),
    of("gateway.networking.k8s.io/v1", "HTTPRoute", rules=[{"backendRefs": [], "filters": [
        {"type": "ExtensionRef", "extensionRef": {"group": "example.com", "kind": "Plugin", "name": "x"}}]}]),
    of("gateway.envoyproxy.io/v1alpha1", "HTTPRouteFilter", somethingNew={}),
    {"resources": [{"@type": "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration", "name": "s"},
                   {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "c"}]},
    {"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.NewConfigDump"}]},
    {"configs": [{"a": "b"}]},
    lone(f"{HTTP}.lua.v3.Lua"),
    lone("type.googleapis.com/example.Unknown"),
    lone(f"{NETWORK}.thrift_proxy.v3.ThriftProxy"),
    {"filter_chains": [{"filters": [lone(f"{NETWORK}.generic_proxy.v3.GenericProxy")]}]},
    {"filter_chains": [{"filters": [lone(f"{NETWORK}.wasm.v3.Wasm")]}]},
]  # fmt: skip


@pytest.mark.parametrize("document", OTHERS, ids=json.dumps)
def test_what_is_not_checked_is_a_finding(document: Any):
    assert found(document) == {"unchecked"}


def test_a_kind_that_is_not_checked_is_named():
    report = check_file(SOUND + "---\n" + json.dumps(OTHERS[0]))
    line = SOUND.count("\n") + 2
    assert report.passed_over == [f"line {line}: HTTPProxy"]
    assert [(finding.line, finding.id) for finding in report.findings] == [(line, "unchecked")]


QUIET = [
    of("v1", "Service"),
    of("v1", "ConfigMap"),
    of("apps/v1", "Deployment"),
    of("rbac.authorization.k8s.io/v1", "Role"),
    of("networking.k8s.io/v1", "NetworkPolicy"),
    of("gateway.networking.k8s.io/v1", "Gateway"),
    of("networking.istio.io/v1", "Gateway"),
    of("networking.istio.io/v1", "DestinationRule"),
    of("security.istio.io/v1", "AuthorizationPolicy", action="DENY"),
    of("gateway.envoyproxy.io/v1alpha1", "Backend"),
    of("gateway.envoyproxy.io/v1alpha1", "HTTPRouteFilter", urlRewrite={}),
    of("gateway.envoyproxy.io/v1alpha1", "EnvoyGateway"),
    of("gateway.networking.k8s.io/v1", "HTTPRoute", rules=[{"filters": [{"type": "URLRewrite", "urlRewrite": {}}]}]),
    of("gateway.networking.k8s.io/v1", "HTTPRoute", rules=[{"filters": [
        {"type": "ExtensionRef", "extensionRef": {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter"}}]}]),
    of("monitoring.coreos.com/v1", "PrometheusRule"),
    of("install.istio.io/v1alpha1", "IstioOperator"),
    {"resources": [{"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "name": "s"},
                   {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "c"}]},
    {"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump"}]},
    {"filter_chains": [{"filters": [lone(f"{NETWORK}.rbac.v3.RBAC")]}]},
    {"filter_chains": [{"filters": [lone(f"{NETWORK}.ratelimit.v3.RateLimit", rate_limit_service={"grpc_service": {
        "envoy_grpc": {"cluster_name": "limits"}}})]}]},
    envoy_filter(applyTo="CLUSTER", patch={"operation": "MERGE", "value": {"max_requests_per_connection": 10}}),
    envoy_filter(applyTo="HTTP_ROUTE", patch={"operation": "REMOVE"}),
    envoy_filter(applyTo="HTTP_FILTER", match={"listener": {"filterChain": {"filter": {"subFilter": {
        "name": "envoy.filters.http.fault"}}}}}, patch={"operation": "REMOVE"}),
]  # fmt: skip


@pytest.mark.parametrize("document", QUIET, ids=json.dumps)
def test_kind_without_traffic_is_not_a_finding(document: Any):
    assert found(document) == set()


WASM = lone(f"{NETWORK}.wasm.v3.Wasm")


def at(name: str) -> dict[str, Any]:
    return {"listener": {"filterChain": {"filter": {"subFilter": {"name": f"envoy.filters.http.{name}"}}}}}


PATCHES = {
    "the form before configPatches": (
        of("networking.istio.io/v1alpha3", "EnvoyFilter", filters=[
            {"filterName": "x", "filterType": "HTTP", "listenerMatch": {}, "filterConfig": {}}]),
        "unread-patch",
    ),
    "a listener": (envoy_filter(applyTo="LISTENER", patch={"operation": "ADD", "value": {}}), "unread-patch"),
    "a chain": (envoy_filter(applyTo="FILTER_CHAIN", patch={"operation": "MERGE", "value": {}}), "unread-patch"),
    "another cluster": (envoy_filter(applyTo="CLUSTER", patch={"operation": "ADD", "value": {}}), "unread-patch"),
    "where a cluster leads": (
        envoy_filter(applyTo="CLUSTER", patch={"operation": "MERGE", "value": {"load_assignment": {}}}), "unread-patch"
    ),
    "what discovery brings": (envoy_filter(applyTo="EXTENSION_CONFIG", patch={"operation": "ADD"}), "unread-patch"),
    "an unknown place": (envoy_filter(applyTo="SOMETHING", patch={"operation": "MERGE"}), "unread-patch"),
    "another network filter": (
        envoy_filter(applyTo="NETWORK_FILTER", patch={"operation": "INSERT_FIRST", "value": WASM}),
        "unread-patch",
    ),
    "another connection manager": (
        envoy_filter(applyTo="NETWORK_FILTER", patch={"operation": "REPLACE", "value": lone(HCM)}), "unread-patch"
    ),
    "filters merged into a connection manager": (
        envoy_filter(applyTo="NETWORK_FILTER", patch={"operation": "MERGE", "value": lone(HCM, http_filters=[])}),
        "unread-patch",
    ),
    "every filter removed": (envoy_filter(applyTo="HTTP_FILTER", patch={"operation": "REMOVE"}), "authz-removed"),
    "what switches ext_authz on removed": (
        envoy_filter(applyTo="HTTP_FILTER", patch={"operation": "REMOVE"}, match=at("rbac")),
        "authz-removed",
    ),
    "ext_authz replaced": (
        envoy_filter(
            applyTo="HTTP_FILTER", match=at("ext_authz"),
            patch={"operation": "REPLACE", "value": lone(f"{HTTP}.fault.v3.HTTPFault")},
        ),
        "authz-removed",
    ),
    "a filter that is not known put first": (
        envoy_filter(applyTo="HTTP_FILTER", patch={"operation": "INSERT_FIRST", "value": lone("x/example.Unknown")}),
        "unchecked",
    ),
    "a filter order": (of("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy", filterOrder=[{"name": "x"}]), "unread-patch"),
    "an extension's server": (
        {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyGateway", "extensionManager": {"hooks": {}}},
        "unread-patch",
    ),
    "a credential injected": (
        of("gateway.envoyproxy.io/v1alpha1", "HTTPRouteFilter", credentialInjection={"header": "a"}), "altered-after"
    ),
    "Envoy's text in a ConfigMap that is none": (
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"envoy.yaml": "note: static_resources"}}, "nothing-checked"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "expected"), PATCHES.values(), ids=PATCHES)
def test_what_a_manifest_changes_is_found_or_said_not_to_be_checked(document: Any, expected: str):
    assert found(document) == {expected}


ROUTED = {"virtual_hosts": [{"routes": [{"match": {"path": "/"}, "route": {"cluster": "crm"}}]}]}
BARE = {
    "a connection manager": (
        lone(HCM, http_filters=[{"name": "envoy.filters.http.router"}], route_config=ROUTED), "bypass-listener"
    ),
    "a proxy": (lone(f"{NETWORK}.tcp_proxy.v3.TcpProxy", cluster="crm"), "bypass-listener"),
    "a proxy to elsewhere": (lone(f"{NETWORK}.tcp_proxy.v3.TcpProxy", cluster="web"), "unguarded-listener"),
    "a proxy of UDP": (
        {"filter_chains": [], "listener_filters": [
            lone("type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig", cluster="web")]},
        "unguarded-listener",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "expected"), BARE.values(), ids=BARE)
def test_a_filter_of_a_connection_by_itself_is_checked(document: Any, expected: str):
    assert found(document) == {expected}


def test_a_connection_manager_by_itself_is_checked_for_its_settings():
    text = SOUND[SOUND.index('          "@type": type.googleapis.com/envoy.extensions.filters.network') :]
    manager = text[: text.index("  clusters:\n")].replace("normalize_path: true", "normalize_path: false")
    report = check_file(f"name: http\ntyped_config:\n{manager}")
    assert {finding.id for finding in report.findings} == {"normalize-path", "unread-cluster"}


BODY = {"maxRequestBytes": 1048576, "packAsBytes": True}
ASKS = {"timeout": "1s", "statusOnError": "503", "includeRequestBodyInCheck": BODY}


def test_routes_that_no_connection_manager_here_uses_are_checked_by_themselves():
    off = {"x.ext_authz": {"@type": f"{HTTP}.ext_authz.v3.ExtAuthzPerRoute", "disabled": True}}
    route = {"match": {"path": "/"}, "route": {"cluster": "crm"}, "typed_per_filter_config": off}
    assert found({"name": "other", "virtual_hosts": [{"routes": [route]}]}) == {"route-disabled"}


@pytest.mark.parametrize("direction", ["OUTBOUND", "INBOUND"])
def test_what_a_workload_sends_is_named_and_no_finding_whatever_takes_it(direction: str):
    redis = lone(f"{NETWORK}.redis_proxy.v3.RedisProxy", routes=[{"cluster": "cache"}])
    chain = {"traffic_direction": direction, "filter_chains": [{"filters": [redis]}]}
    assert found(chain) == (set() if direction == "OUTBOUND" else {"unguarded-listener"})


PROVIDER = {"name": "agen", "envoyExtAuthzGrpc": ASKS}


def custom(**provider: str) -> dict[str, Any]:
    return of("security.istio.io/v1", "AuthorizationPolicy", action="CUSTOM", rules=[{}], provider=provider)


MESH = {"meshConfig": {"extensionProviders": [PROVIDER]}}
IN_CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"mesh": json.dumps(MESH["meshConfig"])}}
TRACING = {"meshConfig": {"extensionProviders": [{"name": "agen", "zipkin": {}}]}}
# name: (documents, what is found)
CHOICES: dict[str, tuple[list[Any], set[str]]] = {
    "the mesh's": ([MESH, custom(name="agen")], set()),
    "the mesh's, said later": ([custom(name="agen"), MESH], set()),
    "the mesh's, in its ConfigMap": ([custom(name="agen"), IN_CONFIG_MAP], set()),
    "the mesh's, in Sail's kind": (
        [of("sailoperator.io/v1", "Istio", values=MESH), custom(name="agen")], set()
    ),
    "misspelt": ([MESH, custom(name="agem")], {"istio-provider"}),
    "none": ([MESH, custom()], {"istio-provider"}),
    "none, without a mesh": ([custom()], {"istio-provider"}),
    "one that does not authorize": ([TRACING, custom(name="agen")], {"istio-provider"}),
    "without a mesh": ([custom(name="agen")], {"unread-provider"}),
    "a mesh without providers": (
        [{**IN_CONFIG_MAP, "data": {"mesh": "accessLogFile: /dev/stdout"}}, custom(name="agen")],
        {"istio-provider"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("documents", "expected"), CHOICES.values(), ids=CHOICES)
def test_a_custom_policy_names_a_provider_that_is_known(documents: list[Any], expected: set[str]):
    assert found(*documents) == expected | {"proc-missing"}
