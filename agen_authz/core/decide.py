"""The decision: a pure, total function of the call, the caller, the facts and the rule set.

Whatever is asked, the first of these that refuses answers (design: refusals):
 1. session   the session is this caller's, and there is one if one is needed
 2. method    known to MCP in this era, or allowed by configuration; tasks are this caller's, and the rows below
              decide on the tools that made them: without arguments, unless answers are sent that policies may read
 3. access    every target that the call names is granted by a rule, and pinning does not hide the tool
 4. headers   those that repeat arguments repeat them
    arguments they fit the tool's approved definition, and so do the headers, if that is asked
 5. policies  what applies to any of the targets, combined by one table (`TABLE`); a posted response may be the
              answer to an elicitation, so a policy that reads `inputs` cannot be evaluated for it

A call that is allowed carries the data-protection rules that apply to what comes back (core/protection.py), and the
approvals that allow it once. If policies ask for approvals and `facts.approvals` is None, none was looked up: the call
is decided again with what is known of them (obligations/approve.py).
Arguments are examined from row 4 on: a caller who may not make the call cannot make anybody walk over them.
`may_list` asks rows 3 and 5 what a list may show.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from agen_authz.core.identity.token import find_provider
from agen_authz.core.message.method import Names, find_method, is_allowed_method
from agen_authz.core.message.mirror import is_mirrored
from agen_authz.core.model import (
    Allow,
    Approval,
    ApprovalStanding,
    AwaitApproval,
    BoundTask,
    Call,
    Deny,
    Digest,
    Effect,
    Era,
    Facts,
    Matched,
    Outcome,
    Owner,
    Principal,
    Resource,
    Shape,
    State,
    Step,
    StepUp,
    Target,
    TargetKind,
    Unfit,
)
from agen_authz.core.policy.access import AccessTable, Granted, NotGranted, Unmapped
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.stepup import Demand, challenge, is_satisfied
from agen_authz.core.policy.table import Match, Policy, PolicyTable
from agen_authz.core.policy.work import Work
from agen_authz.core.protection import find_protections
from agen_authz.core.reason import REFUSALS, Reason
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.stage import Judged, Read, get_arrived


def judge(read: Read, facts: Facts) -> Judged:
    """Decide what was read, by the rules that the request arrived under: for Check, and for all that authors try."""
    call, principal = read.call, read.known.principal
    decision = decide(call, principal, facts, get_arrived(read).rules)
    # The event and the inspection name the tool of a task if the task is the caller's.
    if call.task_ids and _check_tasks(call, facts.tasks, principal) is None:
        read = replace(read, call=_name_tools(call, facts.tasks))
    return Judged(read, decision)


def decide(call: Call, principal: Principal, facts: Facts, rules: RuleSet) -> Allow | StepUp | AwaitApproval | Deny:
    """Decide one call; never raises for any call that `core.message.mcp.parse` returned."""
    resource = rules.resources[call.server]
    # 1.
    refused = _check_session(call, facts)
    if refused is not None:
        return Deny(refused, (Step("session", refused.value),), call.envelope)
    # 2.
    refused = _check_method(call, facts, principal, resource)
    if refused is not None:
        return Deny(refused, (Step("method", refused.value),), call.envelope)
    # 3.
    why: list[Step] = [Step("method", "allowed", call.method)]
    call = _name_tools(call, facts.tasks)
    for target in call.targets:
        refused = _check_target(target, principal, facts, rules, why)
        if refused is not None:
            return Deny(refused, tuple(why), call.envelope, target)
    # 4.
    unfit = _check_fit(call, facts)
    if unfit is not None:
        return _refuse_unfit(unfit, call, why)
    # 5.
    work = Work()
    found = _find_matches(call, principal, facts, rules.policies, work)
    if found:
        stopped = _apply(_Case(call, principal, resource, facts, found))
        if stopped is not None:
            return replace(stopped, why=(*why, *stopped.why))
        why.extend(_steps_of(found))
    return _allow(why, facts, found, find_protections(call, principal, facts, rules, work=work))


def _allow(why: list[Step], facts: Facts, found: "list[_Found]", protections: tuple[Policy, ...]) -> Allow:
    if not protections and facts.approvals is None:
        return Allow(tuple(why), facts.session, _record(found) if found else ())
    grants = () if facts.approvals is None else _list_asked(found, facts)
    why.extend(map(_step_of_approval, grants))
    why.extend(Step("data_protection", each.state.value, each.name) for each in protections)
    return Allow(tuple(why), facts.session, _record(found), tuple(each.name for each in protections), grants)


# What calls a listed target; a resource may be subscribed to as well, by the same rules.
_CALLED_BY = {
    TargetKind.TOOL: "tools/call",
    TargetKind.RESOURCE: "resources/read",
    TargetKind.PROMPT: "prompts/get",
}


def may_list(
    target: Target, listing: Call, principal: Principal, facts: Facts, rules: RuleSet, *, work: Work | None = None
) -> bool:
    """True if a caller who is shown a target could use it: there are arguments with which a call is not denied.

    Rows 3 and 5 decide it as they decide the call; policies that read arguments are left out, since others may pass.

    Args:
        listing: the call that asks for the list.
        work: what this decision costs; new for each.
    """
    resource = rules.resources[listing.server]
    _, refused = _check_access(target, principal, resource, rules.access)
    if refused is not None:
        return False
    call = replace(listing, method=_CALLED_BY[target.kind], targets=(target,), arguments=None, inputs=None)
    situation = Situation(principal, call, target, facts, work or Work())
    found = [(target, match) for match in rules.policies.evaluate_without_arguments(situation)]
    return not isinstance(_apply(_Case(call, principal, resource, facts, found)), Deny)


def _find_matches(call: Call, principal: Principal, facts: Facts, policies: PolicyTable, work: Work) -> "list[_Found]":
    if call.envelope.shape is Shape.RESPONSE:
        # It names nothing: what it answers may be anything of the server.
        target = Target(TargetKind.TOOL, call.server, "")
        return [(target, match) for match in policies.evaluate_answer(Situation(principal, call, target, facts, work))]
    return [
        (target, match)
        for target in call.targets
        for match in _evaluate(policies, Situation(principal, call, target, facts, work))
    ]


def _evaluate(policies: PolicyTable, situation: Situation) -> Iterable[Match]:
    call = situation.call
    is_answer = call.inputs is not None or call.method == "tasks/update"
    if call.task_ids and situation.target.kind is TargetKind.TOOL and not is_answer:
        # What the arguments decide was decided when the task was made, and so was what people approved.
        matches = policies.evaluate_without_arguments(situation)
        return [each for each in matches if each.policy.effect is not Effect.REQUIRE_APPROVAL]
    return policies.evaluate(situation)


_MISMATCH = Unfit(Reason.HEADER_MISMATCH, "mcp-param-*")


def _check_fit(call: Call, facts: Facts) -> Unfit | None:
    if facts.fit is not None and call.method == "tools/call":
        return facts.fit.check(call)
    return None if call.mirrored is None or is_mirrored(call.mirrored) else _MISMATCH


def _refuse_unfit(unfit: Unfit, call: Call, why: list[Step]) -> Deny:
    if unfit.reason is Reason.HEADER_MISMATCH:
        return Deny(unfit.reason, (*why, Step("header", "mismatch", unfit.detail)), call.envelope)
    message = None
    if unfit.reason is Reason.INVALID_ARGUMENTS:
        # What the caller sent is in no answer; where it does not fit is, so that a model can mend it.
        message = f"{REFUSALS[unfit.reason].message[:-1]}: {unfit.detail}."
    step = Step("arguments", unfit.reason.value, unfit.detail)
    return Deny(unfit.reason, (*why, step), call.envelope, call.targets[0], message=message)


_Found: TypeAlias = tuple[Target, Match]


class _Case(Struct, frozen=True):
    """What the rows of the table answer for: one call, its caller, and every policy that was found for it."""

    call: Call
    principal: Principal
    resource: Resource
    facts: Facts
    found: list[_Found]


def _apply(case: _Case) -> Deny | StepUp | AwaitApproval | None:
    """Combine what the enforced policies ask for: the first row of `TABLE` that answers decides."""
    picked: dict[Row, list[_Found]] = {}
    for target, match in case.found:
        if match.policy.state is State.ENFORCE:
            # INVARIANT: every pair is in a row; one that was not would be a KeyError, which denies.
            row = _ROW_OF[match.outcome, match.policy.effect]
            picked.setdefault(row, []).append((target, match))
    answers = (row.answer(picked[row], case) for row in TABLE if row in picked)
    return next((answer for answer in answers if answer is not None), None)


def _deny(picked: list[_Found], case: _Case) -> Deny:
    target, match = picked[0]
    return _refuse(Reason.POLICY_DENIED, target, case, match.policy.message)


def _deny_unevaluated(picked: list[_Found], case: _Case) -> Deny:
    return _refuse(Reason.POLICY_ERROR, picked[0][0], case)


def _ask_for_more(picked: list[_Found], case: _Case) -> StepUp | None:
    unmet = [each for each in picked if not _is_met(each[1], case)]
    if not unmet:
        return None
    # All that this call needs, what is met already included: a login that brings the one may lose the other.
    ordered = [*unmet, *(each for each in picked if each not in unmet)]
    demands = [(match.policy.demand or Demand(), match.policy.message) for _, match in ordered]
    why = (*_steps_of(case.found), *(Step("step_up", "not_met", match.policy.name) for _, match in unmet))
    wanted = challenge(demands, case.principal)
    return StepUp(wanted, why, case.call.envelope, unmet[0][0], _record(case.found))


def _ask_people(picked: list[_Found], case: _Case) -> Deny | AwaitApproval | None:
    asked, call = _list_asked(picked, case.facts), case.call
    if call.envelope.shape is not Shape.REQUEST or call.method in _NEVER_APPROVED:
        return _refuse(Reason.APPROVAL_IMPOSSIBLE, asked[0].target, case)
    if all(each.standing is ApprovalStanding.GRANTED for each in asked):
        return None
    why = (*_steps_of(case.found), *map(_step_of_approval, asked))
    rejected = next((each for each in asked if each.standing is ApprovalStanding.REJECTED), None)
    if rejected is not None:
        return replace(_refuse(Reason.APPROVAL_REJECTED, rejected.target, case), why=why)
    wanted = tuple(each for each in asked if each.standing is not ApprovalStanding.GRANTED)
    return AwaitApproval(wanted, why, call.envelope, _opens_urls(call, case.facts), _record(case.found))


# Completions come with every key that a person types.
_NEVER_APPROVED = frozenset({"completion/complete"})


def _list_asked(found: list[_Found], facts: Facts) -> tuple[Approval, ...]:
    """List the approvals that enforced policies ask for, as they stand."""
    known = facts.approvals or {}
    return tuple(
        known.get((target, policy.name))
        or Approval(target, policy.name, policy.flow, policy.digest or Digest(""), message=policy.message)
        for target, match in found
        if (policy := match.policy).effect is Effect.REQUIRE_APPROVAL and policy.state is State.ENFORCE
    )


def _opens_urls(call: Call, facts: Facts) -> bool:
    if call.envelope.era is Era.MODERN:
        return call.declares_url
    return facts.session is not None and facts.session.declares_url


def _step_of_approval(approval: Approval) -> Step:
    return Step("approval", approval.standing.value, approval.policy)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row of the table: which policies it picks, by outcome and effect, and what it answers if it picks any.

    `answer` returns None if what the picked policies ask for is met; then the next row is asked.
    """

    picks: frozenset[tuple[Outcome, Effect]]
    answer: Callable[[list[_Found], _Case], Deny | StepUp | AwaitApproval | None]


