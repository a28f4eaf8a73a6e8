"""All that is outside of one decision, as one value: the ports, and what is remembered from call to call."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.crowd import Crowd
from agen_authz.ports import AuditSink, Clock, DecisionMetrics, Entropy, KeySource, TaskStore
from agen_authz.ports.approval import ApprovalMetrics, ApprovalStore
from agen_authz.refusal_log import RefusalLog
from agen_authz.token_cache import TokenCache
from agen_authz.waiting import Bulkhead
from agen_authz.wire.template import Templates

# Held calls only wait: few enough that looking for their decisions does not keep the store busy.
_HELD = 64


class CheckMetrics(DecisionMetrics, ApprovalMetrics, Protocol):
    """Counts what Check does."""

    def time_approval(self, flow: str, seconds: float) -> None:
        """Count how long approvers took to grant what a call uses now."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a request is decided with; no part of it decides anything.

    Args:
        catalogue: what is known of tools, and `schemas` their schemas, compiled.
        tokens: verified tokens, and `templates`: rendered parts of answers; both are new with every RuleSet.
        waiting: bounds how many calls wait.
        refusals: what operators read of refused tokens.
        crowd: counts decisions that have no event each.
        approvals: None if nothing is configured that asks for approval.
        holding: bounds how many calls are held for an approval, and `sleep` is how they wait.
    """

    clock: Clock
    entropy: Entropy
    keys: KeySource
    audit: AuditSink
    metrics: CheckMetrics
    catalogue: CurrentCatalogue
    tasks: TaskStore
    tokens: TokenCache
    templates: Templates
    waiting: Bulkhead
    schemas: SchemaCompiler = field(default_factory=SchemaCompiler)
    refusals: RefusalLog = field(default_factory=RefusalLog)
    crowd: Crowd = field(default_factory=Crowd)
    approvals: ApprovalStore | None = None
    holding: Bulkhead = field(default_factory=lambda: Bulkhead(_HELD))
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
