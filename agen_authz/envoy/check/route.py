"""Routes: whether a way leads past Check, or changes a call after the decision."""

from agen_authz.envoy.check.connection import check_upgrades
from agen_authz.envoy.check.header_change import find_trusted
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot, typed
from agen_authz.envoy.check.way import Way

_AGAIN = (("hedge", "hedge_policy"), ("retry", "retry_policy"), ("retry", "retry_policy_typed_config"))
_BY_REQUEST = ("cluster_header", "cluster_specifier_plugin", "inline_cluster_specifier_plugin", "host_rewrite_header")
_BY_HOST = "dynamic_forward_proxy"
_EXACT = "path"


def check_ways(sheet: Sheet, ways: tuple[Way, ...]) -> None:
    """Check routes that reach a cluster through ext_authz."""
    for way in ways:
        for level in way.levels:
            for spot in find_trusted(level):
                sheet.add("headers-after", spot)
            _check_again(sheet, level)
        action = way.route.at("route")
        _check_again(sheet, action)
        check_action(sheet, action)
        entry = way.levels[-1]
        if entry.at("cluster_header").is_written:
            sheet.add("cluster-by-request", entry.at("cluster_header"))
        for name in way.clusters:
            cluster = sheet.clusters.get(name, entry)
            by_header = cluster.at("original_dst_lb_config", "use_http_header")
            sheet.want("cluster-by-request", by_header, is_good=not by_header.is_on)
            kind, _ = typed(cluster.at("cluster_type", "typed_config"))
            by_host = cluster.at("cluster_type", "name")
            sheet.want("cluster-by-request", by_host, is_good=_BY_HOST not in f"{kind} {by_host.text}")
        early = action.at("early_data_policy")
        sheet.want("early-data", early, is_good=not early.is_written)
        match = way.route.at("match")
        sheet.want("broad-match", match, is_good=match.at(_EXACT).is_written)
        if match.at("connect_matcher").is_written:
            sheet.add("upgrade", match)


def _check_again(sheet: Sheet, level: Spot) -> None:
    for defect_id, key in _AGAIN:
        policy = level.at(key)
        sheet.want(defect_id, policy, is_good=not policy.members())
    for mirror in level.at("request_mirror_policies").items():
        sheet.add("mirror", mirror)
    if level.at("request_mirror_policy").is_written:
        sheet.add("mirror", level.at("request_mirror_policy"))


def check_action(sheet: Sheet, action: Spot) -> None:
    """Check what one route does with a request."""
    for key in ("internal_redirect_policy", "internal_redirect_action"):
        redirect = action.at(key)
        sheet.want("internal-redirect", redirect, is_good=not redirect.is_written)
    for key in _BY_REQUEST:
        sheet.want("cluster-by-request", action.at(key), is_good=not action.at(key).is_written)
    check_upgrades(sheet, action.at("upgrade_configs"))
