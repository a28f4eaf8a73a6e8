"""One message masked: what is found is replaced, copies of it too, and the result is searched once more.

1. the document is taken apart (document.py), and all of it is searched at once (search.py)
2. of values that overlap one is chosen; a rule says how it is masked
3. what was found by a member's name or a label is masked wherever else the message repeats it
4. what is masked is searched again, by the same detectors, until nothing is found: what a mask uncovers is redacted.
   Something that is still found after `_MAX_ROUNDS` is a defect, and the message does not leave
5. the message is written, and what was put into it is read back from it
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from agen_authz.core.masking.copies import find_copies
from agen_authz.core.masking.document import Document
from agen_authz.core.masking.node import Spot
from agen_authz.core.masking.plan import Choice, Plan
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Pointer, Receipt, Unmaskable
from agen_authz.core.masking.search import Found, search
from agen_authz.core.masking.style import is_masked, settle
from agen_authz.core.masking.work import Work
from agen_authz.core.model import Json

_MAX_ROUNDS = 4
INCOMPLETE = "masking_incomplete"


class MaskedMessage(Struct, frozen=True):
    """A message that may leave; `message` is the given object if nothing was changed."""

    message: Json
    receipts: tuple[Receipt, ...] = ()


class _Mask(Struct, frozen=True):
    """A value with what takes its place."""

    found: Found
    choice: Choice


def mask_message(message: Json, plan: Plan, *, is_message: bool = True) -> MaskedMessage:
    """Mask one message; pure.

    Args:
        is_message: False for a JSON value that is none of JSON-RPC.

    Raises:
        Unmaskable: it cannot be inspected to its end.
    """
    return _Masking(message, plan, is_message=is_message).run()


class _Masking:
    """The masking of one message."""

    __slots__ = ("_document", "_message", "_plan", "_receipts", "_texts", "_work")

    def __init__(self, message: Json, plan: Plan, *, is_message: bool) -> None:
        self._message, self._plan = message, plan
        # 1.
        self._document = Document(message, plan.shapes, plan.shapes.root, is_message=is_message)
        self._work = Work(sum(map(len, self._document.texts)))
        self._receipts: dict[tuple[str, str, Style, str, bool], int] = {}
        self._texts: dict[int, str] = {}

    def run(self) -> MaskedMessage:
        document, plan = self._document, self._plan
        found = search(plan.scanner, document.texts, document.trails, self._work)
        self._settle_names(found)
        self._replace_whole(document.deep, "nested")
        if not plan.passes_binary:
            self._replace_whole(document.binary, "binary")
        if found:
            self._mask(found)
        if not self._texts and not self._receipts:
            return MaskedMessage(self._message)
        written = document.root.write()
        return MaskedMessage(written, tuple(_list_receipts(self._receipts)))

    def _settle_names(self, found: Sequence[Found]) -> None:
        document = self._document
        if document.pending and not any(document.is_name(each.leaf) for each in found):
            for shape in document.pending:
                shape.is_clean = True

    def _replace_whole(self, spots: Iterable[Spot], detector: str) -> None:
        for spot in spots:
            choice = self._plan.choose(detector, _point(spot))
            if choice is not None:
                spot.put_whole(f"[{detector.upper()}]")
                self._note(choice, detector, spot, is_enforced=True)

    def _mask(self, found: list[Found]) -> None:
        document = self._document
        # 3.
        found = [*found, *find_copies(found, document)]
        by_leaf: dict[int, list[Found]] = {}
        for each in found:
            by_leaf.setdefault(each.leaf, []).append(each)
        for leaf, listed in by_leaf.items():
            spot = document.spot(leaf)
            pointer = _point(spot)
            self._watch(listed, spot, pointer)
            chosen = self._choose(listed, document.texts[leaf], pointer)
            if chosen:
                self._write(leaf, chosen, pointer)

    def _watch(self, listed: Sequence[Found], spot: Spot, pointer: Pointer) -> None:
        if not self._plan.watched:
            return
        for each in listed:
            choice = self._plan.watch(each.detector, pointer)
            if choice is not None:
                self._note(choice, each.detector, spot, is_enforced=False)

    def _choose(self, listed: Sequence[Found], text: str, pointer: Pointer) -> list[_Mask]:
        """Choose, of values that overlap, the surest; of equally sure ones the longest."""
        # 2.
        masks = []
        taken: list[tuple[int, int]] = []
        for each in sorted(listed, key=lambda each: (-each.score, each.start - each.end, each.start)):
            if any(each.start < end and start < each.end for start, end in taken):
                continue
            choice = self._plan.choose(each.detector, pointer)
            if choice is not None and "encoded" in each.why:
                choice = Choice(choice.rule, settle(each.detector, Style.REDACT))
            if choice is None or is_masked(text[each.start : each.end], each.detector, choice.style):
                continue
            taken.append((each.start, each.end))
            masks.append(_Mask(each, choice))
        return sorted(masks, key=lambda mask: mask.found.start)

    def _write(self, leaf: int, masks: list[_Mask], pointer: Pointer) -> None:
        document, plan = self._document, self._plan
        spot, text = document.spot(leaf), document.texts[leaf]
        drops = False
        # 4.
        for round_ in range(_MAX_ROUNDS):
            text, drops = self._replace(text, masks, redacts=round_ > 0)
            for mask in masks:
                self._note(mask.choice, mask.found.detector, spot, is_enforced=True)
            again = search(plan.scanner, [text], [document.trails[leaf]], self._work)
            masks = self._choose(again, text, pointer)
            if not masks:
                break
        else:
            raise Unmaskable(INCOMPLETE)
        self._texts[leaf] = text
        spot.put(text, drops=drops)

    def _replace(self, text: str, masks: list[_Mask], *, redacts: bool) -> tuple[str, bool]:
        written, at, drops = [], 0, False
        for mask in masks:
            found = mask.found
            style = settle(found.detector, Style.REDACT) if redacts else mask.choice.style
            written.append(text[at : found.start])
            written.append(self._plan.masker.mask(text[found.start : found.end], found.detector, style))
            drops = drops or style is Style.DROP
            at = found.end
        return "".join((*written, text[at:])), drops

    def _note(self, choice: Choice, detector: str, spot: Spot, *, is_enforced: bool) -> None:
        key = (choice.rule, detector, choice.style, self._write_pointer(spot), is_enforced)
        self._receipts[key] = self._receipts.get(key, 0) + 1

    def _write_pointer(self, spot: Spot) -> str:
        """Write where a value is; the names on the way are masked, if there is anything to mask in them."""
        steps = spot.list_steps()
        return "".join(f"/{_escape(self._mask_step(step))}" for step in steps)

    def _mask_step(self, step: str | int) -> str:
        if isinstance(step, int):
            return str(step)
        scanner = self._plan.scanner
        found = search(scanner, [step], [scanner.fields.root], self._work)
        return f"[{found[0].detector.upper()}]" if found else step


def _point(spot: Spot) -> Pointer:
    return tuple(map(str, spot.list_steps()))


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _list_receipts(noted: dict[tuple[str, str, Style, str, bool], int]) -> Iterable[Receipt]:
    for (rule, detector, style, pointer, is_enforced), count in noted.items():
        yield Receipt(rule, detector, style, pointer, count, is_enforced)
