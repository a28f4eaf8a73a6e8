"""One message masked: what is found is replaced, copies of it too, and the result is searched once more.

1. the document is taken apart (document.py), and all of it is searched at once (search.py)
2. of values that overlap one is chosen; a rule says how it is masked
3. what was found by a member's name or a label is masked wherever else the message repeats it
4. what is masked is searched again, by the same detectors, until nothing is found: what a mask uncovers is redacted,
   or dropped if its rule says so.
   Something that is still found after `_MAX_ROUNDS` is a defect, and the message does not leave
5. the message is written, and what was put into it is read back from it
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from msgspec import Struct

from agen_authz.core.masking.copies import find_copies
from agen_authz.core.masking.document import Document
from agen_authz.core.masking.node import DocumentSpot
from agen_authz.core.masking.plan import Plan, Treatment
from agen_authz.core.masking.pointer import PointerWriter
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Pointer, Receipt, Unmaskable
from agen_authz.core.masking.search import Found, search
from agen_authz.core.masking.style import is_masked, is_shown, settle, strictest
from agen_authz.core.masking.work import Allowance
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
    choice: Treatment


def mask_message(message: Json, plan: Plan, *, is_message: bool = True) -> MaskedMessage:
    """Mask one message; pure.

    Args:
        is_message: False for a JSON value that is not a message of JSON-RPC.

    Raises:
        Unmaskable: it cannot be inspected to its end.
    """
    return _Masking(message, plan, is_message=is_message).run()


class _Masking:
    """The masking of one message."""

    __slots__ = ("_document", "_is_changed", "_message", "_plan", "_pointers", "_receipts", "_work")

    def __init__(self, message: Json, plan: Plan, *, is_message: bool) -> None:
        self._message, self._plan = message, plan
        # 1.
        self._document = Document(message, plan.layouts, plan.layouts.root, is_message=is_message)
        self._work = Allowance(sum(map(len, self._document.texts)))
        self._receipts: dict[tuple[str, str, Style, str, bool], int] = {}
        self._is_changed = False
        self._pointers = PointerWriter(plan.scanner, self._work)

    def run(self) -> MaskedMessage:
        document, plan = self._document, self._plan
        found = search(plan.scanner, document.texts, document.trails, self._work)
        self._settle_names(found)
        if found:
            self._mask(found)
        # Last, for then the names that are values are known, which receipts must not hold.
        self._replace_whole(document.deep, "nested")
        if not plan.passes_binary:
            self._replace_whole(document.binary, "binary")
        if not self._is_changed and not self._receipts:
            return MaskedMessage(self._message)
        written = document.root.write()
        return MaskedMessage(written, tuple(_list_receipts(self._receipts)))

    def _settle_names(self, found: Sequence[Found]) -> None:
        document = self._document
        if document.pending and not any(document.is_name(each.leaf) for each in found):
            for shape in document.pending:
                shape.is_clean = True

    def _replace_whole(self, spots: Iterable[DocumentSpot], detector: str) -> None:
        for spot in spots:
            choice = self._plan.choose(detector, _point(spot))
            if choice is not None:
                spot.put_whole(f"[{detector.upper()}]")
                self._note(choice, detector, spot, is_enforced=True)

    def _mask(self, found: list[Found]) -> None:
        document, plan = self._document, self._plan
        # 3.
        found = [*found, *find_copies(plan.order(found), document)]
        for each in found:
            if document.is_name(each.leaf):
                self._pointers.hide(str(document.spot(each.leaf).key), each.detector)
        masks: dict[int, list[_Mask]] = {}
        for leaf, listed in _by_leaf(found).items():
            pointer = _point(document.spot(leaf))
            self._watch(listed, leaf, pointer)
            masks[leaf] = self._choose(listed, document.texts[leaf], pointer)
        # 4.
        texts, drops = self._write_all({leaf: chosen for leaf, chosen in masks.items() if chosen})
        for leaf, text in texts.items():
            document.spot(leaf).put(text, drops=leaf in drops)
        self._is_changed = bool(texts)

    def _write_all(self, masks: dict[int, list[_Mask]]) -> tuple[dict[int, str], set[int]]:
        """Mask texts until nothing is found in them; return what they became, and from which something was dropped."""
        document, texts, drops = self._document, dict[int, str](), set[int]()
        for round_ in range(_MAX_ROUNDS):
            for leaf, chosen in masks.items():
                text = texts.get(leaf, document.texts[leaf])
                texts[leaf], has_dropped = self._replace(text, chosen, redacts=round_ > 0)
                if has_dropped:
                    drops.add(leaf)
                for mask in chosen:
                    self._note(mask.choice, mask.found.detector, leaf, is_enforced=True)
            masks = self._search_again({leaf: texts[leaf] for leaf in masks})
            if not masks:
                return texts, drops
        raise Unmaskable(INCOMPLETE)

    def _search_again(self, texts: dict[int, str]) -> dict[int, list[_Mask]]:
        document, leaves = self._document, list(texts)
        trails = [document.trails[leaf] for leaf in leaves]
        listed = _by_leaf(search(self._plan.scanner, list(texts.values()), trails, self._work))
        chosen = {
            leaf: self._choose(listed[place], texts[leaf], _point(document.spot(leaf)))
            for place, leaf in enumerate(leaves)
            if place in listed
        }
        return {leaf: masks for leaf, masks in chosen.items() if masks}

    def _watch(self, listed: Sequence[Found], leaf: int, pointer: Pointer) -> None:
        if not self._plan.watched:
            return
        for each in listed:
            choice = self._plan.watch(each.detector, pointer)
            if choice is not None:
                self._note(choice, each.detector, leaf, is_enforced=False)

    def _choose(self, listed: Sequence[Found], text: str, pointer: Pointer) -> list[_Mask]:
        """Choose, of values that overlap, the first in the plan's order."""
        # 2.
        masks = []
        # What is taken, in its order: nothing in it overlaps.
        starts: list[int] = []
        ends: list[int] = []
        for each in self._plan.order(listed):
            place = bisect_left(starts, each.end)
            if place and ends[place - 1] > each.start:
                continue
            choice = self._plan.choose(each.detector, pointer)
            value = text[each.start : each.end]
            if choice is None or is_masked(value, each.detector, choice.style, self._plan.names):
                continue
            if is_shown(text, each.start, each.end):
                continue
            if "encoded" in each.why:
                choice = Treatment(choice.rule, settle(each.detector, Style.REDACT))
            starts.insert(place, each.start)
            ends.insert(place, each.end)
            masks.append(_Mask(each, choice))
        return sorted(masks, key=lambda mask: mask.found.start)

    def _replace(self, text: str, masks: list[_Mask], *, redacts: bool) -> tuple[str, bool]:
        written, at, drops = [], 0, False
        for mask in masks:
            found = mask.found
            style = strictest((mask.choice.style, Style.REDACT)) if redacts else mask.choice.style
            written.append(text[at : found.start])
            written.append(self._plan.masker.mask(text[found.start : found.end], found.detector, style))
            drops = drops or style is Style.DROP
            at = found.end
        return "".join((*written, text[at:])), drops

    def _note(self, choice: Treatment, detector: str, where: int | DocumentSpot, *, is_enforced: bool) -> None:
        spot = where if isinstance(where, DocumentSpot) else self._document.spot(where)
        key = (choice.rule, detector, choice.style, self._pointers.write(spot), is_enforced)
        self._receipts[key] = self._receipts.get(key, 0) + 1


def _by_leaf(found: Iterable[Found]) -> dict[int, list[Found]]:
    listed: dict[int, list[Found]] = {}
    for each in found:
        listed.setdefault(each.leaf, []).append(each)
    return listed


def _point(spot: DocumentSpot) -> Pointer:
    return tuple(map(str, spot.list_steps()))


def _list_receipts(noted: dict[tuple[str, str, Style, str, bool], int]) -> Iterable[Receipt]:
    for (rule, detector, style, pointer, is_enforced), count in noted.items():
        yield Receipt(rule, detector, style, pointer, count, is_enforced)
