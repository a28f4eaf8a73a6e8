"""Decisions as the audit log has them (event.proto), for people who want to know why a call was denied.

Events come as lines. What is not an event of ours is passed over: nothing here fails on what it does not know.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from agen_authz.core.model import Json
from agen_authz.core.reason import REFUSALS, Reason
from agen_authz.core.strict_json import parse_json

DECISION_WORDS = {
    "allow": "allowed",
    "deny": "denied",
    "step_up": "step-up",
    "await_approval": "waits for approval",
    "answer": "answered",
}
"""What is decided on a call, for people."""

_MASK, _AGGREGATED = "mask", "aggregated"
_MAX_DEPTH = 16

# Steps (core/decide.py) that grant, and those that neither grant nor refuse.
_GRANTING, _NEUTRAL, _SHADOW = frozenset({"allowed", "granted"}), frozenset({"unmapped_admitted"}), "shadow_"
_ASKING = frozenset({"enforce_require_approval_applies", "enforce_step_up_applies", "unasked", "open"})

Event = Mapping[str, Json]


class DecisionRow(Struct, frozen=True):
    """One decision in the list.

    Args:
        time: seconds since the epoch; None if it cannot be read.
        count: how many decisions the row is for; more than 1 if they have no event each.
    """

    request_id: str
    time: float | None
    decision: str
    reason: str
    server: str
    target: str
    subject: str
    client: str
    duration_ms: float | None
    count: int = 1

    @property
    def word(self) -> str:
        """The decision for people."""
        return DECISION_WORDS.get(self.decision, self.decision)


class Wanted(Struct, frozen=True):
    """Which decisions are listed; empty asks for all.

    Args:
        text: is searched for in caller, target, reason and request id, whatever its case.
    """

    decision: str = ""
    server: str = ""
    text: str = ""


class MaskedRow(Struct, frozen=True):
    """Values that were masked at one place of one response, or would have been."""

    request_id: str
    time: float | None
    server: str
    target: str
    rule: str
    detector: str
    style: str
    pointer: str
    count: int
    is_shadow: bool


class TraceStep(Struct, frozen=True):
    """One step of a decision.

    `kind` is `yes`, `no`, `asks` if it asks for more, or `other` if it neither grants nor refuses.
    """

    check: str
    outcome: str
    rule: str

    @property
    def kind(self) -> str:
        """What it did to the call."""
        if self.outcome in _GRANTING:
            return "yes"
        if self.outcome in _ASKING:
            return "asks"
        is_other = self.outcome in _NEUTRAL or self.outcome.startswith(_SHADOW) or self.check == "data_protection"
        return "other" if is_other else "no"


class DecisionTrace(Struct, frozen=True):
    """All that is known of one call: what the decision rested on, and what was masked of its response.

    Args:
        remedy: what to do about the reason.
        steps: in their order.
        facts: groups of names and values.
        shortened: fields that are cut in the event.
    """

    row: DecisionRow
    remedy: str
    steps: tuple[TraceStep, ...]
    policies: tuple[Mapping[str, str], ...]
    approvals: tuple[Mapping[str, str], ...]
    facts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    masked: tuple[MaskedRow, ...]
    shortened: tuple[str, ...]


def read_events(lines: Iterable[bytes]) -> tuple[Event, ...]:
    """Read events, the newest first."""
    read = [parse_json(line, _MAX_DEPTH) for line in lines]
    return tuple(each for each in reversed(read) if isinstance(each, dict) and isinstance(each.get("decision"), str))


def list_decisions(events: Iterable[Event], wanted: Wanted) -> tuple[DecisionRow, ...]:
    """List decisions, in the order of their events."""
    rows = [row for event in events for row in _read_rows(event)]
    return tuple(each for each in rows if _is_wanted(each, wanted))


def list_masked(events: Sequence[Event]) -> tuple[MaskedRow, ...]:
    """List what was masked, with the call that it was masked for where that is known."""
    targets = {_text(each, "request_id"): _spell_targets(each) for each in events if "call" in each}
    return tuple(row for each in events if each["decision"] == _MASK for row in _read_masked(each, targets))


def find_trace(events: Sequence[Event], request_id: str) -> DecisionTrace | None:
    """Find what is known of one call."""
    ours = [each for each in events if _text(each, "request_id") == request_id]
    event = next((each for each in ours if each["decision"] in DECISION_WORDS), None)
    if event is None:
        return None
    reason = _text(event, "reason")
    return DecisionTrace(
        row=_read_row(event),
        remedy=REFUSALS[Reason(reason)].remedy if reason in REFUSALS else "",
        steps=tuple(TraceStep(**_texts(each, "check", "outcome", "rule")) for each in _rows(event, "why")),
        policies=tuple(
            _texts(each, "name", "effect", "state", "outcome", "cause") for each in _rows(event, "policies")
        ),
        approvals=tuple(_texts(each, "policy", "flow", "id") for each in _rows(event, "approvals")),
        facts=tuple((name, _list_facts(_part(event, key))) for name, key in _FACTS if _part(event, key)),
        masked=list_masked(ours),
        shortened=tuple(_text(each, "field") for each in _rows(event, "shortened")),
    )


_FACTS = (("Who called", "principal"), ("What was called", "call"), ("From where", "context"))


def _read_rows(event: Event) -> tuple[DecisionRow, ...]:
    if event["decision"] in DECISION_WORDS:
        return (_read_row(event),)
    if event["decision"] != _AGGREGATED:
        return ()
    whole = _part(event, _AGGREGATED)
    return tuple(
        DecisionRow(
            request_id="",
            time=_time(whole, "last"),
            decision=_text(each, "decision"),
            reason=_text(each, "reason"),
            server=_text(each, "server"),
            target="",
            subject="",
            client="",
            duration_ms=None,
            count=_count(each),
        )
        for each in _rows(whole, "counts")
    )


def _read_row(event: Event) -> DecisionRow:
    caller, took = _part(event, "principal"), event.get("duration_us")
    return DecisionRow(
        request_id=_text(event, "request_id"),
        time=_time(event, "time"),
        decision=_text(event, "decision"),
        reason=_text(event, "reason"),
        server=_text(event, "server"),
        target=_spell_targets(event),
        subject=_text(caller, "email") or _text(caller, "subject"),
        client=_text(caller, "client"),
        duration_ms=took / 1000 if isinstance(took, int | float) else None,
    )


def _spell_targets(event: Event) -> str:
    call = _part(event, "call")
    targets = [(_text(each, "kind"), _text(each, "name")) for each in _rows(call, "targets")]
    names = [name if kind == "tool" else f"{kind} {name}" for kind, name in targets]
    return ", ".join(names) or _text(call, "method")


def _read_masked(event: Event, targets: Mapping[str, str]) -> Iterable[MaskedRow]:
    request_id = _text(event, "request_id")
    for each in _rows(_part(event, "masking"), "receipts"):
        yield MaskedRow(
            request_id=request_id if request_id in targets else "",
            time=_time(event, "time"),
            server=_text(event, "server"),
            target=targets.get(request_id, ""),
            rule=_text(each, "rule"),
            detector=_text(each, "detector"),
            style=_text(each, "style"),
            pointer=_text(each, "pointer"),
            count=_count(each),
            is_shadow=each.get("shadow") is True,
        )


def _is_wanted(row: DecisionRow, wanted: Wanted) -> bool:
    text = wanted.text.casefold()
    texts = (row.request_id, row.reason, row.target, row.subject, row.client)
    is_found = not text or any(text in each.casefold() for each in texts)
    return wanted.decision in ("", row.decision) and wanted.server in ("", row.server) and is_found


def _list_facts(part: Event) -> tuple[tuple[str, str], ...]:
    facts = []
    for name, value in part.items():
        if name == "targets":
            text = ", ".join(f"{_text(each, 'kind')} {_text(each, 'name')}" for each in _rows(part, name))
        elif isinstance(value, list):
            text = ", ".join(str(each) for each in value if not isinstance(each, dict | list))
        elif isinstance(value, bool):
            text = "yes" if value else "no"
        else:
            text = "" if isinstance(value, dict) or value is None else str(value)
        if text:
            facts.append((name.replace("_", " "), text))
    return tuple(facts)


def _text(part: Event, name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _texts(part: Event, *names: str) -> dict[str, str]:
    return {name: _text(part, name) for name in names}


def _part(event: Event, name: str) -> Event:
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def _rows(part: Event, name: str) -> list[dict[str, Json]]:
    value = part.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _count(part: Event) -> int:
    value = part.get("count")
    try:
        # The JSON mapping of protobuf writes an int64 as text.
        return int(value) if isinstance(value, int | str) else 1
    except ValueError:
        return 1


def _time(part: Event, name: str) -> float | None:
    try:
        return datetime.fromisoformat(_text(part, name)).timestamp()
    except ValueError:
        return None
