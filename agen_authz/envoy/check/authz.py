"""The settings of an ext_authz filter, and those that routes lay over them."""

from agen_authz.envoy.check.cluster import check_resets
from agen_authz.envoy.check.filter_chain import Filter, find_override, unwrap_override
from agen_authz.envoy.check.header_rule import may_refuse
from agen_authz.envoy.check.sheet import TRUSTED_HEADERS, Sheet
from agen_authz.envoy.check.source import canonical
from agen_authz.envoy.check.spot import Spot
from agen_authz.envoy.check.transport import check_transport
from agen_authz.envoy.check.way import Way

_OFF = (
    ("failure-mode-allow", "failure_mode_allow"),
    ("shadow-mode", "shadow_mode"),
    ("clear-route-cache", "clear_route_cache"),
)
_ON = (("mutations-unvalidated", "validate_mutations"), ("headers-joined", "encode_raw_headers"))
_HIDING = ("allowed_headers", "disallowed_headers")
_UNAVAILABLE = ("ServiceUnavailable", "503")
MAX_TIMEOUT_S = 10.0
_HUNDRED = {
    "": 100,
    "HUNDRED": 100,
    "0": 100,
    "TEN_THOUSAND": 10_000,
    "1": 10_000,
    "MILLION": 1_000_000,
    "2": 1_000_000,
}
_RBAC = "envoy.filters.http.rbac"
_SHADOW_POLICY = "shadow_effective_policy_id"


def check_authz(sheet: Sheet, filter_: Filter, before: tuple[Filter, ...]) -> None:
    """Check one ext_authz filter; `before` are the filters that run ahead of it."""
    config = filter_.config
    for defect_id, key in _OFF:
        sheet.want(defect_id, config.at(key), is_good=not config.at(key).is_on)
    for defect_id, key in _ON:
        sheet.want(defect_id, config.at(key), is_good=config.at(key).is_on)
    for key in _HIDING:
        sheet.want("headers-hidden", config.at(key), is_good=not config.at(key).is_written)
    status = config.at("status_on_error", "code")
    sheet.want("status-on-error", status, is_good=status.word in _UNAVAILABLE)
    ingestion = config.at("enable_dynamic_metadata_ingestion")
    sheet.want("metadata-off", ingestion, is_good=ingestion.is_on or not ingestion.is_written)
    _check_body(sheet, config.at("with_request_body"))
    _check_transport(sheet, config)
    _check_header_rules(sheet, config.at("decoder_header_mutation_rules"))
    _check_fraction(sheet, config)
    _check_metadata_switch(sheet, config.at("filter_enabled_metadata"), before)
    if filter_.matcher is not None:
        sheet.add("authz-skippable", filter_.matcher)


def _check_body(sheet: Sheet, body: Spot) -> None:
    if not body.is_written:
        sheet.want("no-body", body, is_good=False)
        return
    partial = body.at("allow_partial_message")
    sheet.want("partial-body", partial, is_good=not partial.is_on)
    packed = body.at("pack_as_bytes")
    sheet.want("body-as-text", packed, is_good=packed.is_on)
    check_limit(sheet, body.at("max_request_bytes"))


def check_limit(sheet: Sheet, limit: Spot) -> None:
    """Compare what Envoy buffers of a body with what Check reads."""
    size = limit.number or 0.0
    sheet.want("body-limit-small", limit, is_good=size >= sheet.request_bytes)
    sheet.want("body-limit-large", limit, is_good=size <= sheet.request_bytes)


def _check_transport(sheet: Sheet, config: Spot) -> None:
    if config.at("http_service").is_written:
        sheet.add("http-authz", config.at("http_service"))
        return
    check_timeout(sheet, config.at("grpc_service", "timeout"))
    if sheet.is_patch:
        return
    cluster = check_transport(sheet, config.at("grpc_service"), "authz")
    if cluster is not None:
        check_resets(sheet, cluster)


