"""The settings of an ext_proc filter, and those that routes lay over them."""

from agen_authz.envoy.check.cluster import check_breakers, has_trailers
from agen_authz.envoy.check.filter_chain import Filter, find_override, unwrap_override
from agen_authz.envoy.check.sheet import NAMESPACE, Sheet
from agen_authz.envoy.check.spot import Spot, typed
from agen_authz.envoy.check.way import Way

# Names and numbers of ProcessingMode.BodySendMode.
_BODY_MODES = {
    "": "proc-no-body", "NONE": "proc-no-body", "0": "proc-no-body",
    "BUFFERED": "proc-buffered", "2": "proc-buffered",
    "BUFFERED_PARTIAL": "proc-partial", "3": "proc-partial",
    "GRPC": "proc-grpc-mode", "5": "proc-grpc-mode",
}  # fmt: skip
_NONE = ("", "NONE", "0")
_SKIP = ("SKIP", "2")
_SEND = ("SEND", "1")
_BAD_GATEWAY = ("BadGateway", "502")
_KEY = "agen.inspect"
_INPUT = ".DynamicMetadataInput"
_LOCAL_REPLY = ".HttpResponseLocalReplyMatchInput"
_SKIP_ACTION = ".SkipFilter"


def check_proc(sheet: Sheet, filter_: Filter) -> None:
    """Check one ext_proc filter."""
    config = filter_.config
    _check_switches(sheet, config)
    status = config.at("status_on_error", "code")
    sheet.want("proc-status", status, is_good=status.word in _BAD_GATEWAY)
    _check_timeout(sheet, config)
    _check_mode(sheet, config.at("processing_mode"), may_change=config.at("allow_mode_override").is_on)
    forwarded = config.at("metadata_options", "forwarding_namespaces", "untyped")
    sheet.want("proc-metadata", forwarded, is_good=NAMESPACE in forwarded.words)
    if filter_.matcher is not None:
        _check_skip(sheet, filter_.matcher)
    cluster = sheet.clusters.get(config.at("grpc_service", "envoy_grpc", "cluster_name").text)
    if cluster is not None:
        check_breakers(sheet, cluster)


def _check_switches(sheet: Sheet, config: Spot) -> None:
    allow = config.at("failure_mode_allow")
    sheet.want("proc-failure-mode-allow", allow, is_good=not allow.is_on)
    observing = config.at("observability_mode")
    sheet.want("proc-observing", observing, is_good=not observing.is_on)
    length = config.at("allow_content_length_header")
    sheet.want("proc-content-length", length, is_good=not length.is_on)


def _check_timeout(sheet: Sheet, config: Spot) -> None:
    timeout = config.at("message_timeout")
    sheet.want("proc-timeout", timeout, is_good=(timeout.seconds or 0.0) > 0)


def _check_mode(sheet: Sheet, mode: Spot, *, may_change: bool) -> None:
    body = mode.at("response_body_mode")
    defect_id = _BODY_MODES.get(body.word)
    # Process itself asks for the body where it may change the mode.
    is_ours_to_set = may_change and defect_id == "proc-no-body"
    if defect_id is not None:
        sheet.want(defect_id, body, is_good=is_ours_to_set)
    headers = mode.at("request_header_mode")
    sheet.want("proc-request-headers", headers, is_good=headers.word in _SKIP)
    request = mode.at("request_body_mode")
    sheet.want("proc-request-body", request, is_good=request.word in _NONE)


def check_proc_on(sheet: Sheet, filter_: Filter, way: Way) -> None:
    """Check what routes say about an ext_proc filter that runs on a way that reaches a cluster."""
    entry = find_override(filter_, way.levels)
    if entry is None:
        _check_trailers(sheet, filter_.config.at("processing_mode"), way)
        return
    config, _ = unwrap_override(entry)
    overrides = config.at("overrides")
    own = overrides.at("processing_mode")
    _check_trailers(sheet, own if own.is_written else filter_.config.at("processing_mode"), way)
    if overrides.at("failure_mode_allow").is_on:
        sheet.add("proc-failure-mode-allow", overrides.at("failure_mode_allow"))
    if overrides.at("processing_mode").is_written:
        _check_mode(sheet, overrides.at("processing_mode"), may_change=filter_.config.at("allow_mode_override").is_on)


def _check_trailers(sheet: Sheet, mode: Spot, way: Way) -> None:
    clusters = [sheet.clusters[name] for name in way.clusters if name in sheet.clusters]
    trailers = mode.at("response_trailer_mode")
    is_seen = trailers.word in _SEND or not any(has_trailers(cluster) for cluster in clusters)
    sheet.want("proc-trailers", trailers, is_good=is_seen)


def _check_skip(sheet: Sheet, matcher: Spot) -> None:
    """Check when ext_proc is skipped: only on the keyed word of Check, and for what Envoy answers itself."""
    matchers = matcher.at("matcher_list", "matchers").items()
    others = [spot for spot in (matcher.at("matcher_tree"), matcher.at("on_no_match")) if spot.is_written]
    for spot in others:
        sheet.add("proc-skip-other", spot)
    for item in matchers:
        action, _ = typed(item.at("on_match", "action", "typed_config"))
        if action and not action.endswith(_SKIP_ACTION):
            continue
        single = item.at("predicate", "single_predicate")
        if _is_local_reply(single):
            continue
        if not _is_ours(single):
            sheet.add("proc-skip-other", item)
            continue
        _, custom = typed(single.at("custom_match", "typed_config"))
        exact = custom.at("value", "string_match", "exact")
        sheet.want("proc-skip-plain", exact, is_good=exact.text.startswith("off-"))


def _is_ours(predicate: Spot) -> bool:
    name, source = typed(predicate.at("input", "typed_config"))
    _, custom = typed(predicate.at("custom_match", "typed_config"))
    keys = [part.at("key").text for part in source.at("path").items()]
    is_inverted = custom.at("invert").is_on
    return name.endswith(_INPUT) and source.at("filter").text == NAMESPACE and keys == [_KEY] and not is_inverted


def _is_local_reply(predicate: Spot) -> bool:
    name, _ = typed(predicate.at("input", "typed_config"))
    is_plain = not predicate.at("custom_match").is_written
    return is_plain and name.endswith(_LOCAL_REPLY) and predicate.at("value_match", "exact").text == "true"
