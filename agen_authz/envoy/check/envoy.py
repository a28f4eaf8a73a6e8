"""The check of Envoy's own configuration: every listener, with what it reaches."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agen_authz.envoy.check.authz import check_authz
from agen_authz.envoy.check.connection import (
    check_backend_headers,
    check_connection,
    check_duration,
    check_envoy_headers,
)
from agen_authz.envoy.check.endpoint import find_addresses, find_places, is_near
from agen_authz.envoy.check.filter_chain import Filter, name_spot, read_filter, read_filters
from agen_authz.envoy.check.guard import check_guard, runs_somewhere
from agen_authz.envoy.check.inventory import Inventory
from agen_authz.envoy.check.local_reply import check_local_replies
from agen_authz.envoy.check.order import check_caches, check_order, check_upstream_filters
from agen_authz.envoy.check.proc import check_proc
from agen_authz.envoy.check.route import check_ways
from agen_authz.envoy.check.runtime import check_runtime
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot, typed
from agen_authz.envoy.check.version import check_version, read_version
from agen_authz.envoy.check.way import Way, read_ways

_FORWARDING = (".HttpConnectionManager", ".TcpProxy")
_UDP = ".UdpProxyConfig"
# They ask a cluster, or count, or refuse: none forwards what a client sends.
_ASKING = (".ExtAuthz", ".RateLimit", ".NetworkExternalProcessor")
_QUIET = re.compile(
    r"filters?\.network\.(?:rbac|ratelimit|local_ratelimit|connection_limit|ext_authz|ext_proc|sni_cluster|echo"
    r"|direct_response|set_filter_state|geoip|zookeeper_proxy|mysql_proxy|postgres_proxy|mongo_proxy|kafka_broker)\.|^envoy\.tcp\.metadataexchange\.|^stats\."
)
_UNREADABLE_ROUTES = ("rds", "scoped_routes")
_MAX_DEPTH = 40
_STATIC = ("STATIC", "0")


@dataclass(frozen=True, slots=True)
class _Forwarder:
    """A network filter that forwards, and whether its listener is for what leaves the workload."""

    kind: str
    spot: Spot
    is_outbound: bool = False


@dataclass(frozen=True, slots=True)
class _Managed:
    """A connection manager with what runs in it and where it leads."""

    forwarder: _Forwarder
    filters: tuple[Filter, ...]
    ways: tuple[Way, ...]

    @property
    def has_authz(self) -> bool:
        return any(filter_.family == "ext_authz" for filter_ in self.filters)


def check_envoy(sheet: Sheet, inventory: Inventory) -> None:
    """Check all that a file says about Envoy."""
    sheet.clusters, sheet.routes, sheet.endpoints = inventory.clusters, inventory.routes, inventory.endpoints
    _check_builds(sheet, inventory)
    for spot in inventory.elsewhere:
        sheet.add("unread-listeners", spot)
    for spot in inventory.unknown:
        sheet.add("unchecked", spot)
    chains = [chain for listener in inventory.listeners for chain in _chains(listener)]
    chains += [_Forwarder(*typed(spot)) for spot in inventory.network_filters]
    managers = [_Forwarder("", spot) for spot in inventory.connections]
    managers += [chain for chain in chains if chain.kind.endswith(".HttpConnectionManager")]
    proxies = [chain for chain in chains if chain.kind.endswith(".TcpProxy")]
    behind, guards = _check_managers(sheet, managers, proxies)
    for chain in chains:
        _note_other(sheet, chain, behind, guards)
    for spot in inventory.filters:
        _check_lone_filter(sheet, read_filter(spot) if spot.at("typed_config").is_written else _bare(spot))
    used = {manager.spot.at("rds", "route_config_name").text for manager in managers}
    for config in inventory.loose_routes:
        if not managers or config.at("name").text not in used:
            _check_lone_routes(sheet, config)


def _check_builds(sheet: Sheet, inventory: Inventory) -> None:
    """Check who reaches the admin interface, which Envoy it is, if it says so, and which fixes are switched off."""
    for admin in inventory.admins:
        sheet.want("admin-exposed", admin, is_good=not admin.at("address").is_written or is_near(admin.at("address")))
    for bootstrap in inventory.bootstraps:
        check_runtime(sheet, bootstrap)
        found = read_version(bootstrap)
        if found is not None:
            check_version(sheet, *found)


def _chains(listener: Spot) -> list[_Forwarder]:
    chains = [*listener.at("filter_chains").items(), listener.at("default_filter_chain")]
    filters = [filter_.at("typed_config") for chain in chains for filter_ in chain.at("filters").items()]
    # Of what comes before the chains only a proxy of UDP forwards.
    early = [filter_.at("typed_config") for filter_ in listener.at("listener_filters").items()]
    filters += [config for config in early if typed(config)[0].endswith(_UDP)]
    api = listener.at("api_listener", "api_listener")
    is_outbound = listener.at("traffic_direction").word in ("OUTBOUND", "2")
    return [_Forwarder(*typed(spot), is_outbound) for spot in (*filters, *((api,) if api.is_written else ()))]


def _note_other(sheet: Sheet, chain: _Forwarder, behind: set[str], guards: list[_Forwarder]) -> None:
    if not chain.kind:
        sheet.add("unread-filter", chain.spot)
    elif not chain.kind.endswith(_FORWARDING):
        clusters = tuple(_find_clusters(chain.spot, 0))
        if _names(sheet, clusters) & behind:
            sheet.add("bypass-listener", chain.spot)
        elif _is_sent(chain, guards):
            sheet.report.passed_over.append(f"line {chain.spot.line}: outbound listener")
        elif clusters and not chain.kind.endswith(_ASKING):
            sheet.add("unguarded-listener", chain.spot)
        elif not _QUIET.search(chain.kind):
            sheet.add("unchecked", chain.spot)
        sheet.report.passed_over.append(f"line {chain.spot.line}: network filter {chain.kind}")


def _is_sent(chain: _Forwarder, guards: list[_Forwarder]) -> bool:
    """True if this is for what a workload sends, and Check is asked about what it receives."""
    return chain.is_outbound and bool(guards) and not any(guard.is_outbound for guard in guards)


def _find_clusters(spot: Spot, depth: int) -> Iterator[str]:
    """Find what a filter of any kind names as a cluster."""
    if depth > _MAX_DEPTH:
        return
    for key, member in spot.members():
        if "cluster" in key and member.text:
            yield member.text
        yield from _find_clusters(member, depth + 1)
    if not spot.is_mapping:
        for item in spot.items():
            yield from _find_clusters(item, depth + 1)


def _bare(spot: Spot) -> Filter:
    return Filter("ext_authz", spot, spot)


def _check_managers(
    sheet: Sheet, managers: list[_Forwarder], proxies: list[_Forwarder]
) -> tuple[set[str], list[_Forwarder]]:
    """Check what forwards; return the clusters that are reached through Check, and what asks it."""
    managed = [
        _Managed(each, read_filters(each.spot), tuple(read_ways(_routes(sheet, each.spot)))) for each in managers
    ]
    guarded = [each for each in managed if each.has_authz]
    behind = {name for each in guarded for way in each.ways if way.reaches for name in _names(sheet, way.clusters)}
    for each in guarded:
        for spot in _unread_routes(sheet, each.forwarder.spot):
            sheet.add("unread-routes", spot)
        _check_guarded(sheet, each)
    guards = [each.forwarder for each in guarded]
    for each in managed:
        reached = {name for way in each.ways if way.reaches for name in _names(sheet, way.clusters)}
        leads_on = any(way.reaches for way in each.ways) or _unread_routes(sheet, each.forwarder.spot)
        if leads_on and not each.has_authz:
            check_caches(sheet, each.filters)
            _check_unguarded(sheet, each.forwarder, reached & behind, guards)
    for proxy in proxies:
        names = _proxied(proxy.spot)
        if not all(_is_empty(sheet, name) for name in names):
            _check_unguarded(sheet, proxy, _names(sheet, names) & behind, guards)
    return behind, guards


def _proxied(proxy: Spot) -> tuple[str, ...]:
    weighted = proxy.at("weighted_clusters", "clusters").items()
    return (*((proxy.at("cluster").text,) if not weighted else ()), *(entry.at("name").text for entry in weighted))


def _is_empty(sheet: Sheet, name: str) -> bool:
    """True if a cluster has no endpoint, as the one into which Istio sends what it refuses."""
    cluster = sheet.clusters.get(name)
    if cluster is None or cluster.at("cluster_type").is_written or cluster.at("type").word not in _STATIC:
        return False
    return not find_addresses(sheet, cluster)


def _names(sheet: Sheet, clusters: tuple[str, ...]) -> set[str]:
    """Give the clusters' names and where they lead: two clusters of one address are one way."""
    names: set[str] = set()
    pending = [name for name in clusters if name]
    while pending:
        name = pending.pop()
        if name in names:
            continue
        names.add(name)
        cluster = sheet.clusters.get(name)
        if cluster is not None:
            names |= {f"at {place}" for place in find_places(sheet, cluster)}
            # An aggregate has no addresses, only other clusters.
            pending.extend(typed(cluster.at("cluster_type", "typed_config"))[1].at("clusters").words)
    return names


