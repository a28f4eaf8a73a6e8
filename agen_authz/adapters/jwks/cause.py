"""Why a provider could not be reached, in words for its operator: certificate, name, refused, timeout, proxy."""

import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

_MAX_CHARS = 120


class FetchError(Exception):
    """Keys could not be fetched: from where, and why; for log and readiness.

    `outcome` is the metric's word: `failed` if no answer came, `malformed` if it cannot be used.
    """

    def __init__(self, url: str, why: str, *, outcome: str = "malformed") -> None:
        super().__init__(f"{show_url(url)}: {why}")
        self.outcome = outcome


# The first that is found anywhere in the chain of causes says most.
_CAUSES: tuple[tuple[type[BaseException], Callable[[Any], str]], ...] = (
    (httpx.ProxyError, lambda exc: f"the proxy refused: {exc}"),
    (ssl.SSLCertVerificationError, lambda exc: f"certificate: {exc.verify_message}"),
    (ssl.SSLError, lambda exc: f"TLS: {getattr(exc, 'reason', None) or 'broken off'}"),
    (socket.gaierror, lambda _: "the name cannot be resolved"),
    (ConnectionRefusedError, lambda _: "connection refused"),
    (ConnectionError, lambda _: "connection broken off"),
    (TimeoutError, lambda _: "timeout"),
    (httpx.TimeoutException, lambda _: "timeout"),
    (httpx.ProtocolError, lambda _: "not HTTP, or broken off"),
    (OSError, lambda exc: exc.strerror or ""),
    (httpx.ConnectError, lambda _: "no connection"),
)


def describe_cause(exc: BaseException) -> str:
    """Say in a few words why a request failed; the name of the error if nothing better is known."""
    chain = tuple(_unfold(exc))
    for kind, describe in _CAUSES:
        for each in chain:
            if isinstance(each, kind) and (said := describe(each)):
                return _cut(said)
    return type(exc).__name__


def show_url(url: str) -> str:
    """Spell a URL without user, password and query: those may be secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "a URL that cannot be read"
    host = f"[{host}]" if ":" in host else host
    return _cut(f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path}")


def _unfold(exc: BaseException | None) -> Iterator[BaseException]:
    """Walk over an error and what it came from; a group of errors counts as its parts."""
    waiting, seen = [exc], set[int]()
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        else:
            yield each
        waiting += [each.__cause__, each.__context__]


def _cut(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:_MAX_CHARS])
