"""`agen-authz envoy-config --check`: an existing Envoy configuration, checked for ways past Check."""

from agen_authz.envoy.check.file import DEFAULT_REQUEST_BYTES, check_file
from agen_authz.envoy.check.report import Finding, Report, Severity
from agen_authz.envoy.check.text import render_json, render_text

__all__ = ["DEFAULT_REQUEST_BYTES", "Finding", "Report", "Severity", "check_file", "render_json", "render_text"]
