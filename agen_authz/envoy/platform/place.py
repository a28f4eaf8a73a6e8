"""Where things are in a cluster: the Services of agen-authz and of MCP servers, the gateway, the workload."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agen_authz.envoy.address import render_address
from agen_authz.envoy.model import Address, Gateway, TcpAddress, Unusable

_CURE = "write `NAME.NAMESPACE.svc:port`, the Service that the chart makes"
_CLUSTER_DOMAIN = "cluster.local"

Manifest = dict[str, object]


@dataclass(frozen=True, slots=True)
class Cluster:
    """What manifests name, besides agen-authz itself.

    Args:
        gateway: the Gateway of Envoy Gateway, in the namespace of agen-authz.
        listener: the listener of that gateway.
        workload: the labels of the pods whose Envoy asks agen-authz (Istio).
        is_gateway: true if those pods are an Istio gateway and not an MCP server with its sidecar.
    """

    gateway: str = "mcp"
    listener: str = "http"
    workload: Mapping[str, str] = field(default_factory=lambda: {"app": "mcp-server"})
    is_gateway: bool = False


@dataclass(frozen=True, slots=True)
class InCluster:
    """One port of a Service, by its name in the cluster."""

    name: str
    namespace: str
    port: int
    domain: str = _CLUSTER_DOMAIN

    @property
    def host(self) -> str:
        """The whole name, as Istio writes it."""
        return f"{self.name}.{self.namespace}.svc.{self.domain}"


def read_in_cluster(address: Address) -> InCluster | Unusable:
    """Read the address of a Service: only a name in the cluster leads to one."""
    if not isinstance(address, TcpAddress):
        return Unusable(f"`{render_address(address)}` is not a Service", _CURE)
    name, _, rest = address.host.partition(".")
    namespace, mark, domain = rest.partition(".svc")
    if not (name and namespace and mark) or "." in namespace or (domain and not domain.startswith(".")):
        return Unusable(f"`{render_address(address)}` is not a Service", _CURE)
    return InCluster(name, namespace, address.port, domain.removeprefix(".") or _CLUSTER_DOMAIN)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """The Services of agen-authz: Check, and each Process."""

    check: InCluster
    process: tuple[InCluster, ...]


def read_sidecars(gateway: Gateway) -> Sidecars | Unusable:
    """Read where agen-authz is; all of it must be one Service, as in the chart."""
    check = read_in_cluster(gateway.authz.address)
    if isinstance(check, Unusable):
        return check
    process: list[InCluster] = []
    for address in (gateway.proc.address, *gateway.more_proc):
        reached = read_in_cluster(address)
        if isinstance(reached, Unusable):
            return reached
        process.append(reached)
    return Sidecars(check, tuple(process))


def named(kind: str, version: str, owner: InCluster, spec: Mapping[str, object], name: str | None = None) -> Manifest:
    """Write one manifest in the namespace of agen-authz."""
    metadata = {"name": name or owner.name, "namespace": owner.namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": dict(spec)}
