"""Recorded decisions decided again under a draft, from audit events alone.

An event holds the caller, where the call came from and what it named, but of the arguments a keyed digest only:
where a policy of the draft reads them, the call cannot be decided again, and that is said.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from agen_authz.authoring.draft import Draft
from agen_authz.core.attribute import ATTRIBUTES, Situation
from agen_authz.core.decide import decide
from agen_authz.core.method import find_method
from agen_authz.core.model import (
    Answer,
    Call,
    Context,
    Envelope,
    Era,
    Facts,
    Issuer,
    Owner,
    Principal,
    SessionId,
    Shape,
    Subject,
    Target,
    TargetKind,
)
from agen_authz.core.policy import Policy, environment, list_reads
from agen_authz.wire.event import decision_word, reason_of

# Refusals that stand before anything that a draft decides: the token, the message, the surroundings.
_DECIDED_BY_SETS = frozenset(
    {"allowed", "unmapped", "not_granted", "policy_denied", "policy_error", "step_up_required", "method_denied",
     "unknown_method"}
)  # fmt: skip
_NOT_HELD = frozenset({"args", "inputs", "user.claims"})


@dataclass(slots=True)
class Replayed:
    """What came of a replay: changes with their counts, and what could not be decided again."""

    events: int = 0
    same: int = 0
    skipped: int = 0
    unreadable: int = 0
    changes: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    unanswerable: Counter[str] = field(default_factory=Counter)


def replay(draft: Draft, lines: Iterable[bytes]) -> Replayed:
    """Decide every event of an audit file again; total: a line that is no event is counted."""
    result = Replayed()
    for line in lines:
        if not line.strip():
            continue
        result.events += 1
        try:
            _replay(draft, orjson.loads(line), result)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            result.unreadable += 1
    return result


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
    principal, call = _principal_of(event["principal"]), _call_of(event)
    facts = _facts_of(event, principal)
    readers = _find_readers(draft, principal, call, facts)
    if readers:
        result.unanswerable.update(readers)
        return
    decision = decide(call, principal, facts, draft.sets)
    after = f"{decision_word(decision)} ({reason_of(decision).value})"
    if after == before:
        result.same += 1
        return
    names = () if isinstance(decision, Answer) else decision.matched
    result.changes[before, after, target, ", ".join(each.policy for each in names)] += 1


def _find_readers(draft: Draft, principal: Principal, call: Call, facts: Facts) -> list[str]:
    """List the policies that read what the event does not hold."""
    return [
        policy.name
        for target in call.targets
        for policy in draft.sets.policies.list_for(principal.tenant, target)
        if _NOT_HELD & set(list_reads(policy)) and not _is_settled(policy, Situation(principal, call, target, facts))
    ]


def _is_settled(policy: Policy, situation: Situation) -> bool:
    # A condition that reads only what is held and is false: the policy did not apply, whatever the others say.
    for condition in policy.conditions:
        names = {path[0] for path in condition.tree.paths if path[0] in ATTRIBUTES}
        values = {name: ATTRIBUTES[name].read(situation) for name in names}
        known = {name: found for name, found in values.items() if found is not None}
        if not names & _NOT_HELD and condition.evaluate(environment().activate(known)) is False:
            return True
    return False


def _principal_of(held: Mapping[str, Any]) -> Principal:
    return Principal(
        provider=held["provider"],
        issuer=Issuer(held["issuer"]),
        subject=Subject(held["subject"]),
        client=held["client"],
        tenant=held["tenant"],
        roles=tuple(held["roles"]),
        permissions=tuple(held["permissions"]),
        groups=tuple(held["groups"]),
        scopes=tuple(held["scopes"]),
        email=held["email"],
        email_verified=held["email_verified"],
        country=held["country"],
        acr=held["acr"],
        amr=tuple(held["amr"]),
        auth_time=held.get("auth_time"),
        issued_at=held.get("issued_at"),
        expires=held["expires"],
        token_id=held["token_id"],
        claims={},
    )


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


def _facts_of(event: Mapping[str, Any], principal: Principal) -> Facts:
    # Sessions are no matter of a draft: what was recorded here belonged to its caller.
    owner, held = Owner(principal.issuer, principal.subject), event["context"]
    context = Context(held["ip"] or None, tuple(held["networks"]), held["country"] or None, held["user_agent"])
    return Facts(datetime.fromisoformat(event["time"]).timestamp(), owner, context, held["authority"])
