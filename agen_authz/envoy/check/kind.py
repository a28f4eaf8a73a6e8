"""Kinds of manifests: which are checked, and which of the others carry no traffic.

What is in neither list is a finding: a kind of another platform may route past Check, and silence about it would
read as success.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agen_authz.envoy.check.manifest_name import GATEWAY_API, group_of
from agen_authz.envoy.check.spot import Spot

ENVOY_GATEWAY = "gateway.envoyproxy.io"
_NETWORKING, _SECURITY, _EXTENSIONS = "networking.istio.io", "security.istio.io", "extensions.istio.io"
# The group of each kind that is checked; another group's kind of the same name is another kind.
_CHECKED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    **dict.fromkeys(("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"), (GATEWAY_API,)),
    **dict.fromkeys(("SecurityPolicy", "EnvoyExtensionPolicy", "BackendTrafficPolicy"), (ENVOY_GATEWAY,)),
    **dict.fromkeys(("ClientTrafficPolicy", "EnvoyProxy", "EnvoyPatchPolicy"), (ENVOY_GATEWAY,)),
    **dict.fromkeys(("HTTPRouteFilter", "EnvoyGateway"), (ENVOY_GATEWAY,)),
    **dict.fromkeys(("EnvoyFilter", "VirtualService"), (_NETWORKING,)),
    "AuthorizationPolicy": (_SECURITY,),
    **dict.fromkeys(("WasmPlugin", "TrafficExtension"), (_EXTENSIONS,)),
    "ConfigMap": ("",),
    **dict.fromkeys(("IstioOperator", "Istio"), ("install.istio.io", "sailoperator.io")),
})  # fmt: skip
# Groups of which no kind carries traffic or changes Envoy.
_QUIET_GROUPS = frozenset({
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling", "batch",
    "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io",
    "node.k8s.io", "policy", "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
    "cert-manager.io", "external-secrets.io", "keda.sh", "monitoring.coreos.com", "telemetry.istio.io",
})  # fmt: skip
_QUIET_KINDS: Mapping[str, frozenset[str]] = MappingProxyType({
    "": frozenset({
        "Endpoints", "Event", "LimitRange", "Namespace", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod",
        "PodTemplate", "ReplicationController", "ResourceQuota", "Secret", "Service", "ServiceAccount",
    }),
    GATEWAY_API: frozenset({"BackendTLSPolicy", "Gateway", "GatewayClass", "ListenerSet", "ReferenceGrant"}),
    "gateway.networking.x-k8s.io": frozenset({"XListenerSet"}),
    ENVOY_GATEWAY: frozenset({"Backend"}),
    "networking.k8s.io": frozenset({"IngressClass", "NetworkPolicy"}),
    _NETWORKING: frozenset({
        "DestinationRule", "Gateway", "ProxyConfig", "ServiceEntry", "Sidecar", "WorkloadEntry", "WorkloadGroup",
    }),
    _SECURITY: frozenset({"PeerAuthentication", "RequestAuthentication"}),
})  # fmt: skip
# `egctl` keeps manifests in lists by kind, some without saying the kind in each.
KINDS_OF_LISTS: Mapping[str, str] = MappingProxyType({
    "gateways": "Gateway", "http_routes": "HTTPRoute", "grpc_routes": "GRPCRoute", "tcp_routes": "TCPRoute",
    "tls_routes": "TLSRoute", "udp_routes": "UDPRoute", "security_policies": "SecurityPolicy",
    "envoy_extension_policies": "EnvoyExtensionPolicy", "backend_traffic_policies": "BackendTrafficPolicy",
    "client_traffic_policies": "ClientTrafficPolicy", "envoy_patch_policies": "EnvoyPatchPolicy",
    "http_route_filters": "HTTPRouteFilter", "http_filters": "HTTPRouteFilter", "backends": "Backend",
    "services": "Service", "secrets": "Secret", "config_maps": "ConfigMap", "namespaces": "Namespace",
    "reference_grants": "ReferenceGrant", "backend_tLSPolicies": "BackendTLSPolicy", "endpoint_slices": "Endpoints",
    "listener_sets": "ListenerSet",
})  # fmt: skip


def is_checked(manifest: Spot) -> bool:
    """True if a manifest is of a kind that is checked; without a version, its kind says it."""
    groups = _CHECKED.get(manifest.at("kind").text)
    return groups is not None and (not manifest.at("api_version").text or group_of(manifest) in groups)


def is_quiet(manifest: Spot) -> bool:
    """True if a manifest is of a kind that neither carries traffic nor changes how Envoy does."""
    kind, group = manifest.at("kind").text, group_of(manifest)
    if not manifest.at("api_version").text:
        return any(kind in kinds for kinds in _QUIET_KINDS.values())
    return group in _QUIET_GROUPS or kind in _QUIET_KINDS.get(group, frozenset())
