"""Why something was decided: every step as a tree, with what each condition read and said.

Values that callers choose, and claims, may be secrets: they are shown as digests unless they are asked for. The key of
these digests is of one run, or a reader of an amount's digest in the log of a build could try every amount.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from agen_authz.authoring.draft import Draft
from agen_authz.authoring.scenario import Decided
from agen_authz.core.approval.flow import FlowStep
from agen_authz.core.cel.condition import Condition
from agen_authz.core.cel.tree import ANY, Path, spell_path
from agen_authz.core.digest import digest_text
from agen_authz.core.model import Allow, Answer, Effect, Json
from agen_authz.core.policy.attribute import ATTRIBUTES, Situation
from agen_authz.core.policy.table import Policy, examine
from agen_authz.core.reason import Reason

_MAY_BE_SECRET = ("args", "inputs", "user.claims")
_DIGEST_CHARS = 12


@dataclass(frozen=True, slots=True)
class TraceNode:
    """One line of a trace, and the lines below it."""

    text: str
    children: tuple["TraceNode", ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole decision: its word, its Reason, the tree of what led to it, and why policies could not be evaluated.

    `protections` names the data-protection rules that apply to what comes back.
    """

    decision: str
    reason: Reason
    policies: tuple[str, ...]
    root: TraceNode
    causes: tuple[str, ...] = ()
    protections: tuple[str, ...] = ()


def trace_decision(draft: Draft, decided: Decided, *, digest_key: bytes | None) -> Trace:
    """Tell what led to a decision.

    Args:
        digest_key: of the digests that stand for arguments and claims; None shows the values themselves.
    """
    decision = decided.decision
    word, reason = decision.word, decision.reason
    why = decision.why
    steps = [
        TraceNode(" ".join(filter(None, (step.check, step.outcome, step.rule))))
        for step in why
        if step.check not in ("policy", "data_protection")
    ]
    tried = [node for situation in decided.situations() for node in _trace_policies(draft, situation, digest_key)]
    protections = decision.protections if isinstance(decision, Allow) else ()
    masked = _trace_protections(draft, decided, protections, digest_key) if isinstance(decision, Allow) else ()
    matched = () if isinstance(decision, Answer) else decision.matched
    names = tuple(each.policy for each in matched)
    causes = tuple(dict.fromkeys(f"policy `{each.policy}`, {each.cause}" for each in matched if each.cause))
    root = TraceNode(f"{word}: {reason.value}", (*steps, *tried, *masked))
    return Trace(word, reason, names, root, causes, protections)


def _trace_policies(draft: Draft, situation: Situation, digest_key: bytes | None) -> Iterator[TraceNode]:
    policies = draft.rules.policies
    outcomes = {match.policy.name: match.outcome.value for match in policies.evaluate(situation)}
    for policy in policies.list_for(situation.principal.tenant, situation.target):
        said = outcomes.get(policy.name, "does not apply")
        conditions = tuple(_trace_condition(each, situation, digest_key) for each in policy.conditions)
        head = f"policy `{policy.name}` ({policy.state.value}, {policy.effect.value}): {said}"
        yield TraceNode(head, conditions + _trace_demand(policy) + _trace_flow(draft, policy))


def _trace_protections(
    draft: Draft, decided: Decided, applying: Collection[str], digest_key: bytes | None
) -> Iterator[TraceNode]:
    """Tell of every rule that names what the call names, and of every other that applies."""
    situations = decided.situations()
    named = {
        rule.name: situation
        for situation in situations
        for rule in draft.rules.protections.list_for(situation.principal.tenant, situation.target)
    }
    for name in draft.rules.protection_rules:
        if name not in named and name not in applying:
            continue
        rule = draft.protections[name]
        said = "applies" if name in applying else "does not apply"
        # A call that names nothing has no values that conditions could be shown with.
        conditions = tuple(_trace_condition(each, named[name], digest_key) for each in rule.conditions if name in named)
        yield TraceNode(f"data protection `{name}` ({rule.state.value}): {said}", conditions)


