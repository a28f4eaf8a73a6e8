"""`agen-authz envoy-config --check`: an existing Envoy configuration, examined for ways past Check."""

from agen_authz.envoy.examination.examine import DEFAULT_REQUEST_BYTES, examine
from agen_authz.envoy.examination.report import Finding, Report, Severity
from agen_authz.envoy.examination.text import render_json, render_text

__all__ = ["DEFAULT_REQUEST_BYTES", "Finding", "Report", "Severity", "examine", "render_json", "render_text"]
