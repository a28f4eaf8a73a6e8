"""What passes between the catalogue and its store: what is kept, what was rewritten, and who approved what."""

from enum import StrEnum

from msgspec import Struct

from agen_authz.core.model import Digest
from agen_authz.core.pinning.pin import KeptTool

MAX_OF_TOOL, MAX_OF_SERVER, MAX_BYTES_OF_SERVER = 8, 2000, 16 * 1024 * 1024
"""How many definitions that are not approved are kept of one tool and of one server, and how large they are in all.

A server that lists new ones without end pushes its own oldest out; what is approved stays.
"""
SETTLED_S = 60.0
"""How long it takes until a definition that is listed again is noted again."""


class Listing(Struct, frozen=True):
    """All that is kept, as of one version; the version grows with every change that a reader could notice."""

    version: int
    tools: tuple[KeptTool, ...]


class Noted(Struct, frozen=True):
    """What was written of one list: the definitions that were never seen before, and how many had to go for them."""

    new: frozenset[tuple[str, Digest]] = frozenset()
    pushed_out: int = 0


class Action(StrEnum):
    """What an operator did."""

    APPROVE = "approve"
    WITHDRAW = "withdraw"
    FORGET = "forget"


class PinRecord(Struct, frozen=True):
    """One action of an operator; `id` is unique in one store, `time` is in seconds since the epoch.

    `digest` is empty if all that was kept of the tool was forgotten.
    """

    id: int
    time: float
    action: Action
    by: str
    server: str
    name: str
    digest: Digest
