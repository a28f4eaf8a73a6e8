"""The parts of the console that every page needs, built once."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agen_authz.console.cookie import Cookie, name_cookie
from agen_authz.console.desk import Desk
from agen_authz.console.session import ConsoleSession, Presence
from agen_authz.console.settings import ConsolePorts, ConsoleSettings
from agen_authz.console.vault import SecretKind, Vault
from agen_authz.console.view import Renderer, get_renderer
from agen_authz.core.approval.table import Approver, is_login_fresh
from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.token import may_issue
from agen_authz.core.model import Provider, Revoked
from agen_authz.core.reason import Reason
from agen_authz.wire.sign_in_event import SignInWord, render_sign_in

_LOG = logging.getLogger(__name__)
_BEARER = "bearer "
_PLACES = (("/", "Inbox"), ("/requests", "Requests"))
_ADMIN_PLACES = (
    ("/decisions", "Decisions"),
    ("/policies", "Policies"),
    ("/masking", "Masking"),
    ("/tools", "Tools"),
    ("/health", "Health"),
)


@dataclass(frozen=True, slots=True)
class Console:
    """What pages and API share; build it with `assemble`."""

    settings: ConsoleSettings
    ports: ConsolePorts
    vault: Vault
    view: Renderer
    desk: Desk
    session_cookie: Cookie

    async def find_session(self, request: Request) -> ConsoleSession | None:
        """Find who uses this browser."""
        return self._admit(await self.vault.get(SecretKind.BROWSER, self.session_cookie.read(request), ConsoleSession))

    async def find_terminal(self, request: Request) -> ConsoleSession | None:
        """Find who uses this terminal (RFC 6750 section 2.1); cookies count for nothing here."""
        credential = request.headers.get("authorization", "")
        if credential[: len(_BEARER)].lower() != _BEARER:
            return None
        stored = await self.vault.get(SecretKind.TERMINAL, credential[len(_BEARER) :], ConsoleSession)
        session = self._admit(stored)
        return session if session is not None and await self.is_present(session) else None

    async def is_present(self, session: ConsoleSession) -> bool:
        """True if this person has not signed out since in the browser that a terminal's session comes from."""
        presence = await self.vault.get(SecretKind.PRESENCE, session.presence, Presence)
        return presence is not None and presence.owner == session.approver.owner

    def _admit(self, session: ConsoleSession | None) -> ConsoleSession | None:
        """Check what may have changed since the sign-in: the time, the provider, what is revoked."""
        if session is None or self.ports.clock.now() >= session.ends_at:
            return None
        rules = self.ports.rules()
        return session if _is_vouched(session, rules.provider) and not _is_revoked(session, rules.revoked) else None

    async def note_sign_in(self, word: SignInWord, who: Approver | None, reason: Reason | None = None) -> None:
        """Write down who came or left; a person is not turned away because it cannot be written."""
        rules, now = self.ports.rules(), self.ports.clock.now()
        line = render_sign_in(word, rules.provider.name, rules.event, now=now, who=who, reason=reason)
        try:
            await self.ports.record(line)
        except Unavailable:
            _LOG.error("a sign-in at the console could not be written to the audit log", extra={"event": word.value})

    def is_fresh(self, session: ConsoleSession) -> bool:
        """True if this person has logged in lately enough to decide something."""
        return is_login_fresh(session.approver, self.ports.rules().terms, self.ports.clock.now())

    def link(self, place: str) -> str:
        """Write the path of one of our pages."""
        return self.settings.prefix + place

    def redirect(self, place: str) -> Response:
        """Send the browser to one of our pages."""
        return RedirectResponse(self.link(place), 303)

    def ask_to_sign_in(self, request: Request, *, is_fresh: bool = False) -> Response:
        """Send the browser to sign in, and back to where it is."""
        # As it is in links: the server has decoded it.
        place = quote(request.scope["path"].removeprefix(self.settings.prefix), safe="/()") or "/"
        query = f"?{request.url.query}" if request.url.query else ""
        wish = "&fresh=1" if is_fresh else ""
        return self.redirect(f"/sign-in?to={quote(place + query, safe='')}{wish}")

    def page(
        self,
        name: str,
        values: Mapping[str, Any],
        *,
        session: ConsoleSession | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Render a page."""
        now = self.ports.clock.now()
        is_admin = session is not None and self.desk.is_admin(session)
        shown = {**values, "places": (*_PLACES, *(_ADMIN_PLACES if is_admin else ()))}
        return HTMLResponse(self.view.render(name, shown, session=session, now=now), status, headers=headers)

    def notice(
        self, title: str, text: str, *, session: ConsoleSession | None = None, status: int = 200, again: str = ""
    ) -> Response:
        """Render a page that says one thing; `again` is the page to go on with."""
        values = {"title": title, "text": text, "again": again}
        return self.page("notice.html", values, session=session, status=status)

    def not_found(self, session: ConsoleSession | None) -> Response:
        """Answer what is not there, and what this person may not know of: in the same words."""
        text = "There is nothing here, or nothing that you may see."
        return self.notice("Not found", text, session=session, status=404, again="/")


def _is_vouched(session: ConsoleSession, provider: Provider) -> bool:
    """True if the provider may still say all that it said of this person."""
    approver = session.approver
    return (
        session.provider == provider.name
        and may_issue(provider, approver.owner.issuer)
        and (provider.tenants is None or approver.tenant in provider.tenants)
        and (provider.roles is None or provider.roles.issuperset(approver.roles))
    )


def _is_revoked(session: ConsoleSession, revoked: Revoked) -> bool:
    return session.keyid in revoked.kids or session.approver.owner.subject in revoked.subjects


def assemble(settings: ConsoleSettings, ports: ConsolePorts) -> Console:
    """Build what pages and API share."""
    is_secure = settings.is_secure
    return Console(
        settings=settings,
        ports=ports,
        vault=Vault(ports.sessions, ports.clock, ports.entropy, settings.key),
        view=get_renderer(settings.prefix),
        desk=Desk(ports),
        session_cookie=name_cookie("session", is_secure=is_secure),
    )
