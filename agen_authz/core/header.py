"""Names of headers: which may be sent once, which reach a backend, and what is known of the names in one request."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from agen_authz.core.memory import remember

# A second copy of one of these means one thing to us and perhaps another to the backend.
SINGLE_HEADERS = frozenset(
    {
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "origin",
        "transfer-encoding",
    }
)
# What every backend gets of what a client sent; a resource may add to it (`list_forwarded`).
_FORWARDED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "traceparent",
        "tracestate",
        "transfer-encoding",
    }
)
# Headers that repeat arguments of a call (core/message/mirror.py).
PARAMETER_PREFIX = "mcp-param-"
_ABOUT_MESSAGE = frozenset({"mcp-method", "mcp-name"})
_READING_HEADERS = frozenset({"content-encoding", "content-type", "last-event-id"})
_MAX_REMEMBERED_CHARS = 2048
_FIELD_NAME = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]+")


def is_field_name(name: str) -> bool:
    """True for the name of a header in lower case (RFC 9110 section 5.1), of any length.

    A name with an underscore is none for us, though HTTP allows it: some frameworks read `-` there (core/twin.py).
    """
    return _FIELD_NAME.fullmatch(name) is not None


def is_about_message(name: str) -> bool:
    """True if a header repeats a part of the message; without a message it has nothing to repeat."""
    return name in _ABOUT_MESSAGE or name.startswith(PARAMETER_PREFIX)


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """Names in the order they came, and what is asked of names alone.

    `single` are those that may be sent once, `mirrored` those that repeat arguments, `reading` those that choose what
    is read and how, in alphabetical order.
    """

    names: tuple[str, ...]
    single: tuple[str, ...]
    is_lower: bool
    has_underscore: bool
    has_empty: bool
    mirrored: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()
    _pick: Callable[[Mapping[str, str]], tuple[str, ...]] = field(compare=False, repr=False, default=lambda _: ())

    def join_single(self, headers: Mapping[str, str]) -> str:
        """Join the values of the headers that may be sent once: they are all checked at once."""
        return "".join(self._pick(headers))


def chooses_reading(name: str) -> bool:
    """True for a header that chooses what is read and how: as what, in which version and session, from where on."""
    return name in _READING_HEADERS or name.startswith("mcp-")


def list_forwarded(extra: Iterable[str], *, has_token: bool = False, is_resumable: bool = False) -> frozenset[str]:
    """List the headers of clients that a resource's backend gets, without those that repeat arguments.

    Args:
        extra: what the resource forwards besides, in lower case.
        has_token: the caller's token is forwarded.
        is_resumable: streams may be resumed.
    """
    allowed = {"authorization": has_token, "last-event-id": is_resumable}
    return _FORWARDED_HEADERS.union(extra, (name for name, is_allowed in allowed.items() if is_allowed))


def is_forwarded(name: str, forwarded: frozenset[str], *, is_modern: bool, has_message: bool) -> bool:
    """True for a header that the backend of this request gets: the others are removed, and are not signed.

    There are no sessions in the modern era. Without a message, nothing was compared with what repeats one: on a GET or
    DELETE it could say anything to a router that goes by it.

    Args:
        forwarded: from `list_forwarded`.
    """
    if is_modern and name == "mcp-session-id":
        return False
    if not has_message and is_about_message(name):
        return False
    return name in forwarded or name.startswith(PARAMETER_PREFIX)


def may_change_call(name: str, extra: frozenset[str]) -> bool:
    """True for a header that the backend gets with a message and may act upon, besides those that repeat the message.

    Not the trace, and not what says how bytes are written.

    Args:
        extra: what the resource forwards besides, in lower case.
    """
    if name in _FORWARDED_HEADERS:
        return name == "mcp-protocol-version"
    return name in extra or name.startswith(PARAMETER_PREFIX)


def look_at(names: tuple[str, ...]) -> HeaderNames:
    """Describe a set of header names, once for each set of them; total."""
    # Bounded in characters as well: a stranger may send names of any length, each time new ones.
    return _remember(names) if len("".join(names)) <= _MAX_REMEMBERED_CHARS else _look_at(names)


def _look_at(names: tuple[str, ...]) -> HeaderNames:
    joined = "\n".join(names)
    single = tuple(name for name in names if name in SINGLE_HEADERS)
    return HeaderNames(
        names=names,
        single=single,
        is_lower=joined == joined.lower(),
        has_underscore="_" in joined,
        has_empty="" in names,
        mirrored=tuple(name for name in names if name.startswith(PARAMETER_PREFIX)),
        reading=tuple(sorted(filter(chooses_reading, names))),
        _pick=itemgetter(*single) if len(single) > 1 else _pick_few(single),
    )


def _pick_few(names: tuple[str, ...]) -> Callable[[Mapping[str, str]], tuple[str, ...]]:
    # `itemgetter` gives a tuple for two names and more only.
    return lambda headers: tuple(headers[name] for name in names)


_remember = remember(1024)(_look_at)
