"""Istio's mesh configuration: the extension providers that policies with the CUSTOM action name."""

from agen_authz.envoy.check.authz import check_limit, check_timeout
from agen_authz.envoy.check.mesh_reach import is_custom
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.source import read_source
from agen_authz.envoy.check.spot import Spot

_AUTHZ = ("envoy_ext_authz_grpc", "envoy_ext_authz_http")


def mesh_of(document: Spot) -> Spot:
    """Find the part of a document that has extension providers; one that is not written if none has."""
    inner = (("mesh_config",), ("spec", "mesh_config"), ("spec", "values", "mesh_config"))
    places = (document, *(document.at(*keys) for keys in inner))
    return next((place for place in places if place.at("extension_providers").is_written), Spot(None, (), 0))


def read_meshes(sheet: Sheet, manifest: Spot) -> list[Spot]:
    """Read what a manifest says of the mesh; in Istio's own ConfigMap, `mesh` is YAML within YAML."""
    text = manifest.at("data", "mesh") if manifest.at("kind").text == "ConfigMap" else Spot(None, (), 0)
    if not text.text:
        mesh = mesh_of(manifest)
        return [mesh] if mesh.is_written else []
    # The text of a block begins on the line after its key.
    inner = read_source(text.text, text.line + 1)
    for unread in inner.unread:
        sheet.add("unread", Spot(None, text.path, unread.line))
    return [Spot(document, text.path, document.line) for document in inner.documents]


def check_meshes(sheet: Sheet, meshes: list[Spot], manifests: list[Spot]) -> None:
    """Check the providers that may be asked for authorization, and that policies name one of them."""
    providers = [provider for mesh in meshes for provider in mesh.at("extension_providers").items()]
    for provider in providers:
        _check_provider(sheet, provider)
    known = {
        provider.at("name").text for provider in providers if any(provider.at(key).is_written for key in _AUTHZ)
    } - {""}
    for policy in manifests:
        if is_custom(policy):
            _check_choice(sheet, policy, known, is_here=bool(meshes))


def _check_choice(sheet: Sheet, policy: Spot, known: set[str], *, is_here: bool) -> None:
    name = policy.at("spec", "provider", "name")
    if not name.text or (is_here and name.text not in known):
        sheet.add("istio-provider", name)
    elif not is_here:
        sheet.add("unread-provider", name)


def _check_provider(sheet: Sheet, provider: Spot) -> None:
    grpc, http = (provider.at(key) for key in _AUTHZ)
    for kind in (grpc, http):
        if kind.is_written:
            sheet.report.checked.append("Istio extension provider")
    if http.is_written:
        sheet.add("http-authz", http)
    if grpc.is_written:
        _check_grpc(sheet, grpc)


def _check_grpc(sheet: Sheet, grpc: Spot) -> None:
    for defect_id, key in (("failure-mode-allow", "fail_open"), ("clear-route-cache", "clear_route_cache")):
        sheet.want(defect_id, grpc.at(key), is_good=not grpc.at(key).is_on)
    sheet.want("status-on-error", grpc.at("status_on_error"), is_good=grpc.at("status_on_error").word == "503")
    check_timeout(sheet, grpc.at("timeout"))
    body = grpc.at("include_request_body_in_check")
    if not body.is_written:
        sheet.add("no-body", body)
        return
    partial, packed = body.at("allow_partial_message"), body.at("pack_as_bytes")
    sheet.want("partial-body", partial, is_good=not partial.is_on)
    sheet.want("body-as-text", packed, is_good=packed.is_on)
    check_limit(sheet, body.at("max_request_bytes"))