def _check_unguarded(sheet: Sheet, forwarder: _Forwarder, shared: set[str], guards: list[_Forwarder]) -> None:
    """Check what forwards without Check; `shared` are the clusters that other ways reach through Check."""
    is_proxy = forwarder.kind.endswith(".TcpProxy")
    if shared:
        sheet.add("bypass-listener", forwarder.spot)
    elif not guards and not is_proxy:
        sheet.add("authz-missing", forwarder.spot)
    elif _is_sent(forwarder, guards):
        sheet.report.passed_over.append(f"line {forwarder.spot.line}: outbound listener")
    else:
        sheet.add("unguarded-listener", forwarder.spot)


def _routes(sheet: Sheet, connections: Spot) -> Spot:
    config = connections.at("route_config")
    if config.is_written:
        return config
    return sheet.routes.get(connections.at("rds", "route_config_name").text, config)


def _unread_routes(sheet: Sheet, connections: Spot) -> list[Spot]:
    config = _routes(sheet, connections)
    if not config.is_written:
        return [connections.at(key) for key in _UNREADABLE_ROUTES if connections.at(key).is_written]
    trees = [host.at("matcher") for host in config.at("virtual_hosts").items()]
    return [spot for spot in (config.at("vhds"), *trees) if spot.is_written]