# What masks decides nothing, and is in another table.
_DECIDING = frozenset(Effect) - {Effect.MASK}
# Everything that applies must be satisfied. What no token can change is answered first.
TABLE: tuple[Row, ...] = (
    Row(frozenset({(Outcome.APPLIES, Effect.DENY)}), _deny),
    Row(frozenset((Outcome.ERROR, effect) for effect in _DECIDING), _deny_unevaluated),
    Row(frozenset({(Outcome.APPLIES, Effect.STEP_UP)}), _ask_for_more),
    Row(frozenset({(Outcome.APPLIES, Effect.REQUIRE_APPROVAL)}), _ask_people),
)
_ROW_OF = {pair: row for row in TABLE for pair in row.picks}


def _refuse(reason: Reason, target: Target, case: _Case, message: str | None = None) -> Deny:
    why = _steps_of(case.found)
    return Deny(reason, why, case.call.envelope, target, message=message, matched=_record(case.found))


def _is_met(match: Match, case: _Case) -> bool:
    provider = find_provider(case.resource, case.principal.issuer)
    leeway_s = 0.0 if provider is None else provider.leeway_s
    demand = match.policy.demand
    return demand is not None and is_satisfied(demand, case.principal, now=case.facts.now, leeway_s=leeway_s)


def _steps_of(found: list[_Found]) -> tuple[Step, ...]:
    return tuple(_step_of(match) for _, match in found)


