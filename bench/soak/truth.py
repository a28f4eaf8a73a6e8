"""What is true at a moment: how the toggled rule stands, which keys are published, which issuer answers.

While something turns, both values are possible, and an answer may follow either of them. A call is judged by what
was possible when it began and when it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import NamedTuple

YES, NO, EITHER = frozenset({True}), frozenset({False}), frozenset({True, False})
Possible = frozenset[bool]
Kid = tuple[str, str]


class Answer(NamedTuple):
    """What a client is answered, and how often the backend got the request."""

    status: int
    reason: str
    arrivals: int = 0


ALLOWED = Answer(200, "allowed", 1)
KEY_UNKNOWN = Answer(401, "token_key_unknown")
EXPIRED = Answer(401, "token_expired")
NO_PROVIDER = Answer(503, "provider_unavailable")
KEY_UNSETTLED = Answer(503, "key_unsettled")
UNKNOWN_TARGET = Answer(200, "unknown_target")


@dataclass(frozen=True, slots=True)
class Truth:
    """What may be the case; `published` knows every key that ever signed."""

    is_toggled_on: Possible = YES
    is_down: Mapping[str, Possible] = field(default_factory=dict)
    published: Mapping[Kid, Possible] = field(default_factory=dict)


class Facts:
    """The truth as it changes; one thread turns it, all others look."""

    def __init__(self, issuers: Mapping[str, str]) -> None:
        published = dict.fromkeys(issuers.items(), YES)
        self._now = Truth(is_down=dict.fromkeys(issuers, NO), published=published)
        self._lock = Lock()

    def look(self) -> Truth:
        """See what may be the case now."""
        return self._now

    def toggle(self, possible: Possible) -> None:
        """Say how the toggled rule may stand."""
        with self._lock:
            self._now = replace(self._now, is_toggled_on=possible)

    def turn_issuer(self, name: str, possible: Possible) -> None:
        """True if an issuer may be down."""
        with self._lock:
            self._now = replace(self._now, is_down={**self._now.is_down, name: possible})

    def turn_keys(self, possible: Mapping[Kid, Possible]) -> None:
        """Say which keys may be published."""
        with self._lock:
            self._now = replace(self._now, published={**self._now.published, **possible})


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and what is known about it; `ends_at` is when it is refused, leeway included."""

    raw: str
    issuer: str
    kid: str
    subject: str
    ends_at: float


@dataclass(frozen=True, slots=True)
class Span:
    """When a call was under way, and what was possible at both ends."""

    began: float
    ended: float
    truths: tuple[Truth, Truth]


_CLOCK_MARGIN_S = 1.0


def answers_to(token: Token, span: Span, beyond: frozenset[Answer]) -> frozenset[Answer]:
    """List what may be answered to a token; `beyond` is what may be where the token is good."""
    found: set[Answer] = set()
    for truth in span.truths:
        kid = (token.issuer, token.kid)
        for is_published in truth.published.get(kid, NO):
            if is_published:
                found |= _by_time(token, span, beyond)
            else:
                found |= _unknown_key(truth.is_down[token.issuer])
    return frozenset(found)


def _by_time(token: Token, span: Span, beyond: frozenset[Answer]) -> frozenset[Answer]:
    if span.ended < token.ends_at - _CLOCK_MARGIN_S:
        return beyond
    if span.began > token.ends_at + _CLOCK_MARGIN_S:
        return frozenset({EXPIRED})
    return beyond | {EXPIRED}


def unknown_key(issuer: str, span: Span) -> frozenset[Answer]:
    """List what may be answered to a key that was never published."""
    return frozenset().union(*(_unknown_key(truth.is_down[issuer]) for truth in span.truths))


def _unknown_key(is_down: Possible) -> frozenset[Answer]:
    # A provider that is down may have the key: that is unavailable, not unknown, unless it has just said otherwise.
    # While the provider may not be asked, nothing is known.
    return frozenset({KEY_UNKNOWN, KEY_UNSETTLED, *([NO_PROVIDER] if True in is_down else [])})


def toggled(span: Span) -> frozenset[Answer]:
    """List what may be answered to the call that the toggled rule is about."""
    possible = frozenset().union(*(truth.is_toggled_on for truth in span.truths))
    return frozenset({ALLOWED if is_on else UNKNOWN_TARGET for is_on in possible})
