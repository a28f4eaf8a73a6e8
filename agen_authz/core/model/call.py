"""One MCP message, parsed; or why it cannot be."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from agen_authz.core.model.value import Json, MessageId, SessionId
from agen_authz.core.reason import Reason


class Era(StrEnum):
    """The two ways of MCP: `modern` from 2026-07-28 on, `legacy` with sessions before."""

    MODERN = "modern"
    LEGACY = "legacy"


class Shape(StrEnum):
    """What kind of message a request carries."""

    REQUEST = "request"
    NOTIFICATION = "notification"
    RESPONSE = "response"
    STREAM = "stream"
    END = "end"


class Envelope(Struct, frozen=True):
    """What a refusal must be bound to: the message's own id (type kept), its era and shape."""

    era: Era = Era.LEGACY
    shape: Shape = Shape.REQUEST
    id: MessageId | None = None


class TargetKind(StrEnum):
    """What access rules can name."""

    TOOL = "tool"
    RESOURCE = "resource"
    PROMPT = "prompt"


class Target(Struct, frozen=True):
    """One tool, resource or prompt of one server, spelt exactly as the backend will read it."""

    kind: TargetKind
    server: str
    name: str


class Mirrored(Struct, frozen=True):
    """Headers that repeat arguments of a call, by their names, and the arguments that they must repeat."""

    headers: Mapping[str, str]
    arguments: Json


class Call(Struct, frozen=True):
    """One MCP message, parsed once and strictly; the bytes it came from are what is forwarded.

    `may_hold_nul` is false if no string in it can hold a NUL; `mirrored` is None if no header repeats an argument.
    `task_ids` are the tasks that it is about; `uses_task` alone is any other use of tasks. `makes_task` is true of a
    `tools/call` that may be answered with a new task.
    `session_id` is what the client sent. `declares_url` is true if the message declares `elicitation.url`: an
    `initialize` of the legacy era, or any request of the modern era.
    `has_state` is true if it carries a `requestState`, whatever that is (core/approval/continuing.py).
    """

    server: str
    envelope: Envelope
    version: str
    method: str
    targets: tuple[Target, ...] = ()
    uses_task: bool = False
    arguments: dict[str, Json] | None = None
    inputs: dict[str, Json] | None = None
    session_id: SessionId | None = None
    may_hold_nul: bool = True
    mirrored: Mirrored | None = None
    task_ids: tuple[str, ...] = ()
    makes_task: bool = False
    declares_url: bool = False
    has_state: bool = False


class Misread(Struct, frozen=True):
    """A message that cannot be decided on, with what its refusal is bound to."""

    reason: Reason
    envelope: Envelope = Envelope()
    detail: str = ""
    requested_version: str | None = None
