"""Approvals of the configuration: the flows, and what holds for all of them."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import orjson

from agen_authz.config import Config
from agen_authz.config.reading.section import Section
from agen_authz.config.sections import approvals as conf
from agen_authz.config.sections.console import Console, Holders
from agen_authz.core.approval.asking import ApprovalRules, derive_approval_key
from agen_authz.core.approval.flow import Approvers, Flow, FlowStep
from agen_authz.core.approval.table import Terms
from agen_authz.core.model import Digest

Flows: TypeAlias = Mapping[str, Flow]
NO_FLOWS: Flows = MappingProxyType({})
_FRESH_LOGIN_S: float = Console.model_fields["fresh_login"].default
# Who is sent messages, and how often, decides nothing: it may change while requests are open.
_TELLING = frozenset({"notify", "remind_every"})


def build_approvals(config: Config, digest_key: bytes) -> ApprovalRules:
    """Build how calls are approved.

    Args:
        digest_key: what the key of parameters' digests is derived from.
    """
    written, console = config.approvals, config.console
    return ApprovalRules(
        flows=build_flows(config),
        terms=Terms(
            grant_ttl_s=written.grant_ttl,
            fresh_login_s=_FRESH_LOGIN_S if console is None else console.fresh_login,
            admins=_list_roles(None if console is None else console.admins),
            unmask=_list_roles(None if console is None else console.unmask),
        ),
        max_open=written.max_open_per_subject,
        hold_s=written.hold,
        base_url=(written.base_url or "").rstrip("/"),
        key=derive_approval_key(digest_key),
        answers_with_tasks=written.tasks,
    )


def build_flows(config: Config) -> Flows:
    """Build every flow, by its name."""
    return {flow.name: _build_flow(flow) for flow in config.approvals.flows}


def _build_flow(flow: conf.Flow) -> Flow:
    return Flow(
        name=flow.name,
        steps=tuple(FlowStep(step.name, _build_approvers(step.approvers), step.quorum) for step in flow.steps),
        timeout_s=flow.timeout,
        approves_on_timeout=flow.on_timeout == "approve" and flow.low_risk,
        remind_every_s=flow.remind_every,
        requester_may_approve=flow.requester_may_approve,
        show_arguments=tuple(flow.show_arguments),
        tells_requester=flow.notify.requester,
        digest=digest_section(flow, leave_out=_TELLING),
    )


def _build_approvers(approvers: conf.Approvers) -> Approvers:
    emails = frozenset(email.casefold() for email in approvers.emails)
    return Approvers(frozenset(approvers.roles), frozenset(approvers.groups), emails)


def _list_roles(holders: Holders | None) -> frozenset[str]:
    return frozenset() if holders is None else frozenset(holders.roles)


def digest_section(section: Section, *more: str, leave_out: frozenset[str] = frozenset()) -> Digest:
    """Name a part of the configuration by its SHA-256, as hex; what is written as its default is as if it were not.

    So a version with more keys does not make open requests void.

    Args:
        more: what belongs to it.
        leave_out: keys that may change.
    """
    written = section.model_dump(mode="json", exclude_defaults=True, exclude=set(leave_out))
    return Digest(hashlib.sha256(orjson.dumps([written, *more], option=orjson.OPT_SORT_KEYS)).hexdigest())
