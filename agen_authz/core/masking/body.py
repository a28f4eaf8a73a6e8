"""A whole body masked: JSON, server-sent events, or text."""

from dataclasses import dataclass
from typing import cast

from msgspec import Struct

from agen_authz.core.errors import Malformed
from agen_authz.core.masking.mask import mask_message
from agen_authz.core.masking.plan import Plan, make_plan
from agen_authz.core.masking.rule import Receipt, Rule, Unmaskable
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.masking.style import Masker, MaskingKeys
from agen_authz.core.sse import WRITTEN_COMMENT, Event, SseReader, write_event
from agen_authz.core.strict_json import parse_json, write_json

_MAX_DEPTH = 250
_EVENTS = "text/event-stream"


class Masked(Struct, frozen=True):
    """A body that may leave.

    Args:
        receipts: what was masked; of an event stream, of all its messages.
    """

    body: bytes
    receipts: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """How bodies are masked: the rules, and what was made of them."""

    plan: Plan

    @classmethod
    def of(cls, *rules: Rule, keys: MaskingKeys | None = None, tenant: str = "") -> "Profile":
        """Make the profile of rules that apply together.

        Args:
            keys: for the styles `hash` and `tokenize`, which redact without them.
            tenant: whose values these are.
        """
        return cls(make_plan(rules, Masker(keys, tenant)))

    @classmethod
    def preset(cls, *names: str) -> "Profile":
        """Make the profile of presets, each detector with its own style.

        Raises:
            UnknownDetector: no preset has this name.
        """
        return cls.of(Rule("preset", Detectors.preset(*names)))


def mask_body(raw: bytes, content_type: str, profile: Profile) -> Masked:
    """Mask a body.

    Args:
        content_type: its media type; parameters do not matter. What is neither JSON nor events is read as text.

    Raises:
        Unmaskable: it could not be inspected to its end, or is not what its media type says.
    """
    media = content_type.partition(";")[0].strip().lower()
    if media == _EVENTS:
        return _mask_events(raw, profile.plan)
    if media.endswith(("/json", "+json")):
        return _mask_json(raw, profile.plan)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Unmaskable("not text in UTF-8") from exc
    masked = mask_message(text, profile.plan, is_message=False)
    return Masked(str(masked.message).encode("utf-8"), masked.receipts)


def _mask_json(raw: bytes, plan: Plan) -> Masked:
    document = parse_json(raw, _MAX_DEPTH)
    if isinstance(document, Malformed):
        raise Unmaskable(f"not JSON that every parser reads alike ({document.reason})")
    is_message = isinstance(document, dict) and document.get("jsonrpc") == "2.0"
    masked = mask_message(document, plan, is_message=is_message)
    return Masked(write_json(masked.message), masked.receipts)


def _mask_events(raw: bytes, plan: Plan) -> Masked:
    written: list[bytes] = []
    receipts: list[Receipt] = []
    # INVARIANT: no event is larger than the body, so each is one.
    for found in cast("list[Event]", SseReader(len(raw) + 1).read(raw)):
        if found.data is None or not found.data.strip():
            written.append(
                WRITTEN_COMMENT if found.has_comment and found.data is None else write_event(found, found.data)
            )
            continue
        if found.is_named_badly:
            raise Unmaskable("an event with a name that is not one")
        masked = _mask_json(found.data, plan)
        written.append(write_event(found, masked.body))
        receipts.extend(masked.receipts)
    return Masked(b"".join(written), tuple(receipts))
