"""Status and headers of an inspected response: what they announce, and which of them a client gets.

1. What client and server need to agree on passes, each header in its own narrow form and once; everything else is
   removed, in whatever spelling: nothing inspects the value of a header.
2. `content-type` is written by us: it says what we send. `content-length` is removed: what we send has another.
3. `mcp-session-id` is what `mark_session` makes of the backend's.
4. A redirect, a challenge (401, 407), a part of a body (206) and a failure without a JSON body are answered with 502:
   they are between us and the backend. Another status of a client's error stays, for clients act on it (404: the
   session is gone).
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum, auto

from msgspec import Struct

from agen_authz.core.reason import Reason

_DATE = r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
_NAMES = r"[A-Za-z0-9*, -]{1,1024}"
_TRACE = r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
_FORMS: dict[str, re.Pattern[str]] = {
    name: re.compile(form, re.ASCII)
    for name, form in {
        "access-control-allow-headers": _NAMES,
        "access-control-allow-methods": _NAMES,
        "access-control-allow-origin": r"\*|https?://[A-Za-z0-9.:\[\]-]{1,260}",
        "access-control-expose-headers": _NAMES,
        "access-control-max-age": r"\d{1,9}",
        "allow": r"[A-Z, ]{1,64}",
        "cache-control": r"[A-Za-z0-9=, -]{1,256}",
        "date": _DATE,
        "mcp-protocol-version": r"\d{4}-\d{2}-\d{2}",
        "retry-after": rf"\d{{1,9}}|{_DATE}",
        "traceparent": _TRACE,
        "traceresponse": _TRACE,
        "vary": _NAMES,
        "x-accel-buffering": "yes|no",
    }.items()
}
_SESSION, _ENCODING = "mcp-session-id", "content-encoding"
# Of a body that passes as it came.
_ENCODINGS = re.compile(r"[a-z0-9-]{1,16}(?:, ?[a-z0-9-]{1,16}){0,3}", re.ASCII)
_SESSION_ID = re.compile(r"[\x21-\x7e]{1,1024}")
_STATUS = re.compile(r"[1-5]\d{2}", re.ASCII)
# 206 is a part of something, which cannot be read alone.
_BETWEEN_US_AND_THE_BACKEND = frozenset({206, 401, 407})
_BAD_GATEWAY = 502

Fields = tuple[tuple[str, str], ...]


class Media(Enum):
    """What the body is announced to be."""

    JSON = auto()
    EVENTS = auto()
    UNSAID = auto()
    OTHER = auto()


_MEDIA = {"": Media.UNSAID, "application/json": Media.JSON, "text/event-stream": Media.EVENTS}


class Head(Struct, frozen=True):
    """What a response announces; `has_host` if it has a header that Envoy lets no filter remove."""

    status: int
    media: Media
    is_encoded: bool
    has_host: bool = False


class HeaderChanges(Struct, frozen=True):
    """What Envoy does with the headers: first it sets some, then it removes others."""

    set: Fields = ()
    remove: tuple[str, ...] = ()


def read_head(fields: Fields) -> Head | None:
    """Read status, media type and encoding; None if there is not exactly one status."""
    statuses = [text for name, text in fields if name == ":status"]
    if len(statuses) != 1 or not _STATUS.fullmatch(statuses[0]):
        return None
    encodings = {text.strip().lower() for name, text in fields if name == _ENCODING}
    has_host = any(name == "host" for name, _ in fields)
    return Head(int(statuses[0]), _read_media(fields), not encodings <= {"", "identity"}, has_host)


def _read_media(fields: Fields) -> Media:
    types = {text.partition(";")[0].strip().lower() for name, text in fields if name == "content-type"}
    if len(types) > 1:
        return Media.OTHER
    return _MEDIA.get(next(iter(types), ""), Media.OTHER)


def refuse_head(head: Head, *, has_body: bool) -> Reason | None:
    """Find out why a response cannot be passed on, whatever its body is."""
    if head.status < 200 or 300 <= head.status < 400 or head.status in _BETWEEN_US_AND_THE_BACKEND:
        return Reason.RESPONSE_NOT_MCP
    if head.has_host:
        return Reason.RESPONSE_NOT_MCP
    if not has_body:
        return Reason.RESPONSE_NOT_MCP if head.status >= 500 else None
    if head.is_encoded:
        return Reason.RESPONSE_ENCODED
    is_failure = head.status >= 400
    if head.media is Media.OTHER or (is_failure and head.media is Media.UNSAID):
        return Reason.RESPONSE_NOT_MCP
    return None


def may_pass_encoded(head: Head, fields: Fields) -> bool:
    """True if nothing but its compression keeps a response from being inspected."""
    plain = Head(head.status, head.media, is_encoded=False, has_host=head.has_host)
    said = [text for name, text in fields if name == _ENCODING]
    return refuse_head(plain, has_body=True) is None and len(said) == 1 and _ENCODINGS.fullmatch(said[0]) is not None


def status_in_place_of(status: int) -> int:
    """Choose the status of our own answer to a response that is not passed on."""
    is_clients = 400 <= status < 500 and status not in _BETWEEN_US_AND_THE_BACKEND
    return status if is_clients else _BAD_GATEWAY


def choose_changes(
    fields: Fields,
    media: Media | None,
    mark_session: Callable[[str], str | None],
    *,
    keeps_encoding: bool = False,
) -> HeaderChanges:
    """Choose which headers a client gets.

    Args:
        media: of the body that we send; None if there is none.
        mark_session: makes the id that the client gets of the backend's; None for no id.
        keeps_encoding: True if the body passes compressed, as it came.
    """
    changed: list[tuple[str, str]] = []
    if media is not None:
        changed.append(("content-type", "text/event-stream" if media is Media.EVENTS else "application/json"))
    sessions = [text for name, text in fields if name == _SESSION]
    marked = mark_session(sessions[0]) if len(sessions) == 1 and _SESSION_ID.fullmatch(sessions[0]) else None
    if marked is not None:
        changed.append((_SESSION, marked))
    kept = {name for name, _ in changed} | ({_ENCODING} if keeps_encoding else set())
    return HeaderChanges(tuple(changed), tuple(dict.fromkeys(_list_removed(fields, kept))))


def _list_removed(fields: Fields, kept: set[str]) -> Iterator[str]:
    names = [name for name, _ in fields]
    for name, text in fields:
        if name[:1] == ":" or name in kept:
            continue
        form = _FORMS.get(name)
        if form is None or names.count(name) > 1 or not form.fullmatch(text):
            yield name
