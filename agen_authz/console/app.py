"""The console as an ASGI application: its routes, and what is answered when something is down or broken."""

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp

from agen_authz.console.api import RequestApi, refuse
from agen_authz.console.catalogue import CataloguePages
from agen_authz.console.console import Console, assemble
from agen_authz.console.guard import API, Guard
from agen_authz.console.pages import RequestPages
from agen_authz.console.pins import PinPages
from agen_authz.console.settings import ConsolePorts, ConsoleSettings
from agen_authz.console.sign_in import SignInPages
from agen_authz.console.terminal import TerminalPages
from agen_authz.console.view import STATIC
from agen_authz.console.watch import WatchPages
from agen_authz.core.errors import Unavailable

_LOG = logging.getLogger(__name__)
_STATIC_KEPT = "private, max-age=86400"
_DOWN = "Something that this page needs does not answer just now. Nothing was changed. Try again in a moment."
_BROKEN = "Something went wrong here. It is in the log of the sidecar."


def build_console(settings: ConsoleSettings, ports: ConsolePorts) -> ASGIApp:
    """Build the console; everything is served below the path of `base_url`."""
    console = assemble(settings, ports)
    pages = Starlette(
        routes=_place_routes(console, settings.prefix),
        exception_handlers={
            Unavailable: _answer_down(console),
            HTTPException: _answer_http(console),
            Exception: _answer_broken(console),
        },
    )
    # A redirect to the place with a slash would lead to the scheme that we are asked with, behind a proxy to http.
    pages.router.redirect_slashes = False
    # Around everything, what Starlette answers to errors included.
    return Guard(pages, settings)


def _place_routes(console: Console, prefix: str) -> list[BaseRoute]:
    """Place the routes below the path of `base_url`."""
    routes = _list_routes(console)
    if not prefix:
        return [*routes]

    async def enter(_request: Request) -> Response:
        return console.redirect("/")

    return [Route(prefix, enter), Mount(prefix, app=Router(routes, redirect_slashes=False))]


def _list_routes(console: Console) -> list[Route]:
    sign_in, requests = SignInPages(console), RequestPages(console)
    terminal, known, api = TerminalPages(console), CataloguePages(console), RequestApi(console)
    watch = WatchPages(console)
    return [
        Route("/", requests.inbox),
        Route("/requests", requests.everything),
        Route("/requests/{id}", requests.one),
        Route("/requests/{id}/decision", requests.decide, methods=["POST"]),
        Route("/requests/{id}/withdrawal", requests.withdraw, methods=["POST"]),
        Route("/requests/{id}/unmasked", requests.unmask, methods=["POST"]),
        Route("/tools", known.tools),
        # A tool's name may have slashes. The first route takes only forms, so a tool may be named `x/pin`.
        Route("/tools/{server}/{name:path}/pin", PinPages(console).approve, methods=["POST"]),
        Route("/tools/{server}/{name:path}", known.tool),
        Route("/policies", known.policies),
        Route("/health", known.health),
        Route("/masking", watch.masking),
        Route("/decisions", watch.decisions),
        Route("/decisions/{id}", watch.decision),
        Route("/sign-in", sign_in.begin),
        Route("/sign-in/callback", sign_in.finish),
        Route("/sign-out", sign_in.sign_out, methods=["POST"]),
        Route("/signed-out", sign_in.signed_out),
        Route("/terminal", terminal.ask),
        Route("/terminal", terminal.confirm, methods=["POST"]),
        Route("/static/{name}", _serve_static(console)),
        Route("/api/terminal", terminal.exchange, methods=["POST"]),
        Route("/api/terminal", terminal.end, methods=["DELETE"]),
        Route("/api/requests", api.list_all),
        Route("/api/requests/{id}", api.show),
        Route("/api/requests/{id}/decision", api.decide, methods=["POST"]),
        Route("/api/requests/{id}/withdrawal", api.withdraw, methods=["POST"]),
    ]


def _serve_static(console: Console) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC:
            return console.not_found(None)
        headers = {"content-type": STATIC[name], "cache-control": _STATIC_KEPT}
        return Response(console.view.static[name], headers=headers)

    return serve


def _is_api(console: Console, request: Request) -> bool:
    return request.url.path.startswith(console.settings.prefix + API)


def _answer_down(console: Console) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, exc: Exception) -> Response:
        _LOG.warning("the console could not answer a request", extra={"cause": str(exc)})
        if _is_api(console, request):
            return refuse(503, ("unavailable", "something that this needs does not answer just now"))
        return console.notice("Not just now", _DOWN, status=503)

    return answer


def _answer_http(console: Console) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, exc: Exception) -> Response:
        status = exc.status_code if isinstance(exc, HTTPException) else 500
        if _is_api(console, request):
            return refuse(status, ("not_found" if status == 404 else "refused", "this is not a part of the console"))
        if status == 404:
            return console.not_found(await console.find_session(request))
        return console.notice("Not possible", "This cannot be done here.", status=status, again="/")

    return answer


def _answer_broken(console: Console) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, _exc: Exception) -> Response:
        # The server logs the traceback: Starlette raises what was answered here again.
        if _is_api(console, request):
            return refuse(500, ("internal", "something went wrong here"))
        return console.notice("Something went wrong", _BROKEN, status=500)

    return answer
