"""What an inspection is asked, and what it answers: one JSON-RPC message of a response, parsed."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.masking.rule import Receipt
from agen_authz.core.model import Json, Target
from agen_authz.core.reason import Reason


class SawDefinitions(Struct, frozen=True):
    """Note: a backend listed these definitions of its tools, or its `instructions`; the store learns of them.

    Args:
        server: the resource's name.
        definitions: as the backend sent them, parsed.
        instructions: None if the message held none.
    """

    server: str
    definitions: tuple[Json, ...] = ()
    instructions: str | None = None


class MadeTask(Struct, frozen=True):
    """Note: a backend created a task for this call; only its creator may use the id from now on."""

    server: str
    task_id: str
    tool: str


class SentState(Struct, frozen=True):
    """Note: a backend asked the caller something, and sent this state along; calls may continue with it."""

    server: str
    target: Target
    state: str


class MaskedValues(Struct, frozen=True):
    """Note: these values of the message were masked, or would have been by rules in shadow."""

    receipts: tuple[Receipt, ...]


class Uninspected(Struct, frozen=True):
    """Note: data protection could not inspect something, for this reason.

    Args:
        detail: more of the reason, without a value; may be empty.
        has_passed: True if it left as it came, because every rule of the call lets that pass; False if it was withheld.
    """

    reason: Reason
    detail: str = ""
    has_passed: bool = False


Note: TypeAlias = SawDefinitions | MadeTask | SentState | MaskedValues | Uninspected
"""What must be written before the message may leave; if it cannot be, the message is withheld."""


class Passed(Struct, frozen=True):
    """The message may leave as it is here, once its notes are written."""

    message: Json
    notes: tuple[Note, ...] = ()


class Withheld(Struct, frozen=True):
    """The message must not leave; `detail` is for the event, never for the client."""

    reason: Reason
    detail: str = ""


Inspect: TypeAlias = Callable[[Json], Passed | Withheld]
"""Inspects one message; pure and total. What it returns as `message` is the given object unless it was changed."""
