"""The settings of an HTTP connection manager that come before any filter."""

from agen_authz.envoy.check.filter_chain import Filter
from agen_authz.envoy.check.header_change import read_mutations
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot
from agen_authz.envoy.check.way import Way

_ON = (
    ("normalize-path", "normalize_path"),
    ("merge-slashes", "merge_slashes"),
    ("remote-address", "use_remote_address"),
)
_REFUSED = ("REJECT_REQUEST", "2")
_DROPPED = ("REJECT_REQUEST", "DROP_HEADER", "1", "2")
ENVOY_PREFIX = "x-envoy-"
_NOBODY = ("255.255.255.255", 32)
_BACKEND_HEADERS = frozenset({"server", "www-authenticate", "location", "set-cookie"})


def check_connection(sheet: Sheet, connections: Spot, ways: tuple[Way, ...] = ()) -> None:
    """Check what a request must look like before a filter sees it; `ways` are all that lead on, if known."""
    for defect_id, key in _ON:
        sheet.want(defect_id, connections.at(key), is_good=connections.at(key).is_on)
    escaped = connections.at("path_with_escaped_slashes_action")
    sheet.want("escaped-slashes", escaped, is_good=escaped.word in _REFUSED)
    underscores = connections.at("common_http_protocol_options", "headers_with_underscores_action")
    sheet.want("underscores", underscores, is_good=underscores.word in _DROPPED)
    informational = connections.at("proxy_100_continue")
    sheet.want("proxy-100", informational, is_good=not informational.is_on)
    for upgrade in connections.at("upgrade_configs").items():
        if _is_open(upgrade) and not (ways and all(_refuses(way, upgrade) for way in ways)):
            sheet.add("upgrade", upgrade)


def check_upgrades(sheet: Sheet, upgrades: Spot) -> None:
    """Check the upgrades of a route: one that is not switched off is on."""
    for upgrade in upgrades.items():
        if _is_open(upgrade):
            sheet.add("upgrade", upgrade)


def _is_open(upgrade: Spot) -> bool:
    enabled = upgrade.at("enabled")
    return enabled.is_on or not enabled.is_written


def _refuses(way: Way, upgrade: Spot) -> bool:
    """True if a route switches an upgrade of its connection manager off: what a route says of a type overrules it."""
    kind = upgrade.at("upgrade_type").text.lower()
    said = [
        each
        for each in way.route.at("route", "upgrade_configs").items()
        if each.at("upgrade_type").text.lower() == kind
    ]
    return bool(said) and not any(_is_open(each) for each in said)


def check_duration(sheet: Sheet, connections: Spot, ways: tuple[Way, ...]) -> None:
    """Check that every stream that reaches a cluster ends some time."""
    general = connections.at("common_http_protocol_options", "max_stream_duration")
    for way in ways:
        own = way.route.at("route", "max_stream_duration", "max_stream_duration")
        limit = own if own.is_written else general
        # Also the time for a whole answer ends a stream; Envoy's is 15 s if none is written.
        timeout = way.route.at("route", "timeout")
        is_timed = not timeout.is_written or (timeout.seconds or 0.0) > 0
        sheet.want("stream-duration", limit, is_good=is_timed or (limit.seconds or 0.0) > 0)


def check_envoy_headers(sheet: Sheet, connections: Spot, filters: tuple[Filter, ...]) -> None:
    """Check that only Envoy writes `x-envoy-*`, on the way in and on the way out."""
    first = [filter_.config.at("mutations") for filter_ in _until_authz(filters)]
    removes_in = any(_removes_prefix(mutations.at("request_mutations")) for mutations in first)
    removes_out = any(_removes_prefix(mutations.at("response_mutations")) for mutations in first)
    internal = connections.at("internal_address_config")
    sheet.want("internal-clients", internal, is_good=removes_in or not _trusts_clients(internal))
    sheet.want("backend-envoy-headers", connections.at("http_filters"), is_good=removes_out)


def _trusts_clients(internal: Spot) -> bool:
    """True if any client counts as internal: since Envoy 1.33 none does unless it is written."""
    if not internal.is_written:
        return False
    ranges = internal.at("cidr_ranges").items()
    # An empty list stands for the private networks, also in Envoy 1.40.
    return not ranges or any(
        (entry.at("address_prefix").text, entry.at("prefix_len").number) != _NOBODY for entry in ranges
    )


def _until_authz(filters: tuple[Filter, ...]) -> list[Filter]:
    families = [filter_.family for filter_ in filters]
    return [filter_ for filter_ in filters[: families.index("ext_authz")] if filter_.family == "header_mutation"]


def _removes_prefix(mutations: Spot) -> bool:
    return any(change.kind == "remove" and change.touches_all_of(ENVOY_PREFIX) for change in read_mutations(mutations))


def check_backend_headers(sheet: Sheet, ways: tuple[Way, ...]) -> None:
    """Check that what a backend says about itself and its own sessions does not reach clients."""
    for way in ways:
        removed = {name.lower() for level in way.levels for name in level.at("response_headers_to_remove").words}
        if not removed >= _BACKEND_HEADERS:
            sheet.add("backend-headers", way.levels[0])
