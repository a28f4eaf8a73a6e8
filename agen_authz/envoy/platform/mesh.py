"""Istio: the mesh's provider, a policy for every path of a workload, and what only an EnvoyFilter can say."""

from typing import Any

from agen_authz.envoy.model import Gateway, Unusable
from agen_authz.envoy.platform.fragment import REMOVED_HEADERS, authz_settings, header_remover, process_filter
from agen_authz.envoy.platform.place import Cluster, InCluster, Manifest, Sidecars, named
from agen_authz.envoy.routing import EXT_AUTHZ

_HCM = "envoy.filters.network.http_connection_manager"
_TYPE = "type.googleapis.com/envoy.extensions.filters"
_PER_CONNECTION = 10


def render_mesh(gateway: Gateway, sidecars: Sidecars, cluster: Cluster) -> list[Manifest] | Unusable:
    """Render the manifests of one workload; the first document is a part of the mesh's own configuration."""
    if len(sidecars.process) > 1:
        return Unusable("Istio sends every response to one Process", "set `server.filter_workers: 1`, and run replicas")
    check, (process,) = sidecars.check, sidecars.process
    selected = {"matchLabels": dict(cluster.workload)}
    policy = {"selector": selected, "action": "CUSTOM", "provider": {"name": check.name}, "rules": [{}]}
    own_filter = {
        "workloadSelector": {"labels": dict(cluster.workload)},
        "configPatches": _patches(gateway, process, cluster),
    }
    return [
        render_provider(gateway, check),
        named("DestinationRule", "networking.istio.io/v1", check, _connections(gateway, check)),
        named("AuthorizationPolicy", "security.istio.io/v1", check, policy),
        named("EnvoyFilter", "networking.istio.io/v1alpha3", check, own_filter),
    ]


def render_provider(gateway: Gateway, check: InCluster) -> Manifest:
    """Render what `meshConfig` must have: only who configures the mesh can add it."""
    body = {
        "maxRequestBytes": gateway.limits.request_bytes,
        "allowPartialMessage": False,
        "packAsBytes": True,
    }
    asked = {
        "service": check.host,
        "port": check.port,
        "timeout": f"{gateway.check_timeout_s:g}s",
        "failOpen": False,
        "statusOnError": "503",
        "includeRequestBodyInCheck": body,
    }
    return {"extensionProviders": [{"name": check.name, "envoyExtAuthzGrpc": asked}]}


def _connections(gateway: Gateway, check: InCluster) -> Manifest:
    most = gateway.limits.requests
    http = {
        "maxRequestsPerConnection": _PER_CONNECTION,
        "http2MaxRequests": most,
        "http1MaxPendingRequests": most,
    }
    pool = {"http": http, "tcp": {"maxConnections": most, "connectTimeout": "0.5s"}}
    return {"host": check.host, "trafficPolicy": {"connectionPool": pool}}


def _patches(gateway: Gateway, process: InCluster, cluster: Cluster) -> list[Manifest]:
    # Without a context the filters are also in what the workload sends.
    context = "GATEWAY" if cluster.is_gateway else "SIDECAR_INBOUND"
    to_process = f"outbound|{process.port}||{process.host}"
    authz = {"@type": f"{_TYPE}.http.ext_authz.v3.ExtAuthz"} | authz_settings(gateway)
    connections = {"@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager"} | _connection_settings(
        gateway
    )
    route = {
        # A merge appends to lists: what the connection manager allows is switched off on each route.
        "upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}],
        # Inbound routes set an endless stream, which overrules the connection manager.
        "max_stream_duration": {"max_stream_duration": f"{gateway.limits.max_stream_duration_s}s"},
    }
    return [
        _patch(context, "HTTP_FILTER", "MERGE", {"name": EXT_AUTHZ, "typed_config": authz}, EXT_AUTHZ),
        _patch(context, "HTTP_FILTER", "INSERT_FIRST", header_remover(), ""),
        _patch(
            context,
            "HTTP_FILTER",
            "INSERT_BEFORE",
            process_filter(gateway, to_process),
            "envoy.filters.http.router",
        ),
        _patch(context, "NETWORK_FILTER", "MERGE", {"typed_config": connections}, ""),
        _patch(context, "HTTP_ROUTE", "MERGE", {"route": route}),
        _patch(context, "ROUTE_CONFIGURATION", "MERGE", {"response_headers_to_remove": REMOVED_HEADERS}),
    ]


def _connection_settings(gateway: Gateway) -> dict[str, Any]:
    options = {
        "headers_with_underscores_action": "DROP_HEADER",
        "max_stream_duration": f"{gateway.limits.max_stream_duration_s}s",
    }
    return {
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "use_remote_address": True,
        "common_http_protocol_options": options,
    }


def _patch(context: str, apply_to: str, operation: str, value: object, sub_filter: str | None = None) -> Manifest:
    """Write one patch; `sub_filter` names an HTTP filter, and None is for routes, which no filter selects."""
    match: Manifest = {"context": context}
    if sub_filter is not None:
        selected: Manifest = {"name": _HCM} | ({"subFilter": {"name": sub_filter}} if sub_filter else {})
        match["listener"] = {"filterChain": {"filter": selected}}
    return {"applyTo": apply_to, "match": match, "patch": {"operation": operation, "value": value}}