def _step_of(match: Match) -> Step:
    policy = match.policy
    return Step("policy", f"{policy.state.value}_{policy.effect.value}_{match.outcome.value}", policy.name)


def _record(found: list[_Found]) -> tuple[Matched, ...]:
    return tuple(
        Matched(match.policy.name, match.policy.effect, match.policy.state, match.outcome, match.cause)
        for _, match in found
    )


def _check_session(call: Call, facts: Facts) -> Reason | None:
    if call.session_id is not None:
        return None if facts.session is not None else Reason.SESSION_UNKNOWN
    shape = call.envelope.shape
    if shape is Shape.RESPONSE:
        return Reason.POSTED_RESPONSE
    return Reason.SESSION_MISSING if shape in (Shape.STREAM, Shape.END) else None


def _check_method(call: Call, facts: Facts, principal: Principal, resource: Resource) -> Reason | None:
    if call.envelope.shape in (Shape.STREAM, Shape.END):
        return None
    if call.uses_task:
        return _check_tasks(call, facts.tasks, principal)
    method = find_method(call.method, call.envelope.era)
    if method is not None and method.names is not Names.NOTHING:
        # INVARIANT: what names a target is decided on it; only a subscription may name none.
        named = call.targets or method.names is Names.SUBSCRIPTION
        return None if named else Reason.UNKNOWN_METHOD
    allowed = is_allowed_method(call.method, call.envelope, resource.methods)
    if allowed is None:
        return Reason.UNKNOWN_METHOD
    return None if allowed else Reason.METHOD_DENIED


