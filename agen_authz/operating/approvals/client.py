"""Asks a console: bounded in time and size, no redirects, and no cookies."""

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

import httpx
from msgspec import Struct

from agen_authz.core.errors import Malformed
from agen_authz.core.http.loopback import is_loopback
from agen_authz.core.model import Json
from agen_authz.core.strict_json import parse_json
from agen_authz.operating.approvals.place import ConsoleError

_TIMEOUT_S = 20.0
_MAX_BYTES = 32 * 1024 * 1024
_MAX_DEPTH = 300


class ConsoleAnswer(Struct, frozen=True):
    """What the console answered; `document` is empty if there is no body."""

    status: int
    document: Mapping[str, Json]

    @property
    def is_good(self) -> bool:
        """True if it did what it was asked for."""
        return self.status in (200, 204)

    @property
    def error(self) -> str:
        """The word of a refusal."""
        return str(self.document.get("error", ""))

    @property
    def message(self) -> str:
        """The sentence of a refusal."""
        return str(self.document.get("message", f"the console answered with status {self.status}"))


class ConsoleClient:
    """A client of one console.

    Args:
        url: `read_console_url` has read it.
        proxies: as `config.read_proxies` reads them.
    """

    def __init__(self, url: str, proxies: Mapping[str, str]) -> None:
        self.url = url
        self._web = httpx.Client(
            follow_redirects=False,
            trust_env=False,
            timeout=_TIMEOUT_S,
            proxy=_find_proxy(url, proxies),
            # The machine's trust store, which `SSL_CERT_FILE` may replace.
            verify=ssl.create_default_context() if url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._web.close()

    def ask(self, method: str, place: str, *, token: str = "", body: Mapping[str, Any] | None = None) -> ConsoleAnswer:
        """Ask for something below `/api`.

        Raises:
            ConsoleError: there is no usable answer.
        """
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        try:
            with self._web.stream(method, f"{self.url}/api{place}", headers=headers, json=body) as answer:
                return ConsoleAnswer(answer.status_code, self._read(answer))
        except httpx.HTTPError as exc:
            why = str(exc) or type(exc).__name__
            raise ConsoleError(f"the console at {self.url} does not answer: {why}") from exc

    def _read(self, answer: httpx.Response) -> Mapping[str, Json]:
        raw = bytearray()
        for piece in answer.iter_raw():
            raw += piece
            if len(raw) > _MAX_BYTES:
                raise ConsoleError(f"the console at {self.url} sent more than {_MAX_BYTES} bytes")
        document = parse_json(bytes(raw), _MAX_DEPTH) if raw else {}
        if isinstance(document, Malformed) or not isinstance(document, dict):
            raise ConsoleError(
                f"what is at {self.url} is not a console of agen-authz: it answered with status {answer.status_code}"
            )
        return document


def _find_proxy(url: str, proxies: Mapping[str, str]) -> str | None:
    parts = urlsplit(url)
    proxy = proxies.get("https")
    if not proxy or parts.scheme != "https" or is_loopback(parts.hostname or ""):
        return None
    if proxy_bypass_environment(parts.netloc, dict(proxies)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
