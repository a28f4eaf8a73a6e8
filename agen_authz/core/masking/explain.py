"""Why a body is masked as it is: every value that was found, where it is, what told of it, and what becomes of it.

What is explained is the first search, as mask.py makes it: values of which it chooses one are all listed here.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from agen_authz.core.errors import Malformed
from agen_authz.core.masking.copies import find_copies
from agen_authz.core.masking.document import Document
from agen_authz.core.masking.node import DocumentSpot
from agen_authz.core.masking.plan import Plan
from agen_authz.core.masking.pointer import PointerWriter
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Pointer
from agen_authz.core.masking.search import Found, search
from agen_authz.core.masking.style import is_masked, is_shown, settle
from agen_authz.core.masking.work import Allowance
from agen_authz.core.model import Json
from agen_authz.core.sse import Event, SseReader
from agen_authz.core.strict_json import parse_json

_MAX_DEPTH = 250
_EVENTS = "text/event-stream"
_WHOLE = 1.0


class Fate(StrEnum):
    """What becomes of a value that was found."""

    MASKED = "masked"
    OVERLAPS = "overlaps another value"
    EXEMPT = "exempt"
    KEPT = "masked before"


class Explained(Struct, frozen=True):
    """A value that was found.

    Args:
        document: the number of its document, from 0; more than one in an event stream only.
        pointer: where it is (RFC 6901), a name that holds a value masked; empty for a text.
        is_name: True if it is in the name of the member.
        start, end: its place in the text there, in characters.
        why: what told of it: `form`, `check`, `context`, `field`, `label`, `encoded`, `copy`, `custom`, or `nested` and
            `binary` for what is withheld whole.
        style: how it is masked; None if it is not.
        masked: what takes its place, or would; never the value.
        value: the value itself: not for everyone to see.
    """

    document: int
    pointer: str
    start: int
    end: int
    detector: str
    score: float
    why: tuple[str, ...]
    fate: Fate
    style: Style | None
    masked: str
    value: str
    is_name: bool = False


def explain_body(raw: bytes, content_type: str, plan: Plan) -> list[Explained]:
    """Explain what is found in a body that `mask_body` can mask.

    Raises:
        Unmaskable: the search would cost too much.
    """
    media = content_type.partition(";")[0].strip().lower()
    return [
        each
        for number, value in enumerate(_read_documents(raw, media))
        for each in _Explaining(number, value, plan).list_all()
    ]


def _read_documents(raw: bytes, media: str) -> Iterator[Json]:
    if media == _EVENTS:
        events = SseReader(len(raw) + 1).read(raw)
        texts = [event.data for event in events if isinstance(event, Event) and event.data and event.data.strip()]
    elif media.endswith(("/json", "+json")):
        texts = [raw]
    else:
        yield raw.decode("utf-8", "replace")
        return
    for text in texts:
        value = parse_json(text, _MAX_DEPTH)
        if not isinstance(value, Malformed):
            yield value


class _Explaining:
    """One document, explained."""

    __slots__ = ("_document", "_number", "_plan", "_pointers", "_work")

    def __init__(self, number: int, value: Json, plan: Plan) -> None:
        is_message = isinstance(value, dict) and value.get("jsonrpc") == "2.0"
        self._number, self._plan = number, plan
        self._document = Document(value, plan.layouts, plan.layouts.root, is_message=is_message)
        self._work = Allowance(sum(map(len, self._document.texts)))
        self._pointers = PointerWriter(plan.scanner, self._work)

    def list_all(self) -> list[Explained]:
        document, plan = self._document, self._plan
        found = search(plan.scanner, document.texts, document.trails, self._work)
        by_leaf: dict[int, list[Found]] = {}
        places = {(each.leaf, each.start, each.end) for each in found}
        copies = [
            each for each in find_copies(plan.order(found), document) if (each.leaf, each.start, each.end) not in places
        ]
        for each in (*found, *copies):
            if document.is_name(each.leaf):
                self._pointers.hide(str(document.spot(each.leaf).key), each.detector)
            by_leaf.setdefault(each.leaf, []).append(each)
        listed = [each for leaf in sorted(by_leaf) for each in self._explain_leaf(leaf, by_leaf[leaf])]
        binary = () if plan.passes_binary else document.binary
        whole = [(spot, "nested") for spot in document.deep] + [(spot, "binary") for spot in binary]
        return listed + [self._explain_whole(spot, name) for spot, name in whole]

    def _explain_leaf(self, leaf: int, found: Sequence[Found]) -> list[Explained]:
        spot, text = self._document.spot(leaf), self._document.texts[leaf]
        pointer = tuple(map(str, spot.list_steps()))
        written, listed = self._pointers.write(spot), []
        taken: list[tuple[int, int]] = []
        for each in self._plan.order(found):
            value = text[each.start : each.end]
            fate, style = self._judge(each, text, pointer, taken)
            if fate is Fate.MASKED:
                taken.append((each.start, each.end))
            listed.append(
                Explained(
                    document=self._number,
                    pointer=written,
                    start=each.start,
                    end=each.end,
                    detector=each.detector,
                    score=each.score,
                    why=each.why,
                    fate=fate,
                    style=style if fate is Fate.MASKED else None,
                    masked=self._plan.masker.mask(value, each.detector, style or Style.REDACT),
                    value=value,
                    is_name=spot.is_name,
                )
            )
        return sorted(listed, key=lambda each: (each.start, each.fate is not Fate.MASKED, -each.score))

    def _judge(
        self, found: Found, text: str, pointer: Pointer, taken: Sequence[tuple[int, int]]
    ) -> tuple[Fate, Style | None]:
        choice = self._plan.choose(found.detector, pointer)
        if choice is None:
            return Fate.EXEMPT, None
        style = settle(found.detector, Style.REDACT) if "encoded" in found.why else choice.style
        if any(found.start < end and start < found.end for start, end in taken):
            return Fate.OVERLAPS, style
        value = text[found.start : found.end]
        is_kept = is_masked(value, found.detector, choice.style, self._plan.names)
        is_kept = is_kept or is_shown(text, found.start, found.end)
        return (Fate.KEPT if is_kept else Fate.MASKED), style

    def _explain_whole(self, spot: DocumentSpot, name: str) -> Explained:
        written = f"[{name.upper()}]"
        return Explained(
            document=self._number,
            pointer=self._pointers.write(spot),
            start=0,
            end=0,
            detector=name,
            score=_WHOLE,
            why=(name,),
            fate=Fate.MASKED,
            style=Style.REDACT,
            masked=written,
            value=written,
        )
