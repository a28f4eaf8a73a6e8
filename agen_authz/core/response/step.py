"""What happens to one response, and what Envoy is answered: the words between wire/ext_proc.py and core/exchange.py."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.model import Envelope
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.head import Fields, HeaderChanges
from agen_authz.core.response.message import Inspect, Note


class Terms(Struct, frozen=True):
    """How the response of one call is inspected.

    Args:
        envelope: of the call; an error in place of its answer is bound to it.
        mark_session: makes the session id that the client gets of the backend's; None for no id.
        passes_unread: True if what is too large, compressed or unreadable passes as it came (core/response/unread.py).
    """

    inspect: Inspect
    envelope: Envelope
    request_id: str
    limits: ResponseLimits
    mark_session: Callable[[str], str | None]
    passes_unread: bool = False


# ---- what comes ----------------------------------------------------------------------------------------


class Headers(Struct, frozen=True):
    """The headers came; `ends` if there is no body, `is_duplex` if the body comes in FULL_DUPLEX_STREAMED."""

    fields: Fields
    ends: bool = False
    is_duplex: bool = False


class Body(Struct, frozen=True):
    """A piece of the body came; `ends` if it is the last."""

    raw: bytes
    ends: bool = False


class Trailers(Struct, frozen=True):
    """The body has ended, with trailers of these names."""

    names: tuple[str, ...] = ()


class Expired(Struct, frozen=True):
    """The caller's token has expired."""


Event: TypeAlias = Headers | Body | Trailers | Expired

# ---- what is answered ----------------------------------------------------------------------------------


class AnswerHeaders(Struct, frozen=True):
    """Pass the headers on, changed."""

    changes: HeaderChanges = HeaderChanges()


class Replace(Struct, frozen=True):
    """Answer the client in place of the backend; possible until the headers are answered."""

    status: int
    body: bytes


class Piece(Struct, frozen=True):
    """Bytes that may leave once `notes` are written; if they cannot be, `otherwise` leaves."""

    raw: bytes
    notes: tuple[Note, ...] = ()
    otherwise: bytes = b""


class Emit(Struct, frozen=True):
    """Answer a piece of the body with other bytes, or with none."""

    pieces: tuple[Piece, ...] = ()
    ends: bool = False
    is_duplex: bool = False


class Echo(Struct, frozen=True):
    """Pass a piece of the body on as it is: of a response that nothing inspects, or that may pass unread."""

    raw: bytes
    ends: bool
    is_duplex: bool


class AnswerTrailers(Struct, frozen=True):
    """Pass the trailers on without these."""

    remove: tuple[str, ...] = ()


class Abort(Struct, frozen=True):
    """End the stream with an error: Envoy then resets the response."""

    reason: Reason


Action: TypeAlias = AnswerHeaders | Replace | Emit | Echo | AnswerTrailers | Abort


class ResponseOutcome(StrEnum):
    """What became of a response; of several, the one that is furthest down."""

    PASSED = "passed"
    CHANGED = "changed"
    MASKED = "masked"
    SKIPPED = "skipped"
    WITHHELD = "withheld"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    ABORTED = "aborted"
