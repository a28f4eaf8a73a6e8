"""Signing in: OpenID Connect's authorization code flow with PKCE (OpenID Connect Core 1.0 section 3.1, RFC 7636, 9700).

1. `begin`     a sign-in is sealed in a cookie of its `state`: another browser, or another state, has none. The store
               keeps nothing of it. Several tabs may sign in at once
2. `finish`    the cookie is taken back, so it works once in this browser, and the provider takes a code once; `iss`
               (RFC 9207), code, ID token and nonce must all be of this sign-in
3. the session gets a new secret each time; the old one is gone. Terminals stay signed in if it is the same person
"""

import hmac
import logging
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agen_authz.console.console import Console
from agen_authz.console.cookie import Cookie, name_cookie
from agen_authz.console.form import Form, read_form, read_query
from agen_authz.console.place import check_place
from agen_authz.console.session import ConsoleSession, PendingSignIn, Presence
from agen_authz.console.vault import SecretKind
from agen_authz.core.approval.pairing import challenge_of
from agen_authz.core.approval.table import Approver
from agen_authz.core.errors import Rejected
from agen_authz.core.identity.id_token import ExpectedToken, SignedIn, verify_id_token
from agen_authz.core.identity.jws import read_token
from agen_authz.core.identity.token import may_issue
from agen_authz.core.model import RawToken
from agen_authz.core.reason import Reason
from agen_authz.ports.sign_in import CodeExchange
from agen_authz.wire.sign_in_event import SignInWord

_LOG = logging.getLogger(__name__)
_PENDING_S = 600.0
# A browser that begins more sign-ins at once loses the first.
_PURPOSE, _MAX_BEGUN = "sign-in-", 8
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
_CALLBACK = "/sign-in/callback"
_SCOPE = "openid profile email"
# RFC 6749 section 4.1.2.1 and OpenID Connect Core 1.0 section 3.1.2.6; anything else is not repeated.
_DECLINED = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
_EXPIRED = "This sign-in was used already, took too long, or was begun in another browser."


