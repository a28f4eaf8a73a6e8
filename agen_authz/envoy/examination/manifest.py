"""Kubernetes manifests, sorted by kind."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from agen_authz.envoy.examination.gateway import (
    examine_client_policy,
    examine_extension_policy,
    examine_gateway_settings,
    examine_http_route,
    examine_proxy,
    examine_route_filter,
    examine_security_policies,
    examine_traffic_policy,
)
from agen_authz.envoy.examination.istio import examine_authorization_policy, examine_mesh_routes
from agen_authz.envoy.examination.kind import KINDS_OF_LISTS, is_examined, is_quiet
from agen_authz.envoy.examination.mesh import examine_meshes, mesh_of, read_meshes
from agen_authz.envoy.examination.patch import examine_envoy_filter
from agen_authz.envoy.examination.reach import ROUTES, examine_reach
from agen_authz.envoy.examination.sheet import Sheet
from agen_authz.envoy.examination.source import Node
from agen_authz.envoy.examination.spot import Spot
from agen_authz.envoy.examination.virtual_reach import examine_virtual_reach

_SIMPLE: Mapping[str, Callable[[Sheet, Spot], None]] = MappingProxyType({
    "EnvoyFilter": examine_envoy_filter,
    "EnvoyExtensionPolicy": examine_extension_policy,
    "HTTPRoute": examine_http_route,
    "GRPCRoute": examine_http_route,
    "HTTPRouteFilter": examine_route_filter,
    "BackendTrafficPolicy": examine_traffic_policy,
    "ClientTrafficPolicy": examine_client_policy,
    "EnvoyProxy": examine_proxy,
    "EnvoyGateway": examine_gateway_settings,
    "VirtualService": examine_mesh_routes,
})  # fmt: skip
# They patch Envoy's configuration, or run code in it, in ways that only the outcome shows.
_MARKS = ("type.googleapis.com/envoy.", "static_resources", "staticResources", "dynamic_resources")
_OPAQUE = ("EnvoyPatchPolicy", "WasmPlugin", "TrafficExtension")
_TOGETHER = ("SecurityPolicy", *(kind for kind in ROUTES if kind not in _SIMPLE))


def read_manifests(document: Spot) -> tuple[Spot, ...]:
    """Give the manifests of a document: of Kubernetes, or a part of Istio's configuration; none if it is neither."""
    if document.at("kind").text.endswith("List") and document.at("items").is_written:
        return document.at("items").items()
    if document.at("kind").is_written or mesh_of(document).is_written:
        return (document,)
    # `egctl` keeps manifests in lists by kind.
    lists = [(key, member) for key, member in document.members() if not member.is_mapping]
    return tuple(
        _with_kind(item, KINDS_OF_LISTS.get(key, ""))
        for key, member in lists
        for item in member.items()
        if item.at("metadata").is_written and (item.at("kind").is_written or item.at("spec").is_written)
    )


def _with_kind(item: Spot, kind: str) -> Spot:
    if item.node is None or not isinstance(item.node.value, dict) or item.at("kind").is_written or not kind:
        return item
    return Spot(Node({**item.node.value, "kind": Node(kind, item.line)}, item.line), item.path, item.line)


def find_embedded(manifest: Spot) -> Iterator[Spot]:
    """Find the texts in a ConfigMap that are Envoy's configuration."""
    if manifest.at("kind").text != "ConfigMap":
        return
    for _, member in manifest.at("data").members():
        if any(mark in member.text for mark in _MARKS):
            yield member


def examine_manifests(sheet: Sheet, manifests: list[Spot]) -> None:
    """Examine all manifests of a file together, for some replace or name others."""
    known = [each for each in manifests if is_examined(each) or is_quiet(each)]
    examine_security_policies(sheet, [each for each in known if each.at("kind").text == "SecurityPolicy"])
    examine_reach(sheet, known)
    examine_virtual_reach(sheet, known)
    meshes = [read_meshes(sheet, each) for each in manifests]
    examine_meshes(sheet, [mesh for found in meshes for mesh in found], known)
    for manifest, found in zip(manifests, meshes, strict=True):
        if not found:
            _examine(sheet, manifest)


def _examine(sheet: Sheet, manifest: Spot) -> None:
    kind = manifest.at("kind").text
    if not is_examined(manifest):
        # Named in the report, and a finding unless it carries no traffic.
        sheet.report.passed_over.append(f"line {manifest.line}: {kind or 'a document'}")
        if not is_quiet(manifest):
            sheet.add("unexamined", manifest)
    elif kind in _SIMPLE:
        _SIMPLE[kind](sheet, manifest)
    elif kind in _OPAQUE:
        sheet.add("unread-patch", manifest)
    elif not (kind in _TOGETHER or examine_authorization_policy(sheet, manifest) or any(find_embedded(manifest))):
        sheet.report.passed_over.append(f"line {manifest.line}: {kind}")
