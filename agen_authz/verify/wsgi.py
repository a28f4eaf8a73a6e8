"""WSGI (PEP 3333): an application that gets only requests that the gateway signed.

    app = WSGIVerifier(app, BackendVerifier({"crm-2026-11": key}, resource="crm"))

The application finds the caller in `environ["agen.identity"]`.
"""

import io
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import quote

from agen_authz.core.twin import spell_header
from agen_authz.verify.asgi import MAX_BODY_BYTES
from agen_authz.verify.identity import Identity
from agen_authz.verify.refusal import Check, NotVerified
from agen_authz.verify.request import Received, read_headers
from agen_authz.verify.verifier import BackendVerifier

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

ENVIRON_KEY = "agen.identity"

_LOG = logging.getLogger("agen_authz.verify")
_SHOWN = 200
_UNPREFIXED = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}
# RFC 3986 section 3.3: what a path may hold as it is.
_PATH_CHARS = "/:@!$&'()*+,;=~-._"


class WSGIVerifier:
    """A WSGI application around another one.

    WSGI joins repeated headers and shows the path decoded: what is verified is what the application is shown.

    Args:
        app: the application to protect.
        verifier: what to verify with.
        unsigned_paths: paths that anybody may ask for, as a probe of the platform does; what they say of a caller is
            taken away.
        max_body_bytes: a larger body is refused.
    """

    def __init__(
        self,
        app: App,
        verifier: BackendVerifier,
        *,
        unsigned_paths: Collection[str] = (),
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._unsigned_paths = frozenset(unsigned_paths)
        self._max_body_bytes = max_body_bytes

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass on verified requests; answer 403 to all others."""
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        if path in self._unsigned_paths:
            return self._app(_without_identity(environ), start_response)
        environ = _without_made_up_type(environ)
        try:
            identity, body = self._verify(environ, path)
        except NotVerified as exc:
            _LOG.warning("refused %s %s: %s", environ["REQUEST_METHOD"], ascii(path[:_SHOWN]), exc)
            start_response("403 Forbidden", [("Content-Length", "0")])
            return [b""]
        verified = {**environ, ENVIRON_KEY: identity, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return self._app(verified, start_response)

    def _verify(self, environ: Environ, path: str) -> tuple[Identity, bytes]:
        headers, repeated = read_headers(_list_headers(environ))
        query = environ.get("QUERY_STRING") or None
        encoded = quote(path.encode("latin-1"), safe=_PATH_CHARS)
        received = Received(environ["REQUEST_METHOD"], encoded, query, headers, environ["wsgi.url_scheme"], repeated)
        claimed = self._verifier.check_headers(received)
        body = self._read_body(environ)
        self._verifier.check_body(claimed, body)
        self._verifier.spend_nonce(claimed)
        return claimed.identity, body

    def _read_body(self, environ: Environ) -> bytes:
        length = environ.get("CONTENT_LENGTH") or "0"
        # A chunked body has no length; servers that can tell its end say so.
        if not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
            length = str(self._max_body_bytes + 1)
        if not (length.isascii() and length.isdigit()):
            raise NotVerified(Check.HEADERS, "`content-length` is not a number")
        body: bytes = environ["wsgi.input"].read(min(int(length), self._max_body_bytes + 1)) if int(length) else b""
        if len(body) > self._max_body_bytes:
            raise NotVerified(Check.CONTENT_DIGEST, f"the body is longer than {self._max_body_bytes} bytes")
        return body


def _list_headers(environ: Environ) -> Iterable[tuple[bytes, bytes]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield spell_header(key[5:]).encode("latin-1"), value.encode("latin-1")
        elif key in _UNPREFIXED and value:
            yield _UNPREFIXED[key], value.encode("latin-1")


def _without_made_up_type(environ: Environ) -> Environ:
    """Take away the type that wsgiref, and servers built on it, make up for a request that has none."""
    is_made_up = environ.get("CONTENT_TYPE") == "text/plain" and environ.get("CONTENT_LENGTH") in (None, "", "0")
    if not is_made_up or '"content-type"' in environ.get("HTTP_SIGNATURE_INPUT", ""):
        return environ
    return {key: value for key, value in environ.items() if key != "CONTENT_TYPE"}


def _without_identity(environ: Environ) -> Environ:
    return {key: value for key, value in environ.items() if not key.startswith("HTTP_AGEN_")}
