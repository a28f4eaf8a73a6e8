"""Recorded decisions decided again under a draft, from audit events alone.

An event holds the caller, where the call came from and what it named, but of the arguments a keyed digest only, and
nothing of the tool's annotations: if a policy of the draft reads them, the call cannot be decided again, and the result
says so. An approval stands for the policy of the same name as it stood then; the approvals of other policies were not
asked for.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from agen_authz.authoring.approved import judge_approved
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.entry import enter, know
from agen_authz.authoring.replay.log_line import LogLine, read_log
from agen_authz.authoring.replay.replayed import Replayed
from agen_authz.authoring.replay.stage import Stage, find_stage
from agen_authz.core.errors import Rejected
from agen_authz.core.header import look_at
from agen_authz.core.http.context import Perimeter
from agen_authz.core.identity.token import VerifiedToken, admit_principal, find_provider
from agen_authz.core.message.method import METHODS, Names
from agen_authz.core.model import (
    Allow,
    Answer,
    AwaitApproval,
    Call,
    Context,
    Decision,
    Deny,
    Effect,
    Facts,
    Outcome,
    Principal,
    Request,
    Resource,
    Session,
    State,
)
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy, ask, list_reads
from agen_authz.core.reason import Reason
from agen_authz.core.stage import Read, Refused, check_scopes, refuse_token
from agen_authz.wire.recorded import NoEvent, Recorded, RecordedCall, read_event

_NOT_HELD = frozenset({"args", "inputs", "detected", "user.claims", "tool.annotations"})


def replay(draft: Draft, lines: Iterable[bytes]) -> Replayed:
    """Decide every event of an audit file or a container's log again; total: a line that is not an event is counted."""
    result = Replayed(ignores_pins=draft.rules.pinning is Pinning.ENFORCE or draft.rules.checks_arguments)
    for line in read_log(lines):
        if line.is_error:
            result.logged += 1
        else:
            _replay_line(draft, line, result)
    return result


def _replay_line(draft: Draft, line: LogLine, result: Replayed) -> None:
    recorded = read_event(line.text)
    if recorded is NoEvent.LOGGED:
        result.logged += 1
        return
    result.events += 1
    if isinstance(recorded, NoEvent):
        result.unreadable += 1
        result.first_unreadable = result.first_unreadable or line.number
    elif recorded.call is None or (stage := _stage_of(recorded, recorded.call)) is Stage.OUTSIDE:
        result.skipped += 1
    elif stage.missing:
        result.undecided += 1
        result.unheld[f"{recorded.decision} ({recorded.reason})", stage.missing] += 1
    else:
        _replay(draft, recorded, recorded.call, result)


def _stage_of(recorded: Recorded, held: RecordedCall) -> Stage:
    stage, method = find_stage(recorded.reason), METHODS.get(held.call.method)
    # What is asked of a task is decided on the tool that made it.
    is_about_task = method is not None and method.names is Names.TASK
    return Stage.TASKS if is_about_task and stage is not Stage.OUTSIDE else stage


def _replay(draft: Draft, recorded: Recorded, held: RecordedCall, result: Replayed) -> None:
    call, principal = held.call, held.principal
    target = ", ".join(f"{call.server}/{each.name}" for each in call.targets) or call.method
    before = f"{recorded.decision} ({recorded.reason})"
    if call.server not in draft.rules.resources:
        result.changes[before, "deny (unknown_path)", target, ""] += 1
        return
    if not held.is_whole:
        result.undecided += 1
        return
    facts = _facts_of(recorded, held, draft)
    entered = _enter(draft, held, facts)
    approvals = recorded.approvals or {}
    decision = (entered if isinstance(entered, Refused) else judge_approved(entered, facts, approvals)).decision
    if isinstance(decision, AwaitApproval) and recorded.approvals is None:
        result.undecided += 1
        return
    readers = [] if _stands_before_policies(decision) else _find_readers(draft, principal, call, facts)
    result.unanswerable.update({policy.name for policy in readers})
    if not _stands(decision, readers):
        result.undecided += 1
        return
    after = f"{decision.word} ({decision.reason.value})"
    masking = recorded.protections
    if masking is not None:
        unheld = _list_unheld(draft)
        before += _spell_masking(masking - unheld)
        after += _spell_masking(_list_masking(draft, decision) - unheld)
    if after == before:
        result.same += 1
        return
    unread = {policy.name for policy in readers}
    matched = () if isinstance(decision, Answer) else decision.matched
    names = dict.fromkeys(each.policy for each in matched if each.policy not in unread)
    result.changes[before, after, target, ", ".join(names)] += 1


