"""The HTTP filters of a connection manager, known by their types."""

import re
from dataclasses import dataclass

from agen_authz.envoy.check.source import Node, canonical
from agen_authz.envoy.check.spot import Spot, typed

_IN_TYPE = re.compile(r"filters?\.http\.([a-z0-9_]+)")
_IN_NAME = re.compile(r"(?:envoy|istio)\.([a-z0-9_]+)\Z")
_WITH_MATCHER = "ExtensionWithMatcher"


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: what it is (`ext_authz`), its settings, and the matcher around it, if any."""

    family: str
    config: Spot
    spot: Spot
    matcher: Spot | None = None

    @property
    def name(self) -> str:
        """Give the name by which routes refer to it."""
        return self.spot.at("name").text


def read_filter(spot: Spot) -> Filter:
    """Read one HTTP filter."""
    name, config = typed(spot.at("typed_config"))
    matcher = None
    if name.endswith(_WITH_MATCHER):
        outer = config
        name, config = typed(outer.at("extension_config", "typed_config"))
        new = outer.at("xds_matcher")
        matcher = new if new.is_written else outer.at("matcher")
    # Some types name no filter; then the name, which is free, usually does.
    family = _family(name) or _family(spot.at("name").text) or name
    return Filter(family, config, spot, matcher)


def _family(name: str) -> str:
    found = _IN_TYPE.search(name) or _IN_NAME.match(name)
    return found[1] if found is not None else ""


def read_filters(connections: Spot) -> tuple[Filter, ...]:
    """Read the filters of a connection manager up to its router."""
    filters = []
    for spot in connections.at("http_filters").items():
        filters.append(read_filter(spot))
        if filters[-1].family == "router":
            break
    return tuple(filters)


def find_override(filter_: Filter, levels: tuple[Spot, ...]) -> Spot | None:
    """Find the most specific settings of routes for a filter; `levels` go from wide to narrow."""
    for level in reversed(levels):
        entry = level.at("typed_per_filter_config", canonical(filter_.name))
        if entry.is_written:
            return entry
    return None


def find_off_switch(filter_: Filter, levels: tuple[Spot, ...]) -> Spot | None:
    """Find what turns a filter off on a way; None where it runs. Any settings of a route turn on what is off."""
    entry = find_override(filter_, levels)
    disabled = filter_.spot.at("disabled") if entry is None else unwrap_override(entry)[1]
    return disabled if disabled.is_on else None


def unwrap_override(entry: Spot) -> tuple[Spot, Spot]:
    """Give a route's settings for a filter, and the switch that turns the filter off."""
    name, config = typed(entry)
    if not name.endswith(".FilterConfig"):
        return config, config.at("disabled")
    _, inner = typed(config.at("config"))
    own = config.at("disabled")
    return inner, own if own.is_on else inner.at("disabled")


def name_spot(name: str, near: Spot) -> Spot:
    """Replace a filter of which only the name is known."""
    return Spot(Node({"name": Node(name, near.line)}, near.line), (), near.line)
