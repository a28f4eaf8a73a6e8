"""What the console shows and decides by, from the configuration."""

from collections.abc import Iterable, Iterator, Mapping

from agen_authz.build.approval import Flows, build_flows, digest_section
from agen_authz.config import Config
from agen_authz.config.part.scope import name_of
from agen_authz.config.sections import policies as conf
from agen_authz.console.settings import ConsoleRules, PolicyView
from agen_authz.core.model import Digest, Provider
from agen_authz.core.ruleset import RuleSet
from agen_authz.wire.approval_event import EventTerms


def build_console_rules(
    config: Config, rules: RuleSet, provider: Provider, unmapped: Mapping[str, tuple[str, ...]]
) -> ConsoleRules:
    """Build what a reload replaces.

    Args:
        provider: that of `console.provider`.
        unmapped: by server, the tools that no access rule names.
    """
    return ConsoleRules(
        provider=provider,
        flows=rules.approvals.flows,
        terms=rules.approvals.terms,
        event=EventTerms(rules.version, rules.digest_key),
        policies=tuple(_list_policies(config)),
        revoked=rules.revoked,
        pinning=config.tools.pinning,
        unmapped=unmapped,
    )


def _list_policies(config: Config) -> Iterator[PolicyView]:
    flows = build_flows(config)
    yield from _view_all(config.policies, flows)
    for name, tenant in (config.tenants or {}).items():
        yield from _view_all(tenant.policies, flows, tenant=name)


def _view_all(policies: Iterable[conf.Policy], flows: Flows, tenant: str = "") -> Iterator[PolicyView]:
    for policy in policies:
        flow = None if policy.flow is None else flows.get(policy.flow)
        yield PolicyView(
            name=policy.name,
            state=policy.state,
            effect=policy.then,
            selectors=(*(policy.tools or ()), *(policy.resources or ()), *(policy.prompts or ())),
            conditions=tuple(policy.when or ()),
            flow=policy.flow or "",
            message=policy.message or _describe(policy),
            tenant=tenant,
            digest=Digest("") if flow is None else digest_section(policy, flow.digest),
        )


def _describe(policy: conf.Policy) -> str:
    """Say what a step-up demands, if the policy has no text."""
    demand = policy.step_up
    if demand is None:
        return ""
    parts = [
        f"{name} {', '.join(values)}"
        for name, values in (("acr", demand.acr), ("amr", demand.amr))
        if values is not None
    ]
    if demand.max_age is not None:
        parts.append(f"a login not older than {demand.max_age:g} s")
    if demand.scope is not None:
        parts.append(f"the scope {name_of(demand.scope)}")
    return "asks for " + " and ".join(parts)
