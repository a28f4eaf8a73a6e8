"""The settings of an ext_proc filter, and those that routes lay over them."""

from agen_authz.envoy.check.cluster import check_breakers, has_trailers
from agen_authz.envoy.check.filter_chain import Filter, find_override, unwrap_override
from agen_authz.envoy.check.header_rule import may_refuse
from agen_authz.envoy.check.proc_skip import check_skip
from agen_authz.envoy.check.sheet import NAMESPACE, Sheet
from agen_authz.envoy.check.spot import Spot, typed
from agen_authz.envoy.check.transport import check_transport
from agen_authz.envoy.check.way import Way

# Names and numbers of ProcessingMode.BodySendMode.
_STREAMED = ("STREAMED", "1", "FULL_DUPLEX_STREAMED", "4")
_BODY_MODES = {
    "BUFFERED": "proc-buffered", "2": "proc-buffered",
    "BUFFERED_PARTIAL": "proc-partial", "3": "proc-partial",
    "GRPC": "proc-grpc-mode", "5": "proc-grpc-mode",
}  # fmt: skip
_NONE = ("", "NONE", "0")
_DEFAULT = ("", "DEFAULT", "0")
_SKIP = ("SKIP", "2")
_SEND = ("SEND", "1")
_BAD_GATEWAY = ("BadGateway", "502")
_OFF = (
    ("proc-failure-mode-allow", "failure_mode_allow"),
    ("proc-observing", "observability_mode"),
    ("proc-mode-override", "allow_mode_override"),
    ("proc-answer-refused", "disable_immediate_response"),
)
_ABSENT = (
    ("proc-headers-hidden", "forward_rules"),
    ("proc-altered", "processing_request_modifier"),
    ("proc-altered", "on_processing_response"),
    ("proc-http", "http_service"),
)
# What Process writes into a response, or takes out of it.
_WRITTEN = ("cache-control", "content-encoding", "content-type", "location", "mcp-session-id", "set-cookie")
_MAX_TIMEOUT_S = 30.0
_NOTHING = Spot(None, (), 0)
_PER_ROUTE_MATCHER = ".ExtensionWithMatcherPerRoute"


def check_proc(sheet: Sheet, filter_: Filter) -> None:
    """Check one ext_proc filter."""
    config = filter_.config
    for defect_id, key in _OFF:
        sheet.want(defect_id, config.at(key), is_good=not config.at(key).is_on)
    for defect_id, key in _ABSENT:
        sheet.want(defect_id, config.at(key), is_good=not config.at(key).is_written)
    status = config.at("status_on_error", "code")
    sheet.want("proc-status", status, is_good=status.word in _BAD_GATEWAY)
    check_message_timeout(sheet, config.at("message_timeout"))
    _check_mode(sheet, config.at("processing_mode"))
    _check_metadata(sheet, config.at("metadata_options"))
    _check_rules(sheet, config.at("mutation_rules"))
    if filter_.matcher is not None:
        check_skip(sheet, filter_.matcher)
    if not sheet.is_patch and not config.at("http_service").is_written:
        cluster = check_transport(sheet, config.at("grpc_service"), "proc")
        if cluster is not None:
            check_breakers(sheet, cluster)


def check_message_timeout(sheet: Sheet, timeout: Spot) -> None:
    """Check how long Process may take for a message: it must be written, finite and short."""
    seconds = timeout.seconds or 0.0
    sheet.want("proc-timeout", timeout, is_good=seconds > 0)
    sheet.want("proc-timeout-long", timeout, is_good=seconds <= _MAX_TIMEOUT_S)


def _check_mode(sheet: Sheet, mode: Spot) -> None:
    body = mode.at("response_body_mode")
    sheet.want(_BODY_MODES.get(body.word, "proc-no-body"), body, is_good=body.word in _STREAMED)
    response = mode.at("response_header_mode")
    sheet.want("proc-response-headers", response, is_good=response.word in (*_DEFAULT, *_SEND))
    headers = mode.at("request_header_mode")
    sheet.want("proc-request-headers", headers, is_good=headers.word in _SKIP)
    request = mode.at("request_body_mode")
    sheet.want("proc-request-body", request, is_good=request.word in _NONE)


def _check_metadata(sheet: Sheet, options: Spot) -> None:
    forwarded = options.at("forwarding_namespaces", "untyped")
    sheet.want("proc-metadata", forwarded, is_good=NAMESPACE in forwarded.words)


def _check_rules(sheet: Sheet, rules: Spot) -> None:
    strict = rules.at("disallow_is_error")
    sheet.want("proc-header-ignored", strict, is_good=strict.is_on)
    if rules.at("disallow_all").is_on or may_refuse(rules.at("disallow_expression", "regex"), _WRITTEN):
        sheet.add("proc-header-rules", rules)


def check_proc_on(sheet: Sheet, filter_: Filter, way: Way) -> None:
    """Check what routes say about an ext_proc filter that runs on a way that reaches a cluster."""
    entry = find_override(filter_, way.levels)
    overrides = _NOTHING if entry is None else _read_overrides(sheet, entry)
    own = overrides.at("processing_mode")
    _check_trailers(sheet, own if own.is_written else filter_.config.at("processing_mode"), way)
    if own.is_written:
        _check_mode(sheet, own)
    if overrides.at("failure_mode_allow").is_on:
        sheet.add("proc-failure-mode-allow", overrides.at("failure_mode_allow"))
    if overrides.at("grpc_service").is_written:
        sheet.add("proc-service-per-route", overrides.at("grpc_service"))
    if overrides.at("processing_request_modifier").is_written:
        sheet.add("proc-altered", overrides.at("processing_request_modifier"))
    if overrides.at("metadata_options", "forwarding_namespaces").is_written:
        _check_metadata(sheet, overrides.at("metadata_options"))


def _read_overrides(sheet: Sheet, entry: Spot) -> Spot:
    """Read what a route lays over the settings; it may also bring its own matcher."""
    config, _ = unwrap_override(entry)
    names = (typed(entry)[0], typed(entry.at("config"))[0])
    if any(name.endswith(_PER_ROUTE_MATCHER) for name in names):
        check_skip(sheet, config.at("xds_matcher"))
    return config.at("overrides")


def _check_trailers(sheet: Sheet, mode: Spot, way: Way) -> None:
    clusters = [sheet.clusters[name] for name in way.clusters if name in sheet.clusters]
    trailers = mode.at("response_trailer_mode")
    is_seen = trailers.word in _SEND or not any(has_trailers(cluster) for cluster in clusters)
    sheet.want("proc-trailers", trailers, is_good=is_seen)