def check_timeout(sheet: Sheet, timeout: Spot) -> None:
    """Check the deadline of Check: it must be written, finite and short."""
    if not timeout.is_written:
        sheet.want("timeout-missing", timeout, is_good=False)
        return
    seconds = timeout.seconds
    sheet.want("timeout-long", timeout, is_good=seconds is not None and 0 < seconds <= MAX_TIMEOUT_S)


def _check_header_rules(sheet: Sheet, rules: Spot) -> None:
    if not rules.is_written:
        sheet.want("header-rules-missing", rules, is_good=False)
        return
    envoy = rules.at("allow_envoy")
    sheet.want("header-rules-envoy", envoy, is_good=envoy.is_on)
    refused = rules.at("disallow_expression", "regex")
    if rules.at("disallow_all").is_on or may_refuse(refused, TRUSTED_HEADERS):
        sheet.add("header-rules-deny", rules)


def _check_fraction(sheet: Sheet, config: Spot) -> None:
    enabled = config.at("filter_enabled")
    if not enabled.is_written:
        return
    share = enabled.at("default_value")
    numerator = share.at("numerator").number or 0.0
    whole = _HUNDRED.get(share.at("denominator").word, float("inf"))
    denies = config.at("deny_at_disable", "default_value")
    if not numerator >= whole:  # also what is not a number
        sheet.add("fraction-denied" if denies.is_on else "fraction", enabled)
    elif enabled.at("runtime_key").is_written and not denies.is_on:
        sheet.add("fraction-runtime", enabled)


def _check_metadata_switch(sheet: Sheet, switch: Spot, before: tuple[Filter, ...]) -> None:
    if not switch.is_written:
        return
    if not any(_is_always_on(switch, filter_) for filter_ in before if filter_.family == "rbac"):
        sheet.add("enabled-by-metadata", switch)


def _is_always_on(switch: Spot, rbac: Filter) -> bool:
    """True if an RBAC filter writes what a switch waits for, on every request.

    Istio's CUSTOM action does so: shadow rules write the name of the policy that matched. Shadow rules of another
    prefix, those of a dry run for one, say nothing about this switch.
    """
    rules, prefix = rbac.config.at("shadow_rules"), rbac.config.at("shadow_rules_stat_prefix").text
    keys = [part.at("key").text for part in switch.at("path").items()]
    if switch.at("filter").text != _RBAC or keys != [prefix + _SHADOW_POLICY] or switch.at("invert").is_on:
        return False
    wanted = canonical(switch.at("value", "string_match", "prefix").text)
    policies = rules.at("policies").members()
    return bool(wanted) and all(name.startswith(wanted) for name, _ in policies) and _matches_everything(rules)


def _matches_everything(rules: Spot) -> bool:
    for _, policy in rules.at("policies").members():
        permissions = any(_is_any(item, "rules") for item in policy.at("permissions").items())
        principals = any(_is_any(item, "ids") for item in policy.at("principals").items())
        if permissions and principals and not policy.at("condition").is_written:
            return True
    return False


def _is_any(item: Spot, inner: str) -> bool:
    if item.at("any").is_on:
        return True
    # Istio nests `and` of `or`s at most twice; deeper ones are not seen to match everything.
    parts = item.at(f"and_{inner}", inner).items()
    return bool(parts) and all(part.at("any").is_on for part in parts)


def check_authz_on(sheet: Sheet, filter_: Filter, way: Way) -> None:
    """Check what routes say about an ext_authz filter that runs on a way that reaches a cluster."""
    entry = find_override(filter_, way.levels)
    if entry is None:
        return
    settings = unwrap_override(entry)[0].at("check_settings")
    if settings.at("disable_request_body_buffering").is_on:
        sheet.add("no-body", settings.at("disable_request_body_buffering"))
    if settings.at("with_request_body").is_written:
        _check_body(sheet, settings.at("with_request_body"))
    for key in ("grpc_service", "http_service"):
        if settings.at(key).is_written:
            sheet.add("service-per-route", settings.at(key))
