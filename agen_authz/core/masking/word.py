"""The words that detectors go by, found in one pass: context, what speaks against a value, and labels.

A word begins where letters and digits begin. One of five letters and more may go on (`telefon` is in `Telefonnummer`),
a shorter one ends where letters and digits end. A label that begins a value (`github_pat_`) ends anywhere, and begins
anywhere if it has six characters and not only letters.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, MatchKind
from msgspec import Struct

from agen_authz.core.masking.row import At, Detector, Label
from agen_authz.core.masking.shape import needs_digit
from agen_authz.core.masking.view import lower, spell

BEFORE, AFTER = 40, 30
"""How far from a value a word may be, in characters."""

_LONG_WORD, _FREE_WORD = 5, 6
_LONGEST_WORD = 48
# What speaks against every value: words of things that have numbers and identify no person.
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
_SIGNS_AS_SPACES = bytes(
    ord(chr(byte).lower()) if byte < 0x80 and _RUNS_ON[byte] else byte if _RUNS_ON[byte] else 0x20
    for byte in range(256)
)


class Labelled(Struct, frozen=True):
    """A label of a detector, with its pattern compiled.

    Args:
        needs_digit: True if no value without a digit matches.
        cost: of a match, in units of `Allowance`.
    """

    detector: str
    label: Label
    pattern: "re.Pattern[str]"
    needs_digit: bool
    cost: float


class _Word(Struct, frozen=True):
    """A word, as it is searched.

    Args:
        is_free: True if it begins anywhere.
        ends_whole: True if it ends where letters and digits end.
    """

    spelt: str
    is_free: bool
    ends_whole: bool


class Lexicon:
    """Every word of the chosen detectors; each has a number, which its spellings with other signs share.

    Attributes:
        words_of: the numbers of each detector's context words.
        unlike_of: the numbers of the words that speak against each detector's values, besides `against`.
        against: the numbers of the words that speak against every value.
        labels: by the number of the word.
    """

    __slots__ = ("_open", "_plain", "_told_by", "_words", "_written", "against", "labels", "unlike_of", "words_of")

    def __init__(self, rows: Iterable[Detector]) -> None:
        # By what is searched: the number.
        self._words: dict[_Word, int] = {}
        # Words of labels that end anywhere.
        self._open: set[int] = set()
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
        self._plain = _PlainFinder(self._words)
        self._written = _WrittenFinder(self._words)

    def _number_all(self, words: Iterable[str]) -> frozenset[int]:
        return frozenset(self._number(spelling, starts=False) for word in words for spelling in _spell(word))

    def _number(self, word: str, *, starts: bool, is_inside: bool = False) -> int:
        spelt = lower(spell(word))
        is_name = spelt.replace(" ", "").isalpha()
        word_of = _Word(
            spelt=spelt,
            is_free=is_inside or not spelt[0].isalnum() or (starts and not is_name and len(spelt) >= _FREE_WORD),
            ends_whole=not starts and len(spelt) < _LONG_WORD,
        )
        return self._words.setdefault(word_of, len(self._words))

    def _add_label(self, detector: str, label: Label) -> None:
        labelled = Labelled(detector, label, re.compile(label.pattern), needs_digit(label.pattern), _cost(label))
        starts = label.at is At.FROM
        for word in label.words:
            for spelling in (word,) if starts else _spell(word):
                number = self._number(spelling, starts=starts, is_inside=label.is_inside)
                self.labels.setdefault(number, []).append(labelled)
                if starts or label.is_inside:
                    self._open.add(number)

    def find(self, text: str, raw: bytes) -> "Hits":
        """Find every word in a text.

        Args:
            raw: the text with one byte for each character (view.encode).
        """
        hits: list[tuple[int, int, int]] = []
        labelled: list[tuple[int, int, int]] = []
        labels, is_open, size = self.labels, self._open, len(raw)
        for hit in (
            self._plain.find(raw) if text.isascii() else chain(self._plain.find(raw), self._written.find(text, raw))
        ):
            hits.append(hit)
            _, end, number = hit
            if number in labels and (number in is_open or end >= size or not _RUNS_ON[raw[end]]):
                labelled.append(hit)
        hits.sort()
        return Hits(hits, labelled, self._told_by)


class _PlainFinder:
    """Finds words of ASCII. Every sign of the text is a space first, so spaces are the bounds of words."""

    __slots__ = ("_automaton", "_found")

    def __init__(self, words: Mapping[_Word, int]) -> None:
        # Words that differ in their signs are one pattern.
        patterns: dict[bytes, list[tuple[int, int, int]]] = {}
        for word, number in words.items():
            if word.spelt.isascii():
                spelt = word.spelt.encode("ascii").translate(_SIGNS_AS_SPACES)
                lead = 0 if word.is_free else 1
                trail = 1 if word.ends_whole and word.spelt[-1].isalnum() else 0
                # The space in front of the whole text, and the one in front of the word.
                patterns.setdefault(b" " * lead + spelt + b" " * trail, []).append((lead - 1, -1 - trail, number))
        self._found = list(patterns.values())
        # INVARIANT: there are words, for some speak against every value.
        self._automaton = BytesAhoCorasick(list(patterns), matchkind=MatchKind.Standard)

    def find(self, raw: bytes) -> list[tuple[int, int, int]]:
        found = self._found
        padded = b" %b " % raw.translate(_SIGNS_AS_SPACES)
        return [
            (max(start + before, 0), min(end + after, len(raw)), number)
            for index, start, end in self._automaton.find_matches_as_indexes(padded, overlapping=True)
            for before, after, number in found[index]
        ]


class _WrittenFinder:
    """Finds the other words, as they are written."""

    __slots__ = ("_automaton", "_words")

    def __init__(self, words: Mapping[_Word, int]) -> None:
        self._words = [(word, number) for word, number in words.items() if not word.spelt.isascii()]
        spelt = [word.spelt for word, _ in self._words]
        self._automaton = AhoCorasick(spelt, matchkind=MatchKind.Standard, store_patterns=False) if spelt else None

    def find(self, text: str, raw: bytes) -> Iterator[tuple[int, int, int]]:
        if self._automaton is None:
            return
        for index, start, end in self._automaton.find_matches_as_indexes(lower(text), overlapping=True):
            word, number = self._words[index]
            if start and not word.is_free and _RUNS_ON[raw[start - 1]] and _RUNS_ON[raw[start]]:
                continue
            if not (word.ends_whole and end < len(raw) and _RUNS_ON[raw[end]] and _RUNS_ON[raw[end - 1]]):
                yield start, end, number


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


def _cost(label: Label) -> float:
    return len(label.pattern) / 32


def _spell(word: str) -> tuple[str, ...]:
    if " " not in word:
        return (word,)
    return tuple(word.replace(" ", between) for between in (" ", "-", "_", ""))
