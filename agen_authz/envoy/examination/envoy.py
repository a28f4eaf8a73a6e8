"""The examination of Envoy's own configuration: every listener, with what it reaches."""

from typing import TypeAlias

from agen_authz.envoy.examination.authz import examine_authz, is_near
from agen_authz.envoy.examination.connection import (
    examine_backend_headers,
    examine_connection,
    examine_duration,
    examine_envoy_headers,
)
from agen_authz.envoy.examination.filter_chain import Filter, name_spot, read_filter, read_filters
from agen_authz.envoy.examination.guard import examine_guard, runs_somewhere
from agen_authz.envoy.examination.inventory import Inventory
from agen_authz.envoy.examination.order import examine_order, examine_upstream_filters
from agen_authz.envoy.examination.proc import examine_proc
from agen_authz.envoy.examination.route import examine_ways
from agen_authz.envoy.examination.sheet import Sheet
from agen_authz.envoy.examination.spot import Spot, typed
from agen_authz.envoy.examination.way import Way, read_ways

_Managed: TypeAlias = tuple[Spot, tuple[Filter, ...], tuple[Way, ...]]
_FORWARDING = (".HttpConnectionManager", ".TcpProxy")
_UNREADABLE_ROUTES = ("rds", "scoped_routes")


def examine_envoy(sheet: Sheet, inventory: Inventory) -> None:
    """Examine all that a file says about Envoy."""
    sheet.clusters, sheet.routes = inventory.clusters, inventory.routes
    for admin in inventory.admins:
        sheet.want("admin-exposed", admin, is_good=not admin.at("address").is_written or is_near(admin.at("address")))
    for spot in inventory.elsewhere:
        sheet.add("unread-listeners", spot)
    chains = [chain for listener in inventory.listeners for chain in _chains(listener)]
    for kind, spot in chains:
        _note_other(sheet, kind, spot)
    managers = [*inventory.connections, *(spot for kind, spot in chains if kind.endswith(".HttpConnectionManager"))]
    proxies = [spot for kind, spot in chains if kind.endswith(".TcpProxy")]
    _examine_managers(sheet, managers, proxies)
    for spot in inventory.filters:
        _examine_lone_filter(sheet, read_filter(spot) if spot.at("typed_config").is_written else _bare(spot))
    if not managers:
        for config in inventory.loose_routes:
            _examine_lone_routes(sheet, config)


def _chains(listener: Spot) -> list[tuple[str, Spot]]:
    chains = [*listener.at("filter_chains").items(), listener.at("default_filter_chain")]
    filters = [filter_ for chain in chains for filter_ in chain.at("filters").items()]
    api = listener.at("api_listener", "api_listener")
    return [typed(filter_.at("typed_config")) for filter_ in filters] + ([typed(api)] if api.is_written else [])


def _note_other(sheet: Sheet, kind: str, spot: Spot) -> None:
    if not kind:
        sheet.add("unread-filter", spot)
    elif not kind.endswith(_FORWARDING):
        sheet.report.passed_over.append(f"line {spot.line}: network filter {kind}")


def _bare(spot: Spot) -> Filter:
    return Filter("ext_authz", spot, spot)


def _examine_managers(sheet: Sheet, managers: list[Spot], proxies: list[Spot]) -> None:
    guarded: list[_Managed] = []
    unguarded: list[_Managed] = []
    for connections in managers:
        filters = read_filters(connections)
        has_authz = any(filter_.family == "ext_authz" for filter_ in filters)
        ways = _ways(sheet, connections, is_guarded=has_authz)
        (guarded if has_authz else unguarded).append((connections, filters, ways))
    behind = {
        name for _, filters, ways in guarded for way in ways if way.reaches for name in _names(sheet, way.clusters)
    }
    for connections, filters, ways in guarded:
        _examine_guarded(sheet, connections, filters, tuple(way for way in ways if way.reaches))
    for connections, _, ways in unguarded:
        reached = {name for way in ways if way.reaches for name in _names(sheet, way.clusters)}
        if any(way.reaches for way in ways):
            _examine_unguarded(sheet, connections, reached, behind, is_only=not guarded)
    for proxy in proxies:
        weighted = proxy.at("weighted_clusters", "clusters").items()
        names = (proxy.at("cluster").text, *(entry.at("name").text for entry in weighted))
        _examine_unguarded(sheet, proxy, _names(sheet, names), behind, is_only=False)