def _check_guarded(sheet: Sheet, managed: _Managed) -> None:
    connections, filters = managed.forwarder.spot, managed.filters
    ways = tuple(way for way in managed.ways if way.reaches)
    sheet.report.checked.append("HTTP connection manager")
    check_connection(sheet, connections, ways)
    check_duration(sheet, connections, ways)
    check_envoy_headers(sheet, connections, filters)
    check_backend_headers(sheet, ways)
    check_local_replies(sheet, connections)
    if ways and not any(filter_.family == "ext_proc" for filter_ in filters):
        sheet.add("proc-missing", connections.at("http_filters"))
    for index, filter_ in enumerate(filters):
        if filter_.family in ("ext_authz", "ext_proc"):
            optional = filter_.spot.at("is_optional")
            sheet.want("filter-optional", optional, is_good=not optional.is_on)
        if filter_.family == "ext_authz" and runs_somewhere(filter_, ways):
            check_authz(sheet, filter_, filters[:index])
        elif filter_.family == "ext_proc" and runs_somewhere(filter_, ways):
            check_proc(sheet, filter_)
    for way in ways:
        check_guard(sheet, filters, way)
    check_order(sheet, filters, ways)
    check_upstream_filters(sheet, filters, ways)
    check_ways(sheet, ways)


def _check_lone_filter(sheet: Sheet, filter_: Filter) -> None:
    if filter_.family == "ext_authz":
        sheet.report.checked.append("ext_authz filter")
        check_authz(sheet, filter_, ())
    elif filter_.family == "ext_proc":
        sheet.report.checked.append("ext_proc filter")
        check_proc(sheet, filter_)
    else:
        sheet.add("unchecked", filter_.spot)


def _check_lone_routes(sheet: Sheet, config: Spot) -> None:
    """Check routes whose connection manager is in another file, which names ext_authz as everybody does."""
    sheet.report.checked.append("route configuration")
    ways = tuple(way for way in read_ways(config) if way.reaches)
    check_ways(sheet, ways)
    for way in ways:
        names = {name for level in way.levels for name, _ in level.at("typed_per_filter_config").members()}
        for name in sorted(names):
            if "ext_authz" in name:
                check_guard(sheet, (Filter("ext_authz", config, name_spot(name, config)),), way)
