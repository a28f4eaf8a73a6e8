"""Reads what `wire.event.render_event` wrote: who called what, from where, and what was decided.

An event holds no arguments, no claims and no session id, and the call that is read has stand-ins for them: an empty
object if the call may have had arguments, a fixed word if it was of a session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from ipaddress import ip_address
from typing import Any

import orjson

from agen_authz.core.message.method import find_method
from agen_authz.core.model import (
    ApprovalStanding,
    Call,
    Context,
    Envelope,
    Era,
    Issuer,
    Principal,
    SessionId,
    Shape,
    State,
    Subject,
    Target,
    TargetKind,
)

# What the sidecar's own log has in each line, and no event has.
_LOGGED = frozenset({"level", "logger", "message"})
_SESSION = SessionId("recorded")
_PARTS = ("call.", "context.")
# A step of a decision: how the approval stood that this policy asked for.
_ASKS, _STANDINGS = "approval", frozenset(ApprovalStanding)
# A step of a decision: this rule masks what comes back.
_PROTECTS = ("data_protection", State.ENFORCE.value)


class NoEvent(Enum):
    """Why a line is not an event."""

    LOGGED = "a line of the sidecar's own log"
    UNREADABLE = "cannot be read as an event"


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """What a decision rested on; `is_whole` unless long texts or lists of it were cut."""

    principal: Principal
    call: Call
    context: Context
    authority: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event.

    Args:
        time: when it was decided, seconds since the epoch.
        decision: the word of the decision.
        reason: the code of its Reason; one that this version does not know is not a mistake.
        server: the resource, empty if the path was of none.
        call: None if the request was refused before its caller and its message were read.
        approvals: by policy, how the approval that it asked for stood; None if not all of them are in the event.
        protections: the enforced data-protection rules that applied; None if not all of them are in the event.
    """

    time: float
    decision: str
    reason: str
    server: str
    call: RecordedCall | None
    protections: frozenset[str] | None = frozenset()
    approvals: Mapping[str, ApprovalStanding] | None = field(default_factory=dict)


def read_event(line: bytes) -> Recorded | NoEvent:
    """Read one event; total."""
    try:
        event = orjson.loads(line)
        if isinstance(event, dict) and event.keys() >= _LOGGED and "decision" not in event:
            return NoEvent.LOGGED
        return _read(event)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return NoEvent.UNREADABLE


def _read(event: Mapping[str, Any]) -> Recorded:
    return Recorded(
        time=datetime.fromisoformat(event["time"]).timestamp(),
        decision=_text(event["decision"]),
        reason=_text(event["reason"]),
        server=_text(event["server"]),
        call=_read_call(event) if "call" in event and "principal" in event else None,
        protections=_read_protections(event),
        approvals=_read_approvals(event),
    )


def _read_protections(event: Mapping[str, Any]) -> frozenset[str] | None:
    if any(each["field"] == "why" for each in event.get("shortened", ())):
        return None
    steps = [each for each in event.get("why", ()) if (each["check"], each["outcome"]) == _PROTECTS]
    return frozenset(_text(each["rule"]) for each in steps)


def _read_approvals(event: Mapping[str, Any]) -> Mapping[str, ApprovalStanding] | None:
    if any(each["field"] == "why" for each in event.get("shortened", ())):
        return None
    steps = [each for each in event.get("why", ()) if each["check"] == _ASKS and each["outcome"] in _STANDINGS]
    return {_text(each["rule"]): ApprovalStanding(each["outcome"]) for each in steps}


def _read_call(event: Mapping[str, Any]) -> RecordedCall:
    context = event["context"]
    return RecordedCall(
        principal=_principal_of(event["principal"]),
        call=_call_of(event["call"], event["server"]),
        context=_context_of(context),
        authority=_text(context["authority"]),
        is_whole=not event["principal"].get("shortened")
        and not any(each["field"].startswith(_PARTS) for each in event.get("shortened", ())),
    )


def _principal_of(held: Mapping[str, Any]) -> Principal:
    return Principal(
        provider=_text(held["provider"]),
        issuer=Issuer(_text(held["issuer"])),
        subject=Subject(_text(held["subject"])),
        client=_text(held["client"]),
        tenant=_text(held["tenant"]),
        roles=_texts(held["roles"]),
        permissions=_texts(held["permissions"]),
        groups=None if held["groups"] is None else _texts(held["groups"]),
        scopes=_texts(held["scopes"]),
        email=_text(held["email"]),
        email_verified=None if held["email_verified"] is None else _flag(held["email_verified"]),
        country=_text(held["country"]),
        acr=_text(held["acr"]),
        amr=None if held["amr"] is None else _texts(held["amr"]),
        auth_time=_moment(held.get("auth_time")),
        issued_at=_moment(held.get("issued_at")),
        expires=_number(held["expires"]),
        token_id=_text(held["token_id"]),
        claims=None,
    )


def _call_of(held: Mapping[str, Any], server: str) -> Call:
    era, method = Era(held["era"]), _text(held["method"])
    targets = tuple(Target(TargetKind(each["kind"]), server, _text(each["name"])) for each in held["targets"])
    has_arguments = find_method(method, era) is not None and bool(targets)
    return Call(
        server=server,
        envelope=Envelope(era, Shape(held["shape"])),
        version=_text(held["version"]),
        method=method,
        targets=targets,
        arguments={} if has_arguments else None,
        session_id=_SESSION if held["session_digest"] else None,
    )


def _context_of(held: Mapping[str, Any]) -> Context:
    ip = _text(held["ip"])
    if ip:
        ip_address(ip)
    return Context(ip or None, _texts(held["networks"]), _text(held["country"]) or None, _text(held["user_agent"]))


def _text(held: object) -> str:
    if not isinstance(held, str):
        raise TypeError("expected a text")
    return held


def _texts(held: object) -> tuple[str, ...]:
    if not isinstance(held, list):
        raise TypeError("expected a list")
    return tuple(map(_text, held))


def _flag(held: object) -> bool:
    if not isinstance(held, bool):
        raise TypeError("expected a boolean")
    return held


def _number(held: object) -> float:
    if isinstance(held, bool) or not isinstance(held, int | float):
        raise TypeError("expected a number")
    return held


def _moment(held: object) -> float | None:
    return None if held is None else _number(held)
