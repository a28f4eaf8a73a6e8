"""Approving the definition of a tool on its page, as `agen-authz tools pin` does.

1. Only an administrator, with a fresh login, and only the definition that the page showed.
2. What deceives a reader, by hidden text or by a name that looks like another tool's, needs a separate tick.
3. Who did it is kept in the store; the sidecar that decides writes it to the audit log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from agen_authz.console.console import Console
from agen_authz.console.form import Form
from agen_authz.console.session import ConsoleSession
from agen_authz.console.visit import from_own_form
from agen_authz.core.pinning.catalogue import Catalogue, KnownTool
from agen_authz.core.pinning.definition import INSTRUCTIONS, is_callable
from agen_authz.core.pinning.hidden import find_hidden, spell
from agen_authz.core.pinning.lookalike import LookAlike, find_lookalikes
from agen_authz.core.pinning.pin import Kept

SHOWN_INSTRUCTIONS = "(instructions)"
_MAX_NAME_CHARS = 256
_STALE = "Approving a tool needs a fresh login. Sign in again, and look at the definition once more."
_GONE = "This definition is not the last one any more, or it is approved already. Look at it again."
_UNSEEN = "Nothing was approved: it has hidden text or looks like another tool, and the box for that was not ticked."
_FOR_ADMINS = "Only administrators of the console (`console.admins`) approve tools here."


class Approvable(Struct, frozen=True):
    """The definition that a page offers for approval, and what may deceive in it."""

    kept: Kept
    lookalikes: tuple[LookAlike, ...]
    has_hidden: bool

    @property
    def deceives(self) -> bool:
        """True if a reader may not see what it is."""
        return self.has_hidden or bool(self.lookalikes)


def find_tool(catalogue: Catalogue, server: str, name: str) -> KnownTool | None:
    """Find a tool by the name that pages show."""
    return next((each for each in catalogue.list_server(server) if spell_name(each.tool.name) == name), None)


def find_place(known: KnownTool) -> str:
    """Find the page of a tool."""
    server, name = quote(known.tool.server, safe=""), quote(spell_name(known.tool.name), safe="/()")
    return f"/tools/{server}/{name}"


def spell_name(name: str) -> str:
    """Spell a tool's name as pages show it."""
    return SHOWN_INSTRUCTIONS if name == INSTRUCTIONS else spell(name)


def find_approvable(catalogue: Catalogue, known: KnownTool) -> Approvable | None:
    """Find what may be approved of a tool: the definition seen last, if it is kept whole and not approved."""
    last, name = known.tool.last, known.tool.name
    can_be_named = name == INSTRUCTIONS or is_callable(name)
    if last is None or last.definition is None or last.is_approved or not can_be_named:
        return None
    alike: Sequence[LookAlike] = find_lookalikes(known.tool.server, last.definition, catalogue.names)
    return Approvable(last, tuple(alike), bool(find_hidden(last.definition)))


@dataclass(frozen=True, slots=True)
class PinPages:
    """Where a definition is approved."""

    console: Console

    @from_own_form
    async def approve(self, request: Request, session: ConsoleSession, form: Form) -> Response:
        """Approve the definition that was shown."""
        console, pin = self.console, self.console.ports.pin
        if not console.desk.is_admin(session):
            return self._refuse(session, _FOR_ADMINS, 403, "/")
        catalogue = console.ports.catalogue()
        known = find_tool(catalogue, request.path_params["server"], request.path_params["name"])
        if known is None or pin is None:
            return console.not_found(session)
        place = find_place(known)
        if not console.is_fresh(session):
            return self._refuse(session, _STALE, 403, f"/sign-in?fresh=1&to={quote(place, safe='')}")
        found = find_approvable(catalogue, known)
        if found is None or found.kept.digest != form.get("digest"):
            return self._refuse(session, _GONE, 409, place)
        if found.deceives and form.get("seen") != "yes":
            return self._refuse(session, _UNSEEN, 400, place)
        if not await pin(known.tool.server, known.tool.name, found.kept.digest, _name(session)):
            return self._refuse(session, _GONE, 409, place)
        return console.redirect(place)

    def _refuse(self, session: ConsoleSession, text: str, status: int, again: str) -> Response:
        return self.console.notice("Nothing was approved", text, session=session, status=status, again=again)


def _name(session: ConsoleSession) -> str:
    """Name who approves, as the store keeps it."""
    approver = session.approver
    return spell(approver.email or str(approver.owner.subject)).strip()[:_MAX_NAME_CHARS]
