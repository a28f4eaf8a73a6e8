"""`core/masking`: any body is masked or refused; what is masked is the same document, with nothing left to find."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from agen_authz.core.masking import Detectors, Masked, Match, Profile, Rule, Unmaskable, detect, mask_body
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import MaskingKeys, is_masked, settle
from agen_authz.core.memory import remember
from tests.fuzz.targets.target import Target, expect

MEDIA = ("application/json", "text/event-stream", "text/plain")
STYLES = (*Style, None)
_WRITTEN = re.compile(rb"[^\n -~]|[{}\[\]\"'\\=%&<>;]")
# A comment in an event of a stream is written before it, and is then an event by itself.
_COMMENT = re.compile(rb"^:\n+", re.MULTILINE)
_DROPPED = ("cvv", "card_pin", "card_track")


@remember(16)
def profile_of(style: Style | None) -> Profile:
    """Make the profile of every preset; the styles are the detectors' own if none is given."""
    return Profile.of(Rule("all", Detectors.every(), default=style), keys=MaskingKeys((("m1", b"k" * 32),)), tenant="t")


def check(
    raw: bytes,
    mask: Callable[[bytes, str, Profile], Masked] = mask_body,
    search: Callable[[str, Detectors], list[Match]] = detect,
) -> None:
    """Mask a body, mask it again, and search it; its first byte says what kind it is of, and in which style."""
    if not raw:
        return
    media, style = MEDIA[raw[0] % len(MEDIA)], STYLES[raw[0] // len(MEDIA) % len(STYLES)]
    profile, body = profile_of(style), raw[1:]
    try:
        masked = mask(body, media, profile)
    except Unmaskable:
        return
    again = mask(masked.body, media, profile)
    expect(not again.receipts, "nothing is left to mask")
    expect(_COMMENT.sub(b"", again.body) == _COMMENT.sub(b"", masked.body), "what is masked is not changed again")
    if media == "application/json" and style is not Style.DROP:
        dropped = any(each.detector in _DROPPED for each in masked.receipts)
        expect(dropped or _shape(orjson.loads(masked.body)) == _shape(orjson.loads(body)), "a document keeps its shape")
    # What is written within a text, such as JSON, is read as what it is when it is masked, and as text by a search.
    if media == "text/plain" and style is not None and not _WRITTEN.search(body):
        text = masked.body.decode("utf-8")
        left = ((each.detector, _whole(text, each)) for each in search(text, Detectors.every()))
        expect(all(is_masked(value, name, settle(name, style)) for name, value in left), "nothing more is found")


def _whole(text: str, match: Match) -> str:
    """Read what was found to the end of its word: of `A** M*****`, the first letter may be all that is found."""
    return text[match.start : match.end] + text[match.end :].split(" ", 1)[0]


def _shape(value: Any) -> Any:
    match value:
        case dict():
            return {str(place): _shape(each) for place, each in enumerate(value.values())}
        case list():
            return list(map(_shape, value))
        case _:
            return None


TARGET = Target("masking", check, "masking", max_bytes=2048)
