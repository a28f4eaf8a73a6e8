"""Recorded decisions decided again under a draft, from audit events alone.

An event holds the caller, where the call came from and what it named, but of the arguments a keyed digest only:
where a policy of the draft reads them, the call cannot be decided again, and that is said.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any

import orjson

from agen_authz.app.build import build_revoked
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.replay.log_line import LogLine, read_log
from agen_authz.core.decide import decide
from agen_authz.core.errors import Rejected
from agen_authz.core.http.context import Surroundings
from agen_authz.core.identity.token import VerifiedToken, admit_principal, find_provider, missing_scopes
from agen_authz.core.message.method import find_method
from agen_authz.core.model import (
    Answer,
    Call,
    Context,
    Decision,
    Deny,
    Effect,
    Envelope,
    Era,
    Facts,
    Issuer,
    Outcome,
    Owner,
    Principal,
    SessionId,
    Shape,
    State,
    Subject,
    Target,
    TargetKind,
)
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy, ask, list_reads
from agen_authz.core.reason import Reason

# Refusals that stand before anything that a draft decides: the token, the message, the surroundings.
_DECIDED_BY_SETS = frozenset(
    {"allowed", "unmapped", "not_granted", "policy_denied", "policy_error", "step_up_required", "method_denied",
     "unknown_method"}
)  # fmt: skip
_DECIDED_BY_POLICIES = frozenset({"allowed", "policy_denied", "policy_error", "step_up_required"})
_NOT_HELD = frozenset({"args", "inputs", "user.claims"})
# What the sidecar's own log has in each line, and no event has.
_LOGGED = frozenset({"level", "logger", "message"})


@dataclass(slots=True)
class Replayed:
    """What came of a replay: changes with their counts, and what could not be decided again.

    Args:
        logged: lines of the sidecar's own log, which are beside the events in a container's log.
        first_unreadable: the line of the first of `unreadable`.
    """

    events: int = 0
    same: int = 0
    skipped: int = 0
    undecided: int = 0
    unreadable: int = 0
    changes: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    unanswerable: Counter[str] = field(default_factory=Counter)
    logged: int = 0
    first_unreadable: int = field(default=0, compare=False)

    @property
    def gap(self) -> str:
        """Say what was not looked at, if "no changes" would hide it; empty if every event was read and any decided."""
        if not self.events:
            return "holds no events; name the file that the sidecar's standard output went to"
        if self.unreadable:
            return f"{self.unreadable} of {self.events} lines are not audit events, first line {self.first_unreadable}"
        if not self.same and not self.changes:
            return f"none of its {self.events} events could be decided again"
        return ""


def replay(draft: Draft, lines: Iterable[bytes]) -> Replayed:
    """Decide every event of an audit file or a container's log again; total: a line that is no event is counted."""
    result = Replayed()
    for line in read_log(lines):
        if line.is_error:
            result.logged += 1
        else:
            _replay_line(draft, line, result)
    return result


def _replay_line(draft: Draft, line: LogLine, result: Replayed) -> None:
    try:
        event = orjson.loads(line.text)
        if isinstance(event, dict) and event.keys() >= _LOGGED and "decision" not in event:
            result.logged += 1
            return
        _replay(draft, event, result)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        result.unreadable += 1
        result.first_unreadable = result.first_unreadable or line.number
    result.events += 1


def _replay(draft: Draft, event: Mapping[str, Any], result: Replayed) -> None:
    if event["reason"] not in _DECIDED_BY_SETS or "call" not in event or "principal" not in event:
        result.skipped += 1
        return
    target = (
        ", ".join(f"{event['server']}/{each['name']}" for each in event["call"]["targets"]) or event["call"]["method"]
    )
    before = f"{event['decision']} ({event['reason']})"
    if event["server"] not in draft.sets.resources:
        result.changes[before, "deny (unknown_path)", target, ""] += 1
        return
    if _is_cut(event):
        result.undecided += 1
        return
    principal, call = _principal_of(event["principal"]), _call_of(event)
    facts = _facts_of(event, principal, draft)
    refused = _refuse_caller(draft, principal, call.server, facts.now)
    decision = Deny(refused) if refused is not None else decide(call, principal, facts, draft.sets)
    readers = [] if _stands_before_policies(decision) else _find_readers(draft, principal, call, facts)
    result.unanswerable.update({policy.name for policy in readers})
    if not _stands(decision, readers):
        result.undecided += 1
        return
    after = f"{decision.word} ({decision.reason.value})"
    if after == before:
        result.same += 1
        return
    unread = {policy.name for policy in readers}
    matched = () if isinstance(decision, Answer) else decision.matched
    names = dict.fromkeys(each.policy for each in matched if each.policy not in unread)
    result.changes[before, after, target, ", ".join(names)] += 1


