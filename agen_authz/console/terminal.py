"""A terminal signs in through a browser, so that it is held to what people in front of one are.

1. The command opens `/terminal` with a challenge: the digest of a secret that it keeps (as RFC 7636 has it) and of the
   console's address. What another console was asked for is worth nothing here.
2. A person who has signed in lately is asked whether a terminal may act for them, and is shown the words that the
   terminal shows: another person's terminal shows others.
3. Only their own form yields a code. It goes to the loopback address of their own machine, or is shown to be typed.
4. The command exchanges it, once, within a minute or two and with the secret, for a token that ends with the session:
   in time, or when the person signs out.
"""

import hmac
import re
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from agen_authz.console.api import refuse
from agen_authz.console.console import Console
from agen_authz.console.form import Form, read_body, read_query
from agen_authz.console.guard import FORM_TARGETS
from agen_authz.console.session import ConsoleSession, TerminalCode
from agen_authz.console.vault import SecretKind
from agen_authz.console.visit import for_people, from_own_form
from agen_authz.core.approval.pairing import bind_challenge, match_number
from agen_authz.core.strict_json import parse_json
from agen_authz.wire.sign_in_event import SignInWord

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_PORT = re.compile(r"[1-9][0-9]{3,4}")
_CODE_S = 120.0
_MAX_DEPTH = 2
_ASKED_WRONGLY = "This address was not made by `agen-authz approvals`. Run the command again."
_NO_CODE = ("invalid_code", "the code is unknown, used, too old or for another terminal")


class TerminalAsk(Struct, frozen=True):
    """What a terminal asks for; `port` is where it listens on loopback, or empty if the code is to be typed."""

    challenge: str
    state: str
    port: str

    @property
    def words(self) -> str:
        """What the terminal shows as well."""
        return match_number(self.challenge)


def read_asked(form: Form) -> TerminalAsk | None:
    """Read what a terminal asks for; None if no terminal of ours did."""
    challenge, state, port = form.get("challenge", ""), form.get("state", ""), form.get("port", "")
    is_port = not port or (_PORT.fullmatch(port) is not None and int(port) < 65536)
    is_secret = _SECRET.fullmatch(challenge) is not None and _SECRET.fullmatch(state) is not None
    return TerminalAsk(challenge, state, port) if is_port and is_secret else None


@dataclass(frozen=True, slots=True)
class TerminalPages:
    """Where a terminal asks, and where it takes its token."""

    console: Console

    @for_people
    async def ask(self, request: Request, session: ConsoleSession) -> Response:
        """Ask the person whether a terminal may act for them."""
        asked = read_asked(read_query(request) or {})
        if asked is None:
            return self.console.notice("Nothing to confirm", _ASKED_WRONGLY, session=session, status=400, again="/")
        if not self.console.is_fresh(session):
            return self.console.ask_to_sign_in(request, is_fresh=True)
        # Browsers hold the redirect after a form to this rule, too.
        targets = {FORM_TARGETS: f"http://127.0.0.1:{asked.port}"} if asked.port else {}
        return self.console.page("terminal.html", {"asked": asked, "here": ""}, session=session, headers=targets)

    @from_own_form
    async def confirm(self, _request: Request, session: ConsoleSession, form: Form) -> Response:
        """Give a code to the terminal that the person confirmed."""
        console, asked = self.console, read_asked(form)
        if asked is None or form.get("answer") != "allow":
            text = "The terminal was not signed in. You may close this page."
            return console.notice("Not signed in", text, session=session, again="/")
        if not self.console.is_fresh(session):
            text = "You signed in too long ago. Run the command again."
            return console.notice("Not signed in", text, session=session, status=403, again="/")
        code = console.vault.draw()
        ends_at = min(console.ports.clock.now() + _CODE_S, session.ends_at)
        await console.vault.put(SecretKind.TERMINAL_CODE, code, TerminalCode(asked.challenge, session), ends_at)
        if asked.port:
            return RedirectResponse(f"http://127.0.0.1:{asked.port}/signed-in?code={code}&state={asked.state}", 303)
        return console.page("terminal_code.html", {"code": code, "here": ""}, session=session)

    async def exchange(self, request: Request) -> Response:
        """Exchange a code for a token."""
        raw = await read_body(request)
        document = None if raw is None else parse_json(raw, _MAX_DEPTH)
        if not isinstance(document, dict):
            return refuse(400, ("malformed", "the body must be JSON: {code, verifier}"))
        code, verifier = document.get("code"), document.get("verifier")
        if not isinstance(code, str) or not isinstance(verifier, str) or not _SECRET.fullmatch(verifier):
            return refuse(400, ("malformed", "the body must be JSON: {code, verifier}"))
        console = self.console
        # Taken first: a wrong guess leaves nothing to guess again.
        found = await console.vault.take(SecretKind.TERMINAL_CODE, code, TerminalCode)
        challenge = bind_challenge(verifier, console.settings.base_url)
        if found is None or not hmac.compare_digest(challenge, found.challenge):
            return refuse(403, _NO_CODE)
        if not await console.is_present(found.session):
            return refuse(403, _NO_CODE)
        session, token = replace(found.session, csrf=console.vault.draw()), console.vault.draw()
        await console.vault.put(SecretKind.TERMINAL, token, session, session.ends_at)
        await console.note_sign_in(SignInWord.TERMINAL, session.approver)
        return JSONResponse({"token": token, "ends_at": session.ends_at, "name": session.shown_name})

    async def end(self, request: Request) -> Response:
        """End a terminal's session."""
        credential = request.headers.get("authorization", "")
        if credential[:7].lower() == "bearer ":
            await self.console.vault.remove(SecretKind.TERMINAL, credential[7:])
        return Response(status_code=204)