@dataclass(frozen=True, slots=True)
class SignInPages:
    """The way in and out."""

    console: Console

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider."""
        console, query = self.console, read_query(request) or {}
        now, rules = console.ports.clock.now(), console.ports.rules()
        is_fresh = query.get("fresh") == "1"
        state, nonce, verifier = console.vault.draw(), console.vault.draw(), console.vault.draw()
        endpoint = await console.ports.identity.find_authorization_endpoint()
        to, login_after = check_place(query.get("to", "/")), now if is_fresh else None
        pending = PendingSignIn(nonce, verifier, to, login_after, now + _PENDING_S)
        wish = {
            "response_type": "code",
            "client_id": console.settings.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            # With it, the provider must say when the person logged in (section 3.1.2.1).
            "max_age": str(int(rules.terms.fresh_login_s)),
            **({"prompt": "login"} if is_fresh else {}),
        }
        answer = RedirectResponse(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(wish, quote_via=quote)}", 303)
        self._name_cookie(state).set(answer, console.vault.seal(SecretKind.SIGN_IN, state, pending), _PENDING_S)
        self._clear_oldest(request, answer)
        return answer

    def _name_cookie(self, state: str) -> Cookie:
        return name_cookie(f"{_PURPOSE}{state}", is_secure=self.console.settings.is_secure)

    def _clear_oldest(self, request: Request, answer: Response) -> None:
        """Clear sign-ins that never ended: a browser sends them all, the oldest first (RFC 6265 section 5.4)."""
        prefix = self._name_cookie("").name
        states = [name.removeprefix(prefix) for name in request.cookies if name.startswith(prefix)]
        begun = [each for each in states if _STATE.fullmatch(each)]
        for each in begun[: max(len(begun) - _MAX_BEGUN, 0)]:
            self._name_cookie(each).clear(answer)

    @property
    def _redirect_uri(self) -> str:
        return self.console.settings.base_url.rstrip("/") + _CALLBACK

    async def finish(self, request: Request) -> Response:
        """Take the browser back from the provider."""
        query = read_query(request) or {}
        state = query.get("state", "")
        pending = self._find_pending(request, state)
        if pending is None:
            return self._refuse(_EXPIRED, "/")
        answer = await self._finish(request, query, pending)
        self._name_cookie(state).clear(answer)
        return answer

    def _find_pending(self, request: Request, state: str) -> PendingSignIn | None:
        if not _STATE.fullmatch(state):
            return None
        sealed = self._name_cookie(state).read(request)
        pending = self.console.vault.unseal(SecretKind.SIGN_IN, state, sealed, PendingSignIn)
        return pending if pending is not None and self.console.ports.clock.now() < pending.ends_at else None

    async def _finish(self, request: Request, query: Form, pending: PendingSignIn) -> Response:
        if "error" in query:
            _LOG.info("a sign-in ended at the provider")
            text = (
                "The provider says that you did not sign in."
                if query["error"] in _DECLINED
                else "The provider refused."
            )
            return self._refuse(text, pending.to)
        signed_in = await self._verify(query, pending)
        if isinstance(signed_in, Rejected):
            # The detail is for operators: it names claims of a person who is not known here.
            await self.console.note_sign_in(SignInWord.REFUSED, None, signed_in.reason)
            _LOG.warning("a sign-in was refused", extra={"reason": signed_in.reason.value, "detail": signed_in.detail})
            return self._refuse(f"What the provider says about you is not accepted ({signed_in.reason}).", pending.to)
        return await self._welcome(request, signed_in, pending.to)

    def _refuse(self, text: str, to: str) -> Response:
        again = f"/sign-in?to={quote(to, safe='')}"
        return self.console.notice("You are not signed in", text, status=403, again=again)

    async def _verify(self, query: Form, pending: PendingSignIn) -> SignedIn | Rejected:
        ports = self.console.ports
        rules = ports.rules()
        issuer = query.get("iss")
        if issuer is not None and not may_issue(rules.provider, issuer):
            return Rejected(Reason.TOKEN_ISSUER, "the answer's `iss` is another provider's")
        exchange = CodeExchange(query.get("code", ""), self._redirect_uri, pending.verifier)
        raw = await ports.identity.redeem(exchange) if exchange.code else None
        token = (
            Rejected(Reason.TOKEN_MISSING, "no ID token for this code") if raw is None else read_token(RawToken(raw))
        )
        if isinstance(token, Rejected):
            return token
        if token.algorithm not in rules.provider.algorithms:
            return Rejected(Reason.TOKEN_ALGORITHM, "the ID token's `alg` is not among the provider's `algorithms`")
        asked = rules.provider.name, token.kid, token.algorithm
        key = ports.keys.find_key(*asked) or await ports.keys.fetch_key(*asked)
        if key is None:
            return Rejected(Reason.TOKEN_KEY_UNKNOWN, "the provider publishes no such key")
        expected = ExpectedToken(self.console.settings.client_id, pending.nonce, pending.login_after)
        now = ports.clock.now()
        return verify_id_token(token, key, rules.provider, expected, revoked=rules.revoked, now=now)

    async def _welcome(self, request: Request, signed_in: SignedIn, to: str) -> Response:
        console = self.console
        approver, ends_at = _describe(signed_in), console.ports.clock.now() + console.settings.session_s
        old = await self._end(request)
        is_same = old is not None and old.approver.owner == approver.owner
        presence = old.presence if old is not None and is_same else console.vault.draw()
        session = ConsoleSession(
            approver=approver,
            name=signed_in.name,
            has_unknown_groups=signed_in.has_unknown_groups,
            provider=console.ports.rules().provider.name,
            keyid=signed_in.kid,
            csrf=console.vault.draw(),
            ends_at=ends_at,
            presence=presence,
        )
        secret = console.vault.draw()
        await console.vault.put(SecretKind.PRESENCE, presence, Presence(approver.owner), ends_at)
        await console.vault.put(SecretKind.BROWSER, secret, session, ends_at)
        if old is not None and not is_same:
            await console.vault.remove(SecretKind.PRESENCE, old.presence)
        await console.note_sign_in(SignInWord.SIGNED_IN, approver)
        answer = console.redirect(to)
        console.session_cookie.set(answer, secret, console.settings.session_s)
        return answer

    async def _end(self, request: Request) -> ConsoleSession | None:
        """End this browser's session; return it if there was one."""
        console = self.console
        return await console.vault.take(SecretKind.BROWSER, console.session_cookie.read(request), ConsoleSession)

    async def sign_out(self, request: Request) -> Response:
        """End the session, and those of the terminals that it let in."""
        console = self.console
        session, form = await console.find_session(request), await read_form(request)
        if session is not None and not is_own_form(session, form):
            return console.notice("Nothing was changed", STALE_FORM, session=session, status=403, again="/")
        ended = await self._end(request)
        if ended is not None:
            await console.vault.remove(SecretKind.PRESENCE, ended.presence)
            await console.note_sign_in(SignInWord.SIGNED_OUT, ended.approver)
        answer = console.redirect("/signed-out")
        console.session_cookie.clear(answer)
        return answer

    async def signed_out(self, _request: Request) -> Response:
        """Say that the session has ended."""
        text = (
            "Your session here has ended, and so have those of the terminals that it let in. "
            "You may still be signed in at the provider."
        )
        return self.console.notice("You are signed out", text, again="/sign-in")


def _describe(signed_in: SignedIn) -> Approver:
    return Approver(
        owner=signed_in.owner,
        email=signed_in.email,
        tenant=signed_in.tenant,
        roles=signed_in.roles,
        groups=signed_in.groups,
        auth_time=signed_in.auth_time,
        aliases=signed_in.aliases,
    )


STALE_FORM = "This page is from another session. Open it again."


def is_own_form(session: ConsoleSession, form: Form | None) -> bool:
    """True if a form was made for this session."""
    sent = "" if form is None else form.get("csrf", "")
    return hmac.compare_digest(sent.encode("utf-8", "replace"), session.csrf.encode("ascii"))