def _name_tools(call: Call, tasks: tuple[BoundTask, ...] | None) -> Call:
    """Let a call that is about tasks name the tools that made them, so that a task ends with the right to its tool."""
    if not call.task_ids or tasks is None:
        return call
    tools = (Target(TargetKind.TOOL, call.server, task.tool) for task in tasks)
    return replace(call, targets=tuple(dict.fromkeys((*call.targets, *tools))))


def _check_tasks(call: Call, tasks: tuple[BoundTask, ...] | None, principal: Principal) -> Reason | None:
    if not call.task_ids or tasks is None or len(tasks) != len(call.task_ids):
        return Reason.TASK_UNSUPPORTED
    owner = Owner(principal.issuer, principal.subject)
    # An unknown task and one of another caller are answered alike.
    return None if all(task.owner == owner for task in tasks) else Reason.TASK_UNKNOWN


def _check_target(target: Target, principal: Principal, facts: Facts, rules: RuleSet, why: list[Step]) -> Reason | None:
    step, refused = _check_access(target, principal, rules.resources[target.server], rules.access)
    why.append(step)
    if refused is None and facts.unpinned is not None:
        refused = facts.unpinned
        why.append(Step("pinning", refused.value, target.name))
    return refused


def _check_access(
    target: Target, principal: Principal, resource: Resource, access: AccessTable
) -> tuple[Step, Reason | None]:
    found = access.check(principal, target)
    match found:
        case Granted(rule):
            return Step("access", "granted", rule), None
        case NotGranted():
            return Step("access", "not_granted", target.name), Reason.NOT_GRANTED
        case Unmapped():
            if resource.admits_unmapped:
                return Step("access", "unmapped_admitted", target.name), None
            return Step("access", "unmapped", target.name), Reason.UNMAPPED
    assert_never(found)
