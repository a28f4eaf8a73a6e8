"""Sends what was made, compares the answer with what may be answered, and keeps the books."""

import http.client
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

from bench.soak.ask import Ask
from bench.soak.ledger import Faults, Ledger
from bench.soak.truth import Facts, Span, Truth
from bench.soak.wire import Line, Reply

UNAVAILABLE = 503
# What a response showed of tools could not be kept in time, so it was withheld.
WITHHELD = (200, "store_unavailable")


@dataclass(slots=True)
class Tally:
    """How many calls of each kind were made."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def count(self, kind: str, status: int | None = None) -> None:
        """Count a call."""
        with self._lock:
            self.calls[kind] += 1
            if status is not None:
                self.statuses[status] += 1


@dataclass(frozen=True, slots=True)
class Teller:
    """For any thread; each brings its own line."""

    facts: Facts
    ledger: Ledger
    faults: Faults
    tally: Tally

    def ask(self, line: Line, ask: Ask) -> Reply | None:
        """Ask and judge; None where the connection broke."""
        booked = ask.booked_as()
        self.ledger.open(booked, ask.kind, ask.caller)
        began, truth = time.time(), self.facts.look()
        try:
            reply = line.exchange(ask.method, ask.raw())
        except (OSError, http.client.HTTPException) as exc:
            self.ledger.settle(booked, 0, 1, now=time.monotonic(), is_late=True)
            self.tally.count(ask.kind)
            self.faults.lose(f"{ask.kind}: {type(exc).__name__}")
            return None
        self.tally.count(ask.kind, reply.status)
        self._judge(ask, booked, reply, self._span(began, truth))
        return reply

    def _span(self, began: float, truth: Truth) -> Span:
        return Span(began, time.time(), (truth, self.facts.look()))

    def _judge(self, ask: Ask, booked: str, reply: Reply, span: Span) -> None:
        got = (reply.status, _reason(ask, reply))
        expected = ask.judge(span)
        arrivals = {answer.arrivals for answer in expected if answer[:2] == got}
        if arrivals:
            self._settle(booked, arrivals)
        elif reply.status == UNAVAILABLE:
            # Nothing got past, and nothing was served: counted by its cause, and no wrong answer.
            self.faults.lose(f"{UNAVAILABLE} {_cause(reply)}")
            self._settle(booked, {0} if got[1] != "-" else {0, 1})
        elif got == WITHHELD:
            # The backend was asked, and no client sees its answer.
            self.faults.lose(f"{got[0]} {got[1]}")
            self._settle(booked, {1})
        else:
            wanted = " or ".join(sorted(f"{answer.status} {answer.reason}" for answer in expected))
            self.faults.add(f"{ask.kind}: got {got[0]} {got[1]}, expected {wanted} ({ask.mark})")
            self._settle(booked, {0, 1})

    def _settle(self, booked: str, arrivals: set[int]) -> None:
        self.ledger.settle(booked, min(arrivals), max(arrivals), now=time.monotonic())


def _reason(ask: Ask, reply: Reply) -> str:
    """Tell the Reason; an answer to another caller's message has one that is never expected."""
    reason = reply.reason()
    if reason != "allowed":
        return reason
    message = reply.message()
    if message.get("id") != ask.mark:
        return "another caller's answer"
    return "tool error" if message["result"].get("isError") else reason


def _cause(reply: Reply) -> str:
    reason = reply.reason()
    return reason if reason != "-" else "from Envoy"
