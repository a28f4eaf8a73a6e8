"""What the filters before and after ext_authz may do."""

from agen_authz.envoy.check.cluster import read_options
from agen_authz.envoy.check.filter_chain import Filter, find_override, read_filter, unwrap_override
from agen_authz.envoy.check.guard import runs_somewhere
from agen_authz.envoy.check.header_change import read_mutations
from agen_authz.envoy.check.sheet import NAMESPACE, Sheet
from agen_authz.envoy.check.spot import Spot
from agen_authz.envoy.check.way import Way

_SCRIPTS = frozenset({"lua", "wasm", "golang", "dynamic_modules", "composite", "match_delegate", "reverse_conn"})
_ALTERING = frozenset({
    "aws_lambda", "aws_request_signing", "credential_injector", "dynamic_forward_proxy", "gcp_authn",
    "grpc_http1_bridge", "grpc_http1_reverse_bridge", "grpc_json_reverse_transcoder", "grpc_json_transcoder",
    "grpc_web",
    "jwt_authn", "mcp_json_rest_bridge", "mcp_router", "oauth2", "on_demand", "original_src", "transform",
})  # fmt: skip
# They may refuse, delay, count or compress; none writes what a backend or Process trusts.
_HARMLESS = frozenset({
    "adaptive_concurrency", "admission_control", "alpn", "alternate_protocols_cache", "bandwidth_limit", "buffer",
    "compressor", "cors", "csrf", "decompressor", "ext_authz", "ext_proc", "fault", "grpc_stats", "header_mutation",
    "header_to_metadata", "health_check", "json_to_metadata", "local_ratelimit", "metadata_exchange", "peer_metadata",
    "io.istio.http.peer_metadata.Config", "stats.PluginConfig",
    "rate_limit_quota", "ratelimit", "rbac", "router", "set_filter_state", "set_metadata", "sse_to_metadata",
    "stateful_session", "stats", "istio_stats", "upstream_codec",
})  # fmt: skip
# Before the decision they do no harm: they refuse, answer, or say something about a request.
_HARMLESS_BEFORE = frozenset({
    "api_key_auth", "basic_auth", "custom_response", "file_system_buffer", "geoip", "grpc_field_extraction",
    "authn", "ip_tagging", "istio_authn", "kill_request", "mcp", "proto_message_extraction", "squash", "tap",
    "thrift_to_metadata",
})  # fmt: skip
# Listed before Process, they act on a response after it was inspected.
_REWRITING = frozenset({
    "custom_response", "grpc_http1_bridge", "grpc_http1_reverse_bridge", "grpc_json_reverse_transcoder",
    "grpc_json_transcoder", "grpc_web", "mcp_json_rest_bridge", "transform",
})  # fmt: skip
_COMPRESSING = ("compressor", "decompressor")
_FORWARDS = "mcp_router"
_CACHES = frozenset({"cache", "cache_v2", "file_system_http_cache"})
_UNSTABLE = "mcp"
_NAMESPACE_KEYS = ("metadata_namespace", "receiving_namespaces")
_MAX_DEPTH = 40


def check_order(sheet: Sheet, filters: tuple[Filter, ...], ways: tuple[Way, ...]) -> None:
    """Check the chain around its first ext_authz filter."""
    filters = tuple(filter_ for filter_ in filters if runs_somewhere(filter_, ways) or filter_.family == "ext_authz")
    first = [filter_.family for filter_ in filters].index("ext_authz")
    for filter_ in filters:
        if filter_.spot.at("config_discovery").is_written:
            sheet.add("unread-filter", filter_.spot)
    for filter_ in filters[:first]:
        check_before(sheet, filter_)
        for config in _configs(filter_, ways):
            _check_metadata(sheet, "metadata-before", filter_, config)
    for filter_ in filters[first + 1 :]:
        check_after(sheet, filter_)
        for config in _configs(filter_, ways):
            _check_metadata(sheet, "metadata-after", filter_, config)
            _check_mutations(sheet, filter_, config)
    _check_proc_order(sheet, filters)


def _configs(filter_: Filter, ways: tuple[Way, ...]) -> list[Spot]:
    overrides = [find_override(filter_, way.levels) for way in ways]
    return [filter_.config, *(unwrap_override(entry)[0] for entry in overrides if entry is not None)]