def _names(sheet: Sheet, clusters: tuple[str, ...]) -> set[str]:
    """Give the clusters' names and where they lead: two clusters of one address are one way."""
    names = {name for name in clusters if name}
    for name in tuple(names):
        cluster = sheet.clusters.get(name)
        if cluster is not None:
            names |= {f"at {place}" for place in _places(cluster)}
    return names


def _places(cluster: Spot) -> set[str]:
    places = set()
    for group in cluster.at("load_assignment", "endpoints").items():
        for endpoint in group.at("lb_endpoints").items():
            address = endpoint.at("endpoint", "address")
            socket = address.at("socket_address")
            place = f"{socket.at('address').text}:{socket.at('port_value').word}"
            places.add(address.at("pipe", "path").text if address.at("pipe").is_written else place)
    return places - {":", ""}


def _examine_unguarded(sheet: Sheet, spot: Spot, reached: set[str], behind: set[str], *, is_only: bool) -> None:
    if reached & behind:
        sheet.add("bypass-listener", spot)
    elif is_only:
        sheet.add("authz-missing", spot)
    else:
        sheet.add("unguarded-listener", spot)


def _ways(sheet: Sheet, connections: Spot, *, is_guarded: bool) -> tuple[Way, ...]:
    config = connections.at("route_config")
    if not config.is_written:
        config = sheet.routes.get(connections.at("rds", "route_config_name").text, config)
    unread = [spot for spot in (config.at("vhds"),) if spot.is_written]
    unread += [host.at("matcher") for host in config.at("virtual_hosts").items() if host.at("matcher").is_written]
    if not config.is_written:
        unread += [connections.at(key) for key in _UNREADABLE_ROUTES if connections.at(key).is_written]
    if is_guarded:
        for spot in unread:
            sheet.add("unread-routes", spot)
    elif unread:
        sheet.add("unguarded-listener", connections)
    return tuple(read_ways(config))


def _examine_guarded(sheet: Sheet, connections: Spot, filters: tuple[Filter, ...], ways: tuple[Way, ...]) -> None:
    sheet.report.examined.append("HTTP connection manager")
    examine_connection(sheet, connections)
    examine_duration(sheet, connections, ways)
    examine_envoy_headers(sheet, connections, filters)
    examine_backend_headers(sheet, ways)
    for index, filter_ in enumerate(filters):
        if filter_.family == "ext_authz" and runs_somewhere(filter_, ways):
            examine_authz(sheet, filter_, filters[:index])
        elif filter_.family == "ext_proc" and runs_somewhere(filter_, ways):
            examine_proc(sheet, filter_)
    for way in ways:
        examine_guard(sheet, filters, way)
    examine_order(sheet, filters, ways)
    examine_upstream_filters(sheet, filters, ways)
    examine_ways(sheet, ways)


def _examine_lone_filter(sheet: Sheet, filter_: Filter) -> None:
    if filter_.family == "ext_authz":
        sheet.report.examined.append("ext_authz filter")
        examine_authz(sheet, filter_, ())
    elif filter_.family == "ext_proc":
        sheet.report.examined.append("ext_proc filter")
        examine_proc(sheet, filter_)


def _examine_lone_routes(sheet: Sheet, config: Spot) -> None:
    """Examine routes whose connection manager is in another file, which names ext_authz as everybody does."""
    sheet.report.examined.append("route configuration")
    ways = tuple(way for way in read_ways(config) if way.reaches)
    examine_ways(sheet, ways)
    for way in ways:
        names = {name for level in way.levels for name, _ in level.at("typed_per_filter_config").members()}
        for name in sorted(names):
            if "ext_authz" in name:
                examine_guard(sheet, (Filter("ext_authz", config, name_spot(name, config)),), way)
