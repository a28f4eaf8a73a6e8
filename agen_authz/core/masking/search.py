"""The search for values in texts: all texts of one message at once, by one choice of detectors.

 1. views       each text as detectors see it; joined, so that one pass searches all of them
 2. words       context and labels, in one pass of an Aho-Corasick automaton
 3. direct      distinctive forms, in one pass of RE2: one alternation without groups, which cannot run out of memory
                without saying so, as `re2.Set` can
 4. regions     letters and digits with single separators, in another; each window is held against the forms
 5. labels      what is next to a word, or begins with one
 6. fields      what is in a member whose name says what it is, in JSON and in what a text shows like it (written.py)
 7. customs     patterns of the configuration

A check (a checksum) is asked last, when the score would be enough: it costs most.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from agen_authz.core.masking.encoded import list_encoded
from agen_authz.core.masking.form import Candidate, Entry
from agen_authz.core.masking.joined import join
from agen_authz.core.masking.phone import measure_phone
from agen_authz.core.masking.row import DROP, LIFT, SURE, THRESHOLD, At, Check
from agen_authz.core.masking.scanner import Direct, Scanner
from agen_authz.core.masking.shape import shape_of_bytes
from agen_authz.core.masking.trail import Trail
from agen_authz.core.masking.view import MAX_UNESCAPES, SEPARATOR
from agen_authz.core.masking.word import Hits, Labelled
from agen_authz.core.masking.work import Allowance
from agen_authz.core.masking.written import list_written

_FIELD_SCORE = 0.6
# A shorter text shows no member with its name.
_MIN_WRITTEN = 12
_NOBODY: frozenset[str] = frozenset()
_NATIONAL = re.compile(r"(?<![0-9A-Za-z+])[0-9(][0-9 ()\-./]{2,26}[0-9](?![0-9A-Za-z])")


class Found(Struct, frozen=True):
    """A value that was found.

    Args:
        leaf: the number of its text, from 0; `start` and `end` are its place there.
        why: what told of it: `form`, `check`, `context`, `field`, `label`, `encoded`, `custom`.
    """

    leaf: int
    start: int
    end: int
    detector: str
    score: float
    why: tuple[str, ...] = ()


class _Claim(Struct, frozen=True):
    """What may be a value: its place in the joined views, and how sure that is before anything around it is read."""

    start: int
    end: int
    detector: str
    score: float
    check: Check | None
    kind: str


def search(
    scanner: Scanner,
    texts: Sequence[str],
    trails: Sequence[Trail],
    work: Allowance,
    *,
    region: str | None = None,
    depth: int = 0,
) -> list[Found]:
    """Find the values in texts: of each detector the longest at one place, in their order.

    Args:
        trails: the way to each text.
        region: whose telephone numbers may be in national form (ISO 3166-1, two letters).
        depth: how many encodings the texts were in.

    Raises:
        Unmaskable: the search would cost too much.
    """
    return _Search(scanner, texts, trails, work, _Origin(region, depth)).run() if texts else []


class _Origin(Struct, frozen=True):
    """Where texts come from: see `search`."""

    region: str | None
    depth: int


class _Search:
    """One search."""

    __slots__ = ("_found", "_hits", "_joined", "_origin", "_scanner", "_shapes", "_texts", "_trails", "_work")

    def __init__(
        self, scanner: Scanner, texts: Sequence[str], trails: Sequence[Trail], work: Allowance, origin: _Origin
    ) -> None:
        self._scanner, self._texts, self._trails, self._work, self._origin = scanner, texts, trails, work, origin
        # 1.
        self._joined = join(texts, work)
        self._shapes = shape_of_bytes(self._joined.raw)
        # 2.
        self._hits: Hits = scanner.words.find(self._joined.text, self._joined.raw)
        self._found: list[Found] = []

    def run(self) -> list[Found]:
        self._found.extend(
            Found(leaf, 0, len(self._texts[leaf]), "encoded", 1.0, ("encoded",)) for leaf in self._joined.beyond
        )
        self._find_direct()
        self._find_in_regions()
        self._find_labelled()
        self._find_fields()
        self._find_written()
        self._find_customs()
        return _leave_out_inner(self._found)

    def _claim(self, claim: _Claim) -> None:
        """Report a claim if it is sure enough."""
        start, end, detector = claim.start, claim.end, claim.detector
        joined, words, hits = self._joined, self._scanner.words, self._hits
        view = joined.find(start)
        trail, bounds = self._trails[joined.leaf(view)], joined.bounds[view]
        score = claim.score
        why: tuple[str, ...] = (claim.kind,)
        if detector in trail.fields:
            score, why = score + LIFT, (*why, "field")
        elif hits.is_near(words.words_of[detector], start, end, bounds):
            score, why = score + LIFT, (*why, "context")
        elif score < SURE and (trail.is_against or self._is_against(detector, start, end, bounds)):
            score -= DROP
        if score < THRESHOLD:
            return
        if claim.check is not None:
            self._work.spend(8)
            if not claim.check(joined.text[start:end]):
                return
            why = (*why, "check")
        self._report((start, end), detector, min(score, 1.0), why)

    def _is_against(self, detector: str, start: int, end: int, bounds: tuple[int, int]) -> bool:
        words = self._scanner.words
        return self._hits.is_near(words.against, start, end, bounds) or self._hits.is_near(
            words.unlike_of[detector], start, end, bounds
        )

    def _report(self, span: tuple[int, int], detector: str, score: float, why: tuple[str, ...]) -> None:
        joined, (start, end) = self._joined, span
        view = joined.find(start)
        first, last = joined.locate(view, start, end)
        self._found.append(Found(joined.leaf(view), first, last, detector, score, why))
        self._work.earn()

    # ---- 3. ------------------------------------------------------------------------------------------------

    def _find_direct(self) -> None:
        scanner, raw = self._scanner, self._joined.raw
        for each in scanner.passes:
            for found in each.pattern.finditer(raw):
                self._work.spend(4)
                self._match_direct(each.directs, *found.span())
        for found in scanner.encoded.finditer(raw):
            begins = found.start()
            self._work.spend(4 + (found.end() - begins) / 32)
            for start, end, decoded in list_encoded(found.group()):
                self._find_encoded(begins + start, begins + end, decoded)

    def _match_direct(self, directs: Sequence[Direct], start: int, end: int) -> None:
        raw = self._joined.raw
        for direct in directs:
            if direct.pattern.fullmatch(raw, start, end) is not None:
                self._claim(_Claim(start, end, direct.detector, direct.score, direct.check, "form"))
        if raw[start] in b"+(":
            self._find_phone(start, end)

    def _find_phone(self, start: int, end: int) -> None:
        phone, text = self._scanner.phone, self._joined.text[start:end]
        if phone is None:
            return
        self._work.spend(60)
        length, score = measure_phone(text, self._origin.region)
        if length:
            self._claim(_Claim(start, start + length, phone, score, None, "form"))
        elif text.startswith("("):
            self._claim(_Claim(start, end, phone, THRESHOLD - LIFT, None, "form"))

    def _find_encoded(self, start: int, end: int, decoded: str) -> None:
        view = self._joined.find(start)
        trail = self._trails[self._joined.leaf(view)]
        self._work.spend(100)
        if self._origin.depth >= MAX_UNESCAPES:
            # What is encoded more often is not read by clients.
            self._report((start, end), "encoded", 1.0, ("encoded",))
            return
        region, depth = self._origin.region, self._origin.depth + 1
        inner = search(self._scanner, [decoded], [trail], self._work, region=region, depth=depth)
        for each in inner:
            self._report((start, end), each.detector, each.score, (*each.why, "encoded"))

    # ---- 4. ------------------------------------------------------------------------------------------------

    def _find_in_regions(self) -> None:
        joined, work, find = self._joined, self._work, self._scanner.forms.find
        told = self._list_told()
        work.spend(len(joined.bounds))
        for view, shape in enumerate(self._shapes.split(SEPARATOR)):
            if "0" in shape:
                candidates = find(shape, work)
                if candidates:
                    self._match_all(view, candidates, told.get(view, _NOBODY))
        if self._origin.region is not None:
            for begins, ends in joined.bounds:
                self._find_national(begins, ends)

    def _match_all(self, view: int, candidates: Sequence[Candidate], told: "frozenset[str] | set[str]") -> None:
        joined = self._joined
        begins, fields, text = joined.starts[view], self._trails[joined.leaf(view)].fields, joined.text
        is_loose = joined.views is not None and joined.views[view].is_loose
        for candidate in candidates:
            start, end = begins + candidate.start, begins + candidate.end
            first = text[start]
            for entry in candidate.sure:
                if first in entry.firsts and (not is_loose or entry.score >= SURE):
                    self._match(start, end, entry)
            if told or fields:
                # What is not sure by itself is nothing unless a word or a name tells of it.
                for entry in candidate.others:
                    if first in entry.firsts and (entry.detector in told or entry.detector in fields):
                        self._match(start, end, entry)

    def _list_told(self) -> dict[int, set[str]]:
        """List which detectors words speak for, by the view that these are in."""
        told: dict[int, set[str]] = {}
        for start, names in self._hits.list_told():
            told.setdefault(self._joined.find(start), set()).update(names)
        return told

    def _match(self, start: int, end: int, entry: Entry) -> None:
        self._work.spend(1)
        if entry.pattern.fullmatch(self._joined.text, start, end) is not None:
            self._claim(_Claim(start, end, entry.detector, entry.score, entry.check, "form"))

    def _find_national(self, begins: int, ends: int) -> None:
        for found in _NATIONAL.finditer(self._joined.text, begins, ends):
            self._find_phone(*found.span())

    # ---- 5. ------------------------------------------------------------------------------------------------

    def _find_labelled(self) -> None:
        labels = self._scanner.words.labels
        # Where the last match of each label ends: what begins within it is a part of it.
        ends: dict[int, int] = {}
        for start, end, number in self._hits.labelled:
            for labelled in labels[number]:
                if start >= ends.get(id(labelled), 0):
                    ends[id(labelled)] = self._read_label(labelled, start, end)

    def _read_label(self, labelled: Labelled, start: int, end: int) -> int:
        label, text = labelled.label, self._joined.text
        low, high = self._joined.bounds[self._joined.find(start)]
        last = min(high, end + label.reach)
        first = max(low, start - label.reach) if label.at is At.AROUND else start
        if labelled.needs_digit and self._shapes.find("0", first, last) < 0:
            return 0
        if label.at is At.AROUND:
            around = labelled.pattern.finditer(text, first, last)
            matches = [each for each in around if _touches(each.span(), start, end)]
        else:
            matched = labelled.pattern.match(text, start if label.at is At.FROM else end, last)
            matches = [] if matched is None else [matched]
        # A pattern may have looked at all that it may look at, whatever it matches.
        self._work.spend(3 + (last - first) / 64 + (labelled.cost if matches else 0))
        for each in matches:
            # INVARIANT: it is not empty (row.Label).
            begins, ends = each.span(1 if labelled.pattern.groups else 0)
            self._claim(_Claim(begins, ends, labelled.detector, label.score, label.check, "label"))
        return matches[-1].end() if matches and label.at is At.FROM else 0

    # ---- 6. ------------------------------------------------------------------------------------------------

    def _find_fields(self) -> None:
        held = self._scanner.held
        for number, trail in enumerate(self._trails):
            for detector in trail.fields:
                text = self._texts[number]
                if held[detector].search(text) is not None:
                    self._found.append(Found(number, 0, len(text), detector, _FIELD_SCORE, ("field",)))
                    self._work.earn()

    def _find_written(self) -> None:
        joined, fields = self._joined, self._scanner.fields
        for begins, ends in joined.bounds:
            if ends - begins < _MIN_WRITTEN:
                continue
            self._work.spend((ends - begins) / 64)
            for each in list_written(joined.text[begins:ends], fields.tells):
                self._claim_field(each.name, begins + each.start, begins + each.end)

    def _claim_field(self, name: str, start: int, end: int) -> None:
        fields, value = self._scanner.fields, self._joined.text[start:end]
        for detector in fields.step(fields.root, name).fields:
            if self._scanner.held[detector].search(value) is not None:
                self._report((start, end), detector, _FIELD_SCORE, ("field",))

    # ---- 7. ------------------------------------------------------------------------------------------------

    def _find_customs(self) -> None:
        for name, pattern in self._scanner.customs:
            for number, text in enumerate(self._texts):
                self._work.spend(1)
                for found in pattern.finditer(text):
                    if found.end() > found.start():
                        self._found.append(Found(number, found.start(), found.end(), name, 1.0, ("custom",)))
            # A pattern may be about what the views read over, so they are searched besides the texts.
            for begins, ends in self._joined.bounds if self._joined.views is not None else ():
                self._work.spend(1)
                for found in pattern.finditer(self._joined.text[begins:ends]):
                    if found.end() > found.start():
                        self._report((begins + found.start(), begins + found.end()), name, 1.0, ("custom",))


def _touches(span: tuple[int, int], start: int, end: int) -> bool:
    return span[0] <= end + 1 and span[1] >= start - 1


def _leave_out_inner(found: Iterable[Found]) -> list[Found]:
    """Keep of each detector the longest at one place; of equally long ones the surest."""
    kept: list[Found] = []
    last: dict[tuple[int, str], Found] = {}
    for each in sorted(found, key=lambda each: (each.leaf, each.start, -each.end, -each.score)):
        key = (each.leaf, each.detector)
        before = last.get(key)
        if before is None or each.start >= before.end:
            last[key] = each
            kept.append(each)
    return kept
