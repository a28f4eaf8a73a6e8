"""Which routes a policy reaches: every rule that is forwarded without one that asks Check is a finding, no other."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from agen_authz.envoy.check import check_file

API, EG, ISTIO = "gateway.networking.k8s.io", "gateway.envoyproxy.io", "security.istio.io"
ASKS = {
    "timeout": "1s", "statusOnError": 503, "bodyToExtAuth": {"maxRequestBytes": 1048576}, "grpc": {"backendRefs": []},
}  # fmt: skip
Manifest = Mapping[str, Any]


def manifest(group: str, kind: str, name: str, spec: Any, *, namespace: str = "mcp", **labels: str) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def route(
    name: str = "crm", *, kind: str = "HTTPRoute", parents: Any = None, rules: Any = None, **more: str
) -> Manifest:
    refs = [{"name": "mcp"}] if parents is None else parents
    forwards = [{"backendRefs": [{"name": "crm", "port": 80}]}] if rules is None else rules
    return manifest(API, kind, name, {"parentRefs": refs, "rules": forwards}, **more)


def ref(kind: str = "HTTPRoute", name: str = "crm", **more: str) -> dict[str, str]:
    return {"group": API, "kind": kind, "name": name, **more}


def policy(*refs: Any, namespace: str = "mcp", name: str = "p", **more: Any) -> Manifest:
    return manifest(
        EG, "SecurityPolicy", name, {"targetRefs": list(refs), "extAuth": ASKS, **more}, namespace=namespace
    )


def other(*refs: Any, **more: Any) -> Manifest:
    """A policy that asks nobody."""
    return manifest(EG, "SecurityPolicy", "other", {"targetRefs": list(refs), "cors": {"allowOrigins": ["*"]}, **more})


def selecting(**selector: Any) -> Manifest:
    return policy(targetSelectors=[{"kind": "HTTPRoute", **selector}])


def gateway(name: str = "mcp", *listeners: str, class_name: str = "eg", **more: str) -> Manifest:
    written = [{"name": each} for each in listeners]
    return manifest(API, "Gateway", name, {"gatewayClassName": class_name, "listeners": written}, **more)


def gateway_class(name: str, controller: str) -> Manifest:
    return manifest(API, "GatewayClass", name, {"controllerName": controller})


def custom(namespace: str = "mcp", **spec: Any) -> Manifest:
    asks = {"action": "CUSTOM", "provider": {"name": "agen"}, "rules": [{}], **spec}
    return manifest(ISTIO, "AuthorizationPolicy", "custom", asks, namespace=namespace)


def service(name: str = "crm", **selector: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "mcp"},
        "spec": {"selector": selector},
    }


def unguarded(*manifests: Manifest) -> list[str]:
    """Give the place of each rule that nobody guards, with the name of its route."""
    text = "\n---\n".join(map(json.dumps, manifests))
    return [found.place for found in check_file(text).findings if found.id == "unguarded-route"]


ONE = ["spec.rules[0]"]
TWO_RULES = [{"name": name, "backendRefs": [{"name": "crm"}]} for name in ("a", "b")]
GATEWAY = ref("Gateway", "mcp")
# name: (manifests, rules that are not guarded)
CASES: dict[str, tuple[list[Manifest], list[str]]] = {
    "a policy on the route": ([policy(ref()), route()], []),
    "a policy on the route, in the older form": ([policy(targetRef=ref()), route()], []),
    "no policy": ([route()], ONE),
    "a second route to the same backend": ([policy(ref()), route(), route("too")], ONE),
    "two targets": ([policy(ref(), ref(name="too")), route(), route("too")], []),
    "a misspelt name": ([policy(ref(name="cmr")), route()], ONE),
    "a misspelt kind": ([policy(ref("HttpRoute")), route()], ONE),
    "a misspelt group": ([policy({**ref(), "group": "gateway.network.k8s.io"}), route()], ONE),
    "no group": ([policy({"kind": "HTTPRoute", "name": "crm"}), route()], ONE),
    "another kind of the same name": ([policy(ref("GRPCRoute")), route()], ONE),
    "another namespace": ([policy(ref(), namespace="agen"), route()], ONE),
    "another namespace that the target names": ([policy(ref(namespace="mcp"), namespace="agen"), route()], ONE),
    "a target in another namespace": ([policy(ref(namespace="web")), route()], ONE),
    "a namespace that the policy alone names": (
        [policy(ref(), namespace="default"), {**route(), "metadata": {"name": "crm"}}], ONE
    ),
    "no namespaces": ([{**policy(ref()), "metadata": {}}, {**route(), "metadata": {"name": "crm"}}], []),
    "no target": ([policy(), route()], ONE),
    "a policy that asks nobody": ([other(ref()), route()], ONE),
    "a policy without a server to ask": ([policy(ref(), extAuth={"timeout": "1s"}), route()], ONE),
    "a route of gRPC": ([policy(ref("GRPCRoute")), route(kind="GRPCRoute")], []),
    "a route of gRPC without": ([policy(ref()), route(kind="GRPCRoute")], ONE),
    "a route of TCP": ([policy(ref("TCPRoute")), route(kind="TCPRoute")], ONE),
    "a route of TLS on a guarded gateway": ([policy(GATEWAY), route(kind="TLSRoute")], ONE),
    "a rule that forwards nothing": ([route(rules=[{"filters": [{"type": "RequestRedirect"}]}])], []),
    "one rule by its name": ([policy(ref(sectionName="a")), route(rules=TWO_RULES)], ["spec.rules[1]"]),
    "both rules by their names": (
        [policy(ref(sectionName="a"), ref(sectionName="b")), route(rules=TWO_RULES)], []
    ),
    "a rule that is not there": (
        [policy(ref(sectionName="c")), route(rules=TWO_RULES)], ["spec.rules[0]", "spec.rules[1]"]
    ),
    "a rule that another policy opens": ([policy(ref()), other(ref(sectionName="a")), route(rules=TWO_RULES)], ONE),
    "an open route of which one rule is guarded": (
        [other(ref()), policy(ref(sectionName="a")), route(rules=TWO_RULES)], ["spec.rules[1]"]
    ),
    "a route that is guarded though it does not forward for anybody": ([policy(ref()), route(parents=[])], []),
    "a selector": ([selecting(matchLabels={"app": "mcp"}), route(app="mcp")], []),
    "a selector of everything": ([selecting(), route()], []),
    "a selector that matches nothing": ([selecting(matchLabels={"app": "mpc"}), route(app="mcp")], ONE),
    "a selector of another kind": (
        [policy(targetSelectors=[{"kind": "GRPCRoute", "matchLabels": {"app": "mcp"}}]), route(app="mcp")], ONE
    ),
    "a selector of another group": ([selecting(group="x", matchLabels={"app": "mcp"}), route(app="mcp")], ONE),
    "a selector in another namespace": (
        [policy(targetSelectors=[{"kind": "HTTPRoute"}], namespace="agen"), route()], ONE
    ),
    "a selector of other namespaces": ([selecting(namespaces={"from": "Selector"}), route()], ONE),
    "a selector of all namespaces": ([selecting(namespaces={"from": "All"}), route()], []),
    "a selector chooses the route, not its rules": (
        [selecting(), other(ref()), route(rules=TWO_RULES)], ["spec.rules[0]", "spec.rules[1]"]
    ),
    "one label of two": ([selecting(matchLabels={"app": "mcp", "tier": "x"}), route(app="mcp")], ONE),
    "expressions": (
        [selecting(matchExpressions=[
            {"key": "app", "operator": "In", "values": ["mcp"]}, {"key": "app", "operator": "Exists"},
            {"key": "tier", "operator": "DoesNotExist"}, {"key": "app", "operator": "NotIn", "values": ["x"]},
        ]), route(app="mcp")], []
    ),
    "an expression that is false": (
        [selecting(matchExpressions=[{"key": "app", "operator": "NotIn", "values": ["mcp"]}]), route(app="mcp")], ONE
    ),
    "an operator that nobody knows": (
        [selecting(matchExpressions=[{"key": "app", "operator": "Like", "values": ["mcp"]}]), route(app="mcp")], ONE
    ),
    "a label's key in both spellings": ([selecting(matchLabels={"appName": "mcp"}), route(appName="mcp")], []),
    "the gateway": ([policy(GATEWAY), route(), gateway()], []),
    "the gateway, which is not here": ([policy(GATEWAY), route()], []),
    "another gateway": ([policy(ref("Gateway", "web")), route(), gateway(), gateway("web")], ONE),
    "one of two gateways": ([policy(GATEWAY), route(parents=[{"name": "mcp"}, {"name": "web"}])], ONE),
    "a gateway of another namespace": ([policy(GATEWAY), route(parents=[{"name": "mcp", "namespace": "infra"}])], ONE),
    "a gateway of another namespace, guarded there": (
        [policy(GATEWAY, namespace="infra"), route(parents=[{"name": "mcp", "namespace": "infra"}])], []
    ),
    "the gateway, selected": (
        [policy(targetSelectors=[{"kind": "Gateway", "matchLabels": {"a": "b"}}]), route(), gateway(a="b")], []
    ),
    "the gateway, selected, which is not here": (
        [policy(targetSelectors=[{"kind": "Gateway", "matchLabels": {"a": "b"}}]), route()], ONE
    ),
    "a listener": (
        [policy(ref("Gateway", "mcp", sectionName="a")), route(parents=[{"name": "mcp", "sectionName": "a"}])], []
    ),
    "another listener": (
        [policy(ref("Gateway", "mcp", sectionName="b")), route(parents=[{"name": "mcp", "sectionName": "a"}])], ONE
    ),
    "one of the gateway's listeners": (
        [policy(ref("Gateway", "mcp", sectionName="a")), route(), gateway("mcp", "a", "b")], ONE
    ),
    "the gateway's only listener": ([policy(ref("Gateway", "mcp", sectionName="a")), route(), gateway("mcp", "a")], []),
    "a listener of a gateway that is not here": ([policy(ref("Gateway", "mcp", sectionName="a")), route()], ONE),
    "a listener that another policy opens": (
        [policy(GATEWAY), other(ref("Gateway", "mcp", sectionName="b")), route(), gateway("mcp", "a", "b")], ONE
    ),
    "the gateway, and the route is opened": ([policy(GATEWAY), other(ref()), route()], ONE),
    "the gateway, and the route's policy is merged": (
        [policy(GATEWAY), other(ref(), mergeType="StrategicMerge"), route()], []
    ),
    "no gateway's policy to merge with": ([other(ref(), mergeType="StrategicMerge"), route()], ONE),
    "another gateway's policy to merge with": (
        [policy(ref("Gateway", "web")), other(ref(), mergeType="StrategicMerge"), route()], ONE
    ),
    "a policy that asks and is merged": ([policy(ref(), mergeType="StrategicMerge"), route()], []),
    "the gateway is open, and the route guarded": ([other(GATEWAY), policy(ref()), route()], []),
    "two policies of one route, of which one asks": ([policy(ref()), other(ref()), route()], ONE),
    "two policies of one gateway, of which one asks": ([policy(GATEWAY), other(GATEWAY), route()], ONE),
    "a policy of another group": (
        [manifest("example.com", "SecurityPolicy", "p", {"targetRefs": [ref()], "extAuth": ASKS}), route()], ONE
    ),
    "a gateway of another controller": (
        [policy(ref()), route(), gateway(), gateway_class("eg", "example.com/controller")], ONE
    ),
    "a gateway of Envoy Gateway": (
        [policy(ref()), route(), gateway(), gateway_class("eg", f"{EG}/gatewayclass-controller")], []
    ),
    "a gateway of Istio, with Envoy Gateway's policy": ([policy(ref()), route(), gateway(class_name="istio")], ONE),
    "a gateway of Envoy Gateway, with Istio's policy": (
        [custom(targetRefs=[GATEWAY]), route(), gateway(), gateway_class("eg", f"{EG}/gatewayclass-controller")], ONE
    ),
    "a set of listeners": (
        [policy(ref("ListenerSet", "ls")), route(parents=[{"group": API, "kind": "ListenerSet", "name": "ls"}])], []
    ),
    "a set of listeners of a guarded gateway": (
        [policy(GATEWAY), route(parents=[{"group": API, "kind": "ListenerSet", "name": "ls"}])], ONE
    ),
    "Istio's policy on the gateway": ([custom(targetRefs=[GATEWAY]), route(), gateway(class_name="istio")], []),
    "Istio's policy on the gateway, in the older form": ([custom(targetRef=GATEWAY), route()], []),
    "Istio's policy on another gateway": ([custom(targetRefs=[ref("Gateway", "web")]), route()], ONE),
    "Istio's policy on a gateway in another namespace": ([custom("agen", targetRefs=[GATEWAY]), route()], ONE),
    "Istio's policy on a class": (
        [custom("istio-system", targetRefs=[ref("GatewayClass", "istio")]), route(), gateway(class_name="istio")], []
    ),
    "Istio's policy on another class": (
        [custom("istio-system", targetRefs=[ref("GatewayClass", "other")]), route(), gateway(class_name="istio")], ONE
    ),
    "Istio's policy on a class, in another namespace": (
        [custom(targetRefs=[ref("GatewayClass", "istio")]), route(), gateway(class_name="istio")], ONE
    ),
    "Istio's policy on a gateway, and a set of listeners of its name": (
        [custom(targetRefs=[GATEWAY]), route(parents=[{"group": API, "kind": "ListenerSet", "name": "mcp"}])], ONE
    ),
    "Istio's policy on a service": ([custom(targetRefs=[{"kind": "Service", "name": "crm"}]), route()], ONE),
    "Istio's policy on the namespace": ([custom(), route()], []),
    "Istio's policy on the mesh": ([custom("istio-system"), route()], []),
    "Istio's policy on another namespace": ([custom("agen"), route()], ONE),
    "Istio's policy on the gateway's workload": (
        [custom(selector={"matchLabels": {f"{API}/gateway-name": "mcp"}}), route()], []
    ),
    "Istio's policy on some of the gateway's workloads": (
        [custom(selector={"matchLabels": {f"{API}/gateway-name": "mcp", "a": "b"}}), route()], ONE
    ),
    "Istio's policy on a workload behind the route": (
        [custom(selector={"matchLabels": {"app": "crm"}}), service(app="crm", tier="x"), route()], []
    ),
    "Istio's policy on another workload": (
        [custom(selector={"matchLabels": {"app": "cmr"}}), service(app="crm"), route()], ONE
    ),
    "Istio's policy on a workload that is not known": (
        [custom(selector={"matchLabels": {"app": "crm"}}), route()], ONE
    ),
    "Istio's policy on one of two workloads": (
        [custom(selector={"matchLabels": {"app": "crm"}}), service(app="crm"),
         route(rules=[{"backendRefs": [{"name": "crm"}, {"name": "other"}]}])], ONE
    ),
    "Istio's policy on a workload, and a gateway of Envoy Gateway": (
        [custom(), route(), gateway(), gateway_class("eg", f"{EG}/gatewayclass-controller")], ONE
    ),
    "Istio's policy that denies": ([{**custom(), "spec": {"action": "DENY"}}, route()], ONE),
    "Istio's policy for TCP": ([custom(), route(kind="TCPRoute")], ONE),
    "a route of another group": (
        [manifest("policy.linkerd.io", "HTTPRoute", "crm", {"rules": [{"backendRefs": [{}]}]})], []
    ),
}  # fmt: skip


@pytest.mark.parametrize(("manifests", "expected"), CASES.values(), ids=CASES)
def test_rules_that_no_policy_reaches_are_found(manifests: list[Manifest], expected: list[str]):
    assert unguarded(*manifests) == expected
    assert unguarded(*reversed(manifests)) == expected


def test_lists_of_egctl_are_read_though_they_do_not_say_the_kind():
    lists = {"gateways": [gateway()], "httpRoutes": [route(), route("too")], "securityPolicies": [policy(ref())]}
    bare = {key: [{**each, "kind": None, "apiVersion": None} for each in held] for key, held in lists.items()}
    found = [(finding.id, finding.place) for finding in check_file(json.dumps(bare)).findings]
    missing = ("proc-missing", "security_policies[0]")
    assert sorted(found) == [missing, ("unguarded-route", "http_routes[1].spec.rules[0]")]


@pytest.mark.parametrize("key", ["tcp", "tls"])
def test_ways_of_a_virtual_service_that_are_not_http_are_not_guarded(key: str):
    spec = {key: [{"route": [{"destination": {"host": "crm"}}]}]}
    assert unguarded(manifest("networking.istio.io", "VirtualService", "v", spec), custom()) == [f"spec.{key}[0]"]


NETWORKING = "networking.istio.io"
HOSTS = [{"route": [{"destination": {"host": "crm"}}]}]


def virtual(*gateways: str, http: Any = None) -> Manifest:
    return manifest(
        NETWORKING, "VirtualService", "v", {"gateways": list(gateways), "http": HOSTS if http is None else http}
    )


def door(name: str = "door", *, namespace: str = "mcp", **selector: str) -> Manifest:
    return manifest(NETWORKING, "Gateway", name, {"selector": selector or {"app": "door"}}, namespace=namespace)


def workload(namespace: str, **labels: str) -> Manifest:
    spec = {"template": {"metadata": {"labels": labels}}}
    return {**manifest("apps", "Deployment", "d", spec, namespace=namespace)}


def inserting(family: str = "ext_authz", *, context: str = "GATEWAY", **labels: str) -> Manifest:
    value = {"name": f"envoy.filters.http.{family}"}
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": context},
        "patch": {"operation": "INSERT_FIRST", "value": value},
    }
    selector = {"workloadSelector": {"labels": labels}} if labels else {}
    return manifest(NETWORKING, "EnvoyFilter", "f", {"configPatches": [patch], **selector})


def on(namespace: str = "mcp", **labels: str) -> Manifest:
    return custom(namespace, selector={"matchLabels": labels})


ROUTE = ["spec.http[0]"]
# name: (manifests, routes that are not guarded)
VIRTUALS: dict[str, tuple[list[Manifest], list[str]]] = {
    "no policy": ([virtual("door"), door()], ROUTE),
    "a policy on the gateway's workload": ([virtual("door"), door(), on(app="door")], []),
    "a policy on more than the gateway's workload": ([virtual("door"), door(app="door", tier="x"), on(app="door")], []),
    "a policy on some of the gateway's workloads": ([virtual("door"), door(), on(app="door", tier="x")], ROUTE),
    "a policy on another workload": ([virtual("door"), door(), on(app="dor")], ROUTE),
    "a policy in another namespace": ([virtual("door"), door(), on("agen", app="door")], ROUTE),
    "a policy in another namespace, where the workload is": (
        [virtual("door"), door(), on("agen", app="door"), workload("agen", app="door")], []
    ),
    "a policy in another namespace, where another workload is": (
        [virtual("door"), door(), on("agen", app="door"), workload("agen", app="web")], ROUTE
    ),
    "the mesh's policy on the workload": ([virtual("door"), door(), on("istio-system", app="door")], []),
    "the mesh's policy": ([virtual("door"), custom("istio-system")], []),
    "the namespace's policy": ([virtual("door"), door(), custom()], []),
    "the policy of the gateway's namespace": (
        [virtual("infra/door"), door(namespace="infra"), custom("infra")], []
    ),
    "a gateway that is not here": ([virtual("door"), on(app="door")], ROUTE),
    "a gateway that is not here, and a policy on all but some": (
        [virtual("door"), custom(selector={"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]})], ROUTE
    ),
    "a gateway that is not here, and a policy without a namespace": (
        [virtual("door"), {**custom(), "metadata": {"name": "custom"}}], ROUTE
    ),
    "one of two gateways": ([virtual("door", "side"), door(), door("side", app="side"), on(app="door")], ROUTE),
    "two gateways": ([virtual("door", "side"), door(), door("side", app="side"), on(app="door"), on(app="side")], []),
    "a gateway and the mesh": ([virtual("door", "mesh"), door(), on(app="door")], []),
    "the mesh alone": ([virtual("mesh")], []),
    "no gateway": ([virtual()], []),
    "a policy that denies": ([virtual("door"), door(), {**on(app="door"), "spec": {"action": "DENY"}}], ROUTE),
    "a misspelt action": (
        [virtual("door"), door(), custom(action="Custom", selector={"matchLabels": {"app": "door"}})], ROUTE
    ),
    "a policy on the Gateway API's gateway": (
        [virtual("door"), door(), custom(targetRefs=[ref("Gateway", "door")])], ROUTE
    ),
    "a policy behind it": ([virtual("door"), door(), on(app="crm"), service(app="crm")], []),
    "a policy behind it, by its long name": (
        [virtual("door", http=[{"route": [{"destination": {"host": "crm.mcp.svc.cluster.local"}}]}]), door(),
         on(app="crm"), service(app="crm")], []
    ),
    "a host of another namespace": (
        [virtual("door", http=[{"route": [{"destination": {"host": "crm.web"}}]}]), door(),
         on(app="crm"), service(app="crm")],
        ROUTE,
    ),
    "a host that is no service": (
        [virtual("door", http=[{"route": [{"destination": {"host": "crm.mcp.example.com"}}]}]), door(),
         on(app="x")], ROUTE
    ),
    "a redirect": ([virtual("door", http=[{"redirect": {"uri": "/"}}]), door()], []),
    "a filter that is inserted": ([virtual("door"), door(), inserting(app="door")], []),
    "a filter that is inserted everywhere": ([virtual("door"), door(), inserting()], []),
    "a filter that is inserted elsewhere": ([virtual("door"), door(), inserting(app="web")], ROUTE),
    "a filter for what is received": ([virtual("door"), door(), inserting(context="SIDECAR_INBOUND")], ROUTE),
    "another filter that is inserted": ([virtual("door"), door(), inserting("fault")], ROUTE),
}  # fmt: skip


@pytest.mark.parametrize(("manifests", "expected"), VIRTUALS.values(), ids=VIRTUALS)
def test_routes_of_a_virtual_service_that_no_policy_reaches_are_found(manifests: list[Manifest], expected: list[str]):
    assert unguarded(*manifests) == expected
