"""Envoy Gateway's manifests: SecurityPolicy, EnvoyExtensionPolicy, and what routes and other policies add."""

from agen_authz.envoy.check.authz import check_limit, check_timeout
from agen_authz.envoy.check.kind import ENVOY_GATEWAY
from agen_authz.envoy.check.proc import check_message_timeout
from agen_authz.envoy.check.sheet import NAMESPACE, Sheet, is_trusted
from agen_authz.envoy.check.spot import Spot

_UNDERSCORES = ("", "RejectRequest", "DropHeader")
_ESCAPED = ("", "RejectRequest")
_FILTERS = (
    "RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite", "CORS",
)  # fmt: skip
_FILTER_MEMBERS = frozenset({
    "type", "request_header_modifier", "response_header_modifier", "request_mirror", "request_redirect", "uRLRewrite",
    "url_rewrite", "cors",
})  # fmt: skip
_STREAMED = ("Streamed", "FullDuplexStreamed")
_BODY_MODES = {"Buffered": "proc-buffered", "BufferedPartial": "proc-partial"}


def check_security_policies(sheet: Sheet, policies: list[Spot]) -> None:
    """Check SecurityPolicies; one without `extAuth` next to one that has it replaces it for its targets."""
    guarded = [policy for policy in policies if policy.at("spec", "ext_auth").is_written]
    for policy in policies:
        sheet.report.checked.append("Envoy Gateway SecurityPolicy")
        if policy in guarded:
            _check_ext_auth(sheet, policy.at("spec", "ext_auth"))
        elif not guarded:
            sheet.add("authz-missing", policy)
        elif not policy.at("spec", "merge_type").is_written:
            sheet.add("policy-overrides", policy)


def _check_ext_auth(sheet: Sheet, auth: Spot) -> None:
    for defect_id, key in (("failure-mode-allow", "fail_open"), ("clear-route-cache", "recompute_route")):
        sheet.want(defect_id, auth.at(key), is_good=not auth.at(key).is_on)
    if auth.at("http").is_written:
        sheet.add("http-authz", auth.at("http"))
    status = auth.at("status_on_error")
    sheet.want("status-on-error", status, is_good=status.word == "503")
    hidden = auth.at("headers_to_ext_auth")
    sheet.want("headers-hidden", hidden, is_good=not hidden.is_written)
    check_timeout(sheet, auth.at("timeout"))
    body = auth.at("body_to_ext_auth")
    if body.is_written:
        check_limit(sheet, body.at("max_request_bytes"))
    else:
        sheet.add("no-body", body)


def check_extension_policy(sheet: Sheet, policy: Spot) -> None:
    """Check an EnvoyExtensionPolicy: its Wasm and Lua run after ext_authz, its ext_proc must see all."""
    sheet.report.checked.append("Envoy Gateway EnvoyExtensionPolicy")
    spec = policy.at("spec")
    for key in ("wasm", "lua", "dynamic_module"):
        for script in spec.at(key).items():
            sheet.add("script-after", script)
    for proc in spec.at("ext_proc").items():
        _check_ext_proc(sheet, proc)


def _check_ext_proc(sheet: Sheet, proc: Spot) -> None:
    sheet.want("proc-failure-mode-allow", proc.at("fail_open"), is_good=not proc.at("fail_open").is_on)
    check_message_timeout(sheet, proc.at("message_timeout"))
    sheet.want("proc-status", proc.at("status_on_error"), is_good=proc.at("status_on_error").word == "502")
    mode = proc.at("processing_mode")
    body = mode.at("response", "body")
    sheet.want(_BODY_MODES.get(body.text, "proc-no-body"), body, is_good=body.text in _STREAMED)
    override = mode.at("allow_mode_override")
    sheet.want("proc-mode-override", override, is_good=not override.is_on)
    request = mode.at("request")
    sheet.want("proc-request-headers", request, is_good=not request.is_written)
    sheet.want("proc-request-body", request.at("body"), is_good=not request.at("body").is_written)
    spaces = proc.at("metadata", "accessible_namespaces")
    sheet.want("proc-metadata", spaces, is_good=NAMESPACE in spaces.words)
    if NAMESPACE in proc.at("metadata", "writable_namespaces").words:
        sheet.add("metadata-after", proc.at("metadata", "writable_namespaces"))


