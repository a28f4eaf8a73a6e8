"""Process: every response that Envoy does not skip is inspected here, message by message.

    1 open      bytes -> Opening            wire/ext_proc.py:read_opening
    2 assign    Opening -> Assignment       what Check told, opened and verified by `ProcessRules.assign`
    3 receive   Event -> Actions            core/exchange.py, pure: what may leave, and what must be written first
    4 note      what an inspection saw      a message whose notes cannot be written is withheld
    5 answer    Action -> bytes             wire/ext_proc.py:render_action
    6 count     the metric, once for each stream, and the notes that wait for its end

A response that passes as it is may be watched: a copy is handed over once it has ended.

Envoy passes the rest of a response unseen if a stream ends with OK before the response has. So a stream ends with OK
only after Envoy closed its side and everything was answered. Whatever fails aborts the stream, and Envoy then resets
the response.
"""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from agen_authz.core.errors import Malformed, Unavailable
from agen_authz.core.exchange import Exchange
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import Note, Uninspected
from agen_authz.core.response.passage import Copy, Passage
from agen_authz.core.response.step import Abort, Emit, Event, Expired, Headers, Piece, ResponseOutcome, Terms
from agen_authz.ports import Clock, ResponseMetrics
from agen_authz.waiting import finish
from agen_authz.wire.ext_proc import read_event, read_opening, render_action

_LOG = logging.getLogger(__name__)


class WriteNotes(Protocol):
    """Writes what an inspection saw before its message leaves."""

    async def __call__(self, notes: tuple[Note, ...], *, is_last: bool = True) -> None:
        """Write notes; those of data protection may be collected until the last.

        Args:
            is_last: True if the response has ended.

        Raises:
            Unavailable: they cannot be written.
        """


@dataclass(frozen=True, slots=True)
class Observation:
    """How a response is watched that passes as it is.

    Args:
        server: the resource's name, for the metric.
        max_bytes: of a body, for a copy to be kept.
        take: gets the copy once the response has ended; None if it was too large. Never waits.
    """

    server: str
    max_bytes: int
    take: Callable[[Copy | None], None]


@dataclass(frozen=True, slots=True)
class Assignment:
    """How one response is inspected, and what happens around that.

    Args:
        server: the resource's name, for the metric; empty if it is not known.
        expires: seconds since the epoch at which the caller's token expires; None if that is not known.
    """

    terms: Terms
    server: str
    expires: float | None
    write_notes: WriteNotes


@dataclass(frozen=True, slots=True)
class ProcessRules:
    """What streams that begin now are inspected by.

    Args:
        off_word: what `agen.inspect` says if nothing is inspected.
        assign: makes an Assignment of what `agen.proc` holds, which is empty if it is missing, or an Observation if
            Check sealed that nothing inspects the response. Total: what Check did not seal is inspected with
            everything.
    """

    off_word: str
    assign: Callable[[str], Assignment | Observation]


@dataclass(frozen=True, slots=True)
class ProcessPorts:
    """What is outside of one response; `sleep` waits for so many seconds."""

    clock: Clock
    metrics: ResponseMetrics
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Gone(Exception):
    """The stream has ended on Envoy's side: nothing can be sent any more."""


class Stream(Protocol):
    """One gRPC stream of Envoy's, as the servicer uses it."""

    async def read(self) -> bytes | None:
        """Wait for the next message; None if Envoy has closed its side, or the stream has ended."""

    async def write(self, raw: bytes) -> None:
        """Send a message.

        Raises:
            Gone: the stream has ended.
        """

    async def abort(self, reason: Reason) -> None:
        """End the stream with an error, after all that was sent; nothing happens if it has ended."""


class ProcessServicer:
    """Answers `envoy.service.ext_proc.v3.ExternalProcessor/Process`; aborts when anything fails."""

    def __init__(self, rules: ProcessRules, ports: ProcessPorts) -> None:
        self._rules = rules
        self._ports = ports
        # What is wrong with Envoy's configuration is wrong for every response: it is reported once.
        self._reported: set[str] = set()

    def swap(self, rules: ProcessRules) -> None:
        """Inspect every response that begins from now on by other rules."""
        self._rules = rules

    async def process(self, stream: Stream) -> None:
        """Inspect one response; returns without an abort only if Envoy was answered in full."""
        try:
            reason = await self._serve(stream)
        except Gone:
            reason = Reason.RESPONSE_UNREADABLE
        except Exception:  # noqa: BLE001 a defect lets nothing pass, whatever it is
            _LOG.exception("a defect ended the inspection of a response; Envoy cuts the response")
            reason = Reason.INTERNAL_ERROR
        if reason is not None:
            await stream.abort(reason)

    async def _serve(self, stream: Stream) -> Reason | None:
        # 1.
        raw = await stream.read()
        if raw is None:
            return Reason.RESPONSE_UNREADABLE
        opening = read_opening(raw)
        if isinstance(opening, Malformed):
            return self._report(opening)
        # 2.
        rules, ports = self._rules, self._ports
        if _is_same(opening.word, rules.off_word):
            return await _Conversation(stream, Passage(), None, ports).hold(opening.headers)
        assignment = rules.assign(opening.sealed)
        if isinstance(assignment, Observation):
            return await self._watch(stream, assignment, opening.headers)
        return await _Conversation(stream, Exchange(assignment.terms), assignment, ports).hold(opening.headers)

    async def _watch(self, stream: Stream, observation: Observation, headers: Headers) -> Reason | None:
        passage = Passage(observation.max_bytes)
        conversation = _Conversation(stream, passage, None, self._ports, server=observation.server)
        try:
            return await conversation.hold(headers)
        finally:
            # Once Envoy has all of it, it may cancel the stream before this task finds that it has ended.
            if passage.has_ended and passage.outcome is not ResponseOutcome.ABORTED:
                observation.take(passage.copy)

    def _report(self, malformed: Malformed) -> Reason:
        self._ports.metrics.count_response("", ResponseOutcome.ABORTED)
        if malformed.detail not in self._reported:
            self._reported.add(malformed.detail)
            _LOG.error(
                "Envoy sends responses so that they cannot be inspected; it cuts them",
                extra={"cause": malformed.detail},
            )
        return malformed.reason


