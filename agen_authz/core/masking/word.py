"""The words that detectors go by, found in one pass: context, what speaks against a value, and labels.

A word begins where letters and digits begin. One of five letters and more may go on (`telefon` is in `Telefonnummer`),
a shorter one ends where letters and digits end. A label that begins a value (`github_pat_`) ends anywhere, and from six
characters on it begins anywhere.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ahocorasick_rs import AhoCorasick, MatchKind
from msgspec import Struct

from agen_authz.core.masking.row import At, Detector, Label
from agen_authz.core.masking.view import encode, lower, spell

BEFORE, AFTER = 40, 30
"""How far from a value a word may be, in characters."""

_LONG_WORD, _FREE_WORD = 5, 6
_LONGEST_WORD = 48
# What speaks against every value: words of things that have numbers and identify nobody.
_AGAINST = (
    "order", "invoice", "build", "version", "release", "sku", "isbn", "issn", "ean", "upc", "gtin", "asin", "sha",
    "sha1", "sha256", "md5", "hash", "checksum", "commit", "revision", "timestamp", "epoch", "serial", "tracking",
    "shipment", "batch", "ticket", "job", "run", "pid", "port", "line", "page", "row", "bytes", "size", "count",
    "total", "amount", "price", "qty", "quantity", "bestellung", "bestellnummer", "rechnung", "rechnungsnummer",
    "artikel", "artikelnummer", "commande", "facture", "pedido", "factura", "ordine", "fattura", "issue", "model",
    "part", "item", "product", "reference", "ref", "catalog", "catalogue", "lot", "doi", "arxiv", "rfc", "trace",
)  # fmt: skip


# By the byte of a character: True if it is of one word with a letter next to it. Scripts that are not Latin count as
# words without spaces between them, which many of them are.
_RUNS_ON = [chr(byte).isalnum() and byte != 0xFF for byte in range(256)]


class Labelled(Struct, frozen=True):
    """A label of a detector, with its pattern compiled."""

    detector: str
    label: Label
    pattern: "re.Pattern[str]"


class Vocabulary:
    """Every word of the chosen detectors.

    Attributes:
        words_of: the numbers of each detector's context words.
        unlike_of: the numbers of the words that speak against each detector's values, besides `against`.
        against: the numbers of the words that speak against every value.
        labels: by the number of the word.
    """

    __slots__ = (
        "_automaton",
        "_begins_whole",
        "_ends_whole",
        "_is_free",
        "_is_label_start",
        "_numbers",
        "_told_by",
        "against",
        "labels",
        "unlike_of",
        "words_of",
    )

    def __init__(self, rows: Iterable[Detector]) -> None:
        self._numbers: dict[str, int] = {}
        self._is_free: set[int] = set()
        self._is_label_start: set[int] = set()
        self.labels: dict[int, list[Labelled]] = {}
        self.words_of: dict[str, frozenset[int]] = {}
        self.unlike_of: dict[str, frozenset[int]] = {}
        self.against = self._number_all(_AGAINST)
        for row in rows:
            self.words_of[row.id] = self._number_all(row.context)
            self.unlike_of[row.id] = self._number_all(row.unlike)
            for label in row.labels:
                self._add_label(row.id, label)
        self._told_by: dict[int, list[str]] = {}
        for name, numbers in self.words_of.items():
            for number in numbers:
                self._told_by.setdefault(number, []).append(name)
        words = list(self._numbers)
        self._begins_whole = [
            number not in self._is_free and word[:1].isalnum() and _RUNS_ON[encode(word[:1])[0]]
            for number, word in enumerate(words)
        ]
        self._ends_whole = [
            number not in self._is_label_start and len(word) < _LONG_WORD and _RUNS_ON[encode(word[-1:])[0]]
            for number, word in enumerate(words)
        ]
        self._automaton = AhoCorasick(words, matchkind=MatchKind.Standard, store_patterns=False) if words else None

    def _number(self, word: str) -> int:
        return self._numbers.setdefault(spell(word).lower(), len(self._numbers))

    def _number_all(self, words: Iterable[str]) -> frozenset[int]:
        return frozenset(self._number(spelling) for word in words for spelling in _spell(word))

    def _add_label(self, detector: str, label: Label) -> None:
        labelled = Labelled(detector, label, re.compile(label.pattern))
        for word in label.words:
            for spelling in (word,) if label.at is At.FROM else _spell(word):
                number = self._number(spelling)
                self.labels.setdefault(number, []).append(labelled)
                if label.at is At.FROM:
                    self._is_label_start.add(number)
                    if len(word) >= _FREE_WORD:
                        self._is_free.add(number)

    def find(self, text: str, raw: bytes) -> "Hits":
        """Find every word in a text, wherever one begins.

        Args:
            raw: the text with one byte for each character (view.encode).
        """
        if self._automaton is None:
            return Hits((), (), self._told_by)
        hits, labelled = [], []
        begins_whole, ends_whole, labels = self._begins_whole, self._ends_whole, self.labels
        ended = len(raw)
        for number, start, end in self._automaton.find_matches_as_indexes(lower(text), overlapping=True):
            if start and begins_whole[number] and _RUNS_ON[raw[start - 1]]:
                continue
            is_inside = end < ended and _RUNS_ON[raw[end]]
            if not is_inside or not ends_whole[number]:
                hits.append((start, end, number))
                if number in labels and (not is_inside or number in self._is_label_start):
                    labelled.append((start, end, number))
        hits.sort()
        return Hits(hits, labelled, self._told_by)


class Hits:
    """Words that were found in a text, by their place.

    Attributes:
        labelled: those of labels.
    """

    __slots__ = ("_hits", "_numbers", "_starts", "_told_by", "labelled")

    def __init__(
        self,
        hits: Sequence[tuple[int, int, int]],
        labelled: Sequence[tuple[int, int, int]],
        told_by: Mapping[int, Sequence[str]],
    ) -> None:
        self._hits = hits
        self._starts = [each[0] for each in hits]
        self._numbers = frozenset(each[2] for each in hits)
        self.labelled, self._told_by = labelled, told_by

    def list_told(self) -> Iterator[tuple[int, Sequence[str]]]:
        """List where context words begin, and which detectors each speaks for."""
        for start, _, number in self._hits:
            names = self._told_by.get(number)
            if names is not None:
                yield start, names

    def is_near(self, words: frozenset[int], start: int, end: int, bounds: tuple[int, int]) -> bool:
        """True if one of these words is near a value.

        Args:
            bounds: where the value's text begins and ends: words beyond belong to others.
        """
        if self._numbers.isdisjoint(words):
            return False
        low, high = max(start - BEFORE, bounds[0]), min(end + AFTER, bounds[1])
        for at in range(bisect_left(self._starts, low - _LONGEST_WORD), len(self._starts)):
            begins, ends, number = self._hits[at]
            if begins >= high:
                return False
            if number in words and ends > low and begins >= bounds[0] and not (begins >= start and ends <= end):
                return True
        return False


def _spell(word: str) -> tuple[str, ...]:
    if " " not in word:
        return (word,)
    return tuple(word.replace(" ", between) for between in (" ", "-", "_", ""))
