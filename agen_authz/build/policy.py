"""Policies of the configuration become the table that calls are held to."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from agen_authz.build.approval import NO_FLOWS, Flows, build_flows, digest_section
from agen_authz.config import Config
from agen_authz.config.part.scope import name_of
from agen_authz.config.part.selector import Selecting
from agen_authz.config.sections import policies as conf
from agen_authz.core.cel.condition import Condition, ConditionMistake
from agen_authz.core.model import Effect, State, TargetKind
from agen_authz.core.policy.stepup import Demand
from agen_authz.core.policy.table import Policy, PolicyTable, compile_policies, environment

# By their texts, as they were compiled when the file was checked.
Compiled: TypeAlias = Mapping[str, Condition]
NOT_COMPILED: Compiled = {}


def build_policies(config: Config, compiled: Compiled = NOT_COMPILED) -> PolicyTable:
    """Build every policy, and those of tenants."""
    flows = build_flows(config)
    tenants = {name: _build_all(tenant.policies, compiled, flows) for name, tenant in (config.tenants or {}).items()}
    return compile_policies(_build_all(config.policies, compiled, flows), tenants)


def _build_all(policies: Iterable[conf.Policy], compiled: Compiled, flows: Flows) -> list[Policy]:
    return [build_policy(policy, compiled, flows) for policy in policies]


def build_policy(policy: conf.Policy, compiled: Compiled = NOT_COMPILED, flows: Flows = NO_FLOWS) -> Policy:
    """Build one policy.

    Args:
        compiled: `Loaded.conditions`; a condition that is not among them is compiled here.
        flows: what `flow` may name.
    """
    flow = None if policy.flow is None else flows.get(policy.flow)
    return Policy(
        name=policy.name,
        state=State(policy.state),
        effect=Effect(policy.then),
        selectors=build_selectors(policy),
        conditions=build_conditions(policy.when, compiled),
        message=policy.message,
        demand=None if policy.step_up is None else _build_demand(policy.step_up),
        flow=policy.flow or "",
        digest=None if flow is None else digest_section(policy, flow.digest),
    )


def build_selectors(named: Selecting) -> tuple[tuple[TargetKind, str], ...]:
    """Collect what a policy or a rule is about."""
    written = (
        (TargetKind.TOOL, named.tools),
        (TargetKind.RESOURCE, named.resources),
        (TargetKind.PROMPT, named.prompts),
    )
    return tuple((kind, selector) for kind, selectors in written for selector in selectors or ())


def build_conditions(when: Iterable[str] | None, compiled: Compiled = NOT_COMPILED) -> tuple[Condition, ...]:
    """Collect conditions, compiled; `compiled` as in `build_policy`."""
    return tuple(compiled.get(text) or _compile(text) for text in when or ())


def _compile(text: str) -> Condition:
    compiled = environment().compile(text)
    if isinstance(compiled, ConditionMistake):
        # INVARIANT: the loader refuses a file with such a condition.
        raise ValueError(f"a condition that was not checked: {compiled.message}")
    return compiled


def _build_demand(demand: conf.StepUpDemand) -> Demand:
    return Demand(
        acr=None if demand.acr is None else tuple(demand.acr),
        amr=None if demand.amr is None else tuple(demand.amr),
        max_age_s=demand.max_age,
        scope=None if demand.scope is None else name_of(demand.scope),
        request_as=None if demand.scope is None or isinstance(demand.scope, str) else demand.scope.request_as,
    )
