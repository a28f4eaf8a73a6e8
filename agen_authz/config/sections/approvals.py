"""Cross-checks of `approvals`, `console` and `store`."""

from urllib.parse import urlsplit

from agen_authz.config.check_protection import POINTER
from agen_authz.config.finding import Findings
from agen_authz.config.flow import Flow, FlowStep
from agen_authz.config.tree import Path
from agen_authz.config.url import is_web_url
from agen_authz.core.http.loopback import is_loopback

_STORES = ("sqlite:///", "postgresql://")


def check_approvals(findings: Findings) -> None:
    """Check approval flows and what they need elsewhere."""
    config, path = findings.config, ("approvals",)
    approvals = config.approvals
    findings.refuse_twins((*path, "flows"), "name", (flow.name for flow in approvals.flows), "flows")
    if findings.is_written((*path, "flows")):
        findings.refuse_empty((*path, "flows"), approvals.flows, "at least one flow")
    if approvals.hold >= config.server.check_timeout:
        message = "not shorter than `server.check_timeout`, which is all that Envoy waits"
        leans_on = (("server", "check_timeout"),)
        findings.add((*path, "hold"), message, "shorten it, or give Envoy more time", leans_on=leans_on)
    if approvals.flows and approvals.base_url is None:
        findings.add((*path, "base_url"), "flows need it", "say where approvers open the console")
    if approvals.flows and config.store.encryption_key_file is None:
        cure = "name a file with a key of 32 bytes"
        findings.add((*path, "flows"), "flows need `store.encryption_key_file`: arguments are kept encrypted", cure)
    if approvals.base_url is not None and not _is_page(approvals.base_url):
        findings.add((*path, "base_url"), "not a URL for people", "write https://host; http on loopback only")
    for index, flow in enumerate(approvals.flows):
        _check_flow(findings, (*path, "flows", index), flow)


def _is_page(url: str) -> bool:
    if is_web_url(url, ("https",)):
        return True
    return is_web_url(url, ("http",)) and is_loopback(urlsplit(url).hostname or "")


def _check_flow(findings: Findings, path: Path, flow: Flow) -> None:
    findings.refuse_empty((*path, "steps"), flow.steps, "at least one step")
    findings.refuse_twins((*path, "steps"), "name", (step.name for step in flow.steps), "steps")
    if flow.on_timeout == "approve" and not flow.low_risk:
        message = "no decision would approve the call"
        findings.add((*path, "on_timeout"), message, "use `deny`, or say `low_risk: true`")
    for index, pointer in enumerate(flow.show_arguments):
        if not POINTER.fullmatch(pointer):
            findings.add((*path, "show_arguments", index), "not a JSON pointer (RFC 6901)", "write one such as /amount")
    for index, step in enumerate(flow.steps):
        _check_step(findings, (*path, "steps", index), step)


def _check_step(findings: Findings, path: Path, step: FlowStep) -> None:
    approvers = step.approvers
    if step.quorum < 1:
        findings.add((*path, "quorum"), "nobody would have to approve", "give a quorum of at least 1")
    if not approvers.roles and not approvers.groups and not approvers.emails:
        findings.add((*path, "approvers"), "nobody may approve", "name roles, groups or emails")
    elif not approvers.roles and not approvers.groups and len(_distinct(approvers.emails)) < step.quorum:
        findings.add((*path, "quorum"), "more than there are approvers", "lower it, or name more of them")
    for index, email in enumerate(approvers.emails):
        if not all(email.rpartition("@")) or " " in email:
            findings.add((*path, "approvers", "emails", index), "not an e-mail address", "write name@host")


def _distinct(emails: tuple[str, ...]) -> set[str]:
    return {email.casefold() for email in emails}


def check_console(findings: Findings) -> None:
    """Check who signs in to the console."""
    console = findings.config.console
    if console is None:
        return
    names = [provider.name for provider in findings.config.providers]
    if console.provider not in names:
        cure = "name one of " + ", ".join(f"`{name}`" for name in names)
        message = f"unknown provider `{console.provider}`"
        findings.add(("console", "provider"), message, cure, leans_on=(("providers",),))
    for key, holders in (("admins", console.admins), ("unmask", console.unmask)):
        if holders is not None:
            findings.refuse_empty(("console", key, "roles"), holders.roles, "at least one role")


def check_store(findings: Findings) -> None:
    """Check where state is kept."""
    store = findings.config.store
    if sum(value is not None for value in (store.url, store.url_env, store.url_file)) > 1:
        findings.add(("store",), "the url is given twice", "keep one of `url`, `url_env` and `url_file`")
    if store.url is None:
        return
    if not store.url.startswith(_STORES):
        findings.add(("store", "url"), "not the URL of a store", "write sqlite:////path")
    elif "@" in store.url and ":" in store.url.partition("://")[2].rpartition("@")[0]:
        cure = "move the url to a file or variable: `url_file`, `url_env`"
        findings.add(("store", "url"), "has a password in it", cure)
