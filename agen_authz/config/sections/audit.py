"""Cross-checks of `audit` and `telemetry`."""

from agen_authz.config.finding import Findings
from agen_authz.config.flow import Sink
from agen_authz.config.tree import Path
from agen_authz.config.url import is_web_url, split_address

# What a sink of each type needs, and what it may have besides.
_NEEDED: dict[str, tuple[str, ...]] = {
    "stdout": (), "file": ("path",), "otlp": ("endpoint",), "syslog": ("address",), "splunk_hec": ("url", "token_file"),
    "https": ("url",),
}  # fmt: skip
_MAY_HAVE: dict[str, tuple[str, ...]] = {
    "stdout": (), "file": ("rotate",), "otlp": ("ca_file",), "syslog": ("tls", "ca_file"),
    "splunk_hec": ("ca_file",), "https": ("secret_file", "ca_file"),
}  # fmt: skip
_OF_TYPES = ("path", "rotate", "endpoint", "address", "tls", "ca_file", "url", "token_file", "secret_file")


def check_sinks(findings: Findings) -> None:
    """Check where events and traces go."""
    sinks = findings.config.audit.sinks
    findings.refuse_empty(("audit", "sinks"), sinks, "at least one sink")
    findings.refuse_twins(("audit", "sinks"), "name", (sink.name for sink in sinks), "sinks")
    for index, sink in enumerate(sinks):
        _check_keys(findings, ("audit", "sinks", index), sink)
        _check_places(findings, ("audit", "sinks", index), sink)
    traces = findings.config.telemetry.traces
    if traces is not None and not is_web_url(traces):
        findings.add(("telemetry", "traces"), "not the URL of a collector", "write http://host:4317")


def _check_keys(findings: Findings, path: Path, sink: Sink) -> None:
    needed = _NEEDED[sink.type]
    for key in _OF_TYPES:
        is_given = getattr(sink, key) is not None
        if key in needed and not is_given:
            findings.add(path, f"a sink of type {sink.type} needs `{key}`", f"add `{key}`")
        if is_given and key not in needed + _MAY_HAVE[sink.type]:
            findings.add((*path, key), f"a sink of type {sink.type} has no `{key}`", "remove it")


def _check_places(findings: Findings, path: Path, sink: Sink) -> None:
    for key, url, schemes in (
        ("endpoint", sink.endpoint, ("https", "http")),
        ("url", sink.url, ("https",)),
    ):
        if url is not None and not is_web_url(url, schemes):
            findings.add((*path, key), "not a URL that events can go to", f"write {schemes[0]}://host, no user")
    if sink.address is not None and split_address(sink.address) is None:
        findings.add((*path, "address"), "not an address", "write host:port, such as siem.example.com:6514")