def _is_cut(event: Mapping[str, Any]) -> bool:
    """True if the event does not hold all that a decision rests on: long lists and texts are cut."""
    return bool(event["principal"].get("shortened")) or any(
        each["field"].startswith(("call.", "context.")) for each in event.get("shortened", ())
    )


def _refuse_caller(draft: Draft, principal: Principal, server: str, now: float) -> Reason | None:
    """Hold a recorded caller to what the draft says of its resource; the token itself was verified then."""
    resource = draft.sets.resources[server]
    provider = find_provider(resource, principal.issuer)
    if provider is None:
        return Reason.TOKEN_ISSUER
    token = VerifiedToken(principal, "", min(provider.token_types), frozenset({resource.url}), None)
    admitted = admit_principal(token, provider, resource, revoked=build_revoked(draft.config), now=now)
    if isinstance(admitted, Rejected):
        return admitted.reason
    return Reason.SCOPE_MISSING if missing_scopes(principal, resource) else None


def _find_readers(draft: Draft, principal: Principal, call: Call, facts: Facts) -> list[Policy]:
    """List the policies that read what the event does not hold."""
    return [
        policy
        for target in call.targets
        for policy in draft.sets.policies.list_for(principal.tenant, target)
        if _NOT_HELD & set(list_reads(policy)) and not _is_settled(policy, Situation(principal, call, target, facts))
    ]


def _stands_before_policies(decision: Decision) -> bool:
    return decision.reason.value not in _DECIDED_BY_POLICIES


def _stands(decision: Decision, readers: list[Policy]) -> bool:
    """Say whether a decision is the same whatever these policies would have said."""
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


def _find_networks(address: str, surroundings: Surroundings) -> tuple[str, ...]:
    ip = ip_address(address)
    return tuple(name for name, ranges in surroundings.networks.items() if any(ip in each for each in ranges))


def _principal_of(held: Mapping[str, Any]) -> Principal:
    return Principal(
        provider=held["provider"],
        issuer=Issuer(held["issuer"]),
        subject=Subject(held["subject"]),
        client=held["client"],
        tenant=held["tenant"],
        roles=tuple(held["roles"]),
        permissions=tuple(held["permissions"]),
        groups=_texts(held["groups"]),
        scopes=tuple(held["scopes"]),
        email=held["email"],
        email_verified=held["email_verified"],
        country=held["country"],
        acr=held["acr"],
        amr=_texts(held["amr"]),
        auth_time=held.get("auth_time"),
        issued_at=held.get("issued_at"),
        expires=held["expires"],
        token_id=held["token_id"],
        claims=None,
    )


def _texts(held: list[str] | None) -> tuple[str, ...] | None:
    return None if held is None else tuple(held)


def _call_of(event: Mapping[str, Any]) -> Call:
    held, era = event["call"], Era(event["call"]["era"])
    targets = tuple(Target(TargetKind(each["kind"]), event["server"], each["name"]) for each in held["targets"])
    has_arguments = find_method(held["method"], era) is not None and bool(targets)
    return Call(
        server=event["server"],
        envelope=Envelope(era, Shape(held["shape"])),
        version=held["version"],
        method=held["method"],
        targets=targets,
        arguments={} if has_arguments else None,
        session_id=SessionId("recorded") if held["session_digest"] else None,
    )


def _facts_of(event: Mapping[str, Any], principal: Principal, draft: Draft) -> Facts:
    # Sessions are no matter of a draft: what was recorded here belonged to its caller.
    owner, held = Owner(principal.issuer, principal.subject), event["context"]
    # Networks are the draft's own: those that were recorded had the names of another configuration.
    networks = _find_networks(held["ip"], draft.surroundings) if held["ip"] else ()
    context = Context(held["ip"] or None, networks, held["country"] or None, held["user_agent"])
    return Facts(datetime.fromisoformat(event["time"]).timestamp(), owner, context, held["authority"])
