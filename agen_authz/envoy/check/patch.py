"""Istio's EnvoyFilter: what its patches write; where Istio puts them is not known."""

from agen_authz.envoy.check.authz import check_authz
from agen_authz.envoy.check.connection import check_connection
from agen_authz.envoy.check.filter_chain import Filter, name_spot, read_filter
from agen_authz.envoy.check.guard import check_guard
from agen_authz.envoy.check.header_change import find_trusted
from agen_authz.envoy.check.order import check_after, check_before
from agen_authz.envoy.check.proc import check_proc
from agen_authz.envoy.check.route import check_ways
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot, typed
from agen_authz.envoy.check.way import Way, read_ways

_BEFORE = ("INSERT_FIRST",)
_CONNECTION_MANAGER = ".HttpConnectionManager"
_MERGE, _REMOVE, _REPLACE = ("MERGE", ""), "REMOVE", "REPLACE"
_ROUTES = ("HTTP_ROUTE", "VIRTUAL_HOST", "ROUTE_CONFIGURATION")
# Istio's RBAC filter says for which requests ext_authz is asked.
_ASKING = ("ext_authz", "rbac")
_SPEC = frozenset({"config_patches", "workload_selector", "target_refs", "priority"})
# What a patch of a cluster may write without changing who answers, or how safely.
_CLUSTER = frozenset({
    "name", "circuit_breakers", "connect_timeout", "http2_protocol_options", "max_requests_per_connection",
    "per_connection_buffer_limit_bytes", "typed_extension_protocol_options", "upstream_connection_options",
})  # fmt: skip


def check_envoy_filter(sheet: Sheet, manifest: Spot) -> None:
    """Check the patches of an EnvoyFilter; what a merge does not write is Istio's, and not missing.

    Any other member of it, the older form's `filters` too, is a patch that is not checked.
    """
    sheet.report.checked.append("Istio EnvoyFilter")
    spec = manifest.at("spec")
    for key, member in spec.members():
        if key not in _SPEC and member.is_written:
            sheet.add("unread-patch", member)
    for patch in spec.at("config_patches").items():
        _check_patch(sheet, patch)


def _check_patch(sheet: Sheet, patch: Spot) -> None:
    change, kind = patch.at("patch"), patch.at("apply_to").text
    if kind == "HTTP_FILTER":
        _check_filter_patch(sheet, patch)
    elif kind == "NETWORK_FILTER":
        _check_connection_patch(sheet, change)
    elif kind in _ROUTES and change.at("operation").text in (*_MERGE, "ADD", "INSERT_FIRST", "INSERT_BEFORE"):
        _check_route_patch(sheet, kind, change.at("value"))
    elif kind in _ROUTES and change.at("operation").text == _REMOVE:
        sheet.report.passed_over.append(f"line {patch.line}: a route that is removed")
    elif kind == "CLUSTER" and change.at("operation").text in _MERGE and _is_mild(change.at("value")):
        sheet.report.passed_over.append(f"line {patch.line}: patch of how much a cluster carries")
    else:
        sheet.add("unread-patch", patch)


def _is_mild(cluster: Spot) -> bool:
    return all(key in _CLUSTER for key, _ in cluster.members())


def _matched_filter(patch: Spot) -> str:
    return patch.at("match", "listener", "filter_chain", "filter", "sub_filter", "name").text


def _check_filter_patch(sheet: Sheet, patch: Spot) -> None:
    change = patch.at("patch")
    operation, matched = change.at("operation").text, _matched_filter(patch)
    filter_ = read_filter(change.at("value"))
    is_taken_away = operation == _REMOVE or (operation == _REPLACE and filter_.family not in matched)
    if is_taken_away and (not matched or any(name in matched for name in _ASKING)):
        sheet.add("authz-removed", change)
    if operation != _REMOVE:
        _check_filter(sheet, patch, filter_)


def _check_filter(sheet: Sheet, patch: Spot, filter_: Filter) -> None:
    sheet.is_patch = is_merge = patch.at("patch", "operation").text in _MERGE
    if filter_.spot.at("disabled").is_on and filter_.family in ("ext_authz", "ext_proc"):
        sheet.add("filter-disabled" if filter_.family == "ext_authz" else "proc-disabled", filter_.spot)
    if filter_.family == "ext_authz":
        check_authz(sheet, filter_, ())
    elif filter_.family == "ext_proc":
        check_proc(sheet, filter_)
    elif not is_merge:
        _check_place(sheet, patch, filter_)
    elif not filter_.family:
        sheet.add("unread-patch", patch)
    sheet.is_patch = False


def _check_place(sheet: Sheet, patch: Spot, filter_: Filter) -> None:
    operation = patch.at("patch", "operation").text
    is_before = operation in _BEFORE or (operation == "INSERT_BEFORE" and "ext_authz" in _matched_filter(patch))
    (check_before if is_before else check_after)(sheet, filter_)


def _check_connection_patch(sheet: Sheet, change: Spot) -> None:
    name, config = typed(change.at("value", "typed_config"))
    if change.at("operation").text not in _MERGE or not name.endswith(_CONNECTION_MANAGER):
        sheet.add("unread-patch", change)
        return
    sheet.is_patch = True
    check_connection(sheet, config)
    sheet.is_patch = False
    if config.at("http_filters").is_written or config.at("route_config").is_written:
        # Merged into lists, at places that only the outcome shows.
        sheet.add("unread-patch", change)


def _check_route_patch(sheet: Sheet, kind: str, value: Spot) -> None:
    inner = () if kind == "HTTP_ROUTE" else _host_ways(value) if kind == "VIRTUAL_HOST" else tuple(read_ways(value))
    ways = (Way((value,), value, ()), *inner)
    sheet.is_patch = True
    check_ways(sheet, ways)
    sheet.is_patch = False
    for way in ways:
        for spot in find_trusted(way.route):
            sheet.add("headers-after", spot)
        for name, _ in way.route.at("typed_per_filter_config").members():
            if "ext_authz" in name:
                check_guard(sheet, (Filter("ext_authz", value, name_spot(name, value)),), way)


def _host_ways(host: Spot) -> tuple[Way, ...]:
    return tuple(Way((host, route), route, ()) for route in host.at("routes").items())
