"""Envoy's own forms of configuration, sorted: listeners, clusters, routes, the admin interface.

A bootstrap, an answer of the admin interface's `/config_dump`, whole, in parts, or as `egctl` wraps it, a file of
resources (as filesystem xDS reads it), a listener, a route configuration, and a connection manager are known by
their types or their members.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from agen_authz.envoy.check.spot import Spot, typed

# Where the sections of `/config_dump` keep what was loaded: list, then members within each item.
_LISTENERS = (
    ("static_listeners", ("listener",)),
    ("dynamic_listeners", ("active_state", "listener")),
    ("dynamic_listeners", ("warming_state", "listener")),
)
_CLUSTERS = (
    ("static_clusters", ("cluster",)),
    ("dynamic_active_clusters", ("cluster",)),
    ("dynamic_warming_clusters", ("cluster",)),
)
_ENDPOINTS = (
    ("static_endpoint_configs", ("endpoint_config",)),
    ("dynamic_endpoint_configs", ("endpoint_config",)),
)
_ROUTES = (("static_route_configs", ("route_config",)), ("dynamic_route_configs", ("route_config",)))
# An answer of `/config_dump?resource=dynamic_listeners` has the items without the sections around them.
_SECTIONS = {
    "StaticListener": "static_listeners", "DynamicListener": "dynamic_listeners",
    "StaticCluster": "static_clusters", "DynamicCluster": "dynamic_active_clusters",
    "StaticRouteConfig": "static_route_configs", "DynamicRouteConfig": "dynamic_route_configs",
    "StaticEndpointConfig": "static_endpoint_configs", "DynamicEndpointConfig": "dynamic_endpoint_configs",
}  # fmt: skip
# The others hold secrets, and routes and filters of which a connection manager says that they are elsewhere.
_DUMPS = (
    "BootstrapConfigDump", "ListenersConfigDump", "ClustersConfigDump", "RoutesConfigDump", "EndpointsConfigDump",
    "SecretsConfigDump", "StaticSecret", "DynamicSecret", "ScopedRoutesConfigDump", "EcdsConfigDump",
)  # fmt: skip
_QUIET = (".Secret", ".Runtime")
# `egctl` writes dumps under a namespace and a name, next to what they were translated from.
_MAX_WRAPS = 3
_LISTENER_MEMBERS = ("filter_chains", "default_filter_chain", "api_listener")
_CLUSTER_MEMBERS = ("load_assignment", "eds_cluster_config")
_ELSEWHERE = ("lds_config", "ads_config")


@dataclass(slots=True)
class Inventory:
    """What one file says about Envoy."""

    listeners: list[Spot] = field(default_factory=list)
    connections: list[Spot] = field(default_factory=list)
    filters: list[Spot] = field(default_factory=list)
    clusters: dict[str, Spot] = field(default_factory=dict)
    endpoints: dict[str, list[Spot]] = field(default_factory=dict)
    routes: dict[str, Spot] = field(default_factory=dict)
    loose_routes: list[Spot] = field(default_factory=list)
    admins: list[Spot] = field(default_factory=list)
    bootstraps: list[Spot] = field(default_factory=list)
    elsewhere: list[Spot] = field(default_factory=list)
    network_filters: list[Spot] = field(default_factory=list)
    unknown: list[Spot] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """True if nothing was found in which Check could be asked, or not."""
        return not (self.listeners or self.connections or self.filters or self.loose_routes or self.elsewhere)

    def take(self, document: Spot) -> bool:
        """Take one document in, and return True if it was one of Envoy's."""
        if not document.is_mapping:
            return self._take_all(document.items())
        name, message = typed(document)
        if document.at("resources").is_written:
            return self._take_all(document.at("resources").items())
        if name.endswith(".Resource"):
            return self.take(message.at("resource"))
        if self._take_message(name.rpartition(".")[2], message):
            return True
        taken = [self._take_dump(sections) for sections in _find_dumps(document, 0)]
        return any(taken)

    def _take_all(self, items: tuple[Spot, ...]) -> bool:
        """Take what is known of a list; if any of it is, the rest is unknown."""
        rest = [item for item in items if not self.take(item)]
        is_known = len(rest) < len(items)
        if is_known:
            self.unknown.extend(item for item in rest if not typed(item)[0].endswith(_QUIET))
        return is_known

    def _take_message(self, kind: str, message: Spot) -> bool:
        if kind == "Bootstrap" or message.at("static_resources").is_written or message.at("admin").is_written:
            self._take_bootstrap(message)
        elif kind == "Listener" or any(message.at(key).is_written for key in _LISTENER_MEMBERS):
            self.listeners.append(message)
        elif kind == "HttpConnectionManager" or message.at("http_filters").is_written:
            self.connections.append(message)
        elif kind == "RouteConfiguration" or message.at("virtual_hosts").is_written:
            self._take_route(message, is_loose=True)
        elif kind == "ExtAuthz":
            self.filters.append(message)
        elif message.at("typed_config").is_written:
            self._take_filter(message)
        else:
            return self._take_upstream(kind, message) or self._take_bootstrap_parts(message)
        return True

    def _take_upstream(self, kind: str, message: Spot) -> bool:
        if kind == "Cluster" or any(message.at(key).is_written for key in _CLUSTER_MEMBERS):
            self._take_cluster(message)
        elif kind == "ClusterLoadAssignment":
            self._take_endpoints(message)
        else:
            return False
        return True

    def _take_filter(self, filter_: Spot) -> None:
        """Take a filter by itself, of HTTP or of a connection."""
        name, _ = typed(filter_.at("typed_config"))
        if ".network." in name:
            self.network_filters.append(filter_.at("typed_config"))
        else:
            self.filters.append(filter_)

    def _take_bootstrap_parts(self, message: Spot) -> bool:
        # A bootstrap of dynamic resources only, or the inner part of `static_resources`.
        if message.at("dynamic_resources").is_written:
            self._take_bootstrap(message)
            return True
        if message.at("listeners").is_written or message.at("clusters").is_written:
            self._take_static(message)
            return True
        return False

    def _take_bootstrap(self, bootstrap: Spot, *, is_dumped: bool = False) -> None:
        self.bootstraps.append(bootstrap)
        if bootstrap.at("admin").is_written:
            self.admins.append(bootstrap.at("admin"))
        if is_dumped:
            return  # the dump's other sections have what was loaded
        self._take_static(bootstrap.at("static_resources"))
        dynamic = bootstrap.at("dynamic_resources")
        self.elsewhere.extend(dynamic.at(key) for key in _ELSEWHERE if dynamic.at(key).is_written)

    def _take_static(self, static: Spot) -> None:
        self.listeners.extend(static.at("listeners").items())
        for cluster in static.at("clusters").items():
            self._take_cluster(cluster)
        # Not of a bootstrap: of dumps that were made shorter by hand.
        for route in static.at("routes").items():
            self._take_route(route, is_loose=False)
        for assignment in static.at("endpoints").items():
            self._take_endpoints(assignment)

    def _take_cluster(self, spot: Spot) -> None:
        _, cluster = typed(spot)
        self.clusters[cluster.at("name").text] = cluster

    def _take_endpoints(self, spot: Spot) -> None:
        _, assignment = typed(spot)
        self.endpoints.setdefault(assignment.at("cluster_name").text, []).append(assignment)

    def _take_route(self, spot: Spot, *, is_loose: bool) -> None:
        _, config = typed(spot)
        if config.at("name").text:
            self.routes[config.at("name").text] = config
        if is_loose:
            self.loose_routes.append(config)

    def _take_dump(self, items: tuple[Spot, ...]) -> bool:
        sections = [typed(item) for item in items]
        has_listeners = any("ListenersConfigDump" in name for name, _ in sections)
        for name, section in sections:
            if name.endswith("BootstrapConfigDump"):
                self._take_bootstrap(section.at("bootstrap"), is_dumped=has_listeners)
            kind = name.rpartition(".")[2]
            own = _SECTIONS.get(kind, "")
            if not own and kind not in _DUMPS:
                self.unknown.append(section)
            self.listeners.extend(_inner(section, own, _LISTENERS))
            for cluster in _inner(section, own, _CLUSTERS):
                self._take_cluster(cluster)
            for assignment in _inner(section, own, _ENDPOINTS):
                self._take_endpoints(assignment)
            for route in _inner(section, own, _ROUTES):
                self._take_route(route, is_loose=not has_listeners)
        return bool(sections)


def _find_dumps(document: Spot, depth: int) -> Iterator[tuple[Spot, ...]]:
    """Find the dumps of a document, each as its sections."""
    if document.at("configs").is_written:
        yield document.at("configs").items()
    elif "ConfigDump" in typed(document)[0]:
        yield (document,)
    elif depth < _MAX_WRAPS:
        for _, member in document.members():
            yield from _find_dumps(member, depth + 1)


def _inner(section: Spot, own: str, places: tuple[tuple[str, tuple[str, ...]], ...]) -> list[Spot]:
    """Find the messages within a section; `own` says of which kind the section itself is an item."""
    found = []
    for key, path in places:
        for item in (section,) if key == own else section.at(key).items():
            _, message = typed(item.at(*path))
            if message.is_written:
                found.append(message)
    return found