def _enter(draft: Draft, held: RecordedCall, facts: Facts) -> Read | Refused:
    """Enter the recipe with a recorded caller, held to what the draft says of its resource; the token was verified."""
    principal, resource = held.principal, draft.rules.resources[held.call.server]
    routed = enter(draft.rules, _stand_in(held, resource), resource)
    provider = find_provider(resource, principal.issuer)
    if provider is None:
        return refuse_token(routed, Rejected(Reason.TOKEN_ISSUER))
    token = VerifiedToken(principal, "", min(provider.token_types), frozenset({resource.url}), None)
    admitted = admit_principal(token, provider, resource, revoked=draft.rules.revoked, now=facts.now)
    if isinstance(admitted, Rejected):
        return refuse_token(routed, admitted)
    known = know(routed, admitted)
    return check_scopes(known) or Read(known, held.call, facts.context)


def _stand_in(held: RecordedCall, resource: Resource) -> Request:
    # The call was read then: nothing is read of this request but its authority.
    return Request(
        method="POST",
        authority=held.authority,
        path=resource.path,
        headers={},
        names=look_at(()),
        repeated=frozenset(),
        raw_body=b"",
        has_text_body=False,
        is_partial=False,
        peer="",
    )


def _find_readers(draft: Draft, principal: Principal, call: Call, facts: Facts) -> list[Policy]:
    """List the policies that read what the event does not hold."""
    return [
        policy
        for target in call.targets
        for policy in draft.rules.policies.list_for(principal.tenant, target)
        if _NOT_HELD & set(list_reads(policy)) and not _is_settled(policy, Situation(principal, call, target, facts))
    ]


def _list_unheld(draft: Draft) -> frozenset[str]:
    """List the data-protection rules of which an event does not say if they apply."""
    return frozenset(rule.name for rule in draft.protections.values() if _NOT_HELD & set(list_reads(rule)))


def _list_masking(draft: Draft, decision: Decision) -> frozenset[str]:
    names = decision.protections if isinstance(decision, Allow) else ()
    return frozenset(name for name in names if draft.protections[name].state is State.ENFORCE)


def _spell_masking(names: frozenset[str]) -> str:
    return f", masked by {', '.join(f'`{name}`' for name in sorted(names))}" if names else ""


def _stands_before_policies(decision: Decision) -> bool:
    return find_stage(decision.reason) is not Stage.POLICIES


def _stands(decision: Decision, readers: list[Policy]) -> bool:
    """True if a decision is the same whatever these policies would have said."""
    enforced = {policy.name for policy in readers if policy.state is State.ENFORCE}
    if not enforced:
        return True
    # A denial of another policy comes before all that these could ask for.
    return decision.reason is Reason.POLICY_DENIED and any(
        each.effect is Effect.DENY and each.state is State.ENFORCE and each.outcome is Outcome.APPLIES
        for each in (decision.matched if isinstance(decision, Deny) else ())
        if each.policy not in enforced
    )


def _is_settled(policy: Policy, situation: Situation) -> bool:
    # A condition that reads only what is held and is false: the policy did not apply, whatever the others say.
    return any(
        ask(condition, situation) is False
        for condition in policy.conditions
        if _NOT_HELD.isdisjoint(path[0] for path in condition.tree.paths)
    )


def _find_networks(address: str, perimeter: Perimeter) -> tuple[str, ...]:
    ip = ip_address(address)
    return tuple(name for name, ranges in perimeter.networks.items() if any(ip in each for each in ranges))


def _facts_of(recorded: Recorded, held: RecordedCall, draft: Draft) -> Facts:
    # Sessions do not depend on a draft: what was recorded here belonged to its caller.
    session_id = held.call.session_id
    session = None if session_id is None else Session(session_id, declares_url=False)
    # Networks are the draft's own: those that were recorded had the names of another configuration.
    ip = held.context.ip
    networks = _find_networks(ip, draft.rules.perimeter) if ip is not None else ()
    context = Context(ip, networks, held.context.country, held.context.user_agent)
    return Facts(recorded.time, session, context, held.authority)
