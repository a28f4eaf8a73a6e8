"""Istio's manifests: extension providers, the CUSTOM action, routes, and patches of Envoy's configuration."""

from agen_authz.envoy.examination.authz import examine_authz, examine_limit, examine_timeout
from agen_authz.envoy.examination.connection import examine_connection
from agen_authz.envoy.examination.filter_chain import Filter, name_spot, read_filter
from agen_authz.envoy.examination.guard import examine_guard
from agen_authz.envoy.examination.header_change import find_trusted
from agen_authz.envoy.examination.order import examine_after, examine_before
from agen_authz.envoy.examination.proc import examine_proc
from agen_authz.envoy.examination.route import examine_ways
from agen_authz.envoy.examination.sheet import Sheet, is_trusted
from agen_authz.envoy.examination.spot import Spot, typed
from agen_authz.envoy.examination.way import Way, read_ways

_BEFORE = ("INSERT_FIRST",)
_CONNECTION_MANAGER = ".HttpConnectionManager"


def examine_mesh(sheet: Sheet, mesh: Spot) -> None:
    """Examine the extension providers of a MeshConfig that may be asked for authorization."""
    for provider in mesh.at("extension_providers").items():
        grpc, http = provider.at("envoy_ext_authz_grpc"), provider.at("envoy_ext_authz_http")
        if http.is_written:
            sheet.report.examined.append("Istio extension provider")
            sheet.add("http-authz", http)
        if grpc.is_written:
            sheet.report.examined.append("Istio extension provider")
            _examine_provider(sheet, grpc)


def _examine_provider(sheet: Sheet, grpc: Spot) -> None:
    for defect_id, key in (("failure-mode-allow", "fail_open"), ("clear-route-cache", "clear_route_cache")):
        sheet.want(defect_id, grpc.at(key), is_good=not grpc.at(key).is_on)
    sheet.want("status-on-error", grpc.at("status_on_error"), is_good=grpc.at("status_on_error").word == "503")
    examine_timeout(sheet, grpc.at("timeout"))
    body = grpc.at("include_request_body_in_check")
    if not body.is_written:
        sheet.add("no-body", body)
        return
    partial, packed = body.at("allow_partial_message"), body.at("pack_as_bytes")
    sheet.want("partial-body", partial, is_good=not partial.is_on)
    sheet.want("body-as-text", packed, is_good=packed.is_on)
    examine_limit(sheet, body.at("max_request_bytes"))


def examine_authorization_policy(sheet: Sheet, policy: Spot) -> bool:
    """Examine an AuthorizationPolicy with the CUSTOM action: it must be about every request."""
    spec = policy.at("spec")
    if spec.at("action").text != "CUSTOM":
        return False
    sheet.report.examined.append("Istio AuthorizationPolicy")
    rules = spec.at("rules")
    sheet.want("istio-rules", rules, is_good=any(not rule.members() for rule in rules.items()))
    dry_run = policy.at("metadata", "annotations", "istio.io/dry-run")
    sheet.want("shadow-mode", dry_run, is_good=not dry_run.is_on)
    return True


def examine_mesh_routes(sheet: Sheet, manifest: Spot) -> None:
    """Examine a VirtualService for mirrors, retries, and headers that it writes after the decision."""
    for route in manifest.at("spec", "http").items():
        mirrors = [route.at("mirror")] if route.at("mirror").is_written else []
        for mirror in [*mirrors, *route.at("mirrors").items()]:
            sheet.add("mirror", mirror)
        retries = route.at("retries")
        sheet.want("retry", retries, is_good=not retries.is_written or retries.at("attempts").number == 0)
        destinations = [entry.at("headers") for entry in route.at("route").items()]
        for headers in (route.at("headers"), *destinations):
            _examine_headers(sheet, headers.at("request"))


def _examine_headers(sheet: Sheet, changes: Spot) -> None:
    for key in ("set", "add"):
        for name, value in changes.at(key).members():
            if is_trusted(name):
                sheet.add("headers-after", value)
    if any(is_trusted(name) for name in changes.at("remove").words):
        sheet.add("headers-after", changes.at("remove"))


def examine_envoy_filter(sheet: Sheet, manifest: Spot) -> None:
    """Examine the patches of an EnvoyFilter; what a merge does not write is Istio's, and not missing."""
    sheet.report.examined.append("Istio EnvoyFilter")
    for patch in manifest.at("spec", "config_patches").items():
        change = patch.at("patch")
        is_merge = change.at("operation").text in ("MERGE", "")
        kind = patch.at("apply_to").text
        if kind == "HTTP_FILTER":
            _examine_filter_patch(sheet, patch, is_merge=is_merge)
        elif kind == "NETWORK_FILTER":
            _examine_connection_patch(sheet, change.at("value"))
        elif kind in ("HTTP_ROUTE", "VIRTUAL_HOST", "ROUTE_CONFIGURATION"):
            _examine_route_patch(sheet, kind, change.at("value"))
        else:
            sheet.report.passed_over.append(f"line {patch.line}: patch of {kind or 'an unknown kind'}")


def _matched_filter(patch: Spot) -> str:
    return patch.at("match", "listener", "filter_chain", "filter", "sub_filter", "name").text


def _examine_filter_patch(sheet: Sheet, patch: Spot, *, is_merge: bool) -> None:
    change = patch.at("patch")
    if change.at("operation").text == "REMOVE":
        if "ext_authz" in _matched_filter(patch):
            sheet.add("authz-removed", change)
        return
    filter_ = read_filter(change.at("value"))
    sheet.is_patch = is_merge
    if filter_.spot.at("disabled").is_on and filter_.family in ("ext_authz", "ext_proc"):
        sheet.add("filter-disabled" if filter_.family == "ext_authz" else "proc-disabled", filter_.spot)
    if filter_.family == "ext_authz":
        examine_authz(sheet, filter_, ())
    elif filter_.family == "ext_proc":
        examine_proc(sheet, filter_)
    elif not is_merge:
        _examine_place(sheet, patch, filter_)
    sheet.is_patch = False


def _examine_place(sheet: Sheet, patch: Spot, filter_: Filter) -> None:
    operation = patch.at("patch", "operation").text
    is_before = operation in _BEFORE or (operation == "INSERT_BEFORE" and "ext_authz" in _matched_filter(patch))
    (examine_before if is_before else examine_after)(sheet, filter_)


def _examine_connection_patch(sheet: Sheet, value: Spot) -> None:
    name, config = typed(value.at("typed_config"))
    if not name.endswith(_CONNECTION_MANAGER):
        sheet.report.passed_over.append(f"line {value.line}: patch of another network filter")
        return
    sheet.is_patch = True
    examine_connection(sheet, config)
    sheet.is_patch = False


def _examine_route_patch(sheet: Sheet, kind: str, value: Spot) -> None:
    inner = () if kind == "HTTP_ROUTE" else _host_ways(value) if kind == "VIRTUAL_HOST" else tuple(read_ways(value))
    ways = (Way((value,), value, ()), *inner)
    sheet.is_patch = True
    examine_ways(sheet, ways)
    sheet.is_patch = False
    for way in ways:
        for spot in find_trusted(way.route):
            sheet.add("headers-after", spot)
        for name, _ in way.route.at("typed_per_filter_config").members():
            if "ext_authz" in name:
                examine_guard(sheet, (Filter("ext_authz", value, name_spot(name, value)),), way)


def _host_ways(host: Spot) -> tuple[Way, ...]:
    return tuple(Way((host, route), route, ()) for route in host.at("routes").items())
