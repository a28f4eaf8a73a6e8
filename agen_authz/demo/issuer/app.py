"""The issuer as an ASGI application: routes, sizes, cross-origin rules; what is decided is decided elsewhere."""

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from agen_authz.core.errors import Malformed
from agen_authz.core.strict_json import parse_json
from agen_authz.demo.issuer.authorize import Redirect, Waiting, begin_login, finish_login
from agen_authz.demo.issuer.client import read_registration, render_registration
from agen_authz.demo.issuer.discovery import render_discovery
from agen_authz.demo.issuer.form import MAX_FORM_BYTES, Form, parse_form
from agen_authz.demo.issuer.keyring import name_key
from agen_authz.demo.issuer.page import Page, render_login, render_refusal
from agen_authz.demo.issuer.redeem import redeem
from agen_authz.demo.issuer.refusal import Refused
from agen_authz.demo.issuer.state import Issuer

_JSON_DEPTH = 8
_JWKS_MAX_AGE_S = 30
_NOT_STORED = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class _OwnHostOnly:
    """Refuse other host names: a page that rebinds its own to loopback would be same-origin with us."""

    app: ASGIApp
    hosts: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and Request(scope).headers.get("host", "") not in self.hosts:
            await PlainTextResponse("unknown host\n", status_code=421)(scope, receive, send)
            return
        await self.app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _Endpoints:
    issuer: Issuer

    async def discovery(self, _request: Request) -> Response:
        return JSONResponse(render_discovery(self.issuer))

    async def jwks(self, _request: Request) -> Response:
        document = self.issuer.ring.jwks(self.issuer.sources.now())
        return JSONResponse(document, headers={"cache-control": f"max-age={_JWKS_MAX_AGE_S}"})

    async def token(self, request: Request) -> Response:
        form = await _read_form(request)
        if isinstance(form, Refused):
            return _refuse(form)
        answer = redeem(self.issuer, form, request.headers.get("authorization"))
        return _refuse(answer) if isinstance(answer, Refused) else JSONResponse(answer, headers=_NOT_STORED)

    async def register(self, request: Request) -> Response:
        raw = await _read_body(request)
        document = None if raw is None else parse_json(raw, _JSON_DEPTH)
        if document is None or isinstance(document, Malformed):
            return _refuse(Refused("invalid_client_metadata", "not a readable JSON object"))
        client = read_registration(document, self.issuer.sources.draw())
        if isinstance(client, Refused):
            return _refuse(client)
        self.issuer.clients.add(client)
        registered = render_registration(client, self.issuer.sources.now())
        return JSONResponse(registered, 201, headers=_NOT_STORED)

    async def authorize(self, request: Request) -> Response:
        form = parse_form(request.url.query.encode("ascii", "replace"))
        begun = form if isinstance(form, Refused) else begin_login(self.issuer, form)
        return _go_on(begun)

    async def login(self, request: Request) -> Response:
        form = await _read_form(request)
        return _go_on(form if isinstance(form, Refused) else finish_login(self.issuer, form))

    async def rotate(self, request: Request) -> Response:
        # Any page may post here without a preflight, but its browser says where it comes from.
        if "origin" in request.headers:
            return PlainTextResponse("not from a browser\n", status_code=403)
        now = self.issuer.sources.now()
        fresh = name_key(self.issuer.sources.make_key())
        self.issuer.ring.rotate(fresh, now=now, drop=request.query_params.get("drop") == "1")
        published = [key.kid for key in self.issuer.ring.published(now)]
        return JSONResponse({"signing": fresh.kid, "published": published}, headers=_NOT_STORED)


def build_app(issuer: Issuer) -> ASGIApp:
    """Build the ASGI application of an issuer."""
    endpoints = _Endpoints(issuer)
    # Browser clients of MCP (Inspector) read these from their own origin; credentials never come along.
    shared = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "mcp-protocol-version"],
    )
    open_to_pages = [
        Route("/.well-known/openid-configuration", endpoints.discovery),
        Route("/.well-known/oauth-authorization-server", endpoints.discovery),
        Route("/jwks", endpoints.jwks),
        Route("/token", endpoints.token, methods=["POST"]),
        Route("/register", endpoints.register, methods=["POST"]),
    ]
    routes = [
        Route("/authorize", endpoints.authorize),
        Route("/login", endpoints.login, methods=["POST"]),
        Route("/demo/rotate", endpoints.rotate, methods=["POST"]),
        Mount("/", routes=open_to_pages, middleware=[shared]),
    ]
    return _OwnHostOnly(Starlette(routes=routes), _own_hosts(issuer))


def _own_hosts(issuer: Issuer) -> frozenset[str]:
    authority = issuer.url.removeprefix("http://")
    return frozenset({authority, f"localhost:{authority.rpartition(':')[2]}"})


async def _read_form(request: Request) -> Form | Refused:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return Refused("invalid_request", "the body must be application/x-www-form-urlencoded")
    raw = await _read_body(request)
    return Refused("invalid_request", "too long", 413) if raw is None else parse_form(raw)


async def _read_body(request: Request) -> bytes | None:
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > MAX_FORM_BYTES:
            return None
    return bytes(raw)


def _go_on(step: Waiting | Redirect | Refused) -> Response:
    match step:
        case Waiting():
            return _show(render_login(step))
        case Redirect():
            return RedirectResponse(step.url, 303, headers=_NOT_STORED)
        case Refused():
            return _show(render_refusal(step))


def _show(page: Page) -> Response:
    return HTMLResponse(page.html, page.status, headers=page.headers)


def _refuse(refused: Refused) -> Response:
    challenge = {"www-authenticate": 'Basic realm="agen-authz demo"'} if refused.status == 401 else {}
    document = {"error": refused.error, "error_description": refused.description}
    return JSONResponse(document, refused.status, headers={**_NOT_STORED, **challenge})
