"""`approvals`: calls that a person must approve."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from agen_authz.config.part.pointer import POINTER
from agen_authz.config.part.url import is_web_url
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Name, Section
from agen_authz.config.reading.tree import Path
from agen_authz.config.reading.unit import Count, PositiveSeconds, Seconds
from agen_authz.config.sections.store import Store
from agen_authz.core.approval.pairing import name_console
from agen_authz.core.http.loopback import is_loopback


class Approvers(Section):
    """Who may decide. Roles and groups are compared at sign-in; messages are sent to e-mail addresses."""

    roles: Lines = Field((), description="Roles.")
    groups: Lines = Field((), description="Groups.")
    emails: Lines = Field((), description="E-mail addresses.")


class FlowStep(Section):
    """One step of an approval."""

    name: Name = Field(description="The step's name.")
    approvers: Approvers = Field(description="Who may decide.")
    quorum: int = Field(1, description="How many must approve.")


class Notify(Section):
    """Who gets messages about requests for approval."""

    urls_file: Line | None = Field(None, description="The file with Apprise URLs, one on each line.")
    requester: bool = Field(True, description="True if the requester gets messages, too.")


class Flow(Section):
    """How a call is approved."""

    name: Name = Field(description="The flow's name.")
    steps: tuple[FlowStep, ...] = Field(description="Steps, in order.")
    timeout: PositiveSeconds = Field(description="How long the approvers have.")
    on_timeout: Literal["deny", "approve"] = Field("deny", description="The answer if there is no decision in time.")
    low_risk: bool = Field(False, description="Must be true for `on_timeout: approve`.")
    remind_every: PositiveSeconds | None = Field(None, description="How often approvers are reminded.")
    requester_may_approve: bool = Field(False, description="True if callers may approve their own calls.")
    show_arguments: Lines = Field((), description="JSON pointers shown unmasked to approvers.")
    notify: Notify = Field(Notify(), description="Who gets messages about requests.")


class Approvals(Section):
    """Calls that a person must approve."""

    base_url: Line | None = Field(None, description="Where approvers open the console.")
    hold: Seconds = Field(0.0, description="How long a call waits for a decision.")
    tasks: bool = Field(
        False, description="True if clients that declared the tasks extension are answered with a task."
    )
    grant_ttl: PositiveSeconds = Field(
        900.0, description="How long after the approval the call may be made; it may be made once."
    )
    max_open_per_subject: Count = Field(
        20, description="How many open requests one caller may have. Three times as many may be made within an hour."
    )
    retention: PositiveSeconds = Field(30 * 86400.0, description="How long arguments are kept.")
    flows: tuple[Flow, ...] = Field((), description="The flows that policies name.")


def check_approvals(findings: Findings, approvals: Approvals, check_timeout: float, store: Store) -> None:
    """Check approval flows and what they need elsewhere; `check_timeout` is how long Envoy waits, in seconds."""
    path = ("approvals",)
    findings.refuse_twins((*path, "flows"), "name", (flow.name for flow in approvals.flows), "flows")
    if findings.is_written((*path, "flows")):
        findings.refuse_empty((*path, "flows"), approvals.flows, "at least one flow")
    if approvals.hold >= check_timeout:
        message = "not shorter than `server.check_timeout`, which is all that Envoy waits"
        leans_on = (("server", "check_timeout"),)
        findings.add((*path, "hold"), message, "shorten it, or give Envoy more time", leans_on=leans_on)
    if approvals.flows and approvals.base_url is None:
        findings.add((*path, "base_url"), "flows need it", "say where approvers open the console")
    if approvals.flows and store.encryption_key_file is None:
        cure = "name a file with a key of 32 bytes"
        findings.add((*path, "flows"), "flows need `store.encryption_key_file`: arguments are kept encrypted", cure)
    if approvals.base_url is not None and not _is_page(approvals.base_url):
        findings.add((*path, "base_url"), "not a URL for people", "write https://host; http on loopback only")
    elif approvals.base_url is not None and approvals.base_url.rstrip("/") != name_console(approvals.base_url):
        # Forms are compared with it.
        findings.add((*path, "base_url"), "not as browsers write it", f"write {name_console(approvals.base_url)}")
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
        findings.add((*path, "quorum"), "no approver would have to approve", "give a quorum of at least 1")
    if not approvers.roles and not approvers.groups and not approvers.emails:
        findings.add((*path, "approvers"), "no approver is listed", "name roles, groups or emails")
    elif not approvers.roles and not approvers.groups and len(_distinct(approvers.emails)) < step.quorum:
        findings.add((*path, "quorum"), "more than there are approvers", "lower it, or name more of them")
    for index, email in enumerate(approvers.emails):
        if not all(email.rpartition("@")) or " " in email:
            findings.add((*path, "approvers", "emails", index), "not an e-mail address", "write name@host")


def _distinct(emails: tuple[str, ...]) -> set[str]:
    return {email.casefold() for email in emails}
