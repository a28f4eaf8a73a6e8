"""The settings of an ext_authz filter, and those that routes lay over them."""

import re
import warnings

from agen_authz.core.http.loopback import is_loopback
from agen_authz.envoy.check.cluster import check_resets
from agen_authz.envoy.check.endpoint import find_addresses, is_near
from agen_authz.envoy.check.filter_chain import Filter, find_override, unwrap_override
from agen_authz.envoy.check.sheet import TRUSTED_HEADERS, Sheet
from agen_authz.envoy.check.source import canonical
from agen_authz.envoy.check.spot import Spot, typed
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
_MAX_REGEX = 200
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
    google = config.at("grpc_service", "google_grpc")
    if google.is_written:
        _check_google(sheet, google)
        return
    name = config.at("grpc_service", "envoy_grpc", "cluster_name")
    cluster = sheet.clusters.get(name.text)
    if cluster is None:
        sheet.add("unread-cluster", name)
        return
    check_authz_cluster(sheet, cluster)


def check_timeout(sheet: Sheet, timeout: Spot) -> None:
    """Check the deadline of Check: it must be written, finite and short."""
    if not timeout.is_written:
        sheet.want("timeout-missing", timeout, is_good=False)
        return
    seconds = timeout.seconds
    sheet.want("timeout-long", timeout, is_good=seconds is not None and 0 < seconds <= MAX_TIMEOUT_S)


def _check_google(sheet: Sheet, google: Spot) -> None:
    target = google.at("target_uri")
    host = target.text.rpartition(":")[0].strip("[]")
    is_near = target.text.startswith("unix:") or is_loopback(host)
    secured = google.at("channel_credentials", "ssl_credentials").is_written
    sheet.want("authz-plaintext", target, is_good=is_near or secured)


def check_authz_cluster(sheet: Sheet, cluster: Spot) -> None:
    """Check how Check is reached: on this machine, or with TLS that verifies; and how much a connection carries."""
    check_resets(sheet, cluster)
    addresses = find_addresses(sheet, cluster)
    if addresses and all(is_near(address) for address in addresses):
        return
    name, tls = typed(cluster.at("transport_socket", "typed_config"))
    if not name.endswith(".UpstreamTlsContext"):
        if not cluster.at("transport_socket_matches").is_written:
            sheet.add("authz-plaintext", cluster)
        return
    settings = tls.at("common_tls_context")
    keys = ("validation_context", "combined_validation_context", "validation_context_sds_secret_config")
    written = [settings.at(key) for key in keys if settings.at(key).is_written]
    plain = settings.at("validation_context")
    is_empty = plain.is_written and not (plain.at("trusted_ca").is_written or plain.at("system_root_certs").is_written)
    if not written or is_empty:
        sheet.add("authz-unverified", cluster)


def _check_header_rules(sheet: Sheet, rules: Spot) -> None:
    if not rules.is_written:
        sheet.want("header-rules-missing", rules, is_good=False)
        return
    envoy = rules.at("allow_envoy")
    sheet.want("header-rules-envoy", envoy, is_good=envoy.is_on)
    refused = rules.at("disallow_expression", "regex")
    if rules.at("disallow_all").is_on or _matches_ours(refused):
        sheet.add("header-rules-deny", rules)


def _matches_ours(regex: Spot) -> bool:
    if not regex.text:
        return False
    if len(regex.text) > _MAX_REGEX:
        return True  # not checked, so not trusted
    try:
        with warnings.catch_warnings(action="ignore"):
            pattern = re.compile(regex.text)
    except (re.error, OverflowError, RecursionError):
        return True
    return any(pattern.fullmatch(header) for header in TRUSTED_HEADERS)


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