def check_http_route(sheet: Sheet, manifest: Spot) -> None:
    """Check an HTTPRoute for mirrors, headers that it writes after the decision, and filters that are not known."""
    for rule in manifest.at("spec", "rules").items():
        filters = [*rule.at("filters").items()]
        filters += [item for ref in rule.at("backend_refs").items() for item in ref.at("filters").items()]
        sheet.want("retry", rule.at("retry"), is_good=not rule.at("retry").is_written)
        for item in filters:
            if item.at("request_mirror").is_written:
                sheet.add("mirror", item)
            if not _is_known(item):
                sheet.add("unchecked", item)
            _check_modifier(sheet, item.at("request_header_modifier"))


def _is_known(item: Spot) -> bool:
    """True if a filter of a route is of a known type; what it extends by is known if it is Envoy Gateway's own kind."""
    extension = item.at("extension_ref")
    if extension.is_written:
        return (extension.at("group").text, extension.at("kind").text) == (ENVOY_GATEWAY, "HTTPRouteFilter")
    return item.at("type").text in _FILTERS and all(key in _FILTER_MEMBERS for key, _ in item.members())


def check_route_filter(sheet: Sheet, manifest: Spot) -> None:
    """Check an HTTPRouteFilter: a credential that it injects is written after the decision."""
    spec = manifest.at("spec")
    for key, member in spec.members():
        if key == "credential_injection":
            sheet.add("altered-after", member)
        elif key not in ("url_rewrite", "direct_response"):
            sheet.add("unchecked", member)


def _check_modifier(sheet: Sheet, modifier: Spot) -> None:
    for key in ("set", "add"):
        for header in modifier.at(key).items():
            if is_trusted(header.at("name").text):
                sheet.add("headers-after", header)
    if any(is_trusted(name) for name in modifier.at("remove").words):
        sheet.add("headers-after", modifier.at("remove"))


def check_client_policy(sheet: Sheet, policy: Spot) -> None:
    """Check a ClientTrafficPolicy for what it takes away; what it does not say is Envoy Gateway's, and good."""
    sheet.report.checked.append("Envoy Gateway ClientTrafficPolicy")
    headers, path = policy.at("spec", "headers"), policy.at("spec", "path")
    underscores, escaped = headers.at("with_underscores_action"), path.at("escaped_slashes_action")
    sheet.want("underscores", underscores, is_good=underscores.text in _UNDERSCORES)
    sheet.want("escaped-slashes", escaped, is_good=escaped.text in _ESCAPED)
    unmerged = path.at("disable_merge_slashes")
    sheet.want("merge-slashes", unmerged, is_good=not unmerged.is_on)


def check_proxy(sheet: Sheet, manifest: Spot) -> None:
    """Check an EnvoyProxy: what it changes or reorders in Envoy's own configuration is not followed."""
    for key in ("bootstrap", "filter_order"):
        patch = manifest.at("spec", key)
        sheet.want("unread-patch", patch, is_good=not patch.is_written)


def check_gateway_settings(sheet: Sheet, manifest: Spot) -> None:
    """Check Envoy Gateway's own configuration: an extension's server may write all that Envoy gets."""
    extension = manifest.at("extension_manager")
    sheet.want("unread-patch", extension, is_good=not extension.is_written)


def check_traffic_policy(sheet: Sheet, policy: Spot) -> None:
    """Check a BackendTrafficPolicy for retries, upgrades, compression before ext_proc, and replaced answers."""
    spec = policy.at("spec")
    for override in spec.at("response_override").items():
        sheet.add("response-altered", override)
    sheet.want("retry", spec.at("retry"), is_good=not spec.at("retry").is_written)
    for upgrade in spec.at("http_upgrade").items():
        sheet.add("upgrade", upgrade)
    for key in ("compression", "compressor"):
        sheet.want("proc-compressor", spec.at(key), is_good=not spec.at(key).items())
