"""A call that people must approve: their requests are looked up, opened and waited for, and a grant is used once.

`approve` is asked only for a call that policies want to be approved, so other calls never touch the store. A call
with a state to what a policy may want approved takes step 2 and no other:

1. bind   each approval to exactly this call: to its caller, its message, the tool's approved definition, the policy
2. trace  the state of a call that answers a question: its backend must have sent it for these arguments of this caller
3. find   what the store has of each approval, and judge the call again with that
4. open   requests for what is missing, all or none, and judge again
5. hold   the call for a while, in case an approver decides at once (`approvals.hold`)

`consume` uses the grants of an allowed call in one conditional write, right before its event. If that fails, the call
is denied; a grant that was used for it nevertheless is lost.
What time does to requests is noted by another process (workers/approvals.py): until then they are found as they were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson
from msgspec import structs

from agen_authz.approval_change import draw_id, list_messages
from agen_authz.core.approval.asking import ApprovalRules, bind, find_standing
from agen_authz.core.approval.continuing import STATE_KEY, may_ask, name_arguments, name_place, name_state
from agen_authz.core.approval.open import open_request
from agen_authz.core.approval.parameters import digest_call
from agen_authz.core.approval.request import MAX_KEPT_BYTES, ApprovalRequest, Binding, KeptCall
from agen_authz.core.approval.table import use
from agen_authz.core.decide import judge
from agen_authz.core.errors import Unavailable
from agen_authz.core.header import may_change_call
from agen_authz.core.identity.alias import read_aliases
from agen_authz.core.model import (
    Allow,
    Approval,
    ApprovalStanding,
    AwaitApproval,
    Digest,
    Facts,
    Json,
    Owner,
    Step,
    TargetKind,
)
from agen_authz.core.pinning.pin import name_approved
from agen_authz.core.reason import Reason
from agen_authz.core.response.need import may_need_approval
from agen_authz.core.stage import Ended, Judged, Read, Refused, get_arrived, refuse
from agen_authz.core.strict_json import keeps_numbers, parse_json
from agen_authz.obligations.approval_task import names_own_task, tell_task
from agen_authz.outside import Ports
from agen_authz.ports.approval import ApprovalStore, NewRequest
from agen_authz.waiting import Deadline
from agen_authz.wire.approval_event import ApprovalWord

# How often a held call looks, and which share of its time it may wait: the rest is for its answer.
_LOOK_EVERY_S, _SHARE_TO_HOLD = 0.5, 0.8


@dataclass(frozen=True, slots=True)
class _Asking:
    """One call that waits for approvals: what it asked for, each bound, and what it is judged by besides."""

    read: Read
    facts: Facts
    bound: Mapping[Digest, tuple[Approval, Binding]]
    params: Mapping[str, Json]
    store: ApprovalStore
    ports: Ports

    @property
    def rules(self) -> ApprovalRules:
        return _get_rules(self.read)


def is_about_approval(judged: Judged) -> bool:
    """True if people must approve a call, if its backend must have sent its state, or if it is about a task of ours."""
    if isinstance(judged.decision, AwaitApproval) or names_own_task(judged.stage.call):
        return True
    return judged.stage.call.has_state and isinstance(judged.decision, Allow) and may_need_approval(judged.stage)


async def approve(judged: Judged, facts: Facts, ports: Ports) -> Ended:
    """See a call through for which `is_about_approval` is true."""
    decision, arrived = judged.decision, get_arrived(judged.stage)
    if not keeps_numbers(judged.stage.known.routed.received.request.raw_body):
        # Approvers would see another number than its backend may read.
        return refuse(judged, Reason.APPROVAL_IMPOSSIBLE, Step("approval", "number"))
    deadline = Deadline(ports.clock, arrived.until)
    try:
        if names_own_task(judged.stage.call):
            return await ports.waiting.wait_until(deadline, partial(tell_task, judged, facts.now, ports))
        if not isinstance(decision, AwaitApproval):
            return await ports.waiting.wait_until(deadline, partial(_trace, judged, facts, ports))
        # 1.
        asking = _bind(judged.stage, decision, facts, ports)
        ended = await ports.waiting.wait_until(deadline, partial(_ask, asking, judged))
    except (Unavailable, TimeoutError) as exc:
        return _refuse_unavailable(judged, exc)
    hold_s = min(arrived.rules.approvals.hold_s, deadline.left_s() * _SHARE_TO_HOLD)
    if hold_s <= 0 or not isinstance(ended.decision, AwaitApproval):
        return ended
    until = deadline.at_most(hold_s)
    try:
        # 5.
        return await ports.holding.wait_until(until, partial(_hold, asking, ended, until))
    except (Unavailable, TimeoutError):
        # Nothing is lost: the caller asks again.
        return ended


def needs_grants(ended: Ended) -> bool:
    """True if a call is allowed only by grants that are used for it."""
    return isinstance(ended.decision, Allow) and ended.decision.grants != ()


async def consume(ended: Ended, ports: Ports, now: float) -> Ended:
    """Use the grants that an allowed call needs, or deny the call."""
    if not isinstance(ended, Judged) or not isinstance(ended.decision, Allow):
        return ended
    judged, decision, arrived = ended, ended.decision, get_arrived(ended.stage)
    rules = arrived.rules.approvals
    used = [after for each in judged.requests if isinstance(after := use(each, now), ApprovalRequest)]
    ids = [each.request for each in decision.grants]
    if [each.id for each in used] != ids:
        return _refuse_spent(judged)
    messages = [
        message
        for before, after in zip(judged.requests, used, strict=True)
        for message in list_messages(before, after, rules.flows.get(after.flow), ports.entropy, now)
    ]
    deadline = Deadline(ports.clock, arrived.until)
    try:
        write = partial(_get_store(ports).consume, ids, now, messages)
        is_used = await ports.waiting.wait_until(deadline, write)
    except (Unavailable, TimeoutError) as exc:
        return _refuse_unavailable(judged, exc)
    if not is_used:
        return _refuse_spent(judged)
    for each in judged.requests:
        ports.metrics.count_approval(each.flow, ApprovalWord.USED.value)
        ports.metrics.time_approval(each.flow, (each.decided_at or now) - each.created_at)
    return judged


def _refuse_spent(judged: Judged) -> Refused:
    return refuse(judged, Reason.APPROVAL_SPENT, Step("approval", "spent"))


def _refuse_unavailable(judged: Judged, cause: Unavailable | TimeoutError) -> Refused:
    if isinstance(cause, Unavailable):
        return refuse(judged, cause.reason, Step("approval", "unavailable", cause.name))
    return refuse(judged, Reason.DEADLINE, Step("approval", "late"))


def _get_rules(read: Read) -> ApprovalRules:
    return get_arrived(read).rules.approvals


def _get_store(ports: Ports) -> ApprovalStore:
    if ports.approvals is None:
        raise Unavailable(Reason.STORE_UNAVAILABLE, "approvals")
    return ports.approvals


def _bind(read: Read, decision: AwaitApproval, facts: Facts, ports: Ports) -> _Asking:
    call, principal = read.call, read.known.principal
    document, params = _read_message(read)
    parameters = digest_call(document, _find_headers(read), _get_rules(read).key)
    bound = {}
    for each in decision.wanted:
        binding = bind(call, principal, each, parameters, _find_definition(each, ports))
        bound[binding.name()] = each, binding
    return _Asking(read, facts, bound, params, _get_store(ports), ports)


def _read_message(read: Read) -> tuple[dict[str, Json], dict[str, Json]]:
    """Read the whole message, and its parameters."""
    # Few calls are asked for approval, so the others do not carry their parameters along.
    limits = get_arrived(read).rules.limits
    document = parse_json(read.known.routed.received.request.raw_body, limits.json_depth, limits.json_values)
    params = document.get("params") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(params, dict):
        # INVARIANT: a call that names something was read from parameters, by the same parser.
        raise TypeError("a call without parameters")
    return document, params


def _find_headers(read: Read) -> dict[str, str]:
    routed = read.known.routed
    extra, headers = routed.route.resource.forward_headers, routed.received.request.headers
    return {name: value for name, value in headers.items() if may_change_call(name, extra)}


def _find_definition(approval: Approval, ports: Ports) -> Digest:
    target = approval.target
    known = ports.catalogue.snapshot.find(target.server, target.name) if target.kind is TargetKind.TOOL else None
    return Digest("") if known is None else name_approved(known.tool)


async def _ask(asking: _Asking, judged: Judged) -> Ended:
    # 2.
    traced = await _trace(judged, asking.facts, asking.ports)
    if isinstance(traced, Refused):
        return traced
    # 3.
    found = {each.key: each for each in await asking.store.find(tuple(asking.bound))}
    ended = _judge(asking, found)
    if not isinstance(ended.decision, AwaitApproval):
        return ended
    # 4.
    missing = [key for key, request in asking.bound.items() if _is_missing(found.get(key), asking.facts.now)]
    kept = _keep(asking) if missing else KeptCall(b"")
    if kept.size > MAX_KEPT_BYTES:
        return refuse(judged, Reason.APPROVAL_IMPOSSIBLE, Step("approval", "too_large"))
    opened = await _open(asking, missing, kept) if missing else ()
    if opened is None:
        return refuse(judged, Reason.APPROVAL_LIMIT, Step("approval", "limit"))
    return _judge(asking, found | {each.key: each for each in opened})


def _keep(asking: _Asking) -> KeptCall:
    """Keep what approvers decide on: the parameters, and the headers that the resource forwards."""
    extra = asking.read.known.routed.route.resource.forward_headers
    headers = sorted((name, value) for name, value in _find_headers(asking.read).items() if name in extra)
    return KeptCall(orjson.dumps(asking.params), tuple(headers))


async def _trace(judged: Judged, facts: Facts, ports: Ports) -> Ended:
    """Refuse a call with a state that its backend has not sent to this caller for these targets and arguments."""
    read = judged.stage
    if not read.call.has_state:
        return judged
    state = _read_message(read)[1][STATE_KEY]
    if isinstance(state, str) and await _is_sent(read, state, facts.now, ports):
        return judged
    return refuse(judged, Reason.APPROVAL_STATE_UNKNOWN, Step("approval", "state_unknown"))


async def _is_sent(read: Read, state: str, now: float, ports: Ports) -> bool:
    call, principal = read.call, read.known.principal
    if not may_ask(call.method, call.envelope):
        return False
    owner, arguments = Owner(principal.issuer, principal.subject), name_arguments(call, _get_rules(read).key)
    names = [name_state(owner, target, arguments, state) for target in call.targets]
    found = [await ports.tasks.find(name_place(call.server), name, now) for name in names]
    return all(each is not None and each.owner == owner for each in found)


def _is_missing(request: ApprovalRequest | None, now: float) -> bool:
    return find_standing(request, now) is ApprovalStanding.UNASKED


async def _open(asking: _Asking, keys: Sequence[Digest], kept_call: KeptCall) -> tuple[ApprovalRequest, ...] | None:
    """Open requests, all or none; None if the caller would have too many."""
    ports, rules, now = asking.ports, asking.rules, asking.facts.now
    asked = tuple(_make(asking, *asking.bound[key], kept_call) for key in keys)
    kept = await asking.store.open(asked, rules.max_open, now)
    if kept is None:
        return None
    ours = {each.request.id for each in asked}
    for each in kept:
        if each.id in ours:
            ports.metrics.count_approval(each.flow, ApprovalWord.ASKED.value)
    return kept


def _make(asking: _Asking, approval: Approval, binding: Binding, kept: KeptCall) -> NewRequest:
    ports, flow, now = asking.ports, asking.rules.flows[approval.flow], asking.facts.now
    principal = asking.read.known.principal
    request = open_request(
        binding,
        approval.policy,
        flow,
        id=draw_id(ports.entropy),
        requester_email=principal.email if principal.email_verified is True else "",
        request_id=get_arrived(asking.read).request_id,
        now=now,
        requester_aliases=_find_aliases(asking.read),
    )
    return NewRequest(request, kept, list_messages(None, request, flow, ports.entropy, now))


def _find_aliases(read: Read) -> frozenset[str]:
    routed, principal = read.known.routed, read.known.principal
    # Few calls are asked for approval, so what the others would not need is not kept of a token.
    provider = next(each for each in routed.route.resource.providers.values() if each.name == principal.provider)
    return read_aliases(routed.received.request.headers["authorization"], provider.claims)


def _judge(asking: _Asking, found: Mapping[Digest, ApprovalRequest]) -> Judged:
    """Judge the call again, with what is known of its approvals by now."""
    now = asking.facts.now
    approvals = {}
    for key, (approval, _) in asking.bound.items():
        request = found.get(key)
        standing = find_standing(request, now)
        if request is not None and standing is ApprovalStanding.UNASKED:
            # Its page says what became of it.
            standing = ApprovalStanding.OPEN
        held = structs.replace(approval, standing=standing, request="" if request is None else request.id)
        approvals[approval.target, approval.policy] = held
    judged = judge(asking.read, structs.replace(asking.facts, approvals=approvals))
    decision, by_id = judged.decision, {each.id: each for each in found.values()}
    match decision:
        case Allow():
            named = decision.grants
        case AwaitApproval():
            named = tuple(each for each in decision.wanted if each.request)
        case _:
            return judged
    return structs.replace(judged, requests=tuple(by_id[each.request] for each in named))


async def _hold(asking: _Asking, ended: Ended, until: Deadline) -> Ended:
    """Look again and again, until the call is decided or its time is over."""
    while isinstance(ended.decision, AwaitApproval) and (left_s := until.left_s()) > 0:
        await asking.ports.sleep(min(_LOOK_EVERY_S, left_s))
        asking = replace(asking, facts=structs.replace(asking.facts, now=asking.ports.clock.now()))
        found = {each.key: each for each in await asking.store.find(tuple(asking.bound))}
        ended = _judge(asking, found)
    return ended
