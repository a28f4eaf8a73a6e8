"""Sessions of the legacy era: begun, used, listened to, tried by another caller, ended, and tried again."""

import time
from dataclasses import dataclass, field

from bench.soak.ask import LEGACY, Ask, Maker, after
from bench.soak.purse import LIFETIME_S, Wish
from bench.soak.teller import Teller
from bench.soak.truth import Answer, Token
from bench.soak.wire import Line, Reply

# Few owners, so that each has several sessions at a time.
_OWNERS = 8
_LISTEN_S = 0.3
_BEGIN = {
    "method": "initialize",
    "params": {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}},
}
_CALL = {"method": "tools/call", "params": {"name": "get_customer", "arguments": {"customer_id": "c-1002"}}}
_NOT_YOURS = Answer(404, "session_unknown")
# The sidecar lets an owner through; it is the backend that knows the session is over.
_OVER = Answer(404, "-", 1)


@dataclass(slots=True)
class Sessions:
    """One session after the other."""

    maker: Maker
    teller: Teller
    line: Line
    begun: int = field(default=0)

    def run_one(self) -> None:
        """Run one session from its beginning to its end."""
        owner, other = self._token("owner"), self._token("other")
        reply = self._ask(self.maker.legacy("session begins", owner, after(owner), body=_BEGIN))
        session = None if reply is None else reply.headers.get("mcp-session-id")
        if session is None:
            return
        self.begun += 1
        said = {"mcp_session_id": session, "mcp_protocol_version": LEGACY}
        note = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
        self._ask(self.maker.legacy("session note", owner, after(owner, Answer(202, "-", 1)), body=note, **said))
        self._ask(self.maker.legacy("session call", owner, after(owner), body=_CALL, **said))
        self._ask(self.maker.legacy("session of another", other, after(other, _NOT_YOURS), body=_CALL, **said))
        self._ask(self.maker.bodiless("stream of another", "GET", other, after(other, _NOT_YOURS), session))
        self._ask(self._stream(owner, session))
        self._ask(self.maker.bodiless("end of another", "DELETE", other, after(other, _NOT_YOURS), session))
        self._ask(self.maker.bodiless("session ends", "DELETE", owner, after(owner, Answer(200, "-", 1)), session))
        self._ask(self.maker.legacy("session is over", owner, after(owner, _OVER), body=_CALL, **said))

    def _ask(self, ask: Ask) -> Reply | None:
        return self.teller.ask(self.line, ask)

    def _stream(self, owner: Token, session: str) -> Ask:
        """Open a stream; the line closes it as soon as it is open, as a client does that goes away."""
        judge = after(owner, Answer(200, "-", 1))
        time.sleep(_LISTEN_S * self.maker.rng.random())
        return self.maker.bodiless("stream", "GET", owner, judge, session)

    def _token(self, who: str) -> Token:
        issuer = self.maker.rng.choice(("one", "two"))
        subject = f"{who}-{self.maker.rng.randrange(_OWNERS)}"
        return self.maker.purse.draw(self.maker.rng, Wish(issuer, subject=subject, lifetime_s=LIFETIME_S))
