"""What every request must be, before any page sees it, and what every answer carries.

1. Its `Host` is ours: a page that resolves its own name to our address would be of one origin with us otherwise.
2. What a browser posts comes from one of our pages: `Sec-Fetch-Site` and `Origin` say so, and one of them is there.
   The API takes nothing from browsers at all: a terminal sends no `Origin`.
3. Answers are never kept, never framed, run no script and show nothing that is not ours.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agen_authz.console.settings import ConsoleSettings

API = "/api/"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action {targets}; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
FORM_TARGETS = "agen-form-targets"
"""A header within the application: to where a page's forms may lead besides here. It never leaves."""
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`: browsers would send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS = "max-age=31536000"
_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware around the whole console."""

    app: ASGIApp
    settings: ConsoleSettings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may be passed on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._protect(MutableHeaders(scope=message))
            await send(message)

        refused = self._refuse(scope)
        await (self.app if refused is None else refused)(scope, receive, send_guarded)

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        # 1.
        if headers.get("host", "").lower() != self.settings.authority.lower():
            return PlainTextResponse("unknown host\n", status_code=421)
        # 2.
        is_api = scope["path"].startswith(self.settings.prefix + API)
        if is_api and ("origin" in headers or "sec-fetch-site" in headers):
            return PlainTextResponse("not from a browser\n", status_code=403)
        if not is_api and scope["method"] not in _SAFE and not self._is_own(headers):
            return PlainTextResponse("this form was not sent by the console\n", status_code=403)
        return None

    def _is_own(self, headers: Headers) -> bool:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is None and site is None:
            return False
        return origin in (None, self.settings.origin) and site in (None, "same-origin")

    def _protect(self, headers: MutableHeaders) -> None:
        targets = f"'self' {headers.get(FORM_TARGETS, '')}".strip()
        if FORM_TARGETS in headers:
            del headers[FORM_TARGETS]
        headers["content-security-policy"] = _POLICY.format(targets=targets)
        headers.update(_HEADERS)
        headers.setdefault("cache-control", "no-store")
        if self.settings.is_secure:
            headers["strict-transport-security"] = _HSTS
