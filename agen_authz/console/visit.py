"""Who may open a page and who may post to it, for every page alike."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from agen_authz.console.console import Console
from agen_authz.console.form import Form, read_form
from agen_authz.console.session import ConsoleSession
from agen_authz.console.sign_in import STALE_FORM, is_own_form

_ENDED = "Your session has ended, so nothing was changed. Sign in and open the page again."
_FOR_ADMINS = "This page is for administrators of the console (`console.admins`)."


class PageGroup(Protocol):
    """A group of pages."""

    @property
    def console(self) -> Console:
        """What they are built with."""


_Pages = TypeVar("_Pages", bound=PageGroup)
_Page = Callable[[_Pages, Request], Awaitable[Response]]


def for_people(show: Callable[[_Pages, Request, ConsoleSession], Awaitable[Response]]) -> _Page[_Pages]:
    """Show a page to people who are signed in; send all others to sign in, and back."""

    @wraps(show)
    async def shown(pages: _Pages, request: Request) -> Response:
        session = await pages.console.find_session(request)
        return pages.console.ask_to_sign_in(request) if session is None else await show(pages, request, session)

    return shown


def for_admins(show: Callable[[_Pages, Request, ConsoleSession], Awaitable[Response]]) -> _Page[_Pages]:
    """Show a page to administrators only."""

    @for_people
    @wraps(show)
    async def shown(pages: _Pages, request: Request, session: ConsoleSession) -> Response:
        if pages.console.desk.is_admin(session):
            return await show(pages, request, session)
        return pages.console.notice("For administrators", _FOR_ADMINS, session=session, status=403, again="/")

    return shown


def from_own_form(act: Callable[[_Pages, Request, ConsoleSession, Form], Awaitable[Response]]) -> _Page[_Pages]:
    """Act on a form that was made for this session; refuse all others."""

    @wraps(act)
    async def acted(pages: _Pages, request: Request) -> Response:
        console = pages.console
        session, form = await console.find_session(request), await read_form(request)
        if session is None:
            place = request.url.path.removeprefix(console.settings.prefix).rpartition("/")[0]
            return console.notice("You are not signed in", _ENDED, status=401, again=place or "/")
        if form is None or not is_own_form(session, form):
            return console.notice("Nothing was changed", STALE_FORM, session=session, status=403, again="/")
        return await act(pages, request, session, form)

    return acted
