"""Where a console is: https, or http on loopback, because a token is sent there."""

import re
from urllib.parse import urlsplit

from agen_authz.core.approval.pairing import name_console
from agen_authz.core.http.loopback import is_loopback

_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_MARK = "/requests/"


class ConsoleError(Exception):
    """The console cannot be used; the message is one line for a person."""


def read_console_url(text: str) -> str:
    """Read the address of a console, as `name_console` writes it.

    Raises:
        ConsoleError: no token may be sent there.
    """
    wanted = f"`{text}` is not the address of a console: expected https://HOST[:PORT][/PATH], or http on loopback"
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError as exc:
        raise ConsoleError(wanted) from exc
    is_plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not is_whole or not (parts.scheme == "https" or is_plain) or not text.isascii() or not text.isprintable():
        raise ConsoleError(wanted)
    if parts.query or parts.fragment or "@" in parts.netloc or " " in text:
        raise ConsoleError(wanted)
    return name_console(text)


def read_request(text: str) -> tuple[str | None, str]:
    """Read the id of a request, or the link of its page, which also names the console.

    Raises:
        ConsoleError: it is neither.
    """
    console, mark, last = text.rpartition(_MARK)
    request_id = last if mark else text
    if not _REQUEST_ID.fullmatch(request_id):
        raise ConsoleError(f"`{text}` is not a request: expected its id, 32 hex digits, or the link of its page")
    return (read_console_url(console) if mark else None), request_id
