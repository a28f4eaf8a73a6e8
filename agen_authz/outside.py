"""All that is outside of one decision, as one value: the ports, and what is remembered from call to call."""

from dataclasses import dataclass, field

from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.crowd import Crowd
from agen_authz.ports import AuditSink, Clock, DecisionMetrics, Entropy, KeySource, TaskStore
from agen_authz.refusal_log import RefusalLog
from agen_authz.token_cache import TokenCache
from agen_authz.waiting import Bulkhead
from agen_authz.wire.template import Templates


@dataclass(frozen=True, slots=True)
class Ports:
    """What a request is decided with; no part of it decides anything.

    Args:
        catalogue: what is known of tools, and `schemas` their schemas, compiled.
        tokens: verified tokens, and `templates`: rendered parts of answers; both are new with every RuleSet.
        waiting: bounds how many calls wait.
        refusals: what operators read of refused tokens.
        crowd: counts decisions that have no event each.
    """

    clock: Clock
    entropy: Entropy
    keys: KeySource
    audit: AuditSink
    metrics: DecisionMetrics
    catalogue: CurrentCatalogue
    tasks: TaskStore
    tokens: TokenCache
    templates: Templates
    waiting: Bulkhead
    schemas: SchemaCompiler = field(default_factory=SchemaCompiler)
    refusals: RefusalLog = field(default_factory=RefusalLog)
    crowd: Crowd = field(default_factory=Crowd)
