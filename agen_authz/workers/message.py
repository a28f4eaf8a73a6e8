"""The texts of messages: plain, short enough for chat, and nothing that a call holds can change what they say.

    subject    one line
    body       what has happened; who asked for which call, how long there is time; the link, alone on its line;
               then arguments, as many as there is room for, and how many there are besides

The link comes before the arguments, so that a service which cuts long messages does not cut it. It leads to a page on
which a person who has signed in decides; no link and no answer decides anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import orjson
from msgspec import Struct

from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import ASKING, ApprovalRequest, KeptCall, Notice, Occasion, Progress
from agen_authz.core.approval.shown import read_parameters, show_parameters
from agen_authz.core.errors import Malformed
from agen_authz.core.masking.row import Style
from agen_authz.core.model import Json
from agen_authz.workers.spelling import spell_line

# Discord takes 2,000 characters; the subject may be put before the body.
MAX_BODY_CHARS = 1700
_MAX_NAME_CHARS, _MAX_POINTER_CHARS, _MAX_VALUE_CHARS, _MAX_REASON_CHARS = 80, 60, 160, 200
# The name is the request's target; `_meta` is of the protocol; what the state holds is known only to the server.
_LEFT_OUT = frozenset({"_meta", "name", "requestState"})
_MAX_LINES = 25
# What is larger is on the page only: a message shows its beginning anyway.
_MAX_SHOWN_BYTES = 64 * 1024

_KINDS = {"tool": "Tool", "prompt": "Prompt", "resource": "Resource"}
_SUBJECTS: Mapping[Occasion, str] = {
    Occasion.OPENED: "Approval needed",
    Occasion.STEP: "Approval needed",
    Occasion.REMINDER: "Reminder: approval needed",
    Occasion.APPROVED: "Approved",
    Occasion.REJECTED: "Rejected",
    Occasion.TIMED_OUT: "Not decided in time",
    Occasion.USED: "Approval used",
    Occasion.CANCELLED: "Withdrawn",
}
_HAPPENED: Mapping[Occasion, str] = {
    Occasion.OPENED: "A call waits for approval.",
    Occasion.STEP: "A call waits for the approval of the next step.",
    Occasion.REMINDER: "A call still waits for approval.",
    Occasion.APPROVED: "The call was approved. It may be made once.",
    Occasion.REJECTED: "The call was rejected.",
    Occasion.TIMED_OUT: "No approver decided in time. The call is denied.",
    Occasion.USED: "The approval was used for a call; it cannot be used again.",
    Occasion.CANCELLED: "The requester withdrew the request. The call is not made.",
}


class Text(Struct, frozen=True):
    """What is sent."""

    subject: str
    body: str


class Wording(Struct, frozen=True):
    """What texts are made with.

    Args:
        base_url: where approvers open the console (`approvals.base_url`).
        flows: by name, as they are configured now.
    """

    base_url: str
    flows: Mapping[str, Flow]


def write_message(
    message: Notice, request: ApprovalRequest, kept: KeptCall | None, wording: Wording, now: float
) -> Text:
    """Write the text of a message; `kept` is None if the call's parameters are not kept any more."""
    flow = _find_flow(request, wording)
    kind, name = _read_target(request)
    subject = f"{_SUBJECTS[message.occasion]}: {name} on {_spell(request.binding.server)}"
    head = [
        _say_what_happened(message, request),
        "",
        f"{kind}: {name}",
        f"Server: {_spell(request.binding.server)}",
        *_list_people(request),
        *_list_times(message, request, flow, now),
        "",
        _invite(message),
        f"{wording.base_url.rstrip('/')}/requests/{quote(request.id, safe='')}",
    ]
    foot = "No answer to this message decides anything." if message.occasion in ASKING else ""
    room = MAX_BODY_CHARS - sum(len(line) + 1 for line in (*head, foot)) - 1
    arguments = _list_arguments(kept, flow, room)
    return Text(subject, "\n".join((*head, "", *arguments, *(("", foot) if foot else ()))))


def _find_flow(request: ApprovalRequest, wording: Wording) -> Flow | None:
    """Find the flow that the request was made under: another one of its name may show more of the arguments."""
    flow = wording.flows.get(request.flow)
    return flow if flow is not None and flow.digest == request.flow_digest else None


def is_outdated(message: Notice, request: ApprovalRequest) -> bool:
    """True if a message asks for a decision that is no longer wanted."""
    is_waiting = request.status is Progress.OPEN and request.step == message.step
    return message.occasion in ASKING and not is_waiting


