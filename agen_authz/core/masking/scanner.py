"""What one choice of detectors looks for, compiled; made once and kept, for it takes tens of milliseconds."""

import re
from collections.abc import Iterable
from typing import Any

import re2
from msgspec import Struct

from agen_authz.core.masking.encoded import ENCODED
from agen_authz.core.masking.form import FormIndex
from agen_authz.core.masking.phone import DIRECT as PHONE
from agen_authz.core.masking.row import Check, Detector
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.masking.trail import FieldIndex
from agen_authz.core.masking.word import Lexicon
from agen_authz.core.memory import remember

_MAX_MEMORY = 64 << 20
_PHONES = ("phone", "fax")
_MAX_KEPT = 64


class Direct(Struct, frozen=True):
    """A distinctive form, compiled."""

    detector: str
    pattern: "re.Pattern[bytes]"
    score: float
    check: Check | None


class Pass(Struct, frozen=True):
    """Distinctive forms that are searched at once."""

    pattern: Any
    directs: tuple[Direct, ...]


class Scanner:
    """What is searched for.

    Attributes:
        fields: makes the trails of documents.
        words: context, and labels.
        forms: what a window of letters and digits may be.
        passes: find what has a distinctive form, or is a telephone number. What no preset has is found in a pass of
            its own: a URL may hold an e-mail address, which must be found as well.
        encoded: finds what may be encoded.
        phone: the detector that telephone numbers are of; None if they are not searched for.
        customs: patterns of the configuration, by their names.
        held: by detector: what a member must hold whose name tells of it.
    """

    __slots__ = ("customs", "encoded", "fields", "forms", "held", "passes", "phone", "words")

    def __init__(self, detectors: Detectors) -> None:
        rows = detectors.list_rows()
        self.fields = FieldIndex(rows)
        self.words = Lexicon(rows)
        self.forms = FormIndex(rows)
        self.held = {row.id: re.compile(row.field_pattern or r"\S") for row in rows}
        self.phone = next((name for name in _PHONES if name in detectors.ids), None)
        usual = [row for row in rows if row.presets]
        self.passes = (
            _make_pass(_list_directs(usual), [PHONE] if self.phone else []),
            *(_make_pass(_list_directs([row])) for row in rows if row.direct and not row.presets),
        )
        self.encoded = re2.compile(ENCODED, _options())
        self.customs = tuple((each.name, re2.compile(each.pattern)) for each in detectors.customs)


def _make_pass(directs: Iterable[Direct], others: Iterable[bytes] = ()) -> Pass:
    listed = tuple(directs)
    patterns = (*(each.pattern.pattern for each in listed), *others)
    # Nothing is found by the pattern that needs a character behind the end.
    return Pass(re2.compile(b"|".join(b"(?:%b)" % each for each in patterns) or rb"\z.", _options()), listed)


@remember(_MAX_KEPT)
def get_scanner(detectors: Detectors) -> Scanner:
    """Return the scanner of a choice of detectors."""
    return Scanner(detectors)


def _list_directs(rows: Iterable[Detector]) -> Iterable[Direct]:
    for row in rows:
        for form in row.direct:
            yield Direct(row.id, re.compile(form.pattern.encode("latin-1"), re.ASCII), form.score, form.check)


def _options() -> "re2.Options":
    """Compile over bytes, each one character, with enough memory to stay linear."""
    chosen = re2.Options()
    chosen.encoding = re2.Options.Encoding.LATIN1
    chosen.max_mem = _MAX_MEMORY
    chosen.log_errors = False
    return chosen
