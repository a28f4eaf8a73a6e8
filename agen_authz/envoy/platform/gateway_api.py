"""Envoy Gateway: its policies for one listener of a Gateway, and the patches for what they cannot say."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from agen_authz.core.http.route import WELL_KNOWN, metadata_path
from agen_authz.envoy.model import EnvoyRoute, Gateway, Unusable
from agen_authz.envoy.platform.fragment import REMOVED_HEADERS, authz_settings, header_remover, process_filter
from agen_authz.envoy.platform.place import Cluster, InCluster, Manifest, Sidecars, named, read_in_cluster
from agen_authz.envoy.routing import EXT_AUTHZ

_POLICY = "gateway.envoyproxy.io/v1alpha1"
_ROUTE = "gateway.networking.k8s.io"
_LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
_ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
_EXTENSION = "type.googleapis.com/envoy.extensions.filters.http"
# As many Checks as a connection of the native engine may carry (docs/adr/0008-storms-of-resets.md).
_PER_CONNECTION = 10
_BODY_S = 30


def render_policies(gateway: Gateway, sidecars: Sidecars, cluster: Cluster) -> list[Manifest] | Unusable:
    """Render the policies for a listener, and a route for each resource."""
    check = sidecars.check
    routes: list[Manifest] = []
    for resource in gateway.resources:
        server = read_in_cluster(resource.upstream.address)
        if isinstance(server, Unusable):
            return server
        route = _route_spec(resource, server, cluster, is_alone=_is_alone(resource, gateway.resources))
        routes.append(named("HTTPRoute", f"{_ROUTE}/v1", check, route, f"{check.name}-{resource.name}"))
    target: Manifest = {"group": _ROUTE, "kind": "Gateway", "name": cluster.gateway}
    on_listener = {"targetRefs": [target | {"sectionName": cluster.listener}]}
    return [
        named("EnvoyProxy", _POLICY, check, _proxy()),
        named("SecurityPolicy", _POLICY, check, on_listener | {"extAuth": _authz(gateway, sidecars)}),
        named("EnvoyExtensionPolicy", _POLICY, check, on_listener | {"extProc": [_process(gateway, sidecars)]}),
        named("ClientTrafficPolicy", _POLICY, check, on_listener | _client(gateway)),
        named("BackendTrafficPolicy", _POLICY, check, on_listener | _backend(gateway)),
        named("EnvoyPatchPolicy", _POLICY, check, _patches(gateway, check, cluster, target)),
        *routes,
    ]


def _proxy() -> Manifest:
    # Responses pass the filters from the end to the start: Process must read them before they are compressed.
    order = {"name": "envoy.filters.http.ext_proc", "after": "envoy.filters.http.compressor"}
    return {"filterOrder": [order]}


def _authz(gateway: Gateway, sidecars: Sidecars) -> Manifest:
    return {
        "failOpen": False,
        "timeout": _duration(gateway.check_timeout_s),
        "statusOnError": 503,
        "bodyToExtAuth": {"maxRequestBytes": gateway.limits.request_bytes},
        "grpc": {"backendRefs": [_reference(sidecars.check)], "backendSettings": _connections(gateway)},
    }


def _process(gateway: Gateway, sidecars: Sidecars) -> Manifest:
    return {
        "backendRefs": [_reference(each) for each in sidecars.process],
        "backendSettings": _connections(gateway),
        "failOpen": False,
        "messageTimeout": _duration(gateway.limits.process_timeout_s),
        # `statusOnError` is not in every release: the patch below has it.
        "processingMode": {"response": {"body": "Streamed"}},
        "metadata": {"accessibleNamespaces": [EXT_AUTHZ]},
    }


def _reference(reached: InCluster) -> Manifest:
    return {"name": reached.name, "port": reached.port}


def _connections(gateway: Gateway) -> Manifest:
    return {"circuitBreaker": _breaker(gateway) | {"maxRequestsPerConnection": _PER_CONNECTION}}


def _breaker(gateway: Gateway) -> Manifest:
    most = gateway.limits.requests
    return {"maxConnections": most, "maxPendingRequests": most, "maxParallelRequests": most}


def _client(gateway: Gateway) -> Manifest:
    return {
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
        "headers": {"withUnderscoresAction": "DropHeader", "enableEnvoyHeaders": False},
        "connection": {"bufferLimit": str(max(gateway.limits.request_bytes, 65536))},
        "timeout": {"http": {"requestReceivedTimeout": _duration(_BODY_S + gateway.check_timeout_s)}},
    }


def _backend(gateway: Gateway) -> Manifest:
    return {
        "timeout": {"http": {"maxStreamDuration": _duration(gateway.limits.max_stream_duration_s)}},
        "circuitBreaker": _breaker(gateway),
    }


def _patches(gateway: Gateway, check: InCluster, cluster: Cluster, target: Manifest) -> Manifest:
    place = f"{check.namespace}/{cluster.gateway}/{cluster.listener}"
    process = f"envoyextensionpolicy/{check.namespace}/{check.name}/extproc/0"
    authz, response = _filter("ext_authz.v3.ExtAuthz"), _filter("ext_proc.v3.ExternalProcessor")
    wrapped = process_filter(gateway, process)["typed_config"]
    added = {"with_request_body/pack_as_bytes": True} | authz_settings(gateway)
    patches = [
        *(
            _patch(_LISTENER, place, "add", at=f"{authz}.typed_config", path=f"/{key}", value=value)
            for key, value in added.items()
        ),
        # Selected by its type, and replaced by a matcher around it: its name is not the same on every platform.
        _patch(_LISTENER, place, "replace", at=response, path="/typed_config", value=wrapped),
        _patch(_LISTENER, place, "add", at="$..http_filters", path="/0", value=header_remover()),
        _patch(_ROUTES, place, "remove", at="$..route.upgrade_configs"),
        _patch(_ROUTES, place, "add", path="/response_headers_to_remove", value=REMOVED_HEADERS),
    ]
    return {"targetRef": target, "type": "JSONPatch", "jsonPatches": patches}


def _filter(kind: str) -> str:
    return f"$..http_filters[?(@.typed_config['@type']=='{_EXTENSION}.{kind}')]"


def _patch(kind: str, place: str, op: str, *, at: str | None = None, path: str = "", value: object = None) -> Manifest:
    given = {"op": op, "jsonPath": at, "path": path or None, "value": value}
    operation = {key: part for key, part in given.items() if part is not None}
    return {"type": kind, "name": place, "operation": operation}


def _route_spec(resource: EnvoyRoute, server: InCluster, cluster: Cluster, *, is_alone: bool) -> Manifest:
    backend = _reference(server) | {"namespace": server.namespace}
    forwarded: Manifest = {"matches": [_match(resource.path)]}
    if resource.upstream_path != resource.path:
        path = {"type": "ReplaceFullPath", "replaceFullPath": resource.upstream_path}
        forwarded["filters"] = [{"type": "URLRewrite", "urlRewrite": {"path": path}}]
    # Check answers these itself: it never lets a request for them through.
    metadata = dict.fromkeys([metadata_path(resource.path), *([WELL_KNOWN] if is_alone else [])])
    asked = {"matches": [_match(path) for path in metadata]}
    rest = {"timeouts": {"request": "0s"}, "backendRefs": [backend]}
    return {
        "parentRefs": [{"name": cluster.gateway, "sectionName": cluster.listener}],
        "hostnames": sorted({_host(authority) for authority in resource.authorities}),
        "rules": [forwarded | rest, asked | rest],
    }


def _match(path: str) -> Manifest:
    return {"path": {"type": "Exact", "value": path}}


def _host(authority: str) -> str:
    return urlsplit(f"//{authority}").hostname or authority


def _is_alone(resource: EnvoyRoute, resources: Iterable[EnvoyRoute]) -> bool:
    return not any(other.authorities & resource.authorities for other in resources if other is not resource)


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms" if seconds % 1 else f"{int(seconds)}s"
