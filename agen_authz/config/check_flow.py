"""Cross-checks of `approvals`, `console`, `store` and `audit`."""

from agen_authz.config.finding import Findings
from agen_authz.config.flow import Flow, Sink
from agen_authz.config.tree import Path

_NEEDED = {
    "stdout": (),
    "file": ("path",),
    "otlp": ("endpoint",),
    "syslog": ("address",),
    "splunk_hec": ("url", "token_file"),
    "https": ("url",),
}


def check_approvals(findings: Findings) -> None:
    """Check approval flows and what they need elsewhere."""
    config = findings.config
    approvals = config.approvals
    findings.refuse_twins(("approvals", "flows"), "name", (flow.name for flow in approvals.flows), "flows")
    if findings.is_written(("approvals", "flows")):
        findings.refuse_empty(("approvals", "flows"), approvals.flows, "at least one flow")
    if approvals.hold >= config.server.check_timeout:
        message = "not shorter than `server.check_timeout`, which is all that Envoy waits"
        findings.add(("approvals", "hold"), message, "shorten it, or give Envoy more time")
    if approvals.flows and approvals.base_url is None:
        findings.add(("approvals",), "flows need `base_url`", "say where approvers open the console")
    if approvals.flows and config.store.encryption_key_file is None:
        findings.add(("approvals",), "flows need `store.encryption_key_file`", "name a file with a key of 32 bytes")
    for index, flow in enumerate(approvals.flows):
        _check_flow(findings, ("approvals", "flows", index), flow)
    names = {provider.name for provider in config.providers}
    if config.console is not None and config.console.provider not in names:
        message = f"unknown provider `{config.console.provider}`"
        findings.add(("console", "provider"), message, "name one of `providers`")
    if sum(value is not None for value in (config.store.url, config.store.url_env, config.store.url_file)) > 1:
        findings.add(("store",), "the url is given twice", "keep one of `url`, `url_env` and `url_file`")


def _check_flow(findings: Findings, path: Path, flow: Flow) -> None:
    findings.refuse_empty((*path, "steps"), flow.steps, "at least one step")
    findings.refuse_twins((*path, "steps"), "name", (step.name for step in flow.steps), "steps")
    if flow.timeout <= 0:
        findings.add((*path, "timeout"), "not longer than zero", "give a duration such as 4h")
    if flow.on_timeout == "approve" and not flow.low_risk:
        message = "no decision would approve the call"
        findings.add((*path, "on_timeout"), message, "use `deny`, or say `low_risk: true`")
    for index, step in enumerate(flow.steps):
        here: Path = (*path, "steps", index)
        approvers = step.approvers
        if step.quorum < 1:
            findings.add((*here, "quorum"), "nobody would have to approve", "give a quorum of at least 1")
        if not approvers.roles and not approvers.groups and not approvers.emails:
            findings.add((*here, "approvers"), "nobody may approve", "name roles, groups or emails")
        elif not approvers.roles and not approvers.groups and len(set(approvers.emails)) < step.quorum:
            findings.add((*here, "quorum"), "more than there are approvers", "lower it, or name more of them")


def check_sinks(findings: Findings) -> None:
    """Check where events go."""
    sinks = findings.config.audit.sinks
    findings.refuse_empty(("audit", "sinks"), sinks, "at least one sink")
    findings.refuse_twins(("audit", "sinks"), "name", (sink.name for sink in sinks), "sinks")
    for index, sink in enumerate(sinks):
        _check_sink(findings, ("audit", "sinks", index), sink)


def _check_sink(findings: Findings, path: Path, sink: Sink) -> None:
    for key in _NEEDED[sink.type]:
        if getattr(sink, key) is None:
            findings.add(path, f"a sink of type {sink.type} needs `{key}`", f"add `{key}`")
