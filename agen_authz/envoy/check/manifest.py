"""Kubernetes manifests, sorted by kind."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from agen_authz.envoy.check.filter_chain import read_filter
from agen_authz.envoy.check.gateway import (
    check_client_policy,
    check_extension_policy,
    check_gateway_settings,
    check_http_route,
    check_proxy,
    check_route_filter,
    check_security_policies,
    check_traffic_policy,
)
from agen_authz.envoy.check.istio import check_authorization_policy, check_mesh_routes
from agen_authz.envoy.check.kind import KINDS_OF_LISTS, is_checked, is_quiet
from agen_authz.envoy.check.mesh import check_meshes, mesh_of, read_meshes
from agen_authz.envoy.check.mesh_reach import is_custom
from agen_authz.envoy.check.patch import check_envoy_filter
from agen_authz.envoy.check.reach import ROUTES, check_reach
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.source import Node
from agen_authz.envoy.check.spot import Spot
from agen_authz.envoy.check.virtual_reach import check_virtual_reach

_SIMPLE: Mapping[str, Callable[[Sheet, Spot], None]] = MappingProxyType({
    "EnvoyFilter": check_envoy_filter,
    "EnvoyExtensionPolicy": check_extension_policy,
    "HTTPRoute": check_http_route,
    "GRPCRoute": check_http_route,
    "HTTPRouteFilter": check_route_filter,
    "BackendTrafficPolicy": check_traffic_policy,
    "ClientTrafficPolicy": check_client_policy,
    "EnvoyProxy": check_proxy,
    "EnvoyGateway": check_gateway_settings,
    "VirtualService": check_mesh_routes,
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


def check_manifests(sheet: Sheet, manifests: list[Spot]) -> None:
    """Check all manifests of a file together, for some replace or name others."""
    known = [each for each in manifests if is_checked(each) or is_quiet(each)]
    check_security_policies(sheet, [each for each in known if each.at("kind").text == "SecurityPolicy"])
    _check_process(sheet, known)
    check_reach(sheet, known)
    check_virtual_reach(sheet, known)
    meshes = [read_meshes(sheet, each) for each in manifests]
    check_meshes(sheet, [mesh for found in meshes for mesh in found], known)
    for manifest, found in zip(manifests, meshes, strict=True):
        if not found:
            _check(sheet, manifest)


def _check_process(sheet: Sheet, manifests: list[Spot]) -> None:
    """Check that a file whose policies ask Check brings Process too; for which routes is not followed."""
    asking = [each for each in manifests if each.at("spec", "ext_auth").is_written or is_custom(each)]
    if asking and not any(_has_process(each) for each in manifests):
        sheet.add("proc-missing", asking[0])


def _has_process(manifest: Spot) -> bool:
    spec = manifest.at("spec")
    inserted = [read_filter(patch.at("patch", "value")).family for patch in spec.at("config_patches").items()]
    return bool(spec.at("ext_proc").items()) or "ext_proc" in inserted


def _check(sheet: Sheet, manifest: Spot) -> None:
    kind = manifest.at("kind").text
    if not is_checked(manifest):
        # Named in the report, and a finding unless it carries no traffic.
        sheet.report.passed_over.append(f"line {manifest.line}: {kind or 'a document'}")
        if not is_quiet(manifest):
            sheet.add("unchecked", manifest)
    elif kind in _SIMPLE:
        _SIMPLE[kind](sheet, manifest)
    elif kind in _OPAQUE:
        sheet.add("unread-patch", manifest)
    elif not (kind in _TOGETHER or check_authorization_policy(sheet, manifest) or any(find_embedded(manifest))):
        sheet.report.passed_over.append(f"line {manifest.line}: {kind}")