def describe_time(seconds: float) -> str:
    """Say a length of time in words, its two largest units; never more than there is."""
    minutes = int(max(seconds, 0.0)) // 60
    units = ((minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute"))
    first = next((at for at, (count, _) in enumerate(units) if count), None)
    if first is None:
        return "less than a minute"
    said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in units[first : first + 2] if count]
    return " ".join(said)


def _spell(text: str) -> str:
    return _fit(text, _MAX_NAME_CHARS)


def _fit(text: str, max_chars: int) -> str:
    """Spell a text on one line, shorter than usual if much of it has to be spelt out."""
    spelt, longest = spell_line(text, max_chars), max_chars * 3 // 2
    while len(spelt) > longest:
        max_chars = max_chars * 2 // 3
        spelt = spell_line(text, max_chars)
    return spelt


def _read_target(request: ApprovalRequest) -> tuple[str, str]:
    kind, colon, name = request.binding.target.partition(":")
    if not colon or kind not in _KINDS:
        return "Call", _spell(request.binding.target or request.binding.method)
    return _KINDS[kind], _spell(name)


def _say_what_happened(message: Notice, request: ApprovalRequest) -> str:
    # No approver decided it: a time-out approves at this very moment.
    if message.occasion is Occasion.APPROVED and request.decided_at == request.ends_at:
        return "No approver decided in time, which approves calls of this flow. It may be made once."
    return _HAPPENED[message.occasion]


def _list_people(request: ApprovalRequest) -> Iterator[str]:
    binding = request.binding
    if request.requester_email:
        yield f"Requester: {_spell(request.requester_email)}"
    else:
        yield f"Requester: {_spell(binding.subject)} (a subject of {_spell(binding.issuer)})"
    for label, value in (("Client", binding.client), ("Tenant", binding.tenant), ("Policy", request.policy)):
        if value:
            yield f"{label}: {_spell(value)}"
    last = request.votes[-1] if request.votes else None
    if request.status is Progress.REJECTED and last is not None and last.reason:
        yield f"Reason: {_fit(last.reason, _MAX_REASON_CHARS)}"


def _list_times(message: Notice, request: ApprovalRequest, flow: Flow | None, now: float) -> Iterator[str]:
    if message.occasion in ASKING:
        if flow is not None and message.step < len(flow.steps):
            step = flow.steps[message.step]
            yield f"Step: {message.step + 1} of {len(flow.steps)}, {_spell(step.name)}"
        yield f"Time left: {describe_time(request.ends_at - now)}, until {_date(request.ends_at)}"
    elif message.occasion is Occasion.APPROVED and request.grant_until is not None:
        yield f"Time left: {describe_time(request.grant_until - now)}, until {_date(request.grant_until)}"


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _invite(message: Notice) -> str:
    return "Sign in to read the call and decide:" if message.occasion in ASKING else "Sign in to read more:"


def _list_arguments(kept: KeptCall | None, flow: Flow | None, room: int) -> list[str]:
    """List arguments, a line each, as many as there is room for."""
    if kept is None:
        return ["Arguments: they are not kept any more."]
    too_large = len(kept.params) > _MAX_SHOWN_BYTES
    shows = () if flow is None else flow.show_arguments
    shown = None if too_large else _mask(kept, shows)
    if shown is None:
        why = "they are too large for a message" if too_large else "they could not be masked"
        return [f"Arguments: {why}; the page shows what may be shown."]
    # What the flow shows comes first: a caller who adds arguments cannot push it out.
    leaves = sorted(_list_leaves(shown), key=lambda leaf: not _begins_with(leaf[0], shows))
    if not leaves:
        return ["Arguments: none."]
    lines = ["Arguments, masked:"]
    # The longest note is kept free for it.
    room -= len(lines[0]) + len(_note_more(len(leaves))) + 2
    for at, (pointer, value) in enumerate(leaves):
        # A space in a name would let it say more than a name.
        line = f"- {_fit(pointer, _MAX_POINTER_CHARS).replace(' ', '[U+0020]')} = {_show(value)}"
        room -= len(line) + 1
        if room < 0 or at == _MAX_LINES:
            return [*lines, _note_more(len(leaves) - at)]
        lines.append(line)
    return lines


def _mask(kept: KeptCall, shows: Sequence[str]) -> Mapping[str, Json] | None:
    params = read_parameters(kept.params)
    if isinstance(params, Malformed) or not isinstance(params, dict):
        return None
    shown = show_parameters({name: params[name] for name in params if name not in _LEFT_OUT}, shows, style=Style.REDACT)
    return shown.params if shown is not None and isinstance(shown.params, dict) else None


def _note_more(count: int) -> str:
    return f"- and {count:,} more that this message has no room for; the page shows them"


def _show(value: Json) -> str:
    if isinstance(value, str):
        # A quote in it does not end it.
        return '"' + _fit(value, _MAX_VALUE_CHARS).replace('"', "[U+0022]") + '"'
    return _fit(orjson.dumps(value).decode("ascii"), _MAX_VALUE_CHARS)


def _begins_with(pointer: str, shows: Sequence[str]) -> bool:
    steps = pointer.split("/")
    for each in shows:
        wanted = each.split("/")
        if len(wanted) <= len(steps) and all(map(_is_step, wanted, steps)):
            return True
    return False


def _is_step(wanted: str, step: str) -> bool:
    return wanted in ("*", step)


def _list_leaves(shown: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """List texts, numbers and empty containers with their pointers: those of arguments are from the arguments."""
    for name, value in shown.items():
        yield from _walk("" if name == "arguments" else f"({name})", value)


def _walk(pointer: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _walk(f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", each)
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from _walk(f"{pointer}/{index}", each)
    elif pointer or not isinstance(value, dict | list):
        yield pointer or "(arguments)", value