def _is_same(word: str, off_word: str) -> bool:
    # A word that is missing is none, whatever the rules say.
    return word != "" and hmac.compare_digest(word.encode("utf-8"), off_word.encode("utf-8"))


class _Conversation:
    """One stream from the headers on.

    Args:
        assignment: None for a response that nothing inspects; `server` is then the name for the metric.
    """

    def __init__(
        self,
        stream: Stream,
        exchange: Exchange | Passage,
        assignment: Assignment | None,
        ports: ProcessPorts,
        *,
        server: str = "",
    ) -> None:
        self._stream, self._exchange, self._assignment, self._ports = stream, exchange, assignment, ports
        self._server = server if assignment is None else assignment.server
        # Envoy's messages and the end of the token are answered one after the other.
        self._turn = asyncio.Lock()
        self._reason: Reason | None = None
        self._has_expired = False

    async def hold(self, headers: Headers) -> Reason | None:
        """Answer until everything is answered; returns why the stream must be aborted."""
        try:
            await self._answer(headers)
            return await self._read_on()
        except Gone:
            raise
        except Exception:
            if not self._exchange.has_ended:
                self._exchange.abort(Reason.INTERNAL_ERROR)
            raise
        finally:
            # 6.
            self._ports.metrics.count_response(self._server, self._exchange.outcome)
            await self._conclude()

    async def _conclude(self) -> None:
        exchange, assignment = self._exchange, self._assignment
        if assignment is None or isinstance(exchange, Passage):
            return
        if any(isinstance(each, Uninspected) and each.has_passed for each in exchange.uninspected):
            self._ports.metrics.count_unread(self._server)
        if exchange.incomplete:
            self._ports.metrics.count_masking_incomplete(self._server, exchange.incomplete)
            _LOG.error(
                "something was left in a message after it was masked; the message was withheld",
                extra={"request_id": assignment.terms.request_id, "server": self._server},
            )
        # What is not written now is lost, and counted by the audit sink: what it tells of has left, or never will.
        # INVARIANT: Envoy resets a stream once it has the whole response, and gRPC then cancels the task that serves
        # it, at whatever it waits for. What is written now must not be withdrawn by that.
        with contextlib.suppress(Unavailable):
            await finish(assignment.write_notes(exchange.uninspected, is_last=True))

    async def _read_on(self) -> Reason | None:
        timer = self._await_expiry()
        try:
            while self._reason is None:
                raw = await self._stream.read()
                if raw is None:
                    return self._reason if self._exchange.has_ended else Reason.RESPONSE_UNREADABLE
                event = read_event(raw)
                if isinstance(event, Malformed):
                    self._exchange.abort(event.reason)
                    return event.reason
                await self._answer(event)
            return self._reason
        finally:
            if timer is not None:
                await self._end(timer)

    async def _answer(self, event: Event) -> None:
        async with self._turn:
            # 3.
            for action in self._exchange.receive(event):
                if isinstance(action, Abort):
                    self._reason = action.reason
                    return
                # 4.
                settled = await self._settle(action) if isinstance(action, Emit) else action
                # 5.
                answer = render_action(settled)
                if answer is not None:
                    await self._stream.write(answer)

    async def _settle(self, emit: Emit) -> Emit:
        if not any(piece.notes for piece in emit.pieces):
            return emit
        last = max(at for at, piece in enumerate(emit.pieces) if piece.notes)
        pieces = [
            await self._release(piece, is_last=at == last and self._exchange.has_ended) if piece.notes else piece
            for at, piece in enumerate(emit.pieces)
        ]
        return Emit(tuple(pieces), emit.ends, emit.is_duplex)

    async def _release(self, piece: Piece, *, is_last: bool) -> Piece:
        exchange, assignment = self._exchange, self._assignment
        if assignment is None or isinstance(exchange, Passage):
            # INVARIANT: only an inspection leaves notes.
            raise ValueError("notes of a response that nothing inspects")
        try:
            await assignment.write_notes(piece.notes, is_last=is_last)
        except (Unavailable, TimeoutError):
            return exchange.withhold(piece)
        return Piece(piece.raw)

    def _await_expiry(self) -> "asyncio.Task[None] | None":
        if self._assignment is None or self._assignment.expires is None or not self._exchange.is_stream:
            return None
        return asyncio.create_task(self._expire(self._assignment.expires - self._ports.clock.now()))

    async def _end(self, timer: "asyncio.Task[None]") -> None:
        if not self._has_expired:
            timer.cancel()
        # An abort under way is not interrupted: the stream would end with OK.
        await asyncio.wait({timer})

    async def _expire(self, seconds: float) -> None:
        await self._ports.sleep(max(seconds, 0.0))
        self._has_expired = True
        try:
            await self._answer(Expired())
        except Gone:
            self._reason = Reason.TOKEN_EXPIRED
        except Exception:  # noqa: BLE001 the top of a task: what it cannot answer is aborted
            _LOG.exception("a defect ended the inspection of a response; Envoy cuts the response")
            self._reason = Reason.INTERNAL_ERROR
        if self._reason is not None:
            # The other task waits for Envoy's next message, which may never come.
            await self._stream.abort(self._reason)