def _trace_condition(condition: Condition, situation: Situation, digest_key: bytes | None) -> TraceNode:
    paths = [path for path in sorted(condition.tree.paths) if path[0] in ATTRIBUTES]
    values = {root: ATTRIBUTES[root].read(situation) for root in dict.fromkeys(path[0] for path in paths)}
    said = examine(condition, situation)
    word, why = (
        ("cannot be evaluated", (TraceNode(f"because {said}"),)) if isinstance(said, str) else (str(said).lower(), ())
    )
    read = tuple(TraceNode(f"{spell_path(path)} = {_show(path, values[path[0]], digest_key)}") for path in paths)
    return TraceNode(f"{condition.text} -> {word}", why + read)


def _trace_demand(policy: Policy) -> tuple[TraceNode, ...]:
    demand = policy.demand
    if demand is None:
        return ()
    asked = {
        "acr": " or ".join(demand.acr or ()),
        "amr": " or ".join(demand.amr or ()),
        "max_age": "" if demand.max_age_s is None else f"{demand.max_age_s:g} s",
        "scope": demand.scope,
    }
    return (TraceNode("demands " + ", ".join(f"{name} {value}" for name, value in asked.items() if value)),)


def _trace_flow(draft: Draft, policy: Policy) -> tuple[TraceNode, ...]:
    flow = draft.rules.approvals.flows.get(policy.flow)
    if policy.effect is not Effect.REQUIRE_APPROVAL or flow is None:
        return ()
    steps = tuple(TraceNode(_spell_step(each)) for each in flow.steps)
    end = "approves" if flow.approves_on_timeout else "denies"
    return (TraceNode(f"asks flow `{flow.name}`; no decision within {flow.timeout_s:g} s {end}", steps),)


def _spell_step(step: FlowStep) -> str:
    kinds = (("role", step.approvers.roles), ("group", step.approvers.groups), ("email", step.approvers.emails))
    who = ", ".join(f"{kind} {name}" for kind, names in kinds for name in sorted(names))
    return f"step `{step.name}`: {step.quorum} of {who}"


def _show(path: Path, value: object, digest_key: bytes | None) -> str:
    found = value
    for step in path[1:]:
        if step == ANY or not isinstance(found, dict) or step not in found:
            return "(several)" if step == ANY else "(not there)"
        found = found[step]
    if found is None:
        return "(not there)" if value is None else "null"
    if path[0] in _MAY_BE_SECRET and digest_key is not None:
        return f"({type(found).__name__}, digest {_digest(found, digest_key)})"
    shown = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str)
    # What a terminal would obey is not shown to it.
    return "".join(char if char.isprintable() else "?" for char in shown)


def _digest(value: Json | object, key: bytes) -> str:
    # Not orjson: a claim may be a number that it does not write.
    return digest_text(json.dumps(value, sort_keys=True), key)[:_DIGEST_CHARS]


def render_text(trace: Trace) -> str:
    """Draw what led to a decision as a tree, one line each."""
    return "\n".join(draw_tree(trace.root))


def draw_tree(node: TraceNode) -> list[str]:
    """Draw a node and what is below it."""
    lines, last = [node.text], len(node.children) - 1
    for index, child in enumerate(node.children):
        head, *below = draw_tree(child)
        lines.append(("└─ " if index == last else "├─ ") + head)
        lines += [("   " if index == last else "│  ") + line for line in below]
    return lines


def as_object(trace: Trace) -> dict[str, Any]:
    """Write a trace down as `--json` prints it."""
    decided = {"decision": trace.decision, "reason": trace.reason.value, "policies": list(trace.policies)}
    return {**decided, "data_protection": list(trace.protections), "trace": _node_as_object(trace.root)}


def _node_as_object(node: TraceNode) -> dict[str, Any]:
    return {"text": node.text, "children": [_node_as_object(child) for child in node.children]}
