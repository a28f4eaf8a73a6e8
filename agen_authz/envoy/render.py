"""`agen-authz envoy-config`: what Envoy is given, for each way of running it."""

from typing import assert_never

from envoy_data_plane.envoy.config.bootstrap.v3 import Admin, Bootstrap, BootstrapStaticResources
from envoy_data_plane.envoy.config.overload.v3 import OverloadManager, ResourceMonitor
from envoy_data_plane.envoy.extensions.resource_monitors.downstream_connections.v3 import (
    DownstreamConnectionsConfig,
)
from envoy_data_plane.google.protobuf import Any

from agen_authz.envoy.cluster import (
    build_address,
    build_authz_cluster,
    build_proc_cluster,
    build_resource_cluster,
)
from agen_authz.envoy.listener import build_listener
from agen_authz.envoy.model import EnvoyLimits, Gateway, Platform, TcpAddress, Unusable
from agen_authz.envoy.platform.gateway_api import render_policies
from agen_authz.envoy.platform.mesh import render_mesh
from agen_authz.envoy.platform.place import Cluster, read_sidecars
from agen_authz.envoy.text import render_documents, render_yaml

_HEADER = (
    "Envoy in front of MCP servers: written by `agen-authz envoy-config`, do not edit.",
    "",
    "Every resource is routed by its exact host and path, and only after agen-authz (Check) allowed the request.",
    "Process inspects every response of which Check does not say that none is needed; if it fails, the answer is 502.",
    "Everything else is 404 and reaches neither Check nor a backend. A host is compared without regard to case",
    "here; Check compares it letter by letter. TLS must end before this listener. Run Envoy 1.40 or later.",
    "The address of a server without `--upstream NAME=host:port` is NAME.internal:8080.",
)
_GATEWAY_HEADER: tuple[str, ...] = (
    "Envoy Gateway in front of MCP servers: written by `agen-authz envoy-config --for envoy-gateway`.",
    "",
    "Everything that the listener of this Gateway serves is decided by agen-authz. EnvoyPatchPolicy must be enabled in",
    "Envoy Gateway (`extensionApis.enableEnvoyPatchPolicy`): without the patches Check denies every call, because it",
    "gets bodies as text. The Gateway names the EnvoyProxy in `infrastructure.parametersRef`.",
)
_MESH_HEADER: tuple[str, ...] = (
    "Istio in front of an MCP server: written by `agen-authz envoy-config --for istio`.",
    "",
    "The first document is not a manifest: it belongs into `meshConfig`, and the policy needs it.",
)


def render(platform: Platform, sidecar: Gateway, cluster: Cluster | None = None) -> str | Unusable:
    """Render the configuration of one platform as YAML; `cluster` is what manifests name besides agen-authz."""
    if platform is Platform.SIDECAR:
        return render_sidecar(sidecar)
    place = cluster or Cluster()
    services = read_sidecars(sidecar)
    if isinstance(services, Unusable):
        return services
    match platform:
        case Platform.ENVOY_GATEWAY:
            manifests, header = render_policies(sidecar, services, place), _GATEWAY_HEADER
        case Platform.ISTIO:
            manifests, header = render_mesh(sidecar, services, place), _MESH_HEADER
        case _:
            assert_never(platform)
    return manifests if isinstance(manifests, Unusable) else render_documents(manifests, header)


def render_sidecar(sidecar: Gateway) -> str:
    """Render the bootstrap of an Envoy that needs nothing else; the same values give the same bytes."""
    clusters = [
        *(build_resource_cluster(route, sidecar.limits) for route in sidecar.resources),
        build_authz_cluster(sidecar.authz, sidecar.limits),
        build_proc_cluster(sidecar.proc, sidecar.more_proc, sidecar.limits),
    ]
    bootstrap = Bootstrap(
        static_resources=BootstrapStaticResources(listeners=[build_listener(sidecar)], clusters=clusters),
        overload_manager=_connection_limit(sidecar.limits),
        admin=None if sidecar.admin is None else _admin(sidecar.admin),
    )
    return render_yaml(bootstrap, _HEADER)


def _connection_limit(limits: EnvoyLimits) -> OverloadManager:
    limit = DownstreamConnectionsConfig(max_active_downstream_connections=limits.connections)
    monitor = ResourceMonitor(
        name="envoy.resource_monitors.global_downstream_max_connections", typed_config=Any.pack(limit)
    )
    return OverloadManager(resource_monitors=[monitor])


def _admin(address: TcpAddress) -> Admin:
    return Admin(address=build_address(address), ignore_global_conn_limit=True)
