"""`policies`, and what `tenants` add: what is denied, or asks for more."""

from collections.abc import Collection, Mapping
from itertools import chain
from typing import Literal

from pydantic import Field

from agen_authz.config.part.condition import check_conditions
from agen_authz.config.part.scope import Scope, check_scope
from agen_authz.config.part.selector import check_selectors
from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Name, Section, Selectors, Text
from agen_authz.config.reading.tree import Path
from agen_authz.config.reading.unit import PositiveSeconds
from agen_authz.core.identity.scope import is_scope

State = Literal["disabled", "shadow", "enforce"]


class StepUpDemand(Section):
    """What a stronger token must show. Everything that is given must hold."""

    acr: Lines | None = Field(None, description="Authentication contexts; the token must have one of them.")
    amr: Lines | None = Field(None, description="Authentication methods; the token must have one of them.")
    max_age: PositiveSeconds | None = Field(None, description="How long ago the caller may have authenticated at most.")
    scope: Scope | None = Field(
        None, description="A scope that the token must have; `{name, request_as}` as in `resources[].scopes`."
    )


class Policy(Section):
    """A policy denies calls or asks for more proof, under conditions."""

    name: Name = Field(description="The policy's name.")
    state: State = Field(description="disabled, shadow (evaluated and recorded, never enforced) or enforce.")
    tools: Selectors = Field(
        None,
        description="The tools that the policy is about. A policy without any selector is about every tool, resource"
        " and prompt.",
    )
    resources: Selectors = Field(None, description="Resource URIs it is about.")
    prompts: Selectors = Field(None, description="Prompts it is about.")
    when: tuple[Text, ...] | None = Field(
        None, description="CEL conditions; the policy applies if all of them hold, and always if there are none."
    )
    then: Literal["deny", "step_up", "require_approval"] = Field(description="What happens if the policy applies.")
    message: Line | None = Field(None, description="The text that the client gets.")
    flow: Line | None = Field(None, description="The approval flow; only with `then: require_approval`.")
    step_up: StepUpDemand | None = Field(None, description="What the token must show; only with `then: step_up`.")


class Tenant(Section):
    """What one tenant adds. It can only deny more or ask for more."""

    policies: tuple[Policy, ...] = Field(description="The policies of this tenant.")


def check_policies(
    findings: Findings,
    policies: tuple[Policy, ...],
    tenants: Mapping[str, Tenant],
    known: Vocabulary,
    flows: Collection[str],
) -> None:
    """Check policies, and those of tenants; `flows` are the names of the approval flows."""
    lists: list[tuple[Path, tuple[Policy, ...]]] = [(("policies",), policies)]
    for name, tenant in tenants.items():
        lists.append((("tenants", name, "policies"), tenant.policies))
    placed = list(chain.from_iterable(((path, at, policy) for at, policy in enumerate(held)) for path, held in lists))
    findings.refuse_same((((*path, at, "name"), policy.name) for path, at, policy in placed), "policies")
    for path, at, policy in placed:
        here: Path = (*path, at)
        check_selectors(findings, here, policy, known)
        check_conditions(findings, here, policy.when, known)
        _check_effect(findings, here, policy, flows)


def _check_effect(findings: Findings, path: Path, policy: Policy, flows: Collection[str]) -> None:
    for key, then in (("flow", "require_approval"), ("step_up", "step_up")):
        is_given = getattr(policy, key) is not None
        if is_given != (policy.then == then):
            cure = f"give `{key}` with `then: {then}`, and only there"
            findings.add(path, f"`then: {policy.then}` and `{key}` do not go together", cure)
    if policy.flow is not None and policy.flow not in flows:
        leans_on = (("approvals", "flows"),)
        cure = "add it under `approvals.flows`"
        findings.add((*path, "flow"), f"unknown flow `{policy.flow}`", cure, leans_on=leans_on)
    if policy.step_up is not None:
        _check_demand(findings, (*path, "step_up"), policy.step_up)


def _check_demand(findings: Findings, path: Path, demand: StepUpDemand) -> None:
    for key in ("acr", "amr"):
        findings.refuse_empty((*path, key), getattr(demand, key), "at least one value")
        for index, value in enumerate(getattr(demand, key) or ()):
            # A challenge lists them in quotes as it does scopes (RFC 9470 section 3).
            if not is_scope(value):
                findings.add((*path, key, index), "not one word", "write the value without spaces and quotes")
    if all(value is None for value in (demand.acr, demand.amr, demand.max_age, demand.scope)):
        findings.add(path, "demands nothing", "give acr, amr, max_age or scope")
    if demand.scope is not None:
        check_scope(findings, (*path, "scope"), demand.scope)
