"""Istio's manifests: policies with the CUSTOM action, and routes."""

from agen_authz.envoy.check.mesh_reach import is_custom
from agen_authz.envoy.check.sheet import Sheet, is_trusted
from agen_authz.envoy.check.spot import Spot


def check_authorization_policy(sheet: Sheet, policy: Spot) -> bool:
    """Check an AuthorizationPolicy with the CUSTOM action: it must be about every request."""
    if not is_custom(policy):
        return False
    sheet.report.checked.append("Istio AuthorizationPolicy")
    rules = policy.at("spec", "rules")
    sheet.want("istio-rules", rules, is_good=any(not rule.members() for rule in rules.items()))
    dry_run = policy.at("metadata", "annotations", "istio.io/dry-run")
    sheet.want("shadow-mode", dry_run, is_good=not dry_run.is_on)
    return True


def check_mesh_routes(sheet: Sheet, manifest: Spot) -> None:
    """Check a VirtualService for mirrors, retries, headers written after the decision, and ways that are not HTTP."""
    for key in ("tls", "tcp"):
        for route in manifest.at("spec", key).items():
            sheet.add("unguarded-route", route)
    for route in manifest.at("spec", "http").items():
        mirrors = [route.at("mirror")] if route.at("mirror").is_written else []
        for mirror in [*mirrors, *route.at("mirrors").items()]:
            sheet.add("mirror", mirror)
        retries = route.at("retries")
        sheet.want("retry", retries, is_good=not retries.is_written or retries.at("attempts").number == 0)
        destinations = [entry.at("headers") for entry in route.at("route").items()]
        for headers in (route.at("headers"), *destinations):
            _check_headers(sheet, headers.at("request"))


def _check_headers(sheet: Sheet, changes: Spot) -> None:
    for key in ("set", "add"):
        for name, value in changes.at(key).members():
            if is_trusted(name):
                sheet.add("headers-after", value)
    if any(is_trusted(name) for name in changes.at("remove").words):
        sheet.add("headers-after", changes.at("remove"))
