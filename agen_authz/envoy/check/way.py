"""The ways that routes offer: which request reaches which cluster, under which settings."""

from collections.abc import Iterator
from dataclasses import dataclass

from agen_authz.envoy.check.spot import Spot


@dataclass(frozen=True, slots=True)
class Way:
    """One route, or one of its weighted clusters, with all levels of settings from wide to narrow."""

    levels: tuple[Spot, ...]
    route: Spot
    clusters: tuple[str, ...]

    @property
    def reaches(self) -> bool:
        """True if a request is forwarded at all."""
        return self.route.at("route").is_written


def read_ways(route_config: Spot) -> Iterator[Way]:
    """Yield the ways of a route configuration."""
    for host in route_config.at("virtual_hosts").items():
        for route in host.at("routes").items():
            yield from _ways_of((route_config, host, route), route)


def _ways_of(levels: tuple[Spot, ...], route: Spot) -> Iterator[Way]:
    weighted = route.at("route", "weighted_clusters", "clusters").items()
    for entry in weighted:
        yield Way((*levels, entry), route, (entry.at("name").text,))
    if not weighted:
        name = route.at("route", "cluster").text
        yield Way(levels, route, (name,) if name else ())
