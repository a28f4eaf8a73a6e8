"""Kubernetes manifests, sorted by kind."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from agen_authz.envoy.examination.gateway import (
    examine_client_policy,
    examine_extension_policy,
    examine_http_route,
    examine_proxy,
    examine_security_policies,
    examine_traffic_policy,
)
from agen_authz.envoy.examination.istio import (
    examine_authorization_policy,
    examine_envoy_filter,
    examine_mesh,
    examine_mesh_routes,
)
from agen_authz.envoy.examination.sheet import Sheet
from agen_authz.envoy.examination.source import read_source
from agen_authz.envoy.examination.spot import Spot

_SIMPLE: Mapping[str, Callable[[Sheet, Spot], None]] = MappingProxyType({
    "EnvoyFilter": examine_envoy_filter,
    "EnvoyExtensionPolicy": examine_extension_policy,
    "HTTPRoute": examine_http_route,
    "GRPCRoute": examine_http_route,
    "BackendTrafficPolicy": examine_traffic_policy,
    "ClientTrafficPolicy": examine_client_policy,
    "EnvoyProxy": examine_proxy,
    "VirtualService": examine_mesh_routes,
})  # fmt: skip
# They patch Envoy's configuration, or run code in it, in ways that only the outcome shows.
_MARKS = ("type.googleapis.com/envoy.", "static_resources", "staticResources", "dynamic_resources")
_OPAQUE = ("EnvoyPatchPolicy", "WasmPlugin", "TrafficExtension")


def read_manifests(document: Spot) -> tuple[Spot, ...]:
    """Give the manifests of a document: of Kubernetes, or a part of Istio's configuration; none if it is neither."""
    if document.at("kind").text.endswith("List") and document.at("items").is_written:
        return document.at("items").items()
    if document.at("kind").is_written or _mesh_of(document).at("extension_providers").is_written:
        return (document,)
    # `egctl` keeps manifests in lists by kind.
    listed = [item for _, member in document.members() if not member.is_mapping for item in member.items()]
    return tuple(item for item in listed if item.at("kind").is_written and item.at("metadata").is_written)


def find_embedded(manifest: Spot) -> Iterator[Spot]:
    """Find the texts in a ConfigMap that are Envoy's configuration."""
    if manifest.at("kind").text != "ConfigMap":
        return
    for _, member in manifest.at("data").members():
        if any(mark in member.text for mark in _MARKS):
            yield member


def examine_manifests(sheet: Sheet, manifests: list[Spot]) -> None:
    """Examine all manifests of a file together, for some replace others."""
    examine_security_policies(sheet, [item for item in manifests if item.at("kind").text == "SecurityPolicy"])
    for manifest in manifests:
        if manifest.at("kind").text != "SecurityPolicy" and not _examine(sheet, manifest):
            kind = manifest.at("kind").text or "a document"
            sheet.report.passed_over.append(f"line {manifest.line}: {kind}")


def _mesh_of(document: Spot) -> Spot:
    inner = (("mesh_config",), ("spec", "mesh_config"), ("spec", "values", "mesh_config"))
    places = (document, *(document.at(*keys) for keys in inner))
    return next((place for place in places if place.at("extension_providers").is_written), places[1])


def _examine(sheet: Sheet, manifest: Spot) -> bool:
    kind = manifest.at("kind").text
    examine = _SIMPLE.get(kind)
    if examine is not None:
        examine(sheet, manifest)
        return True
    if kind == "AuthorizationPolicy":
        return examine_authorization_policy(sheet, manifest)
    if kind in _OPAQUE:
        sheet.add("unread-patch", manifest)
        return True
    if kind == "ConfigMap":
        return _examine_config_map(sheet, manifest.at("data", "mesh")) or any(find_embedded(manifest))
    mesh = _mesh_of(manifest)
    examine_mesh(sheet, mesh)
    return mesh.at("extension_providers").is_written


def _examine_config_map(sheet: Sheet, mesh: Spot) -> bool:
    """Examine Istio's own ConfigMap, whose `mesh` is YAML within YAML."""
    if not mesh.text:
        return False
    # The text of a block begins on the line after its key.
    inner = read_source(mesh.text, mesh.line + 1)
    for unread in inner.unread:
        sheet.add("unread", Spot(None, mesh.path, unread.line))
    for document in inner.documents:
        examine_mesh(sheet, Spot(document, mesh.path, document.line))
    return True