def check_before(sheet: Sheet, filter_: Filter) -> None:
    """Check a filter that runs before the decision: it sees responses after Process did."""
    _check_cache(sheet, filter_)
    if filter_.family in _REWRITING:
        sheet.add("response-altered", filter_.spot)
    if filter_.family in _SCRIPTS:
        sheet.add("script-before", filter_.spot)
        if _says_namespace(filter_.config, 0):
            sheet.add("metadata-before", filter_.spot)
    if filter_.family == _UNSTABLE:
        sheet.add("mcp-filter", filter_.spot)
    known = _SCRIPTS | _ALTERING | _HARMLESS | _HARMLESS_BEFORE | _CACHES
    is_elsewhere = filter_.spot.at("config_discovery").is_written
    if filter_.family == _FORWARDS or (filter_.family not in known and not is_elsewhere):
        # It may answer or forward by itself, and then Check is not asked.
        sheet.add("unchecked", filter_.spot)


def _says_namespace(spot: Spot, depth: int) -> bool:
    """True if a script names our namespace; what it does with it is not read."""
    if NAMESPACE in spot.text:
        return True
    inner = (*(member for _, member in spot.members()), *(() if spot.is_mapping else spot.items()))
    return depth > _MAX_DEPTH or any(_says_namespace(part, depth + 1) for part in inner)


def check_after(sheet: Sheet, filter_: Filter) -> None:
    """Check a filter that runs after the decision."""
    family = filter_.family
    _check_cache(sheet, filter_)
    if family in _SCRIPTS:
        sheet.add("script-after", filter_.spot)
    elif family in _ALTERING or (family == "decompressor" and _decompresses_requests(filter_)):
        sheet.add("altered-after", filter_.spot)
    elif family not in _HARMLESS | _CACHES and not filter_.spot.at("config_discovery").is_written:
        sheet.add("unknown-after", filter_.spot)


def check_caches(sheet: Sheet, filters: tuple[Filter, ...]) -> None:
    """Check a chain that does not ask Check: it may be in front of one that does, and store its answers."""
    for filter_ in filters:
        _check_cache(sheet, filter_)


def _check_cache(sheet: Sheet, filter_: Filter) -> None:
    if filter_.family in _CACHES:
        sheet.add("cache", filter_.spot)


def _decompresses_requests(filter_: Filter) -> bool:
    enabled = filter_.config.at("request_direction_config", "common_config", "enabled", "default_value")
    return enabled.is_on or not enabled.is_written


def _check_metadata(sheet: Sheet, defect_id: str, filter_: Filter, config: Spot) -> None:
    # Whatever the filter is: namespaces that are written are in several places, one per rule.
    if _names_namespace(config, 0):
        sheet.add(defect_id, filter_.spot)


def _names_namespace(spot: Spot, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        return True
    for key, member in spot.members():
        if key in _NAMESPACE_KEYS and _mentions(member):
            return True
        if _names_namespace(member, depth + 1):
            return True
    return not spot.is_mapping and any(_names_namespace(item, depth + 1) for item in spot.items())


def _mentions(member: Spot) -> bool:
    lists = [inner.words for _, inner in member.members()]
    return member.text == NAMESPACE or NAMESPACE in member.words or any(NAMESPACE in words for words in lists)


def _check_mutations(sheet: Sheet, filter_: Filter, config: Spot) -> None:
    if filter_.family != "header_mutation":
        return
    mutations = config.at("mutations")
    for change in read_mutations(mutations.at("request_mutations")):
        if change.touches_trusted:
            sheet.add("headers-after", change.spot)
    for query in mutations.at("query_parameter_mutations").items():
        sheet.add("altered-after", query)


def check_upstream_filters(sheet: Sheet, filters: tuple[Filter, ...], ways: tuple[Way, ...]) -> None:
    """Check the filters of the router and of the clusters: they run after every decision."""
    routers = [filter_.config.at("upstream_http_filters") for filter_ in filters if filter_.family == "router"]
    names = sorted({name for way in ways for name in way.clusters})
    clusters = [sheet.clusters[name] for name in names if name in sheet.clusters]
    lists = [*routers, *(read_options(cluster).at("http_filters") for cluster in clusters)]
    for spot in (item for entries in lists for item in entries.items()):
        filter_ = read_filter(spot)
        check_after(sheet, filter_)
        _check_mutations(sheet, filter_, filter_.config)
        _check_metadata(sheet, "metadata-after", filter_, filter_.config)


def _check_proc_order(sheet: Sheet, filters: tuple[Filter, ...]) -> None:
    families = [filter_.family for filter_ in filters]
    for index, filter_ in enumerate(filters):
        if filter_.family == "ext_proc":
            _check_place_of(sheet, filter_, families[:index])
            for earlier in filters[families.index("ext_authz") : index]:
                if earlier.family in _REWRITING:
                    sheet.add("response-altered", earlier.spot)
            for later in filters[index + 1 :]:
                if later.family in _COMPRESSING:
                    sheet.add(f"proc-{later.family}", later.spot)


def _check_place_of(sheet: Sheet, proc: Filter, before: list[str]) -> None:
    if "ext_authz" not in before:
        sheet.add("proc-order", proc.spot)
